"""The public site: what it shows and hides, and that it stays up."""

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.urls import reverse
from luming_dummy.models import Well

from luming.registry.models import Station
from luming.telemetry.models import Judgement, PlaceState
from luming.web.outside import copies

PAGES = ("/public/zh/", "/public/en/", "/public/zh/air/", "/public/en/air/S1/", "/public/zh/air/S1/30/",
         "/public/zh/water/", "/public/zh/about/", "/public/zh/announcements/")  # fmt: skip


def text(response):
    return response.content.decode()


@pytest.mark.parametrize("url", PAGES)
def test_every_page_is_the_same_for_everyone(world, url):
    nobody, officer = Client().get(url), world.client("duty").get(url)
    assert nobody.status_code == 200 and nobody.content == officer.content
    for response in (nobody, officer):
        assert response.headers["Cache-Control"].startswith("public, max-age=60")
        assert "Cookie" not in response.headers.get("Vary", "") and not response.cookies
    again = Client().get(url, headers={"If-None-Match": nobody.headers["ETag"]})
    assert again.status_code == 304 and not again.content


def test_nothing_but_stations_is_published(world):
    for url in PAGES:
        page = text(Client().get(url))
        for secret in (world.outlet.name, world.facility.name, world.device.mn, world.users["duty"].username):
            assert secret not in page, (url, secret)
    for code in (world.outlet.code, world.device.mn, "S1/8", "S1/30/9", "nothing"):
        assert Client().get(f"/public/zh/air/{code}/").status_code == 404, code
        assert Client().get(f"/public/zh/air/{code}.csv").status_code == 404, code
    assert Client().get("/public/zh/nothing/").status_code == 404


def test_a_station_out_of_operation_is_not_published(world):
    world.station.is_active = False
    world.station.save()
    assert Client().get("/public/zh/air/S1/").status_code == 404
    assert world.station.name not in text(Client().get("/public/zh/"))


def test_the_air_now_says_level_pollutant_time_edition_and_that_it_is_not_reviewed(world):
    page = text(Client().get("/public/en/"))
    for words in (
        "120",
        "Lightly polluted",
        "fine particles",
        "HJ 633-2012",
        "not yet reviewed",
        "wording not verified",
    ):
        assert words in page, words
    chinese = text(Client().get("/public/zh/air/"))
    assert "轻度污染" in chinese and "实时数据，未经审核" in chinese


def test_the_water_now_says_class_target_and_what_exceeds(world):
    section = Station.objects.create(
        code="R1",
        name="断面一",
        medium="water",
        region=world.station.region,
        longitude=109.9,
        latitude=40.5,
        target_class=3,
    )
    start = world.judgement.start
    detail = {"exceeding": [["nh3n", 0.49]], "concentration": {"nh3n": 1.49, "do": 7.2}}
    Judgement.objects.create(
        place=section, kind="water-class", start=start, state="class-4", value=4, edition="GB 3838-2002", software="0",
        detail=detail,
    )  # fmt: skip
    PlaceState.objects.create(place=section, state="class-4", since=start, value=4, detail=detail, period=start)
    front, page, one = (text(Client().get(f"/public/en/{path}")) for path in ("", "water/", "water/R1/"))
    for words in ("断面一", "Class IV", "target class", "+0.49×", "GB 3838-2002"):
        assert words in front, words
    assert "1.49" in page and "7.2" in page and "Class IV" in one
    file = b"".join(Client().get("/public/en/water/R1.csv")).decode()
    assert "断面一" in file and "1.49" in file and "GB 3838-2002" in file


def test_values_are_offered_as_a_file(world):
    response = Client().get("/public/en/air/S1/30.csv")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert response.headers["Content-Type"].startswith("text/csv") and len(lines) == 2
    assert lines[0].startswith("Start,Station,AQI,Level") and ",120," in lines[1] and lines[1].endswith("HJ 633-2012")


def test_only_the_latest_revision_counts(world):
    old = Judgement.objects.get(place=world.station)
    Judgement.objects.create(
        place=world.station, kind="aqi-hour", start=old.start, revision=1, state="level-2", value=77,
        edition="HJ 633-2026", software="0", detail={"primary": "pm10"},
    )  # fmt: skip
    page = text(Client().get("/public/en/air/S1/"))
    assert "77" in page and "120" not in page


def test_the_language_of_the_browser_is_followed_once():
    for asked, language in (("en-GB,en", "en"), ("zh-CN,en;q=0.5", "zh"), ("fr", "zh"), ("", "zh")):
        response = Client().get("/public/", headers={"Accept-Language": asked})
        assert response.headers["Location"] == f"/public/{language}/" and response.headers["Vary"] == "Accept-Language"


def test_a_copy_is_made_once_a_minute(world, django_assert_num_queries):
    officer = world.client("duty")
    assert Client().get("/public/zh/air/").status_code == 200
    with django_assert_num_queries(0):
        assert officer.get("/public/zh/air/").status_code == 200  # not even the session is read


def test_more_stations_cost_no_more_queries(world):
    from django.test.utils import CaptureQueriesContext

    from luming.registry.models import Station
    from luming.telemetry.models import PlaceState

    def queries():
        copies.caches["public"].clear()
        with CaptureQueriesContext(connection) as found:
            Client().get("/public/zh/")
            Client().get("/public/zh/air/")
        return len(found)

    before = queries()
    assert 4 <= before <= 20
    for number in range(8):
        station = Station.objects.create(
            code=f"N{number}", name=f"N{number}", medium="air", region=world.station.region, longitude=1, latitude=1
        )
        PlaceState.objects.create(
            place=station, state="level-1", since=world.judgement.start, value=20, period=world.judgement.start
        )
    assert queries() == before


@pytest.mark.django_db(transaction=True)
def test_the_last_copy_is_shown_when_the_database_is_away(monkeypatch):
    from luming.registry.models import Region, Station

    region = Region.objects.create(code="150203", name="昆都仑区", level="district")
    Station.objects.create(code="S9", name="站九", medium="air", region=region, longitude=109.8, latitude=40.6)
    caches["public"].clear()
    url = "/public/en/air/"
    fresh = Client().get(url)
    assert "站九" in text(fresh) and "cannot be brought up to date" not in text(fresh)
    now = copies.time.time()
    monkeypatch.setattr(copies.time, "time", lambda: now + 7200)
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patched.setitem(connection.settings_dict, "PORT", "1")
        old, unknown = Client().get(url), Client().get("/public/en/water/")
        connection.close()
    assert old.status_code == 200 and "站九" in text(old)
    assert "cannot be brought up to date" in text(old) and "2 h old" in text(old)
    assert unknown.status_code == 503 and "Not available" in text(unknown) and unknown.headers["Retry-After"] == "30"
    caches["public"].delete("luming.public.away")
    assert "cannot be brought up to date" not in text(Client().get(url))


def test_a_statement_that_takes_too_long_is_given_up(world, monkeypatch):
    from django.db import OperationalError

    monkeypatch.setattr(copies, "SLOW", 50)

    def slow():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    with pytest.raises(OperationalError):
        copies._made(slow)


def test_one_address_cannot_take_everything(settings):
    settings.PUBLIC_REQUESTS_PER_MINUTE = 3
    client = Client()
    statuses = [client.get("/public/zh/nothing-here/").status_code for _ in range(2)]
    assert statuses == [404, 404]  # not counted: there is no such section


def test_the_limit_of_requests(world, settings):
    settings.PUBLIC_REQUESTS_PER_MINUTE = 3
    statuses = [Client().get("/public/zh/about/").status_code for _ in range(5)]
    assert statuses[:3] == [200] * 3 and statuses[-1] == 429
    assert Client().get("/public/zh/about/", REMOTE_ADDR="10.1.1.1").status_code == 200
    # behind a proxy on this machine its visitors are told apart, and nobody else may name himself
    assert Client().get("/public/zh/about/", headers={"X-Forwarded-For": "6.6.6.6, 10.2.2.2"}).status_code == 200
    for _ in range(4):
        last = Client().get("/public/zh/about/", REMOTE_ADDR="10.9.9.9", headers={"X-Forwarded-For": "1.2.3.4"})
    assert last.status_code == 429 and int(last.headers["Retry-After"]) > 0


def test_a_third_partys_section_is_part_of_the_site(world):
    assert "wells of the dummy" not in text(Client().get("/public/zh/"))
    Well.objects.create(code="W1", name="Deep", region=world.station.region, depth_m=7, longitude=1, latitude=1)
    caches["public"].clear()
    front = text(Client().get("/public/zh/"))
    assert "wells of the dummy: 1" in front and "/public/zh/dummy-wells/" in front
    assert "W1 7.0" in text(Client().get("/public/zh/dummy-wells/W1/"))
    assert Client().get("/public/zh/dummy-wells/W2/").status_code == 404
    assert "W1,7.0" in text(Client().get("/public/zh/dummy-wells/W1.csv"))


def test_history_ends_with_the_span(world):
    Judgement.objects.create(
        place=world.station, kind="aqi-hour", start=world.judgement.start - timedelta(days=9), state="level-5",
        value=250, edition="HJ 633-2026", software="0", detail={},
    )  # fmt: skip
    assert "Heavily polluted" not in text(Client().get("/public/en/air/S1/"))
    assert "Heavily polluted" in text(Client().get("/public/en/air/S1/30/"))


def test_the_sign_in_page_leads_to_it(world):
    assert reverse("public") in text(Client().get("/sign-in/"))
