"""Checks of one value by itself: what the instrument and nature allow, detection limit, minimum and maximum."""

from __future__ import annotations

import math

import numpy as np

from luming.science.qc import arrays, factors
from luming.science.qc.arrays import answers
from luming.science.qc.model import Check, Mark, Parameter, Results, Severity, Window

MEDIA = frozenset(factors.MEDIA)


def within_range(window: Window, factor: str, low: float, high: float, margin: float) -> Results:
    """FAIL outside the instrument's range (unit of the factor), widened on both sides by ``margin`` (% of the span).

    ``low`` and ``high`` count where the window knows no range of the instrument; NaN is no bound.
    """
    bottom, top = window.range.get(factor, (low, high))
    allowance = margin / 100 * (top - bottom) if math.isfinite(top - bottom) else 0.0
    least, greatest = arrays.extremes(window, factor)
    if not (least < bottom - allowance or greatest > top + allowance):
        return answers(window, factor)
    values = window.values[factor]
    return answers(window, factor, fail=(values < bottom - allowance) | (values > top + allowance))


def within_nature(
    window: Window, factor: str, low: float, high: float, likely_low: float, likely_high: float
) -> Results:
    """FAIL outside what can be and at infinity, SUSPECT outside what is likely; NaN is no bound, bounds are allowed."""
    least, greatest = arrays.extremes(window, factor)
    if not (least < low or least < likely_low or greatest > high or greatest > likely_high or math.isinf(greatest)):
        return answers(window, factor)
    values = window.values[factor]
    impossible = (values < low) | (values > high) | np.isinf(values)
    return answers(window, factor, fail=impossible, suspect=(values < likely_low) | (values > likely_high))


def not_a_fill_value(window: Window, factor: str) -> Results:
    """FAIL where the figure is one that loggers write for "no value": −9999, −999, −6999, 1e20 …"""
    least, greatest = arrays.extremes(window, factor)
    if least >= -90 and greatest <= 1e19:
        return answers(window, factor)
    return answers(window, factor, fail=arrays.fill_values(window.values[factor]))


def not_negative(window: Window, factor: str, tolerance: float, times: float) -> Results:
    """SUSPECT below minus the tolerance, FAIL below ``times`` that: less is noise around zero, which is right."""
    values = window.values[factor]
    if arrays.extremes(window, factor)[0] >= -tolerance:
        return answers(window, factor)
    return answers(window, factor, fail=values < -times * tolerance, suspect=values < -tolerance)


def above_detection(window: Window, factor: str, limit: float) -> Results:
    """SUSPECT where the magnitude is below the detection limit: small negative figures mean "not detected" too."""
    values = window.values[factor]
    if arrays.extremes(window, factor)[0] >= limit:
        return answers(window, factor)
    return answers(window, factor, suspect=np.abs(values) < limit)


def not_over_range(window: Window, factor: str, cap: float) -> Results:
    """FAIL at or above the top of the instrument's range, SUSPECT at the usual cap of this kind of instrument.

    At the top the true value is higher and unknown. A window without the range of the instrument has only the cap.
    """
    values = window.values[factor]
    top = window.range.get(factor, (math.nan, math.nan))[1]
    greatest = arrays.extremes(window, factor)[1]
    if not (greatest >= top or greatest >= cap):
        return answers(window, factor)
    return answers(window, factor, fail=values >= top, suspect=values == cap)


def ordered_extremes(window: Window, factor: str, tolerance: float) -> Results:
    """FAIL unless minimum ≤ mean ≤ maximum, within ``tolerance`` (% of the largest magnitude) for rounding."""
    values = window.values[factor]
    absent = np.full(len(values), np.nan)
    low, high = window.minimum.get(factor, absent), window.maximum.get(factor, absent)
    unknown = np.isnan(low) & np.isnan(high)
    if not ((low > values) | (values > high) | (low > high)).any():
        return answers(window, factor, unknown=unknown)
    slack = tolerance / 100 * np.fmax(np.abs(values), np.fmax(np.abs(low), np.abs(high)))
    disordered = (low > values + slack) | (values > high + slack) | (low > high + slack)
    return answers(window, factor, fail=disordered, unknown=unknown)


def present(window: Window, factor: str) -> bool:
    """Tell whether the window has the factor; the plainest ``applies``."""
    return factor in window.values


def _with_negative_tolerance(window: Window, factor: str) -> bool:
    return present(window, factor) and not math.isnan(factors.usual("negative", factor, window.medium))


def _with_detection_limit(window: Window, factor: str) -> bool:
    return present(window, factor) and not math.isnan(factors.usual("detection", factor, window.medium))


def _with_extremes(window: Window, factor: str) -> bool:
    if factor == "wd":  # the mean of 350° and 10° lies between neither
        return False
    return present(window, factor) and (factor in window.minimum or factor in window.maximum)


CHECKS: tuple[Check, ...] = (
    Check(
        "GEN-RANGE",
        "超出仪器量程",
        "outside the instrument's range",
        Severity.INVALID,
        within_range,
        present,
        MEDIA,
        "IOOS QARTOD, gross range test",
        Mark.METHOD,
        (
            Parameter("low", math.nan, "", "量程下限（未登记量程时）", "bottom of the range when none is registered"),
            Parameter("high", math.nan, "", "量程上限（未登记量程时）", "top of the range when none is registered"),
            Parameter("margin", 2.5, "%", "允许超出（占量程）", "allowed beyond, of the span", 0, 100),
        ),
        explain_zh="数值在仪器量程之外，仪器不可能测出。查看量程设置、单位和数采仪换算。",
        explain_en="The instrument cannot measure such a value. Look at the range, the unit and the logger's scaling.",
    ),
    Check(
        "GEN-PHYSICAL",
        "超出物理可能范围",
        "outside what is physically possible",
        Severity.INVALID,
        within_nature,
        present,
        MEDIA,
        "IOOS QARTOD, gross range test; bounds of this product",
        Mark.METHOD,
        (
            Parameter("low", math.nan, "", "可能下限", "lowest possible", by_factor=factors.column("low")),
            Parameter("high", math.nan, "", "可能上限", "highest possible", by_factor=factors.column("high")),
            Parameter("likely_low", math.nan, "", "常见下限", "lowest likely", by_factor=factors.column("likely_low")),
            Parameter(
                "likely_high", math.nan, "", "常见上限", "highest likely", by_factor=factors.column("likely_high")
            ),
        ),
        explain_zh="数值在自然界或工艺中不可能（无效）或罕见（存疑，例如 pH 超出 4–11）。查看单位、缺测代码和探头状态"
        "。",
        explain_en="Nature or the process has no such value (fail), or rarely (suspect, as a pH outside 4–11). Look "
        "at the unit, the code for missing values and the state of the probe.",
    ),
    Check(
        "GEN-FILL",
        "缺测代码当作数值",
        "code for a missing value",
        Severity.INVALID,
        not_a_fill_value,
        present,
        MEDIA,
        "Habits of data loggers (−9999, −6999 …)",
        Mark.METHOD,
        explain_zh="数采仪或程序用 −9999、−999 等表示缺测，不是测量值。",
        explain_en="Loggers and programs write −9999, −999 and the like for a missing value; it is no measurement.",
    ),
    Check(
        "GEN-NEGATIVE",
        "负值",
        "negative value",
        Severity.INVALID,
        not_negative,
        _with_negative_tolerance,
        MEDIA,
        "No concentration is negative; the noise allowed around zero is this product's (HJ 817/818-2018 not read)",
        Mark.METHOD,
        (
            Parameter(
                "tolerance",
                0.0,
                "",
                "零点附近允许的负值",
                "allowed below zero",
                0,
                by_factor=factors.column("negative"),
            ),
            Parameter("times", 2.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
        ),
        explain_zh="浓度不会为负。略低于零是零点噪声，属正常；超出允许值提示零点漂移（存疑），明显为负是校准错误（无"
        "效）。",
        explain_en="No concentration is negative. A little below zero is noise and right; beyond what is allowed it "
        "hints at zero drift (suspect), clearly below zero at a wrong calibration (fail).",
    ),
    Check(
        "GEN-DETECTION",
        "低于检出限",
        "below the detection limit",
        Severity.INFORM,
        above_detection,
        _with_detection_limit,
        MEDIA,
        "Detection limits usual for the kind of instrument",
        Mark.MEMORY,
        (Parameter("limit", 0.0, "", "检出限", "detection limit", 0, by_factor=factors.column("detection")),),
        explain_zh="低于检出限，数值仅表示“未检出”，参与统计但不宜作精细比较。",
        explain_en="Below the detection limit the figure only says “not detected”; it counts, but bears no fine "
        "comparison.",
    ),
    Check(
        "GEN-OVERRANGE",
        "达到量程上限",
        "at the top of the range",
        Severity.INVALID,
        not_over_range,
        present,
        MEDIA,
        "HJ 212-2017 table 8, mark T (above measuring range)",
        Mark.VERIFIED,
        (Parameter("cap", math.nan, "", "仪器输出封顶值", "cap of the output", by_factor=factors.column("cap")),),
        explain_zh="数值停在量程上限或封顶值（如 999），真实浓度更高但未知。查看量程是否需要切换。",
        explain_en="The value stands at the top of the range or at a cap (such as 999): the truth is higher and "
        "unknown. See whether the range must be changed.",
    ),
    Check(
        "GEN-MINMAX",
        "最小值、均值、最大值不合序",
        "minimum, mean and maximum out of order",
        Severity.SUSPECT,
        ordered_extremes,
        _with_extremes,
        MEDIA,
        "HJ 212-2017 table 4 (-Min, -Avg, -Max of a period)",
        Mark.VERIFIED,
        (Parameter("tolerance", 0.1, "%", "修约允许差", "allowed for rounding", 0, 100),),
        explain_zh="同一时段应有最小值≤均值≤最大值；不合序说明数采仪统计或传输有误。",
        explain_en="Minimum ≤ mean ≤ maximum holds in every period; otherwise the logger computed or sent something "
        "wrong.",
    ),
)
