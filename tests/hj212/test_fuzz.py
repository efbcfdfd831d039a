"""A short run of the mutation fuzzer (`benchmarks/fuzz_decode.py` runs the long one)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_decode.py"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 212])
def test_ten_thousand_mutants(seed: int) -> None:
    spec = importlib.util.spec_from_file_location("fuzz_decode", SCRIPT)
    assert spec is not None and spec.loader is not None
    fuzzer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzzer)
    figures = fuzzer.run(10_000, seed)
    assert sum(figures["verdicts"].values()) == 10_000
    assert figures["verdicts"]["accepted"] > 1000 and figures["verdicts"]["crc.mismatch"] > 1000
