"""Pages of the file: composed from the manifests, inside one's scope, as many queries for many outlets as for one."""

import dataclasses
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from luming_dummy.models import Sample, Well

from luming.registry.models import Device, Facility, Limit, Outlet, Region, Series, Station
from luming.telemetry import store
from luming.telemetry.models import DeviceStatus, Event, Gap, Judgement, PlaceState
from luming.web.onefile.outlets import Latest


def text(client, name, *args, **query):
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, name
    return response.content.decode()


def sections(page):
    return re.findall(r'<section class="card lm-panel" id="([\w-]+)"', page)


def test_a_facility_shows_who_it_is_how_it_stands_and_what_happened(world):
    page = text(world.client("duty"), "facility", world.facility.pk)
    assert world.facility.name in page and "Demonstration data" in page
    assert {"identity", "outlets", "portrait", "surroundings", "signals", "people", "timeline"} <= set(sections(page))
    assert f'href="{reverse("place", args=[world.outlet.pk])}"' in page
    assert "Exceeding</span> 1" in page  # the state of its outlets in the head
    assert "lm-over" in page and "12.5" in page  # the converted value above its limit of 10
    assert "polyline" in page  # the last day
    assert "Data missing for 1 h" in page


def test_a_measured_value_is_not_compared_with_a_limit_on_the_converted_one(world):
    hour = store.latest([world.series.pk])[world.series.pk]
    limit = Limit.objects.get(outlet=world.outlet)
    assert limit.converted
    missing = Latest(world.series, dataclasses.replace(hour, value=99.0, converted=None), limit)
    assert (missing.value, missing.share, missing.exceeds) == (99.0, None, False)
    given = Latest(world.series, dataclasses.replace(hour, value=9.0, converted=12.5), limit)
    assert (given.value, given.share, given.exceeds) == (12.5, 1.25, True)
    limit.converted = False
    high = dataclasses.replace(hour, value=99.0, converted=None)
    assert Latest(world.series, high, limit).exceeds
    assert not Latest(world.series, dataclasses.replace(high, flag="D"), limit).exceeds  # the device was being mended
    world.series.unit = "µg/m³"  # of the values; the limit of 10 mg/m³ is 10,000 µg/m³
    small = Latest(world.series, high, limit)
    assert (small.upper, small.share, small.exceeds) == (10_000, 0.0099, False)
    world.series.unit = "kPa"
    assert Latest(world.series, high, limit).upper is None


def test_every_section_is_in_the_way_through_the_page(world):
    for name, key in (("facility", world.facility.pk), ("place", world.outlet.pk), ("region", "150203")):
        page = text(world.client("duty"), name, key)
        way = page[page.index('class="lm-sections') : page.index("</luming-sections>")]
        assert set(sections(page)) <= set(re.findall(r'href="#([\w-]+)"', way)), name


def test_a_place_keeps_its_chart_values_limits_packets_devices_and_gaps(world):
    page = text(world.client("duty"), "place", world.outlet.pk)
    assert "<luming-chart" in page and 'id="values"' in page and "data-look" in page
    assert {"identity", "limits", "packets", "equipment", "surroundings", "timeline"} <= set(sections(page))
    assert "GB 13223-2011" in page and reverse("device", args=[world.device.pk]) in page
    assert reverse("facility", args=[world.facility.pk]) in page


def test_a_station_and_a_section_have_their_domains_panels(world):
    station = text(world.client("duty"), "place", world.station.pk)
    assert "aqi-month" in sections(station) and ":00 · 120" in station  # the hour that was judged
    outlet = text(world.client("duty"), "place", world.outlet.pk)
    assert "exceedances" in sections(outlet) and "+0.20×" in outlet
    section = Station.objects.create(
        code="W1", name="断面一", medium="water", region=world.outlet.region, longitude=109.9, latitude=40.6,
        water_body="river", target_class=3,
    )  # fmt: skip
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for hours, klass in ((8, 2), (4, 4), (0, 3)):
        Judgement.objects.create(
            place=section, kind="water-class", start=now - timedelta(hours=hours), state=f"class-{klass}", value=klass,
            edition="GB 3838-2002", software="0",
        )  # fmt: skip
    page = text(world.client("duty"), "place", section.pk)
    assert "classes" in sections(page) and "(2 / 3)" in page and "is-worse" in page
    assert "From Class II to Class IV" in page and "From Class IV to Class III" in page
    assert "aqi-month" not in sections(page)


def test_a_region_counts_what_lies_in_it(world):
    page = text(world.client("duty"), "region", "150203")
    assert {"inside", "sites", "identity", "surroundings"} <= set(sections(page))
    assert world.facility.name in page and world.elsewhere.facility.name not in page
    city = text(world.client("duty"), "region", "150200")
    assert "Jiuyuan" in city and world.elsewhere.facility.name in city
    assert "divisions" in sections(city) and "divisions" not in sections(page)


def test_what_exceeded_lately_is_among_the_facilities_of_a_large_region(world):
    spot = {"region": world.facility.region, "longitude": 109.8, "latitude": 40.6}
    Facility.objects.bulk_create(Facility(name=f"A{n:02}", code=f"A{n:02}", **spot) for n in range(70))
    last = Facility.objects.create(name="Exceeded lately", code="Z", **spot)
    outlet = Outlet.objects.create(code="Z1", name="Z1", medium="gas", facility=last, number="DA001", **spot)
    Judgement.objects.create(
        place=outlet, kind="limit-hour", start=timezone.now() - timedelta(days=20), state="exceeding", value=0.1,
        edition="x", software="0",
    )  # fmt: skip
    page = text(world.client("duty"), "region", "150203")
    names = re.findall(r'<a href="/facilities/\d+/">([^<]+)</a>', page[page.index('id="sites"') :])
    assert names[:3] == [world.facility.name, "Exceeded lately", "A00"] and "A69" not in names


def test_regions_lead_to_the_city_and_say_when_there_is_none(world, monkeypatch):
    assert world.client("duty").get(reverse("regions")).headers["Location"] == reverse("region", args=["150200"])
    monkeypatch.setattr(Region.objects, "filter", lambda **_: Region.objects.none())
    monkeypatch.setattr(Region.objects, "first", lambda: None)
    assert "No region is loaded yet" in text(world.client("duty"), "regions")


# ---- scope ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_what_is_out_of_scope_has_no_file(world, role):
    client = world.client(role)
    for of, key in (("place", world.elsewhere.pk), ("facility", world.elsewhere.facility_id), ("facility", 10**6)):
        for name in ("file-outlets", "file-map", "file-timeline", "file-dossier"):
            assert client.get(reverse(name, args=[of, key])).status_code == 404, (name, of)
    assert client.get(reverse("facility", args=[world.elsewhere.facility_id])).status_code == 404


@pytest.mark.parametrize(("of", "key"), [("facility", "1'"), ("nothing", "1"), ("place", "9" * 40), ("region", "x")])
def test_an_odd_address_is_a_page_that_is_not_there(world, of, key):
    assert world.client("duty").get(reverse("file-timeline", args=[of, key])).status_code == 404


@pytest.mark.parametrize(
    "url", ["/regions/%00/", "/files/region/%00/timeline/", "/places/?region=%00", "/places/?q=a%00", "/places/?%00=1"]
)
def test_a_character_that_no_text_may_hold_is_refused(world, url):
    response = world.client("duty").get(url)
    assert response.status_code == 400 and "Go back and try again" in response.content.decode()


def test_a_form_with_such_a_character_is_refused(world):
    url = reverse("record-note", args=["facilities", world.facility.pk])
    assert world.client("registrar").post(url, "text=a%00", "application/x-www-form-urlencoded").status_code == 400


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_a_region_shows_only_ones_own(world, role):
    client = world.client(role)
    for code in ("150200", "150207"):
        page = text(client, "region", code)
        assert world.elsewhere.facility.name not in page and world.elsewhere.name not in page
    layers = client.get(reverse("file-map", args=["region", "150200"])).json()["layers"]
    names = {feature["properties"]["name"] for layer in layers for feature in layer["data"]["features"]}
    assert world.elsewhere.name not in names


def test_outsiders_see_no_portrait_and_only_their_own_people(world):
    page = text(world.client("enterprise"), "facility", world.facility.pk)
    assert "portrait" not in sections(page) and "identity" in sections(page)
    people = page[page.index('id="people"') :]
    people = people[: people.index("</section>")]
    assert ">enterprise" in people and ">registrar" not in people and "运维甲" not in people
    maintainer = text(world.client("maintainer"), "facility", world.facility.pk)
    assert "lm-findings" not in maintainer  # the checks name outlets that they do not look after


def test_a_leader_sees_no_devices(world):
    page = text(world.client("leader"), "place", world.outlet.pk)
    assert not {"packets", "equipment"} & set(sections(page)) and world.device.mn not in page


# ---- the map --------------------------------------------------------------------------------------------------------


def test_neighbours_lie_within_the_distance(world):
    url = reverse("file-map", args=["facility", world.facility.pk])

    def names(km):
        layers = world.client("duty").get(url, {"km": km}).json()["layers"]
        return {feature["properties"]["name"] for layer in layers for feature in layer["data"]["features"]}

    # The other outlet is 0.1° of longitude away: 8.4 km at this latitude; the station 0.05° and 0.05°: 7 km.
    assert world.outlet.name in names(2) and world.elsewhere.name not in names(2)
    assert world.station.name in names(10) and world.elsewhere.name in names(10)
    assert world.elsewhere.name not in names(5) and names("x") == names("²") == names(2)


def test_a_region_shows_facilities_by_its_boundary_and_not_by_the_ids_of_its_places(world):
    Facility.objects.create(  # elsewhere, with the id of a place of the region
        pk=world.station.pk, name="Far away", code="F9", region=world.elsewhere.region, longitude=112, latitude=42
    )
    layers = world.client("duty").get(reverse("file-map", args=["region", "150203"])).json()["layers"]
    shown = {layer["key"]: {one["properties"]["name"] for one in layer["data"]["features"]} for layer in layers}
    assert world.facility.name in shown["facilities"] and "Far away" not in shown["facilities"]
    assert shown["air-stations"] == {world.station.name}


def test_a_city_leads_to_the_places_of_its_districts(world):
    page = text(world.client("duty"), "region", "150200")
    assert f"{reverse('places')}?medium=air&amp;region=150200" in page
    listed = text(world.client("duty"), "places", medium="air", region="150200")
    assert world.station.name in listed and '<option value="150200" selected>' in listed
    assert world.station.name not in text(world.client("duty"), "places", region="150207")


# ---- a third party's hooks ------------------------------------------------------------------------------------------


def test_a_third_partys_panel_timeline_trait_and_check_take_part(world):
    duty = world.client("duty")
    assert "wells" not in sections(text(duty, "facility", world.facility.pk))  # nothing to show, no panel
    well = Well.objects.create(
        code="W1", name="Deep well", region=world.facility.region, facility=world.facility, depth_m=123.5,
        drilled_on="2099-01-01", longitude=109.8, latitude=40.6,
    )  # fmt: skip
    Sample.objects.create(well=well, taken_at=timezone.now() - timedelta(minutes=1), nitrate=1)
    page = text(duty, "facility", world.facility.pk)
    assert "wells" in sections(page) and "123.5" in page and f"Deep well of {world.facility.name}" in page
    assert "Open wells: 1" in page and ">+5<" in page
    assert "A well was drilled in the future" in page
    assert "Sample taken" in page
    only = duty.get(
        reverse("file-timeline", args=["facility", world.facility.pk]), {"source": "samples"},
        headers={"HX-Request": "true"},
    ).content.decode()  # fmt: skip
    assert "Sample taken" in only and "Facility entered" not in only
    assert "wells" in sections(text(duty, "region", "150203"))
    assert "wells" not in sections(text(world.client("enterprise"), "facility", world.facility.pk))  # its own funnel


# ---- what it costs --------------------------------------------------------------------------------------------------


def queries(client, url):
    cache.clear()
    with CaptureQueriesContext(connection) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_queries_do_not_grow_with_outlets(world):
    client = world.client("duty")
    urls = {
        "facility": reverse("facility", args=[world.facility.pk]),
        "outlets": reverse("file-outlets", args=["facility", world.facility.pk]),
        "map": reverse("file-map", args=["facility", world.facility.pk]),
        "dossier": reverse("file-dossier", args=["facility", world.facility.pk]),
        "region": reverse("region", args=["150203"]),
    }
    for url in urls.values():
        queries(client, url)
    before = {name: queries(client, url) for name, url in urls.items()}
    now = timezone.now()
    for number in range(11):
        outlet = Outlet.objects.create(
            code=f"X{number}", name=f"X{number}", medium="gas", region=world.outlet.region, longitude=109.8,
            latitude=40.6, facility=world.facility, number=f"DA1{number:02}",
        )  # fmt: skip
        PlaceState.objects.create(place=outlet, state="exceeding", since=now, value=1.5, period=now)
        device = Device.objects.create(mn=f"X{number:023}", place=outlet, system="31")
        DeviceStatus.objects.create(device=device, connected=True, last_packet_at=now, clock_offset=400)
        Series.objects.create(place=outlet, factor="a34013", interval="hour", seconds=3600, unit="mg/m³")
        Limit.objects.create(outlet=outlet, factor="a34013", upper=10, source="x", effective_from="2020-01-01")
        Event.objects.create(at=now, kind="clock", device=device, severity=1)
        Gap.objects.create(
            device=device, interval="hour", start=now - timedelta(hours=3), end=now, cause="silent", found_at=now
        )
        Judgement.objects.create(
            place=outlet, kind="limit-hour", start=now - timedelta(days=number), state="exceeding", value=1.5,
            edition="x", software="0",
        )  # fmt: skip
    after = {name: queries(client, url) for name, url in urls.items()}
    # Fewer are possible: with enough exceedances of late nobody looks for those of long ago.
    assert {name: count for name, count in after.items() if count > before[name]} == {}


def test_the_live_rows_answer_not_changed(world):
    client, url = world.client("duty"), reverse("file-outlets", args=["facility", world.facility.pk])
    first = client.get(url)
    assert client.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
