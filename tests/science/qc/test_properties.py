"""Whatever the data: no check raises, each says one result per row, and a window says what the whole series says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luming.science.qc import catalogue as qc
from luming.science.qc.model import Neighbour, Result, Span, Window

FACTORS = {
    "air": ("pm25", "pm10", "so2", "no", "no2", "nox", "o3", "ws", "wd"),
    "water": ("temp", "ec", "ph", "do", "turb", "nh3n", "tn", "tp", "cod", "codmn", "bod5"),
    "gas": ("so2", "o2", "flow", "velocity", "gashum", "gastemp", "gaspres", "dust"),
    "sewage": ("cod", "nh3n", "tn", "flow", "ph"),
    "noise": ("leq",),
}
RESULTS = np.array([Result.PASS, Result.UNKNOWN, Result.SUSPECT, Result.FAIL, Result.MISSING])
SECOND = np.timedelta64(1, "s")


def made(seed: int, n: int, medium: str, irregular: float = 0.2, disorder: bool = False) -> Window:
    """A window of noise, runs, gaps, spikes and missing values, in irregular time, with every other figure."""
    rng = np.random.default_rng(seed)
    interval = float(rng.choice([60, 300, 900, 3600, 86400]))
    steps = np.full(n, interval)
    odd = rng.random(n) < irregular
    steps[odd] = rng.choice([0.0, interval / 2, 2 * interval, 30 * interval], odd.sum())
    time = np.datetime64("2026-01-01", "s") + np.cumsum(steps).astype(np.int64) * SECOND
    if disorder and n:
        time = rng.permutation(time)

    def column(scale: float) -> np.ndarray:
        values = np.round(scale + scale * 0.1 * rng.standard_normal(n), int(rng.integers(0, 3)))
        values[rng.random(n) < 0.05] *= rng.choice([-1, 10, 0])
        held = rng.integers(0, max(n, 1))
        values[held : held + rng.integers(0, 40)] = scale
        values[rng.random(n) < 0.1] = np.nan
        values[rng.random(n) < 0.01] = np.inf
        return values

    values = {name: column(float(rng.choice([0.5, 20, 300]))) for name in FACTORS[medium]}
    some = {name: column(30.0) for name in values}
    span_time = time[0] if n else np.datetime64("2026-01-01", "s")
    return Window(
        time=time,
        values=values,
        interval=interval,
        medium=medium,
        minimum=some,
        maximum={name: column(40.0) for name in values},
        converted=some,
        amount=some,
        flags={name: rng.choice(["", "N", "F", "M", "S", "D", "C", "T", "B", "X"], n) for name in values},
        received=time + rng.integers(-100, 90000, n).astype("timedelta64[s]"),
        range=dict.fromkeys(values, (0.0, 500.0)),
        limit=dict.fromkeys(values, 100.0),
        reference_oxygen=float(rng.choice([6.0, np.nan])),
        stopped=rng.random(n) < 0.3,
        spans=[
            Span(
                kind,
                span_time + np.timedelta64(3600 * k, "s"),
                span_time + np.timedelta64(3600 * k + 7200, "s"),
                {"point": point, "expected": 0, "measured": float(rng.normal(0, 20)), "full_scale": 300},
            )
            for k, (kind, point) in enumerate(
                [("calibration", "zero"), ("calibration", "span"), ("maintenance", ""), ("fault", "")] * 2
            )
        ],
        neighbours={
            name: [Neighbour(str(k), values[name] if k == 0 else column(30.0), 5.0, 90.0 * k) for k in range(4)]
            for name in values
        },
        now=time.max() - np.timedelta64(7200, "s") if n else None,
    )


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([0, 1, 2, 3, 7, 60, 200]),
    medium=st.sampled_from(sorted(FACTORS)),
    disorder=st.booleans(),
)
def test_no_check_raises_and_each_says_one_known_result_per_row(seed, n, medium, disorder):
    window = made(seed, n, medium, disorder=disorder)
    for factor, by_code in qc.run(window).items():
        nothing = np.isnan(window.values[factor])
        for code, results in by_code.items():
            assert results.shape == (n,), code
            assert results.dtype == np.int8, code
            assert np.isin(results, RESULTS).all(), code
            assert (results[nothing] == Result.MISSING).all(), code
            assert not (results[~nothing] == Result.MISSING).any(), code
        if by_code:
            assert ((qc.quality(by_code) == qc.Quality.MISSING) == nothing).all()


CODES = [code for code, check in qc.catalogue().items() if check.severity != "signal" and not check.as_received]


@pytest.mark.parametrize("medium", sorted(FACTORS))
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), where=st.floats(0, 1))
def test_a_window_with_its_reach_says_what_the_series_says(medium, seed, where):
    window = made(seed, 420, medium, irregular=0.05)
    factor = sorted(FACTORS[medium])[seed % len(FACTORS[medium])]
    short = {"GEN-STUCK": {"suspect": 2 * window.interval / 3600, "fail": 6 * window.interval / 3600}}
    short["GEN-STUCK"]["background"] = 20 * window.interval / 3600
    whole = qc.run(window, [factor], CODES, short)[factor]
    first = int(where * 380)
    interest = slice(first, first + 30)
    begin, end = window.time[interest][0], window.time[interest][-1]
    for code, results in whole.items():
        parameters = qc.settled(qc.catalogue()[code], factor, medium, short)
        before, after = qc.catalogue()[code].needs(parameters, window.interval)
        seen = (window.time >= begin - np.timedelta64(int(np.ceil(before)), "s")) & (
            window.time <= end + np.timedelta64(int(np.ceil(after)), "s")
        )
        part = qc.run(replace(window.only(seen), now=window.now), [factor], [code], short)[factor].get(code)
        rows = (window.time >= begin) & (window.time <= end)
        assert part is not None, code
        assert part[rows[seen]].tolist() == results[rows].tolist(), code


def test_input_is_not_changed():
    window = made(3, 200, "air")
    copies = {name: values.copy() for name, values in window.values.items()}
    qc.run(window)
    assert all(np.array_equal(copies[name], values, equal_nan=True) for name, values in window.values.items())


def test_rows_out_of_order_get_the_results_of_rows_in_order():
    window = made(5, 150, "gas", irregular=0)
    shuffled = window.only(np.random.default_rng(1).permutation(150))
    order = np.argsort(shuffled.time, kind="stable")
    whole, mixed = qc.run(window), qc.run(shuffled)
    for factor, by_code in whole.items():
        for code, results in by_code.items():
            if code in CODES:
                assert mixed[factor][code][order].tolist() == results.tolist(), code
