"""What the lists of the home page are made from, read once per request: places, devices, packets, events, changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from luming.core import manifest
from luming.core.memo import once
from luming.core.models import AuditEntry, User
from luming.core.registers import Register
from luming.registry.models import Device, Place
from luming.telemetry import store
from luming.telemetry.models import Command, Event, Gap
from luming.web.live import shared
from luming.web.scope import device_ids, sees_all_packets
from luming.web.states import Current, current, with_status

EVENTS = 200
# Events that say something is as it should be again are for the place's own page.
TOLD = frozenset({
    "state", "unregistered", "device-adopted", "clock", "rejected", "connection-limit", "gap-found", "gap-given-up",
    "disconnected",
})  # fmt: skip
CHANGES = 60
HELD_DAYS = 7


def yesterday() -> datetime:
    """Return the beginning of yesterday in the city."""
    return midnight() - timedelta(days=1)


def midnight() -> datetime:
    """Return the beginning of today in the city."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def facts(user: User) -> Facts:
    """Return the facts of a request: every list of one page reads the same rows."""
    return once(user, "facts", lambda: Facts(user))


class Facts:
    """Rows in the user's scope, each read when it is first asked for."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def places(self) -> list[Current]:
        """Return the active places with their current states."""
        rows = Place.objects.visible_to(self.user).filter(is_active=True)
        return current(rows.select_related("current", "region", "outlet__facility", "station").order_by("code"))

    @cached_property
    def devices(self) -> list[Device]:
        """Return the devices with their status, and how many gaps and failed commands wait at each."""
        if not self.user.may("device.view"):
            return []
        day = timezone.now() - timedelta(days=1)
        failed = [Command.State.FAILED, Command.State.EXPIRED, Command.State.REFUSED]
        return list(
            with_status(Device.objects.visible_to(self.user))
            .annotate(
                open_gaps=_number(Gap.objects.filter(state__in=[Gap.State.OPEN, Gap.State.REQUESTED])),
                lost_gaps=_number(Gap.objects.filter(state=Gap.State.GIVEN_UP, closed_at__gte=day)),
                failed_commands=_number(
                    Command.objects.filter(state__in=failed, created_at__gte=day, requested_by__isnull=False)
                ),
            )
            .select_related("state", "place")
            .order_by("mn")
        )

    @cached_property
    def events(self) -> list[Event]:
        """Return the newest events of places and devices since yesterday."""
        mine = Q(place__in=Place.objects.visible_to(self.user).order_by().values("pk"))
        if self.user.may("device.view"):
            mine |= Q(device__in=Device.objects.visible_to(self.user).order_by().values("pk"))
        if sees_all_packets(self.user):
            mine |= Q(place=None, device=None)
        rows = Event.objects.filter(mine, at__gte=yesterday(), kind__in=TOLD).select_related("place", "device")
        return list(rows.order_by("-at", "-id")[:EVENTS])

    @cached_property
    def packets(self) -> dict[str, Any] | None:
        """Return how many packets came since midnight, and what of the last week is held or rejected, by reason."""
        if not self.user.may("packet.view"):
            return None
        return shared("packets", self.user, 10, self._packets)

    def _packets(self) -> dict[str, Any]:
        ids = device_ids(self.user)
        reasons = store.reason_counts(timezone.now() - timedelta(days=HELD_DAYS), ids)
        totals = {key: sum(number for verdict, _r, number, _l in reasons if verdict == key) for key in ("H", "R")}
        return {"total": store.packet_count(midnight(), ids), "reasons": reasons, **totals}

    @cached_property
    def changes(self) -> list[tuple[AuditEntry, Register, Any]]:
        """Return what people changed in the registers since yesterday, as far as the user sees the records.

        Each entry comes with its register and its record; None stands for a record that is deleted.
        """
        registers = {
            register.object_type: register for register in manifest.registers() if self.user.may(register.view)
        }
        rows = AuditEntry.objects.filter(at__gte=yesterday(), object_type__in=registers, actor__isnull=False)
        whole = sees_all_packets(self.user)  # who sees the whole city is told of what is deleted, too
        rows = list(rows.order_by("-at", "-id")[: CHANGES if whole else 5 * CHANGES])
        records: dict[tuple[str, str], Any] = {}
        for kind in {row.object_type for row in rows}:
            keys = {row.object_id for row in rows if row.object_type == kind}
            visible = registers[kind].model.objects.visible_to(self.user).filter(pk__in=keys)
            if registers[kind].select:
                visible = visible.select_related(*registers[kind].select)
            records |= {(kind, str(record.pk)): record for record in visible}
        found = [(row, registers[row.object_type], records.get((row.object_type, row.object_id))) for row in rows]
        return [entry for entry in found if whole or entry[2] is not None][:CHANGES]


def _number(rows: Any) -> Any:
    """Return how many rows a device has."""
    counted = rows.filter(device=OuterRef("pk")).order_by().values("device").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number"), output_field=IntegerField()), 0)
