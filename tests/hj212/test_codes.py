"""The tables: complete, consistent, and honest about their sources."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pytest

from luming.hj212 import (
    COMMANDS,
    EXE_RESULTS,
    FACTORS,
    FLAGS,
    QN_RESULTS,
    REASONS,
    SYSTEMS,
    Edition,
    by_short,
    find_factor,
    legacy_candidates,
)

GLOSSARY = {
    "air": "so2 no2 nox no co o3 pm10 pm25 tsp voc nmhc nh3 h2s",
    "gas": "so2 nox no no2 co nmhc nh3 h2s",
    "water": "ph do codmn cod bod5 nh3n tp tn cu zn f se as hg cd cr6 pb cn phenol oil las sulfide fecal temp ec turb "
    "chla",
    "noise": "leq ld ln lmax l10 l50 l90",
    "weather": "ws wd temp rh pres",
}


def test_annex_b_of_2017_is_complete() -> None:
    substances = [f for f in FACTORS.values() if f.source.startswith(("HJ 212-2017 附录B.1", "HJ 212-2017 附录B.2"))]
    assert len(substances) == 184
    assert all(factor.verified and factor.name_zh and factor.name_en for factor in substances)


@pytest.mark.parametrize(
    ("code", "name", "unit", "amount", "legacy", "decimals"),
    [
        ("w01018", "化学需氧量", "mg/L", "kg", "011", 1),
        ("w20117", "六价铬", "µg/L", "g", "024", 3),
        ("a21026", "二氧化硫", "mg/m³", "kg", "02", 2),
        ("a34004", "细微颗粒物PM2.5", "ng/m³", "g", None, 3),
        ("a00000", "废气", "m³/s", "m³", "B02", 1),
    ],
)
def test_spot_checks(code: str, name: str, unit: str, amount: str, legacy: str | None, decimals: int) -> None:
    factor = FACTORS[code]
    assert (factor.name_zh, factor.unit, factor.amount_unit, factor.legacy) == (name, unit, amount, legacy)
    assert factor.decimals == decimals


def test_every_row_names_its_source() -> None:
    text = resources.files("luming.hj212").joinpath("data/factors.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len(FACTORS)
    assert all(row["source"] and row["verified"] in ("yes", "no") and row["name_zh"] and row["name_en"] for row in rows)
    assert not FACTORS["a05024"].verified  # not in HJ 212-2017


@pytest.mark.parametrize(("medium", "names"), GLOSSARY.items())
def test_every_short_name_has_a_factor(medium: str, names: str) -> None:
    for name in names.split():
        assert by_short(name, medium).short == name
    with pytest.raises(KeyError, match="nonsense"):
        by_short("nonsense", medium)


def test_old_codes_are_proposals() -> None:
    assert legacy_candidates("02") == ("a21026",)
    assert legacy_candidates("B01") == ("w00000",)
    assert legacy_candidates("O3") == ("a05024",)
    assert legacy_candidates("831") == ()


def test_numbered_codes() -> None:
    assert (found := find_factor("e10103")) is not None and found.code == "e101xx"
    assert (found := find_factor("i33312")) is not None and found.code == "i3331x"
    assert find_factor("e1010") is None and find_factor("") is None


def test_commands_and_systems() -> None:
    assert len([c for c in COMMANDS.values() if c.verified]) == 33  # HJ 212-2017 table 9
    assert len([s for s in SYSTEMS.values() if s.verified]) == 20  # table 5
    assert COMMANDS[9015].editions == (Edition.V2025,) and not COMMANDS[9015].verified
    assert set(FLAGS) == set("NFMSDCTB")  # table 8
    assert set(EXE_RESULTS) == {1, 2, 3, 4, 5, 6, 100}  # table 6
    assert set(QN_RESULTS) == {*range(1, 10), 100}  # table 7


def test_every_reason_is_in_the_reference() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "hj212.md").read_text(encoding="utf-8")
    for code, info in REASONS.items():
        assert f"| `{code}` | {info.severity}{', fatal' if info.fatal else ''} |" in page, code
