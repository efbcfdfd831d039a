"""The city's days: which stations make a city, which edition of the index; the judgement of a station's day."""

from datetime import UTC, datetime, timedelta

import pytest
from statistic_rows import row, save_days

from luming.domains.air import days
from luming.standards.edition import CITY_ZONE
from luming.telemetry.models import Event, Judgement
from luming.telemetry.statistics import queue, recomputing

UNITS = {
    "a21026": "µg/m³", "a21004": "µg/m³", "a21005": "mg/m³", "a05024": "µg/m³", "a34002": "µg/m³", "a34004": "µg/m³",
}  # fmt: skip


def midnight(day):
    return datetime.fromisoformat(day).replace(tzinfo=CITY_ZONE)


def test_the_largest_hour_of_ozone_counts_in_2012_only(make_station):
    station = make_station("A1", "air", UNITS)
    save_days(station, ["2026-02-28", "2026-03-01"], o3=70.0, o3_1h=260.0)
    old, new = days.city_days([station.pk], midnight("2026-02-01"))
    # HJ 633-2012 table 1: 200 is IAQI 100, 300 is 150; 60 µg/m³ above 200 is 130.
    assert (old.index, old.primary, old.level) == (130, "o3", 3)
    assert (new.index, new.level) == (40, 1)


@pytest.mark.parametrize(("valid", "index"), [(4, 40), (3, 40), (2, None)])
def test_a_city_needs_three_quarters_of_its_stations(make_station, valid, index):
    stations = [make_station(f"A{i}", "air", UNITS) for i in range(4)]
    for station in stations[:valid]:
        save_days(station, ["2026-05-01"])
    for station in stations[valid:]:
        row(station, "a34004", "2026-05-01", 20.0, valid=False).save()
    (day,) = days.city_days([station.pk for station in stations], midnight("2026-05-01"))
    assert (day.index, day.stations) == (index, valid)


@pytest.mark.django_db(transaction=True)
def test_a_day_is_judged_from_its_statistics_when_they_change(make_station, record):
    station = make_station("A1", "air", UNITS)
    clean = {"a21026": 8, "a21004": 20, "a21005": 0.5, "a05024": 60, "a34002": 40, "a34004": 20}
    start = midnight("2026-05-01")
    for hour in range(24):
        record(station, start + timedelta(hours=hour), clean)
    queue.mark_span([station.pk], start, start + timedelta(hours=24))
    recomputing.recompute_pending()
    judged = Judgement.objects.get(kind="aqi-day")
    assert (judged.start, judged.value, judged.state, judged.edition) == (start, 40, "level-1", "HJ 633-2026")
    assert judged.detail["concentration"]["pm25"] == 20
    assert set(judged.detail["statistics"]) == {"so2", "no2", "co", "o3", "o3_1h", "pm10", "pm25"}
    assert not Event.objects.filter(detail__kind="aqi-day").exists(), "a past day is no news"
    for hour in range(5):  # five hours are lost: 19 are too few
        record(station, start + timedelta(hours=hour), {"a34004": 21}, flag="D")
    queue.mark_span([station.pk], start, start + timedelta(hours=24))
    recomputing.recompute_pending()
    later = Judgement.objects.filter(kind="aqi-day").latest("revision")
    assert (later.revision, later.value, later.state) == (1, None, "level-0")
    recomputing.recompute_pending(now=datetime.now(UTC))
    assert Judgement.objects.filter(kind="aqi-day").count() == 2
