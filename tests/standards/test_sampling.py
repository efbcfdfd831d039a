"""How samples are kept and analysed; the figures of HJ 493-2009 are marked as from memory."""

from datetime import date

import pytest

from luming.standards import sampling

DAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("factor", "hours"), [("w01018", 48), ("w21003", 24), ("w21011", 24), ("w21001", 168), ("w20117", 336)]
)
def test_holding_times(factor, hours):
    found = sampling.preservation("sewage", factor, DAY)
    assert (found.hours, found.edition, found.verified) == (hours, "HJ 493-2009", False)
    assert found.text_zh and found.text_en


def test_nothing_is_said_where_the_table_says_nothing():
    assert sampling.preservation("gas", "a34013", DAY) is None
    assert sampling.preservation("sewage", "w21003", date(2009, 10, 31)) is None
    assert sampling.methods("noise", "LA", DAY) == []


def test_methods_have_their_detection_limits():
    [method] = sampling.methods("gas", "a34013", DAY)
    assert (method.edition, method.detection_limit, method.unit, method.verified) == (
        "HJ 836-2017",
        1.0,
        "mg/m³",
        False,
    )
    assert sampling.methods("gas", "a34013", date(2018, 2, 28)) == []
    assert [row.edition for row in sampling.methods("water", "w22001", DAY)] == ["HJ 970-2018"]
