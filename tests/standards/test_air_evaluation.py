"""Limits by date, percentiles, the city's mean and the composite index; hand-worked where nothing is published."""

from datetime import date

import numpy as np
import pytest

from luming.standards.air_evaluation import (
    PERCENTILES,
    air_limit,
    air_limits,
    attainment,
    city_mean,
    composite_index,
    exceedance_multiple,
    index_to_show,
)  # fmt: skip
from luming.standards.averages import aggregate
from luming.standards.methods import percentile

# GB 3095-2026 table 1, as read: (factor, averaging) -> transition I, II, final I, II
TABLE_1 = {
    ("so2", "year"): (20, 60, 20, 20), ("so2", "day"): (50, 150, 50, 50), ("so2", "hour"): (150, 500, 150, 150),
    ("no2", "year"): (40, 40, 30, 30), ("no2", "day"): (80, 80, 50, 50), ("no2", "hour"): (200, 200, 200, 200),
    ("co", "day"): (4, 4, 4, 4), ("co", "hour"): (10, 10, 10, 10),
    ("o3", "8h"): (100, 160, 100, 160), ("o3", "hour"): (160, 200, 160, 200),
    ("pm10", "year"): (40, 60, 20, 50), ("pm10", "day"): (50, 120, 50, 100),
    ("pm25", "year"): (15, 30, 10, 25), ("pm25", "day"): (35, 60, 25, 50),
}  # fmt: skip


@pytest.mark.parametrize("key", TABLE_1)
def test_limits_of_2026_before_and_after_2031(key):
    transition, final = air_limit(*key, date(2030, 12, 31)), air_limit(*key, date(2031, 1, 1))
    assert (transition.class_one, transition.class_two, final.class_one, final.class_two) == TABLE_1[key]
    assert transition.verified and final.verified
    assert air_limit(*key, date(2026, 3, 1)) is transition
    assert air_limit(*key, date(2026, 2, 28)).edition == "GB 3095-2012"


def test_the_table_has_no_more_and_every_old_limit_is_marked():
    assert {(limit.factor, limit.averaging) for limit in air_limits()} == set(TABLE_1)
    assert not any(limit.verified for limit in air_limits() if limit.edition == "GB 3095-2012")
    with pytest.raises(LookupError, match="co for year"):
        air_limit("co", "year", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        (range(1, 101), 95, 95.05),  # k = 1 + 99 × 0.95 = 95.05
        (range(1, 366), 98, 357.72),  # k = 1 + 364 × 0.98 = 357.72
        (range(1, 366), 90, 328.6),
        ([7.0], 90, 7.0),
        ([1.0, 2.0], 0, 1.0),
        ([1.0, 2.0], 100, 2.0),
    ],
)
def test_percentiles_by_the_formula(values, percent, expected):
    shuffled = np.random.default_rng(1).permutation(np.array(list(values), dtype=float))
    assert percentile(shuffled, percent) == pytest.approx(expected, rel=1e-12)
    assert percentile(shuffled, percent) == pytest.approx(float(np.percentile(shuffled, percent)), rel=1e-12)


def test_a_years_percentile_is_a_statistic_with_the_years_validity():
    days = np.arange(np.datetime64("2027-01-01"), np.datetime64("2028-01-01")).astype("datetime64[us]")
    value = np.random.default_rng(2).permutation(np.arange(1.0, 366.0))
    year = aggregate(
        days - np.timedelta64(8, "h"), value, interval="year", medium="air", factor="no2", method="percentile-98"
    )
    assert (year.value.tolist(), year.rounded.tolist(), year.valid.tolist()) == ([357.72], [358.0], [True])
    assert PERCENTILES["no2"] == 98


def test_percentile_of_nothing_and_of_nonsense():
    assert np.isnan(percentile([], 90)) and np.isnan(percentile([np.nan], 90))
    with pytest.raises(ValueError, match="between 0 and 100"):
        percentile([1.0], 101)


def test_the_composite_index_divides_by_the_limits_of_its_time():
    values = {"so2": 6.0, "no2": 20.0, "pm10": 35.0, "pm25": 17.5, "co": 1.0, "o3": 80.0}
    old = composite_index(values, when=date(2025, 12, 31))
    assert old.index.tolist() == [pytest.approx(0.1 + 0.5 + 0.5 + 0.5 + 0.25 + 0.5)]
    new = composite_index(values, when=date(2026, 12, 31))
    assert new.index.tolist() == [pytest.approx(0.1 + 0.5 + 35 / 60 + 17.5 / 30 + 0.25 + 0.5)]
    assert new.parts["pm25"].tolist() == [17.5 / 30]
    weighted = composite_index(values, when=date(2026, 12, 31), weights={"pm25": 3.0})
    assert (weighted.index - new.index).tolist() == [pytest.approx(2 * 17.5 / 30)]
    assert weighted.largest == ["pm25"]
    assert index_to_show(new.index).tolist() == [2.52]


def test_an_index_of_five_factors_is_refused_and_a_missing_value_makes_none():
    values = {"so2": [6.0], "no2": [20.0], "pm10": [35.0], "pm25": [np.nan], "co": [1.0]}
    with pytest.raises(ValueError, match="o3"):
        composite_index(values, when=date(2026, 12, 31))
    found = composite_index(values | {"o3": [1.0]}, when=date(2026, 12, 31))
    assert np.isnan(found.index).all() and found.largest == [""]
    with pytest.raises(ValueError, match="tsp"):
        composite_index(values | {"o3": [1.0]}, when=date(2026, 12, 31), weights={"tsp": 1.0})


def test_exceedance_and_attainment():
    assert exceedance_multiple([150.0, 75.0, 60.0], 75.0).tolist()[0] == 1.0
    assert np.isnan(exceedance_multiple([75.0, np.nan], 75.0)).all()
    assert np.isnan(attainment([True], [False]))


@pytest.mark.parametrize(("known", "given"), [(3, True), (2, False)])
def test_three_of_four_stations_make_a_city(known, given):
    values = np.full((4, 1), np.nan)
    values[:known] = 10.0
    assert np.isfinite(city_mean(values)[0]) == given
