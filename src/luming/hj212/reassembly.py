"""Split packets (PNUM/PNO) to whole ones."""

from __future__ import annotations

from typing import NamedTuple

from .model import Packet

__all__ = ["Incomplete", "Reassembler"]


class Incomplete(NamedTuple):
    """A set of parts that was given up: what came, how many were announced, and why."""

    parts: tuple[Packet, ...]
    pnum: int
    reason: str


class Reassembler:
    """Merge the parts of a split packet into one; `add` returns it when the last part came, else None."""

    def __init__(self, timeout: float = 60.0, max_sets: int = 64, max_parts: int = 256) -> None:
        self.timeout = timeout
        self.max_sets = max_sets
        self.max_parts = max_parts

    def add(self, packet: Packet, now: float) -> Packet | None:
        raise NotImplementedError

    def expire(self, now: float) -> list[Incomplete]:
        """Give up sets older than the time-out (also those pushed out by `max_sets`)."""
        raise NotImplementedError
