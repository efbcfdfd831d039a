"""Past of the demonstration fleet: real packets and their observations, stored through the bulk path.

Each value stands in an encoded HJ 212 packet, as if the gateway had received it: hour and day data of many days,
ten-minute data of the last two. Outages of loggers leave gaps on purpose; what their loggers kept can still be pulled
from the running simulator. A second call stores only what is missing up to now.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.demo import fleet, generator, packets
from luming.demo.chance import Floats, Ints, key_of, uniform
from luming.demo.fleet import Logger
from luming.demo.generator import FLAGS, Block
from luming.demo.outages import BACKFILLED, ONLINE, outages
from luming.hj212 import decode
from luming.registry.models import Device
from luming.telemetry import intake, store
from luming.telemetry.identity import EPOCH, claim_node
from luming.telemetry.store import ObservationColumns, PacketRow, WriteResult

MINUTE_DAYS = 2
CHUNK_DAYS = 15
NODE = 255  # preferred: live gateways count from 0
# A live process counts the packets of a millisecond from 0; we never meet it up here.
_SEQUENCE = 1 << 13
_EPOCH = EPOCH.timestamp()
_INTERVALS = ("hour", "minute", "day")


@dataclass(slots=True)
class Summary:
    """What a filling stored and how long it took."""

    packets: int = 0
    observations: int = 0
    repeated: int = 0
    seconds: float = 0.0

    def add(self, result: WriteResult) -> None:
        """Add the result of one transaction."""
        self.packets += result.packets
        self.observations += result.new
        self.repeated += result.repeated

    def __str__(self) -> str:
        rate = self.observations / self.seconds if self.seconds else 0
        return (
            f"{self.packets:,} packets, {self.observations:,} observations in {self.seconds:.1f} s ({rate:,.0f}/s)"
            f" / {self.packets:,} 个报文，{self.observations:,} 个观测值"
        )


@dataclass(slots=True)
class Source:
    """A registered logger with what the store must know of it."""

    number: int
    logger: Logger
    context: intake.DeviceContext
    codes: dict[tuple[str, bool], list[str]] = field(default_factory=dict)

    def series(self, factor: str, interval: str) -> int | None:
        """Return the id of a series; None when a person has removed it from the register."""
        found = self.context.series.get((factor, interval))
        return found[0] if found else None


def fill(days: int = 60, until: datetime | None = None, seed: int = fleet.SEED) -> Summary:
    """Store the fleet's history of so many days up to ``until`` (now), as far as it is not stored yet.

    Parameters
    ----------
    days : of hour and day data; ten-minute data reaches two days back at most.
    until : aware; nothing that a logger would send later is stored.
    """
    began = time.perf_counter()
    end = (until or datetime.now(UTC)).timestamp()
    start = end - days * 86400
    sources = _sources(seed)
    summary = Summary()
    with store.Writer() as locks, ThreadPoolExecutor(1) as writing:
        node = claim_node(locks.connect(), preferred=NODE)
        pending: Future[WriteResult] | None = None
        for rows, columns in _chunks(sources, start, end, node):
            if pending is not None:
                summary.add(pending.result())
            pending = writing.submit(store.bulk_load, rows, columns)  # generate the next chunk meanwhile
        if pending is not None:
            summary.add(pending.result())
    summary.seconds = time.perf_counter() - began
    return summary


def _sources(seed: int) -> list[Source]:
    described = fleet.describe(seed)
    mns = [logger.mn for logger in described.registered]
    contexts = intake.load_contexts(Device.objects.filter(mn__in=mns))
    return [
        Source(number, logger, contexts[logger.mn])
        for number, logger in enumerate(described.registered)
        if logger.mn in contexts
    ]


def _chunks(
    sources: list[Source], start: float, end: float, node: int
) -> Iterator[tuple[list[PacketRow], ObservationColumns]]:
    """Yield a few days at a time, in the order of time: later periods are the cheapest to store."""
    border = start
    while border < end:
        until = min(border + CHUNK_DAYS * 86400, end)
        rows: list[PacketRow] = []
        parts: list[ObservationColumns] = []
        held = _held(sources, border - 86400, until)
        for source in sources:
            for interval in _INTERVALS:
                begin = max(border, end - MINUTE_DAYS * 86400) if interval == "minute" else border
                if interval == "minute" and not source.logger.site.has_minutes:
                    continue
                made = _send(source, interval, begin, until, end, held, node)
                if made is not None:
                    rows += made[0]
                    parts.append(made[1])
        if rows:
            yield rows, ObservationColumns.concatenate(parts)
        border = until


def _held(sources: list[Source], start: float, end: float) -> dict[tuple[int, str], np.ndarray]:
    """Return the starts (seconds) that are stored, of the first series of each logger and interval."""
    first = {}
    for source in sources:
        for interval in _INTERVALS:
            series = source.series(source.logger.site.factors[0].code, interval)
            if series is not None:
                first[series] = (source.number, interval)
    found = store.held_starts(first, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    return {first[series]: starts.astype("datetime64[s]").astype(np.int64) for series, starts in found.items()}


def _send(
    source: Source,
    interval: str,
    begin: float,
    until: float,
    now: float,
    held: dict[tuple[int, str], np.ndarray],
    node: int,
) -> tuple[list[PacketRow], ObservationColumns] | None:
    """Return what a logger sent of the periods that end in (begin, until]."""
    logger = source.logger
    seconds = generator.period_seconds(interval)
    starts = generator.period_starts(interval, begin - seconds, until)
    starts = starts[(starts + seconds > begin) & ~np.isin(starts, held.get((source.number, interval), []))]
    received, late = _received(logger, interval, starts + seconds)
    sent = (received > 0) & (received <= now)
    starts, received, late = starts[sent], received[sent], late[sent]
    if not len(starts):
        return None
    block = generator.block(logger.site, interval, starts)
    clock = packets.CLOCK_ERROR if logger.site.story == "clock" else 0
    on_the_way = 0.12 + 0.5 * uniform(key_of(logger.mn, "way", interval), starts)
    bodies = packets.frames(
        logger,
        interval,
        packets.texts(logger, block),
        (received - on_the_way + clock).tolist(),
        backfilled=late.tolist(),
    )
    milliseconds = np.round((received - _EPOCH) * 1000).astype(np.int64)
    ids = milliseconds << 22 | node << 14 | (_SEQUENCE + source.number * 4 + _INTERVALS.index(interval))
    rows = _rows(source, interval, bodies, ids, received, late)
    return rows, _columns(source, block, ids)


def _received(logger: Logger, interval: str, ends: Ints) -> tuple[Floats, np.ndarray]:
    """Return when the platform received the packets of periods that end so, 0 for never, and which were back-filled."""
    key = key_of(logger.mn, "delay", interval)
    delay = {"minute": 2.0, "hour": 12.0, "day": 95.0}[interval]
    moment = ends + delay + 20 * uniform(key, ends // 86400) + 3 * uniform(key_of(key, "jitter"), ends)
    if logger.site.story == "clock":  # a slow clock, and slow besides
        moment = moment - packets.CLOCK_ERROR + 300 + 1500 * uniform(key_of(key, "late"), ends)
    down = outages(logger, moment)
    # What was kept is sent in the order of time; no outage is longer than 12 hours.
    back = down.end + 20 + (ends - down.end + 13 * 3600) / 600 * 0.4 + 0.3 * uniform(key_of(key, "back"), ends)
    late = down.kind == BACKFILLED
    return np.where(down.kind == ONLINE, moment, np.where(late, back, 0.0)), late


def _rows(
    source: Source, interval: str, bodies: list[bytes], ids: Ints, received: Floats, late: np.ndarray
) -> list[PacketRow]:
    logger, cn = source.logger, packets.CN[interval]
    peer = f"192.0.2.{source.number + 1}:{20000 + source.number}"  # RFC 5737: addresses of nobody
    # received_at is that of the id, which counts milliseconds.
    moments = [EPOCH + timedelta(milliseconds=packet_id >> 22) for packet_id in ids.tolist()]
    rows = []
    for packet_id, moment, body, was_late in zip(ids.tolist(), moments, bodies, late.tolist(), strict=True):
        body = body[:-2]  # the packet log keeps frames without CR LF
        codes = source.codes.get((interval, was_late))
        # All packets of a logger depart from the standard in the same way, except in the case of a check code.
        if codes is None or logger.site.story == "modbus":
            codes = intake.interpret(decode(body), source.context, moment).codes
            source.codes[interval, was_late] = codes
        rows.append(
            PacketRow(
                packet_id, moment, "I", None, source.context.device_id, logger.mn, peer, logger.system, cn,
                _qn(body), body, intake.ACCEPTED, None, codes,
            )
        )  # fmt: skip
    return rows


def _qn(body: bytes) -> str:
    """Return the QN of one of our own frames: it stands first."""
    return body[9:26].decode()


def _columns(source: Source, block: Block, ids: Ints) -> ObservationColumns:
    """Return the observations of a block, just as :func:`luming.telemetry.intake.interpret` reads them."""
    is_noise = block.site.medium == "noise"
    nothing = np.full(len(ids), np.nan)
    flags = np.array([mark.encode() for mark in FLAGS])
    lines = []
    for row, factor, code in packets.reported(source.logger, block.interval):
        low, high = (nothing, nothing) if is_noise else (block.minimum[row], block.maximum[row])
        figures = (block.value[row], low, high, block.converted[row], block.amount[row])
        lines.append((code, figures, flags[block.flag[row]]))
        if is_noise and block.interval == "day" and factor.code == "Leq":
            for level, column in (("Ld", block.day_level), ("Ln", block.night_level)):
                lines.append((level, (column, nothing, nothing, nothing, nothing), flags[block.flag[row]]))
    parts = []
    for code, (value, low, high, converted, amount), flag in lines:
        series = source.series(code, block.interval)
        if series is None:
            continue
        parts.append(
            ObservationColumns.make(
                series_id=series,
                place_id=source.context.place_id,
                interval=block.interval,
                start=block.starts.astype("datetime64[s]"),
                packet_id=ids,
                value=value,
                minimum=low,
                maximum=high,
                converted=converted,
                amount=amount,
                flag=flag,
            )
        )
    return ObservationColumns.concatenate(parts)
