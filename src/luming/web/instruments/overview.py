"""Devices with what needs attention, and maintainers side by side: what the lists of this room show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from luming.core.memo import once
from luming.core.models import Organisation, User
from luming.registry.models import Device
from luming.telemetry.instruments import health, upkeep
from luming.telemetry.instruments.upkeep import Due
from luming.web.states import with_status

SPANS: dict[str, tuple[Any, int]] = {
    "7d": (_("7 days"), 7), "30d": (_("30 days"), 30), "90d": (_("90 days"), 90), "1y": (_("1 year"), 365),
}  # fmt: skip
LONGEST = timedelta(days=366 * 3)
# How much a connection asks for attention; what is late and what drifts comes on top.
WORRY = {"offline": 40, "silent": 30, "never": 15, "online": 0, "off": 0}
GOOD, FAIR = 0.95, 0.9  # shares from which a figure is shown as good and as fair


@dataclass(frozen=True, slots=True)
class Period:
    """The days that are looked at, both inclusive; ``span`` is a key of :data:`SPANS` or ``custom``."""

    first: date
    last: date
    span: str

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return (self.last - self.first).days + 1


def read_period(values: QueryDict, usual: str = "30d") -> Period:
    """Read the period of an address; anything odd falls back to the usual one, which ends yesterday."""
    today = timezone.localdate()
    span = values.get("span", usual)
    if span == "custom":
        first, last = _day(values.get("from")), _day(values.get("to"))
        if first and last and first <= last:
            return Period(max(first, last - LONGEST), last, span)
    if span not in SPANS:
        span = usual
    yesterday = today - timedelta(days=1)
    return Period(yesterday - timedelta(days=SPANS[span][1] - 1), yesterday, span)


def usual_period() -> Period:
    """Return the 30 days until yesterday."""
    return read_period(QueryDict())


def _day(text: str | None) -> date | None:
    try:
        found = parse_date(text or "")
    except ValueError:
        return None
    return found if found and 1990 <= found.year <= 2199 else None


@dataclass(slots=True)
class Row:
    """A device of the list."""

    device: Any  # with status
    rates: health.Rates
    dues: list[Due] = field(default_factory=list)

    @property
    def out(self) -> list[Due]:
        """Return what is out of control."""
        return [due for due in self.dues if due.key == "out"]

    @property
    def late(self) -> list[Due]:
        """Return what is late, beside what is out of control."""
        return [due for due in self.dues if due.is_late and due.key != "out"]

    @property
    def soon(self) -> list[Due]:
        """Return what is due within a week, or at once."""
        return [due for due in self.dues if due.tone == "warning"]

    @property
    def worry(self) -> float:
        """Return how much it asks for attention."""
        lacking = 0.0 if self.rates.availability is None else 1 - self.rates.availability
        wrong = 0.0 if self.rates.valid_rate is None else 1 - self.rates.valid_rate
        own = 50 * bool(self.out) + 5 * min(len(self.late), 6) + min(len(self.soon), 3)
        return WORRY[self.device.status] + own + 30 * lacking + 20 * wrong


def rows(user: User, period: Period) -> list[Row]:
    """Return the devices in the user's scope, those that need attention most first; seven queries."""
    devices = Device.objects.visible_to(user)
    rates = health.rates_of_devices(devices.order_by().values("pk"), period.first, period.last)
    needs = dues_by_device(user)
    found = [
        Row(device, rates.get(device.pk, health.Rates()), needs.get(device.pk, []))
        for device in with_status(devices).select_related("state", "place", "place__region", "maintainer")
    ]
    return sorted(found, key=lambda row: (-row.worry, row.device.mn))


def dues(user: User) -> list[Due]:
    """Return what the devices in the user's scope need within a month, read once per request."""
    return once(
        user, "instrument-dues", lambda: upkeep.of_devices(Device.objects.visible_to(user), timezone.localdate())
    )


def dues_by_device(user: User) -> dict[int, list[Due]]:
    """Return the same by device."""
    found: dict[int, list[Due]] = defaultdict(list)
    for due in dues(user):
        found[due.device_id].append(due)
    return found


ORDERS: dict[str, Any] = {
    "worry": lambda row: (-row.worry, row.device.mn),
    "name": lambda row: (str(row.device), row.device.mn),
    "place": lambda row: (row.device.place.name, row.device.mn),
    "status": lambda row: (-WORRY[row.device.status], row.device.mn),
    "available": lambda row: (_least(row.rates.availability), row.device.mn),
    "valid": lambda row: (_least(row.rates.valid_rate), row.device.mn),
    "late": lambda row: (-len(row.out), -len(row.late), row.device.mn),
    "maintainer": lambda row: (str(row.device.maintainer or ""), row.device.mn),
}
NEEDS: dict[str, tuple[Any, Any]] = {
    "away": (_("Off line or silent"), lambda row: row.device.status in ("offline", "silent")),
    "out": (_("Out of control"), lambda row: bool(row.out)),
    "late": (_("Something is overdue"), lambda row: bool(row.late)),
    "soon": (_("Something is due soon"), lambda row: bool(row.soon)),
    "poor": (_("Availability below 90 %"), lambda row: _least(row.rates.availability) < FAIR),
}


def _least(share: float | None) -> float:
    return 2.0 if share is None else share


def chosen(found: Sequence[Row], values: QueryDict) -> tuple[list[Row], str]:
    """Return the rows that an address asks for, in its order, and the order's key."""
    q = (values.get("q") or "").strip().casefold()
    need, keeper = values.get("need", ""), values.get("maintainer", "")
    kept = [
        row
        for row in found
        if (not q or q in f"{row.device.mn} {row.device.name} {row.device.place.name}".casefold())
        and (need not in NEEDS or NEEDS[need][1](row))
        and (not keeper or str(row.device.maintainer_id or "none") == keeper)
    ]
    sort = values.get("sort", "worry")
    key = sort.lstrip("-")
    if key not in ORDERS:
        sort = key = "worry"
    kept.sort(key=ORDERS[key], reverse=sort.startswith("-"))
    return kept, sort


# ---- maintainers -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Keeper:
    """A maintainer's line: how many devices it has now, the rates of those it had on each day, what is late now."""

    organisation: Organisation | None
    rates: health.Rates
    devices: int
    out: int
    late_calibrations: int
    late_other: int

    @property
    def key(self) -> str:
        """Return the maintainer as filters name it."""
        return str(self.organisation.pk) if self.organisation else "none"


def keepers(user: User, period: Period) -> list[Keeper]:
    """Return the maintainers of the devices in the user's scope, the best valid-data rate first; eight queries."""
    devices = Device.objects.visible_to(user)
    rates = health.by_maintainer(devices, period.first, period.last)
    counts: dict[int | None, int] = defaultdict(int)
    of_device: dict[int, int | None] = {}
    for pk, keeper in devices.filter(is_active=True).order_by().values_list("pk", "maintainer"):
        counts[keeper] += 1
        of_device[pk] = keeper
    late: dict[int | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for due in dues(user):
        if due.is_late and due.device_id in of_device:
            kind = {"out": "out", "calibration": "calibration"}.get(due.key, "other")
            late[of_device[due.device_id]][kind] += 1
    names = Organisation.objects.in_bulk([key for key in {*rates, *counts} if key is not None])
    found = [
        Keeper(
            names.get(key) if key is not None else None,
            rates[key].rates if key in rates else health.Rates(),
            counts[key],
            late[key]["out"],
            late[key]["calibration"],
            late[key]["other"],
        )
        for key in {*rates, *counts}
    ]
    return sorted(found, key=lambda row: (row.organisation is None, -(row.rates.valid_rate or 0), row.key))


def tone(share: float | None) -> str:
    """Return the class of a share's tag."""
    if share is None:
        return ""
    return "is-good" if share >= GOOD else "is-warn" if share >= FAIR else "is-bad"


def per_cent(share: float | None) -> str:
    """Write a share in per cent, rounded down: what is not complete is not written as complete."""
    return "—" if share is None else f"{int(share * 1000 + 1e-6) / 10:.1f}%"
