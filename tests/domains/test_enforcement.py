"""Outlets against their limits."""

from datetime import UTC, datetime, timedelta

import pytest

from luming.registry.models import Limit
from luming.telemetry import judging
from luming.telemetry.models import Event, Judgement, PlaceState

START = datetime(2026, 11, 1, 2, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def judge(record, outlet, values, start=START, **keywords):
    record(outlet, start, values, **keywords)
    judging.judge_pending()
    return Judgement.objects.order_by("start", "revision").last()


def test_the_converted_mean_is_judged_not_the_measured_one(outlet, record):
    judgement = judge(record, outlet, {"a34013": 6, "a21026": 20}, converted={"a34013": 12.5, "a21026": 30})
    assert judgement.state == "exceeding"
    assert judgement.value == pytest.approx(0.25)
    assert judgement.detail["exceeding"] == ["a34013"]
    assert judgement.detail["factors"]["a21026"]["state"] == "normal"
    assert judgement.edition == "环大气〔2019〕35号"


def test_a_value_equal_to_the_limit_complies(outlet, record):
    assert (
        judge(record, outlet, {"a34013": 9, "a21026": 9}, converted={"a34013": 10.0, "a21026": 35.0}).state == "normal"
    )


@pytest.mark.parametrize(("flag", "state"), [("F", "stopped"), ("D", "no-data"), ("M", "no-data"), ("N", "exceeding")])
def test_marks_decide_what_counts(outlet, record, flag, state):
    values = {"a34013": 99, "a21026": 99}
    assert judge(record, outlet, values, converted=values, flag=flag).state == state
    assert PlaceState.objects.get().state == state


def test_the_limit_in_force_on_the_day_judges(outlet, record):
    Limit.objects.filter(factor="a34013").update(effective_to="2026-10-31")
    Limit.objects.create(
        outlet=outlet,
        factor="a34013",
        converted=True,
        upper=5,
        unit="mg/m³",
        source="新标准",
        effective_from="2026-11-01",
    )
    values = {"a34013": 7, "a21026": 7}
    before = judge(record, outlet, values, converted=values, start=START - timedelta(days=1))
    after = judge(record, outlet, values, converted=values)
    assert (before.state, after.state) == ("normal", "exceeding")
    assert after.detail["factors"]["a34013"]["upper"] == 5
    assert after.detail["unverified"] == ["a34013"]


def test_limits_in_another_unit(outlet, record):
    Limit.objects.filter(factor="a21026").update(upper=35000, unit="µg/m³")
    judgement = judge(record, outlet, {"a34013": 1, "a21026": 36}, converted={"a34013": 1, "a21026": 36})
    assert judgement.detail["exceeding"] == ["a21026"]
    assert judgement.value == pytest.approx(1 / 35)


def test_an_outlet_without_limits_is_not_judged(outlet, record):
    Limit.objects.all().delete()
    record(outlet, START, {"a34013": 6})
    assert judging.judge_pending() == 1
    assert not Judgement.objects.exists()


def test_a_daily_limit_judges_days_and_leaves_hours_normal(outlet, record, make_daily):
    Limit.objects.all().delete()
    Limit.objects.create(
        outlet=outlet,
        factor="a34013",
        basis="day",
        upper=5,
        unit="mg/m³",
        source="GB 18918-2002",
        effective_from="2020-01-01",
    )
    make_daily(outlet, "a34013")
    hour = judge(record, outlet, {"a34013": 7})
    assert (hour.kind, hour.state, hour.detail["factors"]["a34013"]["basis"]) == ("limit-hour", "normal", "day")
    yesterday = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=1)
    record(outlet, yesterday, {"a34013": 7}, interval="day")
    judging.judge_pending()
    day = Judgement.objects.get(kind="limit-day")
    assert (day.state, day.value) == ("exceeding", pytest.approx(0.4))
    assert PlaceState.objects.get().state == "normal"  # the current state is that of the hour
    assert [event.severity for event in Event.objects.filter(detail__kind="limit-day")] == [2]


def test_an_hourly_limit_wins_over_a_daily_one_in_an_hour(outlet, record):
    Limit.objects.create(
        outlet=outlet, factor="a34013", basis="day", upper=5, unit="mg/m³", source="x", effective_from="2024-01-01"
    )
    judgement = judge(record, outlet, {"a34013": 9, "a21026": 9}, converted={"a34013": 12, "a21026": 9})
    assert judgement.detail["factors"]["a34013"]["upper"] == 10
    assert judgement.state == "exceeding"
