"""One spelling for each unit."""

import pytest

from luming.hj212 import FACTORS
from luming.registry import units


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("mg/m3", "mg/m³"), ("mg/Nm3", "mg/m³"), ("MG/M³", "mg/m³"), ("ug/m3", "µg/m³"), ("μg/m³", "µg/m³"),
        ("毫克/升", "mg/L"), ("mg/l", "mg/L"), ("us/cm", "µS/cm"), ("dB(A)", "dB"), ("°C", "℃"), ("无量纲", ""),
        ("", ""), ("furlong", None),
    ],
)  # fmt: skip
def test_spellings(written, spelled):
    assert units.known(written) == spelled


def test_all_units_of_hj212_are_their_own_spelling():
    for factor in FACTORS.values():
        assert units.known(factor.unit) == factor.unit, factor.code
