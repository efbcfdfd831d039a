"""Allowed errors of manual against automatic results, and limits of drift, at their bounds."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from luming.standards import comparison, drift
from luming.standards.comparison import relative_accuracy, within, within_pairs
from luming.standards.drift import DriftState, drift_state

WATER = "HJ 355-2019"


@pytest.mark.parametrize(
    ("factor", "manual", "automatic", "kind", "error", "passed"),
    [
        ("cod", 29.9, 34.9, "absolute", 5.0, True),
        ("cod", 29.9, 35.0, "absolute", 5.1, False),
        ("cod", 30.0, 39.0, "relative", 30.0, True),
        ("cod", 59.9, 77.87, "relative", 30.0, True),
        ("cod", 60.0, 72.0, "relative", 20.0, True),
        ("cod", 60.0, 72.1, "relative", None, False),
        ("cod", 100.0, 85.0, "relative", -15.0, True),
        ("cod", 100.0, 84.9, "relative", -15.1, False),
        ("nh3n", 1.99, 1.69, "absolute", -0.3, True),
        ("nh3n", 2.0, 2.31, "relative", 15.5, False),
        ("tp", 0.39, 0.43, "absolute", 0.04, True),
        ("tp", 0.4, 0.46, "relative", 15.0, True),
        ("tn", 1.0, 1.31, "absolute", 0.31, False),
        ("ph", 7.1, 7.6, "absolute", 0.5, True),
        ("ph", 7.1, 7.61, "absolute", 0.51, False),
        ("temp", 20.0, 20.5, "absolute", 0.5, True),
        ("flow", 200.0, 220.0, "relative", 10.0, True),
    ],
)
def test_waste_water_by_hj_355(factor, manual, automatic, kind, error, passed):
    found = within(manual, automatic, factor, WATER)
    assert (found.kind, found.passed) == (kind, passed)
    if error is not None:
        assert found.error == pytest.approx(error, abs=1e-9)
    assert not found.row.verified  # all of the table is from memory


def test_every_factor_has_one_row_for_every_result():
    for edition in ("HJ 355-2019", "HJ 75-2017"):
        factors = {row.factor for row in comparison.allowed_errors(edition=edition)}
        for factor in factors:
            rows = comparison.allowed_errors(factor, edition)
            for value in (0.0, 1.0, 5.0, 10.0, 20.0, 30.0, 59.0, 100.0, 143.0, 200.0, 715.0, 1e4):
                assert sum(row.holds(value) for row in rows) == 1, (factor, value)


@pytest.mark.parametrize(
    ("factor", "manual", "kind", "allowed"),
    [
        ("o2", 5.0, "absolute", 1.0),
        ("o2", 5.01, "accuracy", 15.0),
        ("velocity", 10.0, "relative", 12.0),
        ("velocity", 10.1, "relative", 10.0),
        ("moisture", 5.0, "absolute", 1.5),
        ("pm", 10.0, "absolute", 5.0),
        ("pm", 20.0, "absolute", 6.0),
        ("pm", 200.0, "relative", 20.0),
        ("so2", 57.0, "relative", 30.0),
        ("so2", 143.0, "absolute", 57.0),
        ("so2", 715.0, "accuracy", 15.0),
        ("nox", 40.9, "absolute", 12.0),
    ],
)
def test_ranges_of_waste_gas_at_their_bounds(factor, manual, kind, allowed):
    (row,) = [row for row in comparison.allowed_errors(factor, "HJ 75-2017") if row.holds(manual)]
    assert (row.kind, row.allowed) == (kind, allowed)


def test_several_pairs_of_waste_gas_are_judged_by_their_means():
    (found,) = within_pairs([40.0, 44.0], [50.0, 62.0], "pm", "HJ 75-2017")
    assert (found.kind, found.error, found.passed) == ("relative", pytest.approx(33.333333333), False)
    (found,) = within_pairs([9.0, 12.0], [15.0, 18.0], "pm", "HJ 75-2017")
    assert (found.kind, found.error, found.passed) == ("absolute", 6.0, True)


def test_relative_accuracy_by_hand():
    # differences 1 … 9: mean 5, S = √7.5, t(8) = 2.306: cc = 2.306 × 2.738613 / 3 = 2.105080; (5 + cc) / 1000
    reference = np.full(9, 1000.0)
    accuracy = relative_accuracy(reference, reference + np.arange(1, 10))
    assert accuracy == pytest.approx((5 + 2.306 * np.sqrt(7.5) / 3) / 10)
    (found,) = within_pairs(reference, reference + np.arange(1, 10), "so2", "HJ 75-2017")
    assert (found.kind, found.passed) == ("accuracy", True)
    with pytest.raises(ValueError, match="6 pairs"):
        relative_accuracy([1] * 5, [1] * 5)
    with pytest.raises(ValueError, match="6 pairs"):
        within(1000.0, 1001.0, "so2", "HJ 75-2017")


def test_results_that_cannot_be_compared():
    with pytest.raises(LookupError, match="chla"):
        within(1, 1, "chla", WATER)
    with pytest.raises(ValueError, match="numbers"):
        within(float("nan"), 1, "cod", WATER)
    with pytest.raises(ValueError, match="pair"):
        within_pairs([1, 2], [1], "cod", WATER)
    assert within(0.0, 0.0, "flow", WATER).passed
    assert not within(0.0, 1.0, "flow", WATER).passed


def test_editions_by_date():
    assert comparison.edition_for("sewage", date(2020, 3, 23)) is None
    assert comparison.edition_for("sewage", date(2020, 3, 24)) == WATER
    assert comparison.edition_for("gas", date(2026, 11, 28)) == "HJ 75-2017"


@pytest.mark.parametrize(
    ("kind", "factor", "zero", "span", "state"),
    [
        ("cems-gas", "so2", 2.5, -2.5, DriftState.OK),
        ("cems-gas", "so2", 2.51, 0.0, DriftState.ADJUST),
        ("cems-gas", "so2", 5.0, 10.0, DriftState.ADJUST),
        ("cems-gas", "so2", -5.01, 0.0, DriftState.OUT_OF_CONTROL),
        ("cems-gas", "nox", 0.0, 10.01, DriftState.OUT_OF_CONTROL),
        ("cems-particles", "pm", 2.1, None, DriftState.ADJUST),
        ("cems-particles", "pm", None, 8.1, DriftState.OUT_OF_CONTROL),
        ("cems-gas", "o2", None, None, DriftState.UNKNOWN),
        ("air-gas", "so2", 900.0, None, DriftState.ADJUST),  # no limit for out of control is known
        ("air-gas", "co", 1.0, None, DriftState.UNKNOWN),
    ],
)
def test_states_of_drift(kind, factor, zero, span, state):
    assert drift_state(kind, factor, zero=zero, span=span) == state


def test_drifts_of_many_checks_at_once():
    found = drift.limit("cems-gas", "so2", "zero")
    values = drift.drift([2.0, 20.0, 60.0, np.nan], 0.0, 1000.0) * 10
    assert values[:3].tolist() == [2.0, 20.0, 60.0]
    assert drift.states_of([2.0, 3.0, 6.0, np.nan], found).tolist() == [0, 1, 2, -1]
    assert drift.states_of([1.0], None).tolist() == [-1]
    with pytest.raises(ValueError, match="positive"):
        drift.drift(1, 0, 0)


def test_when_the_next_check_is_due():
    last = datetime(2026, 11, 1, tzinfo=UTC)
    found = drift.limit("cems-gas", "so2", "span", when=last)
    assert found.due(last, automatic=True) == datetime(2026, 11, 2, tzinfo=UTC)
    assert found.due(last, automatic=False) == datetime(2026, 11, 8, tzinfo=UTC)
    assert drift.limit("air-particles", "pm25", "flow").due(last, automatic=True) is None
    assert drift.limit("cems-gas", "so2", "span", when=date(2018, 2, 28)) is None
