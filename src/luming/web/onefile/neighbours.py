"""The map of a file: its own places and what lies around them, in the form of the one map's layers."""

from __future__ import annotations

import math
from typing import Any

import shapely
from shapely.geometry import shape

from luming.core import manifest
from luming.core.models import User
from luming.registry.models import Facility, Region
from luming.web import words
from luming.web.onefile import subjects

DISTANCES = (1, 2, 5, 10)  # km
USUAL = 2
KM_PER_DEGREE = 111.2


def read_distance(text: str | None) -> int:
    """Return one of the distances that are offered."""
    return int(text) if text and text.isdecimal() and int(text) in DISTANCES else USUAL


def layers(user: User, subject: Any, km: int) -> list[dict[str, Any]]:
    """Return the layers of all domains, cut to what belongs to the subject or lies near it.

    A region shows the places inside it. Layers of polygons and lines stay out: they are the one map's.
    """
    keep = _inside(user, subject) if isinstance(subject, Region) else _near(user, subject, km)
    found = []
    for layer in manifest.layers():
        if layer.geometry != "point" or not user.may(layer.permission):
            continue
        collection = layer.features(user)
        features = [feature for feature in collection["features"] if keep(feature)]
        for feature in features:
            properties = feature["properties"]
            properties["label"] = str(words.state(properties.get("state")).label)
            properties.pop("detail", None)
        found.append(
            {"key": layer.key, "label": str(layer.label), "data": {"type": "FeatureCollection", "features": features}}
        )
    return found


def _near(user: User, subject: Any, km: int) -> Any:
    own = set(subjects.place_ids(user, subject))
    centres = [(subject.longitude, subject.latitude)]
    if isinstance(subject, Facility):
        centres += [(place.longitude, place.latitude) for place in subjects.places_of(user, subject)]

    def keep(feature: dict[str, Any]) -> bool:
        spot = feature["geometry"]["coordinates"]
        mine = "medium" in feature["properties"] and feature.get("id") in own
        return mine or any(distance_km(centre, spot) <= km for centre in centres)

    return keep


def _inside(user: User, region: Region) -> Any:
    """Keep the places of the region by their ids; what else has a position (ids of its own) by the boundary."""
    own = set(subjects.places_within(user, region).order_by().values_list("pk", flat=True))
    geometry = shape(region.boundary) if region.boundary else None
    if geometry is not None:
        shapely.prepare(geometry)

    def keep(feature: dict[str, Any]) -> bool:
        if "medium" in feature["properties"]:
            return feature.get("id") in own
        return geometry is not None and shapely.intersects_xy(geometry, *feature["geometry"]["coordinates"][:2])

    return keep


def distance_km(one: Any, other: Any) -> float:
    """Return a distance on the ground, good to a per cent within a city."""
    scale = math.cos(math.radians(one[1]))
    return math.hypot((one[0] - other[0]) * scale, one[1] - other[1]) * KM_PER_DEGREE


def facilities(user: User, subject: Any, km: int, limit: int = 12) -> list[tuple[Facility, float]]:
    """Return the nearest other facilities within a distance, with their distances."""
    dy = km / KM_PER_DEGREE
    dx = dy / max(math.cos(math.radians(subject.latitude)), 0.01)
    rows = Facility.objects.visible_to(user).filter(
        longitude__range=(subject.longitude - dx, subject.longitude + dx),
        latitude__range=(subject.latitude - dy, subject.latitude + dy),
    )
    own = subject.pk if isinstance(subject, Facility) else getattr(subject, "facility_id", None)
    centre = (subject.longitude, subject.latitude)
    found = [
        (row, distance_km(centre, (row.longitude, row.latitude)))
        for row in rows.exclude(pk=own).select_related("region")
    ]
    return sorted((item for item in found if item[1] <= km), key=lambda item: item[1])[:limit]
