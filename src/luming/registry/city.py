"""City profiles: a folder of data that makes Luming the system of one city.

A profile is looked for in the folders of ``LUMING_CITIES_PATH`` and then in the package's own ``cities``, so that an
installation may put its own copy (with official boundaries, say) before ours. ``docs/how-to/add-a-city.md``.
"""

from __future__ import annotations

import csv
import json
import os
import tomllib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import shapely
from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from shapely.geometry import shape

import luming
from luming.core import audit
from luming.core.models import User
from luming.registry import actions
from luming.registry.geo import Bounds
from luming.registry.models import Region
from luming.registry.problems import Counts, FileError, Problem, Report


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the city's plan."""

    key: str
    name: str
    name_en: str
    value: float
    unit: str


@dataclass(frozen=True)
class CityProfile:
    """What the pages show of a city. Chinese fields have an English twin: ``text("name")`` takes the reader's."""

    folder: Path
    code: str  # of the city itself, GB/T 2260
    name: str
    name_en: str
    bureau: str
    bureau_en: str
    zone: str  # IANA time zone
    centre: tuple[float, float]  # longitude, latitude
    zoom: float
    label: str  # what the map says of its boundaries
    label_en: str
    attribution: str
    attribution_en: str
    plan_title: str = ""
    plan_title_en: str = ""
    plan_source: str = ""
    figures: tuple[Figure, ...] = ()
    relief_bounds: Bounds | None = None  # of the hill shade

    @property
    def boundaries(self) -> Path:
        """Return the GeoJSON file of the city and its districts (property ``code``)."""
        return self.folder / "boundaries.geojson"

    @property
    def rivers(self) -> Path | None:
        """Return the GeoJSON file of the rivers, if the profile has one."""
        path = self.folder / "rivers.geojson"
        return path if path.exists() else None

    @property
    def relief(self) -> Path | None:
        """Return the picture of the hill shade, if the profile has one and says where it lies."""
        path = self.folder / "relief.webp"
        return path if self.relief_bounds and path.exists() else None

    @cached_property
    def bounds(self) -> Bounds:
        """Return west, south, east, north of the city's boundaries in degrees."""
        features = json.loads(self.boundaries.read_text(encoding="utf-8"))["features"]
        west, south, east, north = shapely.total_bounds([shape(item["geometry"]) for item in features])
        return float(west), float(south), float(east), float(north)

    def text(self, field: str) -> str:
        """Return a field in the reader's language."""
        english = (get_language() or "").startswith("en")
        return (english and getattr(self, f"{field}_en")) or getattr(self, field)


def available() -> dict[str, Path]:
    """Return the profiles that can be loaded: name -> folder."""
    found: dict[str, Path] = {}
    configured = [Path(item) for item in os.environ.get("LUMING_CITIES_PATH", "").split(os.pathsep) if item]
    for parent in [*configured, Path(luming.__file__).parent / "cities"]:
        for folder in sorted(parent.glob("*/profile.toml")):
            found.setdefault(folder.parent.name, folder.parent)
    return found


def find(name: str) -> Path:
    """Return the folder of a profile.

    Raises
    ------
    FileError
        There is none of this name.
    """
    try:
        return available()[name]
    except KeyError:
        what = _("There is no city profile of this name.")
        remedy = _("Known are: %(names)s. Set LUMING_CITIES_PATH to the folder that holds yours.")
        problem = Problem("profile.toml", None, "", name, what, remedy % {"names": ", ".join(sorted(available()))})
        raise FileError([problem]) from None


@lru_cache(maxsize=4)
def read(folder: Path) -> CityProfile:
    """Return the profile of a folder that :func:`luming.registry.city_check.check` finds nothing wrong with."""
    data = tomllib.loads((folder / "profile.toml").read_text(encoding="utf-8"))
    on_map: dict[str, Any] = data["map"]
    plan: dict[str, Any] = data.get("plan", {})
    return CityProfile(
        folder=folder,
        code=data["code"],
        name=data["name"],
        name_en=data["name_en"],
        bureau=data["bureau"],
        bureau_en=data["bureau_en"],
        zone=data["zone"],
        centre=(float(on_map["centre"][0]), float(on_map["centre"][1])),
        zoom=float(on_map["zoom"]),
        label=on_map["label"],
        label_en=on_map["label_en"],
        attribution=on_map["attribution"],
        attribution_en=on_map["attribution_en"],
        plan_title=plan.get("title", ""),
        plan_title_en=plan.get("title_en", ""),
        plan_source=plan.get("source", ""),
        figures=tuple(Figure(**item) for item in plan.get("figures", [])),
        relief_bounds=tuple(on_map["relief"]) if "relief" in on_map else None,  # type: ignore[arg-type]
    )


def profile() -> CityProfile:
    """Return the profile of this installation (``LUMING_CITY``); read once per process."""
    return read(find(settings.LUMING_CITY))


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a profile's CSV file, stripped."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{name: (value or "").strip() for name, value in row.items()} for row in csv.DictReader(file)]


def load(name: str, user: User | None = None) -> Report:
    """Bring the regions and stations of a profile into the database; a second time nothing changes.

    One transaction; regions and stations that the profile does not name are left alone.

    Raises
    ------
    FileError
        The profile is unknown or faulty; nothing was changed.
    """
    from luming.registry.city_check import check, plan_stations
    from luming.registry.importing import apply_plan

    audit.require(user, "place.import")
    folder = find(name)
    if problems := check(folder):
        raise FileError(problems)
    city = read(folder)
    with transaction.atomic():
        regions, changes = _load_regions(city)
        plan = plan_stations(folder, user)
        if plan.problems:  # such as a code that a place of this installation has taken
            raise FileError(plan.problems)
        report = Report({"regions": regions, **plan.counts}, warnings=plan.warnings, applied=True)
        if report.is_change:
            apply_plan(user, plan, city=name)
            audit.record(user, "city.load", Region.objects.get(pk=city.code), profile=name, regions=changes)
    return report


def _load_regions(city: CityProfile) -> tuple[Counts, dict[str, Any]]:
    """Write the regions that are new or different; return the counts and what changed by code."""
    shapes = {
        item["properties"]["code"]: item for item in json.loads(city.boundaries.read_text(encoding="utf-8"))["features"]
    }
    present = Region.objects.in_bulk()
    counts, changes = Counts(), {}
    for row in rows(city.folder / "regions.csv"):  # parents stand before their children
        region = present.get(row["code"])
        before = actions.facts(region) if region else None
        region = region or Region(code=row["code"])
        _fill(region, row, shapes.get(row["code"]))
        present[region.code] = region
        if before == actions.facts(region):
            counts.unchanged += 1
            continue
        region.save()
        if before is None:
            counts.new += 1
            changes[region.code] = "new"
        else:
            counts.changed += 1
            changes[region.code] = actions.differences(before, actions.facts(region))
            # A border's points say nothing to a reader of the audit trail.
            if "boundary" in changes[region.code]:
                changes[region.code]["boundary"] = "changed"
    return counts, changes


def _fill(region: Region, row: dict[str, str], feature: dict[str, Any] | None) -> None:
    """Set the fields of a region from its row and boundary."""
    properties = feature["properties"] if feature else {}
    region.name = row["name"]
    region.name_en = row["name_en"]
    region.level = row["level"]
    region.parent_id = row["parent"] or None
    region.area_km2 = float(row["area_km2"]) if row["area_km2"] else None
    region.boundary = feature["geometry"] if feature else None
    region.boundary_source = properties.get("source", "")
    region.boundary_official = bool(properties.get("official"))
