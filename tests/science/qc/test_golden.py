"""Every check on small inputs checked by hand: golden/*.toml."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qc_cases import cases, results, window

from luming.science.qc import catalogue as qc

CASES = list(cases(Path(__file__).parent / "golden"))


@pytest.mark.parametrize("case", CASES, ids=[f"{case['check']}: {case['says']}"[:70] for case in CASES])
def test_case(case):
    seen = window(case)
    settings = {case["check"]: case["parameters"]} if "parameters" in case else None
    found = qc.run(seen, [case["factor"]], [case["check"]], settings)[case["factor"]]
    if case.get("applies", True):
        assert found[case["check"]].dtype == np.int8
        assert found[case["check"]].tolist() == results(case["expect"])
    else:
        assert found == {}


def test_every_check_has_a_case_that_fires_and_one_that_does_not():
    fires = {case["check"] for case in CASES if {"3", "4"} & {word[0] for word in case.get("expect", "").split()}}
    quiet = {case["check"] for case in CASES if "1" in {word[0] for word in case.get("expect", "").split()}}
    codes = {code for code, check in qc.catalogue().items() if check.severity != "signal"}
    assert codes - fires - {"GEN-MISSING"} == set()
    assert codes - quiet == set()
