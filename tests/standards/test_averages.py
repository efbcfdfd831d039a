"""Hours, days, months, quarters, years: validity by the dated rules, against hand-worked counts and a naive twin."""

import math
import statistics
from calendar import monthrange
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards import averages
from luming.standards.averages import aggregate, cascade
from luming.standards.results import Reason
from luming.standards.validity import Rule


def minutes(first, count, step=1):
    """Starts of minutes from a city-local time."""
    return np.datetime64(first, "us") - np.timedelta64(8, "h") + np.arange(count) * np.timedelta64(step, "m")


def hours(first, count):
    return minutes(first, count, 60)


def days(first, last):
    """Starts of the city's days, the last one excluded."""
    return np.arange(np.datetime64(first, "D"), np.datetime64(last, "D")).astype("datetime64[us]") - np.timedelta64(
        8, "h"
    )


@pytest.mark.parametrize(("present", "valid"), [(44, False), (45, True), (60, True)])
def test_an_hour_needs_45_minutes(present, valid):
    hour = aggregate(
        minutes("2026-07-01T08:00", present), np.arange(present), interval="hour", medium="air", factor="so2"
    )
    assert (hour.valid.tolist(), hour.count.tolist()) == ([valid], [present])
    assert (hour.expected.tolist(), hour.required.tolist()) == ([60], [45])
    assert hour.value.tolist() == [np.arange(present).mean()]
    assert hour.start.tolist() == [np.datetime64("2026-07-01T00:00", "us").item()]
    assert hour.rule_of(0).key == "GB 3095-2026/hour"


def test_five_minute_rows_are_counted_as_the_time_they_cover():
    eight, nine = (
        aggregate(minutes("2026-07-01T08:00", n, 5), np.ones(n), interval="hour", medium="air", factor="so2",
                  step=np.timedelta64(5, "m"))
        for n in (8, 9)
    )  # fmt: skip
    assert (eight.valid.tolist(), nine.valid.tolist()) == ([False], [True])
    assert (nine.expected.tolist(), nine.required.tolist()) == ([12], [9])


@pytest.mark.parametrize(("present", "valid"), [(19, False), (20, True), (24, True)])
def test_a_day_needs_20_hours(present, valid):
    value = np.where(np.arange(24) < present, 10.0, np.nan)
    day = aggregate(hours("2026-07-01T00:00", 24), value, interval="day", medium="air", factor="pm25")
    assert (day.valid.tolist(), day.count.tolist(), day.expected.tolist()) == ([valid], [present], [24])
    assert day.reason.tolist() == [Reason.VALID if valid else Reason.TOO_FEW]


def test_only_what_counts_takes_part_and_the_result_says_so():
    value = np.array([1.0, 2.0, np.nan, 4.0, 1000.0, np.inf])
    counts = np.array([True, True, True, True, False, True])
    day = aggregate(hours("2026-07-01T00:00", 6), value, interval="day", medium="air", factor="pm25", counts=counts)
    assert day.value.tolist() == [pytest.approx(7 / 3)]
    assert day.used.tolist() == [True, True, False, True, False, False]
    assert day.inputs_of(0).tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("first", "last", "missing", "valid"),
    [
        ("2026-04-01", "2026-05-01", 3, True),  # 27 of 30
        ("2026-04-01", "2026-05-01", 4, False),
        ("2027-02-01", "2027-03-01", 3, True),  # 25 of 28
        ("2027-02-01", "2027-03-01", 4, False),
        ("2028-02-01", "2028-03-01", 4, True),  # 25 of 29
        ("2028-02-01", "2028-03-01", 5, False),
    ],
)
def test_a_month_needs_27_days_and_february_25(first, last, missing, valid):
    starts = days(first, last)
    value = np.where(np.arange(len(starts)) < missing, np.nan, 30.0)
    month = aggregate(starts, value, interval="month", medium="air", factor="pm10")
    assert (month.valid.tolist(), month.value.tolist()) == ([valid], [30.0])
    assert month.expected.tolist() == [len(starts)]


def test_a_year_needs_324_days_and_enough_in_each_month():
    starts = days("2027-01-01", "2028-01-01")
    month = starts.astype("datetime64[us]") + np.timedelta64(8, "h")
    of_month = month.astype("datetime64[M]").astype(int) % 12 + 1
    day_of_month = (month.astype("datetime64[D]") - month.astype("datetime64[M]")).astype(int) + 1
    enough = day_of_month <= np.where(of_month == 2, 25, 27)  # 11 × 27 + 25 = 322: each month has enough, the year not

    def year(present):
        return aggregate(starts, np.where(present, 1.0, np.nan), interval="year", medium="air", factor="no2")

    assert (year(enough).count.tolist(), year(enough).reason.tolist()) == ([322], [Reason.TOO_FEW])
    two_more = enough | ((of_month == 1) & (day_of_month <= 29))
    assert (year(two_more).count.tolist(), year(two_more).valid.tolist()) == ([324], [True])
    thin_may = ~((of_month == 5) & (day_of_month > 26))
    assert year(thin_may).reason.tolist() == [Reason.MONTH_TOO_FEW]
    assert year(thin_may).required.tolist() == [324]


def test_the_rule_of_the_last_day_judges_a_period_in_which_the_edition_changes():
    old = Rule("old", "air", ("*",), "month", "day", required=3, effective_to=date(2026, 2, 15))
    new = Rule("new", "air", ("*",), "month", "day", required=20, effective_from=date(2026, 2, 16))
    starts = days("2026-01-01", "2026-03-01")
    month = aggregate(starts, np.ones(59), interval="month", medium="air", factor="so2", rules=[old, new])
    assert [month.rule_of(row).key for row in range(2)] == ["old", "new"]
    year = aggregate(starts, np.ones(59), interval="year", medium="air", factor="so2")
    assert year.rule_of(0).edition == "GB 3095-2026"
    months = aggregate(days("2026-02-01", "2026-04-01"), np.ones(59), interval="month", medium="air", factor="so2")
    assert [month.edition for month in (months.rule_of(0), months.rule_of(1))] == ["GB 3095-2012", "GB 3095-2026"]


def test_missing_periods_are_listed_when_a_span_is_given():
    span = (np.datetime64("2026-06-30T16:00"), np.datetime64("2026-07-02T16:00"))
    nothing = aggregate([], [], interval="day", medium="air", factor="so2", span=span)
    assert nothing.count.tolist() == [0, 0]
    assert nothing.reason.tolist() == [Reason.NO_VALUES] * 2
    assert np.isnan(nothing.value).all() and np.isnan(nothing.rounded).all()
    outside = aggregate(
        hours("2026-06-30T00:00", 96), np.ones(96), interval="day", medium="air", factor="so2", span=span
    )
    assert outside.count.tolist() == [24, 24]
    assert outside.used.sum() == 48


def test_an_instant_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        aggregate(["2026-01-01", "2026-01-01"], [1, 2], interval="day", medium="air", factor="so2")


def test_an_unknown_edition_is_refused():
    with pytest.raises(LookupError, match="GB 3095-2026"):
        aggregate(["2026-01-01"], [1], interval="day", medium="air", factor="so2", edition="GB 3095-1996")


def test_an_edition_can_be_chosen_whatever_the_dates():
    old = aggregate(hours("2026-07-01T00:00", 24), np.ones(24), interval="day", medium="air", factor="so2",
                    edition="GB 3095-2012")  # fmt: skip
    assert old.rule_of(0).key == "GB 3095-2012/day"
    particles = aggregate(minutes("2026-07-01T08:00", 60), np.ones(60), interval="hour", medium="air", factor="pm25",
                          edition="GB 3095-2026")  # fmt: skip
    assert particles.rule_of(0).edition == "HJ 653-2013"  # GB 3095 has no rule for hours of particles
    levels = cascade(
        hours("2010-07-01T00:00", 24), np.ones(24), medium="air", factor="o3", edition="GB 3095-2026", to="month"
    )
    assert levels["day"].valid.tolist() == [True]
    assert levels["day"].rule_of(0).edition == "HJ 663-2026"


def test_rules_of_ones_own_need_not_repeat_the_hours_of_an_8_hour_mean():
    own = [Rule("own", "air", ("o3_8h",), "day", "8h", required=1)]
    value = np.where(np.arange(24) < 5, 100.0, np.nan)
    day = aggregate(hours("2026-07-01T00:00", 24), value, interval="day", medium="air", factor="o3", rules=own)
    assert day.reason.tolist() == [Reason.NO_VALUES]  # five hours still make no 8-hour mean


def test_small_values_of_surface_water_keep_a_digit():
    start = hours("2026-07-01T00:00", 24)
    day = aggregate(start, np.full(24, 0.00042), interval="day", medium="water", factor="tp")
    assert day.rounded.tolist() == [0.0004]
    assert aggregate(start, np.full(24, 0.4), interval="day", medium="air", factor="so2").rounded.tolist() == [0.0]


def test_order_of_rows_and_the_rest_of_the_series_change_no_bit():
    rng = np.random.default_rng(4)
    starts, value = hours("2026-01-01T00:00", 2400), rng.gamma(2.0, 20.0, 2400)
    shuffled = rng.permutation(2400)
    whole = aggregate(starts, value, interval="day", medium="air", factor="pm25")
    mixed = aggregate(starts[shuffled], value[shuffled], interval="day", medium="air", factor="pm25")
    alone = aggregate(starts[48:72], value[48:72], interval="day", medium="air", factor="pm25")
    assert whole.value.tolist() == mixed.value.tolist()
    assert whole.value[2] == alone.value[0]


def test_hours_to_year_of_several_stations_at_once():
    starts = hours("2026-01-01T00:00", 8760)
    series = np.repeat([7, 3], 8760)
    value = np.concatenate([np.full(8760, 60.0), np.where(np.arange(8760) < 24 * 40, np.nan, 30.0)])
    levels = cascade(np.tile(starts, 2), value, medium="air", factor="pm25", series=series)
    assert {interval: len(found) for interval, found in levels.items()} == {
        "day": 730, "month": 24, "quarter": 8, "year": 2,
    }  # fmt: skip
    year = levels["year"]
    assert year.series.tolist() == [3, 7]
    assert (year.value.tolist(), year.rounded.tolist()) == ([30.0, 60.0], [30.0, 60.0])
    assert (year.valid.tolist(), year.count.tolist()) == ([False, True], [325, 365])
    assert year.reason.tolist() == [Reason.MONTH_TOO_FEW, Reason.VALID]


def naive(starts, value, counts, minimum):
    """Means and validity of city days, written without numpy: the twin of ``aggregate``."""
    grouped = {}
    for start, number, counted in zip(starts.tolist(), value.tolist(), counts.tolist(), strict=True):
        city = (start - datetime(1970, 1, 1)).total_seconds()
        entry = grouped.setdefault(int((city + 8 * 3600) // 86400), [])
        if counted and number == number:
            entry.append(number)
    return [
        (sum(found) / len(found) if found else None, len(found), len(found) >= minimum)
        for _, found in sorted(grouped.items())
    ]


def test_against_a_naive_twin():
    rng = np.random.default_rng(11)
    for _ in range(20):
        count = int(rng.integers(1, 400))
        starts = hours("2026-02-27T05:00", count)[rng.random(count) < 0.8]
        value = np.where(rng.random(len(starts)) < 0.1, np.nan, rng.normal(50, 20, len(starts)))
        counts = rng.random(len(starts)) < 0.9
        day = aggregate(starts, value, interval="day", medium="air", factor="no2", counts=counts)
        for row, (mean, number, valid) in enumerate(naive(starts, value, counts, 20)):
            assert (day.count[row], bool(day.valid[row])) == (number, valid)
            assert np.isnan(day.value[row]) if mean is None else day.value[row] == pytest.approx(mean, rel=1e-12)


@given(
    st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    st.integers(1, 500),
    st.sampled_from([0.0, 0.03, 0.08, 0.12, 0.3]),
    st.integers(0, 2**32 - 1),
)
def test_long_periods_against_a_calendar(first, length, missing, seed):
    """Twin of the monthly, quarterly and yearly rules with Python's calendar: counts, means and validity."""
    rng = np.random.default_rng(seed)
    all_days = [first + timedelta(days=i) for i in range(length)]
    value = np.where(rng.random(length) < missing, np.nan, rng.gamma(2.0, 20.0, length))
    starts = np.array(all_days, dtype="datetime64[us]") - np.timedelta64(8, "h")
    of_month: dict[tuple[int, int], list[float]] = {}
    for day, number in zip(all_days, value.tolist(), strict=True):
        found = of_month.setdefault((day.year, day.month), [])
        found += [number] if number == number else []
    enough = {key: len(found) >= (25 if key[1] == 2 else 27) for key, found in of_month.items()}
    for interval, width in (("month", 1), ("quarter", 3), ("year", 12)):
        result = aggregate(starts, value, interval=interval, medium="air", factor="no2")
        groups: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for year, month in of_month:
            groups.setdefault((year, (month - 1) // width), []).append((year, month))
        assert len(result) == len(groups)
        for row, (key, months) in enumerate(sorted(groups.items())):
            numbers = [number for month in months for number in of_month[month]]
            all_months = [(key[0], key[1] * width + 1 + i) for i in range(width)]
            valid = all(enough.get(month, False) for month in all_months)
            valid &= interval != "year" or len(numbers) >= 324
            assert (int(result.count[row]), bool(result.valid[row])) == (len(numbers), valid)
            assert result.expected[row] == sum(monthrange(*month)[1] for month in all_months)
            if numbers:
                assert result.value[row] == pytest.approx(sum(numbers) / len(numbers), rel=1e-12)
            else:
                assert np.isnan(result.value[row]) and result.reason[row] == Reason.NO_VALUES


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["mean", "sum", "weighted", "energy", "median", "maximum", "percentile-90"]),
)
def test_methods_against_the_statistics_module(seed, method):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 100))
    value, weight = rng.normal(50, 10, count).round(2), rng.gamma(1.0, 5.0, count)
    result = aggregate(hours("2026-07-01T00:00", count), value, interval="day", medium="sewage", factor="cod",
                       weight=weight, method=method)  # fmt: skip
    for row in range(len(result)):
        part = slice(row * 24, row * 24 + 24)
        numbers, weights = value[part].tolist(), weight[part].tolist()
        expected = {
            "mean": lambda n, w: statistics.fmean(n),
            "sum": lambda n, w: math.fsum(n),
            "weighted": statistics.fmean,
            "energy": lambda n, w: 10 * math.log10(statistics.fmean(10 ** (x / 10) for x in n)),
            "median": lambda n, w: statistics.median(n),
            "maximum": lambda n, w: max(n),
            "percentile-90": lambda n, w: float(np.percentile(n, 90)),
        }[method](numbers, weights)
        assert result.value[row] == pytest.approx(expected, rel=1e-11)


def test_sources_are_those_of_the_law():
    assert averages.SOURCE["year"] == "day"
    with pytest.raises(ValueError, match="no statistics lead"):
        cascade([], [], medium="air", factor="so2", source="month")
