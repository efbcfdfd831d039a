"""What lies below the layers: districts, rivers, hill shade and the tiles of Tianditu, all from the city's profile."""

from __future__ import annotations

import json
import math
from typing import Any

from django.core.cache import cache
from django.utils.translation import get_language

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
    outline = Region.objects.filter(code=profile.code, boundary__isnull=False).first()
    rivers = json.loads(profile.rivers.read_text(encoding="utf-8")) if profile.rivers else _nothing()
    return {
        "districts": {"type": "FeatureCollection", "features": districts},
        "outline": {"type": "Feature", "geometry": outline.boundary, "properties": {}} if outline else _nothing(),
        "rivers": rivers,
        "bounds": list(profile.bounds),
        "view": _view(profile),
    }


def _view(profile: city.CityProfile) -> list[float]:
    """Return west, south, east, north of what the profile's centre and zoom show on a map of 800 by 600 pixels."""
    longitude, latitude = profile.centre
    degrees = 360 / 2**profile.zoom / 512  # of a pixel, MapLibre's tiles being 512 pixels wide
    height = degrees * math.cos(math.radians(latitude))
    return [longitude - 400 * degrees, latitude - 300 * height, longitude + 400 * degrees, latitude + 300 * height]


def _nothing() -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": []}
