"""Air: the city's days, from the hours of its stations.

Verified: a daily mean needs 20 hours, an 8-hour mean of O3 needs 6 (GB 3095-2026 table 4). The index of the day follows
HJ 633 in the edition in force on the day (4.3 and 5); that of 2012 also counts the largest hour of O3.

Not verified: what HJ 663-2013 says, known from memory. HJ 663-2026, in force since 2026-03-01, has rules of its own
whose text is not at hand, so the same ones are used for all days: the city's value is the mean of its stations' daily
values, of three quarters of the stations at least; O3 counts as the largest 8-hour sliding mean that ends between 8 and
24 o'clock, of 14 such means at least, or of fewer when it lies above the limit anyway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luming.standards import air
from luming.standards.edition import CITY_ZONE, city_day

HOURS_OF_A_MEAN = 20  # GB 3095-2026 table 4, verified
HOURS_OF_8 = 6  # the same
MEANS_OF_A_MAXIMUM = 14  # HJ 663-2013, not verified; as are the two below
O3_LIMIT = 160.0  # µg/m³, the class II limit of the daily maximum (GB 3095 table 1; the same in 2012 and 2026)
SHARE_OF_STATIONS = 0.75

Hours = Mapping[tuple[int, datetime], Mapping[str, float]]  # (station, start) -> concentrations


@dataclass(frozen=True, slots=True)
class Day:
    """The city on one day; ``index`` is None where the standard gives none."""

    date: date
    index: int | None
    level: int
    primary: str
    stations: int  # with a valid day of PM2.5


def city_days(hours: Hours) -> list[Day]:
    """Return the city's days that hours are known of, oldest first."""
    stations = sorted({station for station, _start in hours})
    days = sorted({city_day(start) for _station, start in hours})
    if not days:
        return []
    row, column = {station: i for i, station in enumerate(stations)}, {day: i for i, day in enumerate(days)}
    table = np.full((len(air.FACTORS), len(stations), len(days), 24), np.nan)
    for (station, start), values in hours.items():
        local = start.astimezone(CITY_ZONE)
        for i, short in enumerate(air.FACTORS):
            if short in values:
                table[i, row[station], column[local.date()], local.hour] = values[short]
    daily = {
        short: _city(_largest_8(table[i]) if short == "o3" else _mean(table[i], HOURS_OF_A_MEAN))
        for i, short in enumerate(air.FACTORS)
    }
    daily["o3_1h"] = _city(_largest(table[air.FACTORS.index("o3")]))  # only HJ 633-2012 looks at it
    present = np.isfinite(_mean(table[air.FACTORS.index("pm25")], HOURS_OF_A_MEAN)).sum(axis=0)
    result = air.aqi(daily, period="day", times=days)
    return [
        Day(
            day, None if int(result.index[i]) < 0 else int(result.index[i]), int(result.level[i]),
            str(result.primary[i]), int(present[i]),
        )
        for i, day in enumerate(days)
    ]  # fmt: skip


def _mean(values: NDArray[np.float64], needed: int) -> NDArray[np.float64]:
    """Return the mean over the last axis, NaN with fewer valid values than needed."""
    valid = np.isfinite(values)
    number = valid.sum(axis=-1)
    total = np.where(valid, values, 0.0).sum(axis=-1)
    return np.where(number >= needed, total / np.maximum(number, 1), np.nan)


def _largest_8(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest 8-hour sliding mean of each day: windows that end at 8 to 24 o'clock."""
    windows = np.lib.stride_tricks.sliding_window_view(values, 8, axis=-1)
    means = _mean(windows, HOURS_OF_8)
    largest = _largest(means)
    enough = np.isfinite(means).sum(axis=-1) >= MEANS_OF_A_MAXIMUM
    return np.where(enough | (np.rint(largest) > O3_LIMIT), largest, np.nan)


def _largest(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest valid value over the last axis, NaN without any."""
    valid = np.isfinite(values)
    return np.where(valid.any(axis=-1), np.where(valid, values, -np.inf).max(axis=-1), np.nan)


def _city(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the stations, NaN where too few have a valid day."""
    return _mean(np.moveaxis(values, 0, -1), math.ceil(SHARE_OF_STATIONS * len(values)))


def city_hours(hours: Hours, since: datetime) -> list[tuple[datetime, dict[str, float], int]]:
    """Return start, mean concentrations and number of stations of each hour, oldest first."""
    by_hour: dict[datetime, list[Mapping[str, float]]] = {}
    for (_station, start), values in hours.items():
        if start >= since and values:
            by_hour.setdefault(start, []).append(values)
    found = []
    for start, rows in sorted(by_hour.items()):
        means = {
            short: float(np.mean(known))
            for short in air.FACTORS
            if (known := [row[short] for row in rows if short in row])
        }
        found.append((start, means, len(rows)))
    return found


def indices(rows: Sequence[tuple[datetime, Mapping[str, float], int]]) -> Any:
    """Return the hourly index of the city's mean concentrations."""
    table = {short: np.array([means.get(short, np.nan) for _start, means, _n in rows]) for short in air.FACTORS}
    return air.aqi(table, period="hour", times=[start for start, _means, _n in rows])


def span_of_days(now: datetime, days: int) -> datetime:
    """Return the beginning of the day ``days`` full days before today in the city."""
    today = now.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days)
