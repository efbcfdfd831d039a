"""GB/T 8170-2008: half to even on the decimal number."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards.rounding import round_half_even, scaled_half_even


def by_decimal(x: float, decimals: int) -> float:
    return float(Decimal(repr(x)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN))


@pytest.mark.parametrize(
    ("x", "decimals", "expected"),
    [
        (60.5, 0, 60.0),
        (61.5, 0, 62.0),
        (60.6, 0, 61.0),
        (0.145, 2, 0.14),  # binary 0.14499…
        (0.155, 2, 0.16),
        (2.675, 2, 2.68),  # binary 2.67499…
        (1.005, 2, 1.0),
        (1.015, 2, 1.02),
        (0.25, 1, 0.2),
        (0.35, 1, 0.4),
        (-2.5, 0, -2.0),
        (25, -1, 20.0),
        (35, -1, 40.0),
        (0.25000001, 1, 0.3),
        (1e300, 2, 1e300),
        (78676930900323.66, 1, 78676930900323.7),
    ],
)
def test_rounds_half_to_even(x: float, decimals: int, expected: float) -> None:
    assert round_half_even(x, decimals) == expected


def test_nan_and_infinity_pass_and_shapes_stay() -> None:
    result = round_half_even([[np.nan, np.inf], [-np.inf, 0.05]], 1)
    np.testing.assert_array_equal(result, [[np.nan, np.inf], [-np.inf, 0.0]])
    assert isinstance(round_half_even(1.25, 1), float)
    assert np.isnan(round_half_even(np.nan, 2))
    assert round_half_even(np.array([], dtype=float), 2).shape == (0,)


def test_there_is_no_negative_zero() -> None:
    assert not np.signbit(round_half_even([-0.04, -0.4], 0)).any()


def test_float32_is_taken_as_it_is_written() -> None:
    assert round_half_even(np.array([0.145, 2.675], dtype=np.float32), 2).tolist() == [0.14, 2.68]


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(-1, 5))
def test_agrees_with_decimal_on_short_numbers(digits: int, places: int, decimals: int) -> None:
    x = float(Decimal(digits).scaleb(-places))
    assert round_half_even(x, decimals) == by_decimal(x, decimals)


@given(st.integers(0, 10**8), st.integers(0, 5), st.sampled_from([-1, 0, 1]))
def test_agrees_with_decimal_at_ties_and_their_neighbours(k: int, decimals: int, step: int) -> None:
    x = float(Decimal(10 * k + 5).scaleb(-decimals - 1))
    x = float(np.nextafter(x, step * np.inf)) if step else x
    assert round_half_even(x, decimals) == by_decimal(x, decimals)
    assert scaled_half_even(x, decimals) == float(Decimal(repr(by_decimal(x, decimals))).scaleb(decimals))


@given(st.floats(-1e18, 1e18), st.integers(0, 4))
def test_agrees_with_decimal_on_any_float(x: float, decimals: int) -> None:
    assert round_half_even(x, decimals) == by_decimal(x, decimals)
