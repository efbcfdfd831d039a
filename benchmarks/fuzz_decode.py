"""Throw mutated packets at the decoder and the framer, and see that nothing breaks.

    python benchmarks/fuzz_decode.py [--packets 1000000] [--seed 2026] [--json PATH]

Every mutant is decoded, one in ten also strictly, without the fast path and with `explain`; a stream of mutants goes
through a framer in reads of random size. It is checked that nothing raises, that a rejected packet has a documented
reason, that strict and tolerant, fast and plain agree, that the framer loses no byte, and that memory does not grow.
Half of the mutants get a new length and check code, so that they reach the grammar behind them.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from luming.hj212 import REASONS, Framer, crc16, decode, explain
from luming.hj212.decoder import decode_plainly

FRAMES = Path(__file__).parents[1] / "tests" / "hj212" / "data" / "frames.json"
SPICE = [
    *(b";", b",", b"=", b"&&", b"##", b"\r\n", b"\x00", b"-", b"//", b"CP=&&", b"&&&&", b"\xff\xfe", b" ", b"{0xE4}"),
    *(b"nan", b"inf", b"1e999", b"1_0", b"-", b".", b"9" * 40, "１２".encode(), "日志".encode("gbk"), "日志".encode()),
    *(b"DataTime=20240230000000", b"DataTime=20240201000000;", b"QN=", b"Flag=255", b"PNUM=0;PNO=9;", b"RF=2;"),
    *(b"-Flag=Z", b"a21026-Avg=1,", b"PolId=x,", b"SB1-RS=9,", b"-Info=//;", b"MN=;", b"ST=", b"CN=99999"),
]  # fmt: skip
MAX_GROWTH_MB = 64


def mutate(frame: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """One to four changes: bytes flipped, removed, doubled, inserted; pieces of other packets; new length and code."""
    data = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.choice((1, 1, 3, 20, 200))]
        elif kind == 2:
            data[at:at] = chance.choice(SPICE)
        elif kind == 3:
            data[at:at] = data[at : at + chance.choice((1, 5, 60))]
        elif kind == 4:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            data[at:at] = other[start : start + chance.randrange(60)]
        elif at < len(data):
            data[at] = chance.choice(b"0123456789.-;,=&#")
    if chance.random() < 0.5 and len(data) > 10:
        segment = bytes(data[6:-4])
        return b"##%04d%s%04X" % (min(len(segment), 9999), segment, crc16(segment))
    return bytes(data)


def check(frame: bytes, chance: random.Random, verdicts: Counter[str]) -> None:
    """Decode one mutant; AssertionError if a promise is broken."""
    decoded = decode(frame)
    assert (decoded.reason is None) == decoded.accepted
    assert decoded.reason is None or REASONS[decoded.reason].fatal
    if decoded.packet is not None:
        for reading in decoded.packet.readings:
            assert all(value is None or math.isfinite(value) for value in reading[1:13])
        assert decoded.packet.data_time is None or isinstance(decoded.packet.data_time, datetime)
    verdicts[decoded.reason or "accepted"] += 1
    if chance.random() < 0.1:
        strict = decode(frame, strict=True)
        assert strict.diagnostics == decoded.diagnostics
        assert strict.accepted == (decoded.accepted and not decoded.deviates)
        assert decode_plainly(frame) == decoded
        pieces = explain(frame)
        assert b"".join(frame[piece.start : piece.end] for piece in pieces) == frame


def stream(frames: list[bytes], framer: Framer, chance: random.Random) -> None:
    """Feed mutants in reads of random size; what comes out must be what went in, line ends apart."""
    data = b"".join(frame + chance.choice((b"\r\n", b"\r\n", b"", b"\n")) for frame in frames)
    out: list[bytes] = []
    position = 0
    while position < len(data):
        size = chance.choice((1, 7, 100, 1400, 65536))
        out += [frame.data for frame in framer.feed(data[position : position + size])]
        assert framer.pending <= framer.limit
        position += size
    out += [frame.data for frame in framer.flush()]
    line_ends = bytes.maketrans(b"", b"")
    assert b"".join(out).translate(line_ends, b"\r\n") == data.translate(line_ends, b"\r\n")


def run(packets: int, seed: int) -> dict[str, object]:
    """Fuzz; returns the figures."""
    chance = random.Random(seed)
    frames = [row["frame"].encode() for row in json.loads(FRAMES.read_text(encoding="utf-8"))]
    verdicts: Counter[str] = Counter()
    framer = Framer()
    batch: list[bytes] = []
    begin = time.perf_counter()
    memory_early = 0
    for number in range(packets):
        mutant = mutate(chance.choice(frames), chance, frames)
        try:
            check(mutant, chance, verdicts)
        except Exception:
            print(f"mutant {number} of seed {seed}: {mutant!r}", file=sys.stderr)
            raise
        batch.append(mutant)
        if len(batch) == 50:
            stream(batch, framer, chance)
            batch = []
        if number == packets // 4:
            memory_early = peak_kb()
    growth = (peak_kb() - memory_early) / 1024
    assert growth < MAX_GROWTH_MB, f"memory grew by {growth:.0f} MB in the last three quarters"
    return {
        "packets": packets,
        "seed": seed,
        "seconds": round(time.perf_counter() - begin, 1),
        "peak_mb": round(peak_kb() / 1024, 1),
        "growth_mb": round(growth, 1),
        "verdicts": dict(verdicts.most_common()),
    }


def peak_kb() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures = run(args.packets, args.seed)
    for name, value in figures.items():
        print(f"{name}: {value}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
