"""GB 3838-2002 table 1: every limit of every item, the value just beyond it, and the rules for a sample."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.standards import water

ROMAN = (1, 2, 3, 4, 5)
# Table 1, typed a second time (mg/L; faecal coliform per litre).
RIVER = {
    "codmn": (2, 4, 6, 10, 15),
    "cod": (15, 15, 20, 30, 40),
    "bod5": (3, 3, 4, 6, 10),
    "nh3n": (0.15, 0.5, 1.0, 1.5, 2.0),
    "tp": (0.02, 0.1, 0.2, 0.3, 0.4),
    "tn": (0.2, 0.5, 1.0, 1.5, 2.0),
    "cu": (0.01, 1.0, 1.0, 1.0, 1.0),
    "zn": (0.05, 1.0, 1.0, 2.0, 2.0),
    "f": (1.0, 1.0, 1.0, 1.5, 1.5),
    "se": (0.01, 0.01, 0.01, 0.02, 0.02),
    "as": (0.05, 0.05, 0.05, 0.1, 0.1),
    "hg": (0.00005, 0.00005, 0.0001, 0.001, 0.001),
    "cd": (0.001, 0.005, 0.005, 0.005, 0.01),
    "cr6": (0.01, 0.05, 0.05, 0.05, 0.1),
    "pb": (0.01, 0.01, 0.05, 0.05, 0.1),
    "cn": (0.005, 0.05, 0.2, 0.2, 0.2),
    "phenol": (0.002, 0.002, 0.005, 0.01, 0.1),
    "oil": (0.05, 0.05, 0.05, 0.5, 1.0),
    "las": (0.2, 0.2, 0.2, 0.3, 0.3),
    "sulfide": (0.05, 0.1, 0.2, 0.5, 1.0),
    "fecal": (200, 2000, 10000, 20000, 40000),
}
LAKE_TP = (0.01, 0.025, 0.05, 0.1, 0.2)


@pytest.mark.parametrize(("factor", "body"), [*((f, "river") for f in RIVER), *((f, "lake") for f in RIVER)])
def test_at_the_limit_the_better_class_and_just_above_the_worse(factor: str, body: str) -> None:
    limits = LAKE_TP if (factor, body) == ("tp", "lake") else RIVER[factor]
    step = 10.0 ** -water.ITEMS[factor].decimals[body]
    for limit in limits:
        best = 1 + sum(limit > other for other in limits)
        worse = 1 + sum(limit >= other for other in limits)
        assert water.factor_class(factor, limit, body)[0] == best
        assert water.factor_class(factor, limit + step, body)[0] == worse
        assert water.factor_class(factor, limit + 0.4 * step, body)[0] == best  # rounds back to the limit


@pytest.mark.parametrize(
    ("value", "klass"),
    [(7.5, 1), (7.4, 2), (6, 2), (5.9, 3), (5, 3), (4.96, 3), (4.9, 4), (3, 4), (2.9, 5), (2, 5), (1.9, 6), (0, 6)],
)
def test_dissolved_oxygen_is_reversed(value: float, klass: int) -> None:
    assert water.factor_class("do", value)[0] == klass


def test_dissolved_oxygen_at_90_percent_saturation_is_class_1() -> None:
    values = {"do": [6.8, 6.8, np.nan]}
    assert water.classify(values, do_saturation=[90, 89.9, 95]).klass.tolist() == [1, 2, 0]


@pytest.mark.parametrize(("value", "klass"), [(6, 1), (9, 1), (5.9, 6), (9.1, 6), (9.04, 1), (5.96, 1), (14.5, 0)])
def test_ph_is_a_range_for_all_classes(value: float, klass: int) -> None:
    assert water.factor_class("ph", value)[0] == klass


def test_the_worst_item_decides_and_reference_items_do_not_count() -> None:
    values = {"codmn": [2.0, 6.0], "nh3n": [0.15, 1.51], "tn": [9.0, 9.0], "fecal": [1e6, 1e6]}
    result = water.classify(values)
    assert result.klass.tolist() == [1, 5]
    assert result.classes["tn"].tolist() == [6, 6]
    assert result.judged.tolist() == [2, 2]
    assert water.classify(values, count=["tn"]).klass.tolist() == [6, 6]


def test_missing_items_are_left_out() -> None:
    result = water.classify({"codmn": [np.nan, np.nan, -1.0], "tp": [0.2, np.nan, np.inf]})
    assert result.klass.tolist() == [3, 0, 0]
    assert result.exceeding == [[], [], []]


def test_exceeding_lists_multiples_largest_first_and_none_for_ph_and_do() -> None:
    result = water.classify({"ph": [9.5], "do": [1.0], "codmn": [6.6], "tp": [0.27], "nh3n": [1.0], "tn": [5.0]})
    assert result.exceeding == [[("tp", 0.35), ("codmn", 0.1), ("ph", None), ("do", None)]]
    assert result.exceeding_text() == ["tp(0.35);codmn(0.10);ph;do"]


@pytest.mark.parametrize(("nh3n", "text"), [(1.145, "nh3n(0.14)"), (1.16, "nh3n(0.16)"), (3.0, "nh3n(2.00)")])
def test_the_multiple_is_that_of_the_rounded_value(nh3n: float, text: str) -> None:
    assert water.classify({"nh3n": [nh3n]}).exceeding_text() == [text]


def test_lakes_have_their_own_phosphorus_and_its_multiple() -> None:
    assert water.classify({"tp": [0.1]}, body="lake").exceeding == [[("tp", 1.0)]]
    assert water.classify({"tp": [0.1]}, body="river").exceeding == [[]]


def test_displayed_places_can_be_changed_but_must_show_the_limits() -> None:
    assert water.classify({"tp": [0.204]}).klass.tolist() == [3]
    assert water.classify({"tp": [0.204]}, decimals={"tp": 3}).klass.tolist() == [4]
    with pytest.raises(ValueError, match=r"nh3n: 1 decimals cannot show"):
        water.classify({"nh3n": [1.0]}, decimals={"nh3n": 1})


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match=r"not in GB 3838-2002 table 1: turb"):
        water.classify({"turb": [1.0]})
    with pytest.raises(ValueError, match="'river' or 'lake'"):
        water.classify({"tp": [1.0]}, body="sea")
    with pytest.raises(ValueError, match="differ in shape"):
        water.classify({"tp": [1.0, 2.0], "cod": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="range 6 to 9"):
        water.limit("ph", 3)


@given(st.sampled_from(list(RIVER)), st.lists(st.floats(0, 1e5), min_size=2, max_size=20))
def test_more_of_a_pollutant_never_betters_the_class(factor: str, values: list[float]) -> None:
    classes = water.factor_class(factor, sorted(values))
    assert (np.diff(classes) >= 0).all()
    assert ((classes >= 1) & (classes <= 6)).all()


def test_items_are_those_of_table_1_and_marked() -> None:
    assert len(water.ITEMS) == 23  # table 1 has 24 with water temperature
    assert {f for f, item in water.ITEMS.items() if item.reference_only} == {"tn", "fecal"}
    assert all(item.verified and not item.decimals_verified for item in water.ITEMS.values())
    assert [info.name_zh for info in water.CLASSES.values()] == ["Ⅰ类", "Ⅱ类", "Ⅲ类", "Ⅳ类", "Ⅴ类", "劣Ⅴ类"]
    assert not any(info.verified for info in water.CLASSES.values())
    assert water.CLASSES[3].hex == "#00b050"
