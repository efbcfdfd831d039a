"""The talk with one device: first-connection list, time calibration, commands of people, one request at a time.

The rules of time-outs and repeats (OverTime, ReCount) and the order 9011 → data → 9012 are those of
:class:`luming.hj212.Dialogue`; what is asked, and what the answers are worth, is decided here.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from luming.hj212 import (
    COMMANDS,
    EXE_RESULTS,
    QN_RESULTS,
    Dialogue,
    Edition,
    Packet,
    encode,
    format_qn,
    make_flag,
    parse_time,
)
from luming.telemetry import commanding
from luming.telemetry.intake import INTERVALS, DeviceContext
from luming.telemetry.models import Command

if TYPE_CHECKING:
    from luming.telemetry.gateway.sessions import Session

log = logging.getLogger("luming.gateway")

TIME_CALIBRATION = 1013  # the device asks; 9013, then 1012 (HJ 212-2017 annex C, table C.4)
SET_TIME = 1012
MAX_ANSWER_ITEMS = 200  # of parameters kept on a command


@dataclass(slots=True)
class Request:
    """One request to a device. ``command_id`` is None for what the platform asks by itself."""

    cn: int
    parameters: dict[str, str] = field(default_factory=dict)
    command_id: int | None = None
    qn: str = ""
    data_packets: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    first: datetime | None = None  # the range that a history pull asks for
    last: datetime | None = None

    def __post_init__(self) -> None:
        self.first = parse_time(self.parameters.get("BeginTime", ""))[0]
        self.last = parse_time(self.parameters.get("EndTime", ""))[0]

    @property
    def is_notice(self) -> bool:
        """Tell whether 9013 is the whole answer."""
        return COMMANDS[self.cn].type == "notice"

    def awaits(self, packet: Packet) -> bool:
        """Tell whether a data packet answers this request rather than being live data of the same command."""
        if packet.cn != self.cn or packet.cn >= 9000:
            return False
        if packet.cn in INTERVALS and self.first and self.last and packet.data_time:
            return self.first <= packet.data_time <= self.last
        return True


class QnClock:
    """Makes QNs: the time to the millisecond, never twice in one process."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def next(self) -> str:
        """Return a new QN."""
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + timedelta(milliseconds=1))
        return format_qn(self._last)


class Talk:
    """The dialogue with one device over the connection that it uses now.

    Parameters
    ----------
    send : puts a frame on the wire and keeps it as an outgoing packet.
    report : ``report(command_id, **fields)`` notes the progress of a person's command.
    idle : called when the next command may be taken.
    """

    def __init__(
        self,
        context: DeviceContext,
        session: Session,
        qns: QnClock,
        *,
        send: Callable[[Talk, int, str, bytes], None],
        report: Callable[..., None],
        idle: Callable[[Talk], None],
    ) -> None:
        self.context = context
        self.session = session
        self.current: Request | None = None
        self.waiting: deque[Request] = deque()
        self.reserved = False  # a command is being taken for this device
        self._qns = qns
        self._send, self._report, self._idle = send, report, idle
        self._dialogue = Dialogue(float(context.overtime_seconds), context.resend_count)

    @property
    def is_free(self) -> bool:
        """Tell whether a command may be sent now."""
        return self.current is None and not self.waiting and not self.reserved

    @property
    def deadline(self) -> float | None:
        """Return when :meth:`tick` is due, on the clock of ``time.monotonic``."""
        return self._dialogue.deadline if self.current else None

    def new_qn(self) -> str:
        """Return a QN for a command that is being taken."""
        return self._qns.next()

    def ask(self, request: Request, *, first: bool = False) -> None:
        """Send a request, or let it wait for its turn."""
        if any(other.cn == request.cn and other.command_id is None for other in self.waiting):
            return  # the platform asks the same thing only once
        if first:
            self.waiting.appendleft(request)
        else:
            self.waiting.append(request)
        self._next()

    def first_connection(self, commands: list[int]) -> None:
        """Ask what a new connection is asked (HJ 212-2017 6.7), with the figures of the register."""
        figures = {
            1000: {"OverTime": str(self.context.overtime_seconds), "ReCount": str(self.context.resend_count)},
            1062: {"RtdInterval": str(self.context.realtime_seconds)},
            1064: {"MinInterval": str(self.context.minute_interval)},
        }
        for cn in commands:
            known = COMMANDS.get(cn)
            if known is not None and Edition(self.context.edition) in known.editions:
                self.ask(Request(cn, figures.get(cn, {})))

    def receive(self, packet: Packet) -> None:
        """Follow a packet of the device, after it was committed."""
        if packet.cn == TIME_CALIBRATION:
            self.ask(Request(SET_TIME), first=True)
            return
        if self.current is None:
            return
        if packet.cn < 9000 and not self.current.awaits(packet):
            return
        for event in self._dialogue.receive(packet):
            self._follow(event)

    def tick(self) -> None:
        """Repeat what was not answered, give up what was repeated enough."""
        for event in self._dialogue.tick():
            self._follow(event)

    def closed(self) -> None:
        """The connection is gone: a person's command in flight has failed; what was not sent stays queued."""
        if self.current is not None:
            self._finish(Command.State.FAILED, "connection lost / 连接中断")
        self.waiting.clear()

    def _next(self) -> None:
        if self.current is not None:
            return
        if not self.waiting:
            self._idle(self)
            return
        request = self.current = self.waiting.popleft()
        request.qn = request.qn or self._qns.next()
        frame = self._frame(request)
        self._dialogue.overtime, self._dialogue.recount = (
            float(self.context.overtime_seconds), self.context.resend_count,
        )  # fmt: skip
        self._dialogue.start("notice" if request.is_notice else "request", request.qn, [frame], request.cn)
        self._send(self, request.cn, request.qn, frame)

    def _frame(self, request: Request) -> bytes:
        edition = Edition(self.context.edition)
        return encode(
            cn=request.cn,
            st=self.context.system,
            mn=self.context.mn,
            pw=self.context.password,
            qn=request.qn,
            flag=make_flag(edition, reply=True),
            cp=commanding.cp_text(request.cn, request.parameters, datetime.now(UTC)),
            edition=edition,
        )

    def _follow(self, event: Any) -> None:
        request = self.current
        if request is None or event.qn != request.qn:
            return
        now = datetime.now(UTC)
        if event.kind == "resend":
            request.attempts += 1
            for frame in event.frames:
                self._send(self, request.cn, request.qn, frame)
            self._note(request, attempts=request.attempts)
        elif event.kind == "accepted":
            self._note(request, state=Command.State.ACCEPTED, accepted_at=now, request_result=event.result)
        elif event.kind == "data":
            request.data_packets += 1
            _collect(request.answer, event.packet)
            self._note(request, data_packets=request.data_packets)
        elif event.kind == "refused":
            text = _result(QN_RESULTS, event.result)
            self._finish(Command.State.REFUSED, text, request_result=event.result)
        elif event.kind in ("done", "answered"):
            self._finish(Command.State.DONE, "", execute_result=event.result)
        elif event.kind == "failed":
            self._finish(Command.State.FAILED, _result(EXE_RESULTS, event.result), execute_result=event.result)
        elif event.kind == "timeout":
            self._finish(Command.State.FAILED, "no answer in time / 设备未按时应答")

    def _finish(self, state: str, problem: str, **fields: object) -> None:
        request, self.current = self.current, None
        assert request is not None
        if problem and request.command_id is None:
            log.info("device %s: %s: %s", self.context.mn, request.cn, problem)
        self._note(
            request,
            state=state,
            problem=problem,
            finished_at=datetime.now(UTC),
            data_packets=request.data_packets,
            answer=request.answer,
            **fields,
        )
        self._next()

    def _note(self, request: Request, **fields: object) -> None:
        if request.command_id is not None:
            self._report(self, request, **fields)


def _result(table: Any, code: int | None) -> str:
    names = table.get(code)
    return f"{code}: {names[0]} / {names[1]}" if names else f"{code}"


def _collect(answer: dict[str, Any], packet: Packet) -> None:
    """Keep what a device says of itself: parameters, serial numbers, information (values become observations)."""
    for name, value in packet.parameters.items():
        if len(answer) < MAX_ANSWER_ITEMS:
            answer[name] = value
    for reading in packet.readings:
        for suffix in ("info", "sn", "state", "hours"):
            value = getattr(reading, suffix)
            if value is not None and len(answer) < MAX_ANSWER_ITEMS:
                answer[f"{reading.code}-{suffix.upper()}"] = value
