"""Control charts of instruments' drifts: Shewhart limits, EWMA, runs, and whether a drift crept or jumped.

Sources: NIST/SEMATECH e-Handbook of Statistical Methods 6.3.2.2 (individuals chart: the standard deviation is the mean
moving range / 1.128) and 6.3.2.4 (EWMA chart); ISO 7870-2 and -6 say the same. These are methods, not limits of a
standard: the limits by which a calibration is judged are drawn beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

D2 = 1.128  # of ranges of two values from a normal distribution
RUN = 8  # values in a row on one side of the centre (Western Electric rule 4)
LEAST = 4  # values from which the standard deviation is estimated


@dataclass(frozen=True, slots=True)
class Chart:
    """A control chart of n values; ``ewma``, ``ewma_low`` and ``ewma_high`` have n values too.

    ``sigma`` is NaN when too few values were there to estimate it, and so are the limits. ``beyond``, ``ewma_beyond``
    and ``runs`` are the positions that break a rule: outside three sigma, EWMA outside its limits, the last of a run.
    """

    centre: float
    sigma: float
    low: float
    high: float
    ewma: Floats
    ewma_low: Floats
    ewma_high: Floats
    beyond: tuple[int, ...]
    ewma_beyond: tuple[int, ...]
    runs: tuple[int, ...]

    @property
    def in_control(self) -> bool:
        """Tell whether no rule is broken."""
        return not (self.beyond or self.ewma_beyond or self.runs)


def ewma(values: Floats, centre: float, weight: float = 0.2) -> Floats:
    """Return the exponentially weighted moving average, begun at the centre.

    EWMA(t) = weight · y(t) + (1 - weight) · EWMA(t-1), NIST e-Handbook 6.3.2.4.
    """
    if not 0 < weight <= 1:
        raise ValueError(f"weight must be in (0, 1], not {weight}")
    found = np.empty(len(values))
    last = centre
    for i, value in enumerate(values):
        last = weight * value + (1 - weight) * last
        found[i] = last
    return found


def sigma_of(values: Floats) -> float:
    """Return the standard deviation from the mean moving range; NaN for fewer than four values."""
    if len(values) < LEAST:
        return float("nan")
    return float(np.mean(np.abs(np.diff(values))) / D2)


def chart(
    values: Floats, *, centre: float | None = None, sigma: float | None = None, weight: float = 0.2, width: float = 3.0
) -> Chart:
    """Return the control chart of values in order of time.

    Parameters
    ----------
    values : without NaN, such as drifts in per cent.
    centre : the target, such as 0 for drifts; the mean of the values when None.
    sigma : known standard deviation; estimated from the moving ranges when None.
    weight, width : of the EWMA, and how many sigma wide its limits are (NIST recommends 0.2 to 0.3, and 3).
    """
    values = np.asarray(values, np.float64)
    middle = centre if centre is not None else float(np.mean(values)) if len(values) else 0.0
    spread = sigma_of(values) if sigma is None else sigma
    average = ewma(values, middle, weight)
    steps = np.arange(1, len(values) + 1)
    # The exact limits of the first steps; NIST prints those they tend to.
    half = width * spread * np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * steps)))
    low, high = middle - width * spread, middle + width * spread
    with np.errstate(invalid="ignore"):
        beyond = np.flatnonzero((values < low) | (values > high))
        strayed = np.flatnonzero(np.abs(average - middle) > half)
    return Chart(
        middle,
        spread,
        low,
        high,
        average,
        middle - half,
        middle + half,
        tuple(beyond.tolist()),
        tuple(strayed.tolist()),
        tuple(_runs(np.sign(values - middle))),
    )


def _runs(sides: Floats) -> list[int]:
    """Return the positions at which a run on one side has become as long as :data:`RUN`, or longer."""
    found, length, last = [], 0, 0.0
    for i, side in enumerate(sides.tolist()):
        length = length + 1 if side == last and side else 1
        last = side
        if side and length >= RUN:
            found.append(i)
    return found


@dataclass(frozen=True, slots=True)
class Course:
    """How values went: ``kind`` is steady, creeping (monotone), jumped (a step) or unknown (too few values).

    ``change`` is from beginning to end (creeping) or over the step (jumped), in the unit of the values; ``at`` is the
    position of the first value after the step.
    """

    kind: str
    change: float = 0.0
    at: int | None = None


def course(values: Floats, least_change: float) -> Course:
    """Tell a creeping drift from a jump.

    A line (Theil-Sen slope) and a step (means before and after the best cut) are fitted; the one that leaves the
    smaller sum of absolute residuals names the course, where its change is at least ``least_change`` and takes away
    half of what a constant leaves.
    """
    values = np.asarray(values, np.float64)
    count = len(values)
    if count < LEAST:
        return Course("unknown")
    constant = _residual(values, np.median(values))
    if not constant:
        return Course("steady")
    times = np.arange(count, dtype=np.float64)
    left, right = np.triu_indices(count, 1)
    slope = float(np.median((values[right] - values[left]) / (right - left)))
    line = _residual(values, slope * times + np.median(values - slope * times))
    cuts = [
        (_residual(values[:at], np.median(values[:at])) + _residual(values[at:], np.median(values[at:])), at)
        for at in range(1, count)
    ]
    step, at = min(cuts)
    jump = float(np.median(values[at:]) - np.median(values[:at]))
    rise = slope * (count - 1)
    if line <= step and line <= constant / 2 and abs(rise) >= least_change:
        return Course("creeping", rise)
    if step < line and step <= constant / 2 and abs(jump) >= least_change:
        return Course("jumped", jump, at)
    return Course("steady")


def _residual(values: Floats, fitted: float | Floats | np.floating) -> float:
    return float(np.sum(np.abs(values - fitted)))
