"""What the diagnosis of a device looks at, gathered once: connections, refusals, values, states, drifts, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.registry.models import Device, Interval, Series
from luming.standards.edition import city_day
from luming.telemetry import store
from luming.telemetry.instruments import drift
from luming.telemetry.instruments.models import DeviceFact, Maintenance, Supply
from luming.telemetry.models import Connection, DeviceStatus

LOOKED = timedelta(hours=24)
TOGETHER = timedelta(minutes=10)  # devices that fall silent within it fell silent together
# A device is silent after three missed real-time intervals, at least five minutes (as its page says).
SILENT_INTERVALS, SILENT_AFTER = 3, timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Refused:
    """Packets of a device that were not accepted."""

    verdict: str
    reason: str
    count: int
    packet_id: int


@dataclass(frozen=True, slots=True)
class Values:
    """The hourly values of a factor in the last day: the newest period, how many count, and the marks."""

    factor: str
    newest: datetime | None
    seconds: int
    numbers: np.ndarray  # that were measured in the normal state, in order of time
    marks: Mapping[str, int]


@dataclass(slots=True)
class Evidence:
    """All of it; see the fields."""

    device: Device
    now: datetime
    status: DeviceStatus | None = None
    connections: Sequence[Connection] = ()
    refused: Sequence[Refused] = ()
    values: Sequence[Values] = ()
    states: Mapping[tuple[str, str], DeviceFact] = field(default_factory=dict)
    drifts: Sequence[drift.Drift] = ()
    expired: Sequence[Supply] = ()
    open_work: Maintenance | None = None
    silent_together: int = 0  # other devices of the district that fell silent with it and are silent still
    others: int = 0  # of the district that are in service
    silent_at_site: int = 0  # of the same facility or place
    others_at_site: int = 0

    @property
    def silence(self) -> timedelta:
        """Return how long a device may say nothing before it is silent."""
        return max(SILENT_AFTER, SILENT_INTERVALS * timedelta(seconds=self.device.realtime_seconds))

    @property
    def spoke(self) -> datetime | None:
        """Return when the device was last heard."""
        return self.status.last_packet_at if self.status else None

    @property
    def standing(self) -> str:
        """Return online, silent (connected), offline, never or off."""
        if not self.device.is_active:
            return "off"
        if self.status is None or self.spoke is None:
            return "never"
        if not self.status.connected:
            return "offline"
        return "silent" if self.spoke < self.now - self.silence else "online"

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing comes."""
        return self.standing in ("silent", "offline")


def gather(device: Device, now: datetime) -> Evidence:
    """Return the evidence about a device; about a dozen queries, for the page of one device."""
    found = Evidence(device, now, getattr(device, "state", None))
    since = now - LOOKED
    found.connections = list(
        Connection.objects.filter(device=device, opened_at__gte=since).order_by("-opened_at")[:100]
    )
    found.refused = [
        Refused(verdict, reason or "", count, packet_id)
        for verdict, reason, count, packet_id in store.reason_counts(since, [device.pk])
    ]
    found.values = _values(device, now)
    found.states = states_of(device)
    found.drifts = drift.of_device(device, now)
    found.expired = list(
        Supply.objects.filter(device=device, is_finished=False, expires_on__lt=city_day(now)).order_by("expires_on")
    )
    found.open_work = Maintenance.objects.filter(device=device, start__lte=now, end=None).order_by("start").first()
    if found.is_quiet and found.spoke is not None:
        _neighbours(found, found.spoke)
    return found


def states_of(device: Device) -> dict[tuple[str, str], DeviceFact]:
    """Return the newest of each information that a device sent: (about, code) → fact; one query."""
    rows = (
        DeviceFact.objects.filter(device=device).order_by("subject", "code", "-at", "-id").distinct("subject", "code")
    )
    return {(row.subject, row.code): row for row in rows}


def _values(device: Device, now: datetime) -> list[Values]:
    series = list(
        Series.objects.filter(place=device.place_id, expected=True, interval=Interval.HOUR).order_by("factor")
    )
    columns = store.effective([row.pk for row in series], now - 2 * LOOKED, now + timedelta(hours=1))
    found = []
    for row in series:
        own = columns.of(row.pk)
        own = own.take(own.revision >= 0)
        newest = own.start[-1].astype("datetime64[us]").item().replace(tzinfo=UTC) if len(own) else None
        recent = own.take(own.start >= np.datetime64((now - LOOKED).replace(tzinfo=None), "us"))
        marks = Counter(flag for flag in recent.flag.tolist() if flag not in ("", "N"))
        found.append(Values(row.factor, newest, row.seconds, recent.value[recent.counts], marks))
    return found


def _neighbours(found: Evidence, spoke: datetime) -> None:
    """Count who fell silent with the device, in its district and at its site."""
    place = found.device.place
    rows = DeviceStatus.objects.filter(
        device__is_active=True, device__place__region=place.region_id, last_packet_at__isnull=False
    ).exclude(device=found.device)
    site = place.outlet.facility_id if place.kind == "outlet" else None
    for last, place_id, facility in rows.values_list(
        "last_packet_at", "device__place", "device__place__outlet__facility"
    ):
        together = abs(last - spoke) <= TOGETHER and last < found.now - found.silence
        found.others += 1
        found.silent_together += together
        if place_id == place.pk or (site is not None and facility == site):
            found.others_at_site += 1
            found.silent_at_site += together
