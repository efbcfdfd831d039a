"""How many packets a second does the gateway take, and how soon does it answer?

Starts a PostgreSQL of its own with fsync on, a gateway, and 1,000 connections in separate processes, all on this
machine. Each connection sends hourly packets of 8 factors and waits for 9014 with a window of a few packets. Two
phases: a steady load (``--rate``), for which the latency of the answers is measured, and as much as goes. Beside it,
in the same run, a naive server that commits each packet by itself.

    python benchmarks/bench_gateway.py [--rate 4400] [--seconds 15] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

FACTORS = ("a21026", "a21004", "a21005", "a05024", "a34002", "a34004", "a01001", "a01002")
BAR_RATE, BAR_P99 = 4000.0, 250.0  # packets/s, ms
FIRST_HOUR = datetime(2026, 1, 1)  # local; each packet of a connection is one hour later than the one before


def mn_of(number: int) -> str:
    """Return the MN of a device of the benchmark."""
    return f"88{number:022X}"


def packet_of(number: int, sequence: int) -> bytes:
    """Encode one packet cheaply."""
    from luming.hj212 import crc16

    hour = FIRST_HOUR + timedelta(hours=sequence)
    readings = ";".join(
        f"{code}-Min={level}.1,{code}-Avg={level}.5,{code}-Max={level}.9,{code}-Flag=N"
        for level, code in enumerate(FACTORS, start=sequence % 50)
    )
    segment = (
        f"QN={hour:%Y%m%d%H%M%S}{sequence % 1000:03d};ST=22;CN=2061;PW=123456;MN={mn_of(number)};Flag=5;"
        f"CP=&&DataTime={hour:%Y%m%d%H%M%S};{readings}&&"
    ).encode()
    return b"##%04d%b%04X\r\n" % (len(segment), segment, crc16(segment))


# ---- load -----------------------------------------------------------------------------------------------------------


class LoadConnection(asyncio.Protocol):
    """One logger: sends prepared packets and times the answers, which come in order and end with a line feed."""

    __slots__ = ("latencies", "packets", "position", "sent_at", "transport")

    def __init__(self, packets: list[bytes], latencies: list[float]) -> None:
        self.packets = packets
        self.position = 0
        self.sent_at: deque[float] = deque()
        self.latencies = latencies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        sent_at, latencies = self.sent_at, self.latencies
        for _ in range(data.count(b"\n")):
            latencies.append(now - sent_at.popleft())

    def send(self) -> None:
        self.sent_at.append(time.perf_counter())
        self.transport.write(self.packets[self.position])
        self.position += 1


async def _drive(port: int, numbers: range, packets: int, pipe, orders) -> None:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    links: list[LoadConnection] = []
    for number in numbers:
        prepared = [packet_of(number, sequence) for sequence in range(packets)]
        _transport, link = await loop.create_connection(
            lambda p=prepared: LoadConnection(p, latencies), "127.0.0.1", port
        )
        links.append(link)
    pipe.send("ready")
    while (order := await asyncio.to_thread(orders.get)) is not None:
        rate, seconds, window = order
        latencies.clear()
        sent = await _phase(links, rate, seconds, window)
        deadline = time.perf_counter() + 30
        while any(link.sent_at for link in links) and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        pipe.send((sent, [round(value * 1000, 2) for value in latencies], sum(len(link.sent_at) for link in links)))
    for link in links:
        link.transport.close()


async def _phase(links: list[LoadConnection], rate: float, seconds: float, window: int) -> tuple[int, float]:
    """Send for some seconds; rate 0: as much as the windows let through. Returns packets and seconds."""
    started = time.perf_counter()
    sent = turn = 0
    count = len(links)
    while (elapsed := time.perf_counter() - started) < seconds:
        due = int(elapsed * rate) - sent if rate else count * window
        skipped = 0
        while due > 0 and skipped < count:
            link = links[turn % count]
            turn += 1
            if len(link.sent_at) < window and link.position < len(link.packets):
                link.send()
                sent += 1
                due -= 1
                skipped = 0
            else:
                skipped += 1
        await asyncio.sleep(0.004)
    return sent, time.perf_counter() - started


def _load_process(port: int, numbers: range, packets: int, pipe, orders) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_drive(port, numbers, packets, pipe, orders))


class Load:
    """The processes that drive the connections."""

    def __init__(self, port: int, connections: int, processes: int, packets: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.members = []
        for part in range(processes):
            here, there = context.Pipe()
            orders = context.Queue()
            numbers = range(part * connections // processes, (part + 1) * connections // processes)
            process = context.Process(target=_load_process, args=(port, numbers, packets, there, orders))
            process.start()
            self.members.append((process, here, orders))
        for _process, pipe, _orders in self.members:
            pipe.recv()

    def run(self, rate: float, seconds: float, window: int) -> dict[str, float]:
        """Run a phase and return packets per second and latencies in milliseconds."""
        for _process, _pipe, orders in self.members:
            orders.put((rate / len(self.members), seconds, window))
        results = [pipe.recv() for _process, pipe, _orders in self.members]
        latencies = sorted(value for result in results for value in result[1])
        duration = max(result[0][1] for result in results)
        if not latencies:
            raise SystemExit("nothing was acknowledged")
        return {
            "sent": sum(result[0][0] for result in results),
            "acknowledged": len(latencies),
            "unanswered": sum(result[2] for result in results),
            "packets_per_second": round(len(latencies) / duration, 1),
            "p50_ms": latencies[len(latencies) // 2],
            "p99_ms": latencies[int(len(latencies) * 0.99)],
            "max_ms": latencies[-1],
        }

    def pids(self) -> list[int]:
        """Return the ids of the processes."""
        return [process.pid for process, _pipe, _orders in self.members]

    def stop(self) -> None:
        """End the processes."""
        for process, _pipe, orders in self.members:
            orders.put(None)
            process.join(10)


# ---- the machine ----------------------------------------------------------------------------------------------------


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time that processes and their dead children took."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, what: str = "VmHWM") -> float:
    """Return the peak (or present, VmRSS) memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def children_of(pid: int) -> list[int]:
    """Return a process and its children."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [pid, *map(int, found)]


def machine() -> dict[str, object]:
    """Describe this machine."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "?",
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- the installation -----------------------------------------------------------------------------------------------


class Installation:
    """A throw-away database with its devices, and the environment that reaches it."""

    def __init__(self, devices: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="luming-bench-"))
        os.environ.update(
            LUMING_DATA=str(self.folder), DJANGO_SETTINGS_MODULE="luming.web.settings", LUMING_LOG_LEVEL="WARNING"
        )
        os.environ.pop("LUMING_DB_ROLE", None)
        from luming.ops.postgres import Server

        self.server = Server(self.folder, self.folder / "run", "bench")
        self.server.start()
        os.environ["DATABASE_URL"] = self.server.url
        subprocess.run([sys.executable, "-m", "luming", "migrate"], check=True, stdout=subprocess.DEVNULL)
        import django

        django.setup()
        _make_devices(devices)
        self.port, self.metrics_port = free_port(), free_port()
        self.environment = os.environ | {
            "LUMING_GATEWAY_PORT": str(self.port),
            "LUMING_GATEWAY_METRICS_PORT": str(self.metrics_port),
            "LUMING_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS": "5000",
            "LUMING_GATEWAY_PACKETS_PER_MINUTE": "60000",
            "LUMING_GATEWAY_FIRST_CONNECTION": "",
            "LUMING_DB_ROLE": "luming_app",  # the lesser role that serves in production
        }

    def gateway(self, processes: int = 1) -> subprocess.Popen[bytes]:
        """Start a gateway and wait until it is well."""
        command = [sys.executable, "-m", "luming", "gateway", "--processes", str(processes)]
        profile = os.environ.get("LUMING_BENCH_PROFILE")
        if profile:
            command = [sys.executable, "-m", "cProfile", "-o", profile, "-m", "luming", "gateway"]
        process = subprocess.Popen(command, env=self.environment)
        self.wait_until_well(process)
        return process

    def wait_until_well(self, process: subprocess.Popen[bytes], timeout: float = 60) -> None:
        """Wait until /healthz says 200."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/healthz", timeout=2):
                    return
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("the gateway ended: see its message above") from None
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def counts(self) -> tuple[int, int]:
        """Return how many packets and observations are stored."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM telemetry_packet), (SELECT count(*) FROM telemetry_observation)"
            )
            return cursor.fetchone()

    def close(self) -> None:
        """Stop the database and remove everything."""
        from django.db import connections

        connections.close_all()
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _make_devices(count: int) -> None:
    from luming.registry.models import Device, Place, Region, Series, Station

    region = Region.objects.create(code="150203", name="昆都仑区", level="district")
    for number in range(count):
        Station.objects.create(
            code=f"B{number}", name=f"B{number}", medium="air", region=region, longitude=109.8, latitude=40.6
        )
    places = list(Place.objects.order_by("pk"))
    Device.objects.bulk_create(
        Device(mn=mn_of(number), place=place, system="22", edition=1) for number, place in enumerate(places)
    )
    Series.objects.bulk_create(
        Series(place=place, factor=factor, interval="hour", seconds=3600, unit="µg/m³")
        for place in places
        for factor in FACTORS
    )


# ---- the naive server beside it -------------------------------------------------------------------------------------


NAIVE_PACKET = """
    INSERT INTO telemetry_packet (id, received_at, direction, mn, peer, st, cn, qn, body, verdict, codes, new, repeated,
        revised)
    VALUES (luming_packet_id(now()) + nextval('naive_id'), now(), 'I', %s, '', %s, %s, %s, %s, 'A', '{}', 8, 0, 0)
    RETURNING id
"""
NAIVE_OBSERVATION = """
    INSERT INTO telemetry_observation (series_id, start, revision, value, minimum, maximum, flag, packet_id)
    VALUES (%s, %s, 0, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


def naive_server(port: int, url: str) -> None:
    """Serve like a first draft: for every packet decode, insert the rows, commit, answer."""
    import psycopg_pool
    import uvloop

    from luming.hj212 import Framer, decode, encode

    async def serve() -> None:
        series: dict[str, dict[str, int]] = {}
        async with psycopg_pool.AsyncConnectionPool(url, min_size=10, max_size=10) as pool:
            async with pool.connection() as connection:
                rows = await connection.execute(
                    "SELECT d.mn, s.factor, s.id FROM registry_device d JOIN registry_series s USING (place_id)"
                )
                async for mn, factor, pk in rows:
                    series.setdefault(mn, {})[factor] = pk
                await connection.execute("CREATE SEQUENCE IF NOT EXISTS naive_id")

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                framer = Framer()
                while data := await reader.read(65536):
                    for frame in framer.feed(data):
                        packet = decode(frame.data).packet
                        known = series[packet.mn]
                        async with pool.connection() as connection, connection.cursor() as cursor:
                            await cursor.execute(
                                NAIVE_PACKET,
                                (packet.mn, packet.st, packet.cn, packet.qn, frame.data),
                            )
                            (packet_id,) = await cursor.fetchone()
                            await cursor.executemany(
                                NAIVE_OBSERVATION,
                                [
                                    (
                                        known[r.code],
                                        packet.data_time,
                                        r.average,
                                        r.minimum,
                                        r.maximum,
                                        r.flag,
                                        packet_id,
                                    )
                                    for r in packet.readings
                                ],
                            )
                        writer.write(encode(cn=9014, st="91", mn=packet.mn, pw=packet.pw, qn=packet.qn, flag=4))

            server = await asyncio.start_server(handle, "127.0.0.1", port, backlog=2048)
            await server.serve_forever()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


# ---- the run --------------------------------------------------------------------------------------------------------


def measure_gateway(installation: Installation, args: argparse.Namespace) -> dict[str, object]:
    """Run the steady and the full phase against the gateway."""
    gateway = installation.gateway(args.processes)
    packets = int((args.rate * (args.seconds + 3) + 14000 * args.full_seconds) / args.connections) + 50
    load = Load(installation.port, args.connections, args.load_processes, packets)
    load.run(args.rate, 3, args.window)  # warm-up: partitions, caches, what is known of each series
    groups = {
        "gateway": children_of(gateway.pid) if args.processes > 1 else [gateway.pid],
        "postgres": [],
        "load": load.pids(),
    }
    groups["postgres"] = children_of(installation.server.process.pid)
    before = {name: cpu_seconds(pids) for name, pids in groups.items()}
    steady = load.run(args.rate, args.seconds, args.window)
    steady["cpu"] = {name: round((cpu_seconds(pids) - before[name]) / args.seconds, 2) for name, pids in groups.items()}
    full = load.run(0, args.full_seconds, args.window) if args.full_seconds else None
    memory = max(memory_mib(pid) for pid in groups["gateway"])
    load.stop()
    gateway.send_signal(signal.SIGTERM)
    code = gateway.wait(60)
    return {"steady": steady, "full": full, "peak_memory_mib": memory, "exit_code": code}


def measure_naive(installation: Installation, args: argparse.Namespace) -> dict[str, float]:
    """Run the full phase against the naive server."""
    port = free_port()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=naive_server, args=(port, installation.server.url), daemon=True)
    server.start()
    _wait_for_port(port)
    from django.db import connection

    with connection.cursor() as cursor:  # the same periods are to be stored again
        cursor.execute("TRUNCATE telemetry_packet, telemetry_observation, telemetry_dirty")
    load = Load(port, args.connections, args.load_processes, 40)
    result = load.run(0, args.naive_seconds, 1)
    load.stop()
    server.kill()
    server.join()
    return result


def main() -> int:
    """Run the benchmark; exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--load-processes", type=int, default=2)
    parser.add_argument("--processes", type=int, default=1, help="gateway processes")
    parser.add_argument("--rate", type=float, default=4400.0, help="packets per second of the steady phase")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--full-seconds", type=float, default=6.0)
    parser.add_argument("--naive-seconds", type=float, default=6.0)
    parser.add_argument("--window", type=int, default=4, help="unanswered packets per connection")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    installation = Installation(args.connections)
    try:
        figures: dict[str, object] = {"machine": machine(), "connections": args.connections, "factors": len(FACTORS)}
        figures["gateway"] = gateway = measure_gateway(installation, args)
        figures["stored"] = stored = dict(zip(("packets", "observations"), installation.counts(), strict=True))
        if args.naive_seconds:
            figures["naive"] = naive = measure_naive(installation, args)
            best = (gateway["full"] or gateway["steady"])["packets_per_second"]
            figures["ratio"] = round(best / naive["packets_per_second"], 1)
    finally:
        installation.close()
    steady = gateway["steady"]
    figures["passed"] = (
        steady["packets_per_second"] >= BAR_RATE
        and steady["p99_ms"] <= BAR_P99
        and not steady["unanswered"]
        and stored["observations"] == stored["packets"] * len(FACTORS)
    )
    _print(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    return 0 if figures["passed"] else 1


def _print(figures: dict) -> None:
    gateway = figures["gateway"]
    for name, phase in (
        ("steady", gateway["steady"]),
        ("as much as goes", gateway["full"]),
        ("naive", figures.get("naive")),
    ):
        if phase:
            print(
                f"{name:16} {phase['packets_per_second']:8.0f} packets/s   p50 {phase['p50_ms']:6.1f} ms   "
                f"p99 {phase['p99_ms']:6.1f} ms   max {phase['max_ms']:6.1f} ms   unanswered {phase['unanswered']}"
            )
    print(f"processors busy  {gateway['steady']['cpu']}   gateway peak memory {gateway['peak_memory_mib']} MiB")
    print(f"stored           {figures['stored']}")
    if "ratio" in figures:
        print(f"ratio            {figures['ratio']} × the naive server")
    outcome = "met" if figures["passed"] else "MISSED"
    print(f"bar              ≥ {BAR_RATE:.0f} packets/s, p99 ≤ {BAR_P99:.0f} ms: {outcome}")


if __name__ == "__main__":
    sys.exit(main())
