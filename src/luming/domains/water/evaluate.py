"""Water: the GB 3838-2002 class of each automatic measurement of a section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from luming.registry.models import Station
from luming.standards import water
from luming.standards.edition import edition_in_force
from luming.telemetry import inputs
from luming.telemetry.inputs import Used
from luming.telemetry.judging import Outcome

KIND = "water-class"
# HJ 212-2017 table B.1 -> short name of luming.standards.water, with the unit GB 3838 judges in
FACTORS = {
    "w01001": ("ph", ""), "w01009": ("do", "mg/L"), "w01019": ("codmn", "mg/L"), "w01018": ("cod", "mg/L"),
    "w01017": ("bod5", "mg/L"), "w21003": ("nh3n", "mg/L"), "w21011": ("tp", "mg/L"), "w21001": ("tn", "mg/L"),
}  # fmt: skip
UNITS = {code: unit for code, (_short, unit) in FACTORS.items()}
TARGET = 3  # class III is the aim where a section has no target of its own


def judge_samples(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Judge samples by the single-factor method of GB 3838-2002; a value counts when its mark is N."""
    bodies = dict(Station.objects.filter(pk__in=selection).values_list("pk", "water_body"))
    table = {key: row for key, row in inputs.read(selection, interval, UNITS).items() if row}
    outcomes: list[Outcome] = []
    for body in ("river", "lake"):
        chosen = {key: row for key, row in table.items() if (bodies.get(key[0]) or "river") == body}
        if chosen:
            outcomes += _judge(chosen, body)
    return outcomes


def _judge(table: inputs.Table, body: str) -> list[Outcome]:
    values = {
        short: np.array([_value(row.get(code)) for row in table.values()]) for code, (short, _unit) in FACTORS.items()
    }
    values = {short: column for short, column in values.items() if not np.isnan(column).all()}
    if not values:
        return []
    result = water.classify(values, body=body)
    return [
        _outcome(key, row, int(result.klass[i]), list(result.exceeding[i]))
        for i, (key, row) in enumerate(table.items())
        if result.klass[i]
    ]


def _value(used: Used | None) -> float:
    return used.value if used is not None and used.usable else float("nan")


def _or_none(multiple: float | None) -> float | None:
    """pH and dissolved oxygen have no multiple."""
    return None if multiple is None or np.isnan(multiple) else float(multiple)


def _outcome(
    key: tuple[int, datetime], row: Mapping[str, Used], klass: int, exceeding: Sequence[tuple[str, float | None]]
) -> Outcome:
    place_id, start = key
    detail: dict[str, Any] = {
        "exceeding": [[short, _or_none(multiple)] for short, multiple in exceeding],
        "concentration": {
            FACTORS[code][0]: used.value for code, used in row.items() if used.usable and not np.isnan(used.value)
        },
    }
    return Outcome(
        place_id,
        KIND,
        start,
        state=f"class-{klass}",
        value=klass,
        detail=detail,
        edition=edition_in_force("GB 3838", start).key,
        inputs=[used.as_input() for used in row.values()],
        severity=0 if klass <= TARGET else 1 if klass < 6 else 2,
    )
