"""The checks on labelled data of river probes: the script runs anywhere, and where the data are, the bar is held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("LUMING_TEST_DATA", ROOT.parent / "shared" / "data"))


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "LUMING_SHARED"}
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("script", ["qc_labels.py", "qc_beijing.py"])
def test_without_data_the_script_says_so_and_measures_nothing(script):
    done = run(script)
    assert done.returncode == 0
    assert "LUMING_SHARED" in done.stderr
    assert done.stdout == ""


def test_default_parameters_agree_with_technicians(tmp_path):
    folder = DATA / "qc_pyhydroqc_lro"
    if not folder.is_dir():
        pytest.skip(f"no labelled data in {DATA}; set LUMING_TEST_DATA")
    target = tmp_path / "labels.json"
    assert run("qc_labels.py", "--data", str(folder), "--json", str(target)).returncode == 0
    report = json.loads(target.read_text(encoding="utf-8"))
    reached = {factor: row["f1"] for factor, row in report["default"].items()}
    for factor, least in {
        "temp": 0.9,
        "ec": 0.7,
        "ph": 0.65,
        "do": 0.75,
        "turb": 0.7,
        "stage": 0.85,
        "all": 0.85,
    }.items():
        assert reached[factor] >= least, factor
    assert report["tuned_on"] == ["FranklinBasin2020"]
    assert report["tuned, not tuned on"]["all"]["labelled"] > 0
