"""Rounding by GB/T 8170-2008 数值修约规则 (四舍六入五成双: half to even), on the decimal number a person reads.

``0.145`` is written in binary as 0.14499999999999999; the standard speaks about the decimal digits, so the value taken
is the shortest decimal text of the number (what ``repr`` prints), and 0.145 is a tie.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

_DIGITS = 1e15  # decimal numbers of up to 15 digits have their own float64; longer ones may share one


@overload
def round_half_even(x: float, decimals: int = 0) -> float: ...
@overload
def round_half_even(x: ArrayLike, decimals: int = 0) -> NDArray[np.float64] | float: ...
def round_half_even(x: ArrayLike, decimals: int = 0) -> NDArray[np.float64] | float:
    """Round to ``decimals`` places, ties to the even digit (GB/T 8170-2008, 3.2).

    Parameters
    ----------
    x : number or array of numbers, any unit. NaN and infinities pass through.
    decimals : places after the point; negative rounds to tens, hundreds …

    Returns
    -------
    float for a scalar, otherwise a float64 array of the same shape.

    Examples
    --------
    >>> round_half_even(60.5), round_half_even(61.5), round_half_even(0.145, 2), round_half_even(2.675, 2)
    (60.0, 62.0, 0.14, 2.68)
    """
    values = as_float(x)
    rounded = np.asarray(_unscale(scaled_half_even(values, decimals), decimals) + 0.0)  # -0.0 becomes 0.0
    beyond = ~(np.abs(values) < _whole_limit(decimals))
    if beyond.any():  # NaN, infinities, and numbers too large for whole-number arithmetic in float64
        rounded[beyond] = [float(_with_decimal(v, decimals)) for v in values[beyond].tolist()]
    return float(rounded) if rounded.ndim == 0 else rounded


def scaled_half_even(x: ArrayLike, decimals: int = 0) -> NDArray[np.float64]:
    """Round as :func:`round_half_even` and return the result × 10^decimals: whole numbers, for exact comparison.

    >>> scaled_half_even([0.25, 0.35, 0.05], 1).tolist()
    [2.0, 4.0, 0.0]
    """
    values = as_float(x)
    if decimals == 0:
        return np.asarray(np.rint(values))  # k + 0.5 is exact in binary, so rint is the rule itself
    with np.errstate(invalid="ignore", over="ignore"):  # infinities pass through
        return _scaled(values, decimals)


def _scaled(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    y = values * 10.0**decimals if decimals > 0 else values / 10.0**-decimals
    nearest = np.asarray(np.rint(y))
    # The product carries a rounding error, so only values close to a tie can come out wrong; look at those again.
    doubtful = np.abs(np.abs(y - nearest) - 0.5) <= 1e-6 + np.abs(y) * 1e-15
    if doubtful.any():
        nearest[doubtful] = _settle_ties(values[doubtful], y[doubtful], decimals)
    beyond = np.abs(values) >= _whole_limit(decimals)
    if beyond.any():
        nearest[beyond] = [float(_with_decimal(v, decimals).scaleb(decimals)) for v in values[beyond].tolist()]
    return nearest


def as_float(x: ArrayLike) -> NDArray[np.float64]:
    """Return a float64 array; float32 is widened by its shortest decimal text, so that 0.145 stays 0.145."""
    array = np.asarray(x)
    if array.dtype in (np.float32, np.float16):
        return array.astype(np.str_).astype(np.float64)
    return array.astype(np.float64, copy=False)


def _settle_ties(x: NDArray[np.float64], y: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    """Compare with the float64 nearest to the decimal tie: equal to it means that the decimal text is the tie."""
    below = np.floor(y)
    tie = _unscale(below * 10 + 5, decimals + 1)
    up = (x > tie) | ((x == tie) & (below % 2 == 1))
    return np.asarray(below + up)


def _unscale(n: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    # One division of two exact integers is correctly rounded; multiplying by 0.1 would not be.
    return np.asarray(n / 10.0**decimals if decimals >= 0 else n * 10.0**-decimals)


def _whole_limit(decimals: int) -> float:
    return _DIGITS / 10.0 ** max(decimals + 1, 1)


def _with_decimal(value: float, decimals: int) -> Decimal:
    number = Decimal(repr(value))
    if not number.is_finite() or number.adjusted() + decimals > 26:  # no digits left to round
        return number
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
