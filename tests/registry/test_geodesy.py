"""Lengths, bearings and areas against GeographicLib (C. Karney), computed once with pyproj, and themselves."""

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from luming.registry import geodesy

# (from, to, metres, bearing)
KNOWN = [
    ((109.84, 40.65), (110.01, 40.52), 20384.6886, 135.03142871),
    ((109.95, 40.62), (111.2, 42.3), 213817.4537, 28.82427432),
    ((109.95, 40.62), (116.39, 39.91), 553318.4017, 96.09852374),
    # Flinders Peak to Buninyong, the example of the Australian geodetic manual: 54972.271 m, 306°52′05.37″
    ((144.42486789, -37.95103342), (143.92649553, -37.65282114), 54972.2712, 306.86815947),
    ((0, 0), (90, 0), 10018754.1714, 90.0),
]


@pytest.mark.parametrize(("start", "end", "metres", "bearing"), KNOWN)
def test_known_lengths_and_bearings(start, end, metres, bearing):
    found = geodesy.inverse(start, end)
    assert found[0] == pytest.approx(metres, abs=0.001)
    assert found[1] == pytest.approx(bearing, abs=1e-7)
    assert geodesy.destination(start, bearing, metres) == pytest.approx(end, abs=2e-8)


def test_known_places_at_a_distance():
    assert geodesy.destination((109.95, 40.62), 315, 10000) == pytest.approx((109.866354536, 40.683645973), abs=1e-9)
    assert geodesy.destination((109.95, 40.62), 90, 250000) == pytest.approx((112.903396453, 40.582225593), abs=1e-9)
    assert geodesy.destination((179.99, 0), 90, 10000)[0] == pytest.approx(
        -179.92016847, abs=1e-6
    )  # over the date line


# ring, m² (GeographicLib)
AREAS = [
    ([(109.5, 40.4), (110.5, 40.4), (110.5, 41), (109.5, 41)], 5631107325.87),
    ([(109.8, 40.6), (110.0, 40.65), (109.9, 40.8)], 164377582.64),
    ([(109, 40), (112, 40), (112, 43), (109, 43)], 83444727909.8),
]


@pytest.mark.parametrize(("ring", "square_metres"), AREAS)
def test_known_areas(ring, square_metres):
    assert geodesy.area(ring) == pytest.approx(square_metres, rel=2e-6)
    assert geodesy.area(ring[::-1]) == pytest.approx(square_metres, rel=2e-6)


def test_the_area_of_the_globe():
    quarter = geodesy.area([(0, 0), (90, 0), (90, 89.999999), (0, 89.999999)])
    assert 8 * quarter == pytest.approx(510065621724089, rel=1e-6)


def test_holes_are_no_area():
    outer = geodesy.circle((109.95, 40.62), 2000)
    inner = geodesy.circle((109.95, 40.62), 1000)
    whole = geodesy.polygon_area(shapely.Polygon(outer, [inner]))
    assert whole == pytest.approx(math.pi * (2000**2 - 1000**2), rel=2e-3)


def test_opposite_points_are_refused():
    with pytest.raises(ValueError, match="antipodal"):
        geodesy.inverse((0, 0), (179.7, 0.1))
    assert geodesy.inverse((10, 20), (10, 20)) == (0, 0)


places = st.tuples(st.floats(73, 135), st.floats(-60, 60))


@given(places, st.floats(0, 359.99), st.floats(1, 1_000_000))
def test_there_and_back(start, bearing, metres):
    end = geodesy.destination(start, bearing, metres)
    distance, direction = geodesy.inverse(start, end)
    assert distance == pytest.approx(metres, abs=0.001)
    assert math.cos(math.radians(direction - bearing)) == pytest.approx(1, abs=1e-6)


def test_a_sector_opens_towards_its_bearing():
    centre = (109.95, 40.62)
    sector = shapely.Polygon(geodesy.sector(centre, 315, 22.5, 10_000))
    inside = geodesy.destination(centre, 315 - 22, 9_900)
    for bearing, metres in [(315 - 23, 9_900), (315 + 23, 9_900), (315, 10_100), (135, 100)]:
        assert not sector.contains(shapely.Point(geodesy.destination(centre, bearing, metres)))
    assert sector.contains(shapely.Point(inside))
    assert geodesy.polygon_area(sector) == pytest.approx(math.pi * 10_000**2 / 8, rel=1e-3)
    assert geodesy.sector(centre, 10, 180, 500) == geodesy.circle(centre, 500)


def test_buffers_reach_as_far_as_they_say():
    line = shapely.LineString([(109.8, 40.6), (110.1, 40.7)])
    around = geodesy.buffered(line, 3_000)
    start = (109.8, 40.6)
    for bearing in (180, 250, 300):  # away from the line
        assert around.covers(shapely.Point(geodesy.destination(start, bearing, 2_980)))
        assert not around.covers(shapely.Point(geodesy.destination(start, bearing, 3_020)))
    point = geodesy.buffered(shapely.Point(start), 500)
    assert geodesy.polygon_area(point) == pytest.approx(math.pi * 500**2, rel=2e-3)
