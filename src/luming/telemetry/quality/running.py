"""Checks over stored data: each value gets the verdict that it has when all that the checks look at is there.

A new value may change what is said of those before it (a spike shows by the value after it) and, when it comes late, of
those after it. So the values as far before and after the new ones as the checks look are judged with them; what is said
anew is appended, and the judges are told to look again where what counts has changed. The same values give the same
verdicts whether they came one by one, late, or all at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.registry.models import Interval
from luming.science.qc.catalogue import catalogue, edition
from luming.telemetry import store
from luming.telemetry.quality import facts, judgement, periods
from luming.telemetry.quality.batches import Batch, Column, gather, utc
from luming.telemetry.quality.facts import Near, PlaceFacts
from luming.telemetry.quality.judgement import PATIENT, Said
from luming.telemetry.quality.settled import InForce
from luming.telemetry.quality.tallies import Tally
from luming.telemetry.store import VerdictRow
from luming.telemetry.store.reading import fetch

SOURCE = "checks"
INTERVALS = frozenset({Interval.HOUR.value, Interval.MINUTE.value, Interval.DAY.value})
MOST_ROWS = 2_000_000  # values read at once, about
LONG_ROWS = 400  # a stretch that long is looked at patiently at once
_TICK = timedelta(microseconds=1)

Changed = set[tuple[int, datetime]]  # place and start of values that count now and did not, or the other way round


@dataclass(slots=True)
class Outcome:
    """What a run over stored data did."""

    values: int = 0  # judged
    written: int = 0  # verdicts
    changed: Changed = field(default_factory=set)

    def __iadd__(self, other: Outcome) -> Outcome:
        self.values += other.values
        self.written += other.written
        self.changed |= other.changed
        return self


def check(selection: Mapping[int, Sequence[datetime]], interval: str, *, now: datetime | None = None) -> int:
    """Judge new values of places (place id -> starts of periods); return how many verdicts were appended.

    Call it inside the transaction that took the marks, before anything uses the values: what is said of other periods
    than the new ones is marked for the judges in the same transaction.
    """
    if interval not in INTERVALS or not selection:
        return 0
    from luming.telemetry.quality import closing  # which runs us

    total, today = Outcome(), periods.city_day(now or datetime.now(UTC))
    closing.reopen({day for starts in selection.values() for one in starts if (day := periods.city_day(one)) < today})
    for part in _clusters(closing.unchecked(selection, interval)):
        starts = [start for some in part.values() for start in some]
        total += _judge(part, interval, min(starts), max(starts) + _TICK, now=now)
    known = {(place_id, start) for place_id, starts in selection.items() for start in starts}
    store.mark_dirty((place_id, interval, start) for place_id, start in total.changed - known)
    return total.written


def check_period(
    place_ids: Iterable[int], interval: str, start: datetime, end: datetime, *, tally: Tally | None = None
) -> Outcome:
    """Judge everything that is stored of places in [start, end); the judges are told where what counts has changed.

    ``tally`` counts what each check said of the values in the period. Call it inside a transaction.
    """
    total = Outcome()
    wanted = sorted(set(place_ids))
    for some in _portions(wanted, interval, start, end):
        total += _judge(dict.fromkeys(some, ()), interval, start, end, tally=tally)
    store.mark_dirty((place_id, interval, moment) for place_id, moment in total.changed)
    return total


def changed_since(
    series: Mapping[int, int], start: datetime, end: datetime, moment: datetime
) -> set[tuple[int, datetime]]:
    """Return (place id, start) of the periods in [start, end] of which anything was stored after a moment.

    ``series`` are series id -> place id.
    """
    names = ("start", "revision")
    present = fetch(names, series, start, end + _TICK)
    past = fetch(names, series, start, end + _TICK, as_of=moment)
    found: set[tuple[int, datetime]] = set()
    for series_id, now in present.items():
        then = past.get(series_id)
        fresh = np.ones(len(now["start"]), bool)
        if then is not None:
            at = np.searchsorted(then["start"], now["start"]).clip(max=len(then["start"]) - 1)
            fresh = (then["start"][at] != now["start"]) | (then["revision"][at] != now["revision"])
        found |= {(series[series_id], utc(one)) for one in now["start"][fresh]}
    return found


_APART = timedelta(days=12)


def _clusters(selection: Mapping[int, Sequence[datetime]]) -> Iterator[dict[int, list[datetime]]]:
    """Divide a selection where days lie between its periods, so that one late value does not read months."""
    ordered = sorted((start, place_id) for place_id, starts in selection.items() for start in starts)
    part: dict[int, list[datetime]] = defaultdict(list)
    last: datetime | None = None
    for start, place_id in ordered:
        if last is not None and start - last > _APART:
            yield dict(part)
            part = defaultdict(list)
        part[place_id].append(start)
        last = start
    if part:
        yield dict(part)


def _portions(place_ids: Sequence[int], interval: str, start: datetime, end: datetime) -> Iterator[list[int]]:
    """Divide places so that each portion fits into memory; stations of a network stay as near together as possible."""
    known = facts.load(place_ids, interval)
    portion: list[int] = []
    rows = 0.0
    for place in sorted(known.values(), key=lambda one: (one.medium, one.pk)):
        own = sum((end - start).total_seconds() / series.seconds for series in place.series)
        if portion and rows + own > MOST_ROWS:
            yield portion
            portion, rows = [], 0.0
        portion.append(place.pk)
        rows += own
    if portion:
        yield portion


def _judge(
    selection: Mapping[int, Sequence[datetime]],
    interval: str,
    start: datetime,
    end: datetime,
    *,
    now: datetime | None = None,
    tally: Tally | None = None,
) -> Outcome:
    """Judge places over [start, end) and as far around as what is there may change what is said."""
    total = Outcome()
    chosen = facts.load(selection, interval)
    for medium in sorted({place.medium for place in chosen.values()}):
        near = facts.network(medium)
        wanted = {pk for pk, place in chosen.items() if place.medium == medium}
        # what a station says is part of what is said of those that have it beside them
        asked = wanted | {pk for pk, beside in near.items() if wanted & {one.pk for one in beside}}
        around = {one.pk for pk in asked for one in near.get(pk, ())} - asked
        places = facts.load(asked | around, interval) if near else {pk: chosen[pk] for pk in wanted}
        total += _Run(places, wanted, asked, near, interval, start, end, now or datetime.now(UTC), tally).run()
    return total


@dataclass(slots=True)
class _Run:
    """A run over places of one medium: ``chosen`` have new values, ``asked`` are judged, the others stand beside."""

    places: Mapping[int, PlaceFacts]
    chosen: set[int]
    asked: set[int]
    near: Mapping[int, tuple[Near, ...]]
    interval: str
    start: datetime
    end: datetime
    now: datetime
    tally: Tally | None

    def run(self) -> Outcome:
        seconds = [series.seconds for place in self.places.values() for series in place.series]
        if not seconds:
            return Outcome()
        long = (self.end - self.start).total_seconds() > LONG_ROWS * min(seconds)
        outcome, doubtful = self._pass(set(self.places), self.asked, patient=long)
        if doubtful:
            beside = {one.pk for pk in doubtful for one in self.near.get(pk, ())}
            again, _none = self._pass(doubtful | beside, doubtful, patient=True)
            outcome += again
        return outcome

    def _pass(self, read: set[int], judged: set[int], *, patient: bool) -> tuple[Outcome, set[int]]:
        """Judge places; without patience also return those that must be looked at further back, and leave them."""
        places = {pk: place for pk, place in self.places.items() if pk in read}
        widest = timedelta(days=370)
        in_force = InForce(places, self.start - widest, self.end + widest)
        regimes = in_force.regimes(places)
        outcome, doubtful = Outcome(), set()
        for seconds in sorted({series.seconds for place in places.values() for series in place.series}):
            own = {pk: _of_rhythm(place, seconds) for pk, place in places.items()}
            own = {pk: place for pk, place in own.items() if place.series}
            medium = next(iter(own.values())).medium
            names = frozenset(series.factor for place in own.values() for series in place.series)
            needed = judgement.reach(medium, names, seconds, regimes, patient)
            back, ahead = (timedelta(seconds=some) for some in needed)
            first, last = self.start - ahead, self.end + back
            for batch in gather(own.values(), first - back, last + ahead, self.now):
                part, more = self._batch(batch, in_force, judged, first, last, patient)
                outcome += part
                doubtful |= more
        return outcome, doubtful

    def _batch(
        self, batch: Batch, in_force: InForce, judged: set[int], first: datetime, last: datetime, patient: bool
    ) -> tuple[Outcome, set[int]]:
        starts = batch.starts
        within = (starts >= periods.instant(first)) & (starts < periods.instant(last))
        held = _Held(batch, within)
        doubtful: set[int] = set()
        if not patient:
            for name in batch.columns:
                doubtful |= judgement.may_be_stuck(batch, name, in_force)
            doubtful = (doubtful | held.places_of(PATIENT)) & judged
        rows = within & np.isin(batch.place, [i for i, one in enumerate(batch.places) if one.pk in judged - doubtful])
        if not rows.any():
            return Outcome(), doubtful
        media = {place.pk: place.medium for place in batch.places}
        spans = periods.of_places(media, first, last)
        said = judgement.judge(batch, in_force, spans, self.near, patient=patient, count=self.tally is not None)
        if self.tally is not None:
            chosen = np.isin(batch.place, [i for i, one in enumerate(batch.places) if one.pk in self.chosen])
            mine = rows & chosen & (starts >= periods.instant(self.start)) & (starts < periods.instant(self.end))
            self.tally.add(batch, said, mine, hourly=self.interval == Interval.HOUR)
        return _write(batch, said, rows, held), doubtful


def _of_rhythm(place: PlaceFacts, seconds: int) -> PlaceFacts:
    """Return a place with those of its series that come every so many seconds."""
    return replace(place, series=tuple(series for series in place.series if series.seconds == seconds))


class _Held:
    """The verdicts that hold for rows of a batch, where any do."""

    def __init__(self, batch: Batch, rows: np.ndarray) -> None:
        self.batch = batch
        self.rows: dict[tuple[int, datetime], store.VerdictRecord] = {}
        ruled = {
            int(pk)
            for column in batch.columns.values()
            for pk in np.unique(column.series[rows & (column.sequence >= 0)])
        }
        if ruled:
            starts = batch.starts[rows]
            found = store.verdicts(ruled, utc(starts.min()), utc(starts.max()) + _TICK)
            self.rows = {(record.series_id, record.start): record for record in found}

    def get(self, series_id: int, start: datetime) -> store.VerdictRecord | None:
        """Return the verdict that holds for a period."""
        return self.rows.get((series_id, start))

    def places_of(self, code: str) -> set[int]:
        """Return the places where a check has spoken."""
        spoken = {
            series_id
            for (series_id, _start), record in self.rows.items()
            if any(said.startswith(f"{code}:") for said in record.checks)
        }
        return {place_id for (place_id, _name), series in self.batch.series.items() if series.pk in spoken}


def _write(batch: Batch, said: Mapping[str, Said], rows: np.ndarray, held: _Held) -> Outcome:
    """Append the verdicts of rows and return what changed."""
    outcome = Outcome()
    new: list[VerdictRow] = []
    starts = batch.starts
    for name, column in batch.columns.items():
        mine = rows & column.held & ~np.isnan(batch.window.values[name])
        outcome.values += int(np.count_nonzero(mine))
        new += _rows(batch, column, said[name], mine, starts, held, outcome.changed)
    outcome.written = store.write_verdicts(new)
    return outcome


def _rows(
    batch: Batch,
    column: Column,
    said: Said,
    mine: np.ndarray,
    starts: np.ndarray,
    held: _Held,
    changed: Changed,
) -> Iterator[VerdictRow]:
    """Yield the verdicts of one factor where a check spoke or an earlier verdict of the checks must be looked at."""
    spoke = column.sequence >= 0
    for code, hits in said.hits.items():
        if code != judgement.OF_THE_MARK:
            spoke |= hits > 0
    at = np.flatnonzero(mine & spoke)
    if not len(at):
        return
    order = [code for code in catalogue() if code in said.hits]
    table = np.stack([said.hits[code][at] for code in order], axis=1).tolist() if order else [[]] * len(at)
    words = [("", "", "", f"{code}:3", f"{code}:4") for code in order]
    quality_of = said.quality[at].tolist()
    held_quality = column.quality[at].tolist()
    letters = [str(flag).strip() for flag in column.flags[at]]
    moments = [moment.replace(tzinfo=UTC) for moment in starts[at].astype("datetime64[us]").astype(object)]
    ids, sequences, revisions = column.series[at].tolist(), column.sequence[at].tolist(), column.revision[at].tolist()
    places = batch.place[at].tolist()
    plain = {letter: store.of_letter(letter) for letter in set(letters)}
    editions = _editions(said, at)
    for line, results in enumerate(table):
        start = moments[line]
        before = held.get(ids[line], start) if sequences[line] >= 0 else None
        if before is not None and before.source != SOURCE:
            continue  # a person, a mark or a rule has decided
        origin, own = plain[letters[line]]
        quality = max(int(own), quality_of[line])
        if quality != held_quality[line]:
            changed.add((batch.places[places[line]].pk, start))
        yield VerdictRow(
            ids[line],
            start,
            revisions[line],
            int(origin),
            quality,
            SOURCE,
            editions[line],
            letters[line],
            [words[k][result] for k, result in enumerate(results) if result],
        )


def _editions(said: Said, at: np.ndarray) -> list[str]:
    """Return the edition of the catalogue for each row, with the settings of people that it was used with."""
    plain = f"qc {edition()}"
    found = [plain] * len(at)
    for rows, regime in said.regimes:
        name = f"{plain} +{','.join(str(pk) for pk in regime.settings)}"
        for line in np.flatnonzero(rows[at]).tolist():
            found[line] = name
    return found
