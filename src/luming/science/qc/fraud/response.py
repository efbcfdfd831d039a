"""Suspicions that a missing response raises: too little noise, no answer to calibration gas, no answer to the load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luming.science.qc.fraud.readings import Readings, ranks, readings, regular, resolution, usable
from luming.science.qc.fraud.saying import city_time, mark, moments, numbers, picture, thin
from luming.science.qc.fraud.statistics import binomial_tail, normal_tail, spread, strength
from luming.science.qc.model import Floats, Suspicion, Window

# What the plant does, as far as the window knows it; the first ones tell most.
DRIVERS = {
    "load": ("负荷", "load"),
    "power": ("用电", "power"),
    "flow": ("流量", "flow"),
    "velocity": ("流速", "velocity"),
    "o2": ("含氧量", "oxygen"),
    "gastemp": ("烟温", "temperature"),
}
TWO_DAYS = 2 * 86_400


def noise(
    window: Window, factor: str, *, alpha: float = 1e-5, ratio: float = 0.25, declared: float = 0.0
) -> list[Suspicion]:
    """Tell whether a period has too little noise for the instrument.

    Noise is the trimmed mean of second differences (Gasser, Sroka & Jennen-Steinmetz 1986) in blocks of a day of hours
    or four hours of minutes, set against the noise that the series usually has at that level. A run of blocks, at least
    five and two days long, below ``ratio`` of the usual noise is judged by its mean, its variance enlarged for the
    autocorrelation of the blocks. With ``declared`` > 0, the noise of the instrument in the factor's unit, also a whole
    series below a third of it is found. Silent where rounding hides the noise (usual noise below 1.5 steps).
    """
    found = readings(window, factor)
    if len(found) < 100:
        return []
    grid, start = regular(found, window.interval)
    size = int(np.clip(14_400 // window.interval, 24, 240))
    table = _noises(grid, size, found.step)
    if table is None:
        return []
    place, level, amount = table
    if declared > 0 and np.median(amount) < declared / 3 and found.step < declared:
        return [
            _too_quiet(window, factor, found, grid, start, place, amount, size, declared, 0, len(place) - 1, 0.0, alpha)
        ]
    above = level > _detection(found)
    place, level, amount = place[above], level[above], amount[above]
    if len(place) < 15 or np.median(amount) < 1.5 * found.step:
        return []
    usual = _usual(level, amount)
    below = np.log(amount / usual)
    needed = max(5, -(-TWO_DAYS // int(size * window.interval)))
    best = (1.0, 0, 0)
    for first, last in _runs(below <= np.log(ratio), needed):
        rest = np.r_[below[:first], below[last + 1 :]]
        if len(rest) < len(below) / 2:
            continue
        alike = np.corrcoef(rest[1:], rest[:-1])[0, 1] if np.ptp(rest[1:]) > 0 and np.ptp(rest[:-1]) > 0 else 0.0
        alike = float(np.clip(alike, 0.0, 0.95))
        count = max(1.0, (last - first + 1) * (1 - alike) / (1 + alike))
        width = max(spread(rest), 0.1)
        score = (np.median(rest) - below[first : last + 1].mean()) / width * np.sqrt(count)
        best = min(best, (min(1.0, normal_tail(float(score)) * len(below)), first, last))
    p, first, last = best
    if p > alpha:
        return []
    reference = float(np.median(usual[first : last + 1]))
    return [_too_quiet(window, factor, found, grid, start, place, amount, size, reference, first, last, p, alpha)]


def _detection(found: Readings) -> float:
    """Return the level up to which values are mostly one substitute for "not detected"; −inf when there is none."""
    low = found.values[found.values <= np.quantile(found.values, 0.25)]
    values, counts = np.unique(low, return_counts=True)
    place = int(np.argmax(counts))
    return float(values[place]) + 1.5 * found.step if counts[place] >= 0.03 * len(found) else -np.inf


def _noises(grid: Floats, size: int, step: float) -> tuple[NDArray[np.int64], Floats, Floats] | None:
    """Return number, level and noise of each block with three quarters of its values."""
    count = len(grid) // size
    if count < 2:
        return None
    bends = np.full(len(grid), np.nan)
    bends[1:-1] = np.abs(grid[2:] - 2 * grid[1:-1] + grid[:-2])
    table = np.sort(bends[: count * size].reshape(count, size), axis=1)  # NaN last
    present = np.isfinite(table).sum(axis=1)
    place = np.flatnonzero(present >= 0.75 * size)
    if len(place) < 2:
        return None
    lower = np.arange(size) < (0.8 * present[place])[:, None]
    # 0.5657: the mean of the lower four fifths of |N(0, 1)|; √6: a second difference of white noise
    amount = np.where(lower, table[place], 0).sum(axis=1) / lower.sum(axis=1) / 0.5657 / np.sqrt(6)
    level = np.nanmedian(grid[: count * size].reshape(count, size)[place], axis=1)
    floor = max(0.29 * step, 1e-12)  # the noise of rounding
    return place, level, np.maximum(amount, floor)


def _usual(level: Floats, amount: Floats) -> Floats:
    """Return the usual noise at each level: a power law between the lower and the upper third of the levels."""
    if level.min() <= 0:
        return np.full(len(amount), np.median(amount))
    low, high = np.quantile(level, [1 / 3, 2 / 3])
    below, above = level <= low, level >= high
    run = np.log(np.median(level[above])) - np.log(np.median(level[below]))
    rise = np.log(np.median(amount[above])) - np.log(np.median(amount[below]))
    slope = float(np.clip(rise / run, 0.0, 1.5)) if run > 0.05 else 0.0
    scaled = amount / level**slope
    usual: Floats = np.median(scaled) * level**slope
    return usual


def _runs(low: NDArray[np.bool_], needed: int) -> list[tuple[int, int]]:
    """Return first and last of each run of at least so many."""
    edges = np.flatnonzero(np.diff(np.r_[False, low, False].astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= needed]


def _too_quiet(
    window: Window,
    factor: str,
    found: Readings,
    grid: Floats,
    start: np.datetime64,
    place: NDArray[np.int64],
    amount: Floats,
    size: int,
    reference: float,
    first: int,
    last: int,
    p: float,
    alpha: float,
) -> Suspicion:
    second = np.timedelta64(int(window.interval), "s")
    begin, end = start + place[first] * size * second, start + (place[last] + 1) * size * second
    quiet = float(np.median(amount[first : last + 1]))
    part = thin(len(place))
    return Suspicion(
        "FRAUD-NOISE",
        factor,
        begin,
        end,
        strength(p, alpha) if p else 1 - 3 * quiet / reference,
        numbers(
            **({"p": p} if p else {}),
            effect=1 - quiet / reference,
            n=len(found),
            noise=quiet,
            usual=reference,
            resolution=found.step,
            days=float((end - begin) / np.timedelta64(1, "D")),
        ),
        picture(
            "line",
            moments((start + place * size * second)[part]),
            amount[part],
            expected=np.full(len(place), reference)[part],
            marks=[mark(moments([begin])[0], "开始", "begins"), mark(moments([end])[0], "结束", "ends")],
            zh=("时间", "噪声（二阶差分）", "噪声", "平时噪声" if p else "声明噪声"),
            en=("time", "noise (second differences)", "noise", "usual noise" if p else "declared noise"),
        ),
        f"{city_time(begin)} 至 {city_time(end)} 的噪声只有{'平时' if p else '仪器声明噪声'}的 "
        f"{quiet / reference:.0%}，"
        "像平滑、插值或另行给出的数据。",
        f"From {city_time(begin)} to {city_time(end)} the noise is {quiet / reference:.0%} of "
        f"{'the usual' if p else 'that declared'}: as if values were smoothed, interpolated or made otherwise.",
    )


def calibration(
    window: Window, factor: str, *, alpha: float = 0.001, miss: float = 0.02, movement: float = 5.0
) -> list[Suspicion]:
    """Tell whether values stand still while zero or span gas is given.

    In each period of kind ``calibration`` (its ``detail`` may name ``factor`` and ``target``, the gas's concentration)
    with at least three values, the values answer when their median leaves the level around by more than ``movement``
    noises, or when they move that much among themselves, towards the target where it is known. An honest system misses
    an answer with probability ``miss`` (method; a held output, a gas near the level), so the number of silent
    calibrations is judged by the binomial law: one never suffices. Calibrations whose gas is within the reach of the
    level tell nothing and are left out, and so is one unchanged value that the device itself marks as calibration (C):
    that is a logger that says it holds. Otherwise marks are not asked, the values themselves must move.
    """
    values = window.values[factor]
    answers: list[_Answer] = []
    for span in window.spans:
        if span.kind != "calibration" or span.detail.get("factor", factor) != factor:
            continue
        answer = _answer(window, values, span.start, span.end, span.detail.get("target"), movement)
        if answer and not (answer.held and _marked(window, factor, answer)):
            answers.append(answer)
    silent = [one for one in answers if one.silent]
    p = binomial_tail(len(silent), len(answers), miss) if answers else 1.0
    if p > alpha:
        return []
    last = silent[-1]
    width = last.end - last.start
    near = (window.time >= last.start - width * 3) & (window.time < last.end + width * 3)
    part = thin(int(near.sum()))
    held = sum(one.held for one in silent)
    target = {"target": last.target} if np.isfinite(last.target) else {}
    return [
        Suspicion(
            "FRAUD-CALIBRATION",
            factor,
            silent[0].start,
            last.end,
            strength(p, alpha),
            numbers(
                p=p,
                effect=len(silent) / len(answers),
                calibrations=len(answers),
                silent=len(silent),
                held=held,
                **target,
            ),
            picture(
                "line",
                moments(window.time[near][part]),
                values[near][part],
                expected=np.where(within_times(window.time[near][part], last), last.target, np.nan) if target else None,
                marks=[
                    mark(moments([last.start])[0], "校准开始", "calibration begins"),
                    mark(moments([last.end])[0], "校准结束", "calibration ends"),
                ],
                zh=("时间", "示值", "示值", "标气浓度"),
                en=("time", "reading", "reading", "concentration of the gas"),
            ),
            f"{len(answers)} 次校准中有 {len(silent)} 次示值没有响应标准气体"
            f"（其中 {held} 次数值一点未变，也可能是数采仪保持了上一值）。",
            f"In {len(silent)} of {len(answers)} calibrations the readings do not answer the gas (in {held} not one "
            "digit changes: the logger may have held the last value).",
        )
    ]


@dataclass(frozen=True, slots=True)
class _Answer:
    """How the readings answered one calibration."""

    start: np.datetime64
    end: np.datetime64
    target: float
    silent: bool
    held: bool


def within_times(time: NDArray[np.datetime64], answer: _Answer) -> NDArray[np.bool_]:
    """Return which times lie in a calibration."""
    inside: NDArray[np.bool_] = (time >= answer.start) & (time < answer.end)
    return inside


def _marked(window: Window, factor: str, answer: _Answer) -> bool:
    """Return whether the device marks the values of a calibration as such."""
    flags = window.flags.get(factor)
    return flags is not None and bool((flags[within_times(window.time, answer)] == "C").all())


def _answer(
    window: Window, values: Floats, start: np.datetime64, end: np.datetime64, target: object, movement: float
) -> _Answer | None:
    """Return the answer to one calibration, None where it tells nothing."""
    inside = values[(window.time >= start) & (window.time < end)]
    reach = max(end - start, np.timedelta64(int(20 * window.interval), "s"))
    near = (
        (window.time >= start - reach) & (window.time < end + reach) & ~((window.time >= start) & (window.time < end))
    )
    around, inside = values[near & np.isfinite(values)], inside[np.isfinite(inside)]
    if len(inside) < 3 or len(around) < 6:
        return None
    level = float(np.median(around))
    width = max(spread(around), resolution(around), abs(level) * 0.01, 1e-9)
    known = float(target) if isinstance(target, (int, float)) else np.nan
    if abs((0.0 if np.isnan(known) else known) - level) <= 2 * movement * width:
        return None
    moved = np.abs(inside - level) > movement * width
    if np.isfinite(known):
        moved &= np.sign(inside - level) == np.sign(known - level)
    return _Answer(start, end, known, not moved.sum() >= 2, bool(np.ptp(inside) == 0))


def load(
    window: Window,
    factor: str,
    *,
    alpha: float = 1e-6,
    usual: float = 0.5,
    broken: float = 0.25,
    miss: float = 0.1,
    standing: float = 0.002,
) -> list[Suspicion]:
    """Tell whether values stop following the plant.

    With a driver in the window (load, power, flow, velocity, O2, temperature of the gas): rank correlations in blocks
    of 72 values, as Fisher's z. Where the history follows the driver (median at least ``usual``), a run of three
    blocks at or below ``broken`` while the driver varies as it does otherwise is judged against the other blocks.
    With marked standstills: at least three stops of six values or more at which the concentration stays what it was
    before, which an honest plant shows with probability ``miss`` each (threshold ``standing``).
    """
    if factor in DRIVERS:
        return []
    found = _ignores_driver(window, factor, alpha, usual, broken)
    return found or _ignores_standstill(window, factor, standing, miss)


def _ignores_driver(window: Window, factor: str, alpha: float, usual: float, broken: float) -> list[Suspicion]:
    for driver in DRIVERS:
        if driver not in window.values:
            continue
        keep = usable(window, factor, window.values[factor]) & np.isfinite(window.values[driver])
        suspicion = _broken(window, factor, driver, keep, alpha, usual, broken)
        if suspicion:
            return [suspicion]
    return []


def _broken(
    window: Window, factor: str, driver: str, keep: NDArray[np.bool_], alpha: float, usual: float, broken: float
) -> Suspicion | None:
    size = 72
    kept = np.flatnonzero(keep)
    count = len(kept) // size
    if count < 12:
        return None
    rows = kept[: count * size].reshape(count, size)
    values, drives = window.values[factor][rows], window.values[driver][rows]
    width = np.subtract(*np.quantile(drives, [0.9, 0.1], axis=1))
    lively = np.flatnonzero(width >= 0.5 * np.median(width)) if np.median(width) > 0 else np.empty(0, np.int64)
    if len(lively) < 12:
        return None
    together = np.arctanh(np.clip(_rank_correlation(values[lively], drives[lively]), -0.99, 0.99))
    middle = float(np.median(together))
    if abs(np.tanh(middle)) < usual:
        return None
    together *= np.sign(middle)
    middle = abs(middle)
    best = (1.0, 0, 0)
    for first, last in _runs(together <= np.arctanh(broken), 3):
        rest = np.r_[together[:first], together[last + 1 :]]
        if len(rest) < len(together) / 2:
            continue
        # The lower half tells how far down the blocks usually reach.
        lower = rest[rest <= np.median(rest)]
        reach = max(float(1.4826 * np.median(np.median(rest) - lower)), 0.15)
        scores = (np.median(rest) - together[first : last + 1]) / reach
        p = min(1.0, normal_tail(float(scores.sum() / np.sqrt(len(scores)))) * len(together))
        best = min(best, (p, first, last))
    p, first, last = best
    if p > alpha:
        return None
    part = rows[lively[first : last + 1]].ravel()
    during = float(np.tanh(together[first : last + 1].mean()))
    begin, end = window.time[part[0]], window.time[part[-1]] + np.timedelta64(int(window.interval), "s")
    names = DRIVERS[driver]
    shown = part[thin(len(part))]
    order = np.argsort(window.values[driver][shown], kind="stable")
    trend = _trend(window.values[driver][keep], window.values[factor][keep], window.values[driver][shown][order])
    return Suspicion(
        "FRAUD-LOAD",
        factor,
        begin,
        end,
        strength(p, alpha),
        numbers(
            p=p,
            effect=float(np.tanh(middle)) - during,
            n=int(keep.sum()),
            correlation=during,
            usual_correlation=float(np.tanh(middle)),
        ),
        picture(
            "scatter",
            [float(f"{one:.6g}") for one in window.values[driver][shown][order]],
            window.values[factor][shown][order],
            expected=trend,
            zh=(names[0], "浓度", "该时段", "平时的关系"),
            en=(names[1], "concentration", "this period", "usual relation"),
        ),
        f"{city_time(begin)} 至 {city_time(end)} 数值不再随{names[0]}变化："
        f"秩相关 {during:.2f}，平时 {np.tanh(middle):.2f}。",
        f"From {city_time(begin)} to {city_time(end)} the values no longer follow the {names[1]}: rank "
        f"correlation {during:.2f}, usually {np.tanh(middle):.2f} (signs aligned).",
    )


def _rank_correlation(values: Floats, drives: Floats) -> Floats:
    """Return Spearman's correlation of each row."""
    found: Floats = (ranks(values) * ranks(drives)).sum(axis=1)
    return found


def _trend(drives: Floats, values: Floats, at: Floats) -> Floats:
    """Return the usual value at each place of the driver: medians of twelve equal parts, joined by lines."""
    order = np.argsort(drives, kind="stable")
    parts = np.array_split(order, 12)
    x, y = [float(np.median(drives[part])) for part in parts], [float(np.median(values[part])) for part in parts]
    found: Floats = np.interp(at, x, y)
    return found


def _ignores_standstill(window: Window, factor: str, alpha: float, miss: float) -> list[Suspicion]:
    if window.stopped is None or window.medium not in ("gas", "sewage"):
        return []
    values = window.values[factor]
    running = values[usable(window, factor, values)]
    step = resolution(running)
    if len(running) < 100 or np.median(running) < 10 * max(step, 1e-9):
        return []
    edges = np.flatnonzero(np.diff(np.r_[False, window.stopped, False].astype(np.int8)))
    alike, ratios, last = 0, [], (0, 0)
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        standing = values[begin + min(2, (end - begin) // 3) : end]  # the stack empties first
        before = values[max(0, begin - 24) : begin]
        standing, before = standing[np.isfinite(standing)], before[np.isfinite(before)]
        if len(standing) < 6 or len(before) < 12:
            continue
        ratio = float(np.median(standing) / np.median(before)) if np.median(before) > 0 else 0.0
        ratios.append(ratio)
        if 0.75 <= ratio <= 1.33:
            alike, last = alike + 1, (int(begin), int(end))
    p = binomial_tail(alike, len(ratios), miss) if alike >= 3 else 1.0
    if p > alpha:
        return []
    begin, end = last
    near = np.arange(max(0, begin - 48), min(len(values), end + 48))
    near = near[thin(len(near))]
    beyond = window.time[end - 1] + np.timedelta64(int(window.interval), "s")
    return [
        Suspicion(
            "FRAUD-LOAD",
            factor,
            window.time[edges[0]],
            window.time[edges[-1] - 1],
            strength(p, alpha),
            numbers(
                p=p,
                effect=alike / len(ratios),
                n=len(running),
                stops=len(ratios),
                observed=alike,
                ratio=np.median(ratios),
            ),
            picture(
                "line",
                moments(window.time[near]),
                values[near],
                marks=[
                    mark(moments([window.time[begin]])[0], "停运开始", "standstill begins"),
                    mark(moments([beyond])[0], "停运结束", "standstill ends"),
                ],
                zh=("时间", "浓度", "浓度"),
                en=("time", "concentration", "concentration"),
            ),
            f"{len(ratios)} 次停运中有 {alike} 次浓度与停运前基本相同，数值不随生产变化。",
            f"At {alike} of {len(ratios)} standstills the concentration stays what it was before: the values ignore "
            "the plant.",
        )
    ]
