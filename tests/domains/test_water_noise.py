"""Classes of water samples and noise against the zone's limits."""

from datetime import UTC, datetime

import pytest

from luming.telemetry import judging
from luming.telemetry.models import Judgement

pytestmark = pytest.mark.django_db(transaction=True)

DAY = datetime(2026, 11, 1, 4, tzinfo=UTC)  # 12:00 in the city
NIGHT = datetime(2026, 11, 1, 15, tzinfo=UTC)  # 23:00 in the city
WATER = {"w01001": "", "w01009": "mg/L", "w01019": "mg/L", "w21003": "mg/L", "w21011": "mg/L", "w21001": "mg/L"}
GOOD = {"w01001": 7.8, "w01009": 8.2, "w01019": 2.4, "w21003": 0.2, "w21011": 0.05, "w21001": 3.0}


def judge(record, place, values, start=DAY, **keywords):
    record(place, start, values, **keywords)
    judging.judge_pending()
    return Judgement.objects.order_by("start").last()


def test_the_worst_factor_gives_the_class_and_total_nitrogen_does_not_count(make_station, record):
    river = make_station("W1", "water", WATER, water_body="river")
    judgement = judge(record, river, {**GOOD, "w21011": 0.27, "w01009": 4.5})
    assert (judgement.state, judgement.value, judgement.edition) == ("class-4", 4, "GB 3838-2002")
    assert judgement.detail["exceeding"] == [["tp", pytest.approx(0.35)], ["do", None]]


def test_a_lake_has_its_own_phosphorus_limits(make_station, record):
    lake = make_station("W2", "water", WATER, water_body="lake")
    assert judge(record, lake, {**GOOD, "w21011": 0.15}).state == "class-5"


def test_day_and_night_limits(make_station, record):
    station = make_station("N1", "noise", {"Leq": "dB"}, zone_class="2")
    by_day = judge(record, station, {"Leq": 58.0})
    by_night = judge(record, station, {"Leq": 58.0}, start=NIGHT)
    assert (by_day.state, by_night.state) == ("normal", "exceeding")
    assert (by_night.detail["limit"], by_night.detail["over"]) == (50, 8.0)
