"""The inputs of one statistic: computed again as of the moment it was computed, with what stands behind its digest.

The engine itself computes (the parts of :mod:`recomputing`), reading the store as it was known then, so that nothing is
told twice: the rows are those that the engine put into the digest. When the digest that comes out is not the stored
one, stored data, the register (units, series) or the program is not what it was. :mod:`explaining` shows the inputs of
a figure with what did not count; here is what a proof rests on, for every measure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luming.registry.models import Place, Series
from luming.standards.edition import city_day, midnight
from luming.standards.periods import ordinal, start_of
from luming.telemetry.statistics import (
    days,
    digests,
    loading,
    longer,
    plans,
    rates,
    reading,
    samples,
    storage,
    substituting,
    words,
)
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.statistics.storage import Figures

DAY = timedelta(days=1)
SUBSTITUTED = substituting._SUBSTITUTED  # stands for the revision of an hour that a rule filled in


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a statistic comes out as from what was known when it was computed.

    ``digest`` is empty when the figure does not come out at all. ``rows`` are the inputs (:data:`digests.INPUT`), in
    the order of the digest; for rates of a day one row with both counts in the places of revision and sequence.
    """

    digest: str
    value: float | None
    rows: np.ndarray

    def is_equal(self, row: Statistic) -> bool:
        """Tell whether inputs and value are those that are stored."""
        return self.digest == row.digest and _same(self.value, row.value)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def _nothing() -> Recomputed:
    return Recomputed("", None, np.empty(0, digests.INPUT))


@dataclass(slots=True)
class Engine:
    """Computes statistics again; a day of a place that several figures ask for is computed once."""

    _kept: dict[tuple[Any, ...], tuple[list[Figures], dict[str, bytes]]] = field(default_factory=dict)

    def of(self, row: Statistic) -> Recomputed:
        """Return what a statistic comes out as."""
        if row.kind in words.LONGER:
            return _chosen(row, *self._longer(row))
        if row.measure == words.SUBSTITUTED:
            return _chosen(row, *self._once(("put", row.place_id, row.factor, row.start, row.as_of), _substituted, row))
        return _chosen(
            row, *self._once(("day", row.place_id, city_day(row.start), row.factor, row.as_of), _of_day, row)
        )

    def _once(self, key: tuple[Any, ...], make: Any, row: Statistic) -> tuple[list[Figures], dict[str, bytes]]:
        if key not in self._kept:
            with digests.witnessed() as seen:
                self._kept[key] = list(make(row)), seen
        return self._kept[key]

    def _longer(self, row: Statistic) -> tuple[list[Figures], dict[str, bytes]]:
        with digests.witnessed() as seen:
            return list(_of_days(row)), seen


def _chosen(row: Statistic, found: list[Figures], seen: dict[str, bytes]) -> Recomputed:
    """Pick one figure among those computed."""
    start = np.datetime64(row.start.astimezone(UTC).replace(tzinfo=None), "us")
    for figures in found:
        if (figures.factor, figures.measure, figures.kind) != (row.factor, row.measure, row.kind):
            continue
        at = np.nonzero((figures.place == row.place_id) & (figures.start == start))[0]
        if len(at):
            digest, value = figures.digest[at[0]].decode(), float(figures.value[at[0]])
            rows = np.frombuffer(seen.get(digest, b""), digests.INPUT)
            return Recomputed(digest, None if math.isnan(value) else value, rows)
    return _nothing()


def _of_day(row: Statistic) -> Iterator[Figures]:
    """Compute hours and days of a place's day as :func:`recomputing._days` does, without storing them."""
    day = city_day(row.start)
    start, end, mine = midnight(day), midnight(day + DAY), _places(row)
    weights, received = days.Weights(), rates.Received()
    manual = samples.load(mine, start, end, as_of=row.as_of)
    only = None if row.factor == rates.EVERY.factor else lambda subject: subject.factor in (row.factor, "w00000")
    for loaded in loading.load(mine, start, end, only=only, as_of=row.as_of):
        if loaded.subject.factor == "w00000":
            weights = days.weights_of(loaded)
        if loaded.own is not None:
            yield loaded.own
        for figures in days.compute(loaded, start, end, weights):
            is_mean = (figures.measure, figures.kind) == (words.MEAN, words.DAY)
            yield manual.fill(loaded.subject, figures) if is_mean else figures
        capture = received.add(loaded, start, end)
        if capture is not None:
            yield capture
    yield from (figures for _subject, figures in manual.alone())
    yield from received.of_places()


def _places(row: Statistic) -> dict[int, Place]:
    return {row.place_id: Place.objects.get(pk=row.place_id)}


def _substituted(row: Statistic) -> Iterator[Figures]:
    """Compute a quarter's amounts with substitution as :func:`substituting._quarter` does."""
    start = np.datetime64(row.start.astimezone(UTC).replace(tzinfo=None), "us")
    number = int(ordinal(start, "quarter"))
    today = np.datetime64(city_day(row.as_of).isoformat(), "us") - 8 * substituting.HOUR
    first, last = start_of(number, "quarter"), min(start_of(number + 1, "quarter"), today)
    history = substituting._aware(start_of(number - 1, "quarter"))

    def concerns(subject: Subject) -> bool:
        return substituting._concerns(subject) and subject.factor in (row.factor, "w00000")

    volumes = None
    for loaded in loading.load(_places(row), history, substituting._aware(last), only=concerns, as_of=row.as_of):
        if loaded.subject.factor == "w00000":
            volumes = loaded
            continue
        part = substituting._substituted(loaded, volumes, row.place_id, first, last)
        if part is not None:
            yield from (part.hours, part.days)


def _of_days(row: Statistic) -> Iterator[Figures]:
    """Compute a month, quarter or year from the days that were held when it was computed."""
    start = np.datetime64(row.start.astimezone(UTC).replace(tzinfo=None), "us")
    span = longer.year_span(int(ordinal(start, "year")) + 1970)
    affected = [(row.place_id, int(ordinal(start, row.kind)))]  # type: ignore[arg-type]
    source = source_measure(row)
    held = storage.held([row.place_id], row.factor, source, words.DAY, *span, as_of=row.computed_at)
    if not len(held):
        return
    if row.measure in words.RATES:
        subject = rates.EVERY if row.factor == rates.EVERY.factor else subject_of(row)
        yield rates.longer(subject, row.measure, row.kind, held, affected)
        return
    subject = subject_of(row)
    for plan in plans.longer_of(subject):
        if (plan.measure, plan.kind) == (row.measure, row.kind):
            figures = longer.compute(subject, plan, held, affected)
            if figures is not None:
                yield figures


def subject_of(row: Statistic) -> Subject:
    """Return the subject that a statistic belongs to; of what is only sampled its own unit tells it."""
    place = Place.objects.get(pk=row.place_id)
    series = Series.objects.filter(place=place, factor=row.factor, interval__in=("hour", "minute")).first()
    return loading.subject_of(place.medium, row.factor, series.unit if series else row.unit or "")


def source_measure(row: Statistic) -> str:
    """Return the measure of the days that a longer period is made of."""
    if row.measure in words.RATES:
        return row.measure
    for plan in plans.longer_of(subject_of(row)):
        if (plan.measure, plan.kind) == (row.measure, row.kind):
            return plan.source
    return row.measure


def days_used(row: Statistic, rows: np.ndarray) -> list[Statistic]:
    """Return the statistics of days among the inputs of a longer period, oldest first."""
    if not len(rows):
        return []
    starts = [_instant(value) for value in rows["start"].astype(np.int64).tolist()]
    found = reading.latest(
        [row.place_id], source_measure(row), words.DAY, min(starts), max(starts) + timedelta(microseconds=1),
        factors=[row.factor], as_of=row.computed_at,
    )  # fmt: skip
    wanted = set(starts)
    return [item for item in found if item.start in wanted]


def _instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def instants(rows: np.ndarray) -> list[datetime]:
    """Return the starts of inputs as instants."""
    return [_instant(value) for value in rows["start"].astype(np.int64).tolist()]
