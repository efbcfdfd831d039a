"""Amounts discharged in hours without valid data, by the tables of HJ 75-2017 (失控、缺失时段数据处理方法).

The rule is for emission amounts of SO2, NOx and particulate matter (kg/h), never for concentrations: a substituted
value takes no part in exceedance decisions. What stands in depends on the quarter's valid data capture rate

    α = (hours of the quarter - shutdown hours - invalid hours) / (hours of the quarter - shutdown hours)     [memory]

and on how many hours in a row are to be substituted (``tables/substitution.csv``). Below 75 % nothing is substituted:
manual monitoring or a material balance has to give the amount [memory]. Waste water has another rule: ``sewage``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import is_true, read_csv
from luming.standards.periods import Instants, IntArray, city_days, ordinal, utc
from luming.standards.results import BoolArray, FloatArray
from luming.standards.rounding import as_float


class HourState(IntEnum):
    """What is known of an hour of an outlet."""

    VALID = 0
    SHUTDOWN = 1
    MISSING = 2  # no data, or invalid for another reason than failed control
    OUT_OF_CONTROL = 3  # between a failed calibration or comparison and the next passed one


class Origin(IntEnum):
    """Where the amount of an hour comes from."""

    MEASURED = 0
    SHUTDOWN = 1
    SUBSTITUTED = 2
    LOW_CAPTURE = 3  # the capture rate is too low to substitute
    NO_HISTORY = 4  # no valid hour to take a value from
    NO_RULE = 5  # no table in force on the day

    @property
    def text(self) -> str:
        """The origin in words, in English."""
        return ORIGIN_NAMES[self]


ORIGIN_NAMES = (
    "measured",
    "out of operation",
    "substituted",
    "not substituted: too little valid data in the quarter",
    "not substituted: no valid value to take",
    "not substituted: no rule in force",
)
ORIGIN_NAMES_ZH = (
    "实测",
    "停运",
    "按规定替代",
    "未替代：季度有效数据捕集率不足",
    "未替代：无可用的有效数据",
    "未替代：无适用规定",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table. ``capture_from`` ≤ α < ``capture_below``; runs of up to ``run_to`` hours; None is open."""

    key: str
    edition: str
    medium: str
    kind: str
    capture_from: float | None
    capture_below: float | None
    run_to: int | None
    hours: int | None
    statistic: str
    before: str
    clause: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool

    def fits(self, kind: str, capture: float, run: int, day: date) -> bool:
        """Say whether the row is for a run of hours of a kind, at a capture rate, on a city day."""
        return (
            self.kind == kind
            and (self.capture_from is None or capture >= self.capture_from)
            and (self.capture_below is None or capture < self.capture_below)
            and (self.run_to is None or run <= self.run_to)
            and self.in_force(day)
        )

    def in_force(self, day: date) -> bool:
        """Say whether the row is in force on a city day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Substitution:
    """Amounts of n hours, in the order given.

    ``value``: measured, 0 for shutdown, substituted, NaN where nothing could be. ``origin``: an :class:`Origin`.
    ``row``: position in ``rows``, -1 where not substituted. ``capture``: α of the hour's quarter (NaN for waste water).
    ``run``: how many hours are to be substituted in a row with this one, 0 for others. ``source``: the hour whose value
    was taken (maximum), -1 otherwise. ``first``, ``last``: the history looked at, as positions in ``history``: the rows
    of valid hours in the order of time (``last`` exclusive; both 0 where none).
    """

    value: FloatArray
    origin: NDArray[np.int8]
    row: NDArray[np.int16]
    capture: FloatArray
    run: IntArray
    source: IntArray
    first: IntArray
    last: IntArray
    history: IntArray
    rows: tuple[Row, ...]

    def row_of(self, hour: int) -> Row | None:
        """Return the row of the table that was used for an hour."""
        return self.rows[self.row[hour]] if self.row[hour] >= 0 else None

    def hours_used(self, hour: int) -> IntArray:
        """Return which rows (hours) an hour's value was taken from."""
        return self.history[self.first[hour] : self.last[hour]]


@cache
def rows(medium: str = "gas") -> tuple[Row, ...]:
    """Return the rows of the table for a medium."""
    return tuple(_row(row) for row in read_csv("substitution.csv") if row["medium"] == medium)


def capture_rate(start: ArrayLike, state: ArrayLike) -> FloatArray:
    """Return per hour the valid data capture rate α of its quarter, from the hours given; NaN without operation.

    A quarter that is not over, or not given wholly, is judged by the hours given.

    >>> hours = np.datetime64("2026-06-30T16") + np.arange(4).astype("timedelta64[h]")
    >>> capture_rate(hours, [0, 1, 0, 2]).tolist()  # valid, shutdown, valid, missing
    [0.6666666666666666, 0.6666666666666666, 0.6666666666666666, 0.6666666666666666]
    """
    states = np.asarray(state)
    _quarters, position = np.unique(ordinal(start, "quarter"), return_inverse=True)
    operating = np.bincount(position, states != HourState.SHUTDOWN, minlength=len(_quarters))
    valid = np.bincount(position, states == HourState.VALID, minlength=len(_quarters))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((valid / operating)[position])


def substitute(
    start: ArrayLike,
    amount: ArrayLike,
    state: ArrayLike,
    *,
    calibrations: ArrayLike = (),
    capture: ArrayLike | None = None,
    table: Sequence[Row] | None = None,
) -> Substitution:
    """Substitute the amounts of missing and out-of-control hours of one factor at one outlet (HJ 75-2017).

    Missing hours take the largest of the last N valid hourly amounts before the failure, out-of-control hours the
    largest of the last N before the last passed calibration. When fewer than N are known, those are taken.

    Parameters
    ----------
    start : n consecutive hours, UTC, in order: also those without data, because they count in α and in runs. Give
        three months of history before the first hour of interest, for N can be 2160.
    amount : n hourly amounts, kg; looked at only where valid. state : n :class:`HourState`.
    calibrations : instants of passed calibrations; without one before a run, the run's begin takes its place.
    capture : α per hour, one number per quarter, when it is known better than from these hours.
    table : rows in place of the packaged ones.

    Returns
    -------
    Substitution. A run is what stands in a row in one state; all its hours are substituted by the row for its length
    (our reading of 连续小时数).

    Raises
    ------
    ValueError when hours are not consecutive, shapes differ, or a valid hour has no finite amount.
    """
    starts, amounts, states = _checked(start, amount, state)
    known = tuple(rows() if table is None else table)
    rate = capture_rate(starts, states) if capture is None else np.broadcast_to(as_float(capture), starts.shape)
    found = unfilled(amounts, states, known, capture=rate, at_rest=0.0)
    begins, ends = _runs(states)
    passed = np.sort(np.atleast_1d(utc(calibrations))) if np.size(calibrations) else utc([])
    valid_starts = starts[found.history]
    quarter = ordinal(starts, "quarter")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        kind = "missing" if states[begin] == HourState.MISSING else "out-of-control"
        found.run[begin:end] = end - begin
        cut = starts[begin] if kind == "missing" else _last_calibration(passed, starts[begin])
        last = int(np.searchsorted(valid_starts, cut))
        for first_hour, next_hour in _pieces(quarter, begin, end):
            day = date.fromisoformat(str(city_days(starts[first_hour])))
            _fill(found, slice(first_hour, next_hour), kind, end - begin, last, day)
    return found


def unfilled(
    value: FloatArray, state: NDArray[np.int64], table: tuple[Row, ...], *, capture: FloatArray, at_rest: float
) -> Substitution:
    """Return the result before anything is substituted; ``at_rest`` is the value of hours out of operation."""
    n = len(value)
    return Substitution(
        value=np.where(state == HourState.VALID, value, np.where(state == HourState.SHUTDOWN, at_rest, np.nan)),
        origin=np.where(state == HourState.SHUTDOWN, Origin.SHUTDOWN, Origin.MEASURED).astype(np.int8),
        row=np.full(n, -1, dtype=np.int16),
        capture=np.asarray(capture),
        run=np.zeros(n, dtype=np.int64),
        source=np.full(n, -1, dtype=np.int64),
        first=np.zeros(n, dtype=np.int64),
        last=np.zeros(n, dtype=np.int64),
        history=np.nonzero(state == HourState.VALID)[0],
        rows=table,
    )


def _fill(found: Substitution, part: slice, kind: str, run: int, last: int, day: date) -> None:
    """Substitute the hours of a run that lie in one quarter, by the one row for its capture rate and length."""
    rate = float(found.capture[part.start])
    chosen = next((i for i, row in enumerate(found.rows) if row.fits(kind, rate, run, day)), None)
    if chosen is None:
        dated = any(row.kind == kind and row.in_force(day) for row in found.rows)
        found.origin[part] = Origin.LOW_CAPTURE if dated else Origin.NO_RULE
        return
    hours = found.rows[chosen].hours
    first = max(0, last - hours) if hours is not None else 0
    if first == last:
        found.origin[part] = Origin.NO_HISTORY
        return
    looked_at = found.history[first:last]
    largest = looked_at[int(np.argmax(found.value[looked_at]))]
    found.value[part] = found.value[largest]
    found.origin[part] = Origin.SUBSTITUTED
    found.row[part] = chosen
    found.source[part] = largest
    found.first[part], found.last[part] = first, last


def _pieces(quarter: IntArray, begin: int, end: int) -> list[tuple[int, int]]:
    """Cut a run where the quarter, and so the capture rate, changes."""
    cuts = (begin + 1 + np.nonzero(np.diff(quarter[begin:end]))[0]).tolist()
    return list(zip([begin, *cuts], [*cuts, end], strict=True))


def _runs(states: NDArray[np.int64]) -> tuple[IntArray, IntArray]:
    """Return begins and ends of the stretches of hours in one state that are to be substituted."""
    if not len(states):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    edge = np.nonzero(np.diff(states) != 0)[0] + 1
    begins, ends = np.r_[0, edge], np.r_[edge, len(states)]
    wanted: BoolArray = np.isin(states[begins], (HourState.MISSING, HourState.OUT_OF_CONTROL))
    return begins[wanted], ends[wanted]


def _last_calibration(passed: Instants, begin: np.datetime64) -> np.datetime64:
    before = int(np.searchsorted(passed, begin, side="right"))
    return begin if before == 0 else passed[before - 1]


def _checked(start: ArrayLike, amount: ArrayLike, state: ArrayLike) -> tuple[Instants, FloatArray, NDArray[np.int64]]:
    starts, amounts = np.atleast_1d(utc(start)), np.atleast_1d(as_float(amount))
    states = np.atleast_1d(np.asarray(state, dtype=np.int64))
    if not starts.shape == amounts.shape == states.shape:
        raise ValueError(f"start, amount and state differ in shape: {starts.shape}, {amounts.shape}, {states.shape}")
    if len(starts) > 1 and bool((np.diff(starts) != np.timedelta64(1, "h")).any()):
        raise ValueError("hours must follow one another without gaps: give hours without data as missing")
    if bool(~np.isfinite(amounts[states == HourState.VALID]).all()):
        raise ValueError("a valid hour needs an amount")
    return starts, amounts, states


def _row(row: dict[str, str]) -> Row:
    return Row(
        key=row["key"],
        edition=row["edition"],
        medium=row["medium"],
        kind=row["kind"],
        capture_from=float(row["capture_from"]) if row["capture_from"] else None,
        capture_below=float(row["capture_below"]) if row["capture_below"] else None,
        run_to=int(row["run_to"]) if row["run_to"] else None,
        hours=int(row["hours"]) if row["hours"] else None,
        statistic=row["statistic"],
        before=row["before"],
        clause=row["clause"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        source=row["source"],
        verified=is_true(row["verified"]),
    )
