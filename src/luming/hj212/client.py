"""The logger's side of the wire: uploads, answers the host's requests, keeps the connection."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl as ssl_module
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, cast

from .decoder import decode
from .dialogue import Dialogue, Event, Kind
from .encoder import answer, encode, encode_packets, make_flag
from .framing import Framer
from .model import Edition, Frame, Packet
from .times import format_qn

__all__ = ["Client", "Reply", "RequestHandler", "UploadError"]

logger = logging.getLogger(__name__)

_NOTICES = frozenset({2012, 2022})  # host to device, answered by 9013
_WRONG_PW, _WRONG_MN = 3, 4  # QnRtn
_REFUSED, _FAILED = 2, 2  # QnRtn, ExeRtn


class Reply(NamedTuple):
    """A device's answer to a host's request: QnRtn; then CP texts to upload; then ExeRtn."""

    qn_result: int = 1
    data: tuple[str, ...] = ()
    exe_result: int = 1
    cn: int | None = None  # of the data packets; None: as asked


class UploadError(ConnectionError):
    """A message got no answer after all repeats, or the connection is gone."""


RequestHandler = Callable[[Packet], Awaitable[Reply | None]]


class Client:
    """A data logger.

    `async with Client(host, port, mn=…, st=…) as client: await client.upload(2061, cp)` connects once. For a logger
    that lives for ever let a task `run()` it: it reconnects with growing pauses (`backoff`: first, longest, seconds).

    `on_request` gets every request and notice of the host; its `Reply` is sent as 9011, data packets, 9012. Without a
    handler, or when it returns None, requests are refused. `on_connect` is awaited after each connection. `heartbeat`:
    seconds between 9015 packets (edition 2025). `key`: SM4 key for the packets that edition 2025 wants encrypted.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        mn: str,
        st: str,
        pw: str = "123456",
        edition: Edition = Edition.V2017,
        overtime: float = 10.0,
        recount: int = 3,
        on_request: RequestHandler | None = None,
        on_connect: Callable[[Client], Awaitable[None]] | None = None,
        key: bytes | None = None,
        ssl: ssl_module.SSLContext | None = None,
        backoff: tuple[float, float] = (1.0, 60.0),
        heartbeat: float | None = None,
    ) -> None:
        self.host, self.port, self.ssl = host, port, ssl
        self.mn, self.st, self.pw, self.edition, self.key = mn, st, pw, edition, key
        self.on_request, self.on_connect = on_request, on_connect
        self.backoff, self.heartbeat = backoff, heartbeat
        self._dialogue = Dialogue(overtime, recount)
        self._waiting: dict[str, asyncio.Future[Packet]] = {}
        self._wire: _Wire | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._last_qn = datetime.min.replace(tzinfo=UTC)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    # connection

    @property
    def connected(self) -> bool:
        return self._wire is not None

    async def connect(self) -> None:
        """Connect once; raises OSError. `run` keeps it connected."""
        self._closing.clear()
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: _Wire(self), self.host, self.port, ssl=self.ssl)
        if self._closing.is_set():  # closed while connecting
            wire.transport.abort()
            raise ConnectionAbortedError(f"{self.mn}: closed")
        self._wire = wire
        if self.heartbeat:
            self._spawn(self._beat(wire, self.heartbeat))
        if self.on_connect is not None:
            self._spawn(self.on_connect(self))

    async def run(self) -> None:
        """Connect and reconnect until cancelled or closed."""
        pause, longest = self.backoff
        while True:
            try:
                if self._wire is None:
                    await self.connect()
                pause = self.backoff[0]
                await self.wait_closed()
            except OSError as error:
                logger.info("%s: %s:%s: %s", self.mn, self.host, self.port, error)
            try:  # a fleet must not come back in step
                await asyncio.wait_for(self._closing.wait(), pause * random.uniform(0.5, 1.0))
                return
            except TimeoutError:
                pause = min(pause * 2, longest)

    async def wait_closed(self) -> None:
        """Wait until the present connection is gone."""
        if self._wire is not None:
            await self._wire.gone

    async def close(self) -> None:
        """Close for good; open uploads end in UploadError."""
        self._closing.set()
        wire = self._wire
        if wire is not None:
            wire.transport.close()
            await wire.gone
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # what a logger says

    async def upload(
        self, cn: int, cp: str, *, st: str | None = None, qn: str | None = None, rf: bool = False, reply: bool = True
    ) -> Packet | None:
        """Send data, wait for 9014 and return it; None at once if no `reply` is wanted. UploadError if none came.

        `rf`: back-filled data (RF=1, edition 2025). Text of more than 950 bytes goes out as PNUM/PNO packets.
        """
        qn = qn or self.next_qn()
        frames = self._encode(cn, cp, qn, st=st, rf=rf, reply=reply)
        if not reply:
            self.send(b"".join(frames))
            return None
        return await self._converse("upload", qn, frames, cn)

    async def notify(self, cn: int, cp: str = "", *, st: str | None = None) -> Packet:
        """Send a notice, wait for 9013 and return it. UploadError if none came."""
        qn = self.next_qn()
        return await self._converse("notice", qn, self._encode(cn, cp, qn, st=st, reply=True), cn)

    def send(self, data: bytes) -> None:
        """Write bytes as they are. UploadError if there is no connection."""
        if self._wire is None:
            raise UploadError(f"{self.mn}: not connected to {self.host}:{self.port}")
        self._wire.transport.write(data)

    def next_qn(self) -> str:
        """A QN from the clock, never the same twice."""
        now = datetime.now(UTC)
        self._last_qn = max(now, self._last_qn + timedelta(milliseconds=1))
        return format_qn(self._last_qn)

    def _encode(
        self, cn: int, cp: str, qn: str, *, st: str | None = None, rf: bool = False, reply: bool = False
    ) -> list[bytes]:
        secret = self.edition is Edition.V2025 and (2000 <= cn <= 2999 or cn in (1014, 3020))
        return encode_packets(
            cn=cn,
            st=st or self.st,
            mn=self.mn,
            pw=self.pw,
            qn=qn,
            reply=reply,
            cp=cp,
            rf=rf,
            edition=self.edition,
            key=self.key if secret else None,
        )

    async def _converse(self, kind: Kind, qn: str, frames: list[bytes], cn: int) -> Packet:
        future: asyncio.Future[Packet] = asyncio.get_running_loop().create_future()
        self.send(b"".join(frames))
        self._dialogue.start(kind, qn, frames, cn, answers=len(frames))
        self._waiting[qn] = future
        self._set_timer()
        try:
            return await future
        finally:
            self._waiting.pop(qn, None)

    async def _beat(self, wire: _Wire, interval: float) -> None:
        while self._wire is wire:
            flag = make_flag(self.edition)
            self.send(encode(cn=9015, st="91", mn=self.mn, pw=self.pw, qn=self.next_qn(), flag=flag))
            await asyncio.sleep(interval)

    # what the host says

    def _received(self, frames: list[Frame]) -> None:
        for frame in frames:
            decoded = decode(frame.data, key=self.key) if frame.kind == "packet" else None
            if decoded is None or decoded.packet is None or not decoded.accepted:
                logger.warning("%s: dropped %r", self.mn, frame.data[:200])
            elif 9011 <= decoded.packet.cn <= 9014:
                self._handle(self._dialogue.receive(decoded.packet))
            else:
                self._spawn(self._answer(decoded.packet))

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if event.kind == "resend" and self._wire is not None:
                self._wire.transport.write(b"".join(event.frames))
            future = self._waiting.get(event.qn)
            if future is None or future.done():
                continue
            if event.kind == "answered" and event.packet is not None:
                future.set_result(event.packet)
            elif event.kind == "timeout":
                future.set_exception(UploadError(f"{self.mn}: no answer to QN {event.qn}"))
        self._set_timer()

    async def _answer(self, request: Packet) -> None:
        """9011, data packets, 9012; or 9013 for a notice."""
        with suppress(UploadError):  # the host is gone: nobody to answer
            refusal = _WRONG_MN if request.mn != self.mn else _WRONG_PW if request.pw != self.pw else None
            if refusal is not None:
                self.send(answer(request, 9011, f"QnRtn={refusal}"))
                return
            if request.cn in _NOTICES and request.needs_reply:
                self.send(answer(request, 9013))
            reply = await self._ask(request)
            if request.cn in _NOTICES:
                return
            self.send(answer(request, 9011, f"QnRtn={reply.qn_result}"))
            if reply.qn_result != 1:
                return
            for cp in reply.data:
                self._send_data(request, reply, cp)
            self.send(answer(request, 9012, f"ExeRtn={reply.exe_result}"))

    async def _ask(self, request: Packet) -> Reply:
        if self.on_request is None:
            return Reply(qn_result=_REFUSED)
        try:
            return await self.on_request(request) or Reply(qn_result=_REFUSED)
        except Exception:
            logger.exception("%s: request %s failed", self.mn, request.cn)
            return Reply(exe_result=_FAILED)

    def _send_data(self, request: Packet, reply: Reply, cp: str) -> None:
        """Measured data have a QN of their own; parameters repeat that of the request (annex C)."""
        cn = reply.cn or request.cn
        qn = request.qn if request.qn and not 2000 <= cn <= 2999 else self.next_qn()
        self.send(b"".join(self._encode(cn, cp, qn)))

    # housekeeping

    def _lost(self, wire: _Wire) -> None:
        if self._wire is wire:
            self._wire = None
        self._handle(self._dialogue.abandon())

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._dialogue.deadline
        if due is not None:
            delay = max(0.0, due - self._dialogue.clock())
            self._timer = asyncio.get_running_loop().call_later(delay, lambda: self._handle(self._dialogue.tick()))

    def _spawn(self, work: Awaitable[None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except UploadError as error:
                logger.info("%s", error)
            except Exception:
                logger.exception("%s: background work failed", self.mn)

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Wire(asyncio.Protocol):
    """One TCP connection of a client."""

    transport: asyncio.Transport

    def __init__(self, client: Client) -> None:
        self.client = client
        self.framer = Framer()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        frames = self.framer.feed(data)
        if frames:
            self.client._received(frames)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self.client._lost(self)
