"""The map of a dossier: boundaries, rivers and places as SVG, drawn without a browser."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from typing import Any

from shapely.geometry import box, shape

from luming.core.models import User
from luming.registry import city
from luming.registry.models import Region
from luming.web.onefile import neighbours
from luming.web.onefile.neighbours import KM_PER_DEGREE

WIDTH, HEIGHT = 720, 340
REACH_KM = 6.0  # from the subject to the upper and lower edge
FONT = "Noto Sans SC"


class Frame:
    """Where longitude and latitude lie on the drawing: a plain map, true to scale around its middle."""

    def __init__(self, west: float, south: float, east: float, north: float) -> None:
        self.scale_x = math.cos(math.radians((south + north) / 2))
        unit = min(WIDTH / ((east - west) * self.scale_x), HEIGHT / (north - south))
        self.unit = unit  # of the drawing per degree of latitude
        self.west = (west + east) / 2 - WIDTH / 2 / unit / self.scale_x
        self.north = (south + north) / 2 + HEIGHT / 2 / unit

    def spot(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return x and y of a position."""
        return (longitude - self.west) * self.scale_x * self.unit, (self.north - latitude) * self.unit

    @property
    def window(self) -> Any:
        """Return the part of the earth that is drawn, a little widened."""
        east = self.west + WIDTH / self.unit / self.scale_x
        south = self.north - HEIGHT / self.unit
        return box(self.west, south, east, self.north).buffer(0.02)


def drawing(user: User, subject: Any) -> str:
    """Return the SVG of a subject's surroundings."""
    frame = _frame(subject)
    layers = neighbours.layers(user, subject, neighbours.DISTANCES[-1])
    own = subject.pk if isinstance(subject, Region) else subject.region_id
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#eef2f1"/>',
        *_regions(frame, own),
        *_rivers(frame),
        *_places(frame, layers),
        *_middle(frame, subject),
        *_rule(frame),
        "</svg>",
    ]
    return "".join(parts)


def _frame(subject: Any) -> Frame:
    if isinstance(subject, Region) and subject.boundary:
        west, south, east, north = shape(subject.boundary).bounds
        return Frame(west, south, east, north)
    longitude, latitude = getattr(subject, "longitude", None), getattr(subject, "latitude", None)
    if longitude is None or latitude is None:
        longitude, latitude = city.profile().centre
    dy = REACH_KM / KM_PER_DEGREE
    dx = dy * WIDTH / HEIGHT / math.cos(math.radians(latitude))
    return Frame(longitude - dx, latitude - dy, longitude + dx, latitude + dy)


def _regions(frame: Frame, own: str) -> Iterator[str]:
    profile = city.profile()
    for region in Region.objects.filter(boundary__isnull=False, level__in=("district", "zone", "city")):
        found = shape(region.boundary)
        if region.code == profile.code or not found.is_valid or not found.intersects(frame.window):
            continue
        fill = "#ffffff" if region.code == own else "#f6f9f8"
        for polygon in _pieces(found.intersection(frame.window), "Polygon"):
            outline = _path(frame, polygon.exterior.coords)
            yield f'<path d="{outline}Z" fill="{fill}" stroke="#9db4af" stroke-width="1"/>'


def _rivers(frame: Frame) -> Iterator[str]:
    path = city.profile().rivers
    if path is None:
        return
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        for line in _pieces(shape(feature["geometry"]).intersection(frame.window), "LineString"):
            yield f'<path d="{_path(frame, line.coords)}" fill="none" stroke="#8cc4e0" stroke-width="2.5"/>'


def _pieces(geometry: Any, kind: str) -> Iterator[Any]:
    if geometry.geom_type == kind:
        yield geometry
    for part in getattr(geometry, "geoms", ()):
        yield from _pieces(part, kind)


def _path(frame: Frame, coordinates: Any) -> str:
    return "M" + "L".join("{:.1f} {:.1f}".format(*frame.spot(*point[:2])) for point in coordinates)


def _places(frame: Frame, layers: list[dict[str, Any]]) -> Iterator[str]:
    for layer in reversed(layers):
        for feature in layer["data"]["features"]:
            x, y = frame.spot(*feature["geometry"]["coordinates"])
            if 0 <= x <= WIDTH and 0 <= y <= HEIGHT:
                colour = escape(str(feature["properties"].get("colour") or "#868e96"))
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}" stroke="#22403c" stroke-width=".8"/>'


def _middle(frame: Frame, subject: Any) -> Iterator[str]:
    """Mark the subject itself with a ring and its name."""
    if isinstance(subject, Region):
        return
    x, y = frame.spot(subject.longitude, subject.latitude)
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="none" stroke="#0b6e63" stroke-width="2"/>'
    yield (
        f'<text x="{x:.1f}" y="{y + 26:.1f}" font-family="{FONT}" font-size="13" text-anchor="middle" '
        f'fill="#12312e">{escape(str(subject))}</text>'
    )


def _rule(frame: Frame) -> Iterator[str]:
    """Draw a scale of a round number of kilometres."""
    km = next((n for n in (100, 50, 20, 10, 5, 2) if n / KM_PER_DEGREE * frame.unit <= WIDTH / 4), 1)
    length = km / KM_PER_DEGREE * frame.unit
    x, y = WIDTH - 20 - length, HEIGHT - 16
    yield f'<path d="M{x:.1f} {y - 5}V{y}H{x + length:.1f}V{y - 5}" fill="none" stroke="#37474f" stroke-width="1.2"/>'
    yield (
        f'<text x="{x + length / 2:.1f}" y="{y - 5}" font-family="{FONT}" font-size="11" text-anchor="middle" '
        f'fill="#37474f">{km} km</text>'
    )
