"""The one thread that writes: group commit across connections.

While one transaction runs, the packets of all connections gather; the next transaction takes all of them. A batch is
handed back only after its commit, and the same batch is tried again for as long as the database is away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, connection

from luming.telemetry import store
from luming.telemetry.intake import HELD_VERDICT, DeviceContext, Intake, create_series, interpret

if TYPE_CHECKING:
    from luming.hj212 import Decoded
    from luming.telemetry.gateway.sessions import Session

log = logging.getLogger("luming.gateway")

MAX_BATCH = 2000  # packets in one transaction
GATHER_SECONDS = 0.02  # between the beginnings of transactions: each has a cost of its own, whatever it holds
RETRY_SECONDS = (0.2, 5.0)  # first and longest pause while the database is away

Unregistered = tuple[str, str, str]  # MN, ST, peer


@dataclass(slots=True)
class Entry:
    """One packet on its way into the store, and what follows its commit."""

    row: store.PacketRow
    intake: Intake
    session: Session | None = None  # None: sent by us, or stored before
    decoded: Decoded | None = None
    context: DeviceContext | None = None
    address: str | None = None
    unregistered: Unregistered | None = None
    reply: bytes = b""
    keep_row: bool = True  # False: the packet is stored already, only its observations are new (a split packet)

    @classmethod
    def sent(cls, row: store.PacketRow) -> Entry:
        """Return the entry of a packet that we sent."""
        return cls(row, Intake(row.verdict))


@dataclass(slots=True)
class Figures:
    """What the writer did, for the metrics; written by its thread, read by any."""

    transactions: int = 0
    packets: int = 0
    observations: int = 0
    busy_seconds: float = 0.0
    retries: int = 0
    set_aside: int = 0
    down_since: float | None = None  # time.time() when the database went away
    problem: str = ""
    last_commit_at: float = field(default_factory=time.time)


class WriterThread(threading.Thread):
    """Writes batches of entries through :class:`luming.telemetry.store.Writer`.

    ``committed(entries)`` is called in this thread after each commit. ``put`` never blocks: the caller looks at
    ``pending`` and stops reading its sockets when too much waits.
    """

    def __init__(self, committed: Callable[[list[Entry]], None], new_id: Callable[[], int]) -> None:
        super().__init__(name="luming-writer", daemon=True)
        self.committed = committed
        self.new_id = new_id
        self.figures = Figures()
        self._store = store.Writer()
        self._waiting: list[Entry] = []
        self._working = 0
        self._begun_at = 0.0
        self._condition = threading.Condition()
        self._stopping = False
        self._abandon = threading.Event()

    @property
    def pending(self) -> int:
        """Return how many packets are not committed yet."""
        return len(self._waiting) + self._working

    def put(self, entries: Sequence[Entry]) -> None:
        """Add entries; any thread may call."""
        with self._condition:
            self._waiting.extend(entries)
            self._condition.notify()

    def finish(self, timeout: float) -> bool:
        """Commit what waits and end; returns False when that was not possible in time."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self.join(timeout)
        if self.is_alive():
            self._abandon.set()
            self.join(5)
        return self.pending == 0

    def run(self) -> None:
        """Write until told to stop and nothing waits."""
        try:
            while batch := self._next_batch():
                if not self._write_until_done(batch):
                    return
                with self._condition:
                    self._working = 0
                self.committed(batch)
        finally:
            self._store.close()
            connection.close()

    def _next_batch(self) -> list[Entry]:
        pause = self._begun_at + GATHER_SECONDS - time.monotonic()
        if pause > 0 and not self._stopping:
            time.sleep(pause)
        with self._condition:
            while not self._waiting and not self._stopping:
                self._condition.wait()
            self._begun_at = time.monotonic()
            batch = self._waiting[:MAX_BATCH]
            del self._waiting[:MAX_BATCH]
            self._working = len(batch)
            return batch

    def _write_until_done(self, batch: list[Entry]) -> bool:
        """Write a batch, however long the database is away; False when told to give up."""
        pause = RETRY_SECONDS[0]
        while not self._abandon.is_set():
            started = time.perf_counter()
            try:
                self._write(batch)
            except _OutageError as error:
                self._note_outage(error)
                self._abandon.wait(pause)
                pause = min(pause * 2, RETRY_SECONDS[1])
                continue
            self._note_success(batch, time.perf_counter() - started)
            return True
        return False

    def _note_outage(self, error: Exception) -> None:
        figures = self.figures
        figures.retries += 1
        figures.problem = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        if figures.down_since is None:
            figures.down_since = time.time()
            log.error("the database is away; nothing is acknowledged until it is back: %s", figures.problem)

    def _note_success(self, batch: list[Entry], seconds: float) -> None:
        figures = self.figures
        if figures.down_since is not None:
            log.warning("the database is back after %.1f s", time.time() - figures.down_since)
            figures.down_since, figures.problem = None, ""
        figures.transactions += 1
        figures.packets += len(batch)
        figures.observations += sum(len(entry.intake.observations) for entry in batch)
        figures.busy_seconds += seconds
        figures.last_commit_at = time.time()

    def _write(self, batch: list[Entry]) -> None:
        """Write a batch; when the database refuses its content, find the packet and keep only its bytes."""
        try:
            self._make_series(batch)
            self._commit(batch)
        except (store.StoreUnavailable, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise _OutageError(str(error)) from error
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise _OutageError(str(error)) from error
        except _CONTENT as error:
            self._divide(batch, error)
        except (psycopg.Error, DatabaseError) as error:  # read-only, a table or a privilege is missing: not the packet
            raise _OutageError(str(error)) from error
        except Exception as error:  # a mistake of ours: the thread must go on, and so must the other packets
            log.exception("a batch could not be written")
            self._divide(batch, error)

    def _divide(self, batch: list[Entry], error: Exception) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            self._write(batch[:middle])
            self._write(batch[middle:])
            return
        entry = batch[0]
        if isinstance(error, store.IdentityClashError):
            _rename(entry, self.new_id())
            self._write(batch)
            return
        if "not-stored" in entry.intake.codes:  # not even its bytes: then it is the database, not the packet
            raise _OutageError(str(error)) from error
        log.error("packet %s could not be stored, keeping its bytes only: %s", entry.row.id, error)
        entry.intake.observations, entry.intake.missing = [], set()
        entry.intake.codes.append("not-stored")
        row = entry.row
        row.verdict, row.reason, row.codes = HELD_VERDICT, "not-stored", entry.intake.codes
        row.mn, row.st, row.qn = "", "", None
        self.figures.set_aside += 1
        self._write(batch)

    def _make_series(self, batch: list[Entry]) -> None:
        for entry in batch:
            if not entry.intake.missing or entry.decoded is None or entry.context is None:
                continue
            create_series(entry.context, entry.intake.missing)
            entry.intake = interpret(
                entry.decoded, entry.context, entry.row.received_at, packet_id=entry.row.id, address=entry.address
            )
            entry.row.codes = entry.intake.codes

    def _commit(self, batch: list[Entry]) -> None:
        observations = [row for entry in batch for row in entry.intake.observations]
        packets = [entry.row for entry in batch if entry.keep_row]
        strangers = [entry for entry in batch if entry.unregistered]
        extra = (lambda writing: _list_unregistered(writing, strangers)) if strangers else None
        self._store.write(packets, observations, extra)


# What the content of a packet can cause.
_CONTENT = (
    psycopg.DataError, psycopg.IntegrityError, DataError, IntegrityError, store.IdentityClashError,
    ValueError, TypeError, OverflowError,
)  # fmt: skip


def _rename(entry: Entry, packet_id: int) -> None:
    """Give an entry another id: its own was taken by a gateway that has our node since the database was away."""
    entry.row.id = packet_id
    entry.intake.observations = [row._replace(packet_id=packet_id) for row in entry.intake.observations]


class _OutageError(Exception):
    """The database is away, or refuses everything: try the same batch again."""


def _list_unregistered(writing: psycopg.Connection[Any], entries: Sequence[Entry]) -> None:
    """List MNs that no register knows, in the transaction of their packets; sorted, so that writers do not deadlock."""
    seen: dict[str, tuple[Entry, int]] = {}
    for entry in entries:
        assert entry.unregistered is not None
        mn = entry.unregistered[0]
        seen[mn] = (entry, seen[mn][1] + 1 if mn in seen else 1)
    rows = []
    for mn in sorted(seen):
        entry, count = seen[mn]
        assert entry.unregistered is not None
        _mn, system, peer = entry.unregistered
        rows.append((mn[:40], system[:4], peer[:60], entry.row.received_at, entry.row.received_at, count, entry.row.id))
    with writing.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO telemetry_unregistereddevice AS u
                (mn, system, peer, first_seen_at, last_seen_at, packets, last_packet_id, dismissed_reason)
            VALUES (%s, %s, %s, %s, %s, %s, %s, '')
            ON CONFLICT (mn) DO UPDATE SET system = excluded.system, peer = excluded.peer,
                last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at),
                packets = u.packets + excluded.packets,
                last_packet_id = greatest(u.last_packet_id, excluded.last_packet_id)
            """,
            rows,
        )
