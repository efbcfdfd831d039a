"""Checks of flue gas and of discharged amounts: conversion, amount, state of the gas, values while nothing runs."""

from __future__ import annotations

import math

import numpy as np

from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import present
from luming.science.qc.model import Check, Floats, Mark, Parameter, Results, Severity, Window

AIR_OXYGEN = 21.0  # %, as HJ 212-2017 D.3 (28) has it
STANDARD_PRESSURE = 101.325  # kPa

# What describes the gas or the water and is no pollutant.
STATE_FACTORS = frozenset({"o2", "velocity", "gastemp", "gaspres", "gashum", "flow", "temp", "ph", "ec"})


def converted_rightly(
    window: Window, factor: str, tolerance: float, share: float, times: float, guard: float
) -> Results:
    """SUSPECT where converted is not C·(21 − O2 reference)/(21 − O2 measured); FAIL by ``times`` the allowance.

    Allowed are ``tolerance`` (mg/m³) and ``share`` (%): a mean of converted values is not quite the converted mean.
    From ``guard`` % of oxygen on the formula runs to infinity and says nothing (unknown). Without a reference oxygen
    nothing may be converted: the two values must be equal.
    """
    values, converted = window.values[factor], window.converted[factor]
    oxygen = window.values.get("o2", np.full(len(values), np.nan))
    reference = window.reference_oxygen
    if math.isnan(reference):
        expected, unknown = values, np.isnan(converted)
    else:
        near_air = ~(oxygen < guard)
        expected = values * (AIR_OXYGEN - reference) / (AIR_OXYGEN - np.where(near_air, 0.0, oxygen))
        unknown = near_air | np.isnan(converted)
    apart = np.abs(converted - expected)
    allowed = np.fmax(tolerance, share / 100 * np.abs(expected))
    wrong = ~unknown & (apart > allowed)
    return answers(window, factor, fail=wrong & (apart > times * allowed), suspect=wrong, unknown=unknown)


def amount_is_product(window: Window, factor: str, tolerance: float, share: float, times: float) -> Results:
    """SUSPECT where the amount (kg) is not concentration × flow × time; FAIL by ``times`` the allowance.

    mg/m³ × m³/s × s × 10⁻⁶ = kg for gas, mg/L × L/s × s × 10⁻⁶ = kg for water; the measured, not the converted
    concentration. Allowed are ``tolerance`` (kg) and ``share`` (%), as a sum of products is not the product of means.
    """
    values, amount = window.values[factor], window.amount[factor]
    expected = values * window.values["flow"] * window.interval * 1e-6
    apart = np.abs(amount - expected)
    allowed = np.fmax(tolerance, share / 100 * np.abs(expected))
    return answers(window, factor, fail=apart > times * allowed, suspect=apart > allowed, unknown=np.isnan(apart))


def state_is_plausible(
    window: Window, factor: str, supersaturation: float, moving: float, static: float, absolute: float
) -> Results:
    """FAIL and SUSPECT where moisture, temperature, pressure, flow and velocity of the gas contradict each other.

    Moisture above saturation at the gas temperature by more than ``supersaturation`` (%) fails, no moisture in moving
    gas (above ``moving`` m/s) is suspect: dry and wet state are mixed up. A static pressure beyond ``static`` kPa is
    suspect and one of ``absolute`` kPa or more fails: it is absolute pressure. Flow without velocity, or velocity
    without flow, fails. Oxygen above that of air fails.
    """
    values = window.values[factor]
    none = np.zeros(len(values), dtype=np.bool_)
    if factor == "gashum":
        fail, suspect = _moisture(window, values, supersaturation, moving)
    elif factor == "gaspres":
        fail, suspect = values >= absolute, np.abs(values) > static
    elif factor in ("flow", "velocity") and "flow" in window.values and "velocity" in window.values:
        flow, velocity = window.values["flow"], window.values["velocity"]
        fail, suspect = ((flow <= 0) & (velocity > moving)) | ((flow > 0) & (velocity < 0)), none
        suspect = (flow > 0) & (velocity == 0)
    elif factor == "o2":
        fail, suspect = values > 21.5, values > AIR_OXYGEN
    else:
        fail, suspect = none, none
    return answers(window, factor, fail=fail, suspect=suspect)


def saturation_share(celsius: Floats, kilopascal: Floats | float = STANDARD_PRESSURE) -> Floats:
    """Return the volume share of water vapour at saturation (%), by the Magnus formula; 100 from boiling on.

    >>> saturation_share(np.array([50.0])).round(1).tolist()
    [12.2]
    """
    celsius = np.clip(celsius, -40.0, 200.0)
    pressure = 0.61094 * np.exp(17.625 * celsius / (celsius + 243.04))
    share: Floats = np.minimum(100 * pressure / kilopascal, 100.0)
    return share


def _moisture(window: Window, values: Floats, supersaturation: float, moving: float) -> tuple[Booleans, Booleans]:
    absent = np.full(len(values), np.nan)
    highest = saturation_share(window.values.get("gastemp", absent)) * (1 + supersaturation / 100)
    suspect = (values <= 0) & (window.values.get("velocity", absent) > moving)
    return values > highest, suspect


def quiet_while_stopped(window: Window, factor: str, allowed: float, air: float) -> Results:
    """SUSPECT where the plant is said to be stopped and the value says that it runs, or the other way round.

    A pollutant, flow or velocity above ``allowed`` (unit) while stopped; for oxygen, less than ``air`` (%) while
    stopped (something burns), or ``air`` and more while running (nothing burns, or the probe draws air).
    """
    assert window.stopped is not None
    values = window.values[factor]
    if factor == "o2":
        contradicts = np.where(window.stopped, values < air, values >= air)
    else:
        contradicts = window.stopped & (values > allowed)
    return answers(window, factor, suspect=contradicts & ~np.isnan(values))


def water_rests_while_stopped(window: Window, factor: str, allowed: float) -> Results:
    """FAIL for flow above ``allowed`` (L/s) while stopped; SUSPECT for other values unless the flow is at rest."""
    assert window.stopped is not None
    values = window.values[factor]
    flow = window.values.get("flow", np.full(len(values), np.nan))
    runs = window.stopped & (flow > allowed)
    if factor == "flow":
        return answers(window, factor, fail=runs)
    return answers(window, factor, suspect=runs | (window.stopped & np.isnan(flow)))


def _with_converted(window: Window, factor: str) -> bool:
    if not (present(window, factor) and factor in window.converted):
        return False
    return "o2" in window.values or math.isnan(window.reference_oxygen)


def _with_amount(window: Window, factor: str) -> bool:
    return present(window, factor) and factor in window.amount and factor != "flow" and "flow" in window.values


def _of_state(window: Window, factor: str) -> bool:
    return present(window, factor) and factor in ("gashum", "gaspres", "flow", "velocity", "o2")


def _may_stop_gas(window: Window, factor: str) -> bool:
    quiet = STATE_FACTORS - {"o2", "flow", "velocity"}
    return present(window, factor) and window.stopped is not None and factor not in quiet


def _may_stop_water(window: Window, factor: str) -> bool:
    return present(window, factor) and window.stopped is not None and factor not in ("temp", "ph")


GAS, SEWAGE = frozenset({"gas"}), frozenset({"sewage"})
_AMOUNT = (
    Parameter("tolerance", 0.01, "kg", "允许差", "allowed difference", 0),
    Parameter("share", 15.0, "%", "允许差（占应有值）", "allowed difference, of what it should be", 0),
    Parameter("times", 4.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
)
# Emissions that a stopped plant may still show: noise of the instruments and draught of the stack.
_QUIET = {
    f"gas:{name}": value
    for name, value in {
        "dust": 5,
        "so2": 10,
        "nox": 10,
        "no": 10,
        "no2": 10,
        "co": 20,
        "velocity": 2,
        "flow": 1,
    }.items()
}

CHECKS: tuple[Check, ...] = (
    Check(
        "GAS-CONVERTED",
        "折算值与含氧量不符",
        "converted value does not follow from oxygen",
        Severity.SUSPECT,
        converted_rightly,
        _with_converted,
        GAS,
        "HJ 212-2017 annex D formulas (26) to (28)",
        Mark.VERIFIED,
        (
            Parameter("tolerance", 1.0, "mg/m³", "允许差", "allowed difference", 0),
            Parameter("share", 10.0, "%", "允许差（占应有值）", "allowed difference, of what it should be", 0),
            Parameter("times", 4.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
            Parameter("guard", 19.0, "%", "含氧量达到此值不再折算", "oxygen from which nothing is converted", 0, 20.9),
        ),
        explain_zh="折算值应等于实测值×(21−基准含氧量)/(21−实测含氧量)。不符说明基准含氧量设置错、用错含氧量或人为改"
        "动。含氧量接近 21% 时公式发散，不判断；没有基准含氧量时不应折算。",
        explain_en="Converted is measured × (21 − reference)/(21 − measured oxygen). Otherwise the reference is set "
        "wrongly, another oxygen was used, or the figure was altered. Near 21 % the formula diverges and nothing is "
        "said; where no reference exists nothing may be converted.",
    ),
    Check(
        "GAS-AMOUNT",
        "排放量与浓度、流量不符",
        "amount is not concentration × flow",
        Severity.SUSPECT,
        amount_is_product,
        _with_amount,
        GAS,
        "HJ 212-2017 annex D formula (33): G = C·Q·10⁻⁶",
        Mark.VERIFIED,
        _AMOUNT,
        explain_zh="排放量应为实测浓度（不是折算浓度）×标干流量×时间。不符说明用了折算值、工况流量或单位有误。",
        explain_en="The amount is the measured (not the converted) concentration × standard dry flow × time. "
        "Otherwise the converted value, the actual flow or a wrong unit was used.",
    ),
    Check(
        "WW-AMOUNT",
        "排放量与浓度、流量不符",
        "amount is not concentration × flow",
        Severity.SUSPECT,
        amount_is_product,
        _with_amount,
        SEWAGE,
        "HJ 212-2017 annex D: G = D·C·10⁻³",
        Mark.VERIFIED,
        _AMOUNT,
        explain_zh="排放量应为浓度×流量×时间。不符说明单位（L/s 与 m³/h）、累计或传输有误。",
        explain_en="The amount is concentration × flow × time. Otherwise a unit (L/s for m³/h), a sum or the "
        "transmission is wrong.",
    ),
    Check(
        "GAS-STATE",
        "烟气参数不合理",
        "state of the gas is not plausible",
        Severity.SUSPECT,
        state_is_plausible,
        _of_state,
        GAS,
        "Saturation by the Magnus formula; what HJ 212-2017 annex D (18), (19), (30) needs to be right",
        Mark.METHOD,
        (
            Parameter("supersaturation", 20.0, "%", "允许过饱和", "allowed above saturation", 0),
            Parameter("moving", 2.0, "m/s", "视为流动", "counts as moving", 0),
            Parameter("static", 10.0, "kPa", "静压常见范围", "usual static pressure", 0),
            Parameter("absolute", 60.0, "kPa", "视为绝压", "counts as absolute pressure", 0),
        ),
        explain_zh="含湿量高于该烟温下的饱和值、流动烟气含湿量为零（干湿基混淆）、静压像绝压、有流速而无流量、含氧量"
        "高于空气，都会使标干换算和折算出错。",
        explain_en="Moisture above saturation at the gas temperature, no moisture in moving gas (dry and wet mixed "
        "up), static pressure that looks absolute, velocity without flow, more oxygen than air: each spoils the "
        "conversion to standard dry state.",
    ),
    Check(
        "GAS-STOPPED",
        "停产时有排放数值",
        "values while the plant is stopped",
        Severity.INFORM,
        quiet_while_stopped,
        _may_stop_gas,
        GAS,
        "Rules for marks of automatic monitoring equipment (MEE announcement 2022 No. 21)",
        Mark.SECONDARY,
        (
            Parameter("allowed", 10.0, "", "停产时允许", "allowed while stopped", 0, by_factor=_QUIET),
            Parameter("air", 19.0, "%", "视为空气的含氧量", "oxygen that counts as air", 0, 21),
        ),
        explain_zh="标记为停产，却有浓度、流速或低含氧量（在燃烧）；或标记为运行，含氧量却接近空气。核对工况标记和用"
        "电。",
        explain_en="Marked as stopped, yet with concentrations, velocity or little oxygen (something burns); or "
        "marked as running, yet with the oxygen of air. Compare the mark with the use of electricity.",
    ),
    Check(
        "WW-STOPPED",
        "停产时有排水数值",
        "values while the plant is stopped",
        Severity.INFORM,
        water_rests_while_stopped,
        _may_stop_water,
        SEWAGE,
        "Rules for marks of automatic monitoring equipment (MEE announcement 2022 No. 21)",
        Mark.SECONDARY,
        (Parameter("allowed", 0.5, "L/s", "停产时允许流量", "flow allowed while stopped", 0),),
        explain_zh="标记为停产，却有排水流量，或没有流量可证明未排水。核对工况标记、液位和泵的用电。",
        explain_en="Marked as stopped, yet water flows, or no flow proves that it rests. Compare the mark with "
        "levels and the pumps' use of electricity.",
    ),
)
