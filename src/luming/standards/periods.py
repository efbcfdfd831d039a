"""Periods of statistics: the city's hours, days, months, quarters and years, and which of them an instant lies in.

Instants are UTC (``datetime64``), periods are the city's (Asia/Shanghai, always eight hours ahead of UTC since 1991)
and are named by their start. A natural day is 00:00 to 24:00 in the city: so for ambient air (GB 3095-2026, 3: 自然日),
waste gas and waste water. Where a day begins otherwise (the noise of a night belongs to the evening's day) see
``noise_levels``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Interval: TypeAlias = Literal["minute", "hour", "8h", "day", "month", "quarter", "year"]
Instants: TypeAlias = NDArray[np.datetime64]
IntArray: TypeAlias = NDArray[np.int64]

INTERVALS: tuple[Interval, ...] = get_args(Interval)
"""From short to long. ``8h`` are the three thirds of a day; sliding 8-hour means are in ``ozone``."""

CITY_OFFSET = np.timedelta64(8 * 3_600_000_000, "us")
_MICROSECONDS = {"minute": 60_000_000, "hour": 3_600_000_000, "8h": 28_800_000_000, "day": 86_400_000_000}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def utc(instants: ArrayLike) -> Instants:
    """Return instants as datetime64[us]; naive text and numbers of numpy's own kinds are UTC."""
    return np.asarray(instants, dtype="datetime64[us]")


def ordinal(instants: ArrayLike, interval: Interval) -> IntArray:
    """Return the number of the city's period in which each instant lies, counted from the one of 1970-01-01 00:00.

    Consecutive periods have consecutive numbers. ``ValueError`` for NaT or an unknown interval.
    """
    moments = utc(instants)
    if np.isnat(moments).any():
        raise ValueError("an instant is missing (NaT)")
    local = moments + CITY_OFFSET
    if interval in _MICROSECONDS:
        return np.asarray(local.astype(np.int64) // _MICROSECONDS[interval])
    return np.asarray(local.astype("datetime64[M]").astype(np.int64) // _months(interval))


def start_of(number: ArrayLike, interval: Interval) -> Instants:
    """Return the start (UTC) of periods by their number; the end of a period is the start of the next.

    >>> start_of(ordinal(["2026-02-28T16:30", "2026-02-28T15:59"], "month"), "month").astype("datetime64[h]").tolist()
    [datetime.datetime(2026, 2, 28, 16, 0), datetime.datetime(2026, 1, 31, 16, 0)]
    """
    numbers = np.asarray(number, dtype=np.int64)
    if interval in _MICROSECONDS:
        local = (numbers * _MICROSECONDS[interval]).astype("datetime64[us]")
    else:
        local = (numbers * _months(interval)).astype("datetime64[M]").astype("datetime64[us]")
    return np.asarray(local - CITY_OFFSET, dtype="datetime64[us]")


def period_start(instants: ArrayLike, interval: Interval) -> Instants:
    """Return the start (UTC) of the period in which each instant lies."""
    return start_of(ordinal(instants, interval), interval)


def period_end(starts: ArrayLike, interval: Interval) -> Instants:
    """Return the end (UTC, exclusive) of the period in which each instant lies."""
    return start_of(ordinal(starts, interval) + 1, interval)


def city_days(instants: ArrayLike) -> Instants:
    """Return the city's calendar day of each instant, as datetime64[D]."""
    return np.asarray(utc(instants) + CITY_OFFSET, dtype="datetime64[us]").astype("datetime64[D]")


def expected_count(numbers: ArrayLike, interval: Interval, step: np.timedelta64) -> IntArray:
    """Return how many parts of length ``step`` whole periods hold (an hour 60 minutes, February 28 or 29 days …)."""
    counted = np.asarray(numbers, dtype=np.int64)
    length = start_of(counted + 1, interval) - start_of(counted, interval)
    return np.asarray(length.astype("timedelta64[us]").astype(np.int64) // step_length(step))


def step_length(step: np.timedelta64) -> int:
    """Return the length of a step in microseconds; ``ValueError`` unless it is a positive fixed time."""
    length = int(np.timedelta64(step).astype("timedelta64[us]").astype(np.int64))
    if length <= 0:
        raise ValueError(f"a step is a positive time, not {step}")
    return length


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows sorted into the periods of their series; ``number``, ``series``, ``start``, ``end`` are of the g groups.

    ``position``: per row, in the order given, the group it belongs to; -1 outside ``span``. ``order``: the rows that
    belong to a group, sorted by series and time: sums in this order do not depend on the order in which rows came.
    ``month``: per row, its calendar month counted from January 1970.
    """

    interval: Interval
    series: IntArray
    number: IntArray
    position: IntArray
    order: IntArray
    month: IntArray

    @property
    def start(self) -> Instants:
        """Starts of the groups' periods, UTC."""
        return start_of(self.number, self.interval)

    @property
    def end(self) -> Instants:
        """Ends of the groups' periods, UTC, exclusive."""
        return start_of(self.number + 1, self.interval)

    def __len__(self) -> int:
        return len(self.number)


def group(
    start: ArrayLike,
    interval: Interval,
    *,
    series: ArrayLike | None = None,
    span: tuple[ArrayLike, ArrayLike] | None = None,
) -> Grouping:
    """Sort rows into the city's periods, per series.

    Parameters
    ----------
    start : n instants, UTC, in any order, each at most once per series.
    series : n whole numbers that tell series apart; without it all rows are of one series (0).
    span : first and last instant (UTC, the last exclusive): every period that touches it is a group of every series,
        also when it has no rows (one series: also when there are no rows at all), and rows of other periods are left
        out. Without it the groups are the periods that have rows.

    Raises
    ------
    ValueError when an instant comes twice in one series, is missing, or shapes differ.
    """
    moments = np.atleast_1d(utc(start))
    keys = np.zeros(moments.shape, dtype=np.int64) if series is None else np.asarray(series, dtype=np.int64)
    if moments.ndim != 1 or keys.shape != moments.shape:
        raise ValueError(f"start has shape {moments.shape}, series {keys.shape}: give one row of each")
    numbers = ordinal(moments, interval)
    order = _order(keys, moments)
    if span is not None:
        first, last = _span_numbers(span, interval)
        order = order[(numbers[order] >= first) & (numbers[order] < last)]
    sorted_keys, sorted_numbers = keys[order], numbers[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (sorted_keys[1:] != sorted_keys[:-1]) | (sorted_numbers[1:] != sorted_numbers[:-1])
    found = np.cumsum(new) - 1
    group_keys, group_numbers = sorted_keys[new], sorted_numbers[new]
    if span is not None:
        names = np.unique(keys) if len(keys) or series is not None else np.zeros(1, dtype=np.int64)
        width = max(last - first, 0)
        found = np.searchsorted(names, sorted_keys) * width + (sorted_numbers - first)
        group_keys = np.repeat(names, width)
        group_numbers = np.tile(np.arange(first, first + width), len(names))
    position = np.full(moments.shape, -1, dtype=np.int64)
    position[order] = found
    return Grouping(interval, group_keys, group_numbers, position, order, ordinal(moments, "month"))


def _order(keys: IntArray, moments: Instants) -> IntArray:
    """Return the order by series and time; refuse an instant that comes twice."""
    order = np.arange(len(keys))
    if not _increasing(keys, moments):
        order = np.lexsort((moments, keys))
        if not _increasing(keys[order], moments[order]):
            raise ValueError("an instant comes twice in one series: give each period once (the latest revision)")
    return order


def _increasing(keys: IntArray, moments: Instants) -> bool:
    same = keys[1:] == keys[:-1]
    return bool(np.all((keys[1:] > keys[:-1]) | (same & (moments[1:] > moments[:-1]))))


def _span_numbers(span: tuple[ArrayLike, ArrayLike], interval: Interval) -> tuple[int, int]:
    first, last = utc(span[0]), utc(span[1])
    if last <= first:
        raise ValueError("a span ends after it begins")
    return int(ordinal(first, interval)), int(ordinal(last - np.timedelta64(1, "us"), interval)) + 1


def _months(interval: Interval) -> int:
    if interval not in _MONTHS:
        raise ValueError(f"unknown interval {interval!r}: use {', '.join(INTERVALS)}")
    return _MONTHS[interval]
