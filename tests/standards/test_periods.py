"""The city's periods: every instant lies in exactly one, parts make the whole, and dates are those of a calendar."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards.periods import (
    INTERVALS,
    city_days,
    expected_count,
    group,
    ordinal,
    period_end,
    period_start,
    start_of,
)  # fmt: skip

CITY = timezone(timedelta(hours=8))
INSTANT = st.integers(-(10**15), 4 * 10**15).map(lambda us: np.datetime64(us, "us"))  # 1938 to 2096
INTERVAL = st.sampled_from(INTERVALS)
US = np.timedelta64(1, "us")


def of_calendar(instant: np.datetime64, interval: str) -> datetime:
    """Start of the period by Python's own calendar."""
    local = datetime(1970, 1, 1, 8) + timedelta(microseconds=int(instant.astype(np.int64)))
    whole = local.replace(minute=0, second=0, microsecond=0)
    starts = {
        "minute": local.replace(second=0, microsecond=0),
        "hour": whole,
        "8h": whole.replace(hour=local.hour // 8 * 8),
        "day": whole.replace(hour=0),
        "month": whole.replace(hour=0, day=1),
        "quarter": whole.replace(hour=0, day=1, month=(local.month - 1) // 3 * 3 + 1),
        "year": whole.replace(hour=0, day=1, month=1),
    }
    return starts[interval] - timedelta(hours=8)


@given(INSTANT, INTERVAL)
def test_every_instant_lies_in_exactly_one_period(instant, interval):
    number = int(ordinal(instant, interval))
    start, end = start_of(number, interval), start_of(number + 1, interval)
    assert start <= instant < end
    assert int(ordinal(start, interval)) == int(ordinal(end - US, interval)) == number
    assert int(ordinal(end, interval)) == number + 1
    assert start.item() == of_calendar(instant, interval)
    assert period_start(instant, interval) == start and period_end(instant, interval) == end


@given(INSTANT, st.sampled_from(["hour", "8h", "day", "month", "quarter", "year"]))
def test_parts_of_a_period_make_the_whole(instant, interval):
    number = int(ordinal(instant, interval))
    start, end = start_of(number, interval), start_of(number + 1, interval)
    for part in INTERVALS[: INTERVALS.index(interval)]:
        first, last = int(ordinal(start, part)), int(ordinal(end, part))
        assert start_of(first, part) == start and start_of(last, part) == end  # no part reaches over an edge
        if part in ("hour", "day"):
            step = np.timedelta64(1, {"hour": "h", "day": "D"}[part])
            assert int(expected_count(number, interval, step)) == last - first


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2000)), unique=True, max_size=60),
    st.sampled_from(["hour", "day", "month", "quarter", "year"]),
    st.booleans(),
)
def test_groups_are_a_partition_of_the_rows(rows, interval, spanned):
    series = np.array([key for key, _ in rows], dtype=np.int64)
    start = np.datetime64("2025-12-20T11:30", "us") + np.array(
        [hour for _, hour in rows], dtype=np.int64
    ) * np.timedelta64(1, "h")
    span = (np.datetime64("2025-12-31T16:00"), np.datetime64("2026-01-31T16:00")) if spanned else None
    found = group(start, interval, series=series, span=span)
    for row, place in enumerate(found.position.tolist()):
        if place < 0:
            first, last = (period_start(span[0], interval), period_end(span[1] - np.timedelta64(1, "us"), interval))
            assert not first <= start[row] < last
        else:
            assert found.series[place] == series[row]
            assert found.start[place] <= start[row] < found.end[place]
    inside = np.nonzero(found.position >= 0)[0]
    assert sorted(found.order.tolist()) == inside.tolist()
    keys = list(zip(found.series.tolist(), found.number.tolist(), strict=True))
    assert keys == sorted(set(keys))
    if not spanned:
        assert set(found.position.tolist()) == set(range(len(found)))


def test_groups_of_a_span_are_listed_for_every_series():
    start = np.array(["2026-01-01", "2026-01-03"], dtype="datetime64[us]")
    span = (np.datetime64("2025-12-31T16:00"), np.datetime64("2026-01-05T16:00"))
    found = group(start, "day", series=[9, 4], span=span)
    assert found.series.tolist() == [4] * 5 + [9] * 5
    assert found.position.tolist() == [5, 2]
    assert len(group([], "day", span=span)) == 5
    assert len(group([], "day", series=[], span=span)) == 0  # no series, no groups
    with pytest.raises(ValueError, match="ends after"):
        group([], "day", span=span[::-1])


@pytest.mark.parametrize(
    ("month", "days"), [("2026-02", 28), ("2028-02", 29), ("2100-02", 28), ("2000-02", 29), ("2026-12", 31)]
)
def test_expected_days_of_months(month, days):
    number = int(ordinal(np.datetime64(month, "us"), "month"))
    assert int(expected_count(number, "month", np.timedelta64(1, "D"))) == days
    assert int(expected_count(number, "month", np.timedelta64(4, "h"))) == days * 6


@pytest.mark.parametrize(("year", "days"), [(2026, 365), (2028, 366), (2100, 365)])
def test_expected_days_of_years(year, days):
    assert int(expected_count(year - 1970, "year", np.timedelta64(1, "D"))) == days


def test_the_city_is_eight_hours_ahead():
    assert period_start("2026-02-28T16:00", "month").item() == datetime(2026, 2, 28, 16)
    assert period_start("2026-02-28T15:59:59.999999", "month").item() == datetime(2026, 1, 31, 16)
    assert str(city_days("2026-02-28T16:00")) == "2026-03-01"


def test_what_is_no_instant_interval_or_step_is_refused():
    with pytest.raises(ValueError, match="NaT"):
        ordinal([np.datetime64("NaT")], "day")
    with pytest.raises(ValueError, match="unknown interval"):
        ordinal(["2026-01-01"], "week")
    with pytest.raises(ValueError, match="positive"):
        expected_count([0], "day", np.timedelta64(0, "h"))
    with pytest.raises(ValueError, match="shape"):
        group(["2026-01-01"], "day", series=[1, 2])
