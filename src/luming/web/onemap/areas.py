"""The area of a question to the map: read from what a browser sent, checked, limited, made into one polygon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from django.utils.translation import gettext as _
from shapely.geometry import mapping, shape

from luming.registry import geodesy
from luming.registry.models import Region
from luming.web.onemap.serving import QuestionError

MAX_VERTICES = 5000
MAX_DEGREES = 20.0  # across an area: a province, not a continent
MAX_METRES = 200_000.0
_KINDS = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon, and the point from which distances are told where the question has one."""

    polygon: shapely.Geometry
    centre: geodesy.Point | None = None
    without_centre: bool = False  # what stands at the centre itself is not asked for: a station is not upwind of itself

    @property
    def outline(self) -> dict[str, Any]:
        """Return the polygon as GeoJSON, to the decimetre."""
        return dict(mapping(shapely.set_precision(self.polygon, 1e-6, mode="pointwise")))


def read(asked: Any) -> Area:
    """Return the area of a question.

    It is one of ``{"region": code}``, ``{"sector": {centre, bearing, half, length}}`` and ``{"geometry": GeoJSON,
    "buffer": metres}``; a point with a buffer is a circle.

    Raises
    ------
    QuestionError
        It is none of these, or too large; the text says what is wrong.
    """
    if not isinstance(asked, Mapping):
        raise QuestionError(_("Draw or choose an area first."))
    if "region" in asked:
        return _region(str(asked["region"]))
    if "sector" in asked:
        return _sector(asked["sector"])
    geometry, metres = _geometry(asked.get("geometry")), _metres(asked.get("buffer") or 0, _("The distance"))
    centre = (geometry.x, geometry.y) if geometry.geom_type == "Point" else None
    if metres:
        geometry = geodesy.buffered(geometry, metres)
    if geometry.geom_type not in ("Polygon", "MultiPolygon"):
        raise QuestionError(_("A point or a line holds nothing: say within which distance of it."))
    return Area(geometry, centre)


def _region(text: str) -> Area:
    code = text.replace("\0", "")[:12]
    region = Region.objects.filter(code=code, boundary__isnull=False).first()
    if region is None:
        raise QuestionError(_("The region %(code)s has no boundary in the register.") % {"code": code})
    return Area(shape(region.boundary))


def _sector(asked: Any) -> Area:
    if not isinstance(asked, Mapping):
        raise QuestionError(_("A sector needs its point, direction, angle and length."))
    centre = _point(asked.get("centre"))
    bearing = _number(asked.get("bearing"), _("The wind direction"), 0, 360)
    half = _number(asked.get("half"), _("The half angle"), 1, 180)
    length = _metres(asked.get("length"), _("The length"), smallest=10)
    return Area(shapely.Polygon(geodesy.sector(centre, bearing, half, length)), centre, without_centre=True)


def _geometry(asked: Any) -> shapely.Geometry:
    """Return a checked geometry of GeoJSON."""
    if not isinstance(asked, Mapping) or str(asked.get("type")) not in _KINDS:
        raise QuestionError(_("Draw or choose an area first."))
    number = _count(asked.get("coordinates"))
    if number > MAX_VERTICES:
        raise QuestionError(
            _("The outline has %(number)d corners; %(limit)d are allowed. Draw a simpler one.")
            % {"number": number, "limit": MAX_VERTICES}
        )
    try:
        geometry = shape(dict(asked))
    except (ValueError, TypeError, LookupError, shapely.errors.ShapelyError) as error:
        raise QuestionError(_("The outline is no GeoJSON geometry.")) from error
    coordinates = shapely.get_coordinates(geometry)
    if geometry.is_empty or not len(coordinates) or not all(math.isfinite(value) for value in coordinates.flat):
        raise QuestionError(_("The outline is no GeoJSON geometry."))
    west, south, east, north = geometry.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise QuestionError(_("The outline is not in degrees: longitude comes first, between −180 and 180."))
    if east - west > MAX_DEGREES or north - south > MAX_DEGREES:
        raise QuestionError(_("The area is wider than %(limit)d degrees. Draw a smaller one.") % {"limit": MAX_DEGREES})
    if geometry.geom_type in ("Polygon", "MultiPolygon") and not geometry.is_valid:
        parts = shapely.get_parts(shapely.make_valid(geometry))  # an outline that crosses itself
        geometry = shapely.union_all([part for part in parts if part.geom_type in ("Polygon", "MultiPolygon")])
        if geometry.is_empty:
            raise QuestionError(_("The outline encloses nothing."))
    return geometry


def _count(coordinates: Any, depth: int = 0) -> int:
    """Count the points of nested coordinates; stop early at what is no GeoJSON."""
    if not isinstance(coordinates, list) or depth > 4:
        return 0
    if coordinates and not isinstance(coordinates[0], list):
        return 1
    return sum(_count(item, depth + 1) for item in coordinates)


def _point(asked: Any) -> geodesy.Point:
    if not isinstance(asked, list) or len(asked) != 2:
        raise QuestionError(_("A point has a longitude and a latitude."))
    return _number(asked[0], _("The longitude"), -180, 180), _number(asked[1], _("The latitude"), -90, 90)


def _metres(asked: Any, name: str, smallest: float = 0) -> float:
    return _number(asked, name, smallest, MAX_METRES)


def _number(asked: Any, name: str, lowest: float, highest: float) -> float:
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not math.isfinite(asked):
        raise QuestionError(_("%(name)s must be a number.") % {"name": name})
    if not lowest <= asked <= highest:
        raise QuestionError(
            _("%(name)s must lie between %(lowest)g and %(highest)g.")
            % {"name": name, "lowest": lowest, "highest": highest}
        )
    return float(asked)
