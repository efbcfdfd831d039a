"""What lies inside: areas of every kind, counted per layer and state, exported; nonsense is refused in words."""

import csv
import io
import json

import pytest
from django.urls import reverse

from luming.registry import geodesy

HERE = [109.8, 40.6]  # where the outlet and its facility are


def ask(world, area, layers=("gas-outlets",), role="duty", **more):
    body = json.dumps({"area": area, "layers": list(layers), **more})
    return world.client(role).post(reverse("map-inside"), body, content_type="application/json")


def circle(metres, centre=HERE):
    return {"geometry": {"type": "Point", "coordinates": centre}, "buffer": metres}


def names(response):
    return [row["name"] for row in response.json()["rows"]]


def test_a_circle_holds_what_is_near(world):
    distance, bearing = geodesy.inverse((109.8, 40.6), (109.9, 40.6))
    assert names(ask(world, circle(distance - 5))) == [world.outlet.name]
    answer = ask(world, circle(distance + 5)).json()
    near, far = answer["rows"]
    assert near["distance"] == 0 and far["distance"] == pytest.approx(distance)
    assert far["bearing"] == pytest.approx(bearing) and far["name"] == world.elsewhere.name
    assert answer["area_m2"] == pytest.approx(3.14159 * (distance + 5) ** 2, rel=0.01)
    (group,) = answer["groups"]
    assert group["count"] == answer["count"] == 2
    assert [(state["label"], state["count"]) for state in group["states"]] == [("Exceeding", 1), ("No data", 1)]


def test_a_polygon_and_its_edge(world):
    ring = [[109.8, 40.5], [109.85, 40.5], [109.85, 40.7], [109.8, 40.7], [109.8, 40.5]]
    found = ask(world, {"geometry": {"type": "Polygon", "coordinates": [ring]}}, ["gas-outlets", "air-stations"])
    assert sorted(names(found)) == sorted([world.outlet.name, world.station.name])  # both lie on the edge
    assert names(found)[0] == world.outlet.name  # the worst first


def test_a_region_and_the_distance_around_a_shape(world):
    assert sorted(names(ask(world, {"region": "150203"}))) == sorted([world.outlet.name, world.elsewhere.name])
    assert names(ask(world, {"region": "150203"}, ["districts"])) == ["Kundulun"]
    line = {"type": "LineString", "coordinates": [[109.7, 40.61], [109.85, 40.61]]}  # 1.1 km north of the outlet
    assert names(ask(world, {"geometry": line, "buffer": 1200})) == [world.outlet.name]
    assert names(ask(world, {"geometry": line, "buffer": 1000})) == []


def test_a_sector_holds_what_is_upwind_but_not_the_point_itself(world):
    sector = {"centre": HERE, "bearing": 90, "half": 20, "length": 12_000}
    answer = ask(world, {"sector": sector}, ["gas-outlets", "facilities"]).json()
    assert {row["layer"] for row in answer["rows"]} == {"gas-outlets", "facilities"}
    assert world.elsewhere.name in {row["name"] for row in answer["rows"]}
    assert world.outlet.name not in {row["name"] for row in answer["rows"]}
    assert names(ask(world, {"sector": sector | {"bearing": 270}})) == []


def test_shapes_are_found_too(world):
    found = ask(world, circle(4000, [109.8, 40.575]), ["dummy-cells", "dummy-canal"]).json()
    groups = {group["key"]: group["count"] for group in found["groups"]}
    assert groups["dummy-canal"] == 1 and groups["dummy-cells"] > 2
    assert found["rows"][0]["layer"] == "dummy-cells" and found["rows"][0]["distance"] == 0  # the centre lies in it
    canal = next(row for row in found["rows"] if row["layer"] == "dummy-canal")
    assert canal["distance"] == pytest.approx(17, abs=60)  # to its nearest point, not to its middle


@pytest.mark.parametrize("role", ["district", "enterprise", "maintainer"])
def test_nothing_outside_the_scope_is_inside(world, role):
    layers = ["gas-outlets", "facilities", "districts"]
    response = ask(world, circle(50_000), layers, role)
    text = response.content.decode()
    assert world.outlet.name in names(response) and "F2" not in text and "Jiuyuan" not in text


def test_an_instant_of_the_past(world):
    at = world.judgement.start.isoformat()
    (row,) = ask(world, circle(100), at=at).json()["rows"]
    assert row["state"] == "No data"  # its only judgement is of the hour that begins then


def export(world, form, area, layers):
    query = json.dumps({"area": area, "layers": layers})
    return world.client("duty").post(reverse("map-inside"), {"query": query, "format": form})


def test_csv_has_all_of_it(world):
    world.outlet.name = "=1+1"
    world.outlet.save()
    response = export(world, "csv", circle(20_000), ["gas-outlets", "districts"])
    assert "attachment" in response.headers["Content-Disposition"]
    text = response.content.decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert len(rows) == 3
    first = next(row for row in rows if row["Code"] == world.outlet.code)
    assert first["Name"] == "'=1+1"  # no formula
    assert (first["State"], first["Distance (m)"], first["Longitude"]) == ("Exceeding", "0", "109.800000")
    assert first["Period"].endswith("+08:00")


def test_geojson_has_all_of_it(world):
    response = export(world, "geojson", circle(20_000), ["gas-outlets"])
    features = json.loads(response.content)["features"]
    far = next(item for item in features if item["properties"]["name"] == world.elsewhere.name)
    assert far["properties"]["layer"] == "Waste-gas outlets" and far["properties"]["distance_m"] == 8464
    assert far["geometry"] == {"type": "Point", "coordinates": [109.9, 40.6]}
    assert "detail" not in far["properties"]


def many_corners(number):
    ring = [list(point) for point in geodesy.circle((109.8, 40.6), 1000, number)]
    return {"geometry": {"type": "Polygon", "coordinates": [ring]}}


def box(size):
    return [[109, 40], [109 + size, 40], [109 + size, 41], [109, 40]]


REFUSED = [
    (None, "Draw or choose"),
    ({"geometry": {"type": "Polygon", "coordinates": "x"}}, "no GeoJSON"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[1, 2], [3]]]}}, "no GeoJSON"),
    ({"geometry": {"type": "Polygon", "coordinates": []}}, "no GeoJSON"),
    ({"geometry": {"type": "Circle", "coordinates": [1, 2]}}, "Draw or choose"),
    ({"geometry": {"type": ["Point"], "coordinates": [1, 2]}}, "Draw or choose"),
    ({"geometry": {"type": "Point"}}, "no GeoJSON"),
    ({"geometry": {"type": "Polygon", "coordinates": [box(30)]}}, "wider"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[5e5, 4e6], [6e5, 4e6], [6e5, 5e6], [5e5, 4e6]]]}}, "degrees"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[109, 40], [110, 40], [109, 40], [109, 40]]]}}, "nothing"),
    ({"geometry": {"type": "Point", "coordinates": HERE}}, "within which distance"),
    (circle(300_000), "between"),
    (circle(-1), "between"),
    (circle("far"), "number"),
    ({"region": "150299"}, "150299"),
    ({"region": "1502\x0099"}, "150299"),
    ({"sector": {"centre": HERE, "bearing": 400, "half": 20, "length": 1000}}, "wind direction"),
    ({"sector": {"centre": HERE, "bearing": 40, "half": 0, "length": 1000}}, "half angle"),
    ({"sector": {"centre": ["a", 1], "bearing": 40, "half": 9, "length": 1000}}, "longitude"),
    ({"sector": 5}, "sector"),
    (many_corners(5001), "5002 corners"),
]


@pytest.mark.parametrize(("area", "words"), REFUSED)
def test_nonsense_is_refused_in_words(world, area, words):
    response = ask(world, area)
    assert response.status_code == 400 and words in response.json()["error"]


def test_an_outline_that_crosses_itself_is_understood(world):
    bow = [[109.7, 40.5], [109.9, 40.7], [109.9, 40.5], [109.7, 40.7], [109.7, 40.5]]
    answer = ask(world, {"geometry": {"type": "Polygon", "coordinates": [bow]}})
    assert answer.status_code == 200 and answer.json()["outline"]["type"] == "MultiPolygon"


def test_questions_are_limited(world):
    client, url = world.client("duty"), reverse("map-inside")
    for body, words in (("{", "no JSON"), ("[1]", "no JSON"), ('"' + "x" * 500_000 + '"', "too large")):
        response = client.post(url, body, content_type="application/json")
        assert response.status_code == 400 and words in response.json()["error"]
    assert "no JSON" in client.post(url, {"format": "csv"}).json()["error"]  # a form without its question
    assert "at least one layer" in ask(world, circle(10), []).json()["error"]
    assert client.get(url).status_code == 405
