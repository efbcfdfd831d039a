"""The datum of Chinese web maps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.registry.geo import gcj02_to_wgs84, wgs84_to_gcj02, within


def test_a_point_of_beijing():
    # The worked example of the public conversion tools: GCJ-02 116.404, 39.915; theirs is the first step of ours.
    assert gcj02_to_wgs84(116.404, 39.915) == pytest.approx((116.3977555, 39.9135957), abs=1e-6)


@given(st.floats(75, 134), st.floats(18, 53))
def test_there_and_back(longitude, latitude):
    assert gcj02_to_wgs84(*wgs84_to_gcj02(longitude, latitude)) == pytest.approx((longitude, latitude), abs=1e-9)


def test_within_counts_the_edge_and_the_margin():
    box = (109.0, 40.0, 111.0, 42.0)
    assert within(box, 109.0, 42.0)
    assert not within(box, 108.95, 41.0)
    assert within(box, 108.95, 41.0, margin=0.1)
