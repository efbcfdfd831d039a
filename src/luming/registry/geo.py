"""The datum of Chinese web maps, and whether a point lies in a box.

Luming keeps longitude and latitude in WGS-84, which agrees with CGCS2000 to a few centimetres. Web maps of China print
GCJ-02 (火星坐标), a public distortion of up to about 700 m.
"""

from __future__ import annotations

from math import cos, pi, sin, sqrt

# The ellipsoid of the distortion: Krassovsky 1940.
_SEMI_MAJOR_AXIS = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees


def within(bounds: Bounds, longitude: float, latitude: float, margin: float = 0.0) -> bool:
    """Tell whether a point lies in a box widened by a margin (degrees)."""
    west, south, east, north = bounds
    return west - margin <= longitude <= east + margin and south - margin <= latitude <= north + margin


def _waves(x: float, y: float, medium: float, long: float) -> float:
    """Return the periodic part of a shift (m); ``medium`` and ``long`` are the amplitudes of the longer waves."""
    return (
        (20 * sin(6 * pi * x) + 20 * sin(2 * pi * x) + 20 * sin(pi * y) + 40 * sin(pi / 3 * y)) * 2 / 3
        + (medium * sin(pi / 12 * y) + long * sin(pi / 30 * y)) * 2 / 3
    )  # fmt: skip


def wgs84_to_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    """Return the GCJ-02 position of a WGS-84 one (degrees, mainland China)."""
    x, y = longitude - 105, latitude - 35
    root = sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + _waves(x, y, 160, 320)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + _waves(x, x, 150, 300)
    angle = latitude / 180 * pi
    curvature = 1 - _ECCENTRICITY_SQUARED * sin(angle) ** 2
    meridian = _SEMI_MAJOR_AXIS * (1 - _ECCENTRICITY_SQUARED) / (curvature * sqrt(curvature))
    parallel = _SEMI_MAJOR_AXIS / sqrt(curvature) * cos(angle)
    return longitude + east * 180 / (parallel * pi), latitude + north * 180 / (meridian * pi)


def gcj02_to_wgs84(longitude: float, latitude: float) -> tuple[float, float]:
    """Return the WGS-84 position of a GCJ-02 one (degrees), exact to less than a millimetre."""
    x, y = longitude, latitude
    for _ in range(6):  # each step gains about four digits
        shifted_x, shifted_y = wgs84_to_gcj02(x, y)
        x, y = x + longitude - shifted_x, y + latitude - shifted_y
    return x, y
