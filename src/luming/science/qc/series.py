"""Checks of a value against the values around it: stuck, spike, outlier, rate of change, step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from luming.science.qc import arrays, factors
from luming.science.qc.arrays import Booleans, answers
from luming.science.qc.general import MEDIA, present
from luming.science.qc.model import Check, Floats, Mark, Parameter, Results, Severity, Window

HOUR = 3600.0


def not_stuck(
    window: Window,
    factor: str,
    suspect: float,
    fail: float,
    rows: float,
    tolerance: float,
    floor: float,
    coverage: float,
    chance: float,
    background: float,
    whole: float,
) -> Results:
    """SUSPECT and FAIL where values stay within ``tolerance`` for ``suspect`` and ``fail`` hours and ``rows`` rows.

    Rightly constant are values at or below ``floor`` (not detected) and those of a stopped plant (``window.stopped``).
    A coarse resolution repeats values by itself: with the share p of equal neighbours in the ``background`` hours
    before, a run of n happens by chance with p^n, and must be rarer than ``chance`` (1: do not ask).
    ``whole`` 1 marks the run from its beginning, 0 only from where it is long enough, as QARTOD's flat line test does;
    its strict comparison is had with the next smaller tolerance, ``coverage`` 0, ``chance`` 1 and no floor.
    """
    values = arrays.sound(window, factor)
    short, long = (_rows(hours, rows, window.interval) for hours in (suspect, fail))
    enough = coverage * (min(short, long) + 1)
    at_rest = np.count_nonzero(arrays.strides(window, factor) <= tolerance)
    if at_rest < enough - 1 or _longest_run(values, tolerance) < enough:  # the second costs more
        return answers(window, factor)
    held = _held(window, values, short, tolerance, coverage)
    if chance < 1 and held.any():
        held &= ~_by_chance(window, values, short, tolerance, chance, background)
    held_long = held & _held(window, values, long, tolerance, coverage)
    if whole >= 1:
        held_long = arrays.spread_back(held_long, long + 1)
        held = arrays.spread_back(held, short + 1)
    rightly = values <= floor
    if window.stopped is not None:
        rightly |= window.stopped
    return answers(window, factor, fail=held_long & ~rightly, suspect=held & ~rightly)


def _rows(hours: float, rows: float, interval: float) -> int:
    """Return how many rows back a run of so many hours began."""
    return int(max(hours * HOUR // interval, rows - 1, 1))


def _longest_run(values: Floats, tolerance: float) -> int:
    """Return how many values in a row stay within the tolerance of the one before, at most; missing ones are passed."""
    real = values[~np.isnan(values)]
    changes = np.nonzero(np.abs(np.diff(real)) > tolerance)[0]
    return int(np.diff(changes, prepend=-1, append=len(real) - 1).max()) if len(real) else 0


def _held(window: Window, values: Floats, count: int, tolerance: float, coverage: float) -> Booleans:
    """Tell whether each row and the ``count`` rows before it lie within the tolerance, without a long gap in time."""
    if count >= len(values):
        return np.zeros(len(values), dtype=np.bool_)
    lowest, highest = arrays.rolling_extremes(values, count + 1)
    held: Booleans = highest - lowest <= tolerance
    held[:count] = False
    if coverage > 0:
        time = arrays.seconds(window)
        lasted = time - arrays.before(time, count)
        held &= (lasted >= 0.99 * count * window.interval) & (lasted <= 2 * count * window.interval)
        held &= arrays.rolling_count(~np.isnan(values), count + 1) >= coverage * (count + 1)
    return held


def _by_chance(
    window: Window, values: Floats, count: int, tolerance: float, chance: float, background: float
) -> Booleans:
    """Tell where a run so long is no wonder, as neighbours were often equal in the hours before the run.

    The share of equal neighbours is counted in the ``background`` hours that end where the shortest run ending at the
    row began; pairs that lie in longer runs themselves do not count as chance.
    """
    last = arrays.before(values)
    pairs = arrays.follows(window) & ~np.isnan(values) & ~np.isnan(last)
    equal = pairs & (np.abs(values - last) <= tolerance)
    long_runs = arrays.streak(equal)
    time = arrays.seconds(window)
    ends = np.maximum(np.arange(len(values)) - count, 0)
    begins = np.minimum(np.searchsorted(time, time - count * window.interval - background * HOUR), ends)
    longest = 4 * count
    in_run = arrays.spread_back(long_runs >= longest, longest)
    seen, same = (np.concatenate([[0], np.cumsum(rows & ~in_run)]) for rows in (pairs, equal))
    of, repeated = seen[ends] - seen[begins], same[ends] - same[begins]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (repeated + 0.5) / (of + 1.0)
        needed = np.where(of >= 24, math.log(chance) / np.log(share), 0.0)
    by_chance: Booleans = np.minimum(long_runs, longest) < np.minimum(needed, longest)
    return by_chance


def no_spike(
    window: Window,
    factor: str,
    suspect: float,
    fail: float,
    share: float,
    noise: float,
    around: float,
    method: float,
    gap: float,
) -> Results:
    """SUSPECT and FAIL where one value stands out from the two beside it by more than a threshold.

    ``method`` 0: the smaller of the two differences, where they have opposite signs, so that only the top is marked;
    1: the distance from the mean of the two, as in QARTOD's spike test. The threshold is the largest of ``suspect`` or
    ``fail`` (unit of the factor), ``share`` (% of the level beside) and ``noise`` times the usual difference of
    neighbours within ``around`` rows. Neighbours count only within ``gap`` intervals.
    """
    values, change = arrays.sound(window, factor), np.abs(arrays.changes(window, factor))
    unknown = window.once(("alone", factor, gap), lambda: _is_alone(window, factor, gap))
    # A spike needs a large change before and after it (against the mean: before or after), which few rows have.
    large = change > suspect
    following = np.zeros_like(large)
    following[:-1] = large[1:]
    places = np.nonzero((large | following if method >= 1 else large & following) & ~unknown)[0]
    if not len(places):
        return answers(window, factor, unknown=unknown)
    found, failed = np.zeros(len(values), dtype=np.bool_), np.zeros(len(values), dtype=np.bool_)
    value, last, next_ = values[places], values[places - 1], values[places + 1]
    beside = (last + next_) / 2
    if method >= 1:
        size = np.abs(value - beside)
    else:
        up, down = value - last, value - next_
        size = np.where(up * down > 0, np.minimum(np.abs(up), np.abs(down)), 0.0)
    stands_out = (size > suspect) & (size >= share / 100 * np.abs(beside))
    if noise > 0 and stands_out.any():
        usual = arrays.usual_change(window, factor, places[stands_out], int(around))
        stands_out[stands_out] = size[stands_out] > noise * usual
    found[places] = stands_out
    failed[places] = stands_out & (size > fail)
    return answers(window, factor, fail=failed, suspect=found, unknown=unknown)


def _is_alone(window: Window, factor: str, gap: float) -> Booleans:
    """Tell which rows lack a value of their own or a neighbour near in time on one side."""
    here = np.isnan(arrays.changes(window, factor))
    if not math.isinf(gap):
        here = here | ~arrays.follows(window, gap)
    return here | np.append(here[1:], True) if len(here) else here


def no_outlier(
    window: Window,
    factor: str,
    suspect: float,
    fail: float,
    share: float,
    noise: float,
    rows: float,
    hours: float,
    side: float,
) -> Results:
    """SUSPECT and FAIL where a value lies far from the median of the rows before and after it (Hampel).

    It finds spikes of a few values, which stand beside each other. The distance must exceed ``suspect`` or ``fail``
    (unit), ``share`` (% of the median) and ``noise`` times the median distance of those rows from their median. Looked
    at are ``rows`` rows to each side, fewer (two at least) where those would be more than ``hours``. ``side`` −1 asks
    only for values below, 1 only for those above.
    """
    values = arrays.sound(window, factor)
    half = _half_width(rows, hours, window.interval)
    unknown = window.once(("lonely", factor, half), lambda: _is_lonely(window, values, half))
    # Only where the values around go up and down enough can one be far from their median: few rows need the sorting.
    way = arrays.travelled(window, factor)
    if arrays.is_regular(window) and len(way) > 2 * half:
        stretch = np.concatenate([np.full(half, way[0]), way, np.full(half, way[-1])])
        there = stretch[2 * half :] - stretch[: -2 * half]
    else:
        begin, end = window.once(("around", half), lambda: _rows_near(window, half))
        there = way[end - 1] - way[begin]
    places = np.nonzero((there > suspect) & ~unknown)[0]
    if not len(places):
        return answers(window, factor, unknown=unknown)
    table = arrays.rows_around(values, places, half)
    time = arrays.seconds(window)
    if not arrays.is_regular(window):
        far_off = np.abs(arrays.rows_around(time, places, half) - time[places, None]) > 2 * half * window.interval
        table[far_off] = np.nan
    level = arrays.median(table)
    distance = np.abs(values[places] - level)
    far = (distance > suspect) & (distance >= share / 100 * np.abs(level)) & (side * (values[places] - level) >= 0)
    if noise > 0 and far.any():
        spread = arrays.median(np.abs(table[far] - level[far, None]))
        far[far] = distance[far] > noise * 1.4826 * spread
    found, failed = np.zeros(len(values), dtype=np.bool_), np.zeros(len(values), dtype=np.bool_)
    found[places] = far
    failed[places] = far & (distance > fail)
    return answers(window, factor, fail=failed, suspect=found, unknown=unknown)


def _half_width(rows: float, hours: float, interval: float) -> int:
    return int(min(rows, max(hours * HOUR / interval, 2)))


def _is_lonely(window: Window, values: Floats, half: int) -> Booleans:
    """Tell which rows have no value, or too few values before and after them that are not too far away in time."""
    real = ~np.isnan(values)
    if real.all() and arrays.is_regular(window) and len(values) > half:
        return ~real
    begin, end = window.once(("around", half), lambda: _rows_near(window, half))
    total = np.concatenate([[0], np.cumsum(real)])
    lonely: Booleans = ~real | (total[end] - total[begin] - 1 < half)
    return lonely


def _rows_near(window: Window, half: int) -> tuple[arrays.Integers, arrays.Integers]:
    """Return first and last (exclusive) of the rows before and after each row that are not too far away in time."""
    time = arrays.seconds(window)
    far = 2 * half * window.interval
    row = np.arange(len(time))
    begin = np.maximum(np.searchsorted(time, time - far), row - half)
    end = np.minimum(np.searchsorted(time, time + far, side="right"), row + half + 1)
    return begin, end


def no_fast_change(
    window: Window, factor: str, suspect: float, fail: float, over: float, gap: float, back: float
) -> Results:
    """SUSPECT and FAIL where the value changes faster than so much per hour since the row before.

    Rows closer than ``over`` minutes may differ by what is allowed in that time: the noise of a minute is no rate.
    Rows further apart than ``gap`` intervals are not compared. With ``back`` 1 a value that returns from a jump to
    where it was two rows ago is not blamed for the jump. QARTOD's rate of change test, whose rates are per second, is
    had with ``over`` 0, an infinite gap and ``back`` 0; it passes what has no row before, where this is unknown.
    """
    change = arrays.changes(window, factor)
    unknown = window.once(("unlinked", factor, gap), lambda: _is_unlinked(window, factor, gap))
    found, failed = np.zeros(len(change), dtype=np.bool_), np.zeros(len(change), dtype=np.bool_)
    step = np.maximum(arrays.steps(window), over * 60)
    shortest = window.once(("shortest", over), lambda: np.min(step[step > 0], initial=math.inf))
    places = np.nonzero((np.abs(change) > suspect / HOUR * shortest * (1 - 1e-9)) & ~unknown)[0]
    if len(places):
        rate = np.abs(change[places]) / step[places] * HOUR
        fast = rate > suspect
        if back >= 1:
            fast &= ~_returns(change, step, places, suspect, unknown)
        found[places], failed[places] = fast, fast & (rate > fail)
    return answers(window, factor, fail=failed, suspect=found, unknown=unknown)


def _is_unlinked(window: Window, factor: str, gap: float) -> Booleans:
    """Tell which rows lack a value of their own or one before it that is near in time."""
    linked = arrays.steps(window) > 0 if math.isinf(gap) else arrays.follows(window, gap)
    return ~linked | np.isnan(arrays.changes(window, factor))


def _returns(change: Floats, step: Floats, places: arrays.Integers, suspect: float, unknown: Booleans) -> Booleans:
    """Tell which of the rows come back from a jump of the row before to the level before it."""
    jump, since = change[places - 1], np.maximum(step[places], step[places - 1])
    jumped = ~unknown[places - 1] & (np.abs(jump) / step[places - 1] * HOUR > suspect)
    back = np.abs(change[places] + jump) / since * HOUR <= suspect
    returns: Booleans = jumped & (jump * change[places] < 0) & back & (places > 0)
    return returns


def no_step(window: Window, factor: str, suspect: float, share: float, noise: float, rows: float) -> Results:
    """SUSPECT where the level changes in one row and stays: medians of the ``rows`` rows before and from it on differ.

    The difference must exceed ``suspect`` (unit), ``share`` (% of the level before) and ``noise`` times the median
    difference of neighbours in those rows, and most of it must happen in this one row.
    """
    values, jump = arrays.sound(window, factor), arrays.changes(window, factor)
    half = int(rows)
    unknown = window.once(("unlinked", factor, arrays.ADJACENT), lambda: _is_unlinked(window, factor, arrays.ADJACENT))
    places = np.nonzero((np.abs(jump) > 0.6 * suspect) & ~unknown)[0]  # most of the change is in this one row
    places = places[(places >= half) & (places + half <= len(values))]
    stays = ~(np.abs(values[places + 1] - values[places - 1]) < 0.3 * suspect)  # a spike is back by the next row
    places = places[stays]
    found = np.zeros(len(values), dtype=np.bool_)
    if len(places):
        earlier = values[places[:, None] - np.arange(half, 0, -1)]
        later = values[places[:, None] + np.arange(half)]
        time = arrays.seconds(window)
        lasted = time[places + half - 1] - time[places - half]
        before, after = arrays.median(earlier), arrays.median(later)
        change = np.abs(after - before)
        usual = arrays.median(np.abs(np.concatenate([np.diff(earlier), np.diff(later)], axis=1)))
        found[places] = (
            (change > suspect)
            & (change > share / 100 * np.abs(before))
            & (change > noise * usual)
            & (np.abs(jump[places]) > 0.6 * change)
            & (np.sign(after - before) == np.sign(jump[places]))
            & (np.count_nonzero(~np.isnan(earlier), axis=1) * 2 >= half)
            & (np.count_nonzero(~np.isnan(later), axis=1) * 2 >= half)
            & (lasted <= 4 * half * window.interval)
        )
    return answers(window, factor, suspect=found, unknown=unknown)


# Nothing detected, and water at its freezing point.
_RIGHTLY_CONSTANT = factors.column("detection") | {"water:temp": 0.5, "air:rain": 0.0}
_PROBE = ("water:temp", "water:ec", "water:ph", "water:do", "water:turb", "water:stage")


_QUARTER = dict.fromkeys(_PROBE, 15.0)


def _times(column: str, times: float) -> dict[str, float]:
    return {name: times * value for name, value in factors.column(column).items()}


def _stuck_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    count = _rows(parameters["suspect"], parameters["rows"], interval)
    long = _rows(parameters["fail"], parameters["rows"], interval)
    rows = 2 * max(count, long) + 2 * count + 3 * 4 * count
    return rows * interval + parameters["background"] * HOUR, 2 * (max(count, long) + 1) * interval


def _spike_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    rows = max(2 * parameters["around"] + 2 if parameters["noise"] > 0 else 0, parameters["gap"])
    return rows * interval, rows * interval


def _outlier_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    seen = (2 * _half_width(parameters["rows"], parameters["hours"], interval) + 1) * interval
    return seen, seen


def _rate_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 3 * parameters["gap"] * interval, 0.0


def _step_reach(parameters: Mapping[str, float], interval: float) -> tuple[float, float]:
    return 4 * parameters["rows"] * interval, 4 * parameters["rows"] * interval


CHECKS: tuple[Check, ...] = (
    Check(
        "GEN-STUCK",
        "数值恒定不变",
        "stuck value",
        Severity.SUSPECT,
        not_stuck,
        present,
        MEDIA,
        "IOOS QARTOD, flat line test; resolution and floor of this product",
        Mark.METHOD,
        (
            Parameter("suspect", 24.0, "h", "存疑时长", "suspect after", 0, by_factor=factors.column("stuck")),
            Parameter("fail", 72.0, "h", "异常时长", "fail after", 0, by_factor=_times("stuck", 3)),
            Parameter("rows", 5, "", "至少连续行数", "at least so many rows", 2),
            Parameter("tolerance", 0.0, "", "视为不变的幅度", "counts as unchanged", 0),
            Parameter(
                "floor",
                -math.inf,
                "",
                "不高于此值可恒定",
                "may be constant up to",
                by_factor=_RIGHTLY_CONSTANT,
            ),
            Parameter("coverage", 0.5, "", "至少有数比例", "share of rows with a value", 0, 1),
            Parameter("chance", 1e-6, "", "偶然重复概率", "probability by chance", 0, 1),
            Parameter("background", 168.0, "h", "估计重复率的时长", "hours from which repetition is learnt", 0),
            Parameter("whole", 1, "", "标记整段（1）或其后（0）", "mark the whole run (1) or its later part (0)", 0, 1),
        ),
        reach=35 * 24 * HOUR,
        explain_zh="数值长时间一字不变，常见于仪器死机、采样泵停转、数采仪重复上一值或人为固定。低于检出限、停产时恒"
        "定属正常；分辨率粗的仪器自然重复，已按其平常重复率扣除。",
        explain_en="One figure for long: a hung instrument, a stopped pump, a logger that repeats its last value, or "
        "a figure set by hand. Constant below the detection limit or while the plant is stopped is right; repetition "
        "that a coarse resolution explains is allowed for.",
        reaches=_stuck_reach,
    ),
    Check(
        "GEN-SPIKE",
        "单点突变",
        "spike",
        Severity.SUSPECT,
        no_spike,
        present,
        MEDIA,
        "IOOS QARTOD, spike test",
        Mark.METHOD,
        (
            Parameter("suspect", math.inf, "", "存疑幅度", "suspect beyond", 0, by_factor=factors.column("spike")),
            Parameter("fail", math.inf, "", "异常幅度", "fail beyond", 0, by_factor=_times("spike", 4)),
            Parameter(
                "share", 0.0, "%", "占两侧水平", "of the level beside", 0, by_factor=factors.column("spike_share")
            ),
            Parameter("noise", 6.0, "", "平常波动的倍数", "times the usual difference", 0),
            Parameter("around", 12, "", "平常波动取前后行数", "rows around for the usual difference", 1, 200),
            Parameter("method", 0, "", "0 尖峰 1 与两侧均值之差", "0 the top alone, 1 against the mean", 0, 1),
            Parameter("gap", 1.5, "", "相邻最多间隔数", "intervals between neighbours", 0),
        ),
        reach=42 * HOUR,
        explain_zh="单个值突出于前后两值，随即恢复。查看是否电气干扰、维护、气泡或短时真实过程，并对照邻站和相关因子。",
        explain_en="One value stands out from both beside it. Look for electrical noise, maintenance, bubbles or a "
        "short real event, and compare neighbours and related factors.",
        reaches=_spike_reach,
    ),
    Check(
        "GEN-OUTLIER",
        "短时离群",
        "outlier among its neighbours in time",
        Severity.SUSPECT,
        no_outlier,
        present,
        MEDIA,
        "Hampel identifier (Davies and Gather 1993)",
        Mark.METHOD,
        (
            Parameter("suspect", math.inf, "", "存疑幅度", "suspect beyond", 0, by_factor=factors.column("outlier")),
            Parameter("fail", math.inf, "", "异常幅度", "fail beyond", 0, by_factor=_times("outlier", 4)),
            Parameter("share", 0.0, "%", "占中位数", "of the median", 0, by_factor=factors.column("outlier_share")),
            Parameter("noise", 8.0, "", "离散度的倍数", "times the spread", 0, by_factor={"water:turb": 6.0}),
            # Probes in rivers are read every 15 min: three hours before and after.
            Parameter("rows", 4, "", "前后行数", "rows before and after", 2, 50, dict.fromkeys(_PROBE, 12.0)),
            Parameter("hours", math.inf, "h", "前后最长", "at most so far", 0, by_factor=dict.fromkeys(_PROBE, 3.0)),
            # Road salt makes conductivity leap upwards for hours; a probe that fails reads too little.
            Parameter("side", 0, "", "−1 仅偏低，1 仅偏高", "−1 only below, 1 only above", -1, 1, {"water:ec": -1.0}),
        ),
        reach=9 * HOUR,
        explain_zh="一到几个相邻值远离前后一段的中位数，随即恢复，常见于清洗、气泡、出水或校准时的读数。",
        explain_en="One to a few values lie far from the median of the time around: cleaning, bubbles, a probe out "
        "of the water, or readings taken during calibration.",
        reaches=_outlier_reach,
    ),
    Check(
        "GEN-RATE",
        "变化过快",
        "changes too fast",
        Severity.SUSPECT,
        no_fast_change,
        present,
        MEDIA,
        "IOOS QARTOD, rate of change test",
        Mark.METHOD,
        (
            Parameter("suspect", math.inf, "/h", "存疑速率", "suspect beyond", 0, by_factor=factors.column("rate")),
            Parameter("fail", math.inf, "/h", "异常速率", "fail beyond", 0, by_factor=_times("rate", 4)),
            Parameter("over", 60.0, "min", "至少按此时长计", "counted over at least", 0, by_factor=_QUARTER),
            Parameter("gap", 1.5, "", "相邻最多间隔数", "intervals between neighbours", 0),
            Parameter("back", 1, "", "回到原水平不计", "a return to the level before is right", 0, 1),
        ),
        reach=5 * HOUR,
        explain_zh="变化速率超出该因子可能的快慢。查看是否切换量程、校准后恢复、换探头或突发排放。",
        explain_en="It changes faster than this factor can. Look for a change of range, the return from calibration, "
        "a new probe, or a sudden discharge.",
        reaches=_rate_reach,
    ),
    Check(
        "GEN-STEP",
        "水平突变",
        "step of level",
        Severity.INFORM,
        no_step,
        present,
        MEDIA,
        "Difference of medians before and after (robust change of level)",
        Mark.METHOD,
        (
            Parameter("suspect", math.inf, "", "水平差", "difference of level", 0, by_factor=factors.column("step")),
            Parameter("share", 10.0, "%", "占原水平", "of the level before", 0),
            Parameter("noise", 8.0, "", "平常波动的倍数", "times the usual difference", 0),
            Parameter("rows", 6, "", "前后行数", "rows before and after", 2, 100),
        ),
        reach=24 * HOUR,
        explain_zh="水平在一步之内改变并保持，常见于校准、更换部件、改参数；也可能是真实变化。对照校准和维护记录。",
        explain_en="The level changes in one step and stays: a calibration, a new part, changed parameters, or a "
        "real change. Compare the records of calibration and maintenance.",
        reaches=_step_reach,
    ),
)
