"""Suspicions that repetition raises: one run of values at two times, and days that resemble each other too much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luming.science.qc.fraud.readings import Readings, ranks, readings, regular
from luming.science.qc.fraud.saying import city_time, clean, mark, moments, numbers, picture, thin
from luming.science.qc.fraud.statistics import normal_tail, strength
from luming.science.qc.model import Floats, Suspicion, Window

Codes = NDArray[np.int64]
HASHED = 8  # values in one hash
UNCHANGED = 4  # values in one hash that must differ from the one before
MOST = 7.0  # nats that one value may say
SLOTS = 288  # of a day at most


def repeat(window: Window, factor: str, *, alpha: float = 1e-4, minimum: float = 12) -> list[Suspicion]:
    """Tell whether a run of values occurs at two times that chance would not repeat.

    Values are counted in steps of their resolution; rolling hashes of eight values in a row find equal runs in
    n log n, and neighbouring finds with one distance in time join into one run. A run's information is the sum of
    −log P(change | level, change before) under the series' own changes, with changes of zero counted as nothing, so
    that standing values, coarse rounding and toggling carry little. Chance reaches log(n²/2) + log(1/alpha) (longest
    common runs: Karlin & Ost 1988); half as much again is asked for. ``minimum``: values in a run.
    """
    found = readings(window, factor)
    if len(found) < 100:
        return []
    grid, start = regular(found, window.interval)
    codes = _codes(grid, found)
    first, second, length, bridges = _pairs(codes)
    if not len(first):
        return []
    total = np.r_[0.0, np.cumsum(_information(codes))]
    information = total[second + length] - total[second + 1] - 2 * MOST * bridges
    needed = 1.5 * (np.log(len(found) ** 2 / 2) - np.log(alpha))
    beyond = (length >= minimum) & (information >= needed)
    if not beyond.any():
        return []
    best = int(np.argmax(np.where(beyond, information, -1)))
    a, b, size = int(first[best]), int(second[best]), int(length[best])
    equal = int((codes[a : a + size] == codes[b : b + size]).sum())
    second_size = np.timedelta64(int(window.interval), "s")
    moment, copy = start + a * second_size, start + b * second_size
    p = float(np.exp(max(-600.0, np.log(len(found) ** 2 / 2) - information[best])))
    around = max(3, size // 6)
    shown = np.arange(b - around, b + size + around)
    original = shown - (b - a)
    inside = (shown >= 0) & (shown < len(grid)) & (original >= 0) & (original < len(grid))
    shown, original = shown[inside][thin(inside.sum())], original[inside][thin(inside.sum())]
    hours = size * window.interval / 3600
    named = city_time(moment), city_time(copy)
    return [
        Suspicion(
            "FRAUD-REPEAT",
            factor,
            copy,
            copy + size * second_size,
            strength(p, alpha),
            numbers(
                p=p,
                effect=float(length[beyond].sum()) / len(found),
                n=len(found),
                length=equal,
                information=float(information[best]),
                needed=float(needed),
                apart=(b - a) * window.interval / 3600,
                pairs=int(beyond.sum()),
                resolution=found.step,
            ),
            picture(
                "line",
                moments(start + shown * second_size),
                grid[shown],
                expected=grid[original],
                marks=[
                    mark(moments([copy])[0], "重复开始", "repetition begins"),
                    mark(moments([copy + (size - 1) * second_size])[0], "重复结束", "repetition ends"),
                ],
                zh=("时间", "浓度", "该时段", f"{named[0]} 起的数据"),
                en=("time", "concentration", "this period", f"values from {named[0]}"),
            ),
            f"自 {named[1]} 起 {hours:.3g} 小时内有 {equal} 个数值与 {named[0]} 起的数值逐个相同；"
            f"共发现 {int(beyond.sum())} 段。",
            f"{equal} values within {hours:.3g} h from {named[1]} equal those from {named[0]} one by one; "
            f"such runs: {int(beyond.sum())}.",
        )
    ]


def _codes(grid: Floats, found: Readings) -> Codes:
    """Return values in steps of the resolution; each gap has a number of its own, so that gaps never match."""
    step = found.step or float(np.ptp(found.values)) * 1e-6 or 1.0
    missing = np.isnan(grid)
    codes = np.rint(np.where(missing, 0.0, grid) / step).astype(np.int64)
    codes[missing] = (1 << 52) + np.flatnonzero(missing) * 7
    return codes


def _pairs(codes: Codes) -> tuple[Codes, Codes, Codes, Codes]:
    """Return starts of the earlier and the later of all maximal equal runs, their lengths, and what they bridge.

    One missing or different value, or a stretch without change, is bridged.
    """
    count = len(codes) - HASHED + 1
    if count < 2:
        return (np.empty(0, np.int64),) * 4
    hashes = np.zeros(count, np.uint64)
    factor = np.uint64(0x9E3779B97F4A7C15)
    unsigned = codes.astype(np.uint64)
    for shift in range(HASHED):
        hashes = hashes * factor + unsigned[shift : shift + count]
    moved = np.r_[0, np.cumsum(np.diff(codes) != 0)]
    lively = np.flatnonzero(moved[HASHED - 1 :] - moved[:count] >= UNCHANGED)
    order = lively[np.argsort(hashes[lively], kind="stable")]
    same = hashes[order[1:]] == hashes[order[:-1]]
    first, second = order[:-1][same], order[1:][same]
    equal = (codes[first] == codes[second]) & (codes[first + HASHED - 1] == codes[second + HASHED - 1])
    first, second = first[equal], second[equal]
    apart = second - first
    order = np.lexsort((first, apart))
    first, apart = first[order], apart[order]
    if not len(first):
        return first, first, first, first
    steps = np.diff(first)
    new = (np.diff(apart) != 0) | (steps > HASHED + 1)
    begins = np.flatnonzero(np.r_[True, new])
    ends = np.r_[begins[1:], len(first)] - 1
    bridged = np.r_[0, np.cumsum((steps > 1) & ~new)]
    length = np.minimum(first[ends] - first[begins] + HASHED, apart[begins])  # a run does not overlap its copy
    return first[begins], first[begins] + apart[begins], length, bridged[ends] - bridged[begins]


def _information(codes: Codes) -> Floats:
    """Return −log P(change | level, change before) of each value, nats; 0 for no change and next to gaps."""
    change = np.r_[0, np.diff(codes)]
    before = np.r_[0, change[:-1]]
    real = (codes < 1 << 52) & (np.r_[0, codes[:-1]] < 1 << 52)
    scale = max(1.0, float(np.median(np.abs(change[real & (change != 0)]))) if (real & (change != 0)).any() else 1.0)
    edges = np.quantile(codes[real], [0.25, 0.5, 0.75]) if real.any() else np.zeros(3)
    state = np.searchsorted(edges, codes) * 5 + np.clip(np.rint(before / scale), -2, 2).astype(np.int64) + 2
    # Changes in steps of the logarithm on each side; within one, the chance that two changes are equal.
    size = np.abs(change).astype(np.float64)
    octave = np.minimum(np.floor(np.log2(np.maximum(size, 1)) * 1.5).astype(np.int64), 40)
    cell = np.where(change == 0, 0, np.sign(change) * (octave + 1)) + 41
    counts = np.bincount(state[real] * 83 + cell[real], minlength=20 * 83).reshape(20, 83) + 0.05
    share = counts / counts.sum(axis=1, keepdims=True)
    found = -np.log(share[state, cell]) - np.log(_alike(change[real], cell[real], 83))[cell]
    # A rare jump is not rare when it occurs twice: no single value says more than that.
    return np.where(real & (change != 0), np.minimum(found, MOST), 0.0)


def _alike(change: Codes, cell: Codes, cells: int) -> Floats:
    """Return for each cell the probability that two of its changes are equal (collision), 1 for an empty cell."""
    order = np.lexsort((change, cell))
    change, cell = change[order], cell[order]
    begins = np.flatnonzero(np.r_[True, (np.diff(change) != 0) | (np.diff(cell) != 0)]) if len(change) else order
    counts = np.diff(np.r_[begins, len(change)]).astype(np.float64)
    of = cell[begins]
    total = np.bincount(of, counts, cells)
    found: Floats = np.bincount(of, counts**2, cells) / np.maximum(total, 1) ** 2
    return np.where(total > 0, np.clip(found, 1e-9, 1.0), 1.0)


def daily(
    window: Window, factor: str, *, alpha: float = 1e-6, correlation: float = 0.9, explained: float = 0.95
) -> list[Suspicion]:
    """Tell whether days resemble each other more than the process makes them.

    Hour-to-hour changes of each city day, with the median day taken out, are compared by rank correlation (Spearman
    1904) over all pairs of days. What the process gives is the series' own distribution of Fisher's z, so an honest
    schedule that repeats shifts the threshold and is not found; a pair counts when z lies beyond what the number of
    pairs makes likely (Bonferroni) and the correlation is at least ``correlation``. Also found: days that are all
    alike, when the mean day explains at least ``explained`` of the variance of the changes.
    """
    found = readings(window, factor)
    if len(found) < 7 * 12:
        return []
    grid, start = regular(found, window.interval)
    shapes, numbers_of_day = _days(grid, window.interval)
    if len(shapes) < 7 or shapes.shape[1] < 12:
        return []
    changes = np.diff(shapes, axis=1)
    lively = ((changes != 0).mean(axis=1) >= 0.5) & (shapes.std(axis=1) > 0)
    changes, shapes, numbers_of_day = changes[lively], shapes[lively], numbers_of_day[lively]
    if len(shapes) < 7:
        return []
    dates = (start + np.timedelta64(8, "h")).astype("datetime64[D]") + numbers_of_day
    same = _all_alike(window, factor, changes, shapes, dates, explained)
    if same:
        return same
    left = changes - np.median(changes, axis=0)
    ordered = ranks(left)
    matrix = np.clip(ordered @ ordered.T, -0.999999, 0.999999)
    rows, columns = np.triu_indices(len(matrix), 1)
    together = np.arctanh(matrix[rows, columns])
    usual = float(np.median(together))
    # Days of one schedule resemble each other more than the rest: the upper tail counts, not only the middle.
    tail = float(np.quantile(together, 0.98) - usual) / 2.054
    width = max(float(1.4826 * np.median(np.abs(together - usual))), tail, 1.03 / np.sqrt(max(changes.shape[1] - 3, 1)))
    best = int(np.argmax(together))
    p = min(1.0, normal_tail((together[best] - usual) / width) * len(together))
    strongest = float(matrix[rows[best], columns[best]])
    before = round(float(np.tanh(usual)), 2) + 0.0  # no −0.00
    if p > alpha or strongest < correlation:
        return []
    pairs = (together - usual) / width
    alike = (np.array([normal_tail(one) for one in pairs[pairs > 4]]) * len(together) <= alpha).sum()
    a, b = int(rows[best]), int(columns[best])
    hours = np.arange(shapes.shape[1]) * 24 / shapes.shape[1]
    return [
        Suspicion(
            "FRAUD-DAILY",
            factor,
            *_day(dates[b]),
            strength(p, alpha),
            numbers(
                p=p,
                effect=strongest,
                correlation=strongest,
                usual_correlation=float(np.tanh(usual)),
                n=int(np.isfinite(shapes).sum()),
                days=len(shapes),
                pairs=int(alike),
            ),
            picture(
                "line",
                [float(f"{one:.4g}") for one in hours],
                shapes[b],
                expected=shapes[a],
                zh=("时刻（时）", "浓度", str(dates[b]), str(dates[a])),
                en=("hour of the day", "concentration", str(dates[b]), str(dates[a])),
            ),
            f"{dates[b]} 与 {dates[a]} 的逐时变化几乎相同（秩相关 {strongest:.2f}，平时 {before:.2f}）；"
            f"这样相似的日期对共 {alike} 对。",
            f"The changes through {dates[b]} and {dates[a]} are nearly the same (rank correlation {strongest:.2f}, "
            f"usually {before:.2f}); pairs of days so alike: {alike}.",
        )
    ]


def _days(grid: Floats, interval: float) -> tuple[Floats, Codes]:
    """Return complete days as rows of at most SLOTS means, and the number of each day since the first."""
    per_day = int(86_400 // interval)
    if per_day < 12:
        return np.empty((0, 0)), np.empty(0, np.int64)
    whole = -(-len(grid) // per_day)
    padded = np.full(whole * per_day, np.nan)
    padded[: len(grid)] = grid
    merged = max(1, per_day // SLOTS)
    while per_day % merged:
        merged += 1
    table = padded.reshape(whole, per_day // merged, merged)
    shapes = table.mean(axis=2) if merged > 1 else table[:, :, 0]
    complete = np.flatnonzero(np.isfinite(shapes).all(axis=1))
    return shapes[complete], complete


def _day(date: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """Return start and end of a city day in UTC."""
    start = date.astype("datetime64[s]") - np.timedelta64(8, "h")
    return start, start + np.timedelta64(1, "D")


def _all_alike(
    window: Window, factor: str, changes: Floats, shapes: Floats, dates: NDArray[np.datetime64], threshold: float
) -> list[Suspicion]:
    """Return a suspicion when the mean day explains nearly all changes of all days."""
    mean = changes.mean(axis=0)
    total = float((changes**2).sum())
    share = 1 - float(((changes - mean) ** 2).sum()) / total if total > 0 else 0.0
    # By chance the mean of D days explains 1/D.
    if share < threshold or 1 / len(changes) > threshold / 2:
        return []
    hours = np.arange(shapes.shape[1]) * 24 / shapes.shape[1]
    return [
        Suspicion(
            "FRAUD-DAILY",
            factor,
            _day(dates[0])[0],
            _day(dates[-1])[1],
            min(1.0, (share - threshold) / (1 - threshold)),
            numbers(effect=share, explained=share, n=shapes.size, days=len(shapes)),
            picture(
                "line",
                clean(hours),
                shapes[-1],
                expected=np.median(shapes, axis=0),
                zh=("时刻（时）", "浓度", str(dates[-1]), "各日中位"),
                en=("hour of the day", "concentration", str(dates[-1]), "median day"),
            ),
            f"{len(shapes)} 天的变化几乎完全相同：平均日变化解释了 {share:.1%} 的变化。",
            f"{len(shapes)} days change nearly alike: the mean day explains {share:.1%} of the changes.",
        )
    ]
