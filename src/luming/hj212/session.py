"""Dialogues over TCP: a sans-IO core, the server's connection and the logger's client."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, NamedTuple, Protocol

from .model import Edition, Frame, Packet

__all__ = [
    "Client",
    "Dialogue",
    "Event",
    "Reply",
    "ServerConnection",
    "SessionHandler",
    "UploadError",
    "serve",
]

EventKind = Literal["resend", "accepted", "refused", "data", "done", "failed", "timeout", "answered", "unexpected"]


class Event(NamedTuple):
    """What happened to an outgoing message: `qn` names it, `packet` caused it, `frames` must be sent (resend)."""

    kind: EventKind
    qn: str
    packet: Packet | None = None
    frames: tuple[bytes, ...] = ()
    result: int | None = None  # QnRtn or ExeRtn


class Dialogue:
    """Track outgoing requests, notices and uploads by QN. Sans-IO: the caller sends and asks the clock.

    `request`: 9011 -> data packets -> 9012. `notice`: 9013. `upload`: 9014.
    """

    def __init__(self, overtime: float = 10.0, recount: int = 3, clock: Callable[[], float] | None = None) -> None:
        raise NotImplementedError

    def start(
        self, kind: Literal["request", "notice", "upload"], qn: str, frames: Iterable[bytes], cn: int = 0
    ) -> None:
        """Remember a message that is being sent now."""
        raise NotImplementedError

    def receive(self, packet: Packet) -> list[Event]:
        raise NotImplementedError

    def tick(self) -> list[Event]:
        """Call from time to time: repeats that are due and time-outs."""
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When `tick` is next due, on the clock."""
        raise NotImplementedError


class SessionHandler(Protocol):
    """What a server does with its connections."""

    def connected(self, connection: ServerConnection) -> None: ...
    def frames(self, connection: ServerConnection, frames: list[Frame]) -> None: ...
    def closed(self, connection: ServerConnection, reason: str) -> None: ...


class ServerConnection(asyncio.Protocol):
    """One logger's connection."""

    peer: tuple[str, int]
    opened_at: float  # loop time
    last_data: float  # loop time of the last read
    received: int  # bytes

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    def pause(self) -> None:
        """Stop reading (back-pressure); may be called when paused already."""
        raise NotImplementedError

    def resume(self) -> None:
        raise NotImplementedError

    def close(self, reason: str = "closed") -> None:
        raise NotImplementedError


async def serve(
    handler: SessionHandler,
    host: str | None,
    port: int,
    *,
    ssl: ssl_module.SSLContext | None = None,
    reuse_port: bool = False,
    backlog: int = 1024,
    max_segment: int = 8192,
) -> asyncio.Server:
    """Listen; every connection calls `handler`."""
    raise NotImplementedError


class Reply(NamedTuple):
    """A device's answer to a host request: QnRtn; then CP texts to upload (data packets); then ExeRtn."""

    qn_result: int = 1
    data: tuple[str, ...] = ()
    exe_result: int = 1
    cn: int | None = None  # of the data packets; None: as asked


class UploadError(ConnectionError):
    """An upload got no 9014 after all repeats, or the connection is gone."""


RequestHandler = Callable[[Packet], Awaitable[Reply | None]]


class Client:
    """A data logger: connects, uploads, answers requests, reconnects.

    `async with Client(host, port, mn=…, st=…) as client: await client.upload(cn=2061, cp=…)`
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
        key: bytes | None = None,
        ssl: ssl_module.SSLContext | None = None,
        backoff: tuple[float, float] = (1.0, 60.0),
        heartbeat: float | None = None,
    ) -> None:
        raise NotImplementedError

    async def connect(self) -> None:
        """Connect once; raises OSError. `run` keeps it connected."""
        raise NotImplementedError

    async def run(self) -> None:
        """Connect and reconnect with backoff until cancelled or closed."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    async def upload(
        self, cn: int, cp: str, *, st: str | None = None, qn: str | None = None, rf: bool = False, reply: bool = True
    ) -> Packet | None:
        """Send data, wait for 9014 (the packet returned); None if `reply` is False. UploadError otherwise."""
        raise NotImplementedError

    async def notify(self, cn: int, cp: str = "") -> Packet:
        """Send a notice, wait for 9013. UploadError otherwise."""
        raise NotImplementedError

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
