"""With the parameters of QARTOD the checks give the flags of ioos_qc, value by value."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("ioos_qc", reason="a development dependency: uv sync")

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "bench_qc.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_qc", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("default")  # of pandas and numpy inside ioos_qc
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flags_are_those_of_ioos_qc(bench, seed, gaps):
    for code, count in bench.compare(bench.make_series(20_000, seed, gaps)).items():
        assert count["suspect"] + count["fail"] > 0, code
        assert count["differ"] == 0, code


def test_a_day_of_the_city_is_checked_by_all_that_applies_to_air(bench):
    (window,) = bench.make_city(1, 7)
    found = bench.qc.run(window)
    assert set(found) == set(bench.FACTORS)
    assert {"GEN-SPIKE", "GEN-MINMAX", "DEV-FLAG", "DEV-CLOCK", "AIR-PM-ORDER"} <= set(found["pm25"])
