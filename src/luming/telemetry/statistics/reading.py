"""Reading statistics: what a figure is, and what it was known to be at a past moment.

Hours as received are not stored a second time: the observation is the hour, its verdict says whether it counts. So
figures of hours are read from the store, with the platform's own hours (computed from minutes) where none counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db.models import QuerySet

from luming.registry.models import Interval, Place, Series
from luming.telemetry import store, units
from luming.telemetry.statistics import loading, storage, words
from luming.telemetry.statistics.models import Statistic


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one period; ``statistic_id`` is None for an hour as received."""

    start: datetime
    value: float | None
    valid: bool
    reason: int
    count: int
    required: int
    source: str
    statistic_id: int | None
    revision: int


def latest(
    place_ids: Iterable[int], measure: str, kind: str, start: datetime, end: datetime,
    *, factors: Iterable[str] | None = None, as_of: datetime | None = None,
) -> QuerySet[Statistic]:  # fmt: skip
    """Return the revision that holds (or held at ``as_of``) of each stored figure that begins in [start, end).

    In the order of place, factor and start.
    """
    rows = Statistic.objects.filter(
        place__in=list(place_ids), measure=measure, kind=kind, start__gte=start, start__lt=end
    )
    if factors is not None:
        rows = rows.filter(factor__in=list(factors))
    if as_of is not None:
        rows = rows.filter(computed_at__lte=as_of)
    return rows.order_by("place_id", "factor", "start", "-revision").distinct("place_id", "factor", "start")


def values(
    place_ids: Iterable[int], factor: str, measure: str, kind: str, start: datetime, end: datetime,
    *, as_of: datetime | None = None,
) -> storage.Held:  # fmt: skip
    """Return the figures of many places as columns; see :class:`storage.Held`."""
    return storage.held(place_ids, factor, measure, kind, start, end, as_of=as_of)


def read(
    place: Place, factor: str, measure: str, kind: str, start: datetime, end: datetime,
    *, as_of: datetime | None = None,
) -> list[Figure]:  # fmt: skip
    """Return the figures of a place that begin in [start, end), oldest first.

    Parameters
    ----------
    as_of : as they were known at that moment.
    """
    stored = latest([place.pk], measure, kind, start, end, factors=[factor], as_of=as_of)
    found = {row.start: _figure(row) for row in stored}
    if (measure, kind) == (words.MEAN, words.HOUR):
        found = _hours(place, factor, start, end, as_of, found)
    return [found[moment] for moment in sorted(found)]


def _figure(row: Statistic) -> Figure:
    return Figure(
        row.start, row.value, row.valid, row.reason, row.count, row.required, row.source, row.pk, row.revision
    )


def _hours(
    place: Place, factor: str, start: datetime, end: datetime, as_of: datetime | None, own: Mapping[datetime, Figure]
) -> dict[datetime, Figure]:
    """Return hours as received, own ones where none counts."""
    series = Series.objects.filter(place=place.pk, factor=factor, interval=Interval.HOUR).first()
    found = dict(own)
    if series is None:
        return found
    scale = units.scale(series.unit, loading.subject_of(place.medium, factor, series.unit).unit)
    rows = store.effective([series.pk], start, end, as_of=as_of)
    used = loading.scaled(rows.used, np.full(len(rows), scale))
    for i, moment in enumerate(rows.start.tolist()):
        counts = bool(rows.counts[i])
        moment = moment.replace(tzinfo=UTC)
        if counts or moment not in found or not found[moment].valid:
            value = float(used[i]) if counts else None
            found[moment] = Figure(
                moment, value, counts, 0 if counts else 1, int(counts), 1, words.HOURS, None, int(rows.revision[i])
            )
    return found
