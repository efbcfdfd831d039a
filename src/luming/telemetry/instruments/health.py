"""How much a device delivers: expected, held and valid hourly values of each factor and day, kept as rows.

Availability is held / expected. The valid-data rate is valid / (expected - stopped): periods that the device marks as
out of operation (F, HJ 212-2017 table 8) need no value, as the capture rate of HJ 75-2017 leaves shut-down hours out
(known from memory). Valid is what the verdicts let count; where nobody judged, the device's own mark decides.

A day is computed again, whole, when one of its hours got new data or a new verdict: late data and revisions give the
right figures in whatever order they come. The present day and the one before grow with the clock, so they are computed
again regularly; a silent device loses availability by that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet, Sum

from luming.registry.models import Device, Interval, Series
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry import store
from luming.telemetry.instruments import pending
from luming.telemetry.instruments.models import HealthDay, Instrument

DAY = timedelta(days=1)
STOPPED = "F"  # HJ 212-2017 table 8
BATCH = 4000  # days of places that are computed in one transaction
FIGURES = ("maintainer", "expected", "held", "valid", "stopped", "marks", "computed_at")


# ---- computing -------------------------------------------------------------------------------------------------------


def run(now: datetime | None = None, seconds: float = 20) -> int:
    """Compute the noted days, newest first, for so many seconds at most; return how many days of places it were."""
    now = now or datetime.now(UTC)
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    total = 0
    while True:
        with transaction.atomic():
            days = pending.take(BATCH)
            compute(days, now)
        taken = sum(map(len, days.values()))
        total += taken
        if taken < BATCH or datetime.now(UTC) > deadline:
            return total


def note_recent(now: datetime | None = None) -> None:
    """Note today and yesterday of all places that should send: what is expected of them grows with the clock."""
    today = city_day(now or datetime.now(UTC))
    places = Series.objects.filter(expected=True, interval=Interval.HOUR, place__is_active=True)
    keys = places.order_by().values_list("place", flat=True).distinct()
    pending.note((place, day) for place in keys for day in (today - DAY, today))


def compute(places: Mapping[date, Iterable[int]], now: datetime) -> int:
    """Compute days of places; return how many rows were written. Call it inside a transaction.

    Whoever answers for a factor at a place on a past day stays the one that was entered for it, and so does its
    maintainer: a device or a contract that changed later does not change the past.
    """
    written = 0
    for first, last, place_ids in _runs(places):
        wanted = {(place_id, day) for day, ids in places.items() if first <= day <= last for place_id in ids}
        rows = _rows(first, last, place_ids, wanted, now)
        HealthDay.objects.bulk_create(
            rows, batch_size=2000, update_conflicts=True, unique_fields=["device", "factor", "day"],
            update_fields=FIGURES,
        )  # fmt: skip
        written += len(rows)
    return written


def _runs(places: Mapping[date, Iterable[int]]) -> Iterable[tuple[date, date, set[int]]]:
    """Yield runs of days that follow each other, at most a month long, each with the places of all its days."""
    run: list[date] = []
    together: set[int] = set()
    for day in sorted(places):
        if run and (day - run[-1] > DAY or len(run) >= 31):
            yield run[0], run[-1], together
            run, together = [], set()
        run.append(day)
        together = together | set(places[day])
    if run:
        yield run[0], run[-1], together


def _rows(
    first: date, last: date, place_ids: set[int], wanted: set[tuple[int, date]], now: datetime
) -> list[HealthDay]:
    """Return the rows of the wanted days of places, all between two days."""
    series = list(
        Series.objects.filter(place__in=place_ids, expected=True, interval=Interval.HOUR).select_related("place")
    )
    owners = Owners(place_ids, first, last)
    begin, end = midnight(first), midnight(last + DAY)
    found = store.effective([row.pk for row in series], begin, end)
    due = now - timedelta(seconds=settings.GAP_GRACE_SECONDS)
    rows = []
    for one in series:
        counted = _Counted(one, found.of(one.pk))
        for day in (first + i * DAY for i in range((last - first).days + 1)):
            if (one.place_id, day) not in wanted:
                continue
            owner = owners.of(one.place_id, one.factor, day, city_day(now))
            figures = counted.figures(day, due)
            if owner is not None and figures is not None:
                rows.append(HealthDay(
                    device_id=owner[0], maintainer_id=owner[1], factor=one.factor, day=day, computed_at=now, **figures
                ))  # fmt: skip
    # Two series of one factor at one interval cannot be; two factors of one device and day can.
    return list({(row.device_id, row.factor, row.day): row for row in rows}.values())


class _Counted:
    """The periods of a series over some days, counted once: sums up to each of them, and those with a mark."""

    def __init__(self, series: Series, own: Any) -> None:
        self.step = timedelta(seconds=series.seconds)
        self.since = series.place.commissioned_at or series.created_at
        self.start = own.start
        self.held = np.append(0, np.cumsum(own.revision >= 0))
        self.valid = np.append(0, np.cumsum(own.counts))
        self.marked = np.flatnonzero(~np.isin(own.flag, ("", "N")))
        self.marks = own.flag[self.marked]

    def figures(self, day: date, due: datetime) -> dict[str, Any] | None:
        """Count a day; None when nothing was expected on it. ``due``: periods that end later are not missed yet."""
        begin, length = midnight(day), DAY // self.step
        first = max(0, -((begin - self.since) // self.step))
        expected = min(length, (due - begin) // self.step if due > begin else 0) - first
        if expected <= 0:
            return None
        bounds = (begin + n * self.step for n in (first, first + expected))
        lower, upper = (np.datetime64(moment.replace(tzinfo=None), "us") for moment in bounds)
        i, j = np.searchsorted(self.start, [lower, upper])
        k, m = np.searchsorted(self.marked, [i, j])
        marks = Counter(self.marks[k:m].tolist())
        return {
            "expected": expected,
            "held": min(int(self.held[j] - self.held[i]), expected),
            "valid": min(int(self.valid[j] - self.valid[i]), expected),
            "stopped": min(sum(n for flag, n in marks.items() if flag.startswith(STOPPED)), expected),
            "marks": dict(marks),
        }


class Owners:
    """Which device answers for a factor at a place on a day, with its maintainer."""

    def __init__(self, place_ids: Iterable[int], first: date, last: date) -> None:
        self._devices: dict[int, list[Device]] = defaultdict(list)
        rows = Device.objects.filter(place__in=place_ids, is_active=True).annotate(spoke=Max("state__last_packet_at"))
        for row in rows.order_by("pk"):
            self._devices[row.place_id].append(row)
        many = [device.pk for found in self._devices.values() if len(found) > 1 for device in found]
        self._measuring = {
            (row.device_id, code) for row in Instrument.objects.filter(device__in=many) for code in row.codes
        }
        known = HealthDay.objects.filter(device__place__in=place_ids, day__range=(first, last)).values_list(
            "device__place", "factor", "day", "device", "maintainer"
        )
        self._known = {(place, factor, day): (device, keeper) for place, factor, day, device, keeper in known}

    def of(self, place_id: int, factor: str, day: date, today: date) -> tuple[int, int | None] | None:
        """Return (device, maintainer); None when the place has no device in service."""
        if day < today and (kept := self._known.get((place_id, factor, day))):
            return kept
        found = self._devices[place_id]
        if len(found) > 1:  # by what its instruments measure, else the one that spoke last
            named = [row for row in found if (row.pk, factor) in self._measuring]
            found = sorted(named or found, key=lambda row: row.spoke or datetime.min.replace(tzinfo=UTC))
        return (found[-1].pk, found[-1].maintainer_id) if found else None


def midnight(day: date) -> datetime:
    """Return when a day of the city begins (UTC)."""
    return datetime.combine(day, time(), CITY_ZONE).astimezone(UTC)


# ---- reading ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Rates:
    """Sums over days: how many values were expected, held, valid and marked as stopped."""

    expected: int = 0
    held: int = 0
    valid: int = 0
    stopped: int = 0

    @property
    def availability(self) -> float | None:
        """Return held / expected (0 to 1); None when nothing was expected."""
        return self.held / self.expected if self.expected else None

    @property
    def valid_rate(self) -> float | None:
        """Return valid / (expected - stopped); None when nothing was needed."""
        needed = self.expected - self.stopped
        return min(1.0, self.valid / needed) if needed > 0 else None

    def add(self, expected: int, held: int, valid: int, stopped: int) -> None:
        """Add the figures of some days."""
        self.expected += expected
        self.held += held
        self.valid += valid
        self.stopped += stopped


_SUMS = {name: Sum(name) for name in ("expected", "held", "valid", "stopped")}


def rates_of_devices(devices: QuerySet[Device] | Sequence[int], first: date, last: date) -> dict[int, Rates]:
    """Return the rates of devices between two days (inclusive), all factors together; one query."""
    rows = HealthDay.objects.filter(device__in=devices, day__range=(first, last)).order_by()
    return {row.pop("device"): Rates(**row) for row in rows.values("device").annotate(**_SUMS)}


@dataclass(slots=True)
class FactorHealth:
    """A factor of a device: its rates over a period, and by day (day, availability, valid-data rate)."""

    factor: str
    rates: Rates = field(default_factory=Rates)
    days: list[tuple[date, float | None, float | None]] = field(default_factory=list)
    marks: Counter[str] = field(default_factory=Counter)


def of_device(device: Device, first: date, last: date) -> list[FactorHealth]:
    """Return the health of each factor of a device between two days; one query."""
    found: dict[str, FactorHealth] = {}
    for row in HealthDay.objects.filter(device=device, day__range=(first, last)).order_by("factor", "day"):
        one = found.setdefault(row.factor, FactorHealth(row.factor))
        figures = Rates(row.expected, row.held, row.valid, row.stopped)
        one.rates.add(row.expected, row.held, row.valid, row.stopped)
        one.days.append((row.day, figures.availability, figures.valid_rate))
        one.marks.update(row.marks)
    return list(found.values())


@dataclass(slots=True)
class MaintainerRates:
    """A maintainer's work over a period."""

    maintainer_id: int | None
    rates: Rates = field(default_factory=Rates)
    devices: int = 0


def by_maintainer(devices: QuerySet[Device], first: date, last: date) -> dict[int | None, MaintainerRates]:
    """Return the rates of each maintainer of visible devices, by who maintained them on each day; one query."""
    found: dict[int | None, MaintainerRates] = {}
    rows = HealthDay.objects.filter(device__in=devices.order_by().values("pk"), day__range=(first, last)).order_by()
    seen: dict[int | None, set[int]] = defaultdict(set)
    for row in rows.values("maintainer", "device").annotate(**_SUMS):
        keeper, device = row.pop("maintainer"), row.pop("device")
        one = found.setdefault(keeper, MaintainerRates(keeper))
        one.rates.add(**row)
        seen[keeper].add(device)
    for keeper, ids in seen.items():
        found[keeper].devices = len(ids)
    return found
