"""Checks of when: missing, late, out of order, repeated, in the future, and the clock of the logger."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from luming.science.qc import arrays
from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import MEDIA, present
from luming.science.qc.model import Check, Floats, Mark, Parameter, Results, Severity, Window

MINUTE = 60.0


def not_missing(window: Window, factor: str, gap: float) -> Results:
    """MISSING where the row has no value; SUSPECT in the first row after absent rows (more than ``gap`` intervals)."""
    after_gap = window.once(("gap", gap), lambda: arrays.steps(window) > gap * window.interval)
    return answers(window, factor, suspect=after_gap)


def absent_periods(window: Window) -> int:
    """Return how many periods between the first and the last row have no row at all."""
    step = np.diff(np.unique(window.time)).astype("timedelta64[s]").astype(np.float64)
    return int(np.maximum(np.rint(step / window.interval) - 1, 0).sum())


def not_late(window: Window, factor: str, suspect: float, fail: float) -> Results:
    """SUSPECT and FAIL where the value was received more than so many minutes after its period ended."""

    def lateness() -> tuple[Booleans, Booleans, Booleans]:
        delay = _delay(window)
        return delay > fail * MINUTE, delay > suspect * MINUTE, np.isnan(delay)

    very, late, unknown = window.once(("late", suspect, fail), lateness)  # the same for every factor
    return answers(window, factor, fail=very, suspect=late, unknown=unknown)


def in_order(window: Window, factor: str) -> Results:
    """SUSPECT where a row lies before a row that came earlier."""
    return answers(window, factor, suspect=window.once("behind", lambda: _behind(window)))


def _behind(window: Window) -> Booleans:
    time = window.time.astype(np.int64)
    behind = np.zeros(len(time), dtype=np.bool_)
    behind[1:] = time[1:] < np.maximum.accumulate(time)[:-1]
    return behind


def not_repeated(window: Window, factor: str) -> Results:
    """FAIL where one time has different values, SUSPECT where it repeats the same value (from the second on)."""
    values = window.values[factor]
    n = len(values)
    if arrays.is_regular(window):
        return answers(window, factor)
    same_time = np.zeros(n, dtype=np.bool_)
    same_time[1:] = window.time[1:] == window.time[:-1]
    group = np.cumsum(~same_time) - 1
    real = ~np.isnan(values)
    groups = int(group[-1]) + 1 if n else 0
    low, high = np.full(groups, math.inf), np.full(groups, -math.inf)
    np.minimum.at(low, group[real], values[real])
    np.maximum.at(high, group[real], values[real])
    differs = (low < high)[group] if n else np.zeros(0, dtype=np.bool_)
    return answers(window, factor, fail=differs, suspect=same_time)


def not_in_future(window: Window, factor: str, tolerance: float) -> Results:
    """FAIL where the period begins more than ``tolerance`` minutes after now."""
    assert window.now is not None
    limit = window.now.astype("datetime64[s]") + np.timedelta64(round(tolerance * MINUTE), "s")
    return answers(window, factor, fail=window.once(("future", tolerance), lambda: window.time > limit))


def clock_right(window: Window, factor: str, ahead: float, behind: float, rows: float) -> Results:
    """FAIL where data came before its period was over by more than ``ahead`` minutes: the clock runs ahead.

    SUSPECT where even the quickest of the last ``rows`` came later than ``behind`` minutes after its period: the clock
    runs behind, or all data is held up.
    """

    def drift() -> tuple[Booleans, Booleans, Booleans]:
        delay = _delay(window)
        return delay < -ahead * MINUTE, _quickest(window, int(rows)) > behind * MINUTE, np.isnan(delay)

    fast, slow, unknown = window.once(("clock", ahead, behind, rows), drift)  # the same for every factor
    return answers(window, factor, fail=fast, suspect=slow, unknown=unknown)


def _quickest(window: Window, count: int) -> Floats:
    """Return the least delay of the last rows; NaN where they reach too far back."""
    time = arrays.seconds(window)
    whole = time - arrays.before(time, count - 1) <= 2 * count * window.interval
    return np.where(whole, arrays.rolling_extremes(_delay(window), count)[0], np.nan)


def _delay(window: Window) -> Floats:
    """Return the seconds from the end of each period to its arrival; NaN where that is not known."""
    kept: Floats = window.once("delay", lambda: _seconds_late(window))
    return kept


def _seconds_late(window: Window) -> Floats:
    assert window.received is not None
    known = ~np.isnat(window.received)
    delay = np.full(len(window), np.nan)
    lag = (window.received[known] - window.time[known]).astype("timedelta64[s]").astype(np.float64)
    delay[known] = lag - window.interval
    return delay


def _with_arrival(window: Window, factor: str) -> bool:
    return present(window, factor) and window.received is not None


def _with_now(window: Window, factor: str) -> bool:
    return present(window, factor) and window.now is not None


def _gap_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return max(3 * 86400.0, 48 * interval), 0.0  # a longer gap is not seen as such in a stream


def _clock_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 2 * parameters["rows"] * interval, 0.0


CHECKS: tuple[Check, ...] = (
    Check(
        "GEN-MISSING",
        "缺测",
        "missing",
        Severity.INFORM,
        not_missing,
        present,
        MEDIA,
        "IOOS QARTOD, gap test; GB 3095-2026 table 4 (validity counts periods with data)",
        Mark.METHOD,
        (Parameter("gap", 1.5, "", "超过此间隔数为有缺行", "intervals that make a gap", 1),),
        reach=3 * 86400.0,
        explain_zh="该时段没有数值（缺测），或此前有整行缺失（提示）。查看通讯、停电、维护，必要时补传。",
        explain_en="The period has no value (missing), or whole rows before it are absent (suspect). Look at "
        "communication, power and maintenance; ask the logger to send again.",
        reaches=_gap_reach,
    ),
    Check(
        "GEN-LATE",
        "迟到",
        "late",
        Severity.INFORM,
        not_late,
        _with_arrival,
        MEDIA,
        "HJ 633-2026 (real-time report within 1 h); limits are configuration",
        Mark.METHOD,
        (
            Parameter("suspect", 60.0, "min", "迟到超过", "suspect beyond", 0),
            Parameter("fail", 1440.0, "min", "严重迟到超过", "fail beyond", 0),
        ),
        explain_zh="数据在时段结束很久后才收到，实时应用时尚不存在。补传的数据照常统计。",
        explain_en="It arrived long after its period ended, so whatever ran in real time did not have it. It still "
        "counts.",
    ),
    Check(
        "GEN-ORDER",
        "时间倒序",
        "out of order",
        Severity.INFORM,
        in_order,
        present,
        MEDIA,
        "IOOS QARTOD, gap and syntax tests",
        Mark.METHOD,
        explain_zh="后到的行时间早于先到的行，常见于补传或时钟回拨。",
        explain_en="A row is older than one that came before it: data sent again, or a clock set back.",
        as_received=True,
    ),
    Check(
        "GEN-REPEAT",
        "同一时间多个数值",
        "several values for one time",
        Severity.SUSPECT,
        not_repeated,
        present,
        MEDIA,
        "One value per factor and period (HJ 212-2017 6.3)",
        Mark.METHOD,
        explain_zh="同一时间有多个数值：不一致时无法知道哪个对（异常），一致时多余的行不再计（存疑）。",
        explain_en="One time has several values: when they differ nobody knows which is right (fail), when they "
        "agree the later rows are not counted again (suspect).",
        reach=1.0,
        reaches=lambda parameters, interval: (1.0, 1.0),
    ),
    Check(
        "GEN-FUTURE",
        "未来时间",
        "in the future",
        Severity.INVALID,
        not_in_future,
        _with_now,
        MEDIA,
        "IOOS QARTOD, impossible date test",
        Mark.METHOD,
        (Parameter("tolerance", 10.0, "min", "允许超前", "allowed ahead", 0),),
        explain_zh="时段尚未开始，数据不可能已测得。数采仪时钟错误。",
        explain_en="The period has not begun, so nothing can have been measured. The logger's clock is wrong.",
    ),
    Check(
        "DEV-CLOCK",
        "时钟偏差",
        "clock drift",
        Severity.INFORM,
        clock_right,
        _with_arrival,
        MEDIA,
        "HJ 212-2017 6.7 (calibration of the logger's time); limits are configuration",
        Mark.METHOD,
        (
            Parameter("ahead", 2.0, "min", "允许超前", "allowed ahead", 0),
            Parameter("behind", 30.0, "min", "允许滞后", "allowed behind", 0),
            Parameter("rows", 12, "", "最近行数", "of the last so many rows", 2, 1000),
        ),
        reach=24 * 3600,
        explain_zh="时段未结束数据已到，说明时钟超前；最近数据最快的也很晚才到，说明时钟滞后或链路拥堵。下发校时。",
        explain_en="Data that arrives before its period is over tells of a clock ahead; when even the quickest is "
        "late, the clock is behind or the line is congested. Set the logger's clock.",
        reaches=_clock_reach,
    ),
)
