"""Sliding means, and the daily maximum 8-hour mean of ozone (日最大8小时平均, MDA8).

An 8-hour mean is the mean of 8 consecutive hourly means and needs 6 of them (GB 3095-2026 table 4). The field labels it
by its end: the mean "of 08:00" is of the hours 00:00 to 08:00. The day's maximum is taken of those labelled 08:00 to
24:00, 17 means that lie wholly within the natural day; 14 of them must be valid, unless the maximum exceeds the limit
anyway (HJ 663-2013, as quoted in public code; the text of HJ 663-2026 was not obtained).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards import validity
from luming.standards.periods import Grouping, IntArray, group, ordinal
from luming.standards.results import BoolArray, FloatArray, Reason, Statistics, rounded
from luming.standards.rounding import as_float
from luming.standards.validity import Rule

HOURS = 8
HOURS_OF_A_MEAN = 6  # before the first edition of the table, too
MEANS_OF_A_DAY = 24 - HOURS + 1
CLASS_TWO_LIMIT = 160.0
"""µg/m³, daily maximum 8-hour mean, class II: GB 3095-2012 and GB 3095-2026 table 1 (class I: 100)."""


def daily_maximum(
    start: ArrayLike,
    value: ArrayLike,
    *,
    series: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    span: tuple[ArrayLike, ArrayLike] | None = None,
    limit: float = CLASS_TWO_LIMIT,
    decimals: int = 0,
    edition: str | None = None,
    rules: Sequence[Rule] | None = None,
) -> Statistics:
    """Return the daily maximum 8-hour means of hourly ozone; ``count`` counts valid 8-hour means (of 17).

    Parameters
    ----------
    start : n hours (UTC starts), each once per series. value : hourly means, µg/m³; NaN does not take part.
    series, counts, span : as in ``averages.aggregate``.
    limit : a maximum above it makes the day valid with fewer than 14 means (compared rounded to ``decimals``).

    Examples
    --------
    >>> hours = np.datetime64("2026-06-30T16") + np.arange(24).astype("timedelta64[h]")  # 1 July in the city
    >>> day = daily_maximum(hours, np.arange(24.0))
    >>> day.value.tolist(), day.count.tolist(), day.valid.tolist()
    ([19.5], [17], [True])
    """
    values = np.atleast_1d(as_float(value))
    grouping = group(start, "day", series=series, span=span)
    if values.shape != grouping.position.shape:
        raise ValueError(f"start has shape {grouping.position.shape}, value {values.shape}")
    mask = np.ones(values.shape, dtype=np.bool_) if counts is None else np.asarray(counts, dtype=np.bool_)
    used = np.isfinite(values) & mask & (grouping.position >= 0)
    means = _means_within_days(start, values, used, grouping, rules)
    count = np.isfinite(means).sum(axis=1)
    maximum = np.where(count > 0, np.where(np.isfinite(means), means, -np.inf).max(axis=1, initial=-np.inf), np.nan)
    found = validity.candidates("air", "o3_8h", "day", edition=edition, table=rules)
    rule = validity.choose(found, grouping.end, edition=edition)
    required = _required(found, rule)
    shown = rounded(maximum, decimals)
    reason = np.full(len(grouping), int(Reason.VALID))
    reason[(count < required) & ~(shown > limit)] = Reason.TOO_FEW
    reason[rule < 0] = Reason.NO_RULE
    reason[count == 0] = Reason.NO_VALUES
    return Statistics(
        interval="day",
        method="mda8",
        decimals=decimals,
        series=grouping.series,
        start=grouping.start,
        end=grouping.end,
        value=maximum,
        rounded=shown,
        valid=reason == Reason.VALID,
        count=count.astype(np.int64),
        expected=np.full(len(grouping), MEANS_OF_A_DAY, dtype=np.int64),
        required=required,
        rule=rule,
        reason=reason.astype(np.int8),
        weight=count.astype(np.float64),
        rules=found,
        used=used,
        position=grouping.position,
    )


def sliding_mean(
    start: ArrayLike,
    value: ArrayLike,
    *,
    hours: int = HOURS,
    required: int = 6,
    series: ArrayLike | None = None,
    counts: ArrayLike | None = None,
) -> FloatArray:
    """Return, per row, the mean of the ``hours`` hours that end with the row's hour; NaN with fewer than ``required``.

    The mean of the row that starts at 07:00 is the one labelled 08:00. For ozone 8 hours and 6 (GB 3095-2026 table 4);
    for the 24-hour sliding means of HJ 633-2012 give 24 and 20.

    >>> hours = np.datetime64("2026-07-01T00") + np.arange(3)
    >>> sliding_mean(hours, [3.0, 6.0, float("nan")], hours=3, required=2).tolist()
    [nan, 4.5, 4.5]
    """
    values = np.atleast_1d(as_float(value))
    grouping = group(start, "hour", series=series)
    mask = np.ones(values.shape, dtype=np.bool_) if counts is None else np.asarray(counts, dtype=np.bool_)
    good = np.isfinite(values) & mask
    cell, size = _cells(grouping, hours)
    sums, numbers = np.zeros(size), np.zeros(size, dtype=np.int64)
    sums[cell] = np.where(good, values, 0.0)[grouping.order]
    numbers[cell] = good[grouping.order]
    total, count = np.zeros(len(values)), np.zeros(len(values), dtype=np.int64)
    for back in reversed(range(hours)):  # from the oldest on: the same order of additions for every row
        total[grouping.order] += sums[cell - back]
        count[grouping.order] += numbers[cell - back]
    return np.where(count >= required, total / np.maximum(count, 1), np.nan)


def _means_within_days(
    start: ArrayLike,
    values: FloatArray,
    used: BoolArray,
    grouping: Grouping,
    rules: Sequence[Rule] | None,
) -> FloatArray:
    """Return the 17 means of each day, as columns; NaN where not valid."""
    hour = ordinal(np.atleast_1d(np.asarray(start)), "hour") % 24
    sums, numbers = np.zeros((len(grouping), 24)), np.zeros((len(grouping), 24), dtype=np.int64)
    day, column = grouping.position[used], hour[used]
    sums[day, column] = values[used]
    numbers[day, column] = 1
    total, count = np.zeros((len(grouping), MEANS_OF_A_DAY)), np.zeros((len(grouping), MEANS_OF_A_DAY), dtype=np.int64)
    for offset in range(HOURS):
        total += sums[:, offset : offset + MEANS_OF_A_DAY]
        count += numbers[:, offset : offset + MEANS_OF_A_DAY]
    found = validity.candidates("air", "o3", "8h", table=rules) or validity.candidates("air", "o3", "8h")
    rule = validity.choose(found, grouping.end)
    needed = np.where(rule < 0, HOURS_OF_A_MEAN, _required(found, rule))[:, np.newaxis]
    return np.where(count >= needed, total / np.maximum(count, 1), np.nan)


def _required(found: Sequence[Rule], rule: NDArray[np.int16]) -> IntArray:
    numbers = np.array([one.required or 0 for one in found] + [0], dtype=np.int64)
    return np.asarray(numbers[rule])  # -1, no rule, is the last: 0


def _cells(grouping: Grouping, hours: int) -> tuple[IntArray, int]:
    """Lay the hours of all series on one line, with ``hours`` empty cells before each series."""
    series, number = grouping.series, grouping.number
    first = np.ones(len(grouping), dtype=np.bool_)
    first[1:] = series[1:] != series[:-1]
    jump = np.where(first, hours, np.diff(number, prepend=number[:1]))
    cell = np.cumsum(jump)
    return cell, int(cell[-1]) + 1 if len(cell) else 0
