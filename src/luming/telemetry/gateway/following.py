"""What follows the commit of packets in the books and figures: states of devices, events, counters."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from luming.telemetry.gateway import ledger as books
from luming.telemetry.gateway.ledger import Ledger
from luming.telemetry.gateway.metrics import Metrics
from luming.telemetry.gateway.writer import Entry
from luming.telemetry.intake import ACCEPTED, HELD_VERDICT

DISCONNECT_GRACE = timedelta(seconds=60)  # a logger that comes back sooner was not away
BURST = 5  # packets rejected within WINDOW are worth a line …
WINDOW = 600.0
QUIET = 3600.0  # … but only one per sender and hour
MAX_SENDERS = 10_000


@dataclass(slots=True)
class Rejections:
    """Rejected packets of one sender."""

    since: float
    count: int = 0
    told_at: float = -QUIET


class Follower:
    """Turns committed entries into notes; used from the event loop only."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        self._ledger, self._metrics = ledger, metrics
        self._verdicts = {
            verdict: metrics.packets.labels(name)
            for verdict, name in (("A", "accepted"), ("H", "held"), ("R", "rejected"))
        }
        self._strangers: set[str] = set()
        self._clock_off: dict[int, bool] = {}
        self._rejections: dict[object, Rejections] = {}
        self._leaving: dict[int, datetime] = {}  # devices without connection, until the grace time is over
        self._online: set[int] = set()
        self._limit_told = -QUIET

    def follow(self, batch: list[Entry]) -> None:
        """Note a committed batch."""
        verdicts: Counter[str] = Counter()
        size = observations = 0
        for entry in batch:
            observations += len(entry.intake.observations)
            if entry.session is None:
                continue
            verdict = entry.row.verdict
            verdicts[verdict] += 1
            size += len(entry.row.body)
            if verdict == ACCEPTED:
                self._accepted(entry)
            else:
                self._not_accepted(entry)
        for verdict, count in verdicts.items():
            self._verdicts[verdict].inc(count)
        self._metrics.bytes.inc(size)
        self._metrics.observations.inc(observations)

    def _accepted(self, entry: Entry) -> None:
        context, intake = entry.context, entry.intake
        assert context is not None
        self._seen(entry, context.device_id)
        if intake.unmapped:
            self._ledger.unmapped(context.device_id, intake.unmapped)

    def _seen(self, entry: Entry, device_id: int) -> None:
        note, intake, row = self._ledger.status(device_id), entry.intake, entry.row
        note.last_packet_at, note.last_packet_id = row.received_at, row.id
        if intake.verdict == ACCEPTED and intake.data_time is not None and (
            note.last_data_time is None or intake.data_time > note.last_data_time
        ):  # fmt: skip
            note.last_data_time = intake.data_time
        if intake.clock_offset is None:
            return
        note.clock_offset = round(intake.clock_offset, 3)
        off = "clock-off" in intake.codes
        if off != self._clock_off.get(device_id, False):
            self._clock_off[device_id] = off
            kind = books.CLOCK_OFF if off else books.CLOCK_RIGHT
            self._ledger.event(
                kind, row.received_at, device_id=device_id, severity=int(off), seconds=round(intake.clock_offset)
            )

    def _not_accepted(self, entry: Entry) -> None:
        row = entry.row
        if row.reason == "mn-unknown":
            self._stranger(entry)
            return
        if row.device_id is not None:
            note = self._ledger.status(row.device_id)
            note.last_rejected_at, note.last_reason = row.received_at, (row.reason or "")[:40]
            if row.verdict == HELD_VERDICT:
                self._seen(entry, row.device_id)
        assert entry.session is not None
        self._count_rejection(row.device_id or entry.session.address, entry)

    def _stranger(self, entry: Entry) -> None:
        """A line for the first packet of an unknown MN since this gateway started; the list has the rest."""
        mn = entry.row.mn or ""
        if mn not in self._strangers and len(self._strangers) < MAX_SENDERS:
            self._strangers.add(mn)
            self._ledger.event(
                books.UNREGISTERED, entry.row.received_at, severity=1, mn=mn[:40], st=entry.row.st, peer=entry.row.peer
            )

    def _count_rejection(self, sender: object, entry: Entry) -> None:
        now = time.monotonic()
        found = self._rejections.get(sender)
        if found is None:
            if len(self._rejections) >= MAX_SENDERS:
                self._rejections.clear()
            found = self._rejections[sender] = Rejections(now)
        if now - found.since > WINDOW:
            found.since, found.count = now, 0
        found.count += 1
        if found.count >= BURST and now - found.told_at > QUIET:
            found.told_at = now
            row = entry.row
            self._ledger.event(
                books.REJECTED_BURST,
                row.received_at,
                device_id=row.device_id,
                severity=1,
                reason=row.reason,
                verdict=row.verdict,
                peer=row.peer,
                count=found.count,
            )

    def connected(self, device_id: int, connection_id: int, at: datetime) -> None:
        """Note that a device speaks over a new connection."""
        note = self._ledger.status(device_id)
        note.connected, note.connection_id, note.connected_at = True, connection_id, at
        if self._leaving.pop(device_id, None) is None and device_id not in self._online:
            self._ledger.event(books.CONNECTED, at, device_id=device_id)
        self._online.add(device_id)

    def disconnected(self, device_id: int, connection_id: int, at: datetime) -> None:
        """Note that a device's connection is gone."""
        note = self._ledger.status(device_id)
        note.connected, note.connection_id = False, connection_id
        self._leaving[device_id] = at

    def limit_reached(self, at: datetime, why: str, address: str) -> None:
        """Note, once an hour, that connections are turned away."""
        now = time.monotonic()
        if now - self._limit_told > QUIET:
            self._limit_told = now
            self._ledger.event(books.LIMIT_REACHED, at, severity=2, why=why, address=address)

    def tick(self, now: datetime) -> None:
        """Say of devices that stayed away that they are."""
        for device_id, since in list(self._leaving.items()):
            if now - since > DISCONNECT_GRACE:
                del self._leaving[device_id]
                self._online.discard(device_id)
                self._ledger.event(books.DISCONNECTED, since, device_id=device_id, severity=1)
