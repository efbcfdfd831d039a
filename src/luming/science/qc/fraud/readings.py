"""What the tests look at: readings of running plant and working instrument, their grid in time and their resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luming.science.qc.model import Floats, Span, Window

# Periods in which a reading says nothing about the process.
ASIDE = frozenset({"stopped", "starting", "stopping", "maintenance", "calibration", "fault"})
MEASURED = ("", "N", "n")
CITY_OFFSET = np.timedelta64(8 * 3600, "s")  # days are those of the city, UTC+8


@dataclass(frozen=True, slots=True)
class Readings:
    """Usable readings of one factor: times (datetime64[s]), values, and the step of their rounding."""

    time: NDArray[np.datetime64]
    values: Floats
    step: float

    def __len__(self) -> int:
        return len(self.values)


def within(time: NDArray[np.datetime64], span: Span) -> NDArray[np.bool_]:
    """Return which times lie in a period, its end excluded."""
    inside: NDArray[np.bool_] = (time >= span.start) & (time < span.end)
    return inside


def usable(window: Window, factor: str, values: Floats, *, stopped: bool = False) -> NDArray[np.bool_]:
    """Return which rows hold a measured value of a running plant (``stopped``: of a standing one too)."""
    keep: NDArray[np.bool_] = np.isfinite(values)
    flags = window.flags.get(factor)
    if flags is not None:
        keep &= np.isin(flags, MEASURED)
    if window.stopped is not None and not stopped:
        keep &= ~window.stopped
    for span in window.spans:
        if span.kind in ASIDE and not (stopped and span.kind == "stopped"):
            keep &= ~within(window.time, span)
    return keep


def readings(window: Window, factor: str, *, converted: bool = False) -> Readings:
    """Return the usable readings; ``converted``: those converted to the reference oxygen where there are any."""
    values = window.values[factor]
    if converted and factor in window.converted:
        values = window.converted[factor]
    keep = usable(window, factor, values)
    chosen = values[keep]
    return Readings(window.time[keep], chosen, resolution(chosen))


def resolution(values: Floats, share: float = 0.9) -> float:
    """Return the step on which more than a ``share`` of the values lies: a decimal place or a simple multiple of it.

    Not all need to lie on it: instruments are changed and records mixed. 0 when they lie on none, as after a conversion
    of units that was not rounded.

    >>> resolution(np.array([1.0, 3.5, 7.26, 2.01])), resolution(np.arange(0, 100, 5.0)), resolution(np.array([]))
    (0.01, 5.0, 0.0)
    """
    if not len(values):
        return 0.0
    sample = values if len(values) <= 20_000 else values[:: len(values) // 10_000]
    for places in range(7):
        scaled = sample * 10.0**places
        codes = np.rint(scaled)
        if np.mean(np.abs(scaled - codes) < 1e-4) > share:
            multiple = next(
                (k for k in (100, 50, 20, 10, 5, 2) if np.mean(codes % k == 0) > share and np.ptp(codes) > k), 1
            )
            return float(multiple / 10.0**places)
    return 0.0


def regular(found: Readings, interval: float) -> tuple[Floats, np.datetime64]:
    """Return the values on a grid of the interval from the city midnight before them, NaN where there is none."""
    start = (found.time[0] + CITY_OFFSET).astype("datetime64[D]").astype("datetime64[s]") - CITY_OFFSET
    slot = ((found.time - start).astype(np.int64) // max(int(interval), 1)).astype(np.int64)
    grid = np.full(int(slot[-1]) + 1, np.nan)
    grid[slot] = found.values
    return grid, start


def ranks(table: Floats) -> Floats:
    """Return the ranks within each row, centred and of length 1; equal values share their mean rank.

    A product of two such rows is Spearman's correlation; a constant row is 0 throughout.
    """
    found = np.empty(table.shape)
    for index, row in enumerate(table):
        _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
        last = np.cumsum(counts)
        found[index] = (last - (counts - 1) / 2)[place]
    found -= found.mean(axis=1, keepdims=True)
    length = np.sqrt((found**2).sum(axis=1, keepdims=True))
    scaled: Floats = np.divide(found, length, out=np.zeros_like(found), where=length > 0)
    return scaled


def blocks(count: int, parts: int) -> NDArray[np.int64]:
    """Return for each of ``count`` values in time the number of its block, of ``parts`` equal ones."""
    return (np.arange(count, dtype=np.int64) * parts) // max(count, 1)
