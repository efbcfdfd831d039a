"""Precision, recall and F1 of the checks against technicians' labels, per factor, with default and tuned parameters.

    python benchmarks/qc_labels.py [--data FOLDER] [--config benchmarks/qc_labels.toml] [--all-rows] [--json PATH]

The data are multi-parameter probes of the Logan River Observatory (pyhydroqc, BSD-3): raw values every 15 minutes and a
qualifier, not null where a technician corrected or removed the value. Site-years without qualifiers are left out, and
rows that no technician has seen (neither a corrected value nor a qualifier) unless ``--all-rows`` is given.
``FOLDER`` is the folder with the CSV files, or ``qc_pyhydroqc_lro`` under the environment variable LUMING_SHARED.

A value counts as flagged when its quality is not valid (checks that only inform do not count). Beside single values
events are counted: an unbroken run of labels is found when any of its rows, or a row within an hour of it, is flagged.
The tuned parameters were chosen on the site-years named in their file; the report tells those from the others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from luming.science.qc import catalogue as qc
from luming.science.qc.model import Result, Window

COLUMNS = {"temp": "temp", "cond": "ec", "ph": "ph", "do": "do", "turb": "turb", "stage": "stage"}
TUNED = Path(__file__).with_name("qc_labels.toml")
CLOSE = 4  # rows within which a flag counts for an event


def site_years(folder: Path) -> dict[str, Path]:
    """Return name → file of the site-years that have qualifiers."""
    found = {}
    for path in sorted(folder.glob("*.csv*")):
        header = pl.read_csv(path, n_rows=1, infer_schema=False).columns
        if any(name.endswith("_qual") for name in header):
            found[path.name.partition(".")[0]] = path
    return found


def read(path: Path, all_rows: bool) -> tuple[Window, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the raw values and, per factor, where a technician labelled them and where one has looked."""
    frame = pl.read_csv(path, infer_schema=False, null_values=["NULL", ""])
    times = frame["datetime"].str.slice(0, 16).str.to_datetime("%Y-%m-%d %H:%M")
    values, labels, seen = {}, {}, {}
    for column, factor in COLUMNS.items():
        if column in frame.columns:
            values[factor] = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy().copy()
            labels[factor] = frame[f"{column}_qual"].is_not_null().to_numpy() & ~np.isnan(values[factor])
            seen[factor] = labels[factor] | frame[f"{column}_cor"].is_not_null().to_numpy() | all_rows
    window = Window(time=times.to_numpy().astype("datetime64[s]"), values=values, interval=900.0, medium="water")
    return window, labels, seen


def flags(window: Window, settings: qc.Settings | None) -> dict[str, np.ndarray]:
    """Return, per factor, which values the checks keep out."""
    return {
        factor: np.isin(qc.quality(by_code), (qc.Quality.SUSPECT, qc.Quality.INVALID))
        for factor, by_code in qc.run(window, parameters=settings).items()
    }


def counts(flagged: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return true and false positives, false negatives, events found, events, false alarms (runs of flags)."""
    begins, ends = runs(labelled)
    near = spread(flagged)
    found = sum(bool(near[begin:end].any()) for begin, end in zip(begins, ends, strict=True))
    false_begins, false_ends = runs(flagged)
    close = spread(labelled)
    false = sum(not close[begin:end].any() for begin, end in zip(false_begins, false_ends, strict=True))
    hit = np.count_nonzero(flagged & labelled)
    return np.array(
        [hit, np.count_nonzero(flagged & ~labelled), np.count_nonzero(labelled & ~flagged), found, len(begins), false]
    )


def runs(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return begins and ends (exclusive) of unbroken runs of true rows."""
    change = np.diff(np.concatenate([[0], rows.astype(np.int8), [0]]))
    return np.nonzero(change == 1)[0], np.nonzero(change == -1)[0]


def spread(rows: np.ndarray) -> np.ndarray:
    """Return the rows and those close to them."""
    return np.convolve(rows, np.ones(2 * CLOSE + 1), mode="same")[: len(rows)] > 0


def scores(count: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 of values and of events from counts."""
    hit, false, missed, found, events, alarms = (int(number) for number in count)

    def f1(precision: float, recall: float) -> float:
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    precision = hit / (hit + false) if hit + false else float("nan")
    recall = hit / (hit + missed) if hit + missed else float("nan")
    event_precision = found / (found + alarms) if found + alarms else float("nan")
    event_recall = found / events if events else float("nan")
    return {
        "labelled": hit + missed,
        "flagged": hit + false,
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1(precision, recall), 4) if hit + missed and hit + false else float("nan"),
        "events": events,
        "event_precision": round(event_precision, 4),
        "event_recall": round(event_recall, 4),
        "event_f1": round(f1(event_precision, event_recall), 4) if events and found + alarms else float("nan"),
    }


def evaluate(paths: dict[str, Path], settings: qc.Settings | None, all_rows: bool) -> dict[str, dict[str, np.ndarray]]:
    """Return site-year → factor → counts."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, path in paths.items():
        window, labels, seen = read(path, all_rows)
        flagged = flags(window, settings)
        found[name] = {
            factor: counts(flagged[factor] & seen[factor], labels[factor]) for factor in labels if seen[factor].any()
        }
    return found


def show(title: str, found: dict[str, dict[str, np.ndarray]]) -> dict[str, Any]:
    """Print one table and return its numbers."""
    print(f"\n{title}: {', '.join(found) or 'none'}")
    print(f"  {'factor':7}{'labelled':>9}{'flagged':>9}{'precision':>10}{'recall':>8}{'F1':>7}", end="")
    print(f"{'events':>8}{'precision':>10}{'recall':>8}{'F1':>7}")
    report = {}
    factors = {factor: None for by_factor in found.values() for factor in by_factor}
    for factor in [*factors, "all"]:
        chosen = factors if factor == "all" else [factor]
        total = sum((by[f] for by in found.values() for f in chosen if f in by), np.zeros(6, dtype=int))
        row = report[factor] = scores(total)
        print(f"  {factor:7}{row['labelled']:9}{row['flagged']:9}{row['precision']:10.3f}{row['recall']:8.3f}", end="")
        print(f"{row['f1']:7.3f}{row['events']:8}{row['event_precision']:10.3f}{row['event_recall']:8.3f}", end="")
        print(f"{row['event_f1']:7.3f}")
    return report


def speakers(paths: dict[str, Path], settings: qc.Settings | None) -> None:
    """Print which check flagged how many labelled and unlabelled values."""
    for name, path in paths.items():
        window, labels, seen = read(path, False)
        for factor, by_code in qc.run(window, parameters=settings).items():
            for code, results in by_code.items():
                if qc.catalogue()[code].severity in ("invalid", "suspect"):
                    said = ((results == Result.SUSPECT) | (results == Result.FAIL)) & seen[factor]
                    right, wrong = np.count_nonzero(said & labels[factor]), np.count_nonzero(said & ~labels[factor])
                    if right or wrong:
                        print(f"  {name:18} {factor:6} {code:15} labelled {right:5}  unlabelled {wrong:5}")


def main() -> int:
    """Print machine, data and the tables; 0 also where the data are absent, with a message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="folder with the CSV files")
    parser.add_argument("--config", type=Path, default=TUNED, help="tuned parameters")
    parser.add_argument("--all-rows", action="store_true", help="also count rows that no technician has seen")
    parser.add_argument("--checks", action="store_true", help="also print which check flagged what")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    shared = os.environ.get("LUMING_SHARED")
    folder = args.data or (Path(shared) / "data" / "qc_pyhydroqc_lro" if shared else None)
    if folder is None or not folder.is_dir():
        print("no labelled data: give --data FOLDER or set LUMING_SHARED; nothing measured", file=sys.stderr)
        return 0
    paths = site_years(folder)
    tuned = tomllib.loads(args.config.read_text(encoding="utf-8")) if args.config.exists() else {}
    tuned_on = tuned.get("about", {}).get("tuned_on", [])
    tuned = {code: given for code, given in tuned.items() if code in qc.catalogue()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; catalogue {qc.edition()}; {len(paths)} site-years with qualifiers in {folder.name}")
    default, better = evaluate(paths, None, args.all_rows), evaluate(paths, tuned, args.all_rows)
    seen = {name: counts for name, counts in better.items() if name in tuned_on}
    unseen = {name: counts for name, counts in better.items() if name not in tuned_on}
    report = {
        "benchmark": "qc_labels",
        "machine": machine,
        "catalogue": qc.edition(),
        "tuned_on": tuned_on,
        "default": show("default parameters, all site-years", default),
        "default, not tuned on": show(
            "default parameters, site-years not tuned on", {name: default[name] for name in unseen}
        ),
        "tuned, tuned on": show("tuned parameters, site-years they were tuned on", seen),
        "tuned, not tuned on": show("tuned parameters, site-years they were not tuned on", unseen),
    }
    if args.checks:
        print("\nwhich check flagged what (default parameters)")
        speakers(paths, None)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
