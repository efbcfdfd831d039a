"""Decoding speed of HJ 212 packets on one core, beside a straightforward decoder in the same run.

    python benchmarks/bench_decode.py [--packets 1000] [--seed 2026] [--rounds 60] [--json PATH]

The main input: hour packets of about 500 bytes with 8 factors of a stack (average, maximum, mark), from 50 loggers,
values from a random walk; every packet has its own QN, values and check code, and no packet is decoded twice by one
decoder. The target is 60,000 packets per second of one core. The straightforward decoder cuts the text with `split`,
computes the check code with a table and makes dictionaries; it reports nothing and trusts the sender. Rounds of both
alternate. Time is processor time of this process; the quickest round counts, because other work on the machine can only
slow a core down, and the median is printed too.

Also measured: packets of other kinds, what the plain decoder does without the fast path, the worst case of number texts
that never repeat, the check code alone, and framing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from luming.hj212 import CHINA, Framer, crc16, decode, fastpath
from luming.hj212.decoder import decode_plainly

TARGET = 60_000
STACK = {"a34013": 8, "a21026": 25, "a21002": 40, "a19001": 9, "a01011": 12, "a01012": 95, "a01014": 11, "a00000": 80}
START = datetime(2026, 1, 1, tzinfo=CHINA)


def make_packets(count: int, seed: int, suffixes: Sequence[str], digits: int = 2, step: float = 0.02) -> list[bytes]:
    """Hour packets of 50 loggers; `step` is the relative step of the random walk."""
    chance = random.Random(seed)
    loggers = [{code: base * chance.uniform(0.7, 1.3) for code, base in STACK.items()} for _ in range(50)]
    packets = []
    for number in range(count):
        logger, hour = number % 50, number // 50
        moment = START + timedelta(hours=hour)
        items = [f"DataTime={moment:%Y%m%d%H}0000"]
        for code in STACK:
            walk = loggers[logger]
            walk[code] = max(0.1, walk[code] * (1 + chance.gauss(0, step)))
            values = {"Min": 0.9, "Avg": 1.0, "Max": 1.1}
            pairs = [f"{code}-{suffix}={walk[code] * values[suffix]:.{digits}f}" for suffix in suffixes]
            items.append(",".join([*pairs, f"{code}-Flag=N"]))
        sent = moment + timedelta(hours=1, milliseconds=chance.randrange(60_000))
        segment = (
            f"QN={sent:%Y%m%d%H%M%S}{sent.microsecond // 1000:03d};ST=31;CN=2061;PW=123456;"
            f"MN=010000A8900016F{logger:09X};Flag=5;CP=&&{';'.join(items)}&&"
        ).encode()
        packets.append(b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment)))
    return packets


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return table


TABLE = _table()


def straightforward(frame: bytes) -> tuple[dict[str, str], datetime, dict[str, dict[str, Any]]]:
    """What one would write first."""
    length = int(frame[2:6])
    segment = frame[6 : 6 + length]
    register = 0xFFFF
    for byte in segment:
        register = TABLE[(register >> 8) ^ byte]
    if register != int(frame[6 + length : 10 + length], 16):
        raise ValueError("check code")
    head, _, cp = segment.decode().partition("CP=&&")
    fields = dict(pair.split("=", 1) for pair in head.split(";") if pair)
    readings: dict[str, dict[str, Any]] = {}
    for item in cp[:-2].split(";"):
        for pair in item.split(","):
            name, value = pair.split("=", 1)
            if "-" in name:
                code, suffix = name.rsplit("-", 1)
                readings.setdefault(code, {})[suffix] = value if suffix == "Flag" else float(value)
            else:
                fields[name] = value
    return fields, datetime.strptime(fields["DataTime"], "%Y%m%d%H%M%S"), readings


def rate(work: Callable[[bytes], object], packets: list[bytes]) -> float:
    """Packets per second of one round."""
    begin = time.process_time()
    for packet in packets:
        work(packet)
    return len(packets) / (time.process_time() - begin)


def compare(packets: list[bytes], rounds: int) -> dict[str, float]:
    """Both decoders in turn, each round on packets that are new to both; the first part teaches the layouts."""
    ours, naive = [], []
    size = len(packets) // (rounds + 1)
    for packet in packets[:size]:
        decode(packet)
    for number in range(1, rounds + 1):
        part = packets[number * size : (number + 1) * size]
        ours.append(rate(decode, part))
        naive.append(rate(straightforward, part))
    return {
        "bytes": round(statistics.mean(map(len, packets))),
        "packets_per_s": round(max(ours)),
        "median_packets_per_s": round(statistics.median(ours)),
        "straightforward_packets_per_s": round(max(naive)),
        "ratio": round(max(ours) / max(naive), 2),
    }


def run(count: int, seed: int, rounds: int) -> dict[str, Any]:
    """All measurements."""
    count *= rounds + 1
    fastpath.clear()
    hours = make_packets(count, seed, ["Avg", "Max"])
    results: dict[str, Any] = {"hour_8_factors": compare(hours, rounds)}
    results["hour_8_factors"]["number_texts_remembered"] = len(fastpath._numbers)
    assert all(decode(packet).accepted and fastpath.decode(packet) for packet in hours)
    results["hour_8_factors_min_avg_max"] = compare(make_packets(count, seed, ["Min", "Avg", "Max"]), rounds)
    unrepeated = make_packets(count, seed, ["Avg", "Max"], digits=5, step=0.3)
    results["hour_8_factors_numbers_never_repeat"] = compare(unrepeated, rounds)
    hours = hours[:3000]
    sample = hours[:1000]
    results["without_fast_path"] = {"packets_per_s": round(max(rate(decode_plainly, sample) for _ in range(3)))}
    segments = [packet[6:-6] for packet in hours]
    results["check_code_alone"] = {"packets_per_s": round(max(rate(crc16, segments) for _ in range(rounds)))}
    feed = Framer().feed
    results["framing_alone"] = {"packets_per_s": round(max(rate(feed, hours) for _ in range(rounds)))}
    return results


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    machine = {
        "python": platform.python_version(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }
    inputs = {"packets": args.packets, "seed": args.seed, "rounds": args.rounds}
    print("machine:", machine)
    print("inputs:", inputs)
    results = run(args.packets, args.seed, args.rounds)
    for name, value in results.items():
        print(f"{name}: {value}")
    reached = results["hour_8_factors"]["packets_per_s"]
    print(f"target {TARGET}: {'reached' if reached >= TARGET else 'NOT reached'} ({reached} packets/s)")
    if args.json:
        report = {"machine": machine, "inputs": inputs, "target": TARGET, "results": results}
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
