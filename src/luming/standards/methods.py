"""How a statistic is computed from the values that take part, and to how many places it is given.

Methods by medium, factor and interval are in ``tables/averaging.csv``, places in ``tables/statistic_decimals.csv``,
each row with clause, source and verified mark.

* ``mean``: arithmetic mean. ``sum``: total. ``median``, ``maximum``, ``minimum``.
* ``weighted``: mean weighted by flow, ``Σ C·Q / Σ Q`` (HJ 212-2017 Annex D, water part: G / D × 10³).
* ``energy``: equivalent level of sound levels, ``10 lg(1/n Σ 10^(L/10))`` (GB 3096-2008, 3.2).
* ``hydrogen``: pH of the mean hydrogen ion concentration, ``-lg(1/n Σ 10^-pH)``.
* ``percentile-p``: see :func:`percentile`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import is_true, read_csv
from luming.standards.rounding import as_float

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METHODS = ("mean", "sum", "weighted", "energy", "hydrogen", "median", "maximum", "minimum")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the tables: ``what`` is a method's name or a number of places."""

    medium: str
    factors: tuple[str, ...]
    intervals: tuple[str, ...]
    what: str
    edition: str
    clause: str
    effective_from: date | None
    effective_to: date | None
    source: str
    verified: bool

    def in_force(self, day: date) -> bool:
        """Say whether the row is in force on a city day; open ends are None."""
        after_start = self.effective_from is None or self.effective_from <= day
        return after_start and (self.effective_to is None or day <= self.effective_to)


def method_of(medium: str, factor: str, interval: str, *, weighted: bool = True, when: date | None = None) -> str:
    """Return the method of the table; ``weighted=False`` has no weights and takes the arithmetic mean instead.

    ``when`` is a city day; without it the newest row counts.

    >>> method_of("air", "pm25", "year"), method_of("noise", "leq", "hour"), method_of("sewage", "cod", "day")
    ('mean', 'energy', 'weighted')
    """
    found = method_row(medium, factor, interval, when=when)
    method = "mean" if found is None else found.what
    return "mean" if method == "weighted" and not weighted else method


def method_row(medium: str, factor: str, interval: str, *, when: date | None = None) -> Choice | None:
    """Return the row of the table that says the method: with edition, clause, source and mark; None without one.

    >>> method_row("air", "o3", "year", when=date(2025, 12, 31)).edition, method_row("air", "o3", "year").edition
    ('HJ 663-2013', 'HJ 663-2026')
    """
    return _choose("averaging.csv", "method", medium, factor, interval, when)


def decimals_of(medium: str, factor: str, interval: str, *, when: date | None = None) -> int:
    """Return to how many places a statistic is given, on a city day or by the newest row; 3 where there is none."""
    found = _choose("statistic_decimals.csv", "decimals", medium, factor, interval, when)
    return 3 if found is None else int(found.what)


def choices(table: str, column: str) -> tuple[Choice, ...]:
    """Return the rows of ``averaging.csv`` (``method``) or ``statistic_decimals.csv`` (``decimals``), for display."""
    return _rows(table, column)


def compute(method: str, position: IntArray, value: FloatArray, weight: FloatArray, groups: int) -> FloatArray:
    """Compute a method per group; NaN for groups without values.

    Parameters
    ----------
    position : group 0..groups-1 of each value, not decreasing.
    value, weight : finite values and positive weights (weights matter to ``weighted`` only).
    """
    count = np.bincount(position, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 of empty groups is the NaN we want
        if method == "mean":
            return _total(position, value, groups) / count
        if method == "sum":
            return np.where(count > 0, _total(position, value, groups), np.nan)
        if method == "weighted":
            return _total(position, value * weight, groups) / _total(position, weight, groups)
        if method == "energy":
            return np.asarray(10 * np.log10(_total(position, 10 ** (value / 10), groups) / count))
        if method == "hydrogen":
            return np.asarray(-np.log10(_total(position, 10**-value, groups) / count))
    return _ranked(method, position, value, count)


def percentile(values: ArrayLike, percent: float) -> float:
    """Percentile of HJ 663-2013 (annex A): with X sorted, ``k = 1 + (n-1)·p``, ``X_s + (X_{s+1} - X_s)·(k - s)``.

    NaN values take no part; NaN without values.

    >>> percentile([10, 20, 30, 40], 90), percentile([5, float("nan")], 98)
    (37.0, 5.0)
    """
    array = as_float(values)
    clean = np.sort(array[np.isfinite(array)])
    return float(
        _ranked(f"percentile-{percent}", np.zeros(len(clean), dtype=np.int64), clean, np.array([len(clean)]))[0]
    )


def _total(position: IntArray, value: FloatArray, groups: int) -> FloatArray:
    return np.bincount(position, value, minlength=groups).astype(np.float64)


def _ranked(method: str, position: IntArray, value: FloatArray, count: NDArray[np.integer]) -> FloatArray:
    """Methods that look at the sorted values of each group."""
    share = _share(method)
    result = np.full(len(count), np.nan)
    filled = np.nonzero(count)[0]
    if not len(filled):
        return result
    ordered = value[np.lexsort((value, position))]
    first = (np.cumsum(count) - count)[filled]
    rank = np.round((count[filled] - 1) * share, 9)  # k - 1: counted from 0
    below = np.floor(rank).astype(np.int64)
    low = ordered[first + below]
    high = ordered[first + np.minimum(below + 1, count[filled] - 1)]
    result[filled] = low + (high - low) * (rank - below)
    return result


def _share(method: str) -> float:
    if method.startswith("percentile-"):
        share = float(method.removeprefix("percentile-")) / 100
        if not 0 <= share <= 1:
            raise ValueError(f"{method!r}: a percentile lies between 0 and 100")
        return share
    named = {"minimum": 0.0, "median": 0.5, "maximum": 1.0}
    if method not in named:
        raise ValueError(f"unknown method {method!r}: use {', '.join(METHODS)} or percentile-90")
    return named[method]


@cache
def _choose(table: str, column: str, medium: str, factor: str, interval: str, when: date | None) -> Choice | None:
    fitting = [
        row
        for row in _rows(table, column)
        if row.medium == medium
        and (factor in row.factors or "*" in row.factors)
        and (interval in row.intervals or "*" in row.intervals)
        and (when is None or row.in_force(when))
    ]
    fitting.sort(key=lambda row: row.effective_from or date.min, reverse=True)  # the newest first; sorts are stable
    return min(fitting, key=lambda row: (factor not in row.factors, interval not in row.intervals), default=None)


@cache
def _rows(table: str, column: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            row["medium"],
            tuple(row["factors"].split()),
            tuple(row["intervals"].split()),
            row[column],
            row["edition"],
            row["clause"],
            date.fromisoformat(row["effective_from"]) if row["effective_from"] else None,
            date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
            row["source"],
            is_true(row["verified"]),
        )
        for row in read_csv(table)
    )
