"""Noise limits: GB 3096-2008 声环境质量标准 (zones 0 to 4b) and GB 12348-2008 (boundary of an enterprise)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import is_true, read_csv
from luming.standards.rounding import as_float


@dataclass(frozen=True)
class NoiseLimit:
    """Limits of a zone in dB(A). A single burst at night may exceed ``night`` by ``night_peak_over`` dB."""

    zone: str
    name_zh: str
    day: int
    night: int
    night_peak_over: int
    edition: str
    clause: str
    source: str
    verified: bool


@cache
def limits(standard: str = "GB 3096") -> dict[str, NoiseLimit]:
    """Limits by zone: ``GB 3096`` (0, 1, 2, 3, 4a, 4b; table 1 and 5.4) or ``GB 12348`` (0 to 4; table 1, 4.1.3)."""
    found = {row["zone"]: _limit(row) for row in read_csv("noise_limits.csv") if row["standard"] == standard}
    if not found:
        raise ValueError(f"no noise limits of {standard!r}: use 'GB 3096' or 'GB 12348'")
    return found


def is_night(hour: ArrayLike) -> NDArray[np.bool_]:
    """Night is 22:00 to 06:00 (GB 3096-2008, 3.3); ``hour`` 0..23 is the city-local hour in which the period starts."""
    hours = np.asarray(hour)
    return np.asarray((hours >= 22) | (hours < 6))


def exceedance(
    level: ArrayLike, zone: str, night: ArrayLike, *, standard: str = "GB 3096", peak: bool = False
) -> NDArray[np.float64]:
    """How far a level lies above its limit, dB: 0 where it complies, NaN where missing; never a multiple.

    ``night``: boolean per value. ``peak=True`` judges the maximum of a burst, which is limited at night only.

    >>> exceedance([55.0, 56.5, 50.0], "1", [False, False, True]).tolist()
    [0.0, 1.5, 5.0]
    """
    zones = limits(standard)
    if zone not in zones:
        raise ValueError(f"unknown zone {zone!r} of {standard}: use {', '.join(zones)}")
    limit = zones[zone]
    at_night = np.asarray(night, dtype=np.bool_)
    if peak:
        bound = np.where(at_night, limit.night + limit.night_peak_over, np.inf)
    else:
        bound = np.where(at_night, limit.night, limit.day)
    values = as_float(level)
    return np.asarray(np.where(np.isnan(values), np.nan, np.maximum(values - bound, 0.0)))


def _limit(row: dict[str, str]) -> NoiseLimit:
    return NoiseLimit(
        zone=row["zone"],
        name_zh=row["name_zh"],
        day=int(row["day"]),
        night=int(row["night"]),
        night_peak_over=int(row["night_peak_over"]),
        edition=row["edition"],
        clause=row["clause"],
        source=row["source"],
        verified=is_true(row["verified"]),
    )
