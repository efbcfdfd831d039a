"""The dialogues of HJ 212-2017 6.1 and 6.5, without any input or output.

request  host sends -> 9011 (accepted or refused) -> data packets -> 9012 (result)
notice   9013
upload   9014

What is not answered in `overtime` seconds is sent again, `recount` times at most (table 1: 5 s on wire, 10 s by radio,
three repeats).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from .model import Packet

__all__ = ["Dialogue", "Event", "EventKind", "Kind"]

Kind = Literal["request", "notice", "upload"]
EventKind = Literal["resend", "accepted", "refused", "data", "done", "failed", "timeout", "answered", "unexpected"]

_ANSWERS = {9011: "request", 9012: "request", 9013: "notice", 9014: "upload"}
_OK = 1


class Event(NamedTuple):
    """What happened to an outgoing message.

    resend: send `frames` again. accepted, refused: 9011 came (`result` is QnRtn). data: `packet` belongs to the
    request. done, failed: 9012 came (`result` is ExeRtn). answered: 9013 or 9014 came. timeout: given up. unexpected:
    an answer to nothing. After refused, done, failed, answered, timeout the message is forgotten.
    """

    kind: EventKind
    qn: str
    packet: Packet | None = None
    frames: tuple[bytes, ...] = ()
    result: int | None = None


class _Message:
    """An outgoing message that is not finished."""

    __slots__ = ("answers", "cn", "deadline", "executing", "frames", "kind", "repeats")

    def __init__(self, kind: Kind, frames: tuple[bytes, ...], cn: int, answers: int, deadline: float) -> None:
        self.kind = kind
        self.frames = frames
        self.cn = cn
        self.answers = answers
        self.deadline = deadline
        self.executing = False
        self.repeats = 0


class Dialogue:
    """Track the outgoing messages of one connection by QN. The caller sends, and asks `tick` when `deadline` is due."""

    def __init__(
        self,
        overtime: float = 10.0,
        recount: int = 3,
        clock: Callable[[], float] = time.monotonic,
        *,
        execution: float = 600.0,
    ) -> None:
        """`execution`: seconds to wait for 9012, counted from 9011 or the last data packet."""
        self.overtime = overtime
        self.recount = recount
        self.execution = execution
        self.clock = clock
        self._open: dict[str, _Message] = {}

    def __len__(self) -> int:
        """Messages that are not finished."""
        return len(self._open)

    @property
    def deadline(self) -> float | None:
        """When `tick` is next due, on the clock; None if nothing is open."""
        return min((message.deadline for message in self._open.values()), default=None)

    def start(self, kind: Kind, qn: str, frames: Iterable[bytes], cn: int = 0, *, answers: int = 1) -> None:
        """Remember a message that is being sent now.

        `cn` lets data packets that have a QN of their own find their request; `answers`: how many 9014 are expected
        (one per part of a split upload). ValueError if the QN is in use.
        """
        if qn in self._open:
            raise ValueError(f"QN {qn} is in use")
        self._open[qn] = _Message(kind, tuple(frames), cn, answers, self.clock() + self.overtime)

    def receive(self, packet: Packet) -> list[Event]:
        """What an incoming packet means to the open messages; empty if it has nothing to do with them."""
        kind = _ANSWERS.get(packet.cn)
        if kind is None:
            return self._data(packet)
        qn = packet.qn or ""
        message = self._open.get(qn)
        if message is None or message.kind != kind:
            return [Event("unexpected", qn, packet)]
        if packet.cn == 9011:
            return self._ready(qn, message, packet)
        if packet.cn == 9012:
            result = _result(packet, "ExeRtn")
            del self._open[qn]
            return [Event("done" if result == _OK else "failed", qn, packet, result=result)]
        message.answers -= 1
        if message.answers > 0:
            return []
        del self._open[qn]
        return [Event("answered", qn, packet)]

    def tick(self) -> list[Event]:
        """Repeats that are due and messages that are given up."""
        now = self.clock()
        events = []
        for qn, message in list(self._open.items()):
            if message.deadline > now:
                continue
            if message.executing or message.repeats >= self.recount:
                del self._open[qn]
                events.append(Event("timeout", qn))
            else:
                message.repeats += 1
                message.deadline = now + self.overtime
                events.append(Event("resend", qn, frames=message.frames))
        return events

    def abandon(self) -> list[Event]:
        """The connection is gone: every open message ends in a time-out."""
        events = [Event("timeout", qn) for qn in self._open]
        self._open.clear()
        return events

    def _ready(self, qn: str, message: _Message, packet: Packet) -> list[Event]:
        result = _result(packet, "QnRtn")
        if result == _OK:
            self._extend(message)
            return [Event("accepted", qn, packet, result=result)]
        del self._open[qn]
        return [Event("refused", qn, packet, result=result)]

    def _data(self, packet: Packet) -> list[Event]:
        """Data belong to the request with their QN, else to the oldest request for their CN."""
        message = self._open.get(packet.qn or "")
        if message is not None and message.kind == "request":
            qn = packet.qn or ""
        else:
            found = next(
                ((q, m) for q, m in self._open.items() if m.kind == "request" and m.cn == packet.cn and m.executing),
                None,
            )
            if found is None:
                return []
            qn, message = found
        self._extend(message)
        return [Event("data", qn, packet)]

    def _extend(self, message: _Message) -> None:
        message.executing = True
        message.deadline = self.clock() + self.execution


def _result(packet: Packet, name: str) -> int | None:
    text = packet.parameters.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None
