"""Who talks to which device: opens a dialogue with each device that speaks, and brings it the commands of people."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError

from luming.telemetry.gateway import ledger as books
from luming.telemetry.gateway.dialogue import TIME_CALIBRATION, QnClock, Request, Talk
from luming.telemetry.gateway.writer import Entry
from luming.telemetry.intake import ACCEPTED, DeviceContext
from luming.telemetry.models import Command

if TYPE_CHECKING:
    from luming.telemetry.gateway.server import Gateway
    from luming.telemetry.gateway.sessions import Session

log = logging.getLogger("luming.gateway")

GREETING_SECONDS = 3600.0  # a logger that reconnects often is asked the first-connection list once an hour
GATHER_SECONDS = 0.05
# Held, but certainly from the device: it is spoken to (a wrong clock is what 1012 mends).
OWN = frozenset({"time-missing", "time-future", "time-before-commissioning"})


class Dispatcher:
    """The dialogues of one gateway, by device; used from the event loop only."""

    def __init__(self, gateway: Gateway) -> None:
        self.talks: dict[int, Talk] = {}
        self._gateway = gateway
        self._qns = QnClock()
        self._greeted: dict[int, float] = {}
        self._hungry: list[Talk] = []
        self._taking: asyncio.Task[None] | None = None
        self._stopped = False

    def follow(self, batch: list[Entry]) -> None:
        """Let committed packets go on in their dialogues."""
        for entry in batch:
            session, context = entry.session, entry.context
            if session is None or context is None or not (entry.row.verdict == ACCEPTED or entry.row.reason in OWN):
                continue
            talk = self.talks.get(context.device_id)
            if talk is None or talk.session is not session:
                if session not in self._gateway.sessions:
                    continue  # it is gone already
                talk = self._open(session, context, talk)
            talk.context = self._gateway.cache.get(context.mn) or context
            assert entry.decoded is not None
            packet = entry.decoded.packet
            assert packet is not None
            if talk.current is not None or packet.cn == TIME_CALIBRATION:
                talk.receive(packet)

    def _open(self, session: Session, context: DeviceContext, before: Talk | None) -> Talk:
        device_id = context.device_id
        talk = Talk(context, session, self._qns, send=self._send, report=self._report, idle=self._idle)
        if before is not None:
            before.closed()
        self.talks[device_id] = talk
        session.mn = session.mn or context.mn
        session.device_ids.add(device_id)
        self._gateway.follower.connected(device_id, session.id, session.opened_at)
        self._gateway.note(session)
        now = time.monotonic()
        if now - self._greeted.get(device_id, -GREETING_SECONDS) >= GREETING_SECONDS:
            self._greeted[device_id] = now
            talk.first_connection(list(self._gateway.options.first_connection))
        if talk.is_free:
            self.take(device_id)
        return talk

    def closed(self, session: Session) -> None:
        """End the dialogues of a connection that is gone."""
        at = self._gateway.now()
        for device_id in session.device_ids:
            talk = self.talks.get(device_id)
            if talk is not None and talk.session is session:
                del self.talks[device_id]
                talk.closed()
                self._gateway.follower.disconnected(device_id, session.id, at)

    def tick(self) -> None:
        """Repeat and give up what is due."""
        now = time.monotonic()
        for talk in list(self.talks.values()):
            deadline = talk.deadline
            if deadline is not None and deadline <= now:
                talk.tick()

    def in_flight(self) -> list[int]:
        """Return the ids of the commands that are being followed here."""
        return [
            talk.current.command_id
            for talk in self.talks.values()
            if talk.current is not None and talk.current.command_id is not None
        ]

    def take(self, device_id: int) -> None:
        """Take the next command of a device soon, if it is connected here and free."""
        talk = self.talks.get(device_id)
        if talk is not None and talk.is_free and not self._stopped:
            talk.reserved = True
            self._hungry.append(talk)
            if self._taking is None or self._taking.done():
                self._taking = asyncio.create_task(self._feed())

    def take_all(self) -> None:
        """Take the next command of every device that is connected here and free."""
        for device_id in list(self.talks):
            self.take(device_id)

    async def stop(self) -> None:
        """Take no more commands."""
        self._stopped = True
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)

    async def _feed(self) -> None:
        """Ask once for all devices that became free within a moment."""
        while self._hungry:
            await asyncio.sleep(GATHER_SECONDS)
            talks, self._hungry = self._hungry, []
            await self._take(talks)

    async def _take(self, talks: list[Talk]) -> None:
        taken: list[books.TakenCommand] = []
        try:
            qns = {talk.context.device_id: self._qns.next() for talk in talks}
            taken = await self._gateway.clerk(books.take_commands, qns)
        except (DatabaseError, InterfaceError) as error:
            log.info("commands wait: %s", error)
        finally:
            for talk in talks:
                talk.reserved = False
        for command in taken:
            talk = self.talks.get(command.device_id)
            if talk is None:  # gone while we asked
                self._gateway.ledger.command(command.id, state=Command.State.QUEUED, qn="", sent_at=None, attempts=0)
                continue
            talk.ask(Request(command.cn, command.parameters, command.id, command.qn))

    def _idle(self, talk: Talk) -> None:
        if self.talks.get(talk.context.device_id) is talk:
            self.take(talk.context.device_id)

    def _send(self, talk: Talk, cn: int, qn: str, frame: bytes) -> None:
        context = talk.context
        talk.session.connection.send(frame)
        self._gateway.keep_sent(talk.session, context.device_id, context.mn, context.system, cn, qn, frame)

    def _report(self, talk: Talk, request: Request, **fields: object) -> None:
        assert request.command_id is not None
        self._gateway.ledger.command(request.command_id, **fields)
        if request.cn == 1072 and fields.get("state") == Command.State.DONE:
            self._gateway.cache.set_password(talk.context.mn, request.parameters["NewPW"])
