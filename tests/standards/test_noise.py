"""GB 3096-2008 and GB 12348-2008."""

import numpy as np
import pytest

from luming.standards import noise


@pytest.mark.parametrize(
    ("zone", "day", "night"),
    [("0", 50, 40), ("1", 55, 45), ("2", 60, 50), ("3", 65, 55), ("4a", 70, 55), ("4b", 70, 60)],
)
def test_limits_of_table_1_and_the_decibel_above(zone: str, day: int, night: int) -> None:
    got = noise.exceedance([day, day + 0.1, night, night + 1], zone, [False, False, True, True])
    np.testing.assert_allclose(got, [0.0, 0.1, 0.0, 1.0], atol=1e-9)


def test_a_burst_at_night_may_reach_15_db_more() -> None:
    got = noise.exceedance([65.0, 66.0, 90.0], "2", [True, True, False], peak=True)
    assert got.tolist() == [0.0, 1.0, 0.0]


def test_night_is_22_to_06() -> None:
    assert noise.is_night([21, 22, 23, 0, 5, 6]).tolist() == [False, True, True, True, True, False]


def test_missing_stays_missing_and_mistakes_are_named() -> None:
    assert np.isnan(noise.exceedance(np.nan, "1", False))
    with pytest.raises(ValueError, match="unknown zone '5'"):
        noise.exceedance(1.0, "5", False)
    with pytest.raises(ValueError, match="GB 12348"):
        noise.limits("GB 1")
    assert not noise.limits("GB 12348")["0"].verified
