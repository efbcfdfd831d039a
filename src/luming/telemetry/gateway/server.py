"""The gateway: devices connect over TCP, speak HJ 212, and are answered when their data are safe.

One event loop reads, understands and answers; one thread writes (:mod:`.writer`); one thread does what may be slow,
with Django (reading the register, keeping the books, taking commands); one thread listens for notifications. A packet
is answered only after the transaction that holds it is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from luming.hj212 import Frame, ServerConnection, serve
from luming.telemetry import store
from luming.telemetry.commanding import CHANNEL as COMMAND_CHANNEL
from luming.telemetry.gateway import ledger as books
from luming.telemetry.gateway.devices import DeviceCache, Listener
from luming.telemetry.gateway.dispatch import Dispatcher
from luming.telemetry.gateway.following import Follower
from luming.telemetry.gateway.metrics import HttpServer, Metrics
from luming.telemetry.gateway.pipeline import Arrival, PartSet, Pipeline, abandoned_parts, find_data_time, reread
from luming.telemetry.gateway.sessions import QUEUE_FULL, Session, burst
from luming.telemetry.gateway.writer import Entry, WriterThread
from luming.telemetry.identity import PacketIds

log = logging.getLogger("luming.gateway")

CHUNK = 200  # packets understood in one step of the event loop, so that answers are not held up
SWEEP_SECONDS = 1.0
REGISTER_SECONDS = 60.0  # the register is read anew at least so often
UPKEEP_SECONDS = 30.0
MAX_GARBAGE = 1 << 20  # bytes of garbage after which a connection is ended


@dataclass(frozen=True, slots=True)
class Options:
    """How one gateway process runs; by default as the settings say."""

    host: str = field(default_factory=lambda: settings.GATEWAY_HOST)
    port: int = field(default_factory=lambda: settings.GATEWAY_PORT)
    metrics_host: str = "127.0.0.1"
    metrics_port: int = field(default_factory=lambda: settings.GATEWAY_METRICS_PORT)
    certificate: str = field(default_factory=lambda: settings.GATEWAY_TLS_CERTIFICATE)
    key: str = field(default_factory=lambda: settings.GATEWAY_TLS_KEY)
    max_connections: int = field(default_factory=lambda: settings.GATEWAY_MAX_CONNECTIONS)
    max_per_address: int = field(default_factory=lambda: settings.GATEWAY_MAX_CONNECTIONS_PER_ADDRESS)
    packets_per_minute: int = field(default_factory=lambda: settings.GATEWAY_PACKETS_PER_MINUTE)
    idle_seconds: float = field(default_factory=lambda: settings.GATEWAY_IDLE_SECONDS)
    slow_seconds: float = 60.0  # a packet must be complete so long after its first byte
    acknowledge_held: bool = field(default_factory=lambda: settings.GATEWAY_ACKNOWLEDGE_HELD)
    first_connection: tuple[int, ...] = field(
        default_factory=lambda: tuple(int(cn) for cn in settings.GATEWAY_FIRST_CONNECTION)
    )
    max_pending: int = 10_000  # packets not committed yet; more than that, and reading pauses
    max_segment: int = 8192
    stop_seconds: float = 20.0
    flush_seconds: float = 1.0
    reuse_port: bool = True


class Gateway:
    """One gateway process. ``await start()``, ``await stop()``; :func:`run` does both around the signals."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.name = f"{books.ALIVE} {socket.gethostname()[:30]}:{os.getpid()}"
        self.metrics = Metrics()
        self.cache = DeviceCache()
        self.ledger = books.Ledger()
        self.sessions: set[Session] = set()
        self.port = self.metrics_port = 0
        self.started_at = time.time()
        self._per_address: dict[str, int] = {}
        self._inbox: list[Arrival] = []
        self._scheduled = self._stopping = self._full = False
        self._clerk = ThreadPoolExecutor(1, "luming-clerk")
        self._ids = PacketIds(0)
        self._ids_lock = threading.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._lookups: set[asyncio.Task[None]] = set()
        self._reload = asyncio.Event()

    # ---- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Claim a node, read the register, listen.

        Raises
        ------
        StoreUnavailable, DatabaseError
            The database cannot be reached or is not migrated.
        OSError
            The port cannot be used.
        """
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(self.name, self._heard, self._use_node)
        try:
            await self.clerk(self._listener.connect)
            await self.clerk(self.cache.reload)
        except BaseException:
            self._listener.close()
            self._clerk.shutdown(wait=False)
            raise
        self._use_node(self._listener.node)
        self.writer = WriterThread(self._committed_in_thread, self.new_id)
        self.writer.start()
        self._listener.start()
        self.follower = Follower(self.ledger, self.metrics)
        self.dispatcher = Dispatcher(self)
        self._pipeline = Pipeline(self.cache, self.new_id, self.options.acknowledge_held)
        self._http = HttpServer(self.metrics, self.health)
        if self.options.metrics_port >= 0:
            self.metrics_port = await self._http.start(self.options.metrics_host, self.options.metrics_port)
        self._server = await serve(
            self,
            self.options.host or None,
            self.options.port,
            ssl=_tls(self.options),
            reuse_port=self.options.reuse_port,
            max_segment=self.options.max_segment,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        for task in (self._sweep, self._keep_books, self._keep_register, self._keep_house):
            self._tasks.append(asyncio.create_task(task()))
        log.info("listening on %s:%s, node %s", self.options.host, self.port, self._listener.node)

    async def stop(self) -> bool:
        """Stop cleanly: no new connections, what was read is committed and answered, the books are closed.

        Returns False when the database was away, so that something read was neither stored nor answered.
        """
        self._stopping = True
        self._server.close()
        await self.dispatcher.stop()
        for session in self.sessions:
            session.pause(QUEUE_FULL)
        while self._inbox:
            self._understand()
        drained = await asyncio.to_thread(self.writer.finish, self.options.stop_seconds)
        await asyncio.sleep(0)  # the answers of the last batch
        for session in list(self.sessions):
            session.close("gateway stopped")
        for _ in range(50):
            if not self.sessions:
                break
            await asyncio.sleep(0.02)
        for task in (*self._tasks, *self._lookups):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._lookups, return_exceptions=True)
        with contextlib.suppress(DatabaseError, InterfaceError):
            await self._write_books()
        self._listener.stop()
        await self._http.stop()
        await asyncio.to_thread(self._listener.join, 5)
        with contextlib.suppress(DatabaseError, InterfaceError):
            await self.clerk(_close_connection)
        self._clerk.shutdown(wait=True)
        if not drained:
            log.error("stopped while the database was away: %s packets were not answered", self.writer.pending)
        return drained

    def health(self) -> dict[str, Any]:
        """Return the state for ``/healthz`` and refresh the gauges."""
        figures = self.writer.figures
        gauges = self.metrics
        gauges.connections.set(len(self.sessions))
        gauges.devices.set(len(self.dispatcher.talks))
        gauges.pending.set(self.pending)
        gauges.database_up.set(figures.down_since is None)
        gauges.transactions.set(figures.transactions)
        gauges.retries.set(figures.retries)
        writer_alive = self.writer.is_alive()
        return {
            "ok": figures.down_since is None and writer_alive and not self._stopping,
            "database": "up" if figures.down_since is None else "down",
            "database_down_seconds": round(time.time() - figures.down_since, 1) if figures.down_since else 0,
            "problem": figures.problem if writer_alive else "the writing thread has ended",
            "reading": not self._full,
            "connections": len(self.sessions),
            "devices": len(self.dispatcher.talks),
            "pending": self.pending,
            "packets": figures.packets,
            "set_aside": figures.set_aside,
            "uptime_seconds": round(time.time() - self.started_at),
            "gateway": self.name,
        }

    @property
    def pending(self) -> int:
        """Return how many packets were read and are not committed."""
        return len(self._inbox) + self.writer.pending

    @staticmethod
    def now() -> datetime:
        """Return the time, UTC."""
        return datetime.now(UTC)

    def new_id(self, at: datetime | None = None) -> int:
        """Return a new packet id; any thread may ask."""
        with self._ids_lock:
            return self._ids.next(at)

    def _use_node(self, node: int) -> None:
        with self._ids_lock:
            self._ids = PacketIds(node)

    async def clerk(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run slow work with the database in the clerk's thread."""
        return await self._loop.run_in_executor(self._clerk, partial(_with_connection, work, *arguments))

    # ---- connections: called by luming.hj212.serve -----------------------------------------------------------------

    def connected(self, connection: ServerConnection) -> None:
        """Greet a connection, or turn it away when there are too many."""
        now = datetime.now(UTC)
        session = Session(self.new_id(now), connection, now, burst(self.options.packets_per_minute))
        count = self._per_address.get(session.address, 0)
        if (
            self._stopping
            or len(self.sessions) >= self.options.max_connections
            or count >= self.options.max_per_address
        ):
            why = "connections" if len(self.sessions) >= self.options.max_connections else "connections per address"
            self.metrics.refused.labels(why).inc()
            self.follower.limit_reached(now, why, session.address)
            connection.abort("connection limit")
            return
        connection.context = session
        self.sessions.add(session)
        self._per_address[session.address] = count + 1
        self.note(session)
        if self._full:
            session.pause(QUEUE_FULL)

    def frames(self, connection: ServerConnection, frames: list[Frame]) -> None:
        """Take what one read completed."""
        session: Session | None = connection.context
        if session is None:
            return
        now = datetime.now(UTC)
        session.packets += len(frames)
        self._inbox.extend([(session, frame, now) for frame in frames])
        session.spend(len(frames), self._loop.time(), self.options.packets_per_minute, self._loop)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._understand)

    def closed(self, connection: ServerConnection, reason: str) -> None:
        """Forget a connection."""
        session: Session | None = connection.context
        if session is None:
            return
        self.sessions.discard(session)
        count = self._per_address.get(session.address, 1) - 1
        if count:
            self._per_address[session.address] = count
        else:
            self._per_address.pop(session.address, None)
        self.note(session, datetime.now(UTC), session.close_reason or reason)
        self.dispatcher.closed(session)

    def note(self, session: Session, closed_at: datetime | None = None, reason: str = "") -> None:
        """Enter the state of a connection in the books."""
        session.noted = (session.packets, session.connection.received)
        self.ledger.connection(
            session.id,
            books.ConnectionNote(
                session.opened_at,
                session.peer,
                self.name,
                min(session.device_ids, default=None),
                session.mn,
                session.packets,
                session.connection.received,
                closed_at,
                reason,
            ),
        )

    # ---- packets ------------------------------------------------------------------------------------------------

    def _understand(self) -> None:
        """Read the next packets and hand them to the writer."""
        arrivals = self._inbox[:CHUNK]
        del self._inbox[:CHUNK]
        self._scheduled = bool(self._inbox)
        if self._scheduled:
            self._loop.call_soon(self._understand)
        if not arrivals:
            return
        entries = self._pipeline.read(arrivals)
        for entry in entries:
            if entry.intake.verdict == "R" and entry.session is not None and entry.session.garbage > MAX_GARBAGE:
                self.metrics.refused.labels("garbage").inc()
                entry.session.close("too much garbage")
        self.writer.put(entries)
        if not self._full and self.pending > self.options.max_pending:
            self._full = True
            self.metrics.pauses.labels("queue").inc()
            for session in self.sessions:
                session.pause(QUEUE_FULL)

    def _committed_in_thread(self, batch: list[Entry]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._committed, batch)

    def _committed(self, batch: list[Entry]) -> None:
        """Answer what is safe now."""
        replies = 0
        for entry in batch:
            session = entry.session
            if session is not None and entry.reply:
                session.connection.send(entry.reply)
                replies += 1
        if self._full and not self._stopping and self.pending < self.options.max_pending // 2:
            self._full = False
            for session in self.sessions:
                session.resume(QUEUE_FULL)
        self.metrics.replies.inc(replies)
        self.metrics.latency.observe((datetime.now(UTC) - batch[0].row.received_at).total_seconds())
        for follow in (self.follower.follow, self.dispatcher.follow):
            try:
                follow(batch)
            except Exception:  # the packets are safe and answered; the books can wait
                log.exception("what follows a commit failed")

    def keep_sent(self, session: Session, device_id: int, mn: str, st: str, cn: int, qn: str, frame: bytes) -> None:
        """Keep a request that we send, beside what the device sends."""
        now = datetime.now(UTC)
        row = store.PacketRow(
            self.new_id(now), now, "O", session.id, device_id, mn, session.peer, st, cn, qn, frame.rstrip(b"\r\n"), "A"
        )
        self.writer.put([Entry.sent(row)])
        self.metrics.requests.inc()

    # ---- beside the packets ---------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """End connections that are idle or slow; let dialogues repeat."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self._loop.time()
            for session in list(self.sessions):
                self._watch(session, now)
                if session.parts and (waiting := abandoned_parts(session, time.monotonic())):
                    self._lookups.update(asyncio.create_task(self._complete(found)) for found in waiting)
            self._lookups = {task for task in self._lookups if not task.done()}
            self.dispatcher.tick()
            self.follower.tick(datetime.now(UTC))

    async def _complete(self, found: PartSet) -> None:
        """Read parts of a split packet whose first part came before a restart or a reconnection."""
        try:
            data_time = await self.clerk(find_data_time, found.headless[0])
        except (DatabaseError, InterfaceError) as error:
            log.info("parts wait: %s", error)
            found.looked_up = False
            return
        if data_time is not None:
            found.data_time = data_time
            late, found.headless = found.headless, []
            self.writer.put([again for part in late if (again := reread(part, data_time))])

    def _watch(self, session: Session, now: float) -> None:
        connection = session.connection
        if session.paused:  # it is we who do not read
            session.slow_since = None
            return
        if connection.pending:
            session.slow_since = now if session.slow_since is None or session.slow_frame != session.packets else (
                session.slow_since
            )  # fmt: skip
            session.slow_frame = session.packets
            if now - session.slow_since > self.options.slow_seconds:
                self.metrics.refused.labels("slow").inc()
                session.close("packet not completed in time")
                return
        else:
            session.slow_since = None
        if now - connection.last_data > self.options.idle_seconds:
            self.metrics.refused.labels("idle").inc()
            session.close("idle")

    async def _keep_books(self) -> None:
        while True:
            await asyncio.sleep(self.options.flush_seconds)
            try:
                await self._write_books()
            except (DatabaseError, InterfaceError) as error:
                log.info("the books wait: %s", error)

    async def _write_books(self) -> None:
        notes = self.ledger.take()
        if not notes:
            return
        try:
            await self.clerk(books.write, notes)
        except BaseException:
            self.ledger.put_back(notes)
            raise

    async def _keep_register(self) -> None:
        """Read the register when it changed, at most twice a second, and every minute."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REGISTER_SECONDS):
                    await self._reload.wait()
            await asyncio.sleep(0.5)
            self._reload.clear()
            try:
                await self.clerk(self.cache.reload)
            except Exception:  # one bad row must not end the task; what was known stays in use
                log.exception("the register could not be read")

    async def _keep_house(self) -> None:
        """Note the counters of open connections, end what is lost or late, take commands that no notification told."""
        while True:
            for session in self.sessions:
                if session.noted != (session.packets, session.connection.received):
                    self.note(session)
            try:
                await self.clerk(books.close_lost_connections)
                await self.clerk(books.expire_commands, self.dispatcher.in_flight())
                self.dispatcher.take_all()
            except (DatabaseError, InterfaceError) as error:
                log.info("housekeeping waits: %s", error)
            await asyncio.sleep(UPKEEP_SECONDS)

    def _heard(self, channel: str, payload: str) -> None:
        """Take a notification, in the listener's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._act_on, channel, payload)

    def _act_on(self, channel: str, payload: str) -> None:
        if channel == COMMAND_CHANNEL and payload.isdigit():
            self.dispatcher.take(int(payload))
        elif not self._stopping:
            self._reload.set()
            if not channel:
                self.dispatcher.take_all()


def _with_connection(work: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return work(*arguments)
    except (DatabaseError, InterfaceError):
        connection.close()  # the next work opens another
        raise


def _close_connection() -> None:
    connection.close()  # named here: Django's connections belong to threads


def _tls(options: Options) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key or None)
    return context
