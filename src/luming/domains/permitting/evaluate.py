"""Permitting: what outlets emitted on each day, summed from the hourly amounts of their observations.

An outlet's day is computed again, whole, whenever one of its hours got new data: late data and revisions give the
right sum in whatever order they come, and computing twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db import transaction

from luming import __version__
from luming.domains.permitting import factors
from luming.domains.permitting.models import EmissionDay
from luming.registry.models import Interval, Medium, Place, Series
from luming.standards.amounts import daily_amounts
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry import store
from luming.telemetry.judging import Outcome

MEDIA = frozenset({Medium.GAS.value, Medium.SEWAGE.value})
DAY = timedelta(days=1)
CHUNK_DAYS = 31  # of a whole fleet are read at a time
FIGURES = ("amount_kg", "left_out_kg", "hours_present", "hours_expected")
Figures = tuple[float, float, int, int]


def judge_hours(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Compute the days again that the selected hours of outlets lie in; nothing is judged by that."""
    by_day: dict[date, set[int]] = defaultdict(set)
    for outlet_id, starts in selection.items():
        for start in starts:
            by_day[city_day(start)].add(outlet_id)
    recompute(by_day)
    return []


def recompute(outlets: Mapping[date, Iterable[int]]) -> int:
    """Compute days of outlets again; return how many figures changed.

    Two workers that got hours of the same day would each write the sum they read, the slower one an old sum. So the
    outlets are locked before their hours are read; all at once and in order, that two workers never wait on each other.
    """
    changed = 0
    with transaction.atomic(savepoint=False):
        every = set().union(*outlets.values())
        list(Place.objects.select_for_update(no_key=True).filter(pk__in=every).order_by("pk").values_list("pk"))
        for first, last, outlet_ids in _runs(outlets):
            changed += _write(_computed(first, last, outlet_ids), first, last, outlet_ids)
    return changed


def recompute_between(first: date, last: date) -> Iterator[tuple[date, int]]:
    """Compute all outlets' days of a period again, a month per transaction: (last day, figures changed) of each."""
    outlet_ids = set(Place.objects.filter(kind=Place.Kind.OUTLET, medium__in=MEDIA).values_list("pk", flat=True))
    while first <= last:
        until = min(last, first + (CHUNK_DAYS - 1) * DAY)
        with transaction.atomic():
            changed = recompute({first + i * DAY: outlet_ids for i in range((until - first).days + 1)})
        yield until, changed
        first = until + DAY


def _runs(outlets: Mapping[date, Iterable[int]]) -> Iterator[tuple[date, date, set[int]]]:
    """Yield runs of days that follow each other, each with the outlets of all its days: one reading each."""
    run: list[date] = []
    together: set[int] = set()
    for day in sorted(outlets):
        if run and day - run[-1] > DAY:
            yield run[0], run[-1], together
            run, together = [], set()
        run.append(day)
        together = together | set(outlets[day])
    if run:
        yield run[0], run[-1], together


def _computed(first: date, last: date, outlet_ids: Iterable[int]) -> dict[tuple[int, str, date], Figures]:
    """Return the figures of (outlet, factor, day) from the hours that count."""
    series = {
        row.pk: row
        for row in Series.objects.filter(
            place_id__in=outlet_ids, interval=Interval.HOUR, factor__in=factors.amount_factors()
        ).only("pk", "place_id", "factor")
    }
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=CITY_ZONE) for day in (first, last + DAY))
    columns = store.effective(series, begin, end)
    found: dict[tuple[int, str, date], Figures] = {}
    for series_id in np.unique(columns.series_id).tolist():
        own, row = columns.of(series_id), series[series_id]
        scale = factors.kilograms(row.factor)
        days = daily_amounts(own.start, own.used_amount, own.letters)
        for day, amount, left_out, present, stopped in zip(
            days.day.tolist(), days.amount.tolist(), days.left_out.tolist(), days.present.tolist(),
            days.stopped.tolist(), strict=True,
        ):  # fmt: skip
            # Sums of decimals as sent, without the noise of binary fractions.
            figures = (_clean(amount * scale), _clean(left_out * scale), present, 24 - min(24, stopped))
            found[row.place_id, row.factor, day] = figures
    return found


def _clean(value: float) -> float:
    return float(f"{value:.12g}")


def _write(
    computed: Mapping[tuple[int, str, date], Figures], first: date, last: date, outlet_ids: Iterable[int]
) -> int:
    """Store what differs from what is stored, so that ``computed_at`` says since when a figure is what it is."""
    stored = {
        (outlet_id, factor, day): tuple(figures)
        for outlet_id, factor, day, *figures in EmissionDay.objects.filter(
            outlet__in=outlet_ids, day__range=(first, last)
        ).values_list("outlet_id", "factor", "day", *FIGURES)
    }
    now = datetime.now(UTC)
    fresh = [
        EmissionDay(
            outlet_id=outlet_id, factor=factor, day=day, computed_at=now, software=__version__[:20],
            **dict(zip(FIGURES, figures, strict=True)),
        )
        for (outlet_id, factor, day), figures in computed.items()
        if stored.get((outlet_id, factor, day)) != figures
    ]  # fmt: skip
    EmissionDay.objects.bulk_create(
        fresh,
        batch_size=2000,
        update_conflicts=True,
        unique_fields=["outlet", "factor", "day"],
        update_fields=[*FIGURES, "computed_at", "software"],
    )
    gone = stored.keys() - computed.keys()  # of a series that was taken out of the register
    for outlet_id, factor, day in gone:
        EmissionDay.objects.filter(outlet=outlet_id, factor=factor, day=day).delete()
    return len(fresh) + len(gone)
