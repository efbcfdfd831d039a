"""Checks of ambient air: particles in order, nitrogen oxides, ozone, neighbouring stations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from luming.science.qc import arrays, factors
from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import present
from luming.science.qc.model import Check, Floats, Mark, Parameter, Results, Severity, Window

NO_TO_NO2 = 46 / 30  # molar masses as HJ 212-2017 D.3 (21) has them
WEATHER = frozenset({"temp", "rh", "pres", "ws", "wd", "rain"})


def particles_in_order(window: Window, factor: str, tolerance: float, share: float, times: float) -> Results:
    """SUSPECT where PM2.5 exceeds PM10 by more than ``tolerance`` (µg/m³) and ``share`` (%), FAIL by ``times`` that."""
    fine, coarse = window.values["pm25"], window.values["pm10"]
    excess = fine - coarse
    allowed = np.fmax(tolerance, share / 100 * coarse)
    return answers(
        window,
        factor,
        fail=excess > times * allowed,
        suspect=excess > allowed,
        unknown=np.isnan(excess),
    )


def nitrogen_sums(window: Window, factor: str, tolerance: float, share: float, times: float) -> Results:
    """SUSPECT where NOx is not NO·46/30 + NO2 within ``tolerance`` (unit) and ``share`` (%), FAIL by ``times`` that."""
    total = window.values["no"] * NO_TO_NO2 + window.values["no2"]
    apart = np.abs(window.values["nox"] - total)
    allowed = np.fmax(tolerance, share / 100 * np.abs(total))
    return answers(window, factor, fail=apart > times * allowed, suspect=apart > allowed, unknown=np.isnan(apart))


def ozone_beside_nitrogen(window: Window, factor: str, ozone: float, no: float, nox: float, no2: float) -> Results:
    """SUSPECT where much ozone stands beside much NO, which consumes it in minutes; or beside very much NOx or NO2.

    NO is taken from NOx and NO2 where it is not measured; all in µg/m³.
    """
    values = window.values
    much = values["o3"] > ozone
    consumed = np.zeros(len(window), dtype=np.bool_)
    known = np.zeros(len(window), dtype=np.bool_)
    measured_no = values.get("no")
    if measured_no is None and "nox" in values and "no2" in values:
        measured_no = (values["nox"] - values["no2"]) / NO_TO_NO2
    for column, limit in ((measured_no, no), (values.get("nox"), nox), (values.get("no2"), no2)):
        if column is not None:
            consumed |= column > limit
            known |= ~np.isnan(column)
    return answers(window, factor, suspect=much & consumed, unknown=~known | np.isnan(values["o3"]))


def like_neighbours(
    window: Window,
    factor: str,
    suspect: float,
    share: float,
    spread: float,
    stations: float,
    sector: float,
    calm: float,
) -> Results:
    """SUSPECT where the value lies far from its neighbours' median: FAIL is never said, a local source may be real.

    Far is more than ``suspect`` (unit), ``share`` (% of the median) and ``spread`` times the neighbours' own scatter
    (1.4826 MAD); at least ``stations`` neighbours must have a value. Where wind is known and not ``calm`` (m/s), a
    neighbour within ``sector`` degrees of the wind's line that lies far as well, to the same side, explains the value;
    in calm air all limits are half as high again, as local sources stay local.
    """
    values = window.values[factor]
    others = np.stack([other.values for other in window.neighbours[factor]], axis=1)
    level = arrays.median(others)
    scatter = 1.4826 * arrays.median(np.abs(others - level[:, None]))
    limit = np.fmax(np.fmax(suspect, share / 100 * np.abs(level)), spread * scatter)
    speed = window.values.get("ws")
    if speed is not None:
        limit = np.where(speed < calm, 1.5 * limit, limit)
    apart = values - level
    far = np.abs(apart) > limit
    if speed is not None and "wd" in window.values:
        far &= ~_explained_by_wind(window, factor, others - level[:, None], apart, limit / 2, sector, speed >= calm)
    too_few = np.count_nonzero(~np.isnan(others), axis=1) < stations
    return answers(window, factor, suspect=far & ~too_few, unknown=too_few)


def _explained_by_wind(
    window: Window, factor: str, others: Floats, apart: Floats, limit: Floats, sector: float, blowing: Booleans
) -> Booleans:
    bearings = np.array([other.bearing_deg for other in window.neighbours[factor]])
    turn = np.abs((window.values["wd"][:, None] - bearings + 180) % 360 - 180)
    in_line = (turn <= sector) | (turn >= 180 - sector)
    same_side = (np.sign(others) == np.sign(apart)[:, None]) & (np.abs(others) > limit[:, None])
    explained: Booleans = blowing & (in_line & same_side).any(axis=1)
    return explained


def no_twin(window: Window, factor: str, rows: float, share: float, lively: float, width: float) -> Results:
    """SUSPECT where ``share`` % of the last ``rows`` values equal those of another station, FAIL where all do.

    Only values that change count: at least ``lively`` % of them must differ from the row before, they must range over
    ``width`` steps of the usual resolution, or few figures meet by chance, and those below detection are passed over,
    as nothing is the same everywhere.
    """
    values = window.values[factor]
    count = int(rows)
    floor = factors.usual("detection", factor, window.medium)
    real = ~np.isnan(values) & ~(values < floor)
    last = arrays.before(values)
    changing = arrays.rolling_count(real & (values != last) & ~np.isnan(last), count) >= lively / 100 * count
    step = factors.usual("resolution", factor, window.medium)
    lowest, highest = arrays.rolling_extremes(np.where(real, values, np.nan), count)
    changing &= ~(highest - lowest < width * step * (1 - 1e-9))
    time = arrays.seconds(window)
    whole = changing & (time - arrays.before(time, count - 1) <= 2 * count * window.interval)
    suspect, fail = np.zeros(len(values), dtype=np.bool_), np.zeros(len(values), dtype=np.bool_)
    for other in window.neighbours[factor]:
        both = arrays.rolling_count(real & ~np.isnan(other.values), count)
        equal = real & (values == other.values)
        same = arrays.rolling_count(equal, count)
        enough = whole & (both >= 0.75 * count)
        suspect |= equal & arrays.spread_back(enough & (same >= share / 100 * both), count)
        fail |= equal & arrays.spread_back(enough & (same == both), count)
    return answers(window, factor, fail=fail, suspect=suspect)


def _with_particles(window: Window, factor: str) -> bool:
    return factor in ("pm25", "pm10") and "pm25" in window.values and "pm10" in window.values


def _with_nitrogen(window: Window, factor: str) -> bool:
    return factor in ("no", "no2", "nox") and all(name in window.values for name in ("no", "no2", "nox"))


def _with_ozone(window: Window, factor: str) -> bool:
    names = ("no", "nox", "no2")
    return factor in ("o3", *names) and "o3" in window.values and any(name in window.values for name in names)


def _with_pollutant_beside(window: Window, factor: str) -> bool:
    """Weather may well be the same at two stations of a city, and stations may share one mast."""
    return factor not in WEATHER and _with_neighbours(window, factor)


def _with_neighbours(window: Window, factor: str) -> bool:
    return (
        present(window, factor) and bool(window.neighbours.get(factor)) and factor not in ("wd", "ws", "rain", "wind")
    )


def _twin_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 2 * (parameters["rows"] + 1) * interval, 2 * (parameters["rows"] + 1) * interval


CHECKS: tuple[Check, ...] = (
    Check(
        "AIR-PM-ORDER",
        "PM2.5 高于 PM10（倒挂）",
        "PM2.5 above PM10",
        Severity.SUSPECT,
        particles_in_order,
        _with_particles,
        frozenset({"air"}),
        "PM2.5 is part of PM10 by definition: GB 3095 clause 3 (terms)",
        Mark.METHOD,
        (
            Parameter("tolerance", 3.0, "µg/m³", "允许超出", "allowed excess", 0),
            Parameter("share", 5.0, "%", "允许超出（占 PM10）", "allowed excess, of PM10", 0),
            Parameter("times", 5.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
        ),
        explain_zh="PM2.5 是 PM10 的一部分，不会更高。两台仪器原理不同、湿度高、滤带或流量有问题时会倒挂；小幅超出属"
        "测量误差。",
        explain_en="PM2.5 is part of PM10. It reads higher when the two instruments differ in principle, at high "
        "humidity, or with a fault of filter tape or flow; a small excess is measurement error.",
    ),
    Check(
        "AIR-NOX-SUM",
        "NO 与 NO2 之和不等于 NOx",
        "NO and NO2 do not sum to NOx",
        Severity.SUSPECT,
        nitrogen_sums,
        _with_nitrogen,
        frozenset({"air", "gas"}),
        "HJ 212-2017 annex D formula (21): NOx = NO·46/30 + NO2",
        Mark.VERIFIED,
        (
            Parameter("tolerance", 5.0, "", "允许差", "allowed difference", 0),
            Parameter("share", 10.0, "%", "允许差（占合计）", "allowed difference, of the sum", 0),
            Parameter("times", 3.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
        ),
        explain_zh="以 NO2 计的 NOx 应等于 NO×46/30＋NO2。不等说明单位（ppb 与质量浓度）、折算或通道有误。",
        explain_en="NOx as NO2 is NO·46/30 + NO2. Otherwise a unit (ppb for mass), a conversion or a channel is wrong.",
    ),
    Check(
        "AIR-O3-NOX",
        "臭氧与氮氧化物同时很高",
        "much ozone beside much NO",
        Severity.SUSPECT,
        ozone_beside_nitrogen,
        _with_ozone,
        frozenset({"air"}),
        "Titration NO + O3 → NO2 + O2 (Leighton 1961)",
        Mark.METHOD,
        (
            Parameter("ozone", 120.0, "µg/m³", "臭氧高于", "ozone above", 0),
            Parameter("no", 60.0, "µg/m³", "NO 高于", "NO above", 0),
            Parameter("nox", 300.0, "µg/m³", "NOx 高于", "NOx above", 0),
            Parameter("no2", 200.0, "µg/m³", "NO2 高于", "NO2 above", 0),
        ),
        explain_zh="NO 会很快消耗臭氧，两者不会同时很高。查看采样管路、仪器串扰和时间对齐。",
        explain_en="NO consumes ozone within minutes; both are not high at once. Look at the sampling line, cross "
        "sensitivity and the alignment in time.",
    ),
    Check(
        "AIR-NEIGHBOUR",
        "与邻站差异异常",
        "unlike the neighbouring stations",
        Severity.SUSPECT,
        like_neighbours,
        _with_neighbours,
        frozenset({"air"}),
        "Robust spatial outlier: median and MAD of neighbours, wind-aware",
        Mark.METHOD,
        (
            Parameter("suspect", 40.0, "", "至少相差", "at least", 0, by_factor=factors.column("outlier")),
            Parameter("share", 100.0, "%", "占邻站中位数", "of the neighbours' median", 0),
            Parameter("spread", 6.0, "", "邻站离散度的倍数", "times the neighbours' scatter", 0),
            Parameter("stations", 3, "", "至少邻站数", "at least so many neighbours", 2),
            Parameter("sector", 45.0, "°", "顺风扇区", "sector along the wind", 0, 90),
            Parameter("calm", 1.0, "m/s", "静风", "calm below", 0),
        ),
        explain_zh="同一时刻只有本站远离周边各站。可能是仪器故障，也可能是本地污染源；上、下风向邻站同样偏离时不报。",
        explain_en="At the same time this station alone is far from those around it: a fault, or a local source. It "
        "is not told when a neighbour up or down the wind deviates likewise.",
    ),
    Check(
        "AIR-TWINS",
        "两站数值相同",
        "same values at two stations",
        Severity.SUSPECT,
        no_twin,
        _with_pollutant_beside,
        frozenset({"air"}),
        "Equality of changing values over consecutive periods",
        Mark.METHOD,
        (
            Parameter("rows", 12, "", "连续行数", "rows", 3, 1000),
            Parameter("share", 90.0, "%", "相同的比例", "share that is equal", 50, 100),
            Parameter("lively", 50.0, "%", "其中有变化的比例", "share of them that changes", 0, 100),
            Parameter("width", 8, "", "变化幅度（分辨率的倍数）", "range in steps of the resolution", 0),
        ),
        reach=26 * 3600,
        explain_zh="两个站点的数值连续多时段逐一相同且在变化，不可能自然发生：数据串站、误配或复制。",
        explain_en="The changing values of two stations are equal, one by one, over many periods. That does not "
        "happen by itself: data of another station, a wrong configuration, or a copy.",
        reaches=_twin_reach,
    ),
)
