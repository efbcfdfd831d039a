"""Malformed input on live connections: every byte is kept, memory stays flat, good packets still get their answers."""

import random
import tracemalloc

from luming.telemetry import store

from .conftest import Wire, hour_packet, last_hour, on_a_thread, running
from .malformed import CLASSES

ROUNDS = 3
LINE_ENDS = bytes.maketrans(b"", b"")


def kept_bytes(connection_ids):
    """Return what is stored of each connection, in the order of arrival, without line ends."""
    kept = {}
    before = None
    while rows := store.packets(limit=1000, before=before):
        for row in rows:
            if row.direction == "I":
                kept.setdefault(row.connection_id, []).append(row.body)
        before = rows[-1].id
    return {key: without_line_ends(b"".join(reversed(kept.get(key, [])))) for key in connection_ids}


def without_line_ends(data):
    return data.translate(None, b"\r\n")


async def test_forty_classes_of_malformed_input(device):
    assert len(CLASSES) >= 40
    rng = random.Random(212)
    async with running(packets_per_minute=60_000) as gateway:
        sent, memory = {}, []
        tracemalloc.start()
        try:
            for _round in range(ROUNDS):
                for number, (name, make) in enumerate(CLASSES.items()):
                    wire = await Wire.open(gateway)
                    bad = make(hour_packet(last_hour(number), qn=f"20260601{number:09d}"), rng)
                    final = hour_packet(last_hour(number), qn="20260601999999999")
                    data = bad + b"\r\n" + final
                    for start in range(0, len(data), size := rng.choice((1, 7, 60, 4096)) * (1 + len(data) // 2000)):
                        wire.send(data[start : start + size])
                    # The good packet behind is answered, whatever came before it.
                    while (await wire.receive()).qn != "20260601999999999":
                        pass
                    [session] = gateway.sessions
                    sent[session.id] = (name, without_line_ends(data))
                    await wire.close()
                memory.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        kept = await on_a_thread(kept_bytes, list(sent))
        for key, (name, data) in sent.items():
            assert kept[key] == data, name
        assert memory[-1] - memory[0] < 3_000_000  # caches fill; nothing grows with the input
        assert gateway.health()["ok"]
