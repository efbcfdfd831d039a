"""Values of the demonstration fleet: deterministic in (seed, place, time), for any window, in any order.

One step is ten minutes. A real-time sample is the step's mean plus a pattern of ten samples whose sum is zero;
ten-minute data is the step itself; hour data is the mean of its valid steps and day data the mean of its valid hours.
So what a logger sends in real time, by ten minutes, by hour and by day agrees, and minimum and maximum are those of
the samples. Sound levels are averaged by energy and wind by direction; percentile levels are averaged arithmetically,
which is an approximation.

Validity as HJ 212-2017 annex D (24, 25): an hour needs 45 valid minutes, a day 20 valid hours; otherwise the period
carries the most frequent mark and the mean of everything. Amounts as annex D: waste gas G = C · Q · 10⁻⁶ kg (33), waste
water G = C · D · 10⁻³ kg, of the period's means; the amount of a day is the sum of its hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from luming.demo import emission, environment
from luming.demo.chance import Floats, Ints, episodes, key_of, uniform
from luming.demo.environment import DAY, HOUR, STEP, State
from luming.demo.fleet import Site

FLAGS = "NFMDCTB"  # HJ 212-2017 table 8: normal, stopped, maintenance, fault, calibration, above range, communication
NORMAL, STOPPED, MAINTENANCE, FAULT, CALIBRATION, OVER_RANGE, BROKEN_LINE = range(7)
# Ten samples of a step around its mean, in units of the spread: their sum is zero, their extremes are ±1.
PATTERN = np.array([0.1, -0.6, 0.9, -0.2, -1.0, 0.5, 1.0, -0.4, 0.2, -0.5])
SAMPLE = STEP // len(PATTERN)  # seconds
CALIBRATED = ("a21026", "a21002", "a19001")
DAY_SECONDS = 86400
CHINA_SECONDS = 8 * 3600


@dataclass(frozen=True, slots=True)
class Block:
    """Periods of one place as a logger sends them: arrays of shape (factors, periods), rounded; NaN = not sent."""

    site: Site
    interval: str  # realtime, minute, hour, day
    starts: Ints  # seconds since 1970-01-01 UTC
    value: Floats
    minimum: Floats
    maximum: Floats
    converted: Floats
    converted_minimum: Floats
    converted_maximum: Floats
    amount: Floats
    flag: np.ndarray  # indexes FLAGS
    day_level: Floats  # Ld of noise by day; shape (periods,), NaN otherwise
    night_level: Floats


def period_seconds(interval: str) -> int:
    """Return how far the periods of an interval lie apart."""
    return {"realtime": SAMPLE, "minute": STEP, "hour": 3600, "day": DAY_SECONDS}[interval]


def period_starts(interval: str, begin: float, end: float) -> Ints:
    """Return the starts of the periods that begin at or after ``begin`` and end by ``end`` (seconds since 1970)."""
    seconds = period_seconds(interval)
    shift = CHINA_SECONDS if interval == "day" else 0  # days begin at midnight in China; the rest agrees with UTC
    first = math.ceil((begin + shift) / seconds)
    last = math.floor((end + shift) / seconds)
    return np.arange(first, max(first, last), dtype=np.int64) * seconds - shift


def block(site: Site, interval: str, starts: Ints) -> Block:
    """Return the data of the periods with these starts (seconds since 1970-01-01 UTC, each a period's start)."""
    starts = np.asarray(starts, dtype=np.int64)
    if interval == "realtime":
        return _realtime(site, starts)
    per_period = period_seconds(interval) // STEP
    index = (starts[:, None] // STEP + np.arange(per_period)).ravel()
    shape = (len(site.factors), len(starts), per_period)
    state = steps(site, index)
    value, spread, flag = (part.reshape(shape) for part in (state.value, state.spread, state.flag))
    lowest, highest = value - spread, value + spread
    if interval == "minute":
        return _finish(site, interval, starts, value[..., 0], lowest[..., 0], highest[..., 0], flag[..., 0])
    if interval == "hour":
        return _finish(site, interval, starts, *_mean(site, value, lowest, highest, flag, 0.75))
    hours = (len(site.factors), len(starts) * 24, HOUR)
    mean, low, high, mark = _mean(
        site, value.reshape(hours), lowest.reshape(hours), highest.reshape(hours), flag.reshape(hours), 0.75
    )
    days = (len(site.factors), len(starts), 24)
    amount = _amounts(site, mean, 3600).reshape(days).sum(axis=-1)
    parts = (part.reshape(days) for part in (mean, low, high, mark))
    levels = _day_and_night(site, value) if site.medium == "noise" else None
    return _finish(site, interval, starts, *_mean(site, *parts, 20 / 24), amount=amount, levels=levels)


def steps(site: Site, index: Ints) -> State:
    """Return value, spread and flag of ten-minute steps (numbered from 1970-01-01 UTC)."""
    index = np.asarray(index, dtype=np.int64)
    still = np.zeros(len(index), dtype=bool)
    if site.medium == "gas":
        value, spread, still = emission.gas_outlet(site, index)
    elif site.medium == "sewage":
        value, spread, still = emission.sewage_outlet(site, index)
    elif site.medium == "air":
        value, spread = environment.air_station(site, index)
    elif site.medium == "water":
        value, spread = environment.water_station(site, index)
    else:
        value, spread = environment.noise_station(site, index)
    flag = _flags(site, index, still)
    _disturb(value, spread, flag)
    if site.medium == "air" and "a01008" in site.row:
        value[site.row["a01008"]] %= 360
    return State(value, _bounded(site, value, spread), flag)


def _flags(site: Site, index: Ints, still: np.ndarray) -> np.ndarray:
    """Return the device's marks: a factor's fault, then the place's calibration, maintenance, broken line and stop."""
    flag = np.zeros((len(site.factors), len(index)), dtype=np.int8)
    for row, factor in enumerate(site.factors):
        key = key_of(site.seed, site.code, factor.code, "fault")
        flag[row, episodes(key, index, 40 * DAY, 0.25, 1 * HOUR, 9 * HOUR).active] = FAULT
    local = index + CHINA_SECONDS // STEP
    if site.medium == "gas":  # every night, one step: the hour keeps its 45 minutes
        minute = int(uniform(key_of(site.seed, site.code, "calibration"), np.array([0]))[0] * 4 * HOUR)
        for code in CALIBRATED:
            if code in site.row:
                flag[site.row[code], local % DAY == minute] = CALIBRATION
    visit = episodes(key_of(site.seed, site.code, "visit"), local, 7 * DAY, 0.85, 4, 12)
    working = (local % DAY >= 9 * HOUR) & (local % DAY < 17 * HOUR)
    flag[:, visit.active & working] = MAINTENANCE
    line = episodes(key_of(site.seed, site.code, "line"), index, 30 * DAY, 0.15, 1, 5 * HOUR)
    flag[:, line.active] = BROKEN_LINE
    flag[:, still] = STOPPED
    return flag


def _disturb(value: Floats, spread: Floats, flag: np.ndarray) -> None:
    """Change in place what an analyser shows while it is not measuring."""
    fault = flag == FAULT
    value[fault] *= 0.1  # a failing analyser reads a tenth of the truth, without any noise of its own
    spread[fault] = 0.0
    calibrating = flag == CALIBRATION
    value[calibrating] = 0.4  # zero gas
    spread[calibrating] = 0.2
    broken = flag == BROKEN_LINE
    value[broken] = 0.0
    spread[broken] = 0.0


def _bounded(site: Site, value: Floats, spread: Floats) -> Floats:
    """Keep samples of concentrations at or above zero."""
    for row, factor in enumerate(site.factors):
        if factor.code not in {"a01001", "a01013", "a01008", "w01010"}:
            spread[row] = np.minimum(spread[row], np.maximum(value[row], 0.0))
    return spread


def _mean(
    site: Site, value: Floats, low: Floats, high: Floats, flag: np.ndarray, need: float
) -> tuple[Floats, Floats, Floats, np.ndarray]:
    """Average over the last axis by the rule of validity (see the module's docstring)."""
    normal = flag == NORMAL
    valid = normal.sum(axis=-1) >= need * flag.shape[-1] - 1e-9
    use = normal | ~valid[..., None]
    count = use.sum(axis=-1)
    mean = np.where(use, value, 0.0).sum(axis=-1) / count
    for row, factor in enumerate(site.factors):
        if factor.mean == "energy":
            energy = np.where(use[row], 10.0 ** (value[row] / 10), 0.0).sum(axis=-1) / count[row]
            mean[row] = 10 * np.log10(energy)
        elif factor.mean == "direction":
            angle = np.radians(value[row])
            east = np.where(use[row], np.sin(angle), 0.0).sum(axis=-1)
            north = np.where(use[row], np.cos(angle), 0.0).sum(axis=-1)
            mean[row] = np.degrees(np.arctan2(east, north)) % 360
    lowest = np.where(use, low, np.inf).min(axis=-1)
    highest = np.where(use, high, -np.inf).max(axis=-1)
    mark = np.zeros(valid.shape, dtype=np.int8)
    if not valid.all():
        counts = np.stack([(flag[~valid] == code).sum(axis=-1) for code in range(1, len(FLAGS))])
        mark[~valid] = 1 + counts.argmax(axis=0)
    return mean, lowest, highest, mark


def _day_and_night(site: Site, value: Floats) -> tuple[Floats, Floats]:
    """Return Ld (06–22) and Ln (22–06) of days of 144 steps (GB 3096-2008 3.3, 3.4)."""
    energy = 10.0 ** (value[site.row["Leq"]] / 10)
    hour = np.arange(DAY) // HOUR
    day = (hour >= 6) & (hour < 22)
    return 10 * np.log10(energy[:, day].mean(axis=1)), 10 * np.log10(energy[:, ~day].mean(axis=1))


def _amounts(site: Site, value: Floats, seconds: int) -> Floats:
    """Return the amounts of periods: kg of pollutants, m³ of flow; NaN where a factor has none."""
    amount = np.full(value.shape, np.nan)
    if site.medium == "gas":
        flow, per_unit, own = value[site.row["a00000"]], 1e-6, 1.0
    elif site.medium == "sewage":
        flow, per_unit, own = value[site.row["w00000"]], 1e-6, 1e-3  # L/s · mg/L = mg/s
    else:
        return amount
    for row, factor in enumerate(site.factors):
        if factor.code in {"a00000", "w00000"}:
            amount[row] = flow * seconds * own
        elif factor.amount_decimals is not None:
            amount[row] = np.maximum(value[row], 0.0) * flow * seconds * per_unit
    return amount


def _finish(
    site: Site,
    interval: str,
    starts: Ints,
    value: Floats,
    low: Floats,
    high: Floats,
    flag: np.ndarray,
    amount: Floats | None = None,
    levels: tuple[Floats, Floats] | None = None,
) -> Block:
    """Convert, sum and round."""
    if amount is None:
        amount = _amounts(site, value, period_seconds(interval))
    converted, converted_low, converted_high = (np.full(value.shape, np.nan) for _ in range(3))
    if site.reference_oxygen is not None and "a19001" in site.row:
        factor = emission.oxygen_factor(value[site.row["a19001"]], site.reference_oxygen)
        for code in emission.POLLUTANTS:
            if code in site.row:
                row = site.row[code]
                converted[row], converted_low[row] = value[row] * factor, low[row] * factor
                converted_high[row] = high[row] * factor
    for row, one in enumerate(site.factors):
        for column in (value, low, high, converted, converted_low, converted_high):
            column[row] = _rounded(column[row], one.decimals)
        if one.mean == "direction":
            for column in (value, low, high):
                column[row] %= 360
        if one.amount_decimals is not None:
            amount[row] = _rounded(amount[row], one.amount_decimals)
    nothing = np.full(len(starts), np.nan)
    day, night = (_rounded(level, 1) for level in levels) if levels else (nothing, nothing)
    return Block(
        site, interval, starts, value, low, high, converted, converted_low, converted_high, amount, flag, day, night
    )


def _rounded(column: Floats, decimals: int) -> Floats:
    """Round so that the printed decimals and the number are the same; never minus zero."""
    return np.round(column, decimals) + 0.0


def _realtime(site: Site, moments: Ints) -> Block:
    """Return samples at instants: a sample holds for its minute."""
    state = steps(site, moments // STEP)
    turn = np.stack(
        [uniform(key_of(site.seed, site.code, factor.code, "turn"), moments // STEP) for factor in site.factors]
    )
    place = (moments % STEP // SAMPLE + np.floor(turn * len(PATTERN)).astype(np.int64)) % len(PATTERN)
    value = state.value + state.spread * PATTERN[place]
    amount = np.full(value.shape, np.nan)
    return _finish(site, "realtime", moments, value, value.copy(), value.copy(), state.flag, amount)
