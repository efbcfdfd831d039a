"""Split packets (PNUM/PNO) to whole ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .content import parse_content
from .diagnostics import Notes
from .model import Packet

__all__ = ["Incomplete", "Reassembler"]

_Key = tuple[str, str, int, str | None, int]


class Incomplete(NamedTuple):
    """A set of parts that was given up: what came, how many were announced, and why (a code of `REASONS`)."""

    parts: tuple[Packet, ...]
    pnum: int
    reason: str


class _Set(NamedTuple):
    since: float
    parts: dict[int, Packet]


class Reassembler:
    """Collect the parts of split packets of one connection.

    Bounded in sets and in parts; what is given up is returned by `expire`, so that no part is lost silently.
    """

    def __init__(self, timeout: float = 60.0, max_sets: int = 64, max_parts: int = 256) -> None:
        self.timeout = timeout
        self.max_sets = max_sets
        self.max_parts = max_parts
        self._sets: dict[_Key, _Set] = {}
        self._given_up: list[Incomplete] = []

    def add(self, packet: Packet, now: float) -> list[Packet]:
        """What is whole now: nothing while parts are missing, the merged packet when the last part came.

        A packet that is not split comes back as it is. Parts that have a DataTime of their own (the answer to a history
        request) give one packet per DataTime. `now` is any steady clock in seconds.
        """
        if not packet.is_split or packet.pnum is None or packet.pno is None:
            return [packet]
        if packet.pnum > self.max_parts:
            self._given_up.append(Incomplete((packet,), packet.pnum, "split.pushed_out"))
            return []
        key = (packet.mn, packet.st, packet.cn, packet.qn, packet.pnum)
        parts = self._sets.setdefault(key, _Set(now, {})).parts
        parts[packet.pno] = packet
        if len(parts) == packet.pnum:
            del self._sets[key]
            return _merge([parts[number] for number in sorted(parts)])
        while len(self._sets) > self.max_sets:
            self._give_up(next(iter(self._sets)), "split.pushed_out")
        return []

    def expire(self, now: float) -> list[Incomplete]:
        """Sets given up since the last call: too old, or pushed out by newer ones."""
        for key in [key for key, waiting in self._sets.items() if now - waiting.since > self.timeout]:
            self._give_up(key, "split.timeout")
        given_up, self._given_up = self._given_up, []
        return given_up

    def _give_up(self, key: _Key, reason: str) -> None:
        parts = self._sets.pop(key).parts
        self._given_up.append(Incomplete(tuple(parts[number] for number in sorted(parts)), key[-1], reason))


def _merge(parts: list[Packet]) -> list[Packet]:
    """One packet per DataTime, in the order of the parts; a part without one belongs to the part before it."""
    groups: list[list[Packet]] = []
    for part in parts:
        if groups and part.data_time in (None, groups[-1][0].data_time):
            groups[-1].append(part)
        else:
            groups.append([part])
    return [_join(group) for group in groups]


def _join(parts: list[Packet]) -> Packet:
    cp = ";".join(_distinct_lead(parts))
    content = parse_content(_as_bytes_text(cp), 0, parts[0].edition, Notes())
    return parts[0]._replace(
        raw=b"".join(part.raw for part in parts),
        pnum=None,
        pno=None,
        cp=cp,
        data_time=content.data_time,
        readings=content.readings,
        parameters=content.parameters,
    )


def _distinct_lead(parts: list[Packet]) -> Iterable[str]:
    """The CP texts; a DataTime that repeats that of the first part is left out."""
    first, *rest = (part.cp.strip(";") for part in parts)
    yield first
    lead = first.partition(";")[0]
    for cp in rest:
        yield cp.removeprefix(lead + ";") if lead.startswith("DataTime=") else cp


def _as_bytes_text(text: str) -> str:
    """The parser reads bytes as Latin-1."""
    return text.encode("utf-8").decode("latin-1")
