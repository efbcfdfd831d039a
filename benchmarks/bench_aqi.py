"""One million hourly rows through ``luming air aqi``: reading, judging and writing, as a process of its own.

    python benchmarks/bench_aqi.py [--rows 1000000] [--seed 2026] [--repeat 3] [--json PATH]

The target is 2 s wall for one million rows; the fastest run counts, because other work on the machine only adds time.
The load before the run and the processor seconds are printed too. Also measured: the library alone, and the water class
of the same number of samples.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from luming.standards import air, rounding, water

TARGET_SECONDS = 2.0
STATIONS = 12


def make_rows(rows: int, seed: int) -> pl.DataFrame:
    """Hourly values of 12 stations with 2 % missing cells; the hours lie on both sides of 2026-03-01."""
    rng = np.random.default_rng(seed)
    hours = rows // STATIONS + 1
    change = np.datetime64("2026-03-01T00", "h")
    times = np.repeat(change - hours // 2 + np.arange(hours), STATIONS)[:rows]
    frame = pl.DataFrame(
        {
            "time": pl.Series(times.astype("datetime64[ms]")).dt.strftime("%Y-%m-%d %H:%M"),
            "station": [f"站点{i % STATIONS:02d}" for i in range(rows)],
        }
    )
    scales = {"so2": 12.0, "no2": 30.0, "co": 0.7, "o3": 60.0, "pm10": 80.0, "pm25": 40.0}
    for factor, scale in scales.items():
        values = rng.gamma(2.0, scale / 2, rows).round(2 if factor == "co" else 1)
        values[rng.random(rows) < 0.02] = np.nan
        frame = frame.with_columns(pl.Series(factor, values).fill_nan(None))
    return frame


def timed(repeat: int, call: Callable[[], object]) -> list[float]:
    """Wall seconds of each call."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        seconds.append(round(time.perf_counter() - start, 3))
    return seconds


def child_seconds() -> float:
    """Processor seconds of all finished child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_command(rows: int, seed: int, repeat: int) -> dict[str, list[float]]:
    """Seconds of the whole command, start of Python included, for CSV and Parquet; CSV in processor seconds too."""
    frame = make_rows(rows, seed)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("csv", "parquet"):
            source, target = Path(folder) / f"in.{ending}", Path(folder) / f"out.{ending}"
            frame.write_csv(source) if ending == "csv" else frame.write_parquet(source)
            command = [sys.executable, "-m", "luming", "air", "aqi", str(source), "-o", str(target)]
            before = child_seconds()
            found[f"luming air aqi ({ending})"] = timed(repeat, lambda c=command: subprocess.run(c, check=True))
            found[f"  processor ({ending})"] = [round((child_seconds() - before) / repeat, 3)]
        written = pl.read_csv(Path(folder) / "out.csv", infer_schema=False)
        if written.height != rows:
            raise SystemExit(f"{written.height} rows written instead of {rows}")
    return found


def measure_library(rows: int, seed: int, repeat: int) -> dict[str, list[float]]:
    """Seconds of the functions alone, arrays in memory."""
    frame = make_rows(rows, seed)
    values = {factor: frame[factor].to_numpy() for factor in air.FACTORS}
    rng = np.random.default_rng(seed)
    samples = {f: rng.gamma(2.0, water.limit(f, 3) / 4, rows) for f in water.ITEMS if f != "ph"}
    decimals = rng.integers(0, 10**6, rows) / 1000
    return {
        "air.aqi": timed(repeat, lambda: air.aqi(values, edition="2026")),
        "water.classify, 22 items": timed(repeat, lambda: water.classify(samples)),
        "round_half_even, 2 places": timed(repeat, lambda: rounding.round_half_even(decimals, 2)),
    }


def main() -> int:
    """Print machine, input, seed and figures; 1 when the target is missed on the full million rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    load = round(os.getloadavg()[0], 2)
    figures = measure_command(args.rows, args.seed, args.repeat) | measure_library(args.rows, args.seed, args.repeat)
    report = {
        "benchmark": "aqi",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "load_before": load,
        "rows": args.rows,
        "seed": args.seed,
        "target_seconds": TARGET_SECONDS,
        "seconds": figures,
    }
    print(f"{report['machine']}, load {load}; {args.rows:,} rows, seed {args.seed}; fastest (all) in seconds")
    for name, seconds in figures.items():
        rate = args.rows / min(seconds)
        print(f"  {name:28} {min(seconds):6.3f}  {seconds}  {rate:,.0f} rows/s")
    if args.json:
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    slow = min(figures["luming air aqi (csv)"]) > TARGET_SECONDS * args.rows / 1_000_000
    if slow and args.rows >= 1_000_000:
        print(f"slower than the target of {TARGET_SECONDS} s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
