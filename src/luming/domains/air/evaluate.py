"""Air: the hourly (real-time) AQI of each station."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from luming.standards import air
from luming.standards.edition import edition_in_force
from luming.telemetry import inputs
from luming.telemetry.inputs import Used
from luming.telemetry.judging import Outcome

KIND = "aqi-hour"
# HJ 212 / HJ 524 code -> short name of luming.standards.air; units of GB 3095: µg/m³, CO mg/m³
FACTORS = {"a21026": "so2", "a21004": "no2", "a21005": "co", "a05024": "o3", "a34002": "pm10", "a34004": "pm25"}
UNITS = {code: "mg/m³" if short == "co" else "µg/m³" for code, short in FACTORS.items()}


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
