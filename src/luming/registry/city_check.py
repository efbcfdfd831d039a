"""Is a folder a sound city profile? All that is wrong with it at once."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from django.utils.translation import gettext as _
from shapely.geometry import shape

from luming.core.models import User
from luming.registry import city
from luming.registry.geo import within
from luming.registry.importing.directory import Directory
from luming.registry.importing.plan import Plan, make_plan
from luming.registry.importing.reading import read
from luming.registry.models import Region
from luming.registry.problems import FileError, Problem

# key -> type; a dot leads into a table
_KEYS: dict[str, type | tuple[type, ...]] = {
    "code": str, "name": str, "name_en": str, "bureau": str, "bureau_en": str, "zone": str,
    "map.centre": list, "map.zoom": (int, float), "map.label": str, "map.label_en": str,
    "map.attribution": str, "map.attribution_en": str,
}  # fmt: skip
_FIGURE = {"key": str, "name": str, "name_en": str, "value": (int, float), "unit": str}
_REGION_COLUMNS = ("code", "name", "name_en", "level", "parent", "area_km2")
_POLYGONS = ("Polygon", "MultiPolygon")


def check(folder: Path) -> list[Problem]:
    """Return all that is wrong with a profile; needs no database."""
    required = ("profile.toml", "regions.csv", "boundaries.geojson")
    if missing := [name for name in required if not (folder / name).is_file()]:
        remedy = _("See docs/how-to/add-a-city.md.")
        return [
            Problem(name, None, "", str(folder), _("This file of the profile is missing."), remedy) for name in missing
        ]
    data, problems = _profile(folder / "profile.toml")
    regions, found = _regions(folder / "regions.csv", data.get("code"))
    problems += found
    shapes, found = _boundaries(folder / "boundaries.geojson", regions, data.get("code"))
    problems += found + _rivers(folder / "rivers.geojson")
    if not problems:
        problems += _centre(data, shapes[data["code"]])
        problems += plan_stations(folder, None, regions).problems
    return problems


def plan_stations(folder: Path, user: User | None, regions: dict[str, Region] | None = None) -> Plan:
    """Return what loading ``stations.csv`` would do: against the database, or against the profile's own regions."""
    path = folder / "stations.csv"
    if not path.exists():
        return Plan()
    try:
        sheets, _warnings = read(path.read_bytes(), path.name)
    except FileError as error:
        return Plan(problems=error.problems)
    directory = Directory.of_database(user, sheets, lock=True) if regions is None else Directory(regions=regions)
    return make_plan(sheets, directory, city.read(folder).bounds)


def _profile(path: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Check the keys of profile.toml and their types."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Problem(path.name, None, "", "", _("This is no TOML file: %(error)s") % {"error": error})]
    problems = []
    for key, kind in _KEYS.items():
        value: Any = data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, kind) or value == "":
            problems.append(_wrong(path, key, value, kind))
    for index, figure in enumerate(data.get("plan", {}).get("figures", []), start=1):
        problems += _figure(path, index, figure)
    problems += _relief(path, data)
    if isinstance(zone := data.get("zone"), str) and zone:
        try:
            ZoneInfo(zone)
        except (ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            problems.append(Problem(path.name, None, "zone", zone, _("There is no such time zone.")))
    return data, problems


def _relief(path: Path, data: dict[str, Any]) -> list[Problem]:
    """Check where the hill shade lies: a picture without a place, or a place without a picture, is not drawn."""
    on_map = data.get("map")
    box = on_map.get("relief") if isinstance(on_map, dict) else None
    picture = path.with_name("relief.webp").exists()
    if box is None and not picture:
        return []
    numbers = isinstance(box, list) and len(box) == 4 and all(isinstance(item, int | float) for item in box)
    if not numbers or not (-180 <= box[0] < box[2] <= 180 and -90 <= box[1] < box[3] <= 90):
        what = _("The hill shade lies at [west, south, east, north] in degrees.")
        return [Problem(path.name, None, "map.relief", "" if box is None else str(box), what, _("Add it or mend it."))]
    if not picture:
        what = _("There is no picture relief.webp beside the profile.")
        return [Problem(path.name, None, "map.relief", str(box), what, _("Add it or mend it."))]
    return []


def _figure(path: Path, index: int, figure: dict[str, Any]) -> list[Problem]:
    """Check one figure of the plan."""
    where = f"plan.figures {index}"
    wrong = [
        _wrong(path, f"{where} {key}", figure.get(key), kind)
        for key, kind in _FIGURE.items()
        if not isinstance(figure.get(key), kind)
    ]
    unknown = sorted(figure.keys() - _FIGURE.keys())
    return wrong + [Problem(path.name, None, where, key, _("This key is not known.")) for key in unknown]


def _wrong(path: Path, key: str, value: Any, kind: type | tuple[type, ...]) -> Problem:
    names = {str: _("a text"), list: _("a list"), (int, float): _("a number")}
    shown = "" if value is None else str(value)
    what = _("This key must be %(kind)s.") % {"kind": names[kind]}
    return Problem(path.name, None, key, shown, what, _("Add it or mend it."))


def _regions(path: Path, root: str | None) -> tuple[dict[str, Region], list[Problem]]:
    """Check regions.csv; return its regions by code."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        headings = next(csv.reader(file), [])
    if missing := [name for name in _REGION_COLUMNS if name not in headings]:
        return {}, [Problem(path.name, 1, name, "", _("This column is missing.")) for name in missing]
    regions: dict[str, Region] = {}
    problems = []
    for number, row in enumerate(city.rows(path), start=2):
        for column, what in _region_problems(row, regions, root):
            problems.append(Problem(path.name, number, column, row[column], what))
        regions[row["code"]] = Region(code=row["code"], name=row["name"], level=row["level"])
    if root and root not in regions:
        problems.append(Problem(path.name, None, "code", root, _("The city itself is not among its regions.")))
    return regions, problems


def _region_problems(row: dict[str, str], above: dict[str, Region], root: str | None) -> list[tuple[str, str]]:
    """Return what is wrong with one region: (column, sentence)."""
    found = []
    if not re.fullmatch(r"\d{6}|\d{9}|\d{12}", row["code"]):
        found.append(("code", _("A division's code has 6 digits (GB/T 2260), 9 or 12 (townships and below).")))
    elif row["code"] in above:
        found.append(("code", _("This code stands in an earlier row already.")))
    if not row["name"]:
        found.append(("name", _("This cell is empty.")))
    if row["level"] not in Region.Level.values:
        found.append(("level", _("Use one of: %(values)s.") % {"values": ", ".join(Region.Level.values)}))
    if row["parent"] and row["parent"] not in above:
        found.append(("parent", _("The parent must stand in an earlier row.")))
    if not row["parent"] and row["code"] != root and row["level"] != Region.Level.PROVINCE:
        found.append(("parent", _("Only the city itself has no parent.")))
    try:
        if row["area_km2"] and not float(row["area_km2"]) > 0:
            found.append(("area_km2", _("An area is above zero.")))
    except ValueError:
        found.append(("area_km2", _("This is not a number.")))
    return found


def _features(path: Path) -> tuple[list[tuple[int, dict[str, Any], shapely.Geometry]], list[Problem]]:
    """Return number, properties and geometry of the features of a GeoJSON file."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.get("type") != "FeatureCollection" or not isinstance(data["features"], list):
            raise ValueError(_("not a FeatureCollection"))
    except (ValueError, KeyError, AttributeError) as error:
        return [], [Problem(path.name, None, "", "", _("This is no GeoJSON file: %(error)s") % {"error": error})]
    features, problems = [], []
    for number, item in enumerate(data["features"], start=1):
        try:
            geometry = shape(item["geometry"])
            properties = dict(item["properties"] or {})
        except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
            what = _("Feature %(number)d cannot be read: %(error)s") % {"number": number, "error": error}
            problems.append(Problem(path.name, None, "", "", what))
            continue
        if not geometry.is_valid:
            why = shapely.is_valid_reason(geometry)
            what = _("Feature %(number)d is not valid: %(error)s") % {"number": number, "error": why}
            problems.append(Problem(path.name, None, str(properties.get("code", "")), "", what))
        if geometry.is_empty or not within((-180, -90, 180, 90), *geometry.bounds[:2]):
            what = _("Feature %(number)d has no longitude and latitude in degrees.") % {"number": number}
            problems.append(Problem(path.name, None, str(properties.get("code", "")), "", what))
        features.append((number, properties, geometry))
    return features, problems


def _boundaries(
    path: Path, regions: dict[str, Region], root: str | None
) -> tuple[dict[str, shapely.Geometry], list[Problem]]:
    """Check that boundaries are polygons of known regions, with the source and standing of each."""
    features, problems = _features(path)
    shapes: dict[str, shapely.Geometry] = {}
    for _number, properties, geometry in features:
        code = str(properties.get("code", ""))
        if code not in regions:
            problems.append(Problem(path.name, None, "code", code, _("This region is not in regions.csv.")))
        if code in shapes:
            problems.append(Problem(path.name, None, "code", code, _("Two boundaries have this code.")))
        if geometry.geom_type not in _POLYGONS:
            what = _("A boundary is a Polygon or MultiPolygon.")
            problems.append(Problem(path.name, None, code, geometry.geom_type, what))
        if not isinstance(properties.get("official"), bool) or not properties.get("source"):
            what = _("A boundary says its source and whether it is official (true or false).")
            problems.append(Problem(path.name, None, code, "", what))
        shapes[code] = geometry
    if root and root not in shapes:
        problems.append(Problem(path.name, None, "code", root, _("The boundary of the city itself is missing.")))
    return shapes, problems


def _rivers(path: Path) -> list[Problem]:
    """Check that rivers are lines, if there are any."""
    if not path.exists():
        return []
    features, problems = _features(path)
    for number, _properties, geometry in features:
        if geometry.geom_type not in ("LineString", "MultiLineString"):
            what = _("A river is a LineString or MultiLineString, not feature %(number)d.") % {"number": number}
            problems.append(Problem(path.name, None, "", geometry.geom_type, what))
    return problems


def _centre(data: dict[str, Any], boundary: shapely.Geometry) -> list[Problem]:
    """Check that the map opens inside the city."""
    centre = data["map"]["centre"]
    if len(centre) == 2 and all(isinstance(item, int | float) for item in centre):
        if boundary.covers(shapely.Point(*centre)):
            return []
        what = _("The centre of the map lies outside the city: longitude comes first.")
    else:
        what = _("The centre is [longitude, latitude] in degrees.")
    return [Problem("profile.toml", None, "map.centre", str(centre), what)]
