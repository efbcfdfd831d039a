"""Data of charts: every point of a short period, summaries of a long one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from luming.registry.models import Series
from luming.telemetry.store import verdicts
from luming.telemetry.store.reading import fetch, observations
from luming.telemetry.store.rows import micros

_NORMAL, _INVALID = ord("N"), ord(verdicts.INVALID_LETTER)  # HJ 212-2017 table 8; see Effective.letters


@dataclass(slots=True)
class Chart:
    """The points of one series, in order of time.

    ``bucket`` is None when each point is one observation; ``minimum`` and ``maximum`` are then what the device sent.
    Else a point sums up the observations of ``bucket`` from ``start`` on: ``value`` and ``converted`` are means of
    those that count, ``minimum`` and ``maximum`` the extremes of ``value``, ``peak`` the period of the highest one,
    ``flag`` the first mark that is not normal (I where checks or people speak against a value), and ``packet_id`` is 0:
    look closer to see packets, and values that do not count. ``count`` tells how many observations a point stands for.
    NaN is none.
    """

    series_id: int
    bucket: timedelta | None
    start: np.ndarray  # datetime64[us], UTC
    value: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    converted: np.ndarray
    flag: np.ndarray
    packet_id: np.ndarray
    count: np.ndarray
    peak: np.ndarray  # datetime64[us], UTC

    def __len__(self) -> int:
        return len(self.start)


def chart(series_ids: Iterable[int], start: datetime, end: datetime, max_points: int = 2000) -> dict[int, Chart]:
    """Return the chart of each series over the periods that begin in [start, end).

    A series that would have more than ``max_points`` observations (by its expected interval) is summed up in buckets
    of a whole number of its intervals, counted from ``start``. Series without data have charts without points.
    """
    seconds = dict(Series.objects.filter(pk__in=list(series_ids)).values_list("pk", "seconds"))
    span = (end - start).total_seconds()
    per_bucket = {series_id: math.ceil(span / max(every, 1) / max_points) for series_id, every in seconds.items()}
    charts = _points([series_id for series_id, count in per_bucket.items() if count <= 1], start, end)
    widths = {series_id: count * seconds[series_id] for series_id, count in per_bucket.items() if count > 1}
    charts |= _buckets(widths, start, end)
    return {series_id: charts[series_id] for series_id in series_ids if series_id in charts}


def _points(series_ids: list[int], start: datetime, end: datetime) -> dict[int, Chart]:
    if not series_ids:
        return {}
    columns = observations(series_ids, start, end)
    charts = {}
    for series_id in series_ids:
        own = columns.of(series_id)
        charts[series_id] = Chart(
            series_id, None, own.start, own.value, own.minimum, own.maximum, own.converted, own.flag, own.packet_id,
            np.ones(len(own), np.int64), own.start,
        )  # fmt: skip
    return charts


def _buckets(widths: dict[int, int], start: datetime, end: datetime) -> dict[int, Chart]:
    """Sum up series in buckets of the given widths (seconds)."""
    if not widths:
        return {}
    found = fetch(["mark", "start", "value", "converted"], widths, start, end)
    nothing = {"mark": np.empty(0, np.int32), "start": np.empty(0, "datetime64[us]")}
    nothing |= {"value": np.empty(0), "converted": np.empty(0)}
    ruled = verdicts.columns(sorted(widths), start, end)
    return {
        series_id: _summary(series_id, width, start, _counted(found.get(series_id, nothing), ruled.get(series_id)))
        for series_id, width in widths.items()
    }


def _counted(columns: dict[str, np.ndarray], ruled: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the columns without the values that do not count, with I as the mark where a verdict says so."""
    mark, revision = columns["mark"] & 0xFF, columns["mark"] >> 8
    mark = np.where(mark == 0, _NORMAL, mark)
    counts, value = mark == _NORMAL, columns["value"].copy()
    if ruled is not None and len(ruled) and len(mark):
        at = np.searchsorted(ruled["start"], columns["start"]).clip(max=len(ruled) - 1)
        found = ruled[at]
        holds = (found["start"] == columns["start"]) & (found["revision"] == revision)
        counts[holds] = found["quality"][holds] == verdicts.Quality.VALID
        replaced = holds & ~np.isnan(found["value"])
        value[replaced] = found["value"][replaced]
        mark = np.where(counts, _NORMAL, np.where(mark == _NORMAL, _INVALID, mark))
    return {
        "start": columns["start"],
        "mark": mark,
        "value": np.where(counts, value, np.nan),
        "converted": np.where(counts, columns["converted"], np.nan),
    }


def _summary(series_id: int, width: int, origin: datetime, columns: dict[str, np.ndarray]) -> Chart:
    starts = columns["start"].astype(np.int64)
    bucket = (starts - micros(origin)) // (width * 1_000_000)
    firsts = np.flatnonzero(np.diff(bucket, prepend=-1))  # buckets count from 0
    count = np.diff(firsts, append=len(starts))
    value, mark = columns["value"], columns["mark"]
    flag = mark[_first_where(mark != _NORMAL, firsts)]
    highest = _reduce(np.fmax, value, firsts)
    return Chart(
        series_id,
        timedelta(seconds=width),
        (micros(origin) + bucket[firsts] * width * 1_000_000).astype("datetime64[us]"),
        _mean(value, firsts),
        _reduce(np.fmin, value, firsts),
        highest,
        _mean(columns["converted"], firsts),
        flag.astype(np.uint32).view("U1"),
        np.zeros(len(firsts), np.int64),
        count,
        columns["start"][_first_where(value == np.repeat(highest, count), firsts)],
    )


def _reduce(function: np.ufunc, column: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    return function.reduceat(column, firsts) if len(firsts) else column[:0]


def _mean(column: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """Means of what is there; NaN where nothing is."""
    there = ~np.isnan(column)
    total = _reduce(np.add, np.where(there, column, 0.0), firsts)
    number = _reduce(np.add, there.astype(np.int64), firsts)
    return np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)


def _first_where(mask: np.ndarray, firsts: np.ndarray) -> np.ndarray:
    """The position of each bucket's first true entry, or of its first entry when none is."""
    at = _reduce(np.minimum, np.where(mask, np.arange(len(mask)), len(mask)), firsts)
    return np.where(at < len(mask), at, firsts)
