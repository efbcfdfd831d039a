"""What the checks find in the hourly data of twelve stations in Beijing (UCI multi-site data), and how often.

    python benchmarks/qc_beijing.py [--data FOLDER] [--json PATH]

``FOLDER`` holds PRSA_Data_*.csv[.gz], or ``air_beijing_prsa`` under the environment variable LUMING_SHARED. Carbon
monoxide comes in µg/m³ and is put into mg/m³; the wind's sixteen directions become degrees. Nobody has labelled these
data: the figures are read for plausibility in docs/explanation/quality-checks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from luming.science.qc import catalogue as qc
from luming.science.qc.model import Neighbour, Result, Window

FACTORS = {"PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3", "WSPM": "ws"}
SECTORS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")


def read(path: Path) -> Window:
    """Return one station's window; Beijing time is eight hours ahead of UTC."""
    frame = pl.read_csv(path, null_values=["NA"], infer_schema_length=None)
    times = frame.select(pl.datetime("year", "month", "day", "hour")).to_series().to_numpy().astype("datetime64[s]")
    values = {
        short: frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy().copy() for name, short in FACTORS.items()
    }
    values["co"] = values["co"] / 1000
    degrees = {name: 22.5 * place for place, name in enumerate(SECTORS)}
    values["wd"] = (
        frame["wd"].replace_strict(degrees, default=None, return_dtype=pl.Float64).fill_null(np.nan).to_numpy()
    )
    return Window(time=times - np.timedelta64(8, "h"), values=values, station=path.name.split("_")[2])


def with_neighbours(stations: list[Window]) -> list[Window]:
    """Give every station the others; where they lie is not known."""
    return [
        replace(
            station,
            neighbours={
                factor: [
                    Neighbour(other.station, other.values[factor], float("nan"))
                    for other in stations
                    if other is not station
                ]
                for factor in FACTORS.values()
                if factor != "ws"
            },
        )
        for station in stations
    ]


def main() -> int:
    """Print what was found; 0 also where the data are absent, with a message."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, help="folder with the CSV files")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    shared = os.environ.get("LUMING_SHARED")
    folder = args.data or (Path(shared) / "data" / "air_beijing_prsa" if shared else None)
    if folder is None or not folder.is_dir():
        print("no Beijing data: give --data FOLDER or set LUMING_SHARED; nothing measured", file=sys.stderr)
        return 0
    stations = with_neighbours([read(path) for path in sorted(folder.glob("PRSA_Data_*.csv*"))])
    hours = sum(len(station) for station in stations)
    start = time.perf_counter()
    found = [qc.run(station, list(FACTORS.values())[:6]) for station in stations]
    elapsed = time.perf_counter() - start
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(
        f"{machine}; catalogue {qc.edition()}; {len(stations)} stations, {hours:,} station-hours in {elapsed:.1f} s\n"
    )
    report: dict[str, object] = {"benchmark": "qc_beijing", "machine": machine, "station_hours": hours}
    report["checks"] = show_checks(found)
    report["quality"] = show_quality(found)
    report["facts"] = show_facts(stations)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def show_checks(found: list[dict[str, dict[str, np.ndarray]]]) -> dict[str, dict[str, list[int]]]:
    """Print, per check and factor, suspect and fail, and in per cent of the values."""
    counts: dict[str, dict[str, list[int]]] = {}
    print(f"{'check':15} {'factor':6} {'suspect':>8} {'fail':>8} {'of values':>10}")
    for code in qc.catalogue():
        for factor in list(FACTORS.values())[:6]:
            columns = [by[factor][code] for by in found if code in by[factor]]
            if not columns:
                continue
            together = np.concatenate(columns)
            suspect, fail = (int(np.count_nonzero(together == r)) for r in (Result.SUSPECT, Result.FAIL))
            if suspect or fail:
                share = (suspect + fail) / np.count_nonzero(together != Result.MISSING)
                counts.setdefault(code, {})[factor] = [suspect, fail]
                print(f"{code:15} {factor:6} {suspect:8} {fail:8} {share:10.3%}")
    return counts


def show_quality(found: list[dict[str, dict[str, np.ndarray]]]) -> dict[str, dict[str, float]]:
    """Print the quality of each factor in per cent of the hours."""
    shares = {}
    print(f"\n{'factor':6} {'valid':>8} {'suspect':>8} {'invalid':>8} {'missing':>8}")
    for factor in list(FACTORS.values())[:6]:
        quality = np.concatenate([qc.quality(by[factor]) for by in found])
        shares[factor] = {kind.name.lower(): round(float(np.mean(quality == kind)), 5) for kind in qc.Quality}
        print(f"{factor:6} " + " ".join(f"{share:8.2%}" for share in shares[factor].values()))
    return shares


def show_facts(stations: list[Window]) -> dict[str, float]:
    """Print figures that need no check, to compare with."""
    pm25, pm10, co, o3 = (
        np.concatenate([station.values[factor] for station in stations]) for factor in ("pm25", "pm10", "co", "o3")
    )
    both = ~np.isnan(pm25) & ~np.isnan(pm10)
    facts = {
        "pm25_above_pm10_of_rows": float(np.mean(pm25 > pm10)),
        "pm25_above_pm10_of_pairs": float(np.mean((pm25 > pm10)[both])),
        "pm25_at_least_999": float(np.count_nonzero(pm25 >= 999)),
        "pm10_at_least_999": float(np.count_nonzero(pm10 >= 999)),
        "co_at_10": float(np.count_nonzero(co == 10)),
        "co_above_10": float(np.count_nonzero(co > 10)),
        "o3_greatest": float(np.nanmax(o3)),
    }
    print("\n" + "\n".join(f"{name}: {value:.4g}" for name, value in facts.items()))
    return facts


if __name__ == "__main__":
    raise SystemExit(main())
