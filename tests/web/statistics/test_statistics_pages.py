"""Pages of statistics: what is shown, what is refused, files, the API and the lists of the home page."""

import csv
import io
import json
from datetime import timedelta

import pytest
import python_calamine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from statistic_rows import days_before, row, save_days

from luming.registry.models import Series
from luming.telemetry import store
from luming.telemetry.statistics import tolerances
from luming.telemetry.statistics.models import Statistic, Tolerance
from luming.web.statistics import hooks


def html(world, name, *args, role="reviewer", **query):
    response = world.client(role).get(reverse(name, args=args), query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


@pytest.fixture
def air(world):
    """Give the air station the series of the six factors and 10 days; the newest day of PM2.5 is not valid."""
    for factor, unit in {"a34004": "µg/m³", "a34002": "µg/m³", "a05024": "µg/m³", "a21005": "mg/m³"}.items():
        Series.objects.get_or_create(
            place=world.station, factor=factor, interval="hour", defaults={"seconds": 3600, "unit": unit}
        )
    days = days_before(timezone.now(), 10)
    save_days(world.station, days[:-1])
    save_days(world.station, days[-1:], pm25=None)
    row(world.station, "a34004", days[-1], 99.0, valid=False).save()
    world.days = days
    return world


def test_the_city_and_its_places_in_one_period(air):
    text = html(air, "statistics", medium="air", kind="day", day=f"{timezone.localtime(air.days[-2]):%Y-%m-%d}")
    assert air.station.name in text and "20/24" not in text and "24/20" in text
    assert "ozone" in text.lower()
    text = html(air, "statistics", medium="air")  # yesterday: PM2.5 is not valid, so the city has none
    assert "99" in text and "0/1" in text
    assert "lm-empty" in html(air, "statistics", medium="noise")


def test_a_place_shows_chart_table_and_what_is_not_valid(air):
    text = html(air, "place-statistics", air.station.pk, factor=["a34004", "a05024"])
    data = json.loads(text.split('<script type="application/json">')[1].split("</script>")[0])
    by_name = {column["unit"]: column for column in data}
    assert len(data) == 2 and len(by_name["µg/m³"]["points"]) == 10
    assert [point[2] for point in data[0]["points"]] == [True] * 9 + [False]
    assert text.count("lm-flag") >= 1


def test_a_past_moment_shows_what_was_known_then(air):
    old = Statistic.objects.get(place=air.station, factor="a34004", start=air.days[0])
    moment = old.computed_at + timedelta(seconds=1)
    row(
        air.station, "a34004", air.days[0], 44.0, revision=1, digest="1" * 64,
        as_of=moment + timedelta(minutes=5), computed_at=moment + timedelta(minutes=5),
    ).save()  # fmt: skip
    then = timezone.localtime(moment + timedelta(minutes=1))
    text = html(air, "place-statistics", air.station.pk, factor="a34004", as_of=f"{then:%Y-%m-%dT%H:%M:%S}")
    assert "lm-tag is-info" in text and "44" in text
    newest = Statistic.objects.get(place=air.station, factor="a34004", start=air.days[0], revision=1)
    assert reverse("statistic", args=[newest.pk]) in html(air, "statistic", old.pk), "the one that holds is named"


def test_one_statistic_leads_to_its_inputs_and_packets(world):
    from luming.telemetry.statistics import queue, recomputing
    from luming.web.statistics import looking

    series = world.series
    start = world.judgement.start
    queue.mark_span([world.outlet.pk], start, start + timedelta(hours=1))
    recomputing.recompute_pending(now=timezone.now() + timedelta(days=2))
    found = Statistic.objects.get(place=world.outlet, factor=series.factor, measure="mean", kind="day")
    text = html(world, "statistic", found.pk)
    packet = store.history(series.pk, start)[-1].packet_id
    assert reverse("packet", args=[packet]) in text
    assert reverse("value", args=[world.outlet.pk, series.pk, int(start.timestamp() * 1000)]) in text
    assert found.digest in text and "is-good" in text
    month = Statistic.objects.get(place=world.outlet, factor=series.factor, measure="mean", kind="month")
    assert reverse("statistic", args=[found.pk]) in html(world, "statistic", month.pk)
    assert looking.label("month", month.start) in html(world, "statistic", found.pk)
    assert "packet" not in html(world, "statistic", found.pk, role="leader").split("What it was made of")[-1][:200]


def test_outside_the_scope_there_is_none(world):
    other = row(world.elsewhere, "a34013", "2026-05-01", 5.0)
    other.save()
    enterprise = world.client("enterprise")
    for name, pk in (
        ("statistic", other.pk),
        ("place-statistics", world.elsewhere.pk),
        ("statistics-api-one", other.pk),
    ):
        assert enterprise.get(reverse(name, args=[pk])).status_code == 404, name
    listed = enterprise.get(reverse("statistics-api")).json()["items"]
    assert other.pk not in {item["id"] for item in listed}
    assert world.elsewhere.name not in html(world, "statistics-rates", role="enterprise")


def test_files_hold_all_that_stands_behind_a_figure(air):
    url = reverse("place-statistics-export", args=[air.station.pk])
    client = air.client("reviewer")
    text = client.get(url, {"factor": "a34004", "format": "csv"}).content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert len(lines) == 11 and len(lines[0]) == len(lines[1]) == 21
    assert lines[1][20] == "0" * 64
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(client.get(url, {"factor": "a34004", "format": "xlsx"}).content)
    )
    rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == 11 and rows[1][5] == 20.0


def test_programs_read_statistics(air):
    client = air.client("reviewer")
    url = reverse("statistics-api")
    answer = client.get(url, {"place": air.station.code, "factor": "a34004", "kind": "day", "size": 4}).json()
    assert [item["value"] for item in answer["items"]] == [20.0] * 4
    following = client.get(answer["next"]).json()
    assert following["items"][0]["start"] > answer["items"][-1]["start"]
    wrong = client.get(url, {"kind": "week", "from": "yesterday", "size": 0})
    assert wrong.status_code == 400 and set(wrong.json()["errors"]) == {"kind", "from", "size"}
    one = client.get(reverse("statistics-api-one", args=[answer["items"][0]["id"]])).json()
    assert one["inputs"]["digest_matches"] is False, "these rows were not computed"


def test_rates_by_place_and_by_maintainer(world):
    start = (timezone.localtime() - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for place, count in ((world.outlet, 90), (world.elsewhere, 50)):
        for measure, factor in (("transmission", "*"), ("effective", "*"), ("capture", "a34013")):
            row(place, factor, start, count, measure=measure, kind="month", count=count, required=100, unit="%").save()
    text = html(world, "statistics-rates")
    first, second = (place.facility.name for place in (world.elsewhere, world.outlet))
    assert text.index(first) < text.index(second), "the worst first"
    assert "90.0%" in text and "is-bad" in text
    assert "90.0%" in html(world, "facility", world.facility.pk)


def test_home_and_files_name_what_is_not_valid(air):
    items = hooks.too_few(air.users["duty"], timezone.now())
    assert [item.label for item in items] == [air.station.name]
    text = html(air, "place", air.station.pk)
    assert reverse("place-statistics", args=[air.station.pk]) in text


def test_a_deviation_is_beyond_the_tolerance_or_not(world):
    def exceeded(deviation):
        one = row(world.station, "a34004", "2026-05-01", 100.0, kind="hour", deviation=deviation)
        return tolerances.exceeded(one, "air")

    assert [exceeded(deviation) for deviation in (1.0, 9.0, 20.0, -20.0)] == [False, False, True, True]
    Tolerance.objects.create(medium="air", relative=50, effective_from="2026-01-01")
    assert not exceeded(20.0)
    Tolerance.objects.create(medium="air", factor="a34004", relative=1, effective_from="2026-04-01")
    assert exceeded(9.0)


@pytest.mark.parametrize(("name", "most"), [("statistics", 16), ("statistics-rates", 14), ("place-statistics", 16)])
def test_pages_need_few_queries(air, name, most):
    args = [air.station.pk] if name == "place-statistics" else []
    client = air.client("reviewer")
    client.get(reverse(name, args=args))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(reverse(name, args=args))
    assert len(queries) <= most, [query["sql"][:90] for query in queries]
