"""Statistics of one station's year and of a fleet's days, hours in memory.

    python benchmarks/bench_statistics.py [--seed 2026] [--repeat 5] [--json PATH]

Target of the pure part: one station, six factors, a year of hours through day, month, quarter and year in 0.2 s; the
fastest run counts, because other work on the machine only adds time. Beside it the same with plain Python loops, to
show what the arrays are worth and that both give the same days.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from luming.standards.averages import aggregate, cascade
from luming.standards.substitution import HourState, substitute

TARGET_SECONDS = 0.2
FACTORS = ("so2", "no2", "co", "o3", "pm10", "pm25")
HOURS = 8760
FLEET, FLEET_DAYS = 200, 60


def timed(repeat: int, call: Callable[[], object]) -> list[float]:
    """Wall seconds of each call."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(round(time.perf_counter() - start, 4))
    return seconds


def hours(count: int) -> np.ndarray:
    """Starts of the hours of 2026 in the city, UTC."""
    return np.datetime64("2025-12-31T16", "us") + np.arange(count) * np.timedelta64(1, "h")


def values(rng: np.random.Generator, count: int) -> np.ndarray:
    """Concentrations with 2 % missing."""
    return np.where(rng.random(count) < 0.02, np.nan, rng.gamma(2.0, 20.0, count).round(1))


def measure_pure(seed: int, repeat: int) -> dict[str, list[float]]:
    """Seconds of the pure functions: no database, no files."""
    rng = np.random.default_rng(seed)
    start = hours(HOURS)
    year = {factor: values(rng, HOURS) for factor in FACTORS}
    minutes = np.datetime64("2025-12-31T16", "us") + np.arange(HOURS * 12) * np.timedelta64(5, "m")
    by_minutes = values(rng, HOURS * 12)
    series = np.repeat(np.arange(FLEET), FLEET_DAYS * 24)
    fleet_start, fleet = np.tile(hours(FLEET_DAYS * 24), FLEET), values(rng, FLEET * FLEET_DAYS * 24)
    state = rng.choice([HourState.VALID, HourState.MISSING], HOURS, p=[0.97, 0.03]).astype(np.int64)
    amount = np.where(state == HourState.VALID, rng.gamma(2.0, 5.0, HOURS), np.nan)
    five_minutes = np.timedelta64(5, "m")
    return {
        "year of a station, 6 factors": timed(
            repeat, lambda: [cascade(start, year[f], medium="air", factor=f) for f in FACTORS]
        ),
        "  the same, plain Python, days only": timed(1, lambda: [plain_days(start, year[f]) for f in FACTORS]),
        "year of 5-minute rows, 1 factor": timed(
            repeat, lambda: cascade(minutes, by_minutes, medium="air", factor="so2", source="minute", step=five_minutes)
        ),
        f"{FLEET_DAYS} days of {FLEET} series, 1 factor": timed(
            repeat, lambda: cascade(fleet_start, fleet, medium="air", factor="pm25", series=series, to="month")
        ),
        "substitution of a year of hours": timed(repeat, lambda: substitute(start, amount, state)),
    }


def plain_days(start: np.ndarray, value: np.ndarray) -> dict[int, float]:
    """Daily means of at least 20 hours with dictionaries and lists."""
    days: dict[int, list[float]] = {}
    for instant, number in zip(start.astype("datetime64[h]").astype(int).tolist(), value.tolist(), strict=True):
        days.setdefault((instant + 8) // 24, [])
        if number == number:
            days[(instant + 8) // 24].append(number)
    return {day: sum(found) / len(found) for day, found in days.items() if len(found) >= 20}


def check_equal(seed: int) -> None:
    """Stop when the arrays and the plain loops differ in one day."""
    rng = np.random.default_rng(seed)
    start, value = hours(HOURS), values(rng, HOURS)
    day = aggregate(start, value, interval="day", medium="air", factor="pm25")
    plain = plain_days(start, value)
    if int(day.valid.sum()) != len(plain) or not np.allclose(day.value[day.valid], list(plain.values()), rtol=1e-12):
        raise SystemExit("the days of the arrays and of the plain loops differ")


def main() -> int:
    """Print machine, inputs, seed and figures; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    check_equal(args.seed)
    figures = measure_pure(args.seed, args.repeat)
    report: dict[str, Any] = {
        "benchmark": "statistics",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before": load,
        "seed": args.seed,
        "target_seconds": TARGET_SECONDS,
        "seconds": figures,
    }
    print(f"{report['machine']}, load {load}; {HOURS:,} hours, seed {args.seed}; fastest (all) in seconds")
    for name, seconds in figures.items():
        print(f"  {name:36} {min(seconds):7.4f}  {seconds}")
    if args.json:
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if min(figures["year of a station, 6 factors"]) > TARGET_SECONDS:
        print(f"slower than the target of {TARGET_SECONDS} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
