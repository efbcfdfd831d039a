"""Power and false alarms of the FRAUD checks on synthetic series, and their speed.

    python benchmarks/bench_fraud.py [--seeds 200] [--power-seeds 20] [--first-seed 1000] [--json PATH]

False alarms: each check on a year of hours of every honest kind (and ten days of minutes with calibrations), one series
per seed; the bar is 1 % of the series of each kind, per check. Power: the share of tampered series that the check
finds, for each kind and strength of tampering. Speed: the whole family on a year of hours and on a month of minutes,
fastest of five; the bars are 0.5 s and 1 s.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np

from luming.science.qc.fraud import CHECKS, synthetic
from luming.science.qc.model import Check, Window

BAR = 0.01
BARS_SECONDS = {"year of hours": 0.5, "month of minutes": 1.0}
BY_CODE = {check.code: check for check in CHECKS}


def speaks(check: Check, window: Window) -> bool:
    """Return whether a check has a suspicion."""
    return check.applies(window, "so2") and bool(check.run(window, "so2", **check.defaults("so2")))


def false_alarms(seeds: range) -> dict[str, dict[str, list[int]]]:
    """Return suspicions and series, by check and honest kind."""
    found: dict[str, dict[str, list[int]]] = {code: {} for code in BY_CODE}
    for kind in (*synthetic.HONEST, "calibrated"):
        for seed in seeds:
            window = synthetic.series(kind, seed)
            for code, check in BY_CODE.items():
                if check.applies(window, "so2"):
                    cell = found[code].setdefault(kind, [0, 0])
                    cell[0] += speaks(check, window)
                    cell[1] += 1
    return found


def power(seeds: range) -> list[dict[str, object]]:
    """Return the share found, by check, tampering and strength."""
    rows: list[dict[str, object]] = []
    for code, ways in synthetic.TAMPERED.items():
        for kind, tamper, strengths in ways:
            for strength in strengths:
                hits = sum(speaks(BY_CODE[code], tamper(synthetic.series(kind, s), strength, s)) for s in seeds)
                rows.append(
                    {"check": code, "kind": kind, "tampering": tamper.__name__, "strength": strength,
                     "found": hits / len(seeds)}
                )  # fmt: skip
    return rows


def seconds(window: Window) -> dict[str, float]:
    """Return the fastest of five runs of each check."""
    found = {}
    for code, check in BY_CODE.items():
        took = []
        for _ in range(5):
            start = time.perf_counter()
            speaks(check, window)
            took.append(time.perf_counter() - start)
        found[code] = round(min(took), 4)
    return found


def month_of_minutes() -> Window:
    """Return thirty days of minutes with calibrations, a load and a standstill."""
    window = synthetic.calibrated(7, days=30)
    rng = np.random.default_rng(7)
    window.values["load"] = 70 + 10 * rng.standard_normal(len(window))  # type: ignore[index]
    return window


def main() -> int:
    """Print machine, seeds, the two tables and the seconds; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--power-seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    machine = (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}"
    )
    load = round(os.getloadavg()[0], 2)
    print(
        f"{machine}, load {load}; seeds from {args.first_seed}: "
        f"{args.seeds} honest per kind, {args.power_seeds} tampered"
    )
    missed = []
    speed = {"year of hours": seconds(synthetic.honest("stopping", 7)), "month of minutes": seconds(month_of_minutes())}
    for name, bar in BARS_SECONDS.items():
        total = sum(speed[name].values())
        print(
            f"  {name:17} {total:6.3f} s (bar {bar} s)  "
            + "  ".join(f"{c[6:]} {s:.3f}" for c, s in speed[name].items())
        )
        missed += [f"speed: {name}"] if total > bar else []
    alarms = false_alarms(range(args.first_seed, args.first_seed + args.seeds))
    print("\nfalse alarms (suspicions / honest series)")
    for code, kinds in alarms.items():
        spoke, asked = (sum(cell[at] for cell in kinds.values()) for at in (0, 1))
        print(f"  {code:18} {spoke / max(asked, 1):7.2%}  " + "  ".join(f"{k} {a}/{b}" for k, (a, b) in kinds.items()))
        missed += [f"false alarms: {code}, {k}" for k, (a, b) in kinds.items() if a > BAR * b]
    rows = power(range(args.first_seed, args.first_seed + args.power_seeds))
    print("\npower (share of tampered series found)")
    for row in rows:
        print(f"  {row['check']:18} {row['kind']:11} {row['tampering']:13} {row['strength']:>6}  {row['found']:6.0%}")
    if args.json:
        report = {"benchmark": "fraud", "machine": machine, "load_before": load, "first_seed": args.first_seed,
                  "seeds": args.seeds, "seconds": speed, "false_alarms": alarms, "power": rows}  # fmt: skip
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for what in missed:
        print(f"missed the bar: {what}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
