"""Air: days of stations and of the city, from the statistics of the stations' days.

What makes a day of a station valid is decided where its statistics are computed
(:mod:`luming.telemetry.statistics`): 20 hours for a mean, 14 eight-hour means for the largest one of O3. The index of
the day follows HJ 633 in the edition in force on the day (4.3 and 5); that of 2012 also counts the largest hour of O3.

Not verified: that the city's value is the mean of its stations' daily values, of three quarters of the stations at
least (HJ 663-2013, see :func:`luming.standards.air_evaluation.city_mean`). HJ 663-2026, in force since 2026-03-01, has
rules of its own whose text is not at hand, so the same ones are used for all days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from luming.domains.air.factors import CODES
from luming.standards import air
from luming.standards.air_evaluation import city_mean
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry.statistics import reading

Hours = Mapping[tuple[int, datetime], Mapping[str, float]]  # (station, start) -> concentrations
# what HJ 633 judges of a day -> factor and measure of its statistic
INDICATORS = {
    **{short: (CODES[short], "max8" if short == "o3" else "mean") for short in air.FACTORS},
    "o3_1h": (CODES["o3"], "max1"),  # only HJ 633-2012 looks at it
}


@dataclass(frozen=True, slots=True)
class Day:
    """The city on one day; ``index`` is None where the standard gives none."""

    date: date
    index: int | None
    level: int
    primary: str
    stations: int  # with a valid day of PM2.5


def city_days(stations: Sequence[int], since: datetime, until: datetime | None = None) -> list[Day]:
    """Return the city's days of which statistics are held, oldest first.

    ``stations`` are all that the city's mean may be of: one alone gives the days of that station.
    """
    table, days = station_days(stations, since, until or datetime.now(UTC))
    if not days:
        return []
    present = np.isfinite(table["pm25"]).sum(axis=0)
    result = air.aqi({name: city_mean(values) for name, values in table.items()}, period="day", times=days)
    return [
        Day(
            day, None if int(result.index[i]) < 0 else int(result.index[i]), int(result.level[i]),
            str(result.primary[i]), int(present[i]),
        )
        for i, day in enumerate(days)
    ]  # fmt: skip


def station_days(stations: Sequence[int], since: datetime, until: datetime) -> tuple[dict[str, np.ndarray], list[date]]:
    """Return the valid figures of each indicator, stations as rows and days as columns, NaN where there is none."""
    found = {name: reading.values(stations, *key, "day", since, until) for name, key in INDICATORS.items()}
    every = np.unique(np.concatenate([held.start for held in found.values()]))
    # stations that were never connected are none of the city's: those that have statistics, valid or not, are
    place = np.unique(np.concatenate([held.place for held in found.values()]))
    table = {}
    for name, held in found.items():
        table[name] = np.full((len(place), len(every)), np.nan)
        # the largest hour is one of those that count, however few they are
        usable = held.valid | (name == "o3_1h")
        row, column = np.searchsorted(place, held.place[usable]), np.searchsorted(every, held.start[usable])
        table[name][row, column] = held.value[usable]
    return table, [city_day(start.replace(tzinfo=UTC)) for start in every.tolist()]


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
