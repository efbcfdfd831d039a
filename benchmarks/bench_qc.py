"""Quality checks: four tests of QARTOD against ioos_qc with the same flags, and the whole catalogue on a city's day.

    python benchmarks/bench_qc.py [--rows 1000000] [--points 715] [--seed 2026] [--repeat 3] [--json PATH]

Targets: range, spike, rate and stuck on a million points at least 8 times as fast as ioos_qc (a development dependency)
in the same run and with equal flags; the full catalogue on one day of 715 points × 8 factors × 1 minute within 5 s.
The fastest run of each counts, because other work on the machine only adds time; the processor seconds of the city's
day are printed too. Flags are compared on two inputs: a regular series with repetitions, spikes and missing values, and
one with gaps in time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from luming.science.qc import catalogue as qc
from luming.science.qc.model import Result, Severity, Window

TARGET_TIMES = 8.0
TARGET_SECONDS = 5.0
FACTORS = ("so2", "no2", "co", "o3", "pm10", "pm25", "temp", "rh")
LEVELS = {"so2": 12, "no2": 35, "co": 0.8, "o3": 60, "pm10": 90, "pm25": 45, "temp": 12, "rh": 50}
MINUTE = 60.0

# The four tests as QARTOD has them: one range, the mean of both neighbours, any gap, only the late part of a run.
RANGE, SUSPECT_RANGE = (0.0, 900.0), (2.0, 400.0)
SPIKE, RATE = (40.0, 120.0), (0.5, 2.0)  # unit; unit per second
STUCK, TOLERANCE = (600, 1800), 0.01  # s, unit
SETTINGS: dict[str, dict[str, float]] = {
    "GEN-PHYSICAL": {"low": 0.0, "high": 900.0, "likely_low": 2.0, "likely_high": 400.0},
    "GEN-SPIKE": {
        "suspect": SPIKE[0],
        "fail": SPIKE[1],
        "share": 0,
        "noise": 0,
        "around": 12,
        "method": 1,
        "gap": float("inf"),
    },
    "GEN-RATE": {"suspect": RATE[0] * 3600, "fail": RATE[1] * 3600, "over": 0, "gap": float("inf"), "back": 0},
    "GEN-STUCK": {
        "suspect": STUCK[0] / 3600,
        "fail": STUCK[1] / 3600,
        "rows": 2,
        "tolerance": float(np.nextafter(TOLERANCE, 0)),
        "floor": float("-inf"),
        "coverage": 0,
        "chance": 1,
        "background": 0,
        "whole": 0,
    },
}


def make_series(rows: int, seed: int, gaps: bool) -> Window:
    """A minute series: daily course and noise, 1 % missing, 0.2 % spikes, 60 stuck stretches; on request gaps in time.

    The factor has no bounds of its own, as QARTOD's tests know none but those given.
    """
    rng = np.random.default_rng(seed)
    values = 60 + 30 * np.sin(np.arange(rows) / 1440 * 2 * np.pi) + np.cumsum(rng.normal(0, 0.3, rows)) % 40
    values = np.round(values + rng.normal(0, 2, rows), 1)
    spikes = rng.random(rows) < 0.002
    values[spikes] += rng.choice([-200, 60, 150, 1000], spikes.sum())
    for begin in rng.integers(0, max(rows - 100, 1), 60):
        values[begin : begin + rng.integers(5, 90)] = values[begin]
    values[rng.random(rows) < 0.01] = np.nan
    minutes = np.arange(rows)
    if gaps:
        minutes = np.cumsum(np.where(rng.random(rows) < 0.001, rng.integers(2, 300, rows), 1))
    times = np.datetime64("2025-01-01", "s") + (minutes * 60).astype("timedelta64[s]")
    return Window(time=times, values={"signal": values}, interval=MINUTE, medium="air")


def ours(window: Window) -> dict[str, np.ndarray]:
    """Flags of the four checks; of a new window, which remembers nothing of an earlier run."""
    return qc.run(replace(window), ["signal"], list(SETTINGS), SETTINGS)["signal"]


def theirs(window: Window) -> dict[str, np.ndarray]:
    """Flags of the four tests of ioos_qc."""
    from ioos_qc import qartod

    values = window.values["signal"]
    return {
        "GEN-PHYSICAL": qartod.gross_range_test(values, RANGE, SUSPECT_RANGE),
        "GEN-SPIKE": qartod.spike_test(values, SPIKE[0], SPIKE[1], method="average"),
        "GEN-RATE": qartod.rate_of_change_test(values, window.time, RATE[0], RATE[1]),
        "GEN-STUCK": qartod.flat_line_test(values, window.time, STUCK[0], STUCK[1], TOLERANCE),
    }


def compare(window: Window) -> dict[str, dict[str, int]]:
    """Count, per check, what ioos_qc flags and where the two differ.

    One difference is meant and not counted: without a row before, ioos_qc passes a rate and this says "unknown".
    """
    own, other = ours(window), theirs(window)
    found = {}
    for code in SETTINGS:
        flags = np.ma.filled(other[code], 0).astype(np.int8)
        differ = own[code] != flags
        if code == "GEN-RATE":
            differ &= ~((own[code] == Result.UNKNOWN) & (flags == Result.PASS))
        found[code] = {
            "suspect": int(np.count_nonzero(flags == Result.SUSPECT)),
            "fail": int(np.count_nonzero(flags == Result.FAIL)),
            "differ": int(np.count_nonzero(differ)),
        }
    return found


def make_city(points: int, seed: int) -> list[Window]:
    """One day of minutes of so many points with eight factors, as the gateway delivers it: flags, ranges, arrivals."""
    rng = np.random.default_rng(seed)
    minutes = np.datetime64("2026-03-01", "s") + (np.arange(1440) * 60).astype("timedelta64[s]")
    course = np.sin(np.arange(1440) / 1440 * 2 * np.pi)
    windows = []
    for point in range(points):
        values, flags = {}, {}
        for factor in FACTORS:
            level = LEVELS[factor]
            column = level * (1 + 0.3 * course + 0.01 * np.cumsum(rng.normal(0, 0.3, 1440)))
            column += level * 0.02 * rng.normal(size=1440)
            column[rng.random(1440) < 0.001] *= 5
            column[rng.random(1440) < 0.005] = np.nan
            values[factor] = np.round(column, 2 if factor == "co" else 1)
            flags[factor] = np.full(1440, "N")
        if point % 10 == 0:
            values["so2"][600:800] = values["so2"][600]
        windows.append(
            Window(
                time=minutes,
                values=values,
                interval=MINUTE,
                medium="air",
                station=str(point),
                minimum={name: column * 0.98 for name, column in values.items()},
                maximum={name: column * 1.02 for name, column in values.items()},
                flags=flags,
                received=minutes + np.timedelta64(65, "s"),
                range=dict.fromkeys(FACTORS, (-100.0, 2000.0)),
                now=np.datetime64("2026-03-02", "s"),
            )
        )
    return windows


def timed(repeat: int, call: Callable[[], Any]) -> list[float]:
    """Wall seconds of each call."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(round(time.perf_counter() - start, 4))
    return seconds


def measure_city(points: int, seed: int, repeat: int) -> dict[str, Any]:
    """Seconds of the full catalogue over the city's day, how many results that is, and the dearest checks."""
    windows = make_city(points, seed)
    results = sum(len(column) for w in windows for by in qc.run(w).values() for column in by.values())
    before = time.process_time()
    seconds = timed(repeat, lambda: [qc.run(replace(window)) for window in windows])
    processor = (time.process_time() - before) / repeat
    sample = windows[:: max(points // 20, 1)]
    each = {
        code: min(timed(2, lambda c=code: [qc.run(replace(window), codes=[c]) for window in sample]))
        * points
        / len(sample)
        for code, check in qc.catalogue().items()
        if check.severity is not Severity.SIGNAL
    }
    dearest = dict(sorted(each.items(), key=lambda item: -item[1])[:8])
    signals = min(timed(1, lambda: [qc.suspicions(replace(window)) for window in sample])) * points / len(sample)
    return {
        "seconds": seconds,
        "processor_seconds": round(processor, 2),
        "results": results,
        "dearest": {code: round(s, 3) for code, s in dearest.items()},
        "suspicions": round(signals, 1),
    }


def main() -> int:
    """Print machine, inputs, seed and figures; 1 when flags differ or a target is missed at full size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=715)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"
    )
    print(f"{machine}, load {load}; seed {args.seed}")
    regular, gappy = make_series(args.rows, args.seed, False), make_series(args.rows, args.seed + 1, True)
    compared = {"regular": compare(regular), "with gaps": compare(gappy)}
    for name, by_code in compared.items():
        for code, count in by_code.items():
            print(f"  {name:10} {code:13} suspect {count['suspect']:7} fail {count['fail']:7} differ {count['differ']}")
    own, other = [], []
    for _ in range(args.repeat):  # in turns, so that both meet the same machine
        own += timed(1, lambda: ours(regular))
        other += timed(1, lambda: theirs(regular))
    times = min(other) / min(own)
    print(f"  {args.rows:,} points, 4 checks: ours {min(own):.3f} s {own}, ioos_qc {min(other):.3f} s {other}")
    print(f"  {times:.1f} times as fast")
    city = measure_city(args.points, args.seed, args.repeat)
    print(
        f"  {args.points} points × {len(FACTORS)} factors × 1440 min, full catalogue: {min(city['seconds']):.2f} s "
        f"{city['seconds']}, {city['processor_seconds']} s of a processor, {city['results']:,} results"
    )
    print(f"  besides, the suspicions (FRAUD), which look at weeks by night: {city['suspicions']} s for this day")
    print("  dearest: " + ", ".join(f"{code} {seconds} s" for code, seconds in city["dearest"].items()))
    report = {
        "benchmark": "qc",
        "machine": machine,
        "load_before": load,
        "seed": args.seed,
        "rows": args.rows,
        "flags": compared,
        "seconds": {"ours": own, "ioos_qc": other},
        "times_as_fast": round(times, 2),
        "target_times": TARGET_TIMES,
        "points": args.points,
        "city": city,
        "target_seconds": TARGET_SECONDS,
    }
    if args.json:
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    differ = sum(count["differ"] for by_code in compared.values() for count in by_code.values())
    if differ:
        print(f"{differ} flags differ from those of ioos_qc", file=sys.stderr)
    full = args.rows >= 1_000_000 and args.points >= 715
    slow = full and (times < TARGET_TIMES or min(city["seconds"]) > TARGET_SECONDS)
    if slow:
        print(f"a target was missed: {TARGET_TIMES} times, {TARGET_SECONDS} s", file=sys.stderr)
    return 1 if differ or slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
