"""Continuous monitoring of waste gas: from what the analysers read to converted concentrations and amounts; rates.

The formulas are those of HJ 212-2017 Annex D (as in HJ/T 75-2007) and live in ``emission``; here they are put in order:
ppm → mg/m³ → standard state → dry basis → reference oxygen, and flow → amount. Means of hours and days and their
validity are in ``averages`` (medium ``gas``), amounts of hours without data in ``substitution``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from luming.standards import emission
from luming.standards.results import BoolArray, FloatArray
from luming.standards.rounding import as_float

OXYGEN_CAP = 20.0
"""%: dry oxygen above which the conversion is held. No text at hand names a number; our choice, to be configured."""

LEAST_CAPTURE = 0.75
"""Least valid data capture rate of a quarter (HJ 75-2017, from memory)."""

EFFECTIVE_TRANSMISSION_TARGET = 0.95
"""Target of the effective transmission rate (national, from 2023; memory; earlier 0.75 and 0.90)."""


@dataclass(frozen=True, slots=True)
class FlueGas:
    """State of the flue gas at the analyser, n values each or one for all.

    ``temperature`` °C, ``static_pressure`` and ``atmosphere`` Pa, ``moisture`` as a fraction 0..1, ``oxygen`` %.
    ``oxygen_wet`` says that oxygen was measured in wet gas.
    """

    temperature: ArrayLike = 0.0
    static_pressure: ArrayLike = 0.0
    atmosphere: ArrayLike = emission.STANDARD_PRESSURE
    moisture: ArrayLike = 0.0
    oxygen: ArrayLike = np.nan
    oxygen_wet: bool = False

    @property
    def dry_oxygen(self) -> FloatArray:
        """Oxygen content of the dry gas, %."""
        return emission.dry_basis(self.oxygen, self.moisture) if self.oxygen_wet else as_float(self.oxygen)


@dataclass(frozen=True, slots=True)
class Converted:
    """``dry``: mg/m³ at the standard state, dry; amounts are computed from it. ``converted``: to the reference oxygen;
    compliance is judged on it. ``held``: oxygen was above the cap, the plant may stand still (mark it or review it).
    """

    dry: FloatArray
    converted: FloatArray
    held: BoolArray


def convert(
    concentration: ArrayLike,
    gas: FlueGas,
    *,
    factor: str,
    o2_ref: float | None = None,
    ppm: bool = False,
    standard: bool = True,
    wet: bool = False,
    o2_cap: float = OXYGEN_CAP,
) -> Converted:
    """Convert concentrations of one factor (HJ 212-2017 Annex D, formulas 18 to 28).

    Parameters
    ----------
    concentration : mg/m³, or µmol/mol (``ppm=True``: then the standard state is contained in the molar volume).
    o2_ref : reference oxygen of the emission standard, %; None: the standard defines none, nothing is converted.
    standard : the concentration is at the standard state already; otherwise it is converted with the gas's temperature
        and pressures. wet : it is of wet gas.
    o2_cap : dry oxygen at and above it counts as the cap, because (21 - O2) runs towards zero.

    Examples
    --------
    >>> result = convert([35.0, 35.0], FlueGas(oxygen=[6.0, 20.9]), factor="so2", o2_ref=6.0)
    >>> result.converted.tolist(), result.held.tolist()
    ([35.0, 525.0], [False, True])
    """
    if not o2_cap < emission.OXYGEN_IN_AIR:
        raise ValueError("the cap of oxygen must lie below 21 %")
    mass = emission.ppm_to_mass(concentration, factor) if ppm else as_float(concentration)
    if not standard and not ppm:
        mass = emission.standard_state(mass, gas.temperature, gas.static_pressure, gas.atmosphere)
    dry = emission.dry_basis(mass, gas.moisture) if wet else np.array(mass)
    oxygen = gas.dry_oxygen
    dry, oxygen = np.broadcast_arrays(dry, oxygen)
    held = np.asarray(oxygen >= o2_cap) if o2_ref is not None else np.zeros(dry.shape, dtype=np.bool_)
    return Converted(dry, emission.convert_to_reference_oxygen(dry, oxygen, o2_ref, o2_cap=o2_cap), held)


def nox_of(no: Converted, no2: Converted) -> Converted:
    """Return NOx as NO2 from NO and NO2, ``C_NO × 46/30 + C_NO2`` (HJ 212-2017 Annex D, formula 21).

    >>> gas = FlueGas(oxygen=6.0)
    >>> no, no2 = (convert([c], gas, factor=f, o2_ref=6.0) for f, c in (("no", 30.0), ("no2", 4.0)))
    >>> nox_of(no, no2).dry.tolist()
    [50.0]
    """
    return Converted(
        emission.nox_as_no2(no.dry, no2.dry), emission.nox_as_no2(no.converted, no2.converted), no.held | no2.held
    )


def dry_flow(gas: FlueGas, *, velocity: ArrayLike, area: float, field_coefficient: float = 1.0) -> FloatArray:
    """Return the dry flow at the standard state, m³/h (Annex D, formulas 29 to 31); velocity m/s, area m²."""
    flow = emission.actual_flow(area, emission.flue_velocity(velocity, field_coefficient))
    return emission.standard_dry_flow(flow, gas.temperature, gas.static_pressure, gas.atmosphere, gas.moisture)


def amount(dry: ArrayLike, flow: ArrayLike) -> FloatArray:
    """Return hourly amounts, kg, from the measured dry, not the converted, concentration (Annex D, formula 33)."""
    return emission.hourly_amount(dry, flow)


def capture_rate(hours: ArrayLike, shutdown: ArrayLike, invalid: ArrayLike) -> FloatArray:
    """Return the valid data capture rate ``(hours - shutdown - invalid) / (hours - shutdown)`` (HJ 75-2017, memory).

    NaN when nothing was in operation; the least is ``LEAST_CAPTURE``. Per hour of a series: ``substitution``.

    >>> capture_rate([2208, 2208, 100], [208, 0, 100], [200, 552, 0]).tolist()
    [0.9, 0.75, nan]
    """
    operating = as_float(hours) - as_float(shutdown)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(operating > 0, (operating - as_float(invalid)) / operating, np.nan))


@dataclass(frozen=True, slots=True)
class Transmission:
    """Rates of n periods, NaN where nothing was expected."""

    received: FloatArray  # 传输率
    valid: FloatArray  # 有效率
    effective: FloatArray  # 有效传输率


def transmission(received: ArrayLike, expected: ArrayLike, valid: ArrayLike, expected_valid: ArrayLike) -> Transmission:
    """Return transmission, validity and effective transmission rate (污染物排放自动监测设备标记规则: 有效率 × 传输率).

    Parameters
    ----------
    received, expected : values that came and that should have come (shutdown hours are not expected [memory]).
    valid, expected_valid : valid values and those that should have been valid.

    Repeats and late extra values raise no rate above 1.

    >>> transmission(96, 100, 90, 100).effective.round(4).tolist()
    0.864
    """
    sent, good = _rate(received, expected), _rate(valid, expected_valid)
    return Transmission(sent, good, np.asarray(sent * good))


def _rate(part: ArrayLike, whole: ArrayLike) -> FloatArray:
    parts, wholes = np.broadcast_arrays(as_float(part), as_float(whole))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(wholes > 0, np.minimum(parts / wholes, 1.0), np.nan))
