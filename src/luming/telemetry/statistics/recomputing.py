"""Recomputing: days from their hours, then exactly the months, quarters and years that hold a day that changed.

All of it in one transaction with the queue: a figure is computed once, in the order of time, whatever is restarted. An
advisory lock lets one computation run at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db import transaction

from luming.core import manifest
from luming.registry.models import Interval, Place, Series
from luming.standards.edition import city_day, midnight
from luming.standards.periods import ordinal
from luming.telemetry import judging
from luming.telemetry.statistics import (
    days,
    loading,
    longer,
    plans,
    queue,
    rates,
    samples,
    storage,
    substituting,
    words,
)
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.storage import Change
from luming.telemetry.store import connecting
from luming.telemetry.store.reading import fetch

DAY = timedelta(days=1)
RUN_DAYS = 92  # read at a time: a quarter
# What judges that name this interval in their manifest are woken by: new figures of days.
JUDGED = "day-statistic"

PlaceDays = Iterable[tuple[int, date]]


@dataclass(slots=True)
class Outcome:
    """What a computation did: place-days looked at, figures appended by kind of period."""

    place_days: int = 0
    figures: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, changes: Iterable[Change]) -> None:
        """Count changes."""
        for change in changes:
            self.figures[change.kind] += len(change.place)

    @property
    def total(self) -> int:
        """Return how many figures were appended."""
        return sum(self.figures.values())


def recompute_pending(limit: int = 5000, *, now: datetime | None = None) -> Outcome:
    """Take queued days that are over and compute what depends on them; nothing queued is an empty outcome."""
    now = now or datetime.now(UTC)
    with transaction.atomic():
        _lock()
        taken = queue.take(limit, city_day(now))
        return compute(taken, now=now)


def recompute_between(
    first: date, last: date, place_ids: Sequence[int] | None = None, *, now: datetime | None = None
) -> Iterator[tuple[date, Outcome]]:
    """Compute all days of a period again, a year per transaction, whether anything changed or not.

    Yields the last day of each part computed with its outcome. Days that are not over are left out.
    """
    now = now or datetime.now(UTC)
    last = min(last, city_day(now) - DAY)
    while first <= last:
        until = min(last, date(first.year, 12, 31))
        with transaction.atomic():
            _lock()
            outcome = compute(known_days(first, until, place_ids), now=now)
        yield until, outcome
        first = until + DAY


def _lock() -> None:
    with connecting.reading() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (storage.LOCK,))


def compute(place_days: PlaceDays, *, now: datetime) -> Outcome:
    """Compute place-days and what follows from them; call it inside a transaction that holds the lock."""
    wanted = sorted(set(place_days))
    outcome = Outcome(len(wanted))
    if not wanted:
        return outcome
    moment = storage.clock()  # up to here the inputs that are read from now on are known
    places = Place.objects.in_bulk({place_id for place_id, _day in wanted})
    changes: list[tuple[Subject, Change]] = []
    for first, last, pairs in _runs(wanted):
        changes += _days(first, last, {pair for pair in pairs if pair[0] in places}, places, moment)
    changes += substituting.compute(wanted, places, moment, now)
    outcome.add(change for _subject, change in changes)
    outcome.add(_longer(changes, moment))
    judge([change for _subject, change in changes], places)
    return outcome


def _runs(wanted: Sequence[tuple[int, date]]) -> Iterator[tuple[date, date, set[tuple[int, date]]]]:
    """Yield runs of days that follow each other, a quarter at most, with their pairs, oldest first."""
    by_day: dict[date, set[int]] = defaultdict(set)
    for place_id, day in wanted:
        by_day[day].add(place_id)
    run: list[date] = []
    for day in [*sorted(by_day), None]:
        if run and (day is None or day - run[-1] > DAY or len(run) == RUN_DAYS):
            yield run[0], run[-1], {(place_id, one) for one in run for place_id in by_day[one]}
            run = []
        if day is not None:
            run.append(day)


def _days(
    first: date, last: date, pairs: set[tuple[int, date]], places: dict[int, Place], moment: datetime
) -> list[tuple[Subject, Change]]:
    """Compute and store the days of a run; only the wanted pairs are written."""
    start, end = midnight(first), midnight(last + DAY)
    mine = {place_id: places[place_id] for place_id in {pair[0] for pair in pairs}}
    wanted = Wanted.of(pairs)
    changes: list[tuple[Subject, Change]] = []
    weights = days.Weights()
    manual = samples.load(mine, start, end)
    received = rates.Received()

    def store(subject: Subject, figures: storage.Figures, of: Iterable[int]) -> None:
        chosen = figures.take(wanted.holds(figures.place, figures.start))
        changes.append((subject, storage.store(chosen, of, start, end, moment, concerns=wanted.holds)))

    for loaded in loading.load(mine, start, end):
        if loaded.subject.factor == "w00000":
            weights = days.weights_of(loaded)
        if loaded.own is not None:
            store(loaded.subject, loaded.own, loaded.places)
        for figures in days.compute(loaded, start, end, weights):
            if (figures.measure, figures.kind) == (words.MEAN, words.DAY):
                figures = manual.fill(loaded.subject, figures)
            store(loaded.subject, figures, loaded.places)
        capture = received.add(loaded, start, end)
        if capture is not None:
            store(loaded.subject, capture, loaded.expected)
    for subject, figures in manual.alone():
        store(subject, figures, figures.place.tolist())
    for figures in received.of_places():
        store(rates.EVERY, figures, figures.place.tolist())
    return changes


@dataclass(frozen=True, slots=True)
class Wanted:
    """The place-days that a run computes."""

    keys: np.ndarray
    place_ids: tuple[int, ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, date]]) -> Wanted:
        """Return them from (place, day) pairs."""
        pairs = sorted(pairs)
        starts = np.array([midnight(day).astimezone(UTC).replace(tzinfo=None) for _place, day in pairs], "M8[us]")
        places = np.array([place_id for place_id, _day in pairs], np.int64)
        return cls(np.sort(storage.keys(places, starts)), tuple(sorted({place_id for place_id, _day in pairs})))

    def holds(self, place: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return which figures begin in a wanted day."""
        local = np.asarray(start, "datetime64[us]") + _CITY
        day = local.astype("datetime64[D]").astype("datetime64[us]") - _CITY
        return np.isin(storage.keys(place, day), self.keys)


_CITY = np.timedelta64(8, "h")


def _longer(changes: Iterable[tuple[Subject, Change]], moment: datetime) -> list[Change]:
    """Compute the longer periods that hold a changed day."""
    changed: dict[tuple[Subject, str], list[Change]] = defaultdict(list)
    for subject, change in changes:
        if change.kind == words.DAY and len(change.place):
            changed[subject, change.measure].append(change)
    found: list[Change] = []
    for (subject, measure), mine in changed.items():
        place = np.concatenate([change.place for change in mine])
        start = np.concatenate([change.start for change in mine])
        wanted = [plan for plan in plans.longer_of(subject) if plan.source == measure]
        if wanted:
            found += _periods(subject, wanted, place, start, moment)
        if measure in words.RATES:
            found += _rates(subject, measure, place, start, moment)
    return found


def _rates(subject: Subject, measure: str, place: np.ndarray, start: np.ndarray, moment: datetime) -> list[Change]:
    """Compute the rates of the longer periods: sums of the days' counts."""
    found = []
    years = ordinal(start, "year") + 1970
    for year in np.unique(years).tolist():
        mine, span = years == year, longer.year_span(year)
        place_ids = np.unique(place[mine]).tolist()
        held = storage.held(place_ids, subject.factor, measure, words.DAY, *span)
        for kind in words.LONGER:
            numbers = ordinal(start[mine], kind)  # type: ignore[arg-type]
            affected = set(zip(place[mine].tolist(), numbers.tolist(), strict=True))
            figures = rates.longer(subject, measure, kind, held, affected)
            found.append(storage.store(figures, place_ids, *span, moment))
    return found


def _periods(
    subject: Subject, wanted: Sequence[plans.Longer], place: np.ndarray, start: np.ndarray, moment: datetime
) -> list[Change]:
    years = ordinal(start, "year") + 1970
    found = []
    for year in np.unique(years).tolist():
        mine = years == year
        place_ids = np.unique(place[mine]).tolist()
        span = longer.year_span(year)
        held = storage.held(place_ids, subject.factor, wanted[0].source, words.DAY, *span)
        for plan in wanted:
            numbers = ordinal(start[mine], plan.kind)  # type: ignore[arg-type]
            affected = set(zip(place[mine].tolist(), numbers.tolist(), strict=True))
            figures = longer.compute(subject, plan, held, affected)
            if figures is not None and len(figures):
                found.append(storage.store(figures, place_ids, *span, moment))
    return found


def judge(changes: Iterable[Change], places: dict[int, Place]) -> int:
    """Ask the judges that judge figures of days (interval ``day-statistic``) about the days that changed."""
    days_of: dict[int, set[datetime]] = defaultdict(set)
    for change in changes:
        if change.kind == words.DAY:
            for place_id, start in zip(change.place.tolist(), change.start.tolist(), strict=True):
                days_of[place_id].add(start.replace(tzinfo=UTC))
    outcomes: list[judging.Outcome] = []
    for one in manifest.judges():
        if JUDGED not in one.intervals:
            continue
        evaluate: Callable[..., Sequence[judging.Outcome]] = one.evaluate
        selection = {
            place_id: sorted(starts)
            for place_id, starts in days_of.items()
            if places[place_id].kind == one.kind and places[place_id].medium in one.media
        }
        if selection:
            outcomes += evaluate(selection, JUDGED)
    return judging.save(outcomes) if outcomes else 0


def known_days(first: date, last: date, place_ids: Sequence[int] | None = None) -> set[tuple[int, date]]:
    """Return the place-days of which data or statistics are held."""
    series = Series.objects.filter(interval__in=(Interval.HOUR, Interval.MINUTE))
    if place_ids is not None:
        series = series.filter(place__in=place_ids)
    places = dict(series.values_list("pk", "place_id"))
    start, end = midnight(first), midnight(last + DAY)
    found = storage.stored_days(start, end, place_ids)
    for series_id, columns in fetch(["start", "revision"], list(places), start, end).items():
        numbers = np.unique((columns["start"] + _CITY).astype("datetime64[D]"))
        found |= {(places[series_id], day) for day in numbers.tolist()}
    return {pair for pair in queue._with_evenings(found) if first <= pair[1] <= last}
