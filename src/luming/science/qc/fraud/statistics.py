"""Tails of the distributions that the tests of this family use, exact where that is simple, without SciPy."""

from __future__ import annotations

import math

import numpy as np

from luming.science.qc.model import Floats

SMALLEST = 1e-300


def normal_tail(z: float) -> float:
    """Return P(Z ≥ z) of the standard normal distribution.

    >>> round(normal_tail(1.959964), 6)
    0.025
    """
    return max(0.5 * math.erfc(z / math.sqrt(2)), SMALLEST)


def student_tail(t: float, degrees: float) -> float:
    """Return P(T ≥ t) of Student's distribution by the transformation to a normal of Wallace (1959).

    >>> round(student_tail(2.0639, 24), 3)
    0.025
    """
    z = (8 * degrees + 1) / (8 * degrees + 3) * math.sqrt(degrees * math.log1p(t * t / degrees))
    return normal_tail(math.copysign(z, t))


def chi_square_tail(x: float, degrees: int) -> float:
    """Return P(χ² ≥ x) for a whole number of degrees of freedom, by the finite sums.

    >>> round(chi_square_tail(16.919, 9), 4), round(chi_square_tail(5.991, 2), 4)
    (0.05, 0.05)
    """
    half = max(x, 0.0) / 2
    odd = degrees % 2
    total = math.erfc(math.sqrt(half)) if odd else math.exp(-half)
    if half > 0:
        for step in range(1, (degrees - odd) // 2 + (1 if odd else 0)):
            power = step - 0.5 if odd else float(step)
            total += math.exp(-half + power * math.log(half) - math.lgamma(power + 1))
    return min(1.0, max(total, SMALLEST))


def binomial_tail(count: int, trials: int, share: float) -> float:
    """Return P(K ≥ count) of ``trials`` draws that each succeed with probability ``share``.

    >>> round(binomial_tail(2, 2, 0.02), 6), binomial_tail(0, 5, 0.1)
    (0.0004, 1.0)
    """
    if count <= 0:
        return 1.0
    if count > trials:
        return SMALLEST
    whole = math.lgamma(trials + 1)
    logs = [
        whole
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in range(count, trials + 1)
    ]
    top = max(logs)
    return max(min(1.0, math.exp(top) * sum(math.exp(one - top) for one in logs)), SMALLEST)


def spread(values: Floats) -> float:
    """Return the robust standard deviation: 1.4826 times the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def strength(p: float, alpha: float) -> float:
    """Return how far a p value lies beyond its threshold: 0 at the threshold, towards 1 as p vanishes.

    >>> strength(1e-4, 1e-4), strength(1e-8, 1e-4)
    (0.0, 0.5)
    """
    return max(0.0, 1 - math.log10(alpha) / math.log10(max(p, SMALLEST))) if p < 1 else 0.0
