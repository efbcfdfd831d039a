"""Air over longer times: limits of GB 3095, percentiles of a year, the city's mean, exceedance, composite index.

HJ 663-2013 is known from memory and from public code that quotes it; HJ 663-2026, in force since 2026-03-01, was not
obtained: its rules of 2013 are used and marked. The composite index is that of the city ranking (环办监测〔2018〕19号);
its weights are configuration, 1 by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from luming.standards._tables import is_true, read_csv
from luming.standards.air import FACTORS
from luming.standards.edition import city_day
from luming.standards.results import FloatArray, rounded
from luming.standards.rounding import as_float

PERCENTILES: Mapping[str, float] = {"so2": 98, "no2": 98, "pm10": 95, "pm25": 95, "co": 95, "o3": 90}
"""Percentile of a year's daily values that is evaluated (HJ 663-2013 table 1; o3: daily maximum 8 h) [secondary]."""

SHARE_OF_STATIONS = 0.75
"""Share of a city's stations that need a valid value for the city's mean (HJ 663-2013, from memory)."""

INDEX_AVERAGING: Mapping[str, str] = {
    "so2": "year", "no2": "year", "pm10": "year", "pm25": "year", "co": "day", "o3": "8h",
}  # fmt: skip
"""Which limit divides each factor in the composite index: CO's 95th and O3's 90th percentile have no annual limit."""


@dataclass(frozen=True, slots=True)
class AirLimit:
    """Limit of a factor and averaging time: class I and II, µg/m³ (CO mg/m³)."""

    factor: str
    averaging: str
    class_one: float
    class_two: float
    edition: str
    clause: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool

    def in_force(self, day: date) -> bool:
        """Say whether the limit is in force on a city day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class CompositeIndex:
    """Index of n rows; ``parts``: Ci / Si × weight per factor. NaN where a factor is missing."""

    index: FloatArray
    parts: Mapping[str, FloatArray]

    @property
    def largest(self) -> list[str]:
        """Factor with the largest part per row, empty where the index is missing."""
        names = tuple(self.parts)
        stack = np.stack([self.parts[name] for name in names])
        where = np.argmax(np.nan_to_num(stack, nan=-1.0), axis=0)
        return ["" if np.isnan(index) else names[i] for i, index in zip(where, self.index, strict=True)]


@cache
def air_limits() -> tuple[AirLimit, ...]:
    """Return all limits of the table."""
    return tuple(_limit(row) for row in read_csv("air_limits.csv"))


def air_limit(factor: str, averaging: str, when: date | datetime) -> AirLimit:
    """Return the limit of ``hour day 8h year`` in force on a day (GB 3095 table 1; 2026: transition until 2030-12-31).

    >>> [air_limit("pm25", "year", date(year, 6, 1)).class_two for year in (2025, 2026, 2031)]
    [35.0, 30.0, 25.0]
    """
    day = city_day(when)
    for limit in air_limits():
        if (limit.factor, limit.averaging) == (factor, averaging) and limit.in_force(day):
            return limit
    raise LookupError(f"no limit of {factor} for {averaging} in force on {day}")


def city_mean(values: ArrayLike, *, share: float = SHARE_OF_STATIONS) -> FloatArray:
    """Return the mean over the stations (first axis), NaN where fewer than ``share`` of them have a value.

    >>> city_mean([[10.0, 10.0], [20.0, np.nan], [30.0, np.nan], [np.nan, 40.0]]).tolist()
    [20.0, nan]
    """
    stations = np.atleast_2d(as_float(values))
    known = np.isfinite(stations)
    number = known.sum(axis=0)
    total = np.where(known, stations, 0.0).sum(axis=0)
    needed = np.ceil(np.round(share * len(stations), 9))
    return np.where(number >= max(needed, 1), total / np.maximum(number, 1), np.nan)


def exceedance_multiple(value: ArrayLike, limit: float) -> FloatArray:
    """Return ``(C - S) / S`` where a value exceeds its limit, else NaN (HJ 663-2013, from memory)."""
    values = as_float(value)
    return np.where(values > limit, (values - limit) / limit, np.nan)


def attainment(complies: ArrayLike, valid: ArrayLike) -> float:
    """Return the share of valid days that comply, ``D = A / B`` (HJ 663-2013, from memory); NaN without valid days.

    >>> attainment([True, True, False, True], [True, True, True, False])
    0.6666666666666666
    """
    judged = np.asarray(valid, dtype=np.bool_)
    number = int(judged.sum())
    return float((np.asarray(complies, dtype=np.bool_) & judged).sum() / number) if number else float("nan")


def composite_index(
    values: Mapping[str, ArrayLike], *, when: date | datetime, weights: Mapping[str, float] | None = None
) -> CompositeIndex:
    """Return the composite index ``Σ w·C/S`` of n rows (城市环境空气质量排名技术规定, 环办监测〔2018〕19号).

    Parameters
    ----------
    values : all six factors: means of the time for SO2, NO2, PM10, PM2.5, the 95th percentile of CO's daily means, the
        90th of O3's daily maxima. They are divided as given: round them first if the report does.
    when : a city day of the time: the class II limits in force on it divide. For times since 2026-03-01 these are the
        transitional ones, which is the natural reading; no official text on it was seen.
    weights : per factor, 1 where not given. Other weights have been claimed for HJ 663-2026 by one unofficial source.

    Raises
    ------
    ValueError when a factor is missing: an index of fewer factors compares with nothing.

    Examples
    --------
    >>> limits = {"so2": [60.0], "no2": [40.0], "pm10": [60.0], "pm25": [30.0], "co": [4.0], "o3": [160.0]}
    >>> composite_index(limits, when=date(2026, 6, 1)).index.tolist()
    [6.0]
    """
    missing = [factor for factor in FACTORS if factor not in values]
    if missing:
        raise ValueError(f"the composite index needs all six factors; missing: {', '.join(missing)}")
    chosen = weights or {}
    unknown = [factor for factor in chosen if factor not in FACTORS]
    if unknown:
        raise ValueError(f"weights of unknown factors: {', '.join(unknown)}")
    parts = {
        factor: np.atleast_1d(
            as_float(values[factor])
            / air_limit(factor, INDEX_AVERAGING[factor], when).class_two
            * chosen.get(factor, 1.0)
        )
        for factor in FACTORS
    }
    return CompositeIndex(np.asarray(sum(parts.values())), parts)


def index_to_show(index: ArrayLike, decimals: int = 2) -> FloatArray:
    """Return an index rounded as rankings show it (two places; practice, not verified)."""
    return rounded(index, decimals)


def _limit(row: dict[str, str]) -> AirLimit:
    return AirLimit(
        factor=row["factor"],
        averaging=row["averaging"],
        class_one=float(row["class_one"]),
        class_two=float(row["class_two"]),
        edition=row["edition"],
        clause=row["clause"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        source=row["source"],
        verified=is_true(row["verified"]),
    )
