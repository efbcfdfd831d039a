"""Waste water: gaps in hourly values, by HJ 356-2019 (水污染源在线监测系统数据有效性判别技术规范, 8) [not verified].

A gap of n values is filled with the mean of the last n valid values before it and the first n after it; pH with their
median. The text was not obtained: the rule is the one of production code and of memory, and says so in
``tables/substitution.csv``. As with waste gas the filled values serve amounts, never exceedance decisions.
Flow-weighted means and loads are in ``averages`` (method ``weighted``) and ``emission``.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import ArrayLike

from luming.standards.periods import Instants, IntArray, city_days, utc
from luming.standards.results import FloatArray
from luming.standards.rounding import as_float
from luming.standards.substitution import HourState, Origin, Substitution, rows, unfilled

AMOUNTS = ("flow", "volume", "amount")
"""Short names of what is 0, not unknown, when nothing is discharged."""


def fill_gaps(
    start: ArrayLike, value: ArrayLike, state: ArrayLike, *, factor: str, longest: int | None = None
) -> Substitution:
    """Fill the gaps of one factor (concentration, flow or pH) at one outlet.

    Parameters
    ----------
    start : n periods in the order of time, UTC: also those without data.
    value : n values; looked at only where valid.
    state : n ``HourState``. Periods out of operation are no gap and end none; they are 0 for flows, NaN otherwise.
    factor : ``ph`` takes the median, all others the mean.
    longest : gaps of more values are left open (None: any length; the text names no limit that we know of).

    Returns
    -------
    Substitution; a gap without a valid value on each side stays open (``NO_HISTORY``): it is filled when the value
    after it has come. ``source`` is -1: the value is of several hours, see ``hours_used``.

    Examples
    --------
    >>> hours = np.datetime64("2026-07-01T00") + np.arange(6).astype("timedelta64[h]")
    >>> nan = float("nan")
    >>> fill_gaps(hours, [10, 20, nan, nan, 40, 90], [0, 0, 2, 2, 0, 0], factor="cod").value.tolist()
    [10.0, 20.0, 40.0, 40.0, 40.0, 90.0]
    """
    starts, values, states = _checked(start, value, state)
    nothing = np.full(starts.shape, np.nan)
    at_rest = 0.0 if factor in AMOUNTS else float("nan")
    found = unfilled(values, states, rows("sewage"), capture=nothing, at_rest=at_rest)
    days = city_days(starts)
    running = np.nonzero(states != HourState.SHUTDOWN)[0]
    known = states[running] == HourState.VALID
    known_before = np.cumsum(known) - known
    for begin, end in np.nonzero(np.diff(~known, prepend=False, append=False))[0].reshape(-1, 2).tolist():
        gap = running[begin:end]
        _fill(found, gap, int(known_before[begin]), factor, days[gap[0]].item(), longest)
    return found


def _fill(found: Substitution, gap: IntArray, middle: int, factor: str, day: date, longest: int | None) -> None:
    """Fill one gap: as many valid values before it (up to ``middle`` of the history) and after it as it is long."""
    length = len(gap)
    first, last = max(0, middle - length), min(len(found.history), middle + length)
    statistic = "median" if factor == "ph" else "mean"
    fitting = (i for i, row in enumerate(found.rows) if row.statistic == statistic and row.in_force(day))
    chosen = next(fitting, None)
    found.run[gap] = length
    if chosen is None:
        found.origin[gap] = Origin.NO_RULE
    elif first == middle or last == middle or (longest is not None and length > longest):
        found.origin[gap] = Origin.NO_HISTORY
    else:
        taken = found.value[found.history[first:last]]
        found.value[gap] = float(np.median(taken) if statistic == "median" else np.mean(taken))
        found.origin[gap], found.row[gap] = Origin.SUBSTITUTED, chosen
        found.first[gap], found.last[gap] = first, last


def _checked(start: ArrayLike, value: ArrayLike, state: ArrayLike) -> tuple[Instants, FloatArray, IntArray]:
    starts, values = np.atleast_1d(utc(start)), np.atleast_1d(as_float(value))
    states = np.atleast_1d(np.asarray(state, dtype=np.int64))
    if not starts.shape == values.shape == states.shape:
        raise ValueError(f"start, value and state differ in shape: {starts.shape}, {values.shape}, {states.shape}")
    if bool((np.diff(starts) <= np.timedelta64(0, "us")).any()):
        raise ValueError("periods must be in the order of time, each once")
    if bool(~np.isfinite(values[states == HourState.VALID]).all()):
        raise ValueError("a valid period needs a value")
    return starts, values, states
