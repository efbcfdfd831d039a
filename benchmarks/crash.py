"""Is what was acknowledged still there after kill -9?

Loggers send packets and send again what was not acknowledged, while the gateway or PostgreSQL is killed at random
moments and started again. Afterwards every acknowledged packet must be kept, and its observations must be stored
exactly once: no loss, no second revision, nothing that was never sent.

    python benchmarks/crash.py --rounds 100 [--seed N] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from bench_gateway import FACTORS, FIRST_HOUR, Installation, machine, mn_of, packet_of

ANSWER_SECONDS = 3.0  # a logger that waits longer connects again and sends again (OverTime)


class Logger:
    """A logger that sends hour after hour, and each hour until it is acknowledged."""

    def __init__(self, number: int, port: int) -> None:
        self.number, self.port = number, port
        self.position = 0
        self.sends: Counter[int] = Counter()
        self.acknowledged: list[int] = []
        self.stopping = False

    async def run(self) -> None:
        while not self.stopping:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    await self._talk(reader, writer)
                finally:
                    writer.close()
            await asyncio.sleep(0.05)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self.stopping:
            frame = packet_of(self.number, self.position)
            qn = frame[frame.index(b"QN=") + 3 :][:17]
            self.sends[self.position] += 1
            writer.write(frame)
            async with asyncio.timeout(ANSWER_SECONDS):
                while qn not in (answer := await reader.readuntil(b"\r\n")) or b"CN=9014" not in answer:
                    pass  # a late answer to an earlier copy
            self.acknowledged.append(self.position)
            self.position += 1


class Trial:
    """The rounds of one run."""

    def __init__(self, installation: Installation, devices: int, rng: random.Random) -> None:
        self.installation, self.rng = installation, rng
        self.loggers = [Logger(number, installation.port) for number in range(devices)]
        self.kills: Counter[str] = Counter()
        self.recoveries: list[float] = []
        self.gateway: subprocess.Popen[bytes] | None = None

    def acknowledged(self) -> int:
        return sum(len(logger.acknowledged) for logger in self.loggers)

    async def run(self, rounds: int) -> None:
        self.gateway = await asyncio.to_thread(self.installation.gateway)
        tasks = [asyncio.create_task(logger.run()) for logger in self.loggers]
        for number in range(rounds):
            await asyncio.sleep(self.rng.uniform(0.3, 1.5))
            await self._strike("gateway" if number % 2 == 0 else "postgres")
        await asyncio.sleep(0.5)
        for logger in self.loggers:
            logger.stopping = True
        await asyncio.gather(*tasks)
        self.gateway.terminate()
        if await asyncio.to_thread(self.gateway.wait, 60):
            raise SystemExit("the gateway did not stop cleanly")

    async def _strike(self, victim: str) -> None:
        """Kill, start again, and wait until packets are acknowledged again."""
        self.kills[victim] += 1
        if victim == "gateway":
            self.gateway.kill()
            self.gateway.wait()
            struck = time.monotonic()
            self.gateway = await asyncio.to_thread(self.installation.gateway)
        else:
            self.installation.server.kill()
            struck = time.monotonic()
            await asyncio.sleep(self.rng.uniform(0, 0.5))
            await asyncio.to_thread(self.installation.server.start)
        before = self.acknowledged()
        while self.acknowledged() == before:
            if time.monotonic() - struck > 60:
                raise SystemExit(f"nothing was acknowledged for 60 s after the {victim} was killed")
            await asyncio.sleep(0.02)
        self.recoveries.append(round(time.monotonic() - struck, 2))


def examine(trial: Trial) -> list[str]:
    """Compare what was acknowledged with what is stored; returns what is wrong."""
    from django.db import connection

    connection.close()  # the server was killed under it
    problems: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mn, qn, count(*) FROM telemetry_packet WHERE direction = 'I' AND verdict = 'A' GROUP BY 1, 2"
        )
        packets = {(mn, qn): count for mn, qn, count in cursor.fetchall()}
        cursor.execute(
            """
            SELECT d.mn, s.factor, to_char(o.start AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDDHH24MISS'),
                   count(*), max(o.revision), min(o.value), max(o.value),
                   count(*) FILTER (WHERE NOT EXISTS (SELECT FROM telemetry_packet p WHERE p.id = o.packet_id))
            FROM telemetry_observation o JOIN registry_series s ON s.id = o.series_id
            JOIN registry_device d USING (place_id) GROUP BY 1, 2, 3
            """
        )
        observations = {row[:3]: row[3:] for row in cursor.fetchall()}
        cursor.execute("SELECT count(*) FROM telemetry_packet WHERE verdict <> 'A'")
        if refused := cursor.fetchone()[0]:
            problems.append(f"{refused} packets were not accepted")
    for logger in trial.loggers:
        problems += _examine_logger(logger, packets, observations)
    problems += [
        f"stored twice or without packet: {key}" for key, row in observations.items() if row[0] != 1 or row[1] or row[4]
    ]
    return problems


def _examine_logger(logger: Logger, packets: dict, observations: dict) -> list[str]:
    mn, problems = mn_of(logger.number), []
    for position, sends in logger.sends.items():
        hour = FIRST_HOUR + timedelta(hours=position)
        kept = packets.get((mn, f"{hour:%Y%m%d%H%M%S}{position % 1000:03d}"), 0)
        if kept > sends:
            problems.append(f"{mn} {hour}: sent {sends} times, kept {kept} times")
        if position >= len(logger.acknowledged):
            continue
        if not kept:
            problems.append(f"{mn} {hour}: acknowledged, not kept")
        for i, factor in enumerate(FACTORS):
            row = observations.get((mn, factor, f"{hour:%Y%m%d%H%M%S}"))
            if row is None or abs(row[2] - (position % 50 + i + 0.5)) > 1e-9:
                problems.append(f"{mn} {hour} {factor}: acknowledged, stored {row}")
    return problems


def main() -> int:
    """Run the proof; exit code 1 when anything acknowledged is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--devices", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed
    print(f"seed {seed}", flush=True)
    installation = Installation(args.devices)
    try:
        trial = Trial(installation, args.devices, random.Random(seed))
        asyncio.run(trial.run(args.rounds))
        problems = examine(trial)
        figures = {
            "machine": machine(),
            "seed": seed,
            "rounds": args.rounds,
            "kills": dict(trial.kills),
            "acknowledged": trial.acknowledged(),
            "sent_again": sum(sum(logger.sends.values()) - len(logger.sends) for logger in trial.loggers),
            "longest_recovery_seconds": max(trial.recoveries, default=0),
            "problems": problems[:100],
        }
    finally:
        installation.close()
    print(json.dumps(figures, indent=1, ensure_ascii=False))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    print("every acknowledged packet is stored once" if not problems else f"{len(problems)} PROBLEMS")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
