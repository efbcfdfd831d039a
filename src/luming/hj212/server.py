"""The host's side of the wire: one asyncio protocol per logger."""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from typing import Any, Protocol, cast

from .framing import Framer
from .model import Frame

__all__ = ["ServerConnection", "SessionHandler", "serve"]


class SessionHandler(Protocol):
    """What a server does with its connections. All calls come from the event loop; none may block."""

    def connected(self, connection: ServerConnection) -> None:
        """A logger has connected; `connection.close()` here turns it away."""

    def frames(self, connection: ServerConnection, frames: list[Frame]) -> None:
        """All frames that one read completed, garbage included, in the order of the stream."""

    def closed(self, connection: ServerConnection, reason: str) -> None:
        """The connection is gone; remaining bytes came through `frames` before."""


class ServerConnection(asyncio.Protocol):
    """One logger's connection."""

    def __init__(self, handler: SessionHandler, max_segment: int = 8192) -> None:
        self.handler = handler
        self.peer: tuple[str, int] = ("", 0)
        self.opened_at = 0.0  # loop time
        self.last_data = 0.0  # loop time of the last read
        self.received = 0  # bytes
        self.context: Any = None  # the handler's own
        self._framer = Framer(max_segment)
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reason = ""
        self._paused_by_handler = False
        self._paused_by_peer = False  # the peer does not read what we send
        self._reading = True

    # for the handler

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not complete (a slow sender shows here)."""
        return self._framer.pending

    @property
    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send; what cannot be sent any more is dropped."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def pause(self) -> None:
        """Stop reading (back-pressure); may be called when paused already."""
        self._paused_by_handler = True
        self._apply_pause()

    def resume(self) -> None:
        """Read on."""
        self._paused_by_handler = False
        self._apply_pause()

    def close(self, reason: str = "closed") -> None:
        """Close after what was sent; `handler.closed` gets the reason."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: str = "aborted") -> None:
        """Close at once; what was not sent is dropped."""
        self._reason = self._reason or reason
        if self._transport is not None:
            self._transport.abort()

    # for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple) and len(peer) >= 2:
            self.peer = (str(peer[0]), int(peer[1]))
        self.opened_at = self.last_data = self._loop.time()
        self.handler.connected(self)

    def data_received(self, data: bytes) -> None:
        self.last_data = self._loop.time()
        self.received += len(data)
        frames = self._framer.feed(data)
        if frames:
            self.handler.frames(self, frames)

    def connection_lost(self, exc: Exception | None) -> None:
        frames = self._framer.flush()
        if frames:
            self.handler.frames(self, frames)
        self._transport = None
        self.handler.closed(self, self._reason or (str(exc) or type(exc).__name__ if exc else "peer closed"))

    def pause_writing(self) -> None:
        self._paused_by_peer = True
        self._apply_pause()

    def resume_writing(self) -> None:
        self._paused_by_peer = False
        self._apply_pause()

    def _apply_pause(self) -> None:
        reading = not (self._paused_by_handler or self._paused_by_peer)
        if reading == self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()


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
    """Listen; every connection calls `handler`. `max_segment` bounds a connection's memory. OSError if it cannot."""
    return await asyncio.get_running_loop().create_server(
        lambda: ServerConnection(handler, max_segment),
        host,
        port,
        ssl=ssl,
        reuse_port=reuse_port or None,
        backlog=backlog,
    )
