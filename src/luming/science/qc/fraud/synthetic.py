"""Synthetic series for measuring the tests of this family: honest ones of several kinds, and the same tampered with.

They serve ``benchmarks/bench_fraud.py`` and the tests, which ask how often honest data is suspected and how often
tampering is found. Nothing here looks like a real plant's record, and nothing of it reaches the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from luming.science.qc.model import Floats, Span, Window

START = np.datetime64("2024-12-31T16:00:00", "s")  # a midnight of the city
HONEST = ("stack", "controlled", "batch", "stopping", "coarse", "low", "far", "drifting", "spiky")
LIMIT = 50.0


def honest(kind: str, seed: int, hours: int = 8760) -> Window:
    """Return a year of hours of a plant that reports what it measures.

    stack: log-normal AR(1) that follows the load, its tail beyond the limit; controlled: kept under the limit by a
    regulated cleaning; batch: on and off by a schedule of each day; stopping: standstills; coarse: rounded to even
    units; low: near the detection limit; far: a permit limit far above all values; drifting: with seasons, weekends and
    three steps of the level that have honest reasons; spiky: with heavy tails and short spikes.
    """
    rng = np.random.default_rng([HONEST.index(kind), seed])
    load = _load(rng, hours)
    slow = _autoregressive(rng, hours, 0.95)
    level = {"controlled": 38.0, "batch": 30.0, "low": 0.8, "far": 6.0}.get(kind, 28.0)
    width = 0.08 if kind == "controlled" else 0.25
    values = level * (load / 75) ** 0.8 * np.exp(width * slow + 0.06 * rng.standard_normal(hours))
    if kind == "controlled":
        values = level + 0.25 * (values - level) + 1.5 * rng.standard_normal(hours)
    stopped = np.zeros(hours, bool)
    if kind == "batch":
        on = (np.arange(hours) % 24 - rng.integers(5, 8, hours // 24 + 1).repeat(24)[:hours]) % 24 < 12
        values = np.where(on, values, 4 * np.exp(0.15 * slow + 0.05 * rng.standard_normal(hours)))
        load = np.where(on, load, 5.0)
    if kind == "stopping":
        for begin in rng.integers(200, hours - 200, 8):
            stopped[begin : begin + int(rng.integers(12, 96))] = True
        values = np.where(stopped, 0.4 + 0.2 * rng.random(hours), values)
        load = np.where(stopped, 0.0, load)
    if kind == "drifting":
        for begin in rng.integers(300, hours, 3):
            values[begin:] *= np.exp(rng.choice([-1, 1]) * 0.35)
        days = np.arange(hours) / 24
        values *= np.exp(0.3 * np.sin(2 * np.pi * days / 365) - 0.15 * (days.astype(int) % 7 >= 5))
    if kind == "spiky":
        values *= np.exp(0.05 * rng.standard_t(3, hours))
        values[rng.random(hours) < 0.005] *= rng.uniform(1.5, 4)
    step = {"coarse": 2.0, "low": 0.1}.get(kind, 0.01)
    values = np.round(values / step) * step
    if kind == "low":
        values = np.where(values < 0.5, 0.25, values)
    values[rng.random(hours) < 0.01] = np.nan
    return Window(
        time=START + np.arange(hours) * np.timedelta64(3600, "s"),
        values={"so2": values, "load": load},
        medium="gas",
        limit={"so2": LIMIT if kind != "far" else 400.0},
        range={"so2": (0.0, 500.0)},
        stopped=stopped,
        spans=_events(rng, hours),
    )


def calibrated(seed: int, days: int = 10) -> Window:
    """Return minutes of an honest instrument that is given zero and span gas once a day."""
    rng = np.random.default_rng([99, seed])
    count = days * 1440
    values = 30 * np.exp(0.2 * _autoregressive(rng, count, 0.998) + 0.02 * rng.standard_normal(count))
    spans = []
    for day in range(days):
        begin = day * 1440 + int(rng.integers(300, 1000))
        for offset, target in ((0, 0.0), (10, 120.0)):
            at = begin + offset
            values[at : at + 10] = target + (values[at - 1] - target) * np.exp(-np.arange(10)) + rng.normal(0, 0.3, 10)
            start = START + np.timedelta64(at * 60, "s")
            spans.append(
                Span("calibration", start, start + np.timedelta64(600, "s"), {"factor": "so2", "target": target})
            )
    return Window(
        time=START + np.arange(count) * np.timedelta64(60, "s"),
        values={"so2": np.round(np.maximum(values, 0), 1)},
        interval=60.0,
        medium="gas",
        limit={"so2": LIMIT},
        spans=spans,
    )


def _autoregressive(rng: np.random.Generator, count: int, alike: float) -> Floats:
    """Return a standard AR(1) series."""
    shocks = rng.standard_normal(count) * np.sqrt(1 - alike**2)
    found = np.empty(count)
    value = rng.standard_normal()
    for index, shock in enumerate(shocks.tolist()):
        value = alike * value + shock
        found[index] = value
    return found


def _load(rng: np.random.Generator, hours: int) -> Floats:
    """Return the load of a plant, %: by day and night, with a slow drift."""
    clock = (np.arange(hours) % 24) / 24 * 2 * np.pi
    load: Floats = np.clip(75 - 15 * np.cos(clock) + 6 * _autoregressive(rng, hours, 0.9), 20, 105)
    return load


def _events(rng: np.random.Generator, hours: int) -> list[Span]:
    """Return five inspections of four hours and one change of maintainer."""
    hour = np.timedelta64(3600, "s")
    spans = [
        Span("inspection", START + int(at) * hour, START + (int(at) + 4) * hour)
        for at in np.sort(rng.integers(200, hours - 200, 5))
    ]
    half = START + int(rng.integers(hours // 3, 2 * hours // 3)) * hour
    end = START + hours * hour
    return [*spans, Span("maintainer", START, half, {"name": "A"}), Span("maintainer", half, end, {"name": "B"})]


def changed(window: Window, values: Floats) -> Window:
    """Return the window with other values of its factor."""
    return replace(window, values={**window.values, "so2": values})


def cut(window: Window, share: float, seed: int) -> Window:
    """Move a share of the exceedances to just below the limit."""
    rng = np.random.default_rng(seed)
    values, limit = window.values["so2"].copy(), window.limit["so2"]
    chosen = (values > limit) & (rng.random(len(values)) < share)
    values[chosen] = np.round(limit * (1 - 0.04 * rng.random(chosen.sum())), 2)
    return changed(window, values)


def multiply(window: Window, factor: float, seed: int) -> Window:
    """Multiply only the exceedances."""
    values, limit = window.values["so2"].copy(), window.limit["so2"]
    values[values > limit] = np.round(values[values > limit] * factor, 2)
    return changed(window, values)


def cap(window: Window, quantile: float, seed: int) -> Window:
    """Cap the values at a height."""
    values = window.values["so2"]
    return changed(window, np.minimum(values, np.round(np.nanquantile(values, quantile), 2)))


def paste(window: Window, hours: float, seed: int) -> Window:
    """Copy so many hours over a later time."""
    rng, count = np.random.default_rng(seed), int(hours)
    values = window.values["so2"].copy()
    source, target = int(rng.integers(100, 3000)), int(rng.integers(4000, 8000))
    values[target : target + count] = values[source : source + count]
    return changed(window, values)


def replay(window: Window, noise: float, seed: int) -> Window:
    """Play one day over five later days with a little noise (share of the value)."""
    rng = np.random.default_rng(seed)
    values = window.values["so2"].copy()
    day = np.nan_to_num(values[24 * 20 : 24 * 21], nan=20.0)
    for target in range(150, 155):
        values[24 * target : 24 * (target + 1)] = np.round(day * (1 + noise * rng.standard_normal(24)), 2)
    return changed(window, values)


def smooth(window: Window, width: float, seed: int) -> Window:
    """Replace three weeks by a moving mean."""
    values = window.values["so2"].copy()
    filled = np.where(np.isfinite(values), values, np.nanmedian(values))
    mean = np.round(np.convolve(filled, np.full(int(width), 1 / width), "same"), 2)
    values[4000:4504] = mean[4000:4504]
    return changed(window, values)


def prefer(window: Window, share: float, seed: int) -> Window:
    """Round a share of the last digits to 0 or 5."""
    rng = np.random.default_rng(seed)
    values = window.values["so2"].copy()
    chosen = rng.random(len(values)) < share
    values[chosen] = np.round(values[chosen] * 20) / 20
    return changed(window, values)


def ignore_load(window: Window, days: float, seed: int) -> Window:
    """Replace so many days by invented values that know nothing of the load."""
    rng = np.random.default_rng(seed)
    values, count = window.values["so2"].copy(), int(days * 24)
    values[4000 : 4000 + count] = np.round(25 * np.exp(0.2 * rng.standard_normal(count)), 2)
    return changed(window, values)


def behave(window: Window, factor: float, seed: int) -> Window:
    """Multiply the values during inspections."""
    values = window.values["so2"].copy()
    for span in window.spans:
        if span.kind == "inspection":
            values[(window.time >= span.start) & (window.time < span.end)] *= factor
    return changed(window, np.round(values, 2))


def change_hands(window: Window, factor: float, seed: int) -> Window:
    """Multiply the values from the change of maintainer on."""
    values = window.values["so2"].copy()
    later = max(span.start for span in window.spans if span.kind == "maintainer")
    values[window.time >= later] *= factor
    return changed(window, np.round(values, 2))


def deaf(window: Window, share: float, seed: int) -> Window:
    """Overwrite a share of the calibrations by values like those before."""
    rng = np.random.default_rng(seed)
    values = window.values["so2"].copy()
    for span in window.spans:
        if rng.random() < share:
            rows = np.flatnonzero((window.time >= span.start) & (window.time < span.end))
            before = np.median(values[rows[0] - 30 : rows[0] - 20])
            values[rows] = np.round(before * (1 + 0.02 * rng.standard_normal(len(rows))), 1)
    return changed(window, values)


def run_on(window: Window, share: float, seed: int) -> Window:
    """Let the values of running hours go on through a share of the standstills."""
    rng = np.random.default_rng(seed)
    values = window.values["so2"].copy()
    stopped = np.zeros(len(values), bool) if window.stopped is None else window.stopped
    edges = np.flatnonzero(np.diff(np.r_[False, stopped, False].astype(np.int8)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if rng.random() < share:
            values[begin:end] = np.round(
                np.nanmedian(values[begin - 24 : begin]) * np.exp(0.1 * rng.standard_normal(end - begin)), 2
            )
    return changed(window, values)


Tampering = Callable[[Window, float, int], Window]
# code → kind of honest data, tampering, strengths from weak to strong
TAMPERED: dict[str, list[tuple[str, Tampering, tuple[float, ...]]]] = {
    "FRAUD-BUNCHING": [("stack", cut, (0.3, 0.6, 0.9, 1.0)), ("stack", multiply, (0.9, 0.8, 0.6))],
    "FRAUD-TRUNCATION": [("stack", cap, (0.99, 0.97, 0.95))],
    "FRAUD-REPEAT": [("stack", paste, (6, 12, 24, 72)), ("coarse", paste, (24, 72))],
    "FRAUD-DAILY": [("stack", replay, (0.03, 0.01, 0.0))],
    "FRAUD-NOISE": [("stack", smooth, (3, 6, 12))],
    "FRAUD-DIGITS": [("stack", prefer, (0.05, 0.1, 0.2, 0.5))],
    "FRAUD-CALIBRATION": [("calibrated", deaf, (0.1, 0.3, 1.0))],
    "FRAUD-LOAD": [("stack", ignore_load, (6, 14, 28)), ("stopping", run_on, (0.5, 1.0))],
    "FRAUD-LEVEL": [("stack", behave, (0.7, 0.5, 0.3)), ("stack", change_hands, (0.7, 0.5, 0.3))],
}


def series(kind: str, seed: int) -> Window:
    """Return an honest series by the name of its kind."""
    return calibrated(seed) if kind == "calibrated" else honest(kind, seed)
