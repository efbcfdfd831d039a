"""The cockpit and the wall: figures of the domains, each traceable; groups appear when a manifest offers tiles."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone, translation
from luming_dummy.models import Sample, Well
from statistic_rows import days_before, save_days

from luming.core.manifest import Figure, Tile
from luming.registry.models import Station
from luming.telemetry.models import Judgement, PlaceState
from luming.web.cockpit import compose

HOUR = timedelta(hours=1)


def text(world, role="leader", name="cockpit", **query):
    response = world.client(role).get(reverse(name), query)
    assert response.status_code == 200
    return response.content.decode()


def figures(world, role="leader"):
    cache.clear()
    user = world.users[role].__class__.objects.get(pk=world.users[role].pk)
    with translation.override("en"):
        return {shown.tile.key: shown for group in compose.groups(user) for shown in group.tiles}


def judge(place, kind, start, state, value, **detail):
    return Judgement.objects.create(
        place=place, kind=kind, start=start, state=state, value=value, detail=detail, edition="x", software="test"
    )


@pytest.fixture
def air(world):
    """Give the air station 31 days of hours of the same clean air, one of them foul."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    clean = {"so2": 8, "no2": 20, "co": 0.6, "o3": 70, "pm10": 40, "pm25": 20}
    foul = clean | {"pm25": 200, "pm10": 320}
    midnight = timezone.localtime(now).replace(hour=0)
    rows = []
    start = midnight - timedelta(days=30)
    while start < now - HOUR / 2:
        bad = midnight - timedelta(days=3) <= start < midnight - timedelta(days=2)
        rows.append(
            Judgement(
                place=world.station, kind="aqi-hour", start=start, state="level-1", value=40,
                detail={"concentration": foul if bad else clean}, edition="x", software="test",
            )
        )  # fmt: skip
        start += HOUR
    Judgement.objects.filter(place=world.station).delete()
    Judgement.objects.bulk_create(rows)
    for day in days_before(now, 30):
        bad = day == midnight - timedelta(days=3)
        save_days(world.station, [day], **({"pm25": 200.0, "pm10": 320.0} if bad else {}))
    return world


def test_air_now_good_days_and_particles(air):
    shown = figures(air)
    index = shown["air-index"].figure
    assert index.good and index.value <= 50 and len(index.trend) == 24 and index.coverage == 1
    good = shown["air-good-days"].figure
    assert good.value == pytest.approx(100 * 29 / 30, abs=0.1) and "29 of 30" in good.note
    assert shown["air-pm25"].figure.value == pytest.approx(20)
    page = text(air)
    assert reverse("judgements") in page and "HJ 663" in page


def test_water_by_target(world):
    for code, value in (("W1", 2), ("W2", 4)):
        place = Station.objects.create(
            code=code, name=code, medium="water", region=world.outlet.region, longitude=110, latitude=40.6,
            target_class=3,
        )  # fmt: skip
        now = timezone.now()
        PlaceState.objects.create(place=place, state=f"class-{value}", value=value, since=now, period=now)
        judge(place, "water-class", now - HOUR, f"class-{value}", value)
    shown = figures(world)
    target = shown["water-target"].figure
    assert (target.value, target.target, target.good) == (50, 100, False)
    assert target.trend[-1][1] == 50
    assert [part[0] for part in shown["water-missed"].figure.parts] == ["W2 · Class IV"]
    assert "target=missed" in shown["water-missed"].figure.url


def test_sources_and_their_evidence(world):
    shown = figures(world)
    assert shown["outlets-exceeding"].figure.value == 1 and not shown["outlets-exceeding"].figure.good
    Judgement.objects.filter(place=world.outlet).delete()
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for back in range(1, 5):
        judge(world.outlet, "limit-hour", now - back * HOUR, "exceeding", 0.5)
    Judgement.objects.create(  # judged anew: it keeps its limits
        place=world.outlet, kind="limit-hour", start=now - HOUR, revision=1, state="normal", edition="x", software="t"
    )
    judge(world.outlet, "limit-hour", now - timedelta(days=9), "exceeding", 0.5)
    shown = figures(world)
    assert shown["outlets-hours"].figure.value == 3
    (part,) = shown["outlets-facilities"].figure.parts
    assert part[:2] == (world.facility.name, 3)
    page = world.client("leader").get(part[3]).content.decode()
    assert page.count("<tr data-href") == 3
    judgement = re.search(r'<tr data-href="([^"]+)"', page).group(1)
    assert world.client("leader").get(judgement).status_code == 200
    assert "Nothing was judged like this" in text(world, "leader", "judgements", state="class-6", facility="999999")
    assert text(world, "leader", "judgements", facility="²", medium="x", hours="²", page="²")


def test_data_transmission(world):
    shown = figures(world, "duty")
    complete = shown["transmission-complete"].figure
    assert 0 < complete.value <= 100 and complete.url == reverse("completeness")
    assert sum(part[1] for part in shown["transmission-devices"].figure.parts) == 2
    assert shown["transmission-packets"].figure.value >= 1
    assert world.facility.name in text(world, "duty", "completeness")
    assert "transmission-packets" not in figures(world, "leader")  # evidence that a leader may not open


def test_every_link_of_the_cockpit_opens_for_its_reader(air):
    for role in ("leader", "duty", "district"):
        for url in set(re.findall(r'href="(/[^"#]*)"', text(air, role))):
            if not url.startswith("/static/"):
                assert air.client(role).get(url.replace("&amp;", "&")).status_code in (200, 302), (role, url)


def test_the_district_sees_its_own(world):
    assert figures(world, "duty")["transmission-devices"].figure.value == 2
    assert figures(world, "district")["transmission-devices"].figure.value == 1


def test_groups_appear_with_the_tiles_of_a_manifest(world):
    assert "Matters" not in text(world) and "Groundwater" not in text(world)
    well = Well.objects.create(
        code="W1", name="Well one", region=world.outlet.region, depth_m=30, longitude=109.8, latitude=40.6
    )
    for back in range(3):
        Sample.objects.create(well=well, taken_at=timezone.now() - back * HOUR, nitrate=10 + back)
    cache.clear()
    page = text(world)
    assert "Matters" in page and "Plan indicators" in page and "Groundwater" in page
    order = [page.index(f">{name}</h2>") for name in ("Matters", "Plan indicators", "Groundwater")]
    assert order == sorted(order)
    assert "11.0" in page and "on target" in page and "coverage 50%" in page and "off target" in page
    assert "Groundwater" in text(world, "leader", "wall")


def test_a_tile_that_fails_leaves_the_others_alone(world, monkeypatch, caplog):
    def broken(user):
        raise RuntimeError("no such table")

    every = [Tile("broken", "Broken", "air", broken), *compose.manifest.tiles()]
    monkeypatch.setattr(compose.manifest, "tiles", lambda: every)
    page = text(world)
    assert "could not be computed" in page and "Outlets by state" in page
    zones = world.client("leader").get(reverse("wall-data")).json()["zones"]
    tiles = {tile["key"]: tile for groups in zones.values() for group in groups for tile in group["tiles"]}
    assert tiles["broken"] | {"label": ""} == {  # the wall reads the same of every tile
        "key": "broken", "label": "", "kind": "number", "text": "—", "failed": True, "trend": [], "parts": [],
    }  # fmt: skip
    assert "broken" in caplog.text
    caplog.clear()


def test_sparklines_break_at_gaps():
    begin = timezone.now()
    trend = [(begin + i * HOUR, value) for i, value in enumerate([1.0, 2.0, None, 4.0])]
    drawn = compose.spark(Figure(4, "/", trend=trend, target=2))
    assert len(drawn.lines) == 2 and drawn.target is not None
    assert drawn.last[0] == compose.WIDTH - compose.MARGIN
    assert compose.spark(Figure(1, "/", trend=trend[:1])) is None


def test_the_wall_and_its_data(air):
    page = text(air, "leader", "wall")
    assert "luming/wall.js" in page and "luming-map" in page
    response = air.client("leader").get(reverse("wall-data"))
    data = response.json()
    assert {group["key"] for group in data["zones"]["left"]} >= {"air"}
    tile = next(tile for tile in data["zones"]["left"][0]["tiles"] if tile["key"] == "air-index")
    assert tile["url"] and len(tile["trend"]) == 24
    again = air.client("leader").get(reverse("wall-data"), headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    air.client("leader").logout()
    ended = air.client("leader").get(reverse("wall-data"), headers={"HX-Request": "true"})
    assert ended.status_code == 401


def test_an_empty_installation_has_a_cockpit(empty_store):
    from django.test import Client

    from luming.core.models import User

    User.objects.create_user("boss", "Luming-2026!", name="boss", role="leader", language="en")
    client = Client()
    client.force_login(User.objects.get(username="boss"), backend="luming.web.auth.Backend")
    assert "There is nothing to show yet" in client.get(reverse("cockpit")).content.decode()
    assert client.get(reverse("wall")).status_code == 200
    assert client.get(reverse("wall-data")).status_code == 200
