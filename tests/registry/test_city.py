"""City profiles: the ones we ship are sound, loading is idempotent, a faulty one is refused with all its faults."""

import json
import shutil
import tomllib

import numpy as np
import pytest
import shapely
from shapely.geometry import Point, shape

from luming.core.models import AuditEntry
from luming.registry import city, commands
from luming.registry.city_check import check
from luming.registry.models import Device, Place, Region, Series, Station
from luming.registry.problems import FileError


def equal_area(points):
    """Project degrees to kilometres, true to area, on the sphere with the area of WGS-84 (authalic radius)."""
    longitude, latitude = np.radians(points).T
    return 6371.007 * np.column_stack([longitude, np.sin(latitude)])


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of Baotou's profile outside the package, found before ours."""
    folder = tmp_path / "baotou"
    shutil.copytree(city.find("baotou"), folder)
    monkeypatch.setenv("LUMING_CITIES_PATH", str(tmp_path))
    yield folder
    city.read.cache_clear()


def shapes():
    features = json.loads(city.profile().boundaries.read_text(encoding="utf-8"))["features"]
    return {item["properties"]["code"]: item for item in features}


@pytest.mark.parametrize("name", city.available())
def test_every_profile_is_sound(name):
    assert check(city.available()[name]) == []


def test_boundaries_cover_the_city_and_are_small():
    features = shapes()
    assert city.profile().boundaries.stat().st_size < 300_000
    assert all(not item["properties"]["official"] for item in features.values())
    assert all("非测绘成果" in item["properties"]["label"] for item in features.values())
    districts = {code: shape(item["geometry"]) for code, item in features.items() if code != "150200"}
    assert len(districts) == 9
    for code, district in districts.items():
        for other, neighbour in districts.items():
            shared = district.intersection(neighbour)
            assert code == other or shared.area < 1e-4, (code, other)
    # 27,768 km² (the plan's figure); a schematic boundary may differ by 1 %
    area = shapely.transform(shape(features["150200"]["geometry"]), equal_area).area
    assert area == pytest.approx(27768, rel=0.01)


def test_stations_lie_in_their_districts(baotou):
    districts = {code: shape(item["geometry"]) for code, item in shapes().items()}
    stations = list(Station.objects.all())
    assert {station.code for station in stations} == {"1585A", "1586A", "1587A", "1588A", "1589A", "1590A"}
    for station in stations:
        assert districts[station.region_id].covers(Point(station.longitude, station.latitude)), station.code
        assert station.control == "national" and not station.is_demo and "坐标" in station.note


def test_real_stations_carry_no_devices_and_no_series(baotou):
    assert not Device.objects.exists() and not Series.objects.exists()


def test_rivers_reach_the_city():
    profile = city.profile()
    lines = [shape(item["geometry"]) for item in json.loads(profile.rivers.read_text(encoding="utf-8"))["features"]]
    boundary = shape(shapes()["150200"]["geometry"])
    assert max(line.intersection(boundary).length for line in lines) > 0.5  # degrees of the Yellow River
    assert shapely.total_bounds(lines)[0] > profile.bounds[0] - 0.5


def test_profile_in_both_languages():
    from django.utils import translation

    profile = city.profile()
    assert profile.code == "150200" and profile.zone == "Asia/Shanghai"
    assert {figure.key: figure.value for figure in profile.figures}["monitoring_points"] == 715
    with translation.override("zh-hans"):
        assert profile.text("name") == "包头"
    with translation.override("en"):
        assert profile.text("name") == "Baotou"


def test_loading_twice_changes_nothing(baotou):
    assert (baotou.tables["regions"].new, baotou.tables["stations"].new) == (102, 6)
    assert Region.objects.get(pk="150202001").parent_id == "150202"
    assert Region.objects.get(pk="150271").level == "zone"
    before = AuditEntry.objects.count()
    again = city.load("baotou")
    assert not again.is_change and again.tables["regions"].unchanged == 102
    assert AuditEntry.objects.count() == before


def test_a_change_of_the_profile_is_loaded_and_audited(baotou, copy):
    rows = (copy / "regions.csv").read_text(encoding="utf-8").replace("石拐区,Shiguai District", "石拐新区,Shiguai")
    (copy / "regions.csv").write_text(rows, encoding="utf-8")
    stations = (copy / "stations.csv").read_text(encoding="utf-8").replace("109.8756", "109.8757")
    (copy / "stations.csv").write_text(stations, encoding="utf-8")
    report = city.load("baotou")
    assert (report.tables["regions"].changed, report.tables["stations"].changed) == (1, 1)
    entry = AuditEntry.objects.filter(verb="city.load").first()
    assert entry.detail["regions"] == {
        "150205": {"name": ["石拐区", "石拐新区"], "name_en": ["Shiguai District", "Shiguai"]}
    }
    assert AuditEntry.objects.get(verb="station.change").detail["changes"] == {"longitude": [109.8756, 109.8757]}


def test_official_boundaries_may_take_the_place_of_ours(baotou, copy):
    path = copy / "boundaries.geojson"
    path.write_text(path.read_text(encoding="utf-8").replace('"official":false', '"official":true'), encoding="utf-8")
    city.load("baotou")
    assert Region.objects.get(pk="150203").boundary_official


def test_a_station_code_that_a_place_has_taken_is_refused(baotou, copy, stack):
    path = copy / "stations.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("1590A", "QY0001-DA001"), encoding="utf-8")
    with pytest.raises(FileError, match="QY0001-DA001"):
        city.load("baotou")
    assert Place.objects.get(code="QY0001-DA001").kind == "outlet"


def test_all_faults_at_once(copy):
    toml = (copy / "profile.toml").read_text(encoding="utf-8")
    toml = toml.replace('zone = "Asia/Shanghai"', 'zone = "Asia/Baotou"').replace("zoom = 9.5", 'zoom = "near"')
    (copy / "profile.toml").write_text(toml, encoding="utf-8")
    with (copy / "regions.csv").open("a", encoding="utf-8") as file:
        file.write("15020,某地,,district,150200,\n150203,昆都仑区,,banner,159999,x\n")
    data = json.loads((copy / "boundaries.geojson").read_text(encoding="utf-8"))
    data["features"][1]["properties"]["code"] = "999999"
    data["features"][2]["geometry"] = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    del data["features"][3]["properties"]["official"]
    (copy / "boundaries.geojson").write_text(json.dumps(data), encoding="utf-8")
    (copy / "rivers.geojson").write_text("not json", encoding="utf-8")
    found = {(problem.sheet, problem.row, problem.column) for problem in check(copy)}
    assert found == {
        ("profile.toml", None, "zone"), ("profile.toml", None, "map.zoom"),
        ("regions.csv", 104, "code"), ("regions.csv", 105, "code"), ("regions.csv", 105, "level"),
        ("regions.csv", 105, "parent"), ("regions.csv", 105, "area_km2"),
        ("boundaries.geojson", None, "code"), ("boundaries.geojson", None, "150203"),
        ("boundaries.geojson", None, "150204"), ("rivers.geojson", None, ""),
    }  # fmt: skip


def test_stations_of_a_profile_are_checked_without_a_database(copy):
    with (copy / "stations.csv").open("a", encoding="utf-8") as file:
        file.write("X1,某站,air,999999,109.9,40.6,national,,,,\nX2,某站,gas,150203,40.6,109.9,national,,,,\n")
    found = {(problem.row, problem.column) for problem in check(copy)}
    assert found == {(8, "region"), (9, "medium"), (9, "latitude")}


@pytest.mark.parametrize("name", ["profile.toml", "regions.csv", "boundaries.geojson"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    assert [problem.sheet for problem in check(copy)] == [name]


def test_the_hill_shade_has_a_picture_and_a_place(copy):
    def problems(line):
        text = profile.replace(next(row for row in profile.splitlines() if row.startswith("relief")), line)
        (copy / "profile.toml").write_text(text, encoding="utf-8")
        return [(problem.column, problem.value) for problem in check(copy)]

    profile = (copy / "profile.toml").read_text(encoding="utf-8")
    assert city.read(copy).relief == copy / "relief.webp"
    assert problems("relief = [112.3, 39.4, 108.4, 43.6]") == [("map.relief", "[112.3, 39.4, 108.4, 43.6]")]
    assert problems('relief = "here"') == [("map.relief", "here")]
    assert problems("") == [("map.relief", "")]  # a picture without a place
    (copy / "relief.webp").unlink()
    assert problems("") == []
    assert problems("relief = [108.4, 39.4, 112.3, 43.6]") == [("map.relief", "[108.4, 39.4, 112.3, 43.6]")]


def test_every_figure_of_the_shipped_profile_is_quoted_with_its_source():
    data = tomllib.loads((city.find("baotou") / "profile.toml").read_text(encoding="utf-8"))
    assert data["plan"]["source"] and len(data["plan"]["figures"]) == len(city.profile().figures)


def run(*words):
    import argparse

    parser = argparse.ArgumentParser()
    commands.configure(parser)
    args = parser.parse_args(words)
    return args.run(args)


def test_commands(baotou, copy, capsys):
    assert run("list") == 0
    assert str(copy) in capsys.readouterr().out
    assert run("load", "baotou") == 0
    assert "102" in capsys.readouterr().out
    assert run("check", str(copy)) == 0
    (copy / "rivers.geojson").write_text("{}", encoding="utf-8")
    assert run("check", str(copy)) == 1
    assert "rivers.geojson" in capsys.readouterr().err
    assert run("load", "baotou") == 1
    assert run("load", "atlantis") == 1
    assert "atlantis" in capsys.readouterr().err
