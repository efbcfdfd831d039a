"""Figures of months, quarters and years, computed from the latest valid figures of days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import numpy as np

from luming.standards import averages
from luming.standards.edition import CITY_ZONE
from luming.standards.periods import ordinal, start_of
from luming.telemetry.statistics import digests, plans, samples, storage, words
from luming.telemetry.statistics.figures import figures_of
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.plans import Longer
from luming.telemetry.statistics.storage import Figures, Held

SAMPLES = words.SAMPLES.encode()


def year_span(year: int) -> tuple[datetime, datetime]:
    """Return the first instant of a year of the city and of the next."""
    first, last = (datetime.combine(date(number, 1, 1), datetime.min.time(), CITY_ZONE) for number in (year, year + 1))
    return first, last


def compute(subject: Subject, plan: Longer, days: Held, affected: Iterable[tuple[int, int]]) -> Figures | None:
    """Return the figures of one plan from a year's days.

    Parameters
    ----------
    days : figures of days with the measure ``plan.source``.
    affected : (place, number of the period) pairs to compute, see ``periods.ordinal``.
    """
    parts = []
    for weighed in (False, True):
        chosen = np.isfinite(days.weight) == weighed
        if chosen.any():
            parts.append(_part(subject, plan, days.take(chosen), weighed=weighed))
    if not parts:
        return None
    figures = parts[0] if len(parts) == 1 else _together(*parts)
    wanted = np.array(sorted(_keys(affected, plan.kind)), np.int64)
    return figures.take(np.isin(storage.keys(figures.place, figures.start), wanted))


def _part(subject: Subject, plan: Longer, days: Held, *, weighed: bool) -> Figures:
    method = plan.method or averages.method_of(subject.medium, subject.short, plan.kind, weighted=weighed)
    options = {
        "interval": plan.kind, "medium": subject.medium, "factor": subject.short, "series": days.place,
        "decimals": plans.AMOUNT_DECIMALS if plan.totals else None, "method": method,
        "weight": days.weight if method == "weighted" else None,
    }  # fmt: skip
    statistics = averages.aggregate(days.start, days.value, counts=days.valid, **options)
    if plan.totals:
        judged = statistics
        statistics = averages.aggregate(days.start, days.value, **options)
        for name in ("valid", "reason", "count"):
            getattr(statistics, name)[:] = getattr(judged, name)
    nothing = np.full(len(days), -1)
    rows = digests.inputs(days.place, days.start, nothing, nothing, days.value, days.digest)
    figures = figures_of(statistics, subject, plan.measure, plan.kind, rows, source=words.DAYS.encode(), unit=days.unit)
    taken = statistics.used & (statistics.position >= 0)
    position, groups = statistics.position[taken], len(statistics)
    figures.substituted = np.bincount(position, days.substituted[taken], minlength=groups).astype(np.int64)
    sampled = np.bincount(position, days.source[taken] == SAMPLES, minlength=groups).astype(np.int64)
    return samples.judged(figures, (sampled > 0) & (sampled == statistics.count))


def _together(one: Figures, other: Figures) -> Figures:
    """Join months of weighed and unweighed days; where a month has both, the weighed days say what it is."""
    rest = ~np.isin(storage.keys(one.place, one.start), storage.keys(other.place, other.start))
    return storage.joined([one.take(rest), other])


def _keys(affected: Iterable[tuple[int, int]], kind: str) -> list[int]:
    pairs = list(affected)
    if not pairs:
        return []
    places = np.array([place for place, _number in pairs], np.int64)
    starts = start_of(np.array([number for _place, number in pairs]), kind)  # type: ignore[arg-type]
    return storage.keys(places, starts).tolist()


def start_before(moment: np.datetime64, kind: str) -> datetime:
    """Return the start of the period in which an instant lies."""
    begin = start_of(ordinal(moment, kind), kind)  # type: ignore[arg-type]
    return begin.astype("datetime64[us]").item().replace(tzinfo=UTC)
