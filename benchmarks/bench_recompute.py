"""Statistics of the demonstration fleet in the database: everything again, one station's year, one day of all.

    python benchmarks/bench_recompute.py [--days 60] [--seed 212] [--json PATH]

Against a throw-away PostgreSQL with fsync on, filled with the fleet's history. Measured, seconds:

- ``fleet first``: all days, months, quarters and years for the first time (bar: 60 days in 60 s), written.
- ``fleet again``: the same once more, when nothing changed: everything is computed and compared, nothing written.
- ``fleet day``: one day of every place was marked, as each night.
- ``station year``: one station with six factors and a year of hours (bar: 2 s).
- ``one value``: one hour of that station was reviewed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

FLEET_BAR, STATION_BAR = 60.0, 2.0
FACTORS = {
    "a34004": "µg/m³", "a34002": "µg/m³", "a21026": "µg/m³", "a21004": "µg/m³", "a21005": "mg/m³", "a05024": "µg/m³",
}  # fmt: skip


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=212)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
    from luming.ops.postgres import Server

    server = Server(folder, folder / "run", "bench")
    try:
        server.start()
        prepare(folder, server.url)
        figures: dict[str, Any] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
            "seed": args.seed, "days": args.days,
        }  # fmt: skip
        figures |= bench_fleet(args.days, args.seed)
        figures |= bench_station(np.random.default_rng(args.seed))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in figures.items():
        print(f"{name:24} {value:>14,.2f}" if isinstance(value, float) else f"{name:24} {value!s:>14}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    slow_fleet = figures["fleet first s"] > FLEET_BAR * args.days / 60
    slow_station = figures["station year s"] > STATION_BAR
    for text, missed in (("fleet", slow_fleet), ("station", slow_station)):
        if missed:
            print(f"MISSED: recomputation of the {text} took too long", file=sys.stderr)
    return int(slow_fleet or slow_station)


def prepare(folder: Path, url: str) -> None:
    """Set Django up on the database and make the tables."""
    os.environ.update(DATABASE_URL=url, LUMING_DATA=str(folder), DJANGO_SETTINGS_MODULE="luming.web.settings")
    os.environ.pop("LUMING_DB_ROLE", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and result of a call."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def bench_fleet(days: int, seed: int) -> dict[str, Any]:
    """Fill the fleet's history and compute its statistics."""
    from luming.demo import fleet, history
    from luming.registry import city
    from luming.registry.models import Place, Series
    from luming.standards.edition import city_day
    from luming.telemetry.statistics import queue, recomputing

    city.load("baotou")
    fleet.load(seed)
    filled = history.fill(days=days, seed=seed)
    last = city_day(datetime.now(UTC)) - timedelta(days=1)
    span = (last - timedelta(days=days), last)
    first_seconds, outcomes = timed(lambda: list(recomputing.recompute_between(*span)))
    again_seconds, again = timed(lambda: list(recomputing.recompute_between(*span)))
    assert sum(outcome.total for _day, outcome in again) == 0
    queue.mark_days({(pk, last) for pk in Place.objects.values_list("pk", flat=True)})
    day_seconds, _outcome = timed(recomputing.recompute_pending)
    return {
        "observations": filled.observations,
        "hour series": Series.objects.filter(interval="hour").count(),
        "figures": sum(outcome.total for _day, outcome in outcomes),
        "fleet first s": first_seconds, "fleet again s": again_seconds, "fleet day s": day_seconds,
    }  # fmt: skip


def bench_station(rng: np.random.Generator) -> dict[str, Any]:
    """Compute a year of one station, then review one of its hours."""
    from luming.registry.models import Region, Series, Station
    from luming.standards.edition import CITY_ZONE
    from luming.telemetry import store
    from luming.telemetry.statistics import queue, recomputing

    region = Region.objects.filter(level="district").first()
    place = Station.objects.create(
        code="BENCH", name="BENCH", medium="air", region=region, longitude=109.8, latitude=40.6
    )
    start = datetime(datetime.now(UTC).year - 1, 1, 1, tzinfo=CITY_ZONE)
    hours = np.datetime64(int(start.timestamp()), "s").astype("datetime64[us]").astype(np.int64)
    hours = hours + np.arange(8760, dtype=np.int64) * 3_600_000_000
    for factor, unit in FACTORS.items():
        series = Series.objects.create(place=place, factor=factor, interval="hour", seconds=3600, unit=unit)
        values = np.where(rng.random(8760) < 0.02, np.nan, rng.gamma(2.0, 20.0, 8760).round(1))
        columns = store.ObservationColumns.make(
            series_id=np.full(8760, series.pk, np.int32), place_id=place.pk, interval=store.INTERVALS.index("hour"),
            start=hours, packet_id=np.arange(8760, dtype=np.int64), value=values,
        )  # fmt: skip
        store.bulk_load([], columns)
    span = (start.date(), start.date() + timedelta(days=364))
    seconds, outcomes = timed(lambda: list(recomputing.recompute_between(*span, [place.pk])))
    assert outcomes
    queue.mark_days({(place.pk, start.date() + timedelta(days=100))})
    one, _outcome = timed(recomputing.recompute_pending)
    return {"station year s": seconds, "one value s": one}


if __name__ == "__main__":
    raise SystemExit(main())
