"""What the gateway remembers of one connection."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from luming.hj212 import ServerConnection

# Why reading is paused; it goes on when no reason is left.
QUEUE_FULL, TOO_FAST = 1, 2


class Session:
    """One connection: who is at the other end, what it sent, and whether it may send on."""

    __slots__ = (
        "address",
        "close_reason",
        "connection",
        "device_ids",
        "garbage",
        "id",
        "mn",
        "noted",
        "opened_at",
        "packets",
        "parts",
        "paused",
        "peer",
        "refilled_at",
        "slow_frame",
        "slow_since",
        "tokens",
    )

    def __init__(self, session_id: int, connection: ServerConnection, opened_at: datetime, tokens: float) -> None:
        self.id = session_id
        self.connection = connection
        self.address = str(connection.peer[0])
        self.peer = (
            f"[{self.address}]:{connection.peer[1]}" if ":" in self.address else "{}:{}".format(*connection.peer[:2])
        )
        self.opened_at = opened_at
        self.mn = ""
        self.device_ids: set[int] = set()
        self.packets = 0
        self.noted = (0, 0)  # packets and bytes in the books
        self.garbage = 0  # bytes of garbage since the last whole packet
        self.paused = 0
        self.tokens = tokens
        self.refilled_at = connection.opened_at
        self.slow_since: float | None = None  # since when a packet is incomplete, and how many came before it
        self.slow_frame = 0
        self.parts: dict[tuple[str, int, str | None], Any] = {}  # split packets: see pipeline.PartSet
        self.close_reason = ""

    def pause(self, why: int) -> None:
        """Stop reading for one reason more."""
        if not self.paused:
            self.connection.pause()
        self.paused |= why

    def resume(self, why: int) -> None:
        """Take a reason away; reading goes on when it was the last."""
        if self.paused & why:
            self.paused &= ~why
            if not self.paused:
                self.connection.resume()

    def spend(self, packets: int, now: float, per_minute: float, loop: asyncio.AbstractEventLoop) -> None:
        """Count packets against the connection's rate (token bucket of ten seconds); too fast: read on later.

        Nothing is dropped: what is not read waits in the peer's own send buffer.
        """
        rate = per_minute / 60
        self.tokens = min(self.tokens + (now - self.refilled_at) * rate, burst(per_minute)) - packets
        self.refilled_at = now
        if self.tokens < 0 and not self.paused & TOO_FAST:
            self.pause(TOO_FAST)
            loop.call_later(-self.tokens / rate, self.resume, TOO_FAST)

    def close(self, reason: str) -> None:
        """Close the connection and remember why."""
        self.close_reason = self.close_reason or reason
        self.connection.close(reason)


def burst(per_minute: float) -> float:
    """Return how many packets a connection may send at once."""
    return max(20.0, per_minute / 6)
