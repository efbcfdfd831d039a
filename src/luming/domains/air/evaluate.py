"""Air: the hourly (real-time) AQI of each station, and that of its days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from luming.domains.air.days import INDICATORS
from luming.domains.air.factors import FACTORS, UNITS
from luming.standards import air
from luming.standards.edition import edition_in_force
from luming.telemetry import inputs
from luming.telemetry.inputs import Used
from luming.telemetry.judging import Outcome
from luming.telemetry.statistics import reading
from luming.telemetry.statistics.models import Statistic

KIND = "aqi-hour"
KIND_DAY = "aqi-day"


def judge_hours(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Judge station-hours by HJ 633 in the edition in force at the hour.

    A value counts when its mark is N (HJ 212-2017 table 8). Where the standard gives no AQI (a pollutant missing and
    nothing above 100, HJ 633-2026 5), the state is ``level-0``.
    """
    table = {key: row for key, row in inputs.read(selection, interval, UNITS).items() if row}
    if not table:
        return []
    concentrations = {
        short: np.array([_concentration(row.get(code)) for row in table.values()]) for code, short in FACTORS.items()
    }
    result = air.aqi(concentrations, period="hour", times=[start for _place, start in table])
    return [_outcome(key, row, result, i) for i, (key, row) in enumerate(table.items())]


def _concentration(used: Used | None) -> float:
    return used.value if used is not None and used.usable else float("nan")


def _outcome(key: tuple[int, datetime], row: Mapping[str, Used], result: air.AqiResult, i: int) -> Outcome:
    place_id, start = key
    level, index = int(result.level[i]), int(result.index[i])
    detail: dict[str, Any] = {
        "primary": str(result.primary[i]),
        "iaqi": {short: int(values[i]) for short, values in result.indices.items() if values[i] >= 0},
        "concentration": {
            FACTORS[code]: used.value for code, used in row.items() if used.usable and not np.isnan(used.value)
        },
    }
    return Outcome(
        place_id,
        KIND,
        start,
        state=f"level-{level}",
        value=None if index < 0 else index,
        detail=detail,
        edition=edition_in_force("HJ 633", start).key,
        inputs=[used.as_input() for used in row.values()],
        severity=0 if level < 3 else 1 if level < 5 else 2,
    )


def judge_days(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Judge station-days by HJ 633 (daily report, 4.3 and 5) from their statistics; invalid ones do not count.

    A judgement keeps the statistics it used in its detail: they lead to the hours and packets.
    """
    wanted = {(place_id, start) for place_id, starts in selection.items() for start in starts}
    found: dict[tuple[int, datetime], dict[str, Statistic]] = {key: {} for key in wanted}
    first, last = min(start for _place, start in wanted), max(start for _place, start in wanted) + timedelta(days=1)
    for name, (code, measure) in INDICATORS.items():
        for row in reading.latest(selection, measure, "day", first, last, factors=[code]):
            if (row.place_id, row.start) in wanted and row.value is not None and (row.valid or name == "o3_1h"):
                found[row.place_id, row.start][name] = row
    table = dict(sorted((key, rows) for key, rows in found.items()))
    values = {name: np.array([_value(rows.get(name)) for rows in table.values()]) for name in INDICATORS}
    result = air.aqi(values, period="day", times=[start for _place, start in table])
    return [_day(key, rows, result, i) for i, (key, rows) in enumerate(table.items())]


def _value(row: Statistic | None) -> float:
    return float("nan") if row is None or row.value is None else row.value


def _day(key: tuple[int, datetime], rows: Mapping[str, Statistic], result: air.AqiResult, i: int) -> Outcome:
    place_id, start = key
    level, index = int(result.level[i]), int(result.index[i])
    return Outcome(
        place_id,
        KIND_DAY,
        start,
        state=f"level-{level}",
        value=None if index < 0 else index,
        detail={
            "primary": str(result.primary[i]),
            "iaqi": {short: int(values[i]) for short, values in result.indices.items() if values[i] >= 0},
            "concentration": {name: row.rounded for name, row in rows.items()},
            "statistics": {name: row.pk for name, row in rows.items()},
        },
        edition=edition_in_force("HJ 633", start).key,
        # no series: statistics were used; their digests stand for all values below them
        inputs=[[0, start.isoformat(), row.revision, row.value, row.unit, name] for name, row in rows.items()],
        severity=0 if level < 3 else 1 if level < 5 else 2,
        live=False,
    )
