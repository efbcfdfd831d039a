"""Control charts against the worked example of the NIST e-Handbook, and the courses of drifts."""

import numpy as np
import pytest

from luming.science import control

# NIST/SEMATECH e-Handbook 6.3.2.4: 20 values, centre 50, s = 2.0539, weight 0.3.
VALUES = [
    52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6,
    52.1,
]  # fmt: skip
EWMA = [
    50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52, 50.05, 49.38, 49.92,
    50.73, 51.23, 51.94, 51.99,
]  # fmt: skip


def test_the_example_of_nist():
    chart = control.chart(np.array(VALUES), centre=50, sigma=2.0539, weight=0.3)
    assert np.allclose(chart.ewma, EWMA, atol=0.006)
    assert chart.ewma_high[-1] == pytest.approx(52.5884, abs=1e-3)  # the limit that the steps tend to
    assert chart.ewma_low[-1] == pytest.approx(47.4115, abs=1e-3)
    assert chart.in_control


def test_a_small_shift_is_found_by_the_ewma_before_shewhart():
    values = np.array([0.1, -0.2, 0.1, 0.0, -0.1, 0.2, 0.0, -0.1, 0.4, 0.5, 0.4, 0.5, 0.4, 0.5])
    chart = control.chart(values, centre=0, sigma=0.2)
    assert not chart.beyond and chart.ewma_beyond and chart.ewma_beyond[0] > 8


def test_values_beyond_three_sigma_and_runs_are_named():
    values = np.array([0.1, -0.1, 5.0, 0.1, -0.1, 0.1, -0.1])
    assert control.chart(values, centre=0, sigma=1.0).beyond == (2,)
    assert control.chart(np.full(9, 0.1), centre=0, sigma=1.0).runs == (7, 8)


def test_few_values_have_no_limits():
    chart = control.chart(np.array([0.1, 0.2, 0.1]), centre=0)
    assert np.isnan(chart.sigma) and chart.in_control
    assert control.chart(np.array([])).in_control
    with pytest.raises(ValueError, match="weight"):
        control.ewma(np.array([1.0]), 0, 0)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.1, 0.5, 0.9, 1.4, 1.8, 2.3], "creeping"),
        ([0.1, 0.0, -0.1, 3.1, 3.0, 2.9], "jumped"),
        ([0.1, -0.1, 0.1, 0.0, -0.1, 0.1], "steady"),
        ([0.0, 0.0, 0.0, 0.0], "steady"),
        ([0.0, 9.0], "unknown"),
    ],
)
def test_the_course_of_a_drift(values, kind):
    assert control.course(np.array(values), 0.5).kind == kind


def test_a_jump_names_its_place():
    course = control.course(np.array([0.0, 0.1, 0.0, -2.0, -2.1, -2.0, -2.1]), 0.5)
    assert (course.kind, course.at) == ("jumped", 3) and course.change == pytest.approx(-2.05)
