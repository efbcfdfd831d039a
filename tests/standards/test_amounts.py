"""Days from hours, and a year's account against an allowance."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from luming.standards.amounts import Account, daily_amounts, expected_hours, month_end


def hours(first, count):
    return np.datetime64(first) + np.arange(count) * np.timedelta64(1, "h")


def test_hours_belong_to_the_citys_day():
    days = daily_amounts(hours("2026-11-23T14:00", 4), [1.0, 2.0, 4.0, 8.0], [""] * 4)  # 22:00 … 01:00 in the city
    assert [str(day) for day in days.day] == ["2026-11-23", "2026-11-24"]
    assert days.amount.tolist() == [3.0, 12.0]
    assert days.present.tolist() == [2, 2]


def test_marks_decide_what_counts():
    flags = ["N", "", "F", "D", "M", "C", "T", "B", "S", "N", "N"]
    amounts = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, np.nan, -1.0]
    days = daily_amounts(hours("2026-11-23T16:00", 11), amounts, flags)
    assert days.amount.tolist() == [3.0]
    assert days.left_out.tolist() == [8.0 + 16 + 32 + 64 + 128 + 256]
    assert (days.present.tolist(), days.stopped.tolist()) == ([2], [1])


def test_nothing_gives_no_days():
    assert len(daily_amounts([], [], []).day) == 0


def account(**changes):
    values = {
        "year": 2026, "now": datetime(2026, 7, 2, 4, tzinfo=UTC), "counted_from": date(2026, 1, 1), "reported": 0.0,
        "monitored": 50.0, "present": 4380.0, "stopped": 0.0, "expected": 4380.0, "allowance": 100.0,
    }  # fmt: skip
    return Account(**(values | changes))


def test_half_a_year_at_an_even_pace():
    half = account()  # noon of 2 July in the city is the middle of 2026
    assert half.pace == pytest.approx(0.5)
    assert (half.share, half.coverage) == (0.5, 1.0)
    assert half.projected == pytest.approx(100.0)
    assert half.standing == "within"
    assert account(monitored=50.01).standing == "ahead"
    assert account(monitored=100.01).standing == "over"
    assert account(monitored=100.0).standing == "ahead"  # as much as is allowed complies, so far
    assert account(allowance=None).standing == "none"


def test_missing_hours_are_not_filled_but_the_rest_of_the_year_is_like_the_known_ones():
    half_known = account(monitored=25.0, present=2190.0)
    assert half_known.emitted == 25.0
    assert half_known.coverage == 0.5
    assert half_known.projected == pytest.approx(25 + 50)  # nothing for the past, the known mean for what is to come


def test_stopped_hours_are_known_hours():
    stopped = account(monitored=25.0, present=2190.0, stopped=2190.0, expected=2190.0)
    assert stopped.coverage == 1.0
    assert stopped.projected == pytest.approx(50.0)


def test_reported_months_complete_the_year():
    reported = account(counted_from=date(2026, 7, 1), reported=40.0, monitored=1.0, present=36.0, expected=36.0)
    assert reported.emitted == 41.0
    assert reported.projected == pytest.approx(41 / 4380 * 8760)
    assert reported.coverage == 1.0


def test_too_little_says_nothing_of_the_year():
    week = datetime(2026, 1, 7, 16, tzinfo=UTC)  # seven whole days
    assert account(now=week - timedelta(hours=1), present=167.0, expected=167.0, monitored=1.0).projected is None
    assert account(now=week, present=168.0, expected=168.0, monitored=1.0).projected == pytest.approx(8760 / 168)
    assert account(expected=0.0, present=0.0).coverage is None
    assert account(expected=0.0, present=0.0).projected is None


def test_a_leap_year_and_the_end_of_the_year():
    assert account(year=2028, counted_from=date(2028, 1, 1), now=datetime(2028, 7, 1, 16, tzinfo=UTC)).pace == 0.5
    over = account(now=datetime(2027, 2, 1, tzinfo=UTC), present=8760.0, expected=8760.0)
    assert over.pace == 1.0
    assert over.projected == pytest.approx(50.0)


def test_expected_hours_are_whole_ones_since_the_day_or_since_it_began():
    now = datetime(2026, 1, 2, 1, 59, tzinfo=UTC)
    assert expected_hours(date(2026, 1, 1), now) == 24 + 9
    assert expected_hours(date(2026, 1, 1), now, since=datetime(2026, 1, 1, 22, tzinfo=UTC)) == 3
    assert expected_hours(date(2026, 2, 1), now) == 0


def test_month_ends():
    assert [month_end(date(2026, month, 5)).day for month in (1, 2, 4, 12)] == [31, 28, 30, 31]
