"""Speed and size of the telemetry store on this machine, against a throw-away PostgreSQL with fsync on.

    python benchmarks/bench_store.py [--seconds 5] [--json PATH]

Measured, with made-up data of the given seed:

- ``write``: one :class:`luming.telemetry.store.Writer`, batches of 200 packets × 8 observations, each batch committed
  to disk before the next; also the same batches again (all repeats).
- ``bulk``: ``bulk_load`` of history, packets included (bar: 100,000 observations/s).
- ``bytes``: per stored observation, table and index apart, of hour rows with minimum, maximum and converted value.
- ``chart``: one outlet-year of hours, 8 series of an outlet in a fleet of 50 whose packets arrived in order of time
  (bar: 50 ms), and one series of it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

BATCH, FACTORS, DEVICES = 200, 8, 1000
START = datetime(2025, 3, 1, tzinfo=UTC)
BODY_BYTES = 500


def main() -> int:
    """Run the benchmarks; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="how long to write single batches (default 5)")
    parser.add_argument("--seed", type=int, default=20250301)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
    from luming.ops.postgres import Server

    server = Server(folder, folder / "run", "bench")
    try:
        server.start()
        _prepare(folder, server.url)
        figures = _machine() | {"seed": args.seed}
        figures |= bench_write(args.seconds, np.random.default_rng(args.seed), _backend_seconds)
        figures |= bench_bulk(np.random.default_rng(args.seed))
        figures |= bench_year(np.random.default_rng(args.seed))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in figures.items():
        print(f"{name:36} {value:>14,.1f}" if isinstance(value, float) else f"{name:36} {value!s:>14}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    missed = [
        text
        for text, ok in (
            ("bulk back-fill below 100,000 observations/s", figures["bulk observations/s"] >= 100_000),
            ("chart of an outlet-year above 50 ms", figures["chart outlet-year ms"] <= 50),
        )
        if not ok
    ]
    for text in missed:
        print(f"MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0


def freeze() -> None:
    """Free the collector of what is loaded, as the product's server does (luming.web.wsgi)."""
    from django.urls import get_resolver

    assert get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def _prepare(folder: Path, url: str) -> None:
    os.environ.update(DATABASE_URL=url, LUMING_DATA=str(folder), DJANGO_SETTINGS_MODULE="luming.web.settings")
    os.environ.pop("LUMING_DB_ROLE", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def _machine() -> dict[str, Any]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {"machine": model, "cores": os.cpu_count(), "python": platform.python_version()}


def _backend_seconds(pid: int) -> float:
    """Return the processor time of a PostgreSQL process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _batch(ids: Any, number: int, random: np.random.Generator) -> tuple[list[Any], list[Any]]:
    """Make one batch: the next 200 of 1,000 devices, each with the next minute."""
    from luming.telemetry import store

    body = random.bytes(BODY_BYTES)
    now = datetime.now(UTC)
    packets, rows = [], []
    for i in range(BATCH):
        device = (number * BATCH + i) % DEVICES
        start = START + timedelta(minutes=number * BATCH // DEVICES)
        packet_id = ids.next(now)
        packets.append(
            store.PacketRow(
                packet_id,
                now,
                "I",
                device,
                device,
                f"010000A8900016F0{device:08X}",
                "127.0.0.1:40000",
                "31",
                2051,
                f"{number:09d}{i:08d}",
                body,
                "A",
            )
        )
        for factor, (value, spread) in enumerate(random.random((FACTORS, 2)).tolist()):
            rows.append(
                store.ObservationRow(
                    device * FACTORS + factor,
                    device,
                    "minute",
                    start,
                    value,
                    value - spread,
                    value + spread,
                    value * 1.1,
                    None,
                    "N",
                    packet_id,
                )
            )
    return packets, rows


def bench_write(seconds: float, random: np.random.Generator, backend_seconds: Any) -> dict[str, Any]:
    """Write batch after batch for some seconds."""
    from luming.telemetry import store
    from luming.telemetry.identity import PacketIds

    ids = PacketIds(0)
    with store.Writer() as writer:
        for number in range(DEVICES // BATCH):
            writer.write(*_batch(ids, number, random))  # meets each series once
        first = DEVICES // BATCH
        batches = [_batch(ids, number, random) for number in range(first, first + int(seconds * 60))]
        pid = writer.connect().info.backend_pid
        figures = _timed("write", writer, batches, pid, backend_seconds)
        again = []
        now = datetime.now(UTC)
        for packets, rows in batches[: len(batches) // 4]:
            new_ids = {packet.id: ids.next(now) for packet in packets}
            for packet in packets:
                packet.id = new_ids[packet.id]
            again.append((packets, [row._replace(packet_id=new_ids[row.packet_id]) for row in rows]))
        return figures | _timed("write repeats", writer, again, pid, backend_seconds)


def _timed(name: str, writer: Any, batches: list[Any], pid: int, backend_seconds: Any) -> dict[str, Any]:
    waits = []
    python, postgres, begun = time.process_time(), backend_seconds(pid), time.perf_counter()
    for packets, rows in batches:
        mark = time.perf_counter()
        writer.write(packets, rows)
        waits.append(time.perf_counter() - mark)
    elapsed = time.perf_counter() - begun
    count = len(batches) * BATCH * FACTORS
    return {
        f"{name} observations/s": count / elapsed,
        f"{name} packets/s": count / elapsed / FACTORS,
        f"{name} batch p50 ms": statistics.median(waits) * 1e3,
        f"{name} batch p99 ms": statistics.quantiles(waits, n=100)[98] * 1e3,
        f"{name} python µs/packet": (time.process_time() - python) / count * FACTORS * 1e6,
        f"{name} postgres µs/packet": (backend_seconds(pid) - postgres) / count * FACTORS * 1e6,
    }


def _history(
    random: np.random.Generator, first_device: int, devices: int, hours: int, begin: datetime
) -> tuple[list[Any], Any]:
    """Make hours of history in the order of arrival: each hour, one packet of each device."""
    from luming.telemetry import store
    from luming.telemetry.identity import PacketIds

    ids = PacketIds(1)
    body = random.bytes(BODY_BYTES)
    packets = []
    for hour in range(hours):
        received = begin + timedelta(hours=hour + 1, seconds=20)
        packets += [
            store.PacketRow(
                ids.next(received),
                received,
                "I",
                None,
                first_device + device,
                f"010000A8900016F0{device:08X}",
                "127.0.0.1:40000",
                "31",
                2061,
                f"{hour:08d}{device:09d}",
                body,
                "A",
            )
            for device in range(devices)
        ]
    count = hours * devices * FACTORS
    place = np.tile(np.repeat(np.arange(devices), FACTORS), hours) + first_device
    factor = np.tile(np.arange(FACTORS), hours * devices)
    value = random.gamma(2, 20, count).round(3)
    spread = random.gamma(2, 2, count).round(3)
    start = np.datetime64(begin.replace(tzinfo=None), "us") + np.repeat(
        np.arange(hours), devices * FACTORS
    ) * np.timedelta64(1, "h")
    columns = store.ObservationColumns.make(
        series_id=place * FACTORS + factor,
        place_id=place,
        interval="hour",
        start=start,
        value=value,
        minimum=value - spread,
        maximum=value + spread,
        converted=value * 1.1,
        flag="N",
        packet_id=np.repeat(np.fromiter((packet.id for packet in packets), np.int64), FACTORS),
    )
    return packets, columns


def bench_bulk(random: np.random.Generator) -> dict[str, Any]:
    """Load 60 days of hours of 60 places, twice: the second time all of it is there."""
    from luming.telemetry import store

    packets, columns = _history(random, 10_000, 60, 60 * 24, datetime(2025, 1, 1, tzinfo=UTC))
    begun = time.perf_counter()
    result = store.bulk_load(packets, columns)
    elapsed = time.perf_counter() - begun
    assert result.new == len(columns) and result.packets == len(packets), result
    return {"bulk observations": len(columns), "bulk observations/s": len(columns) / elapsed}


def bench_year(random: np.random.Generator) -> dict[str, Any]:
    """Read charts of one outlet's year among 50, and say what an observation costs on disk."""
    from django.db import connection

    from luming.telemetry import store

    begin, devices = datetime(2023, 12, 31, 16, tzinfo=UTC), 50
    for month in range(12):
        first = begin + timedelta(days=month * 30)
        store.bulk_load(*_history(random, 20_000, devices, 30 * 24, first))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE telemetry_observation")
        cursor.execute(
            "SELECT count(*) FROM telemetry_observation_202406"  # a whole month of the year
        )
        rows = cursor.fetchone()[0]
        cursor.execute(
            "SELECT pg_table_size('telemetry_observation_202406'), pg_indexes_size('telemetry_observation_202406')"
        )
        table, index = cursor.fetchone()
        store.pack_indexes(datetime(2025, 1, 15).date())
        cursor.execute("SELECT pg_indexes_size('telemetry_observation_202406')")
        packed = cursor.fetchone()[0]
    _register(20_010)
    outlet = [20_010 * FACTORS + factor for factor in range(FACTORS)]
    end = begin + timedelta(days=360)
    return {
        "bytes per observation, table": table / rows,
        "bytes per observation, index": index / rows,
        "bytes per observation, packed index": packed / rows,
        "chart outlet-year ms": _median_ms(lambda: store.chart(outlet, begin, end)),
        "chart outlet-year, all points ms": _median_ms(lambda: store.chart(outlet, begin, end, max_points=10_000)),
        "chart series-year ms": _median_ms(lambda: store.chart(outlet[:1], begin, end)),
        "observations outlet-year ms": _median_ms(lambda: store.observations(outlet, begin, end)),
    }


def _register(place_id: int) -> None:
    """Enter the outlet's series: a chart asks for their expected interval."""
    from luming.registry.models import Place, Region, Series

    region = Region.objects.create(code="150200", name="包头市", level="city")
    place = Place.objects.create(
        pk=place_id, kind="outlet", code="bench", name="bench", medium="gas", region=region, longitude=110, latitude=40
    )
    Series.objects.bulk_create(
        Series(
            pk=place_id * FACTORS + factor,
            place=place,
            factor=f"a{factor:05d}",
            interval="hour",
            seconds=3600,
            unit="mg/m³",
        )
        for factor in range(FACTORS)
    )


def _median_ms(call: Any) -> float:
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


if __name__ == "__main__":
    sys.exit(main())
