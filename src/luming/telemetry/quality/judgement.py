"""What the checks say of a batch: results per row and check, put together to one quality per value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from luming.science.qc.catalogue import catalogue, run, settled
from luming.science.qc.model import Check, Result, Severity, Span, Window
from luming.telemetry.quality.batches import Batch, measured, stopped
from luming.telemetry.quality.facts import Near
from luming.telemetry.quality.periods import instant
from luming.telemetry.quality.settled import DEFAULT, InForce, Regime
from luming.telemetry.store import Quality

# The store keeps one value per period, in order of time, and the gaps between them: these find nothing there.
OF_FILES = frozenset({"GEN-MISSING", "GEN-ORDER", "GEN-REPEAT"})
# What the device's mark says is in the verdict anyway; it is told beside other checks, and makes no row by itself.
OF_THE_MARK = "DEV-FLAG"
# They ask whether the plant is stopped, which is known where a stop was declared and nowhere else.
OF_STOPS = frozenset({"GAS-STOPPED", "WW-STOPPED"})
# It looks back for weeks, but only where the last values do not change.
PATIENT = "GEN-STUCK"
CERTAIN_ROWS = 12  # so many unchanged values make it worth looking back

Hits = dict[str, np.ndarray]  # code -> result per row of the batch, where it said anything grave


@dataclass(slots=True)
class Said:
    """What was said of the values of one factor, by row of the batch."""

    hits: Hits = field(default_factory=dict)
    quality: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    regimes: list[tuple[np.ndarray, Regime]] = field(default_factory=list)  # rows under regimes that people set
    checked: dict[str, np.ndarray] = field(default_factory=dict)  # code -> rows that it could judge


def codes() -> tuple[str, ...]:
    """Return the checks of single values that the stored data goes through, in the order of the catalogue."""
    return tuple(
        code for code, check in catalogue().items() if check.severity is not Severity.SIGNAL and code not in OF_FILES
    )


@cache
def reach(
    medium: str, names: frozenset[str], interval: float, regimes: frozenset[Regime], patient: bool
) -> tuple[float, float]:
    """Return how many seconds before and after a value the checks of these factors must see.

    ``patient`` includes the check that looks back for weeks.
    """
    before = after = 0.0
    for code in codes():
        check = catalogue()[code]
        if medium not in check.media or (code == PATIENT and not patient):
            continue
        for name in names:
            for regime in regimes | {DEFAULT}:
                back, ahead = check.needs(settled(check, name, medium, regime.parameters), interval)
                before, after = max(before, back), max(after, ahead)
    return before, after


def looks_around(check: Check) -> bool:
    """Tell whether a check compares a value with those of other rows."""
    return check.reach > 0 or check.reaches is not None


def judge(
    batch: Batch,
    in_force: InForce,
    spans: Mapping[int, Sequence[Span]],
    near: Mapping[int, Sequence[Near]],
    *,
    patient: bool,
    count: bool = False,
) -> dict[str, Said]:
    """Run all checks over a batch and return what they say, by factor.

    Parameters
    ----------
    spans, near : periods and neighbours by place id.
    patient : with the check that looks back for weeks; the batch must reach as far.
    count : note which rows each check could judge.
    """
    wanted = [code for code in codes() if patient or code != PATIENT]
    stops = _stops(batch, spans)
    masked = _masked(batch, stops)
    ahead = set(np.unique(batch.place[batch.starts > batch.now]).tolist())  # only there something can be too early
    found: dict[str, Said] = {}
    for name in batch.columns:
        said = Said(quality=np.zeros(len(batch), np.int8))
        for rows, target, regime, window_range, oxygen in _groups(batch, name, in_force):
            context = _Group(batch, name, rows, target, regime, window_range, oxygen, count)
            context.run_over(masked, wanted, stops, said)
            for index in np.unique(batch.place[rows]):
                place = batch.places[index]
                own, beside = spans.get(place.pk, ()), near.get(place.pk, ())
                if own or beside or index in ahead:
                    context.run_alone(int(index), own, beside, wanted, said)
        found[name] = said
    return found


@dataclass(slots=True)
class _Group:
    """Rows whose series share range, reference oxygen and regime; ``target`` are those the regime holds for."""

    batch: Batch
    name: str
    rows: np.ndarray
    target: np.ndarray
    regime: Regime
    range: tuple[float, float] | None
    oxygen: float
    count: bool
    done: set[str] = field(default_factory=set)

    def run_over(self, masked: Batch, wanted: Sequence[str], stops: np.ndarray | None, said: Said) -> None:
        """Run what needs neither periods nor neighbours, over all places at once."""
        usable = [code for code in wanted if code not in OF_STOPS and code not in self.regime.off]
        for source, some in _by_sight(self.batch, masked, usable):
            window = replace(
                self._dressed(source.only(self.rows)),
                stopped=None if stops is None else stops[self.rows],
            )
            results = run(window, [self.name], some, self.regime.parameters)[self.name]
            self.done |= results.keys()
            self._add(said, results, np.flatnonzero(self.rows))
        if self.regime is not DEFAULT:
            said.regimes.append((self.rows & self.target, self.regime))

    def run_alone(
        self, index: int, spans: Sequence[Span], near: Sequence[Near], wanted: Sequence[str], said: Said
    ) -> None:
        """Run over one place what wants its periods or its neighbours."""
        usable = [code for code in wanted if code not in self.done and code not in self.regime.off]
        window = self._dressed(self.batch.own(index, spans, near))
        applying = [
            code
            for code in usable
            if window.medium in (check := catalogue()[code]).media and check.applies(window, self.name)
        ]
        if not applying:
            return
        results = run(window, [self.name], applying, self.regime.parameters)[self.name]
        for code in OF_STOPS & results.keys():
            assert window.stopped is not None
            results[code] = np.where(window.stopped, results[code], np.int8(Result.UNKNOWN))
        rows = self.batch.rows_of(index)
        self._add(said, results, np.arange(rows.start, rows.stop))

    def _dressed(self, window: Window) -> Window:
        ranges = {} if self.range is None else {self.name: self.range}
        return replace(window, range=ranges, reference_oxygen=self.oxygen)

    def _add(self, said: Said, results: Mapping[str, np.ndarray], rows: np.ndarray) -> None:
        """Put results of some rows of the batch to those that are known."""
        mine = self.target[rows]
        for code, column in results.items():
            if self.count:
                judged = mine & (column != Result.UNKNOWN) & (column != Result.MISSING)
                said.checked.setdefault(code, np.zeros(len(self.batch), bool))[rows[judged]] = True
            grave = mine & ((column == Result.SUSPECT) | (column == Result.FAIL))
            if not grave.any():
                continue
            hits = said.hits.setdefault(code, np.zeros(len(self.batch), np.int8))
            hits[rows[grave]] = column[grave]
            severity = self.regime.severities.get(code, catalogue()[code].severity)
            if severity in (Severity.SUSPECT, Severity.INVALID):
                worst = np.where(
                    (column[grave] == Result.FAIL) & (severity is Severity.INVALID), Quality.INVALID, Quality.SUSPECT
                )
                said.quality[rows[grave]] = np.maximum(said.quality[rows[grave]], worst.astype(np.int8))


def _by_sight(batch: Batch, masked: Batch, wanted: Iterable[str]) -> list[tuple[Batch, list[str]]]:
    """Return the checks that look at single values, and those that compare rows and take only measured ones.

    What a device marks as calibration or fault is no neighbour to compare with. Checks of the device itself see all.
    """
    alone: list[str] = []
    around: list[str] = []
    for code in wanted:
        check = catalogue()[code]
        (around if looks_around(check) and check.family != "DEV" else alone).append(code)
    if masked is batch:
        return [(batch, alone + around)]
    return [(source, some) for source, some in ((batch, alone), (masked, around)) if some]


def _masked(batch: Batch, stops: np.ndarray | None) -> Batch:
    """Return the batch without values that the device marks as not measured; the same batch where there are none."""
    values = {name: measured(column, batch.columns[name]) for name, column in batch.window.values.items()}
    if all(values[name] is column for name, column in batch.window.values.items()):
        return batch
    return replace(batch, window=replace(batch.window, values=values), _cut={}, _own={})


def _stops(batch: Batch, spans: Mapping[int, Sequence[Span]]) -> np.ndarray | None:
    """Return which rows lie in a declared stop of their plant; None where none was declared."""
    found: np.ndarray | None = None
    starts = batch.starts if spans else None
    for index, place in enumerate(batch.places):
        if starts is not None and place.pk in spans:
            rows = batch.rows_of(index)
            still = stopped(starts[rows], batch.window.interval, spans[place.pk])
            if still is not None:
                found = np.zeros(len(batch), bool) if found is None else found
                found[rows] = still
    return found


def _groups(
    batch: Batch, name: str, in_force: InForce
) -> list[tuple[np.ndarray, np.ndarray, Regime, tuple[float, float] | None, float]]:
    """Return rows that share range, reference oxygen and regime: (rows, those it holds for, regime, range, oxygen)."""
    members: dict[tuple[Regime, str, str], list[tuple[int, np.datetime64, np.datetime64]]] = defaultdict(list)
    keys: dict[tuple[Regime, str, str], tuple[tuple[float, float] | None, float]] = {}
    for index, place in enumerate(batch.places):
        series = batch.series.get((place.pk, name))
        if series is None:
            continue
        for piece in in_force.pieces(place, series):
            # NaN is not equal to itself: the text of range and oxygen is
            key = (piece.regime, repr(series.range), repr(place.reference_oxygen))
            keys[key] = (series.range, place.reference_oxygen)
            members[key].append((index, instant(piece.start), instant(piece.end)))
    found = []
    starts: Callable[[], np.ndarray] = cache(lambda: batch.starts)
    for key, some in members.items():
        rows = np.isin(batch.place, [index for index, _start, _end in some])
        target = rows
        if key[0] is not DEFAULT or len(members) > 1:
            target = np.zeros(len(batch), bool)
            for index, start, end in some:
                own = batch.rows_of(index)
                target[own] |= (starts()[own] >= start) & (starts()[own] < end)
        if rows.any():
            found.append((rows, target, key[0], *keys[key]))
    return found


def may_be_stuck(batch: Batch, name: str, in_force: InForce) -> set[int]:
    """Return the ids of the places where values of a factor stand still long enough to look further back.

    Whatever :data:`PATIENT` finds has at least that many unchanged values beside it; missing ones are passed over, as
    it does. Where people have set its parameters, it is always asked.
    """
    found = {
        place.pk
        for place in batch.places
        if (series := batch.series.get((place.pk, name))) is not None
        and any(code == PATIENT for piece in in_force.pieces(place, series) for code, *_rest in piece.regime.changes)
    }
    column = batch.columns[name]
    values = measured(batch.window.values[name], column)
    numbers = settled(catalogue()[PATIENT], name, batch.window.medium)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return found
    least = min(CERTAIN_ROWS, int(max(numbers["suspect"] * 3600 // batch.window.interval + 1, numbers["rows"], 2)))
    same = np.zeros(len(known), bool)
    same[1:] = (np.abs(np.diff(values[known])) <= numbers["tolerance"]) & (np.diff(batch.place[known]) == 0)
    position = np.arange(len(known))
    length = position - np.maximum.accumulate(np.where(same, 0, position)) + 1
    still = known[(length >= least) & (values[known] > numbers["floor"])]
    return found | {batch.places[index].pk for index in np.unique(batch.place[still])}
