"""Suspicions of fabricated data: honest series raise none, tampered ones are found, and each explains itself."""

from __future__ import annotations

import csv
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from luming.science.qc.fraud import CHECKS, TITLES, as_dict, from_dict, synthetic
from luming.science.qc.fraud.readings import ranks, resolution, usable
from luming.science.qc.model import Mark, Severity, Span, Window

BY_CODE = {check.code: check for check in CHECKS}
PRSA = Path(os.environ.get("LUMING_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / "air_beijing_prsa"
# What is found without fail: check, kind of honest data, tampering, strength.
STRONG = [
    ("FRAUD-BUNCHING", "stack", synthetic.cut, 0.9),
    ("FRAUD-BUNCHING", "stack", synthetic.multiply, 0.6),
    ("FRAUD-TRUNCATION", "stack", synthetic.cap, 0.95),
    ("FRAUD-REPEAT", "stack", synthetic.paste, 24),
    ("FRAUD-DAILY", "stack", synthetic.replay, 0.01),
    ("FRAUD-NOISE", "stack", synthetic.smooth, 12),
    ("FRAUD-DIGITS", "stack", synthetic.prefer, 0.2),
    ("FRAUD-CALIBRATION", "calibrated", synthetic.deaf, 1.0),
    ("FRAUD-LOAD", "stack", synthetic.ignore_load, 42),
    ("FRAUD-LOAD", "stopping", synthetic.run_on, 1.0),
    ("FRAUD-LEVEL", "stack", synthetic.behave, 0.4),
    ("FRAUD-LEVEL", "stack", synthetic.change_hands, 0.3),
]


def suspicions(window, code=None, factor="so2", **parameters):
    found = []
    for check in CHECKS:
        if code in (None, check.code) and check.applies(window, factor):
            found += check.run(window, factor, **{**check.defaults(factor), **parameters})
    return found


def test_the_family_signals_and_never_judges():
    assert len(CHECKS) == 9 and len(BY_CODE) == 9
    for check in CHECKS:
        assert check.code.startswith("FRAUD-") and check.severity is Severity.SIGNAL and check.mark is Mark.METHOD
        assert check.zh and check.en and check.source and check.explain_zh and check.explain_en
        for parameter in check.parameters:
            assert parameter.minimum <= parameter.default <= parameter.maximum, (check.code, parameter.name)


@pytest.mark.parametrize("kind", [*synthetic.HONEST, "calibrated"])
def test_honest_series_raise_no_suspicion(kind):
    for seed in range(4):
        assert not suspicions(synthetic.series(kind, seed)), seed


@pytest.mark.parametrize(("code", "kind", "tamper", "strength"), STRONG)
def test_tampering_is_found_and_explained(code, kind, tamper, strength):
    for seed in range(3):
        window = tamper(synthetic.series(kind, seed), strength, seed)
        found = suspicions(window, code)
        assert len(found) == 1, seed
        one = found[0]
        assert one.code == code and one.factor == "so2" and one.zh and one.en
        assert window.time[0] <= one.start < one.end <= window.time[-1] + np.timedelta64(1, "D")
        assert 0 < one.strength <= 1
        assert set(one.numbers) <= set(TITLES) and "effect" in one.numbers
        drawn = one.picture
        assert drawn["kind"] in {"histogram", "line", "scatter", "bars"}
        assert 3 < len(drawn["x"]) == len(drawn["y"]) <= 801
        assert "expected" not in drawn or len(drawn["expected"]) == len(drawn["x"])
        assert drawn["zh"].keys() == drawn["en"].keys() >= {"x", "y", "data"}


def test_the_period_is_that_of_the_tampering():
    honest = synthetic.honest("stack", 5)
    smoothed = suspicions(synthetic.smooth(honest, 12, 5), "FRAUD-NOISE")[0]
    assert abs((smoothed.start - honest.time[4000]) / np.timedelta64(1, "D")) <= 1.5
    assert abs((smoothed.end - honest.time[4504]) / np.timedelta64(1, "D")) <= 1.5
    pasted = suspicions(synthetic.paste(honest, 72, 5), "FRAUD-REPEAT")[0]
    assert 60 <= pasted.numbers["length"] <= 72
    replayed = suspicions(synthetic.replay(honest, 0.0, 5), "FRAUD-DAILY")[0]
    day = (replayed.start - honest.time[0]) / np.timedelta64(1, "D")
    assert day == int(day) and (day == 20 or 150 <= day < 155)


def test_a_suspicion_goes_to_json_and_back():
    for code, kind, tamper, strength in STRONG:
        one = suspicions(tamper(synthetic.series(kind, 1), strength, 1), code)[0]
        stored = json.loads(json.dumps(as_dict(one), allow_nan=False))
        again = from_dict(stored)
        assert as_dict(again) == stored
        assert (again.start, again.end, again.strength, again.zh) == (one.start, one.end, one.strength, one.zh)


def test_checks_neither_change_their_window_nor_roll_dice():
    window = synthetic.behave(synthetic.honest("stack", 3), 0.4, 3)
    before = {name: values.copy() for name, values in window.values.items()}
    first = [as_dict(one) for one in suspicions(window)]
    assert first and first == [as_dict(one) for one in suspicions(window)]
    assert all(np.array_equal(window.values[name], values, equal_nan=True) for name, values in before.items())


@pytest.mark.parametrize("count", [0, 1, 50, 400])
def test_short_empty_and_constant_series_raise_nothing(count):
    time = synthetic.START + np.arange(count) * np.timedelta64(3600, "s")
    spans = [Span(kind, time[0], time[-1]) for kind in ("calibration", "inspection", "maintainer") if count]
    for values in (np.full(count, np.nan), np.zeros(count), np.full(count, 20.9), -np.arange(count) / 10):
        window = Window(
            time=time, values={"so2": values, "load": np.full(count, 80.0)}, medium="gas", limit={"so2": 50.0},
            stopped=np.zeros(count, bool), spans=spans,
        )  # fmt: skip
        found = [one for one in suspicions(window) if one.code != "FRAUD-DAILY"]
        assert not found


def test_no_odd_series_breaks_a_check():
    """Gaps, few figures, jumps, nothing positive, uneven times: any of them may say something, none may fail."""
    kinds = ("calibration", "inspection", "maintainer", "stopped")
    for seed in range(60):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(2, 4000))
        interval = float(rng.choice([60, 300, 3600, 14_400, 86_400]))
        values = rng.choice([1.0, 10.0, 1000.0]) * rng.standard_normal(count) ** int(rng.integers(1, 4))
        values = np.round(values, int(rng.integers(0, 4))) if seed % 3 else rng.integers(0, 4, count).astype(float)
        values[rng.random(count) < rng.choice([0.0, 0.3, 0.97])] = np.nan
        values[: count // int(rng.integers(1, 9))] = rng.choice([np.nan, 0.0, 5.0])
        time = synthetic.START + np.cumsum(rng.integers(1, 3, count)) * np.timedelta64(int(interval), "s")
        starts = np.sort(rng.integers(0, count, 12))
        spans = [
            Span(kinds[at % 4], time[start], time[min(count - 1, start + int(rng.integers(1, 40)))], {"target": 50.0})
            for at, start in enumerate(starts)
        ]
        window = Window(
            time=time, values={"so2": values, "load": rng.integers(0, 3, count).astype(float)}, interval=interval,
            medium="gas", limit={"so2": float(rng.choice([1.0, 50.0]))}, stopped=rng.random(count) < 0.2, spans=spans,
        )  # fmt: skip
        for one in suspicions(window):
            json.dumps(as_dict(one), allow_nan=False)


def test_all_days_alike_are_found():
    rng = np.random.default_rng(1)
    day = rng.gamma(4, 5, 24)
    window = synthetic.honest("stack", 1, 24 * 30)
    alike = synthetic.changed(window, np.round(np.tile(day, 30) + rng.normal(0, 0.2, 720), 2))
    found = suspicions(alike, "FRAUD-DAILY")
    assert found and found[0].numbers["explained"] > 0.95


def test_periods_aside_are_not_looked_at():
    window = synthetic.honest("stack", 2)
    flags = np.full(len(window), "N")
    flags[:10] = "C"
    stopped = np.zeros(len(window), bool)
    stopped[20:30] = True
    aside = replace(
        window,
        flags={"so2": flags},
        stopped=stopped,
        spans=[
            Span("maintenance", window.time[40], window.time[50]),
            Span("inspection", window.time[60], window.time[70]),
        ],
    )
    keep = usable(aside, "so2", np.ones(len(window)))
    assert not keep[:10].any() and not keep[20:30].any() and not keep[40:50].any()
    assert keep[[10, 19, 30, 39, 50, 65]].all()


def test_bunching_looks_at_converted_values():
    honest = synthetic.honest("stack", 4)
    tampered = synthetic.cut(honest, 1.0, 4)
    measured_lower = replace(
        tampered, values={"so2": tampered.values["so2"] / 2}, converted={"so2": tampered.values["so2"]}
    )
    assert suspicions(measured_lower, "FRAUD-BUNCHING")
    assert not suspicions(replace(measured_lower, converted={"so2": honest.values["so2"]}), "FRAUD-BUNCHING")


def test_truncation_names_the_range():
    capped = synthetic.cap(synthetic.honest("stack", 1), 0.97, 1)
    top = float(np.nanmax(capped.values["so2"]))
    one = suspicions(replace(capped, range={"so2": (0.0, top)}), "FRAUD-TRUNCATION")[0]
    assert "量程" in one.zh and "range" in one.en and one.numbers["cap"] == pytest.approx(top)
    assert "量程" not in suspicions(capped, "FRAUD-TRUNCATION")[0].zh


def test_digits_of_a_converted_unit_are_no_taste():
    """ppb in whole numbers times 2.62 µg/m³, rounded to a decimal: a grid with holes, not a habit of a person."""
    honest = synthetic.honest("stack", 1)
    for factor, places in ((2.62, 1), (1.16, 0), (1.145, 1)):
        raw = np.rint(honest.values["so2"] * 8)
        assert not suspicions(synthetic.changed(honest, np.round(raw * factor, places)), "FRAUD-DIGITS"), factor


def test_digits_of_an_instrument_with_four_figures_are_no_taste():
    honest = synthetic.honest("stack", 1)
    values = honest.values["so2"] * 4
    four = np.where(values >= 100, np.round(values, 1), np.round(values, 2))
    assert 0.3 < np.nanmean(values >= 100) < 0.9
    assert not suspicions(synthetic.changed(honest, four), "FRAUD-DIGITS")


def test_one_silent_calibration_is_not_enough():
    window = synthetic.calibrated(3)
    rng = np.random.default_rng(0)

    def silence(count):
        values = window.values["so2"].copy()
        for span in window.spans[:count]:
            rows = (window.time >= span.start) & (window.time < span.end)
            values[rows] = np.round(
                np.median(values[(window.time < window.spans[0].start)][-15:]) + rng.normal(0, 0.3), 1
            )
        return synthetic.changed(window, values)

    assert not suspicions(silence(1), "FRAUD-CALIBRATION")
    found = suspicions(silence(6), "FRAUD-CALIBRATION")
    assert found and found[0].numbers["silent"] >= 4


def test_a_held_value_that_is_marked_is_no_missing_answer():
    window = synthetic.calibrated(3)
    values, flags = window.values["so2"].copy(), np.full(len(window), "N")
    for span in window.spans:
        rows = np.flatnonzero((window.time >= span.start) & (window.time < span.end))
        values[rows] = values[rows[0] - 1]
        flags[rows] = "C"
    held = synthetic.changed(window, values)
    found = suspicions(held, "FRAUD-CALIBRATION")
    assert found and found[0].numbers["held"] == found[0].numbers["silent"]
    assert not suspicions(replace(held, flags={"so2": flags}), "FRAUD-CALIBRATION")


def test_declared_noise_finds_a_series_that_was_always_too_quiet():
    window = synthetic.honest("stack", 1)
    quiet = synthetic.changed(window, np.round(30 + 5 * np.sin(np.arange(len(window)) / 40), 3))
    assert not suspicions(quiet, "FRAUD-NOISE")
    assert suspicions(quiet, "FRAUD-NOISE", declared=1.0)
    assert not suspicions(window, "FRAUD-NOISE", declared=1.0)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 3.5, 7.25, 2.01], 0.01),
        (np.arange(0, 100, 2.0), 2.0),
        ([0.1, 0.2, 0.7], 0.1),
        ([np.pi, np.e, 0.1234567], 0.0),
    ],
)
def test_resolution(values, step):
    assert resolution(np.asarray(values, float)) == pytest.approx(step)


def test_ranks_share_ties():
    table = ranks(np.array([[1.0, 2.0, 2.0, 5.0], [3.0, 3.0, 3.0, 3.0], [9.0, 4.0, 4.0, 1.0]]))
    assert (table @ table.T)[0, 2] == pytest.approx(-1) and not table[1].any()


def beijing():
    """Yield station, factor, year and window of the first year of the real data."""
    names = {"PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3"}
    for path in sorted(PRSA.glob("*.csv.gz"))[:4]:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[:8760]
        hours = [
            f"{row['year']}-{int(row['month']):02}-{int(row['day']):02}T{int(row['hour']):02}:00:00" for row in rows
        ]
        time = np.array(hours, "datetime64[s]") - np.timedelta64(8, "h")
        for column, factor in names.items():
            values = np.array([float(row[column]) if row[column] != "NA" else np.nan for row in rows])
            yield path.name, factor, Window(time=time, values={factor: values})


@pytest.mark.skipif(not PRSA.exists(), reason=f"the Beijing PRSA data are not in {PRSA} (LUMING_TEST_DATA)")
def test_real_data_of_a_city_raise_only_what_is_in_them():
    """The ozone of all stations stands still for hours in March 2013; nothing else is suspicious."""
    found = [(name, one) for name, factor, window in beijing() for one in suspicions(window, factor=factor)]
    assert {(one.code, one.factor) for _, one in found} == {("FRAUD-NOISE", "o3")}
    assert len(found) == 4
    assert all(one.start < np.datetime64("2013-03-20") for _, one in found)


@pytest.mark.skipif(not PRSA.exists(), reason=f"the Beijing PRSA data are not in {PRSA} (LUMING_TEST_DATA)")
def test_tampering_with_real_data_is_found():
    """A copied week, three smoothed weeks and a cap, each put into real PM2.5 of four stations."""
    for seed, window in enumerate(window for _, factor, window in beijing() if factor == "pm25"):
        own = replace(window, values={"so2": window.values["pm25"]})
        for code, tamper, strength in (
            ("FRAUD-REPEAT", synthetic.paste, 168),
            ("FRAUD-NOISE", synthetic.smooth, 24),
            ("FRAUD-TRUNCATION", synthetic.cap, 0.95),
        ):
            assert not suspicions(own, code)
            assert suspicions(tamper(own, strength, seed), code), (code, seed)
