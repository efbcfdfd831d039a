"""Layers of the one map: composed from the manifests, scoped, at an instant, 304 while nothing changed, few queries."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from luming.registry.models import Outlet
from luming.telemetry.mapping import attention
from luming.telemetry.models import Judgement, PlaceState


@pytest.fixture
def hour(world):
    return world.judgement.start


def get(world, key, role="duty", **query):
    cache.clear()
    return world.client(role).get(reverse("map-layer", args=[key]), query)


def states(response):
    return {item["properties"]["name"]: item["properties"].get("state") for item in response.json()["data"]["features"]}


def setup_of(response):
    text = response.content.decode()
    return json.loads(text.split('<script id="onemap-setup" type="application/json">')[1].split("</script>")[0])


def test_the_page_lists_the_layers_of_every_manifest(world):
    response = world.client("duty").get(reverse("map"))
    layers = {layer["key"]: layer for layer in setup_of(response)["layers"]}
    assert {"air-stations", "gas-outlets", "facilities", "districts", "dummy-many", "dummy-clock"} <= set(layers)
    assert layers["dummy-cells"]["geometry"] == "polygon" and layers["dummy-canal"]["geometry"] == "line"
    assert layers["dummy-clock"]["timed"] and not layers["dummy-many"]["timed"]
    assert layers["dummy-many"]["group"] == "Dummy" and not layers["dummy-many"]["shown"]
    assert layers["gas-outlets"]["sources"] and not layers["air-stations"]["sources"]
    assert [entry["label"] for entry in layers["dummy-many"]["legend"]] == ["All good", "Not good"]


def test_a_layer_needs_its_own_permission(world):
    assert states(get(world, "dummy-secret")) == {"Hidden spring": "dummy-good"}
    assert get(world, "dummy-secret", "leader").status_code == 404
    assert get(world, "no-such-layer").status_code == 404
    leader = setup_of(world.client("leader").get(reverse("map")))
    assert "dummy-secret" not in {layer["key"] for layer in leader["layers"]}
    body = json.dumps(
        {
            "area": {"geometry": {"type": "Point", "coordinates": [109.95, 40.62]}, "buffer": 100},
            "layers": ["dummy-secret"],
        }
    )
    inside = world.client("leader").post(reverse("map-inside"), body, content_type="application/json")
    assert inside.json()["count"] == 0


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_layers_show_the_scope_only(world, role):
    for key in ("gas-outlets", "facilities", "districts"):
        text = get(world, key, role).content.decode()
        assert "F2" not in text and "Jiuyuan" not in text, key
    assert world.outlet.name in states(get(world, "gas-outlets", role))
    assert world.elsewhere.name in states(get(world, "gas-outlets"))


def test_a_feature_leads_to_its_page(world):
    client = world.client("duty")
    response = client.get(reverse("map-feature", args=["gas-outlets", world.outlet.pk]))
    assert response.headers["Location"] == reverse("place", args=[world.outlet.pk])
    assert client.get(reverse("map-feature", args=["dummy-many", 7])).headers["Location"] == "/places/?q=7"
    assert client.get(reverse("map-feature", args=["dummy-cells", 7])).status_code == 404  # it has no page
    assert client.get(reverse("map-feature", args=["gas-outlets", "9" * 5000])).status_code == 302  # who follows: 404


def test_an_unchanged_layer_is_not_sent_again(world):
    client, url = world.client("duty"), reverse("map-layer", args=["air-stations"])
    first = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    body = json.loads(gzip.decompress(first.content))
    assert body["count"] == 1 and body["states"] == {"level-3": 1}
    cache.clear()
    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    PlaceState.objects.filter(place=world.station).update(state="level-4", value=160)
    cache.clear()
    changed = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and changed.json()["states"] == {"level-4": 1}


def test_features_are_slim_and_say_what_matters(world):
    (feature,) = get(world, "air-stations").json()["data"]["features"]
    properties = feature["properties"]
    assert properties["headline"] == "AQI 120 · fine particles PM2.5" and properties["attention"] == 1
    assert "detail" not in properties and "label" not in properties  # its words are in the legend
    assert feature["id"] == world.station.pk


def judge(place, start, state, revision=0, kind="limit-hour", value=None):
    Judgement.objects.create(
        place=place, kind=kind, start=start, state=state, revision=revision, value=value, edition="x", software="0"
    )


def test_the_past_is_of_the_newest_live_judgement(world, hour):
    outlet = world.outlet
    judge(outlet, hour - timedelta(hours=1), "normal")
    judge(outlet, hour - timedelta(hours=2), "normal")
    judge(outlet, hour - timedelta(hours=2), "exceeding", revision=1, value=0.5)  # judged again: the last counts
    judge(outlet, hour - timedelta(hours=1, minutes=30), "stopped", kind="limit-day")  # no live state
    expected = {1: "exceeding", 0: "normal", -1: "exceeding"}
    for back, state in expected.items():
        at = hour - timedelta(hours=back)
        found = states(get(world, "gas-outlets", at=at.isoformat()))
        assert found[outlet.name] == state, back
        assert found[world.elsewhere.name] == "no-data"  # never judged
    facilities = states(get(world, "facilities", at=(hour - timedelta(hours=1)).isoformat()))
    assert facilities[world.facility.name] == "watch-2"
    assert states(get(world, "facilities", at=hour.isoformat()))[world.facility.name] == "watch-0"
    assert states(get(world, "districts", at=hour.isoformat()))["Kundulun"] == "watch-0"


def test_an_old_judgement_is_no_state(world, hour):
    judge(world.elsewhere, hour - timedelta(hours=6), "normal")
    within = states(get(world, "gas-outlets", at=(hour - timedelta(hours=4)).isoformat()))
    later = states(get(world, "gas-outlets", at=(hour - timedelta(hours=1)).isoformat()))
    assert (within[world.elsewhere.name], later[world.elsewhere.name]) == ("normal", "no-data")


@pytest.mark.parametrize("text", ["yesterday", "2026-11-24T08:00", "2026-99-24T08:00Z", "0001-01-01T00:00Z"])
def test_what_is_no_instant_is_refused_in_words(world, text):
    response = get(world, "gas-outlets", at=text)
    assert response.status_code == 400 and text in response.json()["error"]


def test_the_future_is_not_shown(world):
    at = datetime.now(UTC) + timedelta(days=1)
    assert "future" in get(world, "gas-outlets", at=at.isoformat()).json()["error"]


def test_the_dummy_layer_with_a_history(world):
    even = datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert states(get(world, "dummy-clock", at=even.isoformat())) == {"Clock": "dummy-good"}
    response = get(world, "dummy-clock", at=(even + timedelta(hours=1)).isoformat())
    assert states(response) == {"Clock": "dummy-bad"} and response.json()["at"] == "2026-11-20T09:00:00+00:00"
    assert get(world, "dummy-canal", at=even.isoformat()).json()["at"] is None  # it has no history


def test_districts_count_what_is_in_them(world):
    features = get(world, "districts").json()["data"]["features"]
    (feature,) = features  # the other one has no boundary
    assert feature["id"] == 150203 and feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["state"] == "watch-2"
    assert dict(feature["properties"]["facts"]) == {"Facilities": 1, "Outlets": 1, "Stations": 1, "Out of order": 2}


def test_attention_is_of_known_states_only():
    assert [attention(state) for state in ("exceeding", "level-3", "normal", "dummy-good")] == [2, 1, 0, 0]
    assert attention("no-data") is attention("level-0") is attention(None) is None


# Queries of a signed-in request: two of them for session and account.
BUDGETS = {"air-stations": 3, "gas-outlets": 3, "facilities": 5, "districts": 6}
# Facilities look at the layers of sources that have a history, districts at all of them: three queries each.
PAST_BUDGETS = {"air-stations": 6, "gas-outlets": 6, "facilities": 12}


def test_layers_keep_their_budgets(world, hour):
    def measure(**query):
        found = {}
        for key in BUDGETS:
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                assert get(world, key, **query).status_code == 200
            found[key] = len(queries)
        return found

    world.client("duty").get("/account/")
    assert measure() == BUDGETS
    past = measure(at=hour.isoformat())
    assert {key: past[key] for key in PAST_BUDGETS} == PAST_BUDGETS
    for number in range(9):
        Outlet.objects.create(
            code=f"X{number}", name=f"X{number}", medium="gas", region=world.outlet.region, longitude=109.8,
            latitude=40.6, facility=world.facility, number=f"DA1{number:02}",
        )  # fmt: skip
    assert measure() == BUDGETS
    assert measure(at=hour.isoformat()) == past


def test_small_maps_get_what_opens_with_the_map(world):
    found = world.client("duty").get(reverse("map-layers")).json()["layers"]
    keys = [layer["key"] for layer in found]
    assert keys == ["air-stations", "water-stations", "gas-outlets", "sewage-outlets", "noise-stations"]
    (station,) = found[0]["data"]["features"]
    assert station["properties"]["label"] == "Lightly polluted"


def test_the_hill_shade_is_served_from_the_profile(world):
    response = world.client("duty").get(reverse("base-map-relief"))
    assert response.headers["Content-Type"] == "image/webp" and response.content[8:12] == b"WEBP"
    base = world.client("duty").get(reverse("base-map")).json()
    west, south, east, north = base["relief"]["bounds"]
    assert west < base["bounds"][0] and south < base["bounds"][1]
    assert east > base["bounds"][2] and north > base["bounds"][3]
    assert len(response.content) < 100_000
