"""Distances, bearings and areas on the ellipsoid of WGS-84 (that of CGCS2000 is the same to a tenth of a millimetre).

Points are (longitude, latitude) in degrees, bearings degrees clockwise from north, lengths metres. Inverse and direct
problem after T. Vincenty, Survey Review 23 (1975): better than a millimetre wherever two points are not antipodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, atan, atan2, cos, degrees, hypot, log, pi, radians, sin, sqrt, tan

import numpy as np
import shapely

Point = tuple[float, float]

SEMI_MAJOR_AXIS = 6378137.0
FLATTENING = 1 / 298.257223563
SEMI_MINOR_AXIS = SEMI_MAJOR_AXIS * (1 - FLATTENING)
_ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)
_STEPS = 200  # of an iteration that needs three or four, but some hundred near antipodes
_CIRCLE_POINTS = 96


def inverse(start: Point, end: Point) -> tuple[float, float]:
    """Return the length of the geodesic between two points and its bearing at the first.

    Raises
    ------
    ValueError
        The points are nearly opposite each other on the globe, where the method does not converge.
    """
    u1, u2 = (atan((1 - FLATTENING) * tan(radians(point[1]))) for point in (start, end))
    difference = radians((end[0] - start[0] + 180) % 360 - 180)
    sin_u1, cos_u1, sin_u2, cos_u2 = sin(u1), cos(u1), sin(u2), cos(u2)
    east_angle = difference
    for _step in range(_STEPS):
        east = cos_u2 * sin(east_angle)
        north = cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos(east_angle)
        sin_sigma = hypot(east, north)
        if sin_sigma == 0:
            return 0.0, 0.0
        cos_sigma = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos(east_angle)
        sigma = atan2(sin_sigma, cos_sigma)
        sin_alpha = cos_u1 * cos_u2 * sin(east_angle) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        cos_2m = cos_sigma - 2 * sin_u1 * sin_u2 / cos2_alpha if cos2_alpha else 0.0  # 0 along the equator
        c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
        before = east_angle
        east_angle = difference + (1 - c) * FLATTENING * sin_alpha * (
            sigma + c * sin_sigma * (cos_2m + c * cos_sigma * (2 * cos_2m**2 - 1))
        )
        if abs(east_angle - before) < 1e-12:
            a, shift = _series(cos2_alpha, sin_sigma, cos_sigma, cos_2m)
            return SEMI_MINOR_AXIS * a * (sigma - shift), degrees(atan2(east, north)) % 360
    raise ValueError(f"nearly antipodal: {start} and {end}")


def destination(start: Point, bearing: float, metres: float) -> Point:
    """Return the point that lies a length away from another in a direction."""
    if metres == 0:
        return start
    alpha = radians(bearing)
    tan_u1 = (1 - FLATTENING) * tan(radians(start[1]))
    cos_u1 = 1 / sqrt(1 + tan_u1**2)
    sin_u1 = tan_u1 * cos_u1
    sigma_1 = atan2(tan_u1, cos(alpha))
    sin_alpha = cos_u1 * sin(alpha)
    cos2_alpha = 1 - sin_alpha**2
    a, _shift = _series(cos2_alpha, 0.0, 1.0, 0.0)
    sigma = first = metres / (SEMI_MINOR_AXIS * a)
    for _step in range(_STEPS):
        cos_2m = cos(2 * sigma_1 + sigma)
        before = sigma
        sigma = first + _series(cos2_alpha, sin(sigma), cos(sigma), cos_2m)[1]
        if abs(sigma - before) < 1e-12:
            break
    sin_sigma, cos_sigma = sin(sigma), cos(sigma)
    cos_2m = cos(2 * sigma_1 + sigma)
    other = sin_u1 * sin_sigma - cos_u1 * cos_sigma * cos(alpha)
    latitude = atan2(sin_u1 * cos_sigma + cos_u1 * sin_sigma * cos(alpha), (1 - FLATTENING) * hypot(sin_alpha, other))
    east_angle = atan2(sin_sigma * sin(alpha), cos_u1 * cos_sigma - sin_u1 * sin_sigma * cos(alpha))
    c = FLATTENING / 16 * cos2_alpha * (4 + FLATTENING * (4 - 3 * cos2_alpha))
    east = east_angle - (1 - c) * FLATTENING * sin_alpha * (
        sigma + c * sin_sigma * (cos_2m + c * cos_sigma * (2 * cos_2m**2 - 1))
    )
    return (start[0] + degrees(east) + 180) % 360 - 180, degrees(latitude)


def _series(cos2_alpha: float, sin_sigma: float, cos_sigma: float, cos_2m: float) -> tuple[float, float]:
    """Return Vincenty's A and Δσ."""
    u2 = cos2_alpha * (SEMI_MAJOR_AXIS**2 - SEMI_MINOR_AXIS**2) / SEMI_MINOR_AXIS**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    inner = cos_sigma * (2 * cos_2m**2 - 1) - b / 6 * cos_2m * (4 * sin_sigma**2 - 3) * (4 * cos_2m**2 - 3)
    return a, b * sin_sigma * (cos_2m + b / 4 * inner)


def circle(centre: Point, radius: float, points: int = _CIRCLE_POINTS) -> list[Point]:
    """Return the closed ring of the points that lie a radius away from a centre, anticlockwise."""
    ring = [destination(centre, -360 * i / points, radius) for i in range(points)]
    return [*ring, ring[0]]


def sector(centre: Point, bearing: float, half_angle: float, length: float) -> list[Point]:
    """Return the closed ring of a sector that opens towards a bearing, anticlockwise.

    A half angle of 180° is the whole circle.
    """
    if half_angle >= 180:
        return circle(centre, length)
    steps = max(2, round(_CIRCLE_POINTS * half_angle / 180))
    arc = [destination(centre, bearing + half_angle - 2 * half_angle * i / steps, length) for i in range(steps + 1)]
    return [centre, *arc, centre]


def area(ring: Sequence[Point]) -> float:
    """Return the area inside a ring (m²), whichever way it turns.

    Corners move to the sphere of the same area; edges become great circles there, which for edges of some tens of
    kilometres differ from geodesics by about a millionth of the area.
    """
    excess = 0.0
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        east = radians((other[0] - one[0] + 180) % 360 - 180)
        south, north = tan(_authalic(one[1]) / 2), tan(_authalic(other[1]) / 2)
        excess += 2 * atan2(tan(east / 2) * (south + north), 1 + south * north)
    return abs(excess) * _AUTHALIC_RADIUS**2


def polygon_area(geometry: shapely.Geometry) -> float:
    """Return the area of polygons (m²), less their holes."""
    total = 0.0
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            total += area(list(part.exterior.coords)[:-1]) - sum(
                area(list(hole.coords)[:-1]) for hole in part.interiors
            )
    return total


def buffered(geometry: shapely.Geometry, metres: float) -> shapely.Geometry:
    """Return what lies within a distance of a geometry.

    Around a point exactly; around lines and polygons in a plane that touches the ellipsoid at their middle, good to
    some thousandths of the distance across a city.
    """
    if geometry.geom_type == "Point":
        return shapely.Polygon(circle((geometry.x, geometry.y), metres))
    west, south, east, north = geometry.bounds
    middle = np.array([(west + east) / 2, (south + north) / 2])
    degree = np.array(_degree(float(middle[1])))
    flat = shapely.transform(geometry, lambda points: (points - middle) * degree)
    return shapely.transform(flat.buffer(metres, quad_segs=16), lambda points: points / degree + middle)


def _degree(latitude: float) -> Point:
    """Return the length of a degree of longitude and of latitude."""
    curvature = 1 - _ECCENTRICITY_SQUARED * sin(radians(latitude)) ** 2
    east = SEMI_MAJOR_AXIS / sqrt(curvature) * cos(radians(latitude))
    north = SEMI_MAJOR_AXIS * (1 - _ECCENTRICITY_SQUARED) / curvature**1.5
    return east * pi / 180, north * pi / 180


def _q(latitude: float) -> float:
    """Return Snyder's q (Map projections, USGS 1987, 3-12): the area of the zone up to a latitude, to a constant."""
    e, s = sqrt(_ECCENTRICITY_SQUARED), sin(radians(latitude))
    return (1 - e * e) * (s / (1 - e * e * s * s) - log((1 - e * s) / (1 + e * s)) / (2 * e))


_Q_POLE = _q(90)
_AUTHALIC_RADIUS = SEMI_MAJOR_AXIS * sqrt(_Q_POLE / 2)


def _authalic(latitude: float) -> float:
    """Return the latitude (radians) on the sphere of the same area."""
    return asin(max(-1.0, min(1.0, _q(latitude) / _Q_POLE)))
