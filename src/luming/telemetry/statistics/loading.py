"""What statistics are made of: the hours of places, as received where these count, else from the minutes.

One row is an hour of a factor at a place. Rows of all places of a medium and factor stand in one table, so that each
figure is computed for all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np

from luming.hj212 import find_factor
from luming.registry import units as registry_units
from luming.registry.models import Interval, Medium, Place, Series
from luming.standards import averages
from luming.standards.results import Statistics
from luming.telemetry import store, units
from luming.telemetry.statistics import digests, storage
from luming.telemetry.store import Effective, Origin

AFTER_MIDNIGHT = timedelta(hours=6)
CAPACITY = 400  # series read at once: bounds the memory of a month of a whole fleet


@dataclass(frozen=True, slots=True)
class Subject:
    """A factor of a medium, with the places that measure it: what one table holds."""

    medium: str
    factor: str  # code of HJ 212
    short: str  # name in luming.standards
    unit: str


@dataclass(slots=True)
class Hours:
    """Hours of one subject; columns of equal length, each hour of a place once, ordered by place and start.

    ``letters`` is N for what counts, else what spoke against it. ``chain``: digest of an hour computed from minutes,
    empty for one as received. ``value``, ``converted`` are in the subject's unit, ``amount`` as sent.
    """

    place: np.ndarray
    start: np.ndarray
    value: np.ndarray
    converted: np.ndarray
    amount: np.ndarray
    counts: np.ndarray
    letters: np.ndarray
    origin: np.ndarray
    series: np.ndarray
    revision: np.ndarray
    sequence: np.ndarray
    chain: np.ndarray

    def __len__(self) -> int:
        return len(self.place)

    def take(self, selection: np.ndarray) -> Hours:
        """Return the selected rows."""
        return Hours(*(getattr(self, item.name)[selection] for item in fields(self)))

    @property
    def from_minutes(self) -> np.ndarray:
        """Return which hours are the platform's own."""
        return self.chain != b""

    def inputs(self, value: np.ndarray) -> np.ndarray:
        """Return the rows of a digest, with the values that were used."""
        return digests.inputs(self.series, self.start, self.revision, self.sequence, value, self.chain)


@dataclass(slots=True)
class Loaded:
    """A subject's hours, the places that have series of it, and the platform's own hours where minutes are held.

    ``step``: length of an hour's row (surface water is measured every four hours). ``expected``: places of which its
    hours are expected, so that a missing one is a gap.
    """

    subject: Subject
    places: frozenset[int]
    hours: Hours
    own: storage.Figures | None
    expected: frozenset[int]
    step: np.timedelta64

    @property
    def due(self) -> int:
        """Return how many rows a day should have."""
        return int(np.timedelta64(1, "D") / self.step)


def subject_of(medium: str, factor: str, unit: str) -> Subject:
    """Return the subject of a series: in the unit of the standards where the series' unit can be brought to it."""
    found = find_factor(factor)
    wanted = registry_units.default(factor, medium)
    try:
        units.scale(unit, wanted)
    except ValueError:
        wanted = unit
    return Subject(medium, factor, (found.short if found else None) or factor, wanted)


def load(
    places: Mapping[int, Place], start: datetime, end: datetime,
    *, only: Callable[[Subject], bool] | None = None, as_of: datetime | None = None,
) -> Iterator[Loaded]:  # fmt: skip
    """Yield the hours of each subject in [start, end), those without which others cannot be computed (flow) first.

    ``only`` chooses subjects, ``as_of`` asks what was known at a past moment. Of noise the night after the last day is
    read too: it belongs to that day's evening.
    """
    if any(place.medium == Medium.NOISE for place in places.values()):
        end = end + AFTER_MIDNIGHT
    every = list(
        Series.objects.filter(place__in=places, interval__in=(Interval.HOUR, Interval.MINUTE)).order_by("factor", "pk")
    )
    groups: dict[Subject, list[Series]] = {}
    for series in every:
        subject = subject_of(places[series.place_id].medium, series.factor, series.unit)
        if only is None or only(subject):
            groups.setdefault(subject, []).append(series)
    ordered = sorted(groups.items(), key=lambda item: (item[0].factor not in FLOWS, item[0].medium, item[0].factor))
    from luming.telemetry.statistics import marked  # needs the rows that are declared here

    marks = marked.load(places, start, end, as_of)
    for batch in _batches(ordered):
        wanted = [series for _subject, members in batch for series in members]
        minutes = {series.pk for series in wanted if series.interval == Interval.MINUTE}
        received = store.effective(
            [series.pk for series in wanted if series.pk not in minutes], start, end, as_of=as_of
        )
        parts = store.effective(minutes, start, end, as_of=as_of) if minutes else None
        for subject, members in batch:
            for part in _by_step(members):
                yield marked.applied(_loaded(subject, part, received, parts), marks)


FLOWS = frozenset({"w00000", "a00000"})


def _batches(
    ordered: Sequence[tuple[Subject, list[Series]]],
) -> Iterator[list[tuple[Subject, list[Series]]]]:
    batch: list[tuple[Subject, list[Series]]] = []
    size = 0
    for item in ordered:
        if batch and size + len(item[1]) > CAPACITY:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item[1])
    if batch:
        yield batch


def _by_step(members: Sequence[Series]) -> list[list[Series]]:
    """Split the series of a subject into groups of places whose rows are equally long."""
    seconds = {series.place_id: series.seconds for series in members if series.interval == Interval.HOUR}
    groups: dict[int, list[Series]] = {}
    for series in members:
        groups.setdefault(seconds.get(series.place_id, 3600), []).append(series)
    return [groups[step] for step in sorted(groups)]


def _loaded(subject: Subject, members: Iterable[Series], received: Effective, parts: Effective | None) -> Loaded:
    members = list(members)
    hourly = [series for series in members if series.interval == Interval.HOUR]
    hours = _rows(subject, hourly, received)
    own = None
    by_length: dict[int, list[Series]] = {}
    for series in members:
        if series.interval == Interval.MINUTE:
            by_length.setdefault(series.seconds, []).append(series)
    if parts is not None and by_length:
        hours, own = _with_minutes(subject, hours, by_length, parts)
    return Loaded(
        subject,
        frozenset(series.place_id for series in members),
        hours,
        own,
        frozenset(series.place_id for series in hourly if series.expected),
        np.timedelta64(hourly[0].seconds if hourly else 3600, "s"),
    )


def _rows(subject: Subject, members: Sequence[Series], columns: Effective) -> Hours:
    """Return the rows of some series as places see them, in the subject's unit."""
    members = sorted(members, key=lambda series: series.pk)
    ids = np.array([series.pk for series in members], np.int64)
    mine = columns.take(np.isin(columns.series_id, ids))
    at = np.searchsorted(ids, mine.series_id)
    scale = np.array([units.scale(series.unit, subject.unit) for series in members], float)[at]
    rows = Hours(
        np.array([series.place_id for series in members], np.int64)[at],
        mine.start,
        scaled(mine.used, scale),
        scaled(mine.used_converted, scale),
        mine.used_amount,
        mine.counts,
        mine.letters,
        mine.origin,
        mine.series_id,
        mine.revision,
        mine.sequence,
        np.full(len(mine), b"", "S64"),
    )
    return rows.take(np.lexsort((rows.start, rows.place)))


def scaled(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Scale without the noise of binary fractions, to 12 significant digits; what keeps its unit stays as it is."""
    if np.all(scale == 1.0):
        return values
    product = values * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** (11 - np.floor(np.log10(np.abs(product))))
        clean = np.round(product * power) / power
    return np.where(scale == 1.0, values, np.where(np.isfinite(clean), clean, product))


def _with_minutes(
    subject: Subject, hours: Hours, by_length: Mapping[int, Sequence[Series]], parts: Effective
) -> tuple[Hours, storage.Figures | None]:
    """Put the platform's own valid hours where no received one counts; return its own hours beside them."""
    found: list[storage.Figures] = []
    for seconds, members in sorted(by_length.items()):
        minutes = _rows(subject, members, parts)
        if len(minutes):
            statistics = averages.aggregate(
                minutes.start, minutes.value, interval="hour", medium=subject.medium, factor=subject.short,
                series=minutes.place, counts=minutes.counts, step=np.timedelta64(seconds, "s"),
            )  # fmt: skip
            found.append(_own(subject, statistics, minutes, hours))
    if not found:
        return hours, None
    own = found[0] if len(found) == 1 else storage.joined(found)  # a place has one minute series of a factor
    ours, theirs = storage.keys(own.place, own.start), storage.keys(hours.place, hours.start)
    missing = own.valid & ~np.isin(ours, theirs[hours.counts])
    if not missing.any():
        return hours, own
    kept = hours.take(~np.isin(theirs, ours[missing]))
    number = int(missing.sum())
    nothing = np.full(number, np.nan)
    minute_series = {series.place_id: series.pk for members in by_length.values() for series in members}
    added = Hours(
        own.place[missing], own.start[missing], own.value[missing], nothing, nothing, np.ones(number, bool),
        np.full(number, "N", hours.letters.dtype if len(hours) else "U8"), np.full(number, Origin.MEASURED, np.int8),
        np.array([minute_series[place] for place in own.place[missing].tolist()], np.int64),
        np.full(number, -1, np.int16), np.full(number, -1, np.int16), own.digest[missing],
    )  # fmt: skip
    joined = Hours(*(np.concatenate([getattr(kept, item.name), getattr(added, item.name)]) for item in fields(Hours)))
    return joined.take(np.lexsort((joined.start, joined.place))), own


def _own(subject: Subject, statistics: Statistics, minutes: Hours, hours: Hours) -> storage.Figures:
    """Return the platform's own hours as figures, each with its difference from the received one."""
    from luming.telemetry.statistics.figures import figures_of

    own = figures_of(
        statistics, subject, "mean", "hour", minutes.inputs(minutes.value), source=b"minutes", origin=minutes.origin
    )
    received = hours.take(hours.counts)
    theirs = storage.keys(received.place, received.start)
    if len(theirs):
        ours = storage.keys(own.place, own.start)
        at = np.searchsorted(theirs, ours).clip(max=len(theirs) - 1)
        own.deviation = np.where(theirs[at] == ours, own.value - received.value[at], np.nan)
    return own
