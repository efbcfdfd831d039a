"""Suspicions that the distribution of the values raises: bunching below a limit, a missing upper tail, last digits.

All three work on readings that depend on each other in time. Their p values come from whole blocks of time, or from
peaks of separate episodes, never from single values taken as independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luming.science.qc.fraud.readings import Readings, blocks, readings, regular, resolution
from luming.science.qc.fraud.saying import mark, numbers, picture
from luming.science.qc.fraud.statistics import binomial_tail, chi_square_tail, strength, student_tail
from luming.science.qc.model import Floats, Suspicion, Window

BLOCKS = 24  # of time, for the variance of dependent counts
EPISODES = 8  # blocks, in effect, that must have values just below the limit
HALF_WIDTH = 0.3  # of the limit: what counts as its surroundings
BINS = 12  # on each side of the limit
RIDGE = 1.0  # a prior of one natural unit: keeps the jump and its error finite when nothing lies above the limit


def bunching(
    window: Window, factor: str, *, alpha: float = 1e-4, remaining: float = 0.5, minimum: float = 200
) -> list[Suspicion]:
    """Tell whether the density of the values breaks off at the discharge limit.

    Counts in bins around the limit follow a local Poisson regression with a jump at the limit, its logarithm quadratic
    and never bent upwards, after McCrary (2008) and the local-likelihood density of Loader (1996); the bins lie on the
    grid of the resolution so that a value equal to the limit counts as compliant. The jump's variance is that of blocks
    of time (sandwich), so that autocorrelation is no evidence; a weak prior (ridge) keeps it finite where nothing lies
    above. Where the window has values converted to the reference oxygen, those are looked at: the limit is compared
    with them. ``remaining``: at most this share of the expected exceedances may be left; ``minimum``: values needed
    just below the limit.
    """
    limit = window.limit.get(factor, np.nan)
    found = readings(window, factor, converted=True)
    if not limit > 0 or len(found) < minimum:
        return []
    binned = _around(found, limit)
    if binned is None or binned[1][:, : binned[1].shape[1] // 2].sum() < minimum:
        return []
    centres, table, width = binned
    below = table[:, table.shape[1] // 4 : table.shape[1] // 2].sum(axis=1)
    if below.sum() ** 2 < EPISODES * (below**2).sum():  # a few visits to the limit make no distribution
        return []
    fit = _jump(centres / (HALF_WIDTH * limit) - 1 / HALF_WIDTH, table)
    if fit is None:
        return []
    jump, error, clustering, smooth = fit
    counts = table.sum(axis=0)
    side = len(centres) // 2
    near = slice(side, side + max(2, side // 2))
    observed, expected = float(counts[near].sum()), float(smooth[near].sum())
    p = student_tail(-jump / error, BLOCKS - 1)
    if p > alpha or expected < 20 or observed > remaining * expected:
        return []
    share = 1 - observed / expected
    return [
        Suspicion(
            "FRAUD-BUNCHING",
            factor,
            found.time[0],
            found.time[-1],
            strength(p, alpha),
            numbers(
                p=p,
                statistic=jump / error,
                effect=share,
                n=len(found),
                limit=limit,
                observed=observed,
                expected=expected,
                clustering=clustering,
            ),
            picture(
                "histogram",
                [float(f"{one:.6g}") for one in centres],
                counts,
                expected=smooth,
                marks=[mark(limit, "排放限值", "discharge limit")],
                zh=("浓度", f"数据个数（每 {width:g}）", "实际", "平滑分布的预期"),
                en=("concentration", f"values per {width:g}", "observed", "expected of a smooth distribution"),
            ),
            f"数值在限值 {limit:g} 处突然中断：略高于限值处按分布应有约 {expected:.0f} 个，实际只有 {observed:.0f} 个，"
            f"少了 {share:.0%}。",
            f"The values break off at the limit of {limit:g}: about {expected:.0f} should lie just above it, there are "
            f"{observed:.0f}; {share:.0%} are missing.",
        )
    ]


def _around(found: Readings, limit: float) -> tuple[Floats, Floats, float] | None:
    """Return centres of the bins around a limit, counts (block of time × bin), and the width of a bin."""
    step = found.step or limit * 1e-6
    width = step * max(1, round(HALF_WIDTH * limit / BINS / step))
    side = int(HALF_WIDTH * limit / width)
    if side < 4:
        return None
    edge = (np.floor(limit / step + 1e-9) + 0.5) * step
    place = np.ceil((found.values - edge) / width).astype(np.int64) - 1 + side
    inside = (place >= 0) & (place < 2 * side)
    index = blocks(len(found), BLOCKS)[inside] * (2 * side) + place[inside]
    table = np.bincount(index, minlength=BLOCKS * 2 * side).reshape(BLOCKS, 2 * side).astype(np.float64)
    return edge + width * (np.arange(-side, side) + 0.5), table, width


def _jump(x: Floats, table: Floats) -> tuple[float, float, float, Floats] | None:
    """Fit the counts with a jump at 0; return the jump (log of the density ratio), its standard error, and the fit.

    Third comes the inflation of the variance by dependence in time; the fit is the one without the jump.
    """
    counts = table.sum(axis=0)
    design = np.stack([np.ones_like(x), x, (x > 0).astype(np.float64), x * x], axis=1)
    beta = _poisson(design, counts)
    if beta is not None and beta[3] > 0:
        # A tail does not rise again: what bends upwards is the heap below the limit itself.
        design = design[:, :3]
        beta = _poisson(design, counts)
    if beta is None:
        return None
    mean = np.exp(np.clip(design @ beta, -30, 30))
    inverse = np.linalg.inv((design * mean[:, None]).T @ design + _ridge(design))
    scores = (table - mean / len(table)) @ design
    robust = inverse @ (scores.T @ scores) @ inverse * len(table) / (len(table) - 1)
    error = float(np.sqrt(max(robust[2, 2], inverse[2, 2])))  # nothing is surer than independent counts
    clustering = max(1.0, float(robust[2, 2] / inverse[2, 2]))
    jump = float(beta[2])
    return jump, error, clustering, np.exp(np.clip(design @ beta - jump * design[:, 2], -30, 30))


def _ridge(design: Floats) -> Floats:
    """Return the weak prior of the coefficients: one natural unit for the jump, hardly any for the rest."""
    found: Floats = np.diag([1e-6, 1e-6, RIDGE, 1e-3][: design.shape[1]])
    return found


def _poisson(design: Floats, counts: Floats) -> Floats | None:
    """Return the coefficients of a Poisson regression by iteration, None when it does not settle."""
    ridge = _ridge(design)
    beta: Floats = np.zeros(design.shape[1])
    beta[0] = np.log(counts.mean() + 0.5)
    for _ in range(60):
        mean = np.exp(np.clip(design @ beta, -30, 30))
        bread = (design * mean[:, None]).T @ design + ridge
        move = np.linalg.solve(bread, design.T @ (counts - mean) - ridge @ beta)
        beta = beta + np.clip(move, -1.5, 1.5)
        if np.abs(move).max() < 1e-7:
            return beta
    return None


def truncation(
    window: Window, factor: str, *, alpha: float = 1e-6, share: float = 0.15, minimum: float = 20
) -> list[Suspicion]:
    """Tell whether separate episodes of high values all end at one height, as if the values were capped.

    Peaks of episodes over the 90th percentile are nearly independent (declustering, Leadbetter 1991). Their excesses
    follow a generalised Pareto law (Pickands 1975); even for a shape of −0.5, lighter than processes have, a peak lies
    in the uppermost fraction r of the span only with probability r². Many more, counted against the binomial law, mean
    that something cuts the values off. ``share``: at least so many of the peaks lie at the top. The very highest peaks
    (2 %) may be outside, for nobody cuts everything.
    """
    found = readings(window, factor)
    if len(found) < 300:
        return []
    threshold = float(np.quantile(found.values, 0.9))
    grid, _ = regular(found, window.interval)
    peaks = np.sort(_peaks(grid, threshold))[::-1]
    best = (1.0, 0.0, 0, 0)
    for skipped in {0, -(-len(peaks) // 50)}:
        rest = peaks[skipped:]
        if len(rest) < minimum:
            continue
        span = rest[0] - threshold
        top = max(0.1, 1.01 * found.step / span) if span > 0 else 1.0
        if top > 0.25:
            continue
        count = int((rest >= rest[0] - top * span).sum()) - 1
        p = min(1.0, 2 * binomial_tail(count, len(rest) - 1, top * top))
        best = min(best, (p, float(rest[0]), count + 1, len(rest)))
    p, cap, count, episodes = best
    if p > alpha or count < share * episodes:
        return []
    upper = window.range.get(factor, (np.nan, np.nan))[1]
    saturated = bool(cap >= 0.98 * upper)
    edges = np.linspace(threshold, peaks[0], 25)
    heights, _ = np.histogram(peaks, edges)
    return [
        Suspicion(
            "FRAUD-TRUNCATION",
            factor,
            found.time[0],
            found.time[-1],
            strength(p, alpha),
            numbers(
                p=p, effect=count / episodes, n=len(found), episodes=episodes, observed=count, cap=cap, range=upper
            ),
            picture(
                "histogram",
                [float(f"{one:.6g}") for one in (edges[1:] + edges[:-1]) / 2],
                heights,
                marks=[mark(cap, "封顶值", "cap")],
                zh=("高值过程的峰值", "过程数", "实际"),
                en=("peak of the episode", "episodes", "observed"),
            ),
            f"{episodes} 次高值过程中有 {count} 次都止于 {cap:g} 附近，上部尾巴缺失"
            + ("；该值即仪器量程上限，请核对量程设置是否过低。" if saturated else "。"),
            f"{count} of {episodes} episodes of high values end near {cap:g}; the upper tail is missing"
            + ("; that is the upper end of the instrument's range: is it set too low?" if saturated else "."),
        )
    ]


def _peaks(grid: Floats, threshold: float) -> Floats:
    """Return the highest value of each episode above a threshold; pauses under six intervals belong to the episode."""
    places = np.flatnonzero(np.nan_to_num(grid, nan=-np.inf) > threshold)
    if not len(places):
        return np.empty(0)
    starts = np.flatnonzero(np.r_[True, np.diff(places) > 6])
    highest: Floats = np.maximum.reduceat(grid[places], starts)
    return highest


def digits(
    window: Window, factor: str, *, alpha: float = 1e-6, effect: float = 0.1, minimum: float = 500
) -> list[Suspicion]:
    """Tell whether last digits are uneven, as in figures that people make up or round by taste.

    Chi-square of the last digits (Mosimann et al. 1995) against what the smoothed distribution of the same values
    expects, divided by the inflation that blocks of time show (first-order correction of Rao & Scott 1981). Cohen's w
    is the effect size. Silent where digits mean nothing: a coarse grid (fewer than 30 steps between the quartiles), or
    a grid with holes or favourites that wander with the level, as after a conversion of units with rounding. Left out:
    even against odd; the lowest fifth, where the distribution bends within ten steps; single values that stand in for
    others; decades that the instrument shows with another resolution.
    """
    found = readings(window, factor)
    # A record mixed of two roundings is judged on the coarser one, which most of its values share.
    step = resolution(found.values, 0.7)
    if len(found) < minimum or not step:
        return []
    scaled = _of_one_step(found.values, step) / step
    codes = np.rint(scaled).astype(np.int64)
    codes = codes[np.abs(scaled - codes) < 1e-3]
    if len(codes) < minimum:
        return []
    codes = codes[(codes > codes.min()) & (codes < codes.max())]  # atoms of detection limit and range
    if len(codes) < minimum or np.subtract(*np.quantile(codes, [0.75, 0.25])) < 30 or np.ptp(codes) > 5_000_000:
        return []
    # Near zero the distribution bends within ten steps: there digits are uneven by themselves.
    lowest = int(codes.min())
    counts = _without_atoms(np.r_[np.bincount(codes - lowest + 20), np.zeros(20)].astype(np.float64))
    smooth = _mean_of_ten(counts)
    beyond = int(np.quantile(codes, 0.2)) - lowest + 20
    counts, smooth, codes = counts[beyond:], smooth[beyond:], codes[codes - lowest + 20 >= beyond]
    if (codes % 10 == 0).mean() > 0.5:  # still a mixture of two roundings
        return []
    digit = (np.arange(len(counts)) + lowest - 20 + beyond) % 10
    observed = np.bincount(digit, counts, 10).astype(np.float64)
    expected = np.bincount(digit, smooth, 10).astype(np.float64)
    expected *= observed.sum() / expected.sum()
    if _holes(counts, smooth * (observed / expected)[digit]):
        return []
    if (observed < 0.05 * expected).sum() > 2 or not _at_all_levels(counts, smooth, digit):
        return []
    # An excess of even over odd digits is what a conversion of units by 0.4 or 2.5 steps leaves: it tells nothing.
    odd = np.arange(10) % 2
    even = np.bincount(odd, observed) / np.bincount(odd, expected)
    expected = expected * even[odd]
    inflation = _inflation(codes % 10, expected / expected.sum())
    statistic = float(((observed - expected) ** 2 / expected).sum())
    size = float(np.sqrt(statistic / observed.sum()))
    p = chi_square_tail(statistic / inflation, 8)
    if p > alpha or size < effect:
        return []
    favourite = np.argsort(observed / expected)[::-1][:2]
    excess = float((observed / expected)[favourite[0]] - 1)
    named = "、".join(str(one) for one in favourite), " and ".join(str(one) for one in favourite)
    return [
        Suspicion(
            "FRAUD-DIGITS",
            factor,
            found.time[0],
            found.time[-1],
            strength(p, alpha),
            numbers(
                p=p,
                statistic=statistic / inflation,
                effect=size,
                n=len(codes),
                resolution=step,
                clustering=inflation,
            ),
            picture(
                "bars",
                [str(one) for one in range(10)],
                observed,
                expected=expected,
                zh=(f"末位数字（分辨率 {step:g}）", "数据个数", "实际", "预期"),
                en=(f"last digit (resolution {step:g})", "values", "observed", "expected"),
            ),
            f"末位数字分布不均：以 {named[0]} 结尾的偏多，其中 {favourite[0]} 比预期多 {excess:.0%}。",
            f"Last digits are uneven: {named[1]} are too frequent, {favourite[0]} by {excess:.0%} more than expected.",
        )
    ]


def _at_all_levels(counts: Floats, smooth: Floats, digit: NDArray[np.int64]) -> bool:
    """Return whether the same digits are favoured at four levels: of a converted unit they wander with the level."""
    mass = np.cumsum(counts) / counts.sum()
    group = np.minimum((mass * 4).astype(np.int64), 3)
    observed = np.bincount(group * 10 + digit, counts, 40).reshape(4, 10)
    expected = np.bincount(group * 10 + digit, smooth, 40).reshape(4, 10)
    if expected.min() <= 0:
        return False
    ratio = observed / expected
    excess = ratio - ratio.mean(axis=1, keepdims=True)
    length = np.sqrt((excess**2).sum(axis=1))
    alike = (excess @ excess.T / np.outer(length, length))[np.triu_indices(4, 1)] if length.min() > 0 else np.zeros(1)
    return bool(alike.mean() >= 0.4)


def _of_one_step(values: Floats, step: float) -> Floats:
    """Return the values of those decades that have the step: instruments with four figures show 99.99, then 100.1."""
    decade = np.floor(np.log10(np.maximum(np.abs(values), step)) + 1e-9)
    same = [one == decade for one in np.unique(decade) if 0.6 < resolution(values[decade == one], 0.7) / step < 1.6]
    return values[np.logical_or.reduce(same)] if same else np.empty(0)


def _mean_of_ten(counts: Floats) -> Floats:
    """Return the counts smoothed by a mean of ten twice: no digit is left in them."""
    found: Floats = np.convolve(np.convolve(counts, np.full(10, 0.1)), np.full(10, 0.1))[9:-9]
    return found


def _without_atoms(counts: Floats) -> Floats:
    """Return the counts without the three tallest single values, as substitutes for "not detected" are; not a taste."""
    smooth = _mean_of_ten(counts)
    tall = np.argsort(counts - smooth)[-3:]
    tall = tall[counts[tall] > 1.5 * smooth[tall] + 10]
    found = counts.copy()
    found[tall] = smooth[tall]
    return np.rint(found)


def _holes(counts: Floats, smooth: Floats) -> bool:
    """Return whether steps of the grid are empty that should be occupied: digits of another unit.

    ``smooth`` knows how frequent each digit is, so that a mere taste for digits does not pass for a converted unit.
    """
    central = smooth >= np.quantile(smooth[smooth > 0], 0.75)
    occupied = float((counts[central] > 0).sum())
    likely = float((1 - np.exp(-smooth[central])).sum())
    return bool(occupied < 0.95 * likely - 3 * np.sqrt(likely / 4))


def _inflation(digit: NDArray[np.int64], shares: Floats) -> float:
    """Return by how much blocks of time differ more than independent digits would (at least 1)."""
    block = blocks(len(digit), BLOCKS)
    table = np.bincount(block * 10 + digit, minlength=BLOCKS * 10).reshape(BLOCKS, 10)
    sizes = table.sum(axis=1, keepdims=True)
    own = table.sum(axis=0) / table.sum()
    between = ((table - sizes * own) ** 2 / (sizes * np.maximum(shares, 1e-9))).sum() / (9 * (BLOCKS - 1))
    return max(1.0, float(between))
