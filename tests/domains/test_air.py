"""Hourly AQI of stations: editions, units, marks, revisions, states and events."""

from datetime import UTC, datetime, timedelta

import pytest

from luming.telemetry import judging
from luming.telemetry.models import Event, Judgement, PlaceState

UNITS = {
    "a21026": "µg/m³",
    "a21004": "µg/m³",
    "a21005": "mg/m³",
    "a05024": "µg/m³",
    "a34002": "µg/m³",
    "a34004": "µg/m³",
}
CLEAN = {"a21026": 8, "a21004": 20, "a21005": 0.5, "a05024": 60, "a34002": 40, "a34004": 20}
OLD = datetime(2026, 2, 28, 15, tzinfo=UTC)  # 23:00 on the last day of HJ 633-2012
NEW = datetime(2026, 2, 28, 16, tzinfo=UTC)  # 00:00 on 2026-03-01


@pytest.fixture
def station(make_station):
    return make_station("A1", "air", UNITS)


@pytest.mark.django_db(transaction=True)
def test_the_edition_in_force_at_the_hour_judges(station, record):
    for start in (OLD, NEW):
        record(station, start, {**CLEAN, "a34002": 70, "a34004": 65})
    assert judging.judge_pending() == 2
    old, new = Judgement.objects.order_by("start")
    # HJ 633-2012 table 1: 75 is IAQI 100; HJ 633-2026 table 3: 60 is IAQI 100
    assert (old.edition, old.value, old.state) == ("HJ 633-2012", 88, "level-2")
    assert (new.edition, new.value, new.state) == ("HJ 633-2026", 105, "level-3")
    assert new.detail["primary"] == "pm25"
    assert len(new.inputs) == 6
    assert judging.judge_pending() == 0


@pytest.mark.django_db(transaction=True)
def test_units_are_converted(station, record):
    station.series.filter(factor="a34004").update(unit="ng/m³")
    record(station, NEW, {**CLEAN, "a34002": 70, "a34004": 65000})
    judging.judge_pending()
    assert Judgement.objects.get().detail["concentration"]["pm25"] == 65


@pytest.mark.django_db(transaction=True)
def test_marked_values_do_not_count_and_2026_then_says_na(station, record):
    record(station, NEW, CLEAN, flag={"a34004": "D"})
    judging.judge_pending()
    judgement = Judgement.objects.get()
    assert (judgement.state, judgement.value) == ("level-0", None)
    assert "pm25" not in judgement.detail["concentration"]
    assert "D" in {row[5] for row in judgement.inputs}  # it is kept as an input, with its mark


@pytest.mark.django_db(transaction=True)
def test_a_revised_value_makes_a_new_revision_and_a_repeat_does_not(station, record):
    record(station, NEW, CLEAN)
    judging.judge_pending()
    record(station, NEW, CLEAN)
    assert judging.judge_pending() == 0
    record(station, NEW, {"a34002": 140, "a34004": 130})
    judging.judge_pending()
    first, second = Judgement.objects.order_by("revision")
    assert (first.revision, second.revision) == (0, 1)
    assert (first.state, second.state) == ("level-1", "level-4")
    assert {row[2] for row in second.inputs} == {0, 1}


@pytest.mark.django_db(transaction=True)
def test_the_current_state_follows_the_newest_period_with_events(station, record):
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    record(station, now, {**CLEAN, "a34002": 140, "a34004": 130})
    record(station, now - timedelta(hours=1), CLEAN)
    judging.judge_pending()
    state = PlaceState.objects.get(place=station)
    assert (state.state, state.period) == ("level-4", now)
    record(station, now - timedelta(hours=2), CLEAN)  # late data changes history only
    judging.judge_pending()
    state.refresh_from_db()
    assert state.state == "level-4"
    (event,) = Event.objects.all()
    assert (event.severity, event.detail["to"]) == (1, "level-4")


@pytest.mark.django_db(transaction=True)
def test_a_place_without_new_data_falls_silent_once(station, record):
    start = datetime.now(UTC) - timedelta(hours=3)
    record(station, start, CLEAN)
    judging.judge_pending()
    assert judging.mark_silent() == 1
    assert judging.mark_silent() == 0
    assert PlaceState.objects.get().state == "no-data"
    record(station, datetime.now(UTC) - timedelta(hours=1), CLEAN)
    judging.judge_pending()
    assert PlaceState.objects.get().state == "level-1"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_judging_fails(station, record, monkeypatch):
    record(station, NEW, CLEAN)
    with monkeypatch.context() as patch:
        patch.setattr(judging, "save", lambda outcomes: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            judging.judge_pending()
    assert judging.judge_pending() == 1
    assert Judgement.objects.count() == 1
