"""Stack and outfall emissions: calculations of HJ 212-2017 Annex D (as in HJ/T 75-2007) and the judgement of an hour.

The standard state is 273 K (0 °C, written 273 in Annex D) and 101 325 Pa, dry gas. Amounts are computed from the
measured dry concentration, compliance is judged on the concentration converted to the reference oxygen content.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards.limits import Limit
from luming.standards.rounding import as_float, round_half_even

FloatArray = NDArray[np.float64]

KELVIN = 273.0  # Annex D prints 273, not 273.15
STANDARD_PRESSURE = 101_325.0  # Pa
MOLAR_VOLUME = 22.4  # L/mol at the standard state
OXYGEN_IN_AIR = 21.0  # %, as printed in formulas 26 to 28
MOLAR_MASS = {"so2": 64.0, "no": 30.0, "no2": 46.0, "nox": 46.0, "co": 28.0, "nh3": 17.0, "hcl": 36.5, "h2s": 34.0}

JUDGED_FLAGS = frozenset({"", "N"})
"""Data flags of HJ 212-2017 table 8 that are judged: N normal (and none given)."""
STOPPED_FLAG = "F"
"""HJ 212-2017 table 8: F, the outlet is out of operation."""


class State(IntEnum):
    """State of an outlet, or of one factor, in an hour."""

    NO_DATA = 0
    NORMAL = 1
    EXCEEDING = 2
    STOPPED = 3

    @property
    def text(self) -> str:
        """``no data``, ``normal``, ``exceeding`` or ``stopped``."""
        return self.name.lower().replace("_", " ")


STATE_NAMES = tuple(state.text for state in State)
STATE_NAMES_ZH = ("无数据", "正常", "超标", "停运")


@dataclass(frozen=True)
class HourVerdict:
    """Judgement of n hours.

    ``code``: int8 per hour, a :class:`State`. ``factor_codes``: the same per limited factor. ``multiples``: (C - S) / S
    where a factor exceeds its upper limit, otherwise NaN; factors with a range (pH) have none. ``complete``: True where
    every limited factor was judged.
    """

    code: NDArray[np.int8]
    factor_codes: Mapping[str, NDArray[np.int8]] = field(repr=False)
    multiples: Mapping[str, FloatArray] = field(repr=False)
    complete: NDArray[np.bool_] = field(repr=False)

    @property
    def state(self) -> list[str]:
        """State per hour in words."""
        return [STATE_NAMES[code] for code in self.code.tolist()]


def judge_hour(
    values: Mapping[str, ArrayLike],
    limits: Mapping[str, Limit | float],
    *,
    flags: Mapping[str, ArrayLike] | None = None,
    stopped: ArrayLike | None = None,
    decimals: int | Mapping[str, int] | None = None,
    judged_flags: Collection[str] = JUDGED_FLAGS,
) -> HourVerdict:
    """Judge n hours of one outlet: hourly means, already converted where the standard asks for it.

    Parameters
    ----------
    values : factor → n hourly means in the limit's unit; NaN where missing. Factors without a limit are not judged.
    limits : factor → :class:`Limit`, or a number for an upper limit.
    flags : factor → n data flags (HJ 212-2017 table 8). A flag outside ``judged_flags`` makes the value no data; marked
        data take no part in the judgement. ``F`` on every limited factor that has a flag means stopped.
    stopped : n booleans, when the operating state is known (工况标记).
    decimals : ``None`` compares the value as it is (GB/T 8170-2008 clause 4, 全数值比较法, the rule where a standard
        says nothing else); a number, or a number per factor, rounds first (修约值比较法). Conversion leaves noise in
        the last bits, so the comparison always looks at 9 places only.

    Returns
    -------
    HourVerdict. The hour is stopped, else exceeding when any factor exceeds, else normal when at least one factor was
    judged (see ``complete``), else no data. A value equal to the limit complies.
    """
    if not limits:
        raise ValueError("no limits: an outlet without limits cannot be judged")
    columns = {factor: np.atleast_1d(as_float(values.get(factor, np.nan))) for factor in limits}
    shape = np.broadcast_shapes(*(column.shape for column in columns.values()))
    columns = {factor: np.broadcast_to(column, shape) for factor, column in columns.items()}
    off = _stopped(shape, limits, flags, stopped)
    codes: dict[str, NDArray[np.int8]] = {}
    multiples: dict[str, FloatArray] = {}
    for factor, bound in limits.items():
        limit = bound if isinstance(bound, Limit) else Limit(factor, upper=float(bound))
        places = decimals.get(factor) if isinstance(decimals, Mapping) else decimals
        value = _judged_value(columns[factor], flags, factor, judged_flags)
        codes[factor], multiples[factor] = _judge_factor(value, limit, places, off)
    stack = np.stack(list(codes.values()))
    code = np.full(shape, State.NO_DATA, dtype=np.int8)
    code[(stack == State.NORMAL).any(axis=0)] = State.NORMAL
    code[(stack == State.EXCEEDING).any(axis=0)] = State.EXCEEDING
    code[off] = State.STOPPED
    return HourVerdict(code, codes, multiples, (stack != State.NO_DATA).all(axis=0))


def convert_to_reference_oxygen(
    c_dry: ArrayLike, o2: ArrayLike, o2_ref: float | None, *, o2_cap: float | None = None
) -> FloatArray:
    """Converted concentration ``C = C_dry × (21 - O2_ref) / (21 - O2)`` (HJ 212-2017 Annex D, formula 28; 26 and 27).

    Parameters
    ----------
    c_dry : measured dry concentration, mg/m³. o2, o2_ref : dry oxygen content, %. ``o2_ref=None``: the standard has no
        reference, the concentration is returned as it is.
    o2_cap : near 21 % the conversion runs away (a cold or stopped stack); O2 above the cap counts as the cap. Without
        a cap O2 of 21 % and more gives NaN.
    """
    c, oxygen = np.broadcast_arrays(as_float(c_dry), as_float(o2))
    if o2_ref is None:
        return np.asarray(c.copy())
    if o2_cap is not None:
        oxygen = np.minimum(oxygen, o2_cap)
    left = np.where(oxygen < OXYGEN_IN_AIR, OXYGEN_IN_AIR - oxygen, np.nan)
    return np.asarray(c * (OXYGEN_IN_AIR - o2_ref) / left)


def excess_air(o2_dry: ArrayLike) -> FloatArray:
    """Excess air coefficient ``α = 21 / (21 - O2)`` (Annex D, formula 27); NaN at 21 % and above."""
    oxygen = as_float(o2_dry)
    return np.asarray(OXYGEN_IN_AIR / np.where(oxygen < OXYGEN_IN_AIR, OXYGEN_IN_AIR - oxygen, np.nan))


def convert_by_excess_air(c_dry: ArrayLike, o2_dry: ArrayLike, alpha_ref: float) -> FloatArray:
    """Converted concentration ``C_dry × α / α_s`` (Annex D, formula 26), α from :func:`excess_air`."""
    return np.asarray(as_float(c_dry) * excess_air(o2_dry) / alpha_ref)


def standard_state(
    c: ArrayLike, temperature: ArrayLike, static_pressure: ArrayLike, atmosphere: ArrayLike
) -> FloatArray:
    """Concentration at the standard state, mg/m³ (Annex D, formula 18): ``C × 101325/(Ba + Ps) × (273 + ts)/273``.

    ``temperature`` of the flue gas in °C, ``static_pressure`` Ps and ``atmosphere`` Ba in Pa.
    """
    pressure = as_float(atmosphere) + as_float(static_pressure)
    return np.asarray(as_float(c) * STANDARD_PRESSURE / pressure * (KELVIN + as_float(temperature)) / KELVIN)


def dry_basis(c_wet: ArrayLike, moisture: ArrayLike) -> FloatArray:
    """Dry concentration ``C_wet / (1 - Xsw)`` (Annex D, formula 19); ``moisture`` as a fraction 0..1."""
    return np.asarray(as_float(c_wet) / (1 - _fraction(moisture)))


def ppm_to_mass(ppm: ArrayLike, factor: str) -> FloatArray:
    """Mass concentration ``M / 22.4 × ppm``, mg/m³ (Annex D, formula 20); ``nox`` is taken as NO2."""
    if factor not in MOLAR_MASS:
        raise ValueError(f"no molar mass for {factor!r}; known: {', '.join(MOLAR_MASS)}")
    return np.asarray(as_float(ppm) * MOLAR_MASS[factor] / MOLAR_VOLUME)


def nox_as_no2(no: ArrayLike, no2: ArrayLike) -> FloatArray:
    """NOx as NO2, mg/m³: ``C_NO × 46/30 + C_NO2`` (Annex D, formula 21)."""
    return np.asarray(as_float(no) * MOLAR_MASS["no2"] / MOLAR_MASS["no"] + as_float(no2))


def nox_from_ppm(no_ppm: ArrayLike, no2_ppm: ArrayLike) -> FloatArray:
    """NOx as NO2, mg/m³: ``(ppm_NO + ppm_NO2) × 46/22.4`` (Annex D, formula 22)."""
    return ppm_to_mass(as_float(no_ppm) + as_float(no2_ppm), "no2")


def flue_velocity(point_velocity: ArrayLike, field_coefficient: float) -> FloatArray:
    """Mean velocity in the section ``Kv × Vp``, m/s (Annex D, formula 29)."""
    return np.asarray(as_float(point_velocity) * field_coefficient)


def actual_flow(area: float, velocity: ArrayLike) -> FloatArray:
    """Actual flow ``3600 × F × V``, m³/h (Annex D, formula 30); area m², velocity m/s."""
    return np.asarray(3600.0 * area * as_float(velocity))


def standard_dry_flow(
    flow: ArrayLike, temperature: ArrayLike, static_pressure: ArrayLike, atmosphere: ArrayLike, moisture: ArrayLike
) -> FloatArray:
    """Dry flow at the standard state, m³/h (Annex D, formula 31).

    ``Q × 273/(273 + ts) × (Ba + Ps)/101325 × (1 - Xsw)``; temperature °C, pressures Pa, moisture a fraction.
    """
    pressure = as_float(atmosphere) + as_float(static_pressure)
    heat = KELVIN / (KELVIN + as_float(temperature))
    return np.asarray(as_float(flow) * heat * pressure / STANDARD_PRESSURE * (1 - _fraction(moisture)))


def hourly_amount(c_dry: ArrayLike, dry_flow: ArrayLike) -> FloatArray:
    """Hourly emission ``C × Q × 10⁻⁶``, kg/h (Annex D, formula 33), from the measured, not the converted, value."""
    return np.asarray(as_float(c_dry) * as_float(dry_flow) * 1e-6)


def hour_mean(minutes: ArrayLike, *, needed: int = 45) -> float:
    """Mean of the valid minutes of an hour, NaN with fewer than 45 (Annex D, formula 24 and D.2.2)."""
    return _mean(minutes, needed)


def day_mean(hours: ArrayLike, *, needed: int = 20) -> float:
    """Mean of the valid hours of a day, NaN with fewer than 20 (Annex D, formula 25 and D.2.2)."""
    return _mean(hours, needed)


def water_amount(volume: ArrayLike, concentration: ArrayLike) -> FloatArray:
    """Load of waste water ``D × C × 10⁻³``, kg (Annex D, water part); D in m³, C in mg/L."""
    return np.asarray(as_float(volume) * as_float(concentration) * 1e-3)


def water_flow(volume: ArrayLike, seconds: float) -> FloatArray:
    """Mean flow of a period in L/s from its volume in m³: ``D × 1000 / T``.

    Annex D prints Q = D/3600 without the factor 1000 although D is in m³ and Q in L/s: an erratum, corrected here.
    """
    return np.asarray(as_float(volume) * 1000.0 / seconds)


def weighted_concentration(volume: ArrayLike, concentration: ArrayLike) -> float:
    """Flow-weighted mean ``G / D × 10³``, mg/L (Annex D, water part); NaN without flow."""
    d, c = np.broadcast_arrays(as_float(volume), as_float(concentration))
    valid = np.isfinite(d) & np.isfinite(c)
    total = float(d[valid].sum())
    return float((d[valid] * c[valid]).sum() / total) if total > 0 else float("nan")


def _mean(values: ArrayLike, needed: int) -> float:
    array = as_float(values)
    valid = array[np.isfinite(array)]
    return float(valid.mean()) if len(valid) >= needed else float("nan")


def _fraction(moisture: ArrayLike) -> FloatArray:
    x = as_float(moisture)
    if np.any(x >= 1):
        raise ValueError("moisture is a fraction below 1 (0.08 for 8 %)")
    return x


def _stopped(
    shape: tuple[int, ...],
    limits: Mapping[str, Limit | float],
    flags: Mapping[str, ArrayLike] | None,
    stopped: ArrayLike | None,
) -> NDArray[np.bool_]:
    off = np.zeros(shape, dtype=np.bool_)
    if stopped is not None:
        off |= np.broadcast_to(np.asarray(stopped, dtype=np.bool_), shape)
    flagged = [_flags(flags[factor], shape) for factor in limits if factor in flags] if flags else []
    if flagged:
        off |= np.all([column == STOPPED_FLAG for column in flagged], axis=0)
    return off


def _judged_value(
    column: FloatArray, flags: Mapping[str, ArrayLike] | None, factor: str, judged_flags: Collection[str]
) -> FloatArray:
    valid = np.isfinite(column)
    if flags is not None and factor in flags:
        valid = valid & np.isin(_flags(flags[factor], column.shape), sorted(judged_flags))
    return np.where(valid, column, np.nan)


def _flags(column: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.broadcast_to(np.char.strip(np.asarray(column, dtype=np.str_)), shape)


def _judge_factor(
    value: FloatArray, limit: Limit, decimals: int | None, off: NDArray[np.bool_]
) -> tuple[NDArray[np.int8], FloatArray]:
    compared = np.atleast_1d(round_half_even(value, 9 if decimals is None else decimals))
    above = compared > limit.upper if limit.upper is not None else np.zeros(value.shape, dtype=np.bool_)
    below = compared < limit.lower if limit.lower is not None else np.zeros(value.shape, dtype=np.bool_)
    code = np.where(np.isnan(value), State.NO_DATA, np.where(above | below, State.EXCEEDING, State.NORMAL))
    code = np.where(off, State.STOPPED, code).astype(np.int8)
    multiples = np.full(value.shape, np.nan)
    if limit.upper and limit.lower is None:
        exceeding = code == State.EXCEEDING
        multiples[exceeding] = (compared[exceeding] - limit.upper) / limit.upper
    return code, multiples
