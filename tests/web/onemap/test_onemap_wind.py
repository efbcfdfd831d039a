"""The wind at a point is of the nearest station that measured it lately; Tianditu is asked for with a key only."""

import itertools
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.urls import reverse

from luming.registry.models import Series, Station
from luming.telemetry import store
from luming.telemetry.identity import PacketIds

GATEWAYS = itertools.count(20)  # each makes ids of its own


def blow(world, station, hours, flag="N"):
    """Store hours of wind: start -> (speed, direction)."""
    ids, now = PacketIds(next(GATEWAYS)), world.judgement.judged_at
    series = {
        factor: Series.objects.get_or_create(place=station, factor=factor, interval="hour", seconds=3600, unit=unit)[0]
        for factor, unit in (("a01007", "m/s"), ("a01008", "°"))
    }
    packet = store.PacketRow(ids.next(now), now, "I", None, None, "W", "", "22", 2061, None, b"x", "A")
    rows = [
        store.ObservationRow(series[f].pk, station.pk, "hour", start, v, None, None, None, None, flag, packet.id)
        for start, values in hours.items()
        for f, v in zip(("a01007", "a01008"), values, strict=True)
    ]
    with store.Writer() as writer:
        writer.write([packet], rows)


def wind(world, role="duty", **query):
    return world.client(role).get(reverse("map-wind"), {"lon": "109.85", "lat": "40.66"} | query).json()["wind"]


@pytest.fixture
def far(world):
    return Station.objects.create(
        code="S9", name="远站", medium="air", region=world.station.region, longitude=110.3, latitude=40.65
    )


def test_the_latest_hour_of_the_nearest_station(world, far):
    hour = world.judgement.start
    blow(world, far, {hour: (9.0, 90.0)})
    found = wind(world)
    assert (found["station"], found["speed"], found["direction"], found["calm"]) == ("远站", 9.0, 90.0, False)
    blow(world, world.station, {hour: (0.1, 310.0), hour - timedelta(hours=1): (3.5, 300.0)})
    found = wind(world)
    assert (found["station"], found["direction"], found["calm"]) == (world.station.name, 310.0, True)
    assert found["distance"] == pytest.approx(1110.5, abs=1)
    assert found["start"].endswith("+08:00") and found["url"] == reverse("place", args=[world.station.pk])
    assert wind(world, at=hour.isoformat())["direction"] == 300.0  # the hour before that instant


def test_old_and_marked_hours_do_not_count(world):
    hour = world.judgement.start
    blow(world, world.station, {hour - timedelta(hours=9): (3.0, 20.0)})
    assert wind(world) is None
    blow(world, world.station, {hour: (3.0, 30.0)}, flag="D")
    assert wind(world) is None


def test_the_wind_of_stations_in_scope_only(world):
    blow(world, world.station, {world.judgement.start: (3.0, 30.0)})
    assert wind(world, "district")["direction"] == 30.0
    assert wind(world, "enterprise") is None  # it sees its own outlets


@pytest.mark.parametrize("query", [{"lon": "x"}, {"lat": "91"}, {"lon": "nan"}, {"lon": ""}])
def test_a_point_is_a_point(world, query):
    response = world.client("duty").get(reverse("map-wind"), {"lon": "109.85", "lat": "40.66"} | query)
    assert response.status_code == 400 and "longitude" in response.json()["error"]


ASK = (
    "from luming.web import settings; d = settings.CONTENT_SECURITY_POLICY['DIRECTIVES'];"
    "print(settings.LUMING_TIANDITU_KEY, [h for n in ('img-src', 'connect-src') for h in d[n] if 'http' in h],"
    " [n for n in d if n not in ('img-src', 'connect-src') and any('tianditu' in h for h in d[n])])"
)


@pytest.mark.parametrize("key", ["", "0123456789abcdef0123456789abcdef"])
def test_tianditu_is_allowed_with_a_key_only(key, tmp_path):
    environment = os.environ | {
        "LUMING_TIANDITU_KEY": key,
        "LUMING_DATA": str(tmp_path),
        "DATABASE_URL": "postgresql://x@localhost/x",
    }
    done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    hosts = [f"https://t{number}.tianditu.gov.cn" for number in range(8)] * 2
    assert done.stdout.strip() == f"{key} {hosts if key else []} []".strip()


def test_without_a_key_the_page_knows_none(world, settings):
    text = world.client("duty").get(reverse("map")).content.decode()
    assert 'value="img"' not in text and '"tianditu": ""' in text
    settings.LUMING_TIANDITU_KEY = "k" * 32
    text = world.client("duty").get(reverse("map")).content.decode()
    assert 'value="img"' in text and "k" * 32 in text
