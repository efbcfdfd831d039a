"""Equivalent levels of day, night and the whole day from hourly levels (GB 3096-2008; HJ 906-2017 not obtained).

Day is 06:00 to 22:00, night 22:00 to 06:00 (GB 3096-2008, 3.3). A night belongs to the day on whose evening it begins,
so that one night is one figure; ``day_begins=0`` splits nights at midnight instead, as reports of natural days do. How
many hours make Ld and Ln valid is from memory and marked so in ``tables/validity.csv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from luming.standards.averages import aggregate
from luming.standards.noise import is_night
from luming.standards.periods import ordinal, utc
from luming.standards.results import BoolArray, FloatArray, Reason, Statistics, rounded
from luming.standards.rounding import as_float
from luming.standards.validity import Rule

HOURS_OF_DAY, HOURS_OF_NIGHT = 16, 8
NIGHT_PENALTY = 10.0
"""dB added to the night in Ldn (memory; GB 3096-2008 itself judges Ld and Ln)."""


def energy_mean(levels: ArrayLike) -> float:
    """Return the equivalent level ``10 lg(1/n Σ 10^(L/10))`` of equally long times; NaN ones do not count.

    >>> round(energy_mean([60.0, 70.0]), 4), round(energy_mean([60.0, 60.0]), 4)
    (67.4036, 60.0)
    """
    values = as_float(levels)
    known = values[np.isfinite(values)]
    return float(10 * np.log10(np.mean(10 ** (known / 10)))) if len(known) else float("nan")


def day_night(ld: ArrayLike, ln: ArrayLike) -> FloatArray:
    """Return ``Ldn = 10 lg((16·10^(Ld/10) + 8·10^((Ln+10)/10)) / 24)``.

    >>> day_night([60.0, 55.0], [50.0, 45.0]).round(4).tolist()
    [60.0, 55.0]
    """
    day, night = as_float(ld), as_float(ln)
    energy = HOURS_OF_DAY * 10 ** (day / 10) + HOURS_OF_NIGHT * 10 ** ((night + NIGHT_PENALTY) / 10)
    return np.asarray(10 * np.log10(energy / (HOURS_OF_DAY + HOURS_OF_NIGHT)))


def day_levels(
    start: ArrayLike,
    leq: ArrayLike,
    *,
    series: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    span: tuple[ArrayLike, ArrayLike] | None = None,
    day_begins: int = 6,
    decimals: int = 1,
    rules: Sequence[Rule] | None = None,
) -> dict[str, Statistics]:
    """Return ``ld``, ``ln`` and ``ldn`` of each day from hourly levels.

    Parameters
    ----------
    start : n hours (UTC starts), each once per series. leq : hourly equivalent levels, dB(A).
    series, counts, span, rules : as in ``averages.aggregate``.
    day_begins : the city's hour at which a day of noise begins: 6 keeps nights whole, 0 is the natural day.

    Returns
    -------
    Statistics per level, of the same days; ``start`` and ``end`` are those of the day of noise. ``ldn`` is valid when
    both others are; its ``used`` rows are those of both.
    """
    if day_begins not in (0, 6):
        raise ValueError("a day of noise begins at 0 or at 6 o'clock")
    shift = np.timedelta64(day_begins, "h")
    starts, levels = np.atleast_1d(utc(start)), np.atleast_1d(as_float(leq))
    night = is_night(ordinal(starts, "hour") % 24)
    mask = np.ones(levels.shape, dtype=np.bool_) if counts is None else np.asarray(counts, dtype=np.bool_)
    moved = None if span is None else (utc(span[0]) - shift, utc(span[1]) - shift)

    def level(factor: str, hours: int, part: BoolArray) -> Statistics:
        found = aggregate(
            starts - shift, levels, interval="day", medium="noise", factor=factor, series=series, counts=mask & part,
            span=moved, decimals=decimals, rules=rules,
        )  # fmt: skip
        whole = np.full(len(found), hours, dtype=np.int64)
        return replace(found, start=found.start + shift, end=found.end + shift, expected=whole)

    day, nightly = level("ld", HOURS_OF_DAY, ~night), level("ln", HOURS_OF_NIGHT, night)
    return {"ld": day, "ln": nightly, "ldn": _both(day, nightly, decimals)}


def _both(day: Statistics, night: Statistics, decimals: int) -> Statistics:
    value = day_night(day.value, night.value)
    reason = np.where(day.reason == Reason.VALID, night.reason, day.reason)
    reason = np.where(np.isnan(value), np.int8(Reason.NO_VALUES), reason).astype(np.int8)
    return replace(
        day,
        method="day-night",
        value=value,
        rounded=rounded(value, decimals),
        valid=reason == Reason.VALID,
        count=day.count + night.count,
        expected=day.expected + night.expected,
        required=day.required + night.required,
        reason=reason,
        weight=day.weight + night.weight,
        used=day.used | night.used,
    )
