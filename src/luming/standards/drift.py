"""Drift of analysers and how often they are checked: limits as a dated table (``tables/drift_limits.csv``).

HJ 75-2017 11 (waste gas), HJ 355-2019 (waste water), HJ 817-2018 and HJ 818-2018 (ambient air); all from memory and
marked so: an installation keeps its own numbers. Drift up to ``adjust`` is in order, above it the analyser is adjusted,
above ``out_of_control`` its data since the last passed check are out of control (失控).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import is_true, read_csv
from luming.standards.edition import city_day
from luming.standards.results import FloatArray
from luming.standards.rounding import as_float, round_half_even


class DriftState(IntEnum):
    """What a drift means."""

    UNKNOWN = -1  # no drift given, or no limit known
    OK = 0
    ADJUST = 1
    OUT_OF_CONTROL = 2

    @property
    def text(self) -> str:
        """``unknown``, ``ok``, ``adjust`` or ``out of control``."""
        return self.name.lower().replace("_", " ")


STATE_NAMES_ZH = {-1: "未知", 0: "正常", 1: "需调节", 2: "失控"}


@dataclass(frozen=True, slots=True)
class DriftLimit:
    """Limits of one check of one kind of device. None: no limit known (``adjust``, ``out_of_control``) or not done.

    ``days_automatic``: longest time between checks that the device does by itself; ``days_manual``: by a person.
    """

    key: str
    edition: str
    kind: str
    factors: tuple[str, ...]
    check: str
    unit: str
    adjust: float | None
    out_of_control: float | None
    days_automatic: float | None
    days_manual: float | None
    clause: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool

    def in_force(self, day: date) -> bool:
        """Say whether the row is in force on a city day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def due(self, last: datetime, *, automatic: bool) -> datetime | None:
        """Return when the next check is due after the last; None where the table says nothing."""
        days = self.days_automatic if automatic else self.days_manual
        return None if days is None else last + timedelta(days=days)


@cache
def drift_limits() -> tuple[DriftLimit, ...]:
    """Return all rows of the table."""
    return tuple(_row(row) for row in read_csv("drift_limits.csv"))


def limit(
    kind: str,
    factor: str,
    check: str,
    *,
    when: date | datetime | None = None,
    table: Sequence[DriftLimit] | None = None,
) -> DriftLimit | None:
    """Return the limits of a check of a kind of device for a factor; None when the table has none.

    >>> found = limit("cems-gas", "so2", "span")
    >>> found.adjust, found.out_of_control, found.unit, found.verified
    (2.5, 10.0, '% FS', False)
    """
    for row in drift_limits() if table is None else table:
        fits = row.kind == kind and factor in row.factors and row.check == check
        if fits and (when is None or row.in_force(city_day(when))):
            return row
    return None


def drift(reading: ArrayLike, expected: ArrayLike, full_scale: float) -> FloatArray:
    """Return the drift in % of full scale, ``(reading - expected) / full scale × 100`` (HJ 76-2017, from memory).

    ``expected`` is the zero or span value: of the standard gas, or of the first reading after the last calibration.
    """
    if full_scale <= 0:
        raise ValueError("the full scale is a positive number")
    return np.asarray((as_float(reading) - as_float(expected)) / full_scale * 100)


def drift_state(
    kind: str,
    factor: str,
    *,
    zero: float | None = None,
    span: float | None = None,
    when: date | datetime | None = None,
    table: Sequence[DriftLimit] | None = None,
) -> DriftState:
    """Judge the zero and span drift of one check, in the unit of the limits; the worse of the two counts.

    >>> drift_state("cems-gas", "so2", zero=2.5, span=2.6).text, drift_state("cems-gas", "so2", zero=-5.1).text
    ('adjust', 'out of control')
    """
    states = [
        DriftState(int(states_of(value, limit(kind, factor, check, when=when, table=table))))
        for check, value in (("zero", zero), ("span", span))
        if value is not None
    ]
    return max(states, default=DriftState.UNKNOWN)


def states_of(values: ArrayLike, found: DriftLimit | None) -> NDArray[np.int8]:
    """Judge n drifts by a row of the table: int8 :class:`DriftState`; equal to a limit is within it."""
    size = np.abs(as_float(round_half_even(as_float(values), 9)))
    state = np.full(size.shape, int(DriftState.UNKNOWN), dtype=np.int8)
    if found is None or found.adjust is None:
        return state
    state[np.isfinite(size)] = DriftState.OK
    state[size > found.adjust] = DriftState.ADJUST
    if found.out_of_control is not None:
        state[size > found.out_of_control] = DriftState.OUT_OF_CONTROL
    return state


def _row(row: dict[str, str]) -> DriftLimit:
    return DriftLimit(
        key=row["key"],
        edition=row["edition"],
        kind=row["kind"],
        factors=tuple(row["factors"].split()),
        check=row["check"],
        unit=row["unit"],
        adjust=_number(row["adjust"]),
        out_of_control=_number(row["out_of_control"]),
        days_automatic=_number(row["days_automatic"]),
        days_manual=_number(row["days_manual"]),
        clause=row["clause"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        source=row["source"],
        verified=is_true(row["verified"]),
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None
