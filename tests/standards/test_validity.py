"""The table of validity rules: complete, without overlaps, and with the numbers of GB 3095-2026 table 4."""

from datetime import date, timedelta
from typing import get_args

import pytest

from luming.standards import methods, validity
from luming.standards.periods import Interval
from luming.standards.validity import MEDIA, rule

TODAY = date(2026, 11, 28)


def test_rows_are_complete():
    rules = validity.rules()
    assert len({one.key for one in rules}) == len(rules)
    for one in rules:
        assert one.medium in MEDIA and one.interval in get_args(Interval)
        assert one.unit in (*validity.UNIT_LENGTH, "8h")
        assert one.required or one.share or one.monthly
        assert one.source
        assert one.edition
        assert one.monthly is None or one.interval in ("quarter", "year")
        assert one.required_february is None or one.interval == "month"


def test_two_rules_for_the_same_are_never_in_force_together():
    rules = validity.rules()
    for i, one in enumerate(rules):
        for other in rules[i + 1 :]:
            same = (one.medium, one.interval) == (other.medium, other.interval)
            if same and set(one.factors) & set(other.factors):
                first = max(one.effective_from or date.min, other.effective_from or date.min)
                last = min(one.effective_to or date.max, other.effective_to or date.max)
                assert first > last, (one.key, other.key)


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("interval", ["hour", "day", "month", "quarter", "year"])
def test_every_medium_has_a_rule_for_every_interval(medium, interval):
    assert rule(medium, "anything", interval, TODAY)


@pytest.mark.parametrize("factor", ["so2", "no2", "pm10", "pm25", "nox"])
def test_table_4_years(factor):
    found = rule("air", factor, "year", TODAY)
    assert (found.required, found.monthly, found.monthly_february, found.verified) == (324, 27, 25, True)


@pytest.mark.parametrize("factor", ["so2", "no2", "co", "pm10", "pm25", "nox"])
def test_table_4_days(factor):
    found = rule("air", factor, "day", TODAY)
    assert (found.required, found.unit, found.verified) == (20, "hour", True)


@pytest.mark.parametrize("factor", ["so2", "no2", "co", "o3", "nox"])
def test_table_4_hours(factor):
    found = rule("air", factor, "hour", TODAY)
    assert (found.required, found.unit, found.verified) == (45, "minute", True)


@pytest.mark.parametrize("factor", ["tsp", "bap", "pb"])
def test_table_4_tsp_bap_pb(factor):
    year, day = rule("air", factor, "year", TODAY), rule("air", factor, "day", TODAY)
    assert (year.required, year.monthly, year.monthly_february, day.required) == (60, 5, None, 24)
    assert year.verified and day.verified


def test_table_4_the_rest():
    quarter, eight = rule("air", "pb", "quarter", TODAY), rule("air", "o3", "8h", TODAY)
    assert (quarter.required, quarter.monthly, quarter.verified) == (15, 5, True)
    assert (eight.required, eight.unit, eight.verified) == (6, "hour", True)


@pytest.mark.parametrize("factor", ["so2", "co", "o3", "pm25", "tsp", "pb", "bap", "no"])
@pytest.mark.parametrize("interval", ["hour", "day", "month", "quarter", "year"])
def test_no_day_since_2013_is_without_a_rule_of_air(factor, interval):
    days = [date(2013, 1, 1), date(2026, 2, 28), date(2026, 3, 1), date(2040, 1, 1)]
    found = [rule("air", factor, interval, day) for day in days]
    assert all(found)
    assert rule("air", factor, interval, days[0] - timedelta(days=1)) is None


def test_the_old_edition_is_marked_as_from_memory():
    assert not any(one.verified for one in validity.rules() if one.edition == "GB 3095-2012")


def test_methods_and_places_of_the_tables_exist():
    for choice in methods.choices("averaging.csv", "method"):
        assert choice.what in (*methods.METHODS, "mda8") or choice.what.startswith("percentile-")
        assert choice.medium in MEDIA
    for choice in methods.choices("statistic_decimals.csv", "decimals"):
        assert 0 <= int(choice.what) <= 6 and choice.medium in MEDIA
    assert methods.decimals_of("air", "co", "day") == 1
    assert methods.decimals_of("air", "pm25", "year") == 0
    assert methods.decimals_of("water", "ph", "day") == 0 and methods.decimals_of("water", "ph", "hour") == 2
    assert methods.decimals_of("water", "unheard-of", "day") == 3


@pytest.mark.parametrize(
    ("medium", "factor", "interval", "method"),
    [
        ("air", "pm25", "year", "mean"),
        ("air", "o3", "day", "mda8"),
        ("air", "o3", "hour", "mean"),
        ("air", "co", "month", "percentile-95"),
        ("gas", "amount", "day", "sum"),
        ("gas", "amount", "hour", "mean"),
        ("sewage", "cod", "month", "weighted"),
        ("sewage", "ph", "day", "mean"),
        ("sewage", "flow", "day", "mean"),
        ("sewage", "volume", "month", "sum"),
        ("water", "ph", "month", "hydrogen"),
        ("noise", "leq", "hour", "energy"),
        ("noise", "lmax", "day", "maximum"),
    ],
)
def test_which_method(medium, factor, interval, method):
    assert methods.method_of(medium, factor, interval) == method


def test_methods_are_dated():
    days = [date(2026, 2, 28), date(2026, 3, 1)]
    found = [methods.method_row("air", "o3", "year", when=day).edition for day in days]
    assert found == ["HJ 663-2013", "HJ 663-2026"]
    assert [methods.method_of("air", "o3", "year", when=day) for day in days] == ["percentile-90"] * 2
    assert methods.method_row("air", "o3", "year").edition == "HJ 663-2026"
    assert methods.decimals_of("air", "co", "day", when=days[0]) == 1


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="unknown method"):
        methods._share("mode")
