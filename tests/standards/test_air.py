"""HJ 633-2012 and HJ 633-2026: golden values, an independent reckoning with fractions, and the rules for rows."""

import math
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards import air
from luming.standards._tables import read_csv

NAN = math.nan
GRID = (0, 50, 100, 150, 200, 300, 400, 500)
# HJ 633-2026 table 3, typed a second time; the 2012 values at IAQI 100 are below.
TABLE = {
    ("so2", "day"): (0, 50, 150, 475, 800, 1600, 2100, 2620),
    ("so2", "hour"): (0, 150, 500, 650, 800),
    ("no2", "day"): (0, 40, 80, 180, 280, 565, 750, 940),
    ("no2", "hour"): (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    ("co", "day"): (0, 2, 4, 14, 24, 36, 48, 60),
    ("co", "hour"): (0, 5, 10, 35, 60, 90, 120, 150),
    ("o3", "day"): (0, 100, 160, 215, 265, 800),
    ("o3", "hour"): (0, 160, 200, 300, 400, 800, 1000, 1200),
    ("pm10", "day"): (0, 50, 120, 250, 350, 420, 500, 600),
    ("pm10", "hour"): (0, 50, 120, 250, 350, 420, 500, 600),
    ("pm25", "day"): (0, 35, 60, 115, 150, 250, 350, 500),
    ("pm25", "hour"): (0, 35, 60, 115, 150, 250, 350, 500),
}
AT_100_IN_2012 = {"pm10": 150, "pm25": 75}
CLEAN = {"so2": 5.0, "no2": 5.0, "co": 0.5, "o3": 5.0, "pm10": 10.0, "pm25": 10.0}


def points(factor: str, period: str, edition: str) -> tuple[int, ...]:
    found = TABLE[factor, period]
    if edition == "2012" and factor in AT_100_IN_2012:
        return (*found[:2], AT_100_IN_2012[factor], *found[3:])
    return found


def reference(factor: str, c: Fraction, period: str, edition: str) -> float:
    """Formula 1 of HJ 633 with exact fractions; c is already rounded."""
    bps = points(factor, period, edition)
    if c > bps[-1]:
        if GRID[len(bps) - 1] == 500:
            return 500
        return NAN if edition == "2012" else GRID[len(bps) - 1]
    k = next(i for i in range(1, len(bps)) if c <= bps[i])
    slope = Fraction(GRID[k] - GRID[k - 1], bps[k] - bps[k - 1])
    return math.ceil(slope * (c - bps[k - 1]) + GRID[k - 1])


@pytest.mark.parametrize("edition", ["2012", "2026"])
@pytest.mark.parametrize(("factor", "period"), list(TABLE))
def test_every_displayable_concentration_against_fractions(factor: str, period: str, edition: str) -> None:
    scale = 10 if factor == "co" else 1
    steps = np.arange(0, points(factor, period, edition)[-1] * scale + 50)
    expected = [reference(factor, Fraction(int(n), scale), period, edition) for n in steps]
    np.testing.assert_array_equal(air.iaqi(factor, steps / scale, period=period, edition=edition), expected)


@pytest.mark.parametrize("edition", ["2012", "2026"])
@pytest.mark.parametrize(("factor", "period"), list(TABLE))
def test_every_breakpoint_has_its_index(factor: str, period: str, edition: str) -> None:
    bps = points(factor, period, edition)
    assert air.iaqi(factor, bps, period=period, edition=edition).tolist() == list(GRID[: len(bps)])


@pytest.mark.parametrize(
    ("factor", "period", "c", "expected"),
    [  # HJ 633-2026 table 3 with notes a-c and the rounding of 4.2
        ("pm25", "day", 60, 100),
        ("pm25", "day", 60.5, 100),  # rounds to 60
        ("pm25", "day", 60.6, 101),
        ("pm25", "day", 61.5, 102),  # rounds to 62, the even one
        ("pm10", "day", 120, 100),
        ("so2", "hour", 800, 200),
        ("so2", "hour", 900, 200),  # note b
        ("o3", "day", 900, 300),  # note c
        ("no2", "hour", 200, 100),
        ("co", "day", 4, 100),
        ("co", "day", 4.05, 100),  # rounds to 4.0
        ("co", "day", 4.15, 101),  # rounds to 4.2
        ("pm25", "day", 500, 500),
        ("pm25", "day", 9999, 500),
        ("pm25", "hour", 60, 100),  # hourly PM by the daily breakpoints
        ("o3", "hour", 1200, 500),
        ("pm25", "day", 0, 0),
        ("pm25", "day", 0.5, 0),
        ("pm25", "day", 0.6, 2),
    ],
)
def test_golden_2026(factor: str, period: str, c: float, expected: float) -> None:
    assert air.iaqi(factor, c, period=period, edition="2026") == expected


@pytest.mark.parametrize(
    ("factor", "period", "c", "expected"),
    [  # HJ 633-2012 table 1 with notes 2 and 3
        ("pm25", "day", 75, 100),
        ("pm25", "day", 60, 82),
        ("pm10", "day", 150, 100),
        ("so2", "hour", 800, 200),
        ("so2", "hour", 800.5, 200),  # rounds to 800
        ("so2", "hour", 801, NAN),
        ("o3", "day", 800, 300),
        ("o3", "day", 801, NAN),
    ],
)
def test_golden_2012(factor: str, period: str, c: float, expected: float) -> None:
    np.testing.assert_array_equal(air.iaqi(factor, c, period=period, edition="HJ 633-2012"), expected)


def test_what_is_no_measurement_has_no_index() -> None:
    got = air.iaqi("co", [NAN, -0.1, np.inf, -np.inf, -0.0], period="hour", edition="2026")
    np.testing.assert_array_equal(got, [NAN, NAN, NAN, NAN, 0])


@given(
    st.sampled_from(list(TABLE)),
    st.sampled_from(["2012", "2026"]),
    st.lists(st.floats(0, 5000), min_size=2, max_size=20),
)
def test_index_is_whole_bounded_and_never_falls(key: tuple[str, str], edition: str, values: list[float]) -> None:
    got = air.iaqi(key[0], sorted(values), period=key[1], edition=edition)
    given_ = got[~np.isnan(got)]
    assert ((given_ >= 0) & (given_ <= 500) & (given_ == np.rint(given_))).all()
    assert (np.diff(given_) >= 0).all()


def one(period: str = "hour", edition: str = "2026", **values: float) -> air.AqiResult:
    return air.aqi({**CLEAN, **values}, period=period, edition=edition)


@pytest.mark.parametrize(
    ("index_of", "level"),
    [(35, 1), (36, 2), (60, 2), (61, 3), (115, 3), (116, 4), (150, 4), (151, 5), (250, 5), (251, 6)],
)
def test_levels_change_where_table_1_says(index_of: float, level: int) -> None:
    assert one(pm25=index_of).level[0] == level


def test_primary_pollutants_are_listed_together_above_50_only() -> None:
    assert one(pm25=60, pm10=120).primary.tolist() == ["pm10+pm25"]
    assert one(so2=500, no2=200, co=10, o3=200, pm10=120, pm25=60).primary.tolist() == ["so2+no2+co+o3+pm10+pm25"]
    assert one(pm25=35).primary.tolist() == [""]
    assert one(pm25=36).primary.tolist() == ["pm25"]


def test_missing_pollutant_2026_publishes_only_above_100() -> None:
    assert np.isnan(one(so2=NAN, pm25=60).aqi[0])
    assert (one(so2=NAN, pm25=60).level[0], one(so2=NAN, pm25=60).primary[0]) == (0, "")
    assert one(so2=NAN, pm25=61).aqi[0] == 101
    assert one(so2=NAN, pm25=60).iaqi["pm25"][0] == 100  # the IAQI is still published
    assert np.isnan(air.aqi({"pm25": [10.0]}, edition="2026").aqi[0])


def test_missing_pollutant_2012_takes_what_there_is() -> None:
    assert one(edition="2012", so2=NAN, pm25=75).aqi[0] == 100
    assert np.isnan(air.aqi({"pm25": [NAN]}, edition="2012").aqi[0])


def test_pollutant_outside_the_programme_is_not_missing() -> None:
    values = {name: value for name, value in CLEAN.items() if name != "co"}
    assert np.isnan(air.aqi(values, edition="2026").aqi[0])
    assert air.aqi(values, edition="2026", not_monitored=["co"]).aqi[0] == 15


def test_the_range_of_the_aqi_begins_at_1() -> None:
    result = one(so2=0, no2=0, co=0, o3=0, pm10=0, pm25=0)
    assert (result.aqi[0], result.level[0], result.iaqi["so2"][0]) == (1, 1, 0)


def test_so2_above_800_in_2012_takes_the_daily_mean_if_given() -> None:
    assert one(edition="2012", so2=900).aqi[0] == 15  # o3, co, pm… only; SO2 has no hourly index
    assert one(edition="2012", so2=900, so2_24h=475).aqi[0] == 150
    assert one(edition="2012", so2=400, so2_24h=475).aqi[0] == 86


def test_sliding_means_of_2012_are_used_when_given_and_never_in_2026() -> None:
    assert one(edition="2012", pm25=10, pm25_24h=115).aqi[0] == 150
    assert one(edition="2012", pm25=115, pm25_24h=10).aqi[0] == 15
    assert one(edition="2012", pm25=115, pm25_24h=NAN).aqi[0] == 150
    assert one(edition="2012", o3=5, o3_8h=160).aqi[0] == 100
    assert one(edition="2012", period="day", o3=5, o3_1h=200).aqi[0] == 100
    assert one(edition="2026", pm25=10, pm25_24h=115, o3_8h=160).aqi[0] == 15


def test_the_edition_follows_the_time_of_measurement() -> None:
    times = np.array(["2026-02-28T23:00", "2026-03-01T00:00", "2013-01-12T20:00"], dtype="datetime64[m]")
    result = air.aqi({name: [value] * 3 for name, value in {**CLEAN, "pm25": 60.0}.items()}, times=times)
    assert result.aqi.tolist() == [82, 100, 82]
    aware = [datetime(2026, 2, 28, 15, 59, tzinfo=UTC), datetime(2026, 2, 28, 16, 0, tzinfo=UTC)]
    values = {name: [value] * 2 for name, value in {**CLEAN, "pm25": 60.0}.items()}
    assert air.aqi(values, times=aware).aqi.tolist() == [82, 100]


def test_mixed_rows_equal_the_rows_judged_apart() -> None:
    rng = np.random.default_rng(7)
    values = {factor: rng.gamma(1.5, 90, 5000) for factor in air.FACTORS}
    values["pm25"][rng.random(5000) < 0.2] = NAN
    new = rng.random(5000) < 0.5
    times = np.where(new, np.datetime64("2026-03-01"), np.datetime64("2026-02-28"))
    mixed = air.aqi(values, times=times)
    old_only, new_only = air.aqi(values, edition="2012"), air.aqi(values, edition="2026")
    np.testing.assert_array_equal(mixed.aqi, np.where(new, new_only.aqi, old_only.aqi))
    np.testing.assert_array_equal(mixed.primary, np.where(new, new_only.primary, old_only.primary))
    np.testing.assert_array_equal(mixed.iaqi["so2"], np.where(new, new_only.iaqi["so2"], old_only.iaqi["so2"]))
    assert (mixed.level == np.where(new, new_only.level, old_only.level)).all()


def test_aqi_is_the_largest_index_whatever_the_rows() -> None:
    rng = np.random.default_rng(11)
    values = {factor: rng.gamma(1.5, 120, 3000) for factor in air.FACTORS}
    result = air.aqi(values, period="day", edition="2026")
    stack = np.stack(list(result.iaqi.values()))
    np.testing.assert_array_equal(result.aqi, np.maximum(stack.max(axis=0), 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: air.aqi({"pm25": [1.0]}), "give edition"),
        (lambda: air.aqi({"pm2.5": [1.0]}, edition="2026"), "unknown air factor 'pm2.5'"),
        (lambda: air.aqi({"pm25": [1.0], "so2": [1.0, 2.0, 3.0], "co": [1, 2]}, edition="2026"), "differ in shape"),
        (lambda: air.aqi({"pm25": [1.0, 2.0]}, times=["2026-01-01"] * 3), "times has shape"),
        (lambda: air.aqi({"pm25": [1.0]}, times=[np.datetime64("NaT")]), "NaT"),
        (lambda: air.iaqi("pm25", 1, edition="2008"), "unknown edition '2008'"),
        (lambda: air.iaqi("pm25", 1, period="month", edition="2026"), "'hour' or 'day'"),
    ],
)
def test_mistakes_are_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_no_rows_give_no_rows() -> None:
    empty = {factor: np.array([]) for factor in air.FACTORS}
    assert air.aqi(empty, times=np.array([], dtype="datetime64[s]")).aqi.shape == (0,)


def test_levels_cover_1_to_500_with_the_colours_of_annex_a() -> None:
    levels = list(air.LEVELS["2026"].values())
    assert [level.low for level in levels] == [1, *(level.high + 1 for level in levels[:-1])]
    assert [level.rgb for level in levels] == [
        (0, 228, 0),
        (255, 255, 0),
        (255, 126, 0),
        (255, 0, 0),
        (153, 0, 76),
        (126, 0, 35),
    ]
    assert [level.name_zh for level in levels] == ["优", "良", "轻度污染", "中度污染", "重度污染", "严重污染"]
    assert levels[4].hex == "#99004c"


def test_advice_names_the_sensitive_groups_in_2026_only() -> None:
    assert "哮喘患者" in air.advice(3, "so2", "2026")
    assert "哮喘患者" not in air.advice(3, "so2", "2012")
    assert air.sensitive_groups("co+o3", "2026")[0] == "心血管疾病患者"
    assert len(air.sensitive_groups("pm10+pm25")) == 5
    assert air.advice(0, "", "2026") == ""
    assert air.advice(1, "", "2026", language="en").endswith("as usual.")


def test_the_table_names_edition_clause_source_and_mark() -> None:
    for row in read_csv("air_breakpoints.csv"):
        assert row["edition"] in ("HJ 633-2012", "HJ 633-2026")
        assert row["clause"] and row["source"] and row["effective_from"] and row["verified"] == "true"
