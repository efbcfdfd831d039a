"""Checks of water: parts and wholes, oxygen against saturation, probes that agree too well, ice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from luming.science.qc import arrays
from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import present
from luming.science.qc.model import Check, Floats, Mark, Parameter, Results, Severity, Window

WATER = frozenset({"water", "sewage"})

# Changes in 15 minutes that a river does not make and take back.
_JUMP = {"water:temp": 1.5, "water:ph": 0.3, "water:do": 1.0, "water:stage": 8.0}

# What one multi-parameter probe measures side by side; turbidity often has a probe of its own.
SONDE = ("temp", "ec", "ph", "do")


def part_within_whole(part: str, whole: str) -> Callable[..., Results]:
    """Return the check that a part (ammonia) does not exceed its whole (total nitrogen)."""

    def check(window: Window, factor: str, tolerance: float, share: float, times: float) -> Results:
        excess = window.values[part] - window.values[whole]
        allowed = np.fmax(tolerance, share / 100 * window.values[whole])
        return answers(
            window,
            factor,
            fail=excess > times * allowed,
            suspect=excess > allowed,
            unknown=np.isnan(excess),
        )

    check.__doc__ = (
        f"SUSPECT where {part} exceeds {whole} by more than allowed (mg/L, %), FAIL by ``times`` the allowance."
    )
    return check


def _both(*names: str) -> Callable[[Window, str], bool]:
    return lambda window, factor: factor in names and all(name in window.values for name in names)


def oxygen_below_saturation(
    window: Window, factor: str, suspect: float, fail: float, low: float, altitude: float
) -> Results:
    """SUSPECT and FAIL where dissolved oxygen exceeds so many % of saturation at the water temperature.

    ``altitude`` (m) lowers saturation with the air pressure; SUSPECT too below ``low`` % in water above freezing, which
    is no river but a probe in sediment or out of calibration (0 asks nothing).
    """
    temperature = window.values["temp"]
    share = 100 * window.values["do"] / oxygen_saturation(temperature, altitude)
    return answers(
        window,
        factor,
        fail=share > fail,
        suspect=(share > suspect) | (share < low),
        unknown=np.isnan(share),
    )


def oxygen_saturation(celsius: Floats, altitude: float = 0.0) -> Floats:
    """Return the oxygen of fresh water in balance with air, mg/L (Benson and Krause 1984), at an altitude in m.

    >>> oxygen_saturation(np.array([0.0, 20.0])).round(2).tolist()
    [14.62, 9.09]
    """
    kelvin = np.clip(celsius, -2.0, 60.0) + 273.15
    logarithm = -139.34411 + 1.575701e5 / kelvin - 6.642308e7 / kelvin**2 + 1.2438e10 / kelvin**3
    logarithm -= 8.621949e11 / kelvin**4
    saturation: Floats = np.exp(logarithm) * math.exp(-altitude / 8430)
    return saturation


def probe_is_in_water(window: Window, factor: str, suspect: float, share: float, usual: float) -> Results:
    """FAIL where conductivity drops to next to nothing: the probe lies dry, or reads distilled water.

    Nothing is less than ``suspect`` (µS/cm) or less than ``share`` (%) of the median of the ``usual`` rows before and
    after. Every factor of the probe in that row fails with it.
    """
    conductivity = arrays.sound(window, "ec")
    half = int(usual)
    around = arrays.neighbours_in_time(conductivity, half)
    time = arrays.seconds(window)
    apart = np.abs(arrays.neighbours_in_time(time, half) - time[:, None])
    level = arrays.median(np.where(apart <= 2 * half * window.interval, around, np.nan))
    dry = (conductivity < suspect) | (conductivity < share / 100 * level)
    return answers(window, factor, fail=dry)


def probe_is_alive(window: Window, factor: str, sensors: float, chance: float, rows: float, settle: float) -> Results:
    """FAIL where the sensors of one probe repeat their last values or read exactly zero, all at once.

    All that read must repeat, two at least, where another sensor writes a code for "no value" or zero; otherwise at
    least ``sensors``, and so many repeats at once must be rarer than ``chance``, by how often each of them repeated in
    the ``rows`` rows before: in calm water at night they do so by themselves. SUSPECT for ``settle`` rows afterwards,
    as an electrode back in the water needs time.
    """
    names = [name for name in SONDE if name in window.values]
    table = np.stack([arrays.sound(window, name) for name in names], axis=1)
    raw = np.stack([window.values[name] for name in names], axis=1)
    last = np.full_like(table, np.nan)
    last[1:] = table[:-1]
    zero = raw == 0
    freezing = np.array([name == "temp" for name in names])  # 0 °C is a temperature
    mute = (np.isnan(table) & ~np.isnan(raw)) | (zero & ~freezing)
    read = ~np.isnan(table) & ~mute
    repeats = read & (table == last) & arrays.follows(window)[:, None]
    how_many = np.count_nonzero(repeats, axis=1)
    together = how_many == np.count_nonzero(read, axis=1)
    rare = _joint_chance(window, table == last, repeats, int(rows)) < chance
    off = together & (((how_many >= 2) & mute.any(axis=1)) | ((how_many >= sensors) & rare))
    dead = np.count_nonzero(zero, axis=1) >= sensors
    place = names.index(factor)
    fail = (off & (repeats | mute)[:, place]) | (dead & zero[:, place])
    time = arrays.seconds(window)
    last = np.maximum.accumulate(np.where(off | dead, time, -np.inf)) if len(time) else time
    settling = time - last <= (settle + 0.5) * window.interval if settle >= 1 else None
    return answers(window, factor, fail=fail, suspect=None if settling is None else settling & ~off & ~dead)


def _joint_chance(window: Window, equal: Booleans, repeats: Booleans, rows: int) -> Floats:
    """Return the probability that all repeats of a row happen at once, by the repeats in the rows before it."""
    time = arrays.seconds(window)
    joint = np.ones(len(window))
    ends = np.maximum(np.arange(len(window)) - 1, 0)  # the pair before the row's own
    begins = np.minimum(np.searchsorted(time, time - (rows + 0.5) * window.interval), ends)
    for column in range(equal.shape[1]):
        total = np.concatenate([[0], np.cumsum(equal[:, column])])
        share = (total[ends + 1] - total[begins + 1] + 1) / (ends - begins + 2)
        joint *= np.where(repeats[:, column], share, 1.0)
    return joint


def no_excursion(
    window: Window, factor: str, suspect: float, noise: float, around: float, back: float, hours: float
) -> Results:
    """SUSPECT where the level jumps away in one row and jumps back within ``hours``: a probe lifted out or buried.

    A jump exceeds ``suspect`` (unit) and ``noise`` times the usual change within ``around`` rows, and leads away from
    the median of the ``hours`` before and after. It is back when the value after a jump the other way lies within
    ``back`` % of the first jump from the value before it. A river itself rises fast, but falls slowly. Salt makes
    conductivity leap both ways, so that it is not asked.
    """
    values, change = arrays.sound(window, factor), arrays.changes(window, factor)
    large = arrays.follows(window) & (np.abs(change) > suspect)
    places = np.nonzero(large)[0]
    if len(places):
        usual = arrays.usual_change(window, factor, places, int(around))
        places = places[np.abs(change[places]) > noise * usual]
    away = np.zeros(len(values) + 1, dtype=np.int64)
    time = arrays.seconds(window)
    for sign in (1, -1):
        begins, ends = places[sign * change[places] > 0], places[sign * change[places] < 0]
        nth = np.searchsorted(ends, begins, side="right")
        leaves = _leaves_the_usual(window, values, begins, int(hours * 3600 // window.interval))
        for later in range(_RETURNS):
            inside = nth + later < len(ends)
            begin, end = begins[inside], ends[nth[inside] + later]
            returned = np.abs(values[end] - values[begin - 1]) <= back / 100 * np.abs(change[begin])
            returned &= (time[end] - time[begin] <= hours * 3600) & leaves[inside]
            np.add.at(away, begin[returned], 1)
            np.add.at(away, end[returned], -1)
    return answers(window, factor, suspect=np.cumsum(away)[:-1] > 0)


def _leaves_the_usual(window: Window, values: Floats, begins: arrays.Integers, rows: int) -> Booleans:
    """Tell which jumps go away from the median of the rows before and after, rather than back to it."""
    around, time = arrays.rows_around(values, begins, rows), arrays.seconds(window)
    far = np.abs(arrays.rows_around(time, begins, rows) - time[begins, None]) > rows * window.interval
    level = arrays.median(np.where(far, np.nan, around))
    leaves: Booleans = np.abs(values[begins] - level) > np.abs(values[begins - 1] - level)
    return leaves


# So many jumps the other way are tried for a return.
_RETURNS = 3


def _excursion_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    seen = parameters["hours"] * 3600 + (2 * parameters["around"] + 2) * interval
    return seen, seen


def _with_step(window: Window, factor: str) -> bool:
    return present(window, factor) and factor in ("temp", "ph", "do", "stage")


def river_is_open(window: Window, factor: str, limit: float, hours: float, thaw: float) -> Results:
    """SUSPECT for the stage of a freezing river: ice dams the water or lies on the sensor, and no rating holds.

    It freezes when the water was at or below ``limit`` °C for ``hours``; ice stays ``thaw`` hours longer.
    """
    temperature = arrays.sound(window, "temp")
    time = arrays.seconds(window)
    count = int(max(hours * 3600 // window.interval, 1))
    cold = temperature <= limit
    lasted = time - arrays.before(time, count - 1) <= 2 * count * window.interval
    frozen = arrays.spread_back((arrays.rolling_count(cold, count) >= count) & lasted, count)
    last = np.maximum.accumulate(np.where(frozen, time, -np.inf)) if len(time) else time
    return answers(window, factor, suspect=time - last <= thaw * 3600)


def _ice_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    lasting = max(2 * parameters["hours"] * 3600, 2 * interval)
    return lasting + parameters["thaw"] * 3600 + interval, lasting


def _with_stage(window: Window, factor: str) -> bool:
    return factor == "stage" and "stage" in window.values and "temp" in window.values


def _sonde(window: Window, factor: str) -> bool:
    return factor in SONDE and sum(name in window.values for name in SONDE) >= 3


def _with_conductivity(window: Window, factor: str) -> bool:
    return factor in SONDE and "ec" in window.values


def _rows_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return (parameters["rows"] + 4) * interval + 1.5 * parameters["settle"] * interval, 0.0


def _usual_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 2 * (parameters["usual"] + 1) * interval, 2 * (parameters["usual"] + 1) * interval


def _whole(tolerance: float, share: float = 10.0) -> tuple[Parameter, ...]:
    return (
        Parameter("tolerance", tolerance, "mg/L", "允许超出", "allowed excess", 0),
        Parameter("share", share, "%", "允许超出（占总量）", "allowed excess, of the whole", 0),
        Parameter("times", 4.0, "", "异常为允许的倍数", "fail beyond so many times that", 1),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "WQ-NITROGEN",
        "氨氮高于总氮",
        "ammonia nitrogen above total nitrogen",
        Severity.SUSPECT,
        part_within_whole("nh3n", "tn"),
        _both("nh3n", "tn"),
        WATER,
        "Ammonia nitrogen is part of total nitrogen by definition",
        Mark.METHOD,
        _whole(0.1),
        explain_zh="氨氮是总氮的一部分，不会更高。查看两台仪器的校准、试剂和取样时间。",
        explain_en="Ammonia is part of total nitrogen. Look at calibration, reagents and sampling times of both "
        "instruments.",
    ),
    Check(
        "WQ-COD",
        "高锰酸盐指数高于化学需氧量",
        "permanganate index above COD",
        Severity.SUSPECT,
        part_within_whole("codmn", "cod"),
        _both("codmn", "cod"),
        WATER,
        "Dichromate oxidises what permanganate does and more",
        Mark.METHOD,
        _whole(1.0),
        explain_zh="重铬酸钾的氧化能力强于高锰酸钾，同一水样 COD 不低于高锰酸盐指数。",
        explain_en="Dichromate is the stronger oxidant: of one sample the COD is no lower than the permanganate index.",
    ),
    Check(
        "WQ-BOD",
        "五日生化需氧量高于化学需氧量",
        "BOD5 above COD",
        Severity.SUSPECT,
        part_within_whole("bod5", "cod"),
        _both("bod5", "cod"),
        WATER,
        "What organisms oxidise in five days, dichromate does too",
        Mark.METHOD,
        _whole(1.0),
        explain_zh="生化需氧量是可被微生物氧化的部分，不高于化学需氧量。",
        explain_en="What organisms oxidise is part of what dichromate oxidises.",
    ),
    Check(
        "WQ-PHOSPHORUS",
        "总磷高于总氮",
        "total phosphorus above total nitrogen",
        Severity.INFORM,
        part_within_whole("tp", "tn"),
        _both("tp", "tn"),
        frozenset({"water"}),
        "Usual ratio of nutrients in surface water",
        Mark.METHOD,
        _whole(0.05),
        explain_zh="地表水中总磷极少高于总氮，多为单位或通道接反；磷化工下游除外。",
        explain_en="In surface water phosphorus rarely exceeds nitrogen: mostly a wrong unit or swapped channels, "
        "but not below phosphate works.",
    ),
    Check(
        "WQ-SATURATION",
        "溶解氧与水温不符",
        "dissolved oxygen against saturation",
        Severity.SUSPECT,
        oxygen_below_saturation,
        _both("do", "temp"),
        WATER,
        "Benson and Krause 1984 (solubility of oxygen in fresh water)",
        Mark.METHOD,
        (
            Parameter("suspect", 180.0, "%", "饱和度存疑", "suspect above", 100),
            Parameter("fail", 300.0, "%", "饱和度异常", "fail above", 100),
            Parameter("low", 0.0, "%", "饱和度过低", "suspect below", 0, 100),
            Parameter("altitude", 0.0, "m", "海拔", "altitude", -500, 6000),
        ),
        explain_zh="溶解氧远高于该水温的饱和值。藻华白天可达 180%，更高多为电极故障或气泡。",
        explain_en="Far more oxygen than water of this temperature holds. Blooms reach 180 % by day; more is mostly "
        "a faulty membrane or a bubble.",
    ),
    Check(
        "WQ-DRY",
        "探头离水",
        "probe out of the water",
        Severity.SUSPECT,
        probe_is_in_water,
        _with_conductivity,
        frozenset({"water"}),
        "Conductivity of natural water against that around it in time",
        Mark.METHOD,
        (
            Parameter("suspect", 5.0, "µS/cm", "电导率低于", "conductivity below", 0),
            Parameter("share", 15.0, "%", "低于平常的比例", "below so much of the usual", 0, 100),
            Parameter("usual", 24, "", "平常取前后行数", "rows around that are usual", 2, 500),
        ),
        reach=50 * 3600,
        explain_zh="电导率骤降到接近零：探头离水、取出维护或读纯水。同一探头的其他因子同时不可用。",
        explain_en="Conductivity falls to next to nothing: the probe lies dry, is being cleaned, or reads pure "
        "water. Its other sensors are of no use in that row either.",
        reaches=_usual_reach,
    ),
    Check(
        "WQ-SONDE",
        "探头各因子同时重复或归零",
        "all sensors of the probe repeat or read zero",
        Severity.SUSPECT,
        probe_is_alive,
        _sonde,
        frozenset({"water"}),
        "Agreement of independent sensors of one probe",
        Mark.METHOD,
        (
            Parameter("sensors", 3, "", "至少因子数", "at least so many sensors", 2, 6),
            Parameter("chance", 5e-5, "", "偶然同时重复的概率", "probability of such repeats by chance", 0, 1),
            Parameter("rows", 16, "", "据此前行数估计", "rows before that tell how often each repeats", 4, 200),
            Parameter("settle", 0, "", "恢复行数", "rows to settle afterwards", 0, 20, {"water:ph": 1.0}),
        ),
        reach=20 * 3600.0,
        explain_zh="同一探头的多个因子同时与上一值完全相同或同为零：探头取出维护、断电或数采仪重发上一值。",
        explain_en="Several sensors of one probe repeat their last values, or read zero, at once: the probe was "
        "taken out, had no power, or the logger sent the last values again.",
        reaches=_rows_reach,
    ),
    Check(
        "WQ-ICE",
        "结冰影响水位",
        "stage under ice",
        Severity.SUSPECT,
        river_is_open,
        _with_stage,
        frozenset({"water"}),
        "Ice-affected stage: water at the freezing point (practice of hydrometry)",
        Mark.METHOD,
        (
            Parameter("limit", 0.05, "℃", "水温不高于", "water no warmer than", -2, 4),
            Parameter("hours", 2.0, "h", "至少持续", "for at least", 0),
            Parameter("thaw", 4.0, "h", "解冻后延续", "still so after thawing", 0),
        ),
        reach=9 * 3600.0,
        explain_zh="水温处于冰点：冰凌壅水或冻住传感器，水位忽高忽低，不代表流量。对照气温和现场照片。",
        explain_en="The water is at its freezing point: ice dams it or freezes the sensor in, the stage rises and "
        "falls and means no flow. Compare air temperature and pictures of the site.",
        reaches=_ice_reach,
    ),
    Check(
        "WQ-EXCURSION",
        "水平骤变后又骤复",
        "level that jumps away and back",
        Severity.SUSPECT,
        no_excursion,
        _with_step,
        frozenset({"water"}),
        "Two opposite changes of level in single rows",
        Mark.METHOD,
        (
            Parameter("suspect", math.inf, "", "跳变幅度", "size of the jump", 0, by_factor=_JUMP),
            Parameter("noise", 10.0, "", "平常波动的倍数", "times the usual change", 0),
            Parameter("around", 12, "", "平常波动取前后行数", "rows around for the usual change", 1, 200),
            Parameter("back", 40.0, "%", "视为复原", "counts as returned", 0, 100),
            Parameter("hours", 48.0, "h", "最长时长", "at the longest", 0),
        ),
        reach=75 * 3600.0,
        explain_zh="数值在一步之内跳离原水平，又在一步之内跳回：探头被取出、露出水面、埋入泥沙或移位。河流可骤涨，但"
        "不会骤落。",
        explain_en="The value leaves its level in one row and returns in one row: the probe was lifted out, lay dry, "
        "was buried or moved. A river rises fast but falls slowly.",
        reaches=_excursion_reach,
    ),
)
