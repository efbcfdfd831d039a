"""The catalogue: complete, in two languages, with sources and marks, and its page up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from luming.science.qc import catalogue as qc
from luming.science.qc import factors, listing
from luming.science.qc.model import Mark, Neighbour, Result, Severity, Window

CHECKS = list(qc.catalogue().values())
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("check", CHECKS, ids=[check.code for check in CHECKS])
def test_a_check_says_what_it_is(check):
    assert re.fullmatch(r"(GEN|AIR|GAS|WW|WQ|DEV|FRAUD)(-[A-Z0-9]+)+", check.code)
    assert re.search(r"[一-鿿]", check.zh)
    assert re.search(r"[一-鿿]", check.explain_zh)
    assert re.search(r"[A-Za-z]", check.en) and not re.search(r"[一-鿿]", check.en + check.explain_en)
    assert check.source and check.mark in Mark and check.severity in Severity
    assert check.media <= set(factors.MEDIA)
    assert check.until is None or check.since < check.until
    for parameter in check.parameters:
        assert re.search(r"[一-鿿]", parameter.zh), parameter.name
        assert parameter.en and parameter.zh
        for number in [parameter.default, *parameter.by_factor.values()]:
            assert np.isnan(number) or parameter.minimum <= number <= parameter.maximum, parameter.name


def test_a_memory_is_never_called_verified():
    for code in ("DEV-CALIBRATION-DUE", "DEV-ZERO-DRIFT", "DEV-SPAN-DRIFT", "DEV-PERIOD"):
        assert qc.catalogue()[code].mark is Mark.MEMORY


def test_the_needs_of_default_parameters_are_within_the_reach_told():
    for check in CHECKS:
        if check.reaches is not None:
            hourly, _ = check.needs(check.defaults("pm25", "air"), 3600.0)
            assert hourly <= check.reach, check.code


def test_the_edition_changes_with_a_default_and_only_then(monkeypatch):
    before = qc.edition()
    assert re.fullmatch(r"[0-9a-f]{12}", before)
    qc.edition.cache_clear()
    assert qc.edition() == before
    shorter = dict(list(qc.catalogue().items())[:-1])
    monkeypatch.setattr(qc, "catalogue", lambda: shorter)
    qc.edition.cache_clear()
    assert qc.edition() != before
    monkeypatch.undo()
    qc.edition.cache_clear()


def test_quality_follows_results_and_severities():
    results = {
        "GEN-RANGE": np.array([1, 4, 3, 1, 1, 9, 1], dtype=np.int8),  # invalid
        "GEN-SPIKE": np.array([1, 3, 1, 4, 2, 9, 1], dtype=np.int8),  # suspect
        "GEN-DETECTION": np.array([3, 1, 1, 1, 1, 9, 4], dtype=np.int8),  # inform
    }
    assert qc.quality(results).tolist() == [1, 4, 3, 3, 1, 9, 1]
    assert qc.worst(results).tolist() == [3, 4, 3, 4, 1, 9, 4]
    assert len(qc.quality({})) == len(qc.worst({})) == 0


def test_parameters_of_one_factor_come_before_those_of_all():
    check = qc.catalogue()["GEN-RATE"]
    settings = {"GEN-RATE": {"suspect": 5.0, "pm25": {"suspect": 7.0}}}
    assert qc.settled(check, "pm25", "air", settings)["suspect"] == 7.0
    assert qc.settled(check, "so2", "air", settings)["suspect"] == 5.0
    assert qc.settled(check, "so2", "air")["suspect"] == factors.usual("rate", "so2", "air")


def test_bad_settings_are_refused_with_every_fault():
    window = Window(time=np.array(["2026-03-01"], dtype="datetime64[s]"), values={"pm25": np.ones(1)})
    with pytest.raises(qc.SettingsError) as error:
        qc.run(window, parameters={"GEN-NONE": {"x": 1.0}, "GEN-RATE": {"speed": 1.0, "suspect": -1.0}})
    assert all(word in str(error.value) for word in ("GEN-NONE", "speed", "-1"))
    with pytest.raises(qc.SettingsError, match="GEN-NOTHING"):
        qc.run(window, codes=["GEN-NOTHING"])


def test_signals_are_not_run_with_values():
    window = Window(time=np.array(["2026-03-01"], dtype="datetime64[s]"), values={"pm25": np.ones(1)})
    assert not {code for code in qc.run(window)["pm25"] if qc.catalogue()[code].severity is Severity.SIGNAL}
    assert qc.suspicions(window) == []


def test_codes_of_the_standard_have_short_names():
    assert factors.names("gas")["a19001"] == "o2"
    assert factors.names("sewage")["w00000"] == "flow"
    assert factors.unit("pm25", "air") == "µg/m³"


def test_ranges_of_the_table_are_in_order():
    for (medium, factor), row in factors.table().items():
        low, likely_low, likely_high, high = (
            float(row[name] or "nan") for name in ("low", "likely_low", "likely_high", "high")
        )
        assert low <= likely_low < likely_high <= high, (medium, factor)
        assert Result.PASS == 1


def test_the_reference_page_is_up_to_date():
    assert (ROOT / "docs/reference/checks.md").read_text(encoding="utf-8") == listing.markdown(), (
        "run python tools/checks.py"
    )
    done = subprocess.run([sys.executable, str(ROOT / "tools/checks.py"), "--check"], check=False)
    assert done.returncode == 0


def test_a_check_says_nothing_of_days_on_which_it_is_not_in_force(monkeypatch):
    days = np.array(["2026-02-28T15:00", "2026-02-28T16:00", "2026-03-01T16:00"], dtype="datetime64[s]")
    window = Window(time=days, values={"pm25": np.array([-9999.0, -9999.0, -9999.0])})
    dated = replace(qc.catalogue()["GEN-FILL"], since=date(2026, 3, 1), until=date(2026, 3, 2))
    monkeypatch.setattr(qc, "catalogue", lambda: {"GEN-FILL": dated})
    assert qc.run(window)["pm25"]["GEN-FILL"].tolist() == [2, 4, 2]


def test_only_what_is_verified_or_a_method_decides_by_default():
    """What was not read in the official text informs; an installation that has the text raises the severity."""
    unread = [check for check in CHECKS if check.mark in (Mark.MEMORY, Mark.SECONDARY)]
    assert unread and all(check.severity in (Severity.INFORM, Severity.SIGNAL) for check in unread)


def test_weather_may_be_the_same_at_two_stations():
    shared = 60 + np.cumsum(np.random.default_rng(3).normal(0, 5, 48)).round()
    time = np.datetime64("2026-06-01T00:00:00", "s") + np.arange(48) * np.timedelta64(1, "h")
    for factor, spoken in (("temp", False), ("pm25", True)):
        window = Window(time, {factor: shared}, neighbours={factor: [Neighbour("other", shared, 4.0)]})
        said = qc.run(window, [factor], ["AIR-TWINS"])[factor].get("AIR-TWINS", np.ones(48, np.int8))
        assert bool(np.isin(said, [Result.SUSPECT, Result.FAIL]).any()) is spoken
