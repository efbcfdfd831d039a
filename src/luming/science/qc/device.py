"""Checks of the device: its flags, calibrations due and failed, zero and span drift, maintenance that lasts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from luming.science.qc import arrays
from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import MEDIA, present
from luming.science.qc.model import Check, Mark, Parameter, Results, Severity, Span, Window

DAY = np.timedelta64(86400, "s")

# HJ 212-2017 table 8 (N F M S D C T B); P of HJ/T 212-2005 is a power failure. Others come with later editions.
NORMAL = ("", "N")
NO_MEASUREMENT = ("F", "M", "D", "C", "T", "B", "P")
SET_BY_HAND = ("S",)


def flag_decides(window: Window, factor: str) -> Results:
    """FAIL where the device says it does not measure (F M D C T B, P of 2005), SUSPECT for S and unknown letters."""
    if _all_normal(window, factor):
        return answers(window, factor)
    flags = _letters(window, factor)
    normal, none = np.isin(flags, NORMAL), np.isin(flags, NO_MEASUREMENT)
    return answers(window, factor, fail=none, suspect=~normal & ~none)


def flag_agrees(window: Window, factor: str, change: float, within: float) -> Results:
    """SUSPECT where the flag contradicts the value.

    B (no communication), D (fault) or F (stopped) over values that go on changing by more than ``change`` % of
    themselves; T (above range) over a value below ``within`` % of the instrument's range; N over a value at or above
    the top of the range.
    """
    values = window.values[factor]
    top = window.range.get(factor, (math.nan, math.nan))[1]
    if _all_normal(window, factor):
        reaches = arrays.extremes(window, factor)[1] >= top
        return answers(window, factor, suspect=values >= top if reaches else None)
    flags = _letters(window, factor)
    last = arrays.before(values)
    same_flag = np.concatenate([[False], flags[1:] == flags[:-1]])[: len(values)]
    lively = same_flag & arrays.follows(window) & (np.abs(values - last) > change / 100 * np.abs(values)) & (values > 0)
    contradicts = np.isin(flags, ("B", "D", "F")) & lively
    contradicts |= (flags == "T") & (values < within / 100 * top)
    contradicts |= np.isin(flags, NORMAL) & (values >= top)
    return answers(window, factor, suspect=contradicts)


def calibrated_in_time(window: Window, factor: str, days: float, times: float) -> Results:
    """SUSPECT where the last calibration of the factor ended more than ``days`` ago, FAIL beyond ``times`` that.

    A value before any known calibration is unknown.
    """
    ends = np.sort(np.array([span.end for span in _calibrations(window, factor)], dtype="datetime64[s]"))
    place = np.searchsorted(ends, window.time, side="right") - 1
    age = np.full(len(window), np.nan)
    known = place >= 0
    age[known] = (window.time[known] - ends[place[known]]) / DAY
    return answers(window, factor, fail=age > times * days, suspect=age > days, unknown=~known)


def zero_holds(window: Window, factor: str, suspect: float, fail: float) -> Results:
    """FAIL after a calibration whose zero drifted beyond ``fail`` (% of full scale); see :func:`_drift`."""
    return _drift(window, factor, "zero", suspect, fail)


def span_holds(window: Window, factor: str, suspect: float, fail: float) -> Results:
    """FAIL after a calibration whose span drifted beyond ``fail`` (% of full scale); see :func:`_drift`."""
    return _drift(window, factor, "span", suspect, fail)


def _drift(window: Window, factor: str, point: str, suspect: float, fail: float) -> Results:
    """SUSPECT from the last good calibration to one that drifted beyond ``fail``, FAIL from there to the next good one.

    Between those limits (``suspect``: adjust) the values since the last good calibration are suspect. The detail of a
    calibration's span has ``point`` (zero or span), ``expected`` and ``measured`` (unit of the factor) and
    ``full_scale``; the drift is (measured − expected)/full scale.
    """
    failed = np.zeros(len(window), dtype=np.bool_)
    doubtful = np.zeros(len(window), dtype=np.bool_)
    since: np.datetime64 | None = None
    out = False
    for span in sorted(_calibrations(window, factor), key=lambda span: span.end):
        drift = drift_of(span, point)
        if math.isnan(drift):
            continue
        if out:
            failed |= _between(window, since, span.start)
        elif abs(drift) > suspect:
            doubtful |= _between(window, since, span.start)
        out = abs(drift) > fail
        since = span.end
    if out:
        failed |= _between(window, since, None)
    return answers(window, factor, fail=failed, suspect=doubtful)


def drift_of(span: Span, point: str) -> float:
    """Return the drift that a calibration found at its zero or span point, % of full scale; NaN where it says none."""
    detail = span.detail
    if detail.get("point") != point:
        return math.nan
    try:
        full_scale = float(detail["full_scale"])
        return 100 * (float(detail["measured"]) - float(detail["expected"])) / full_scale if full_scale else math.nan
    except (KeyError, TypeError, ValueError):
        return math.nan


def maintenance_ends(window: Window, factor: str, hours: float) -> Results:
    """SUSPECT in a maintenance that has lasted more than ``hours``."""
    long = np.zeros(len(window), dtype=np.bool_)
    for span in _spans(window, factor, "maintenance"):
        long |= _between(window, span.start + np.timedelta64(round(hours * 3600), "s"), span.end)
    return answers(window, factor, suspect=long)


def not_within_calibration(window: Window, factor: str) -> Results:
    """SUSPECT where the whole period lies within a calibration, maintenance or fault: it measured no sample."""
    within = np.zeros(len(window), dtype=np.bool_)
    length = np.timedelta64(round(window.interval), "s")
    for span in window.spans:
        if span.kind in ("calibration", "maintenance", "fault") and _concerns(span, factor):
            within |= (window.time >= span.start) & (window.time + length <= span.end)
    return answers(window, factor, suspect=within)


def _all_normal(window: Window, factor: str) -> bool:
    flags = window.flags[factor]
    return bool(window.once(("normal", factor), lambda: (flags == "N").all() or (flags == "").all()))


def _letters(window: Window, factor: str) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
    letters: np.ndarray[tuple[int, ...], np.dtype[np.str_]] = np.char.upper(
        np.char.strip(np.asarray(window.flags[factor], dtype=np.str_))
    )
    return letters


def _between(window: Window, start: np.datetime64 | None, end: np.datetime64 | None) -> Booleans:
    inside = np.ones(len(window), dtype=np.bool_)
    if start is not None:
        inside &= window.time >= start
    if end is not None:
        inside &= window.time < end
    return inside


def _concerns(span: Span, factor: str) -> bool:
    return bool(span.detail.get("factor", factor) == factor)


def _spans(window: Window, factor: str, kind: str) -> list[Span]:
    return [span for span in window.spans if span.kind == kind and _concerns(span, factor)]


def _calibrations(window: Window, factor: str) -> list[Span]:
    return _spans(window, factor, "calibration")


def _with_flags(window: Window, factor: str) -> bool:
    return present(window, factor) and factor in window.flags


def _with_calibrations(window: Window, factor: str) -> bool:
    return present(window, factor) and bool(_calibrations(window, factor))


def _with_drift(point: str, window: Window, factor: str) -> bool:
    return present(window, factor) and any(
        not math.isnan(drift_of(span, point)) for span in _calibrations(window, factor)
    )


def _with_maintenance(window: Window, factor: str) -> bool:
    return present(window, factor) and bool(_spans(window, factor, "maintenance"))


def _with_spans(window: Window, factor: str) -> bool:
    kinds = ("calibration", "maintenance", "fault")
    return present(window, factor) and any(span.kind in kinds and _concerns(span, factor) for span in window.spans)


def _last_row(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 1.5 * interval, 0.0


_PARTICLES = ("air:pm25", "air:pm10", "air:tsp")
_GASES = ("air:so2", "air:no2", "air:no", "air:nox", "air:co", "air:o3")
_DUE = (
    dict.fromkeys(_PARTICLES, 31.0)
    | dict.fromkeys(_GASES, 7.0)
    | {f"gas:{name}": 7.0 for name in ("so2", "nox", "no", "no2", "o2", "co")}
    | {"gas:dust": 15.0}
    | {f"sewage:{name}": 7.0 for name in ("cod", "nh3n", "tp", "tn", "ph")}
    | {f"water:{name}": 7.0 for name in ("codmn", "nh3n", "tp", "tn")}
)
_DUST = {"gas:dust": 2.0}

CHECKS: tuple[Check, ...] = (
    Check(
        "DEV-FLAG",
        "仪器状态标记",
        "flag of the device",
        Severity.INVALID,
        flag_decides,
        _with_flags,
        MEDIA,
        "HJ 212-2017 table 8 (N F M S D C T B); P of HJ/T 212-2005 was not read; later letters as they come",
        Mark.VERIFIED,
        explain_zh="仪器自报停运 F、维护 M、故障 D、校准 C、超量程 T、通讯异常 B（及 2005 版 P 断电）时没有有效测量；"
        "手工设定 S 和未知标记需人工判断。",
        explain_en="The device itself says stopped F, maintenance M, fault D, calibration C, above range T, no "
        "communication B (P, power failure, in 2005): no valid measurement. A value set by hand (S) and unknown "
        "letters want a person.",
    ),
    Check(
        "DEV-FLAG-VALUE",
        "状态标记与数值矛盾",
        "flag against value",
        Severity.SUSPECT,
        flag_agrees,
        _with_flags,
        MEDIA,
        "HJ 212-2017 table 8, meaning of the marks",
        Mark.VERIFIED,
        (
            Parameter("change", 2.0, "%", "视为仍在变化", "counts as still changing", 0),
            Parameter("within", 80.0, "%", "低于量程比例却标 T", "below so much of the range yet marked T", 0, 100),
        ),
        reach=5400.0,
        explain_zh="标记通讯异常、故障或停运而数值照常变化；标记超量程而数值在量程内；标记正常而数值已到量程顶。标记"
        "可能被用来掩盖数据。",
        explain_en="Marked as out of communication, faulty or stopped while the values go on changing; as above "
        "range while within it; as normal at the top of the range. A mark may serve to hide data.",
        reaches=_last_row,
    ),
    Check(
        "DEV-CALIBRATION-DUE",
        "校准超期",
        "calibration overdue",
        Severity.INFORM,
        calibrated_in_time,
        _with_calibrations,
        MEDIA,
        "HJ 75-2017 clause 11 (flue gas), HJ 818-2018 (air), HJ 355-2019 (waste water)",
        Mark.MEMORY,
        (
            Parameter("days", 31.0, "d", "校准周期", "days between calibrations", 0, by_factor=_DUE),
            Parameter("times", 2.0, "", "异常为周期的倍数", "fail beyond so many times that", 1),
        ),
        explain_zh="距上次校准超过规定周期，数据的准确度没有依据。安排校准；严重超期的数据需评估。",
        explain_en="Longer since the last calibration than allowed: nothing vouches for the accuracy. Calibrate; "
        "judge data that is long overdue.",
    ),
    Check(
        "DEV-ZERO-DRIFT",
        "零点漂移超限",
        "zero drift beyond the limit",
        Severity.INFORM,
        zero_holds,
        lambda window, factor: _with_drift("zero", window, factor),
        MEDIA,
        "HJ 75-2017 clause 11 (out of control beyond 5 % of full scale, particles 8 %)",
        Mark.MEMORY,
        (
            Parameter("suspect", 2.5, "%", "应调整", "adjust beyond", 0, by_factor=_DUST),
            Parameter("fail", 5.0, "%", "失控", "out of control beyond", 0, by_factor={"gas:dust": 8.0}),
        ),
        explain_zh="校准发现零点漂移超限：此次至下次合格校准间数据失控（无效），上次合格校准以来的数据存疑。",
        explain_en="A calibration found the zero beyond the limit: out of control until the next good one (fail), "
        "doubtful since the last good one (suspect).",
    ),
    Check(
        "DEV-SPAN-DRIFT",
        "量程漂移超限",
        "span drift beyond the limit",
        Severity.INFORM,
        span_holds,
        lambda window, factor: _with_drift("span", window, factor),
        MEDIA,
        "HJ 75-2017 clause 11 (out of control beyond 10 % of full scale, particles 8 %)",
        Mark.MEMORY,
        (
            Parameter("suspect", 2.5, "%", "应调整", "adjust beyond", 0, by_factor=_DUST),
            Parameter("fail", 10.0, "%", "失控", "out of control beyond", 0, by_factor={"gas:dust": 8.0}),
        ),
        explain_zh="校准发现量程漂移超限：此次至下次合格校准间数据失控（无效），上次合格校准以来的数据存疑。",
        explain_en="A calibration found the span beyond the limit: out of control until the next good one (fail), "
        "doubtful since the last good one (suspect).",
    ),
    Check(
        "DEV-MAINTENANCE",
        "维护超时",
        "maintenance longer than allowed",
        Severity.INFORM,
        maintenance_ends,
        _with_maintenance,
        MEDIA,
        "Rules for marks of automatic monitoring equipment (MEE announcement 2022 No. 21); hours are configuration",
        Mark.MEMORY,
        (Parameter("hours", 6.0, "h", "允许时长", "hours allowed", 0),),
        explain_zh="维护状态持续超过允许时长，可能以维护为名不报数据。核对维护记录；超时应改用人工监测。",
        explain_en="Maintenance lasts longer than allowed: it may serve to report nothing. Compare the maintenance "
        "log; beyond the limit manual monitoring is due.",
    ),
    Check(
        "DEV-PERIOD",
        "校准、维护或故障期间的数据",
        "within calibration, maintenance or fault",
        Severity.INFORM,
        not_within_calibration,
        _with_spans,
        MEDIA,
        "HJ 75-2017 clause 12 (data of calibration and maintenance is invalid)",
        Mark.MEMORY,
        explain_zh="整个时段处于校准、维护或故障，测的不是样品。",
        explain_en="The whole period lies within a calibration, maintenance or fault: what was measured is no sample.",
    ),
)
