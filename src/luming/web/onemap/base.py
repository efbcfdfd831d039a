"""What lies below the layers: districts, rivers, hill shade and the tiles of Tianditu, all from the city's profile."""

from __future__ import annotations

import json
import math
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import get_language
from shapely.geometry import shape

from luming.registry import city
from luming.registry.models import Region
from luming.web import words

KEPT_SECONDS = 300


def base_map_body() -> str:
    """Return the base map as JSON in the reader's language, kept for some minutes."""
    key = f"luming.base-map.{get_language()}"
    body: str | None = cache.get(key)
    if body is None:
        body = json.dumps(base_map(), ensure_ascii=False, separators=(",", ":"))
        cache.set(key, body, KEPT_SECONDS)
    return body


def base_map() -> dict[str, Any]:
    """Return districts, the city's outline, rivers and what the map shows first."""
    chinese = words.chinese()
    profile = city.profile()
    regions = Region.objects.filter(boundary__isnull=False).exclude(code=profile.code)
    districts = [
        {
            "type": "Feature",
            "geometry": region.boundary,
            "properties": {"code": region.code, "name": region.name if chinese else region.name_en or region.name},
        }
        for region in regions
    ]
    # A polygon's own label is repeated in every tile; a point's stands once.
    names = [{**item, "geometry": _middle(item["geometry"])} for item in districts]
    outline = Region.objects.filter(code=profile.code, boundary__isnull=False).first()
    rivers = json.loads(profile.rivers.read_text(encoding="utf-8")) if profile.rivers else _nothing()
    return {
        "districts": {"type": "FeatureCollection", "features": districts},
        "names": {"type": "FeatureCollection", "features": names},
        "outline": {"type": "Feature", "geometry": outline.boundary, "properties": {}} if outline else _nothing(),
        "rivers": rivers,
        "relief": relief(),
        "bounds": list(profile.bounds),
        "view": _view(profile),
    }


def relief() -> dict[str, Any] | None:
    """Return address and bounds of the hill shade; None when the profile has none."""
    profile = city.profile()
    if profile.relief is None or profile.relief_bounds is None:
        return None
    changed = int(profile.relief.stat().st_mtime)  # an installation may put its own in place
    return {"url": f"{reverse('base-map-relief')}?{changed}", "bounds": list(profile.relief_bounds)}


def _view(profile: city.CityProfile) -> list[float]:
    """Return west, south, east, north of what the profile's centre and zoom show on a map of 800 by 600 pixels."""
    longitude, latitude = profile.centre
    degrees = 360 / 2**profile.zoom / 512  # of a pixel, MapLibre's tiles being 512 pixels wide
    height = degrees * math.cos(math.radians(latitude))
    return [longitude - 400 * degrees, latitude - 300 * height, longitude + 400 * degrees, latitude + 300 * height]


def _middle(geometry: dict[str, Any]) -> dict[str, Any]:
    point = shape(geometry).representative_point()
    return {"type": "Point", "coordinates": [round(point.x, 5), round(point.y, 5)]}


def _nothing() -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": []}
