"""From frames to entries: decode, find the device, interpret, prepare the answer. No database, no waiting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from luming.hj212 import Decoded, Frame, Packet, decode, decode_batch
from luming.telemetry.gateway.devices import DeviceCache
from luming.telemetry.gateway.replies import reply_for
from luming.telemetry.gateway.sessions import Session
from luming.telemetry.gateway.writer import Entry
from luming.telemetry.intake import ACCEPTED, HELD_VERDICT, REJECTED, DeviceContext, Intake, interpret
from luming.telemetry.store import PacketRow, packets

log = logging.getLogger("luming.gateway")

Arrival = tuple[Session, Frame, datetime]

SPLIT_SECONDS = 120.0  # how long a set of parts is remembered
WAIT = 3.0  # seconds until the store is asked for a part that another connection may have brought
LOOK_BACK = timedelta(hours=1)
MAX_SETS = 64  # per connection
MAX_HEADLESS = 256  # parts per connection that wait for the part with DataTime

# Held packets that are never answered: who sends from elsewhere learns nothing.
UNANSWERED = frozenset({"address-not-allowed"})


@dataclass(slots=True)
class PartSet:
    """What is known of one split packet: its DataTime, and parts that came before the part that carries it."""

    since: float
    data_time: datetime | None = None
    headless: list[Entry] = field(default_factory=list)
    looked_up: bool = False  # whether the store was asked for the part with DataTime


class Pipeline:
    """Makes entries of what arrived.

    Parameters
    ----------
    new_id : makes packet ids from the time of receipt.
    acknowledge_held : whether a held packet is answered; it is kept, so it need not be sent again.
    """

    def __init__(self, cache: DeviceCache, new_id: Callable[[datetime], int], acknowledge_held: bool) -> None:
        self._cache = cache
        self._new_id = new_id
        self._acknowledge_held = acknowledge_held

    def read(self, arrivals: Iterable[Arrival]) -> list[Entry]:
        """Return an entry for every frame, and more for parts of split packets that can be read now."""
        arrivals = list(arrivals)
        decoded = iter(decode_batch([frame.data for _session, frame, _at in arrivals if frame.kind == "packet"]))
        entries: list[Entry] = []
        for session, frame, at in arrivals:
            if frame.kind == "packet":
                result = next(decoded)
                try:
                    self._packet(session, frame, at, result, entries)
                except Exception:  # a mistake of ours must lose neither this packet nor its neighbours
                    log.exception("a packet of %s could not be read: %r", session.peer, frame.data[:200])
                    entries.append(self._unread(session, frame, at))
            else:
                entries.append(self._garbage(session, frame, at))
        return entries

    def _garbage(self, session: Session, frame: Frame, at: datetime) -> Entry:
        session.garbage += len(frame.data)
        reason = frame.reason or "stream.garbage"
        row = PacketRow(
            self._new_id(at), at, "I", session.id, None, session.mn or None, session.peer, None, None, None,
            frame.data, REJECTED, reason, [reason],
        )  # fmt: skip
        return Entry(row, Intake(REJECTED, reason, [reason]), session)

    def _unread(self, session: Session, frame: Frame, at: datetime) -> Entry:
        row = PacketRow(
            self._new_id(at), at, "I", session.id, None, session.mn or None, session.peer, None, None, None,
            frame.data, HELD_VERDICT, "not-read", ["not-read"],
        )  # fmt: skip
        return Entry(row, Intake(HELD_VERDICT, "not-read", ["not-read"]), session)

    def _packet(self, session: Session, frame: Frame, at: datetime, decoded: Decoded, entries: list[Entry]) -> None:
        packet = decoded.packet
        context = self._cache.get(packet.mn) if packet is not None else None
        if context is not None and context.sm4_key is not None and not decoded.accepted:
            decoded = decode(frame.data, key=context.sm4_key)
            packet = decoded.packet
        packet_id = self._new_id(at)
        intake = interpret(decoded, context, at, packet_id=packet_id, address=session.address)
        if packet is None:
            row = PacketRow(
                packet_id, at, "I", session.id, None, session.mn or None, session.peer, None, None, None,
                frame.data, intake.verdict, intake.reason, intake.codes,
            )  # fmt: skip
            entries.append(Entry(row, intake, session, decoded))
            return
        row = PacketRow(
            packet_id, at, "I", session.id, context.device_id if context else None, packet.mn, session.peer, packet.st,
            packet.cn, packet.qn, frame.data, intake.verdict, intake.reason, intake.codes,
        )  # fmt: skip
        entry = Entry(row, intake, session, decoded, context, session.address)
        if intake.verdict != REJECTED:
            session.garbage = 0
            self._answer(entry, packet)
            if packet.is_split and context is not None and intake.verdict == ACCEPTED:
                entries.extend(self._join(session, entry, packet, context))
        entries.append(entry)

    def _answer(self, entry: Entry, packet: Packet) -> None:
        reason = entry.intake.reason
        if reason == "mn-unknown":
            entry.unregistered = (packet.mn, packet.st, entry.row.peer or "")
        if entry.intake.verdict == HELD_VERDICT and (not self._acknowledge_held or reason in UNANSWERED):
            return
        entry.reply = reply_for(packet)

    def _join(self, session: Session, entry: Entry, packet: Packet, context: DeviceContext) -> list[Entry]:
        """Give the parts of a split packet the DataTime of their set (HJ 212-2017 table 3: PNUM, PNO).

        A part is read as soon as the time is known. Parts that came before it wait; returns those that can be read now.
        """
        now = time.monotonic()
        sets = session.parts
        for key in [key for key, found in sets.items() if now - found.since > SPLIT_SECONDS]:
            del sets[key]
        key = (packet.mn, packet.cn, packet.qn)
        found = sets.get(key)
        if found is None:
            if len(sets) >= MAX_SETS:
                del sets[next(iter(sets))]
            found = sets[key] = PartSet(now)
        if packet.data_time is not None:
            found.data_time = packet.data_time
            late, found.headless = found.headless, []
            return [again for part in late if (again := reread(part, packet.data_time))]
        if found.data_time is not None:
            self._use_time(entry, packet, found.data_time, context)
        elif sum(len(other.headless) for other in sets.values()) < MAX_HEADLESS:
            found.headless.append(entry)
        return []

    def _use_time(self, entry: Entry, packet: Packet, data_time: datetime, context: DeviceContext) -> None:
        assert entry.decoded is not None
        entry.decoded = entry.decoded._replace(packet=packet._replace(data_time=data_time))
        entry.intake = interpret(
            entry.decoded, context, entry.row.received_at, packet_id=entry.row.id, address=entry.address
        )
        row = entry.row
        row.verdict, row.reason, row.codes = entry.intake.verdict, entry.intake.reason, entry.intake.codes


def abandoned_parts(session: Session, now: float) -> list[PartSet]:
    """Return the sets whose part with DataTime has not come for a while: an earlier connection may have brought it."""
    waited = [
        found for found in session.parts.values() if found.headless and not found.looked_up and now - found.since > WAIT
    ]
    for found in waited:
        found.looked_up = True
    return waited


def find_data_time(part: Entry) -> datetime | None:
    """Ask the store for the DataTime of a part's set (blocking): its first part may be kept from before a restart."""
    row = part.row
    kept = packets(device_ids=[row.device_id], since=row.received_at - LOOK_BACK, limit=1000)
    for record in kept:
        if record.qn == row.qn and record.cn == row.cn and record.direction == "I" and record.verdict == ACCEPTED:
            found = decode(record.body, key=part.context.sm4_key if part.context else None).packet
            if found is not None and found.data_time is not None:
                return found.data_time
    return None


def reread(part: Entry, data_time: datetime) -> Entry | None:
    """Return an entry with the observations of a part that is stored already, now that its time is known."""
    decoded, context = part.decoded, part.context
    if decoded is None or decoded.packet is None or context is None:
        return None
    timed = decoded._replace(packet=decoded.packet._replace(data_time=data_time))
    intake = interpret(timed, context, part.row.received_at, packet_id=part.row.id)
    return Entry(part.row, intake, None, timed, context, keep_row=False)
