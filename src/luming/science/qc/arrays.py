"""What the checks share: answers, neighbours in time, rolling ranges and counts; all vectorised, none looks at text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luming.science.qc import factors
from luming.science.qc.model import Floats, Result, Results, Window

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

# Two rows belong together when no more than this many intervals lie between them.
ADJACENT = 1.5


def answers(
    window: Window,
    factor: str,
    fail: Booleans | None = None,
    suspect: Booleans | None = None,
    unknown: Booleans | None = None,
) -> Results:
    """Return one result per row of a factor: missing where NaN, else fail before suspect before unknown before pass."""
    missing, blank = window.once(("blank", factor), lambda: _blank(window.values[factor]))
    results: Results = blank.copy()
    for rows, result in ((unknown, Result.UNKNOWN), (suspect, Result.SUSPECT), (fail, Result.FAIL)):
        if rows is not None:
            results[rows] = result
    if missing is not None:
        results[missing] = Result.MISSING
    return results


def _blank(values: Floats) -> tuple[Booleans | None, Results]:
    """Return where values are missing, None for nowhere, and the results of a check that finds nothing."""
    missing = np.isnan(values)
    blank = np.where(missing, np.int8(Result.MISSING), np.int8(Result.PASS))
    return (missing if missing.any() else None), blank


def extremes(window: Window, factor: str) -> tuple[float, float]:
    """Return the least and the greatest value of the window, infinite ones included; (∞, −∞) where there is none."""

    def both() -> tuple[float, float]:
        values = window.values[factor]
        return float(np.fmin.reduce(values, initial=np.inf)), float(np.fmax.reduce(values, initial=-np.inf))

    kept: tuple[float, float] = window.once(("extremes", factor), both)
    return kept


def fill_values(values: Floats) -> Booleans:
    """Tell where a value is a code for "none"."""
    extreme: Booleans = (values < -90) | (values > 1e19)
    return np.isin(values, factors.FILL_VALUES) if extreme.any() else extreme


def sound(window: Window, factor: str) -> Floats:
    """Return the values with NaN for what is no measurement: infinite, a fill value, or beyond what is possible.

    What compares a value with others must not take −9999 for a level, or the good value after it is told to jump.
    """
    kept: Floats = window.once(("sound", factor), lambda: _sound(window, factor))
    return kept


def _sound(window: Window, factor: str) -> Floats:
    values = window.values[factor]
    low = factors.usual("low", factor, window.medium)
    high = factors.usual("high", factor, window.medium)
    least, greatest = extremes(window, factor)
    if least > max(low, -90.0) and greatest < min(high, 1e19):  # the usual case; NaN bounds fall through
        return values
    wrong = np.isinf(values) | (values < low) | (values > high) | fill_values(values)
    return np.where(wrong, np.nan, values) if wrong.any() else values


def difference(column: Floats) -> Floats:
    """Return each figure less the one before; NaN for the first."""
    step = np.empty(len(column))
    step[:1] = np.nan
    np.subtract(column[1:], column[:-1], out=step[1:])
    return step


def changes(window: Window, factor: str) -> Floats:
    """Return what each sound value differs from the one in the row before; NaN where one of them is missing."""
    kept: Floats = window.once(("changes", factor), lambda: difference(sound(window, factor)))
    return kept


def travelled(window: Window, factor: str) -> Floats:
    """Return how far the sound values have gone up and down to each row; missing ones are passed over.

    The difference of two rows bounds from above how far apart any two values between them can be.
    """

    kept: Floats = window.once(("travelled", factor), lambda: np.cumsum(strides(window, factor)))
    return kept


def strides(window: Window, factor: str) -> Floats:
    """Return how far each sound value is from the last one before it, however many are missing between; else 0."""

    def sizes() -> Floats:
        values = sound(window, factor)
        absent = np.isnan(values)
        if absent.any():
            last = np.maximum.accumulate(np.where(absent, 0, np.arange(len(values))))
            values = values[last]
        stride: Floats = np.abs(difference(values))
        stride[np.isnan(stride)] = 0.0
        return stride

    kept: Floats = window.once(("strides", factor), sizes)
    return kept


def seconds(window: Window) -> Floats:
    """Return the times as seconds since the first row; float, so that differences divide."""
    kept: Floats = window.once("seconds", lambda: _seconds(window))
    return kept


def _seconds(window: Window) -> Floats:
    times = window.time.astype("datetime64[s]").astype(np.int64)
    relative: Floats = (times - times[:1]).astype(np.float64)
    return relative


def steps(window: Window) -> Floats:
    """Return the seconds from each row to the one before; NaN for the first."""
    kept: Floats = window.once("steps", lambda: difference(seconds(window)))
    return kept


def is_regular(window: Window) -> bool:
    """Tell whether the rows follow each other at the interval, without gap or repetition."""
    return bool(window.once("regular", lambda: (steps(window)[1:] == window.interval).all()))


def follows(window: Window, intervals: float = ADJACENT) -> Booleans:
    """Tell which rows follow the row before closely: later, and by no more than so many intervals."""

    def close() -> Booleans:
        step = steps(window)
        return (step > 0) & (step <= intervals * window.interval)

    kept: Booleans = window.once(("follows", intervals), close)
    return kept


def before(column: Floats, rows: int = 1) -> Floats:
    """Return the value so many rows earlier, NaN where there is none."""
    shifted = np.full(len(column), np.nan)
    if rows < len(column):
        shifted[rows:] = column[: len(column) - rows]
    return shifted


def after(column: Floats, rows: int = 1) -> Floats:
    """Return the value so many rows later, NaN where there is none."""
    return before(column[::-1], rows)[::-1]


def rolling_extremes(values: Floats, rows: int) -> tuple[Floats, Floats]:
    """Return minimum and maximum of each row and the ``rows - 1`` before it; NaN are passed over.

    Van Herk's method: two running extremes over blocks, so the cost does not depend on ``rows``. The first
    ``rows - 1`` rows see what there is.
    """
    return -_rolling_maximum(-values, rows), _rolling_maximum(values, rows)


def _rolling_maximum(values: Floats, rows: int) -> Floats:
    n = len(values)
    if rows <= 1 or n == 0:
        return values.copy()
    blocks = -(-(n + rows - 1) // rows)
    padded = np.full(blocks * rows, -np.inf)
    np.copyto(padded[rows - 1 : rows - 1 + n], values, where=~np.isnan(values))
    table = padded.reshape(blocks, rows)
    ahead = np.maximum.accumulate(table, axis=1).ravel()
    behind = np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1].ravel()
    highest = np.maximum(ahead[rows - 1 : rows - 1 + n], behind[:n])
    return np.where(np.isinf(highest), np.nan, highest)


def rolling_count(rows_true: Booleans, rows: int) -> Integers:
    """Return how many of each row and the ``rows - 1`` before it are true."""
    total = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(rows_true, dtype=np.int64)])
    first = np.maximum(np.arange(1, len(rows_true) + 1) - rows, 0)
    counted: Integers = total[1:] - total[first]
    return counted


def spread_back(ends: Booleans, rows: int) -> Booleans:
    """Mark each true row and the ``rows - 1`` before it."""
    return rolling_count(ends[::-1], rows)[::-1] > 0


def streak(rows_true: Booleans) -> Integers:
    """Return how many true rows in a row end at each row; 0 where false."""
    position = np.arange(1, len(rows_true) + 1)
    last_false = np.maximum.accumulate(np.where(rows_true, 0, position))
    counted: Integers = np.where(rows_true, position - last_false, 0)
    return counted


def rows_around(values: Floats, places: Integers, rows: int) -> Floats:
    """Return, for each place, the values of ``rows`` rows before and after it: shape (places, 2·rows), NaN beyond."""
    offsets = np.concatenate([np.arange(-rows, 0), np.arange(1, rows + 1)])
    wanted = places[:, None] + offsets
    around: Floats = values.take(wanted, mode="clip") if len(values) else np.empty(wanted.shape)
    around[(wanted < 0) | (wanted >= len(values))] = np.nan
    return around


def neighbours_in_time(values: Floats, rows: int) -> Floats:
    """Return, for each row, the values of ``rows`` rows before and after it: shape (n, 2·rows), NaN beyond the ends."""
    if len(values) == 0:
        return np.empty((0, 2 * rows))
    padded = np.concatenate([np.full(rows, np.nan), values, np.full(rows, np.nan)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * rows + 1)
    return np.delete(around, rows, axis=1)


def median(table: Floats) -> Floats:
    """Return the median of each row without NaN; NaN where a row has none. Quicker than nanmedian for narrow tables."""
    ordered = np.sort(table, axis=1)  # NaN last
    width = table.shape[1]
    if width and not np.isnan(ordered[:, -1]).any():
        return (ordered[:, (width - 1) // 2] + ordered[:, width // 2]) / 2
    count = np.count_nonzero(~np.isnan(table), axis=1)
    rows = np.arange(len(table))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)]
    high = ordered[rows, np.minimum(count // 2, width - 1)]
    return np.where(count == 0, np.nan, (low + high) / 2)


def usual_change(window: Window, factor: str, rows: Integers, around: int) -> Floats:
    """Return the median absolute change between neighbours around the given rows, without their own."""
    change, time = np.abs(changes(window, factor)), seconds(window)
    offsets = np.array([k for k in range(-around, around + 2) if k not in (0, 1)])
    wanted = rows[:, None] + offsets
    places = np.clip(wanted, 0, len(change) - 1)
    near = np.abs(time[places] - time[rows, None]) <= 2 * around * window.interval
    counts = near & (wanted == places) & follows(window)[places]
    usual = median(np.where(counts, change[places], np.nan))
    return np.where(np.isnan(usual), 0.0, usual)
