"""One simulated data logger: keeps its connection, sends its data on time, answers, fails and recovers."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter, deque
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.demo import generator, packets
from luming.demo.answering import Answers, Settings
from luming.demo.chance import key_of, uniform
from luming.demo.fleet import Logger
from luming.demo.outages import BACKFILLED, ONLINE, outages
from luming.hj212 import Client, Edition, UploadError, crc16, format_qn

FLAPPING_SECONDS, FLAPPING_CYCLE = 180, 1200  # away for 3 minutes of every 20
HEARTBEAT = 300.0  # seconds, HJ 212-2025
MEMORY = 2_000  # periods that a logger keeps while nobody answers
PATIENCE = 600.0  # seconds between two attempts to send what was kept
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0  # seconds between attempts to connect
LOOK_SECONDS = 5.0  # how often a connected logger looks whether an outage has come
KEPT_SECONDS = 10.0  # how often a logger looks whether it has kept anything
MISCHIEF = 0.15  # share of a bad logger's real-time packets that come with rubbish


class Connection(Client):
    """The client of a simulated logger: with its own clock, and with the wrong check code where the story wants it."""

    def __init__(self, host: str, port: int, logger: Logger, settings: Settings, answers: Answers) -> None:
        super().__init__(
            host,
            port,
            mn=logger.mn,
            st=logger.system,
            pw=logger.password,
            edition=Edition(logger.edition),
            on_request=answers,
            heartbeat=HEARTBEAT if logger.edition == Edition.V2025 else None,
        )
        self.settings = settings
        self._spoilt = logger.site.story == "modbus"
        self._last = datetime.min.replace(tzinfo=UTC)

    def next_qn(self) -> str:
        """Return a QN by the logger's own clock."""
        now = datetime.now(UTC) + timedelta(seconds=self.settings.clock_offset)
        if abs(now - self._last) < timedelta(minutes=1):  # a clock that was set back may repeat itself otherwise
            now = max(now, self._last + timedelta(milliseconds=1))
        self._last = now
        return format_qn(now)

    def follow_settings(self) -> None:
        """Use the password and the time-outs that the host has set."""
        self.pw = self.settings.password
        self._dialogue.overtime, self._dialogue.recount = self.settings.overtime, self.settings.resends

    def _encode(self, *args: object, **keywords: object) -> list[bytes]:
        frames = super()._encode(*args, **keywords)  # type: ignore[arg-type]
        return [packets.spoil(frame) for frame in frames] if self._spoilt else frames


class SimulatedLogger:
    """A logger of the fleet as it lives.

    Parameters
    ----------
    speed : how many times more often than once a minute real-time data is sent.
    """

    def __init__(self, logger: Logger, host: str, port: int, *, speed: float = 1.0) -> None:
        self.logger, self.speed = logger, speed
        self.settings = Settings(logger)
        self.answers = Answers(logger, self.settings)
        self.client = Connection(host, port, logger, self.settings, self.answers)
        self.kept: deque[tuple[str, int]] = deque(maxlen=MEMORY)
        self.counts: Counter[str] = Counter()
        # Where in the minute this one speaks: a fleet does not speak in chorus.
        self.phase = float(uniform(key_of(logger.mn, "phase"), np.array([0]))[0])
        self._dice = random.Random(logger.mn)

    async def run(self) -> None:
        """Live until cancelled."""
        intervals = [interval for interval in ("minute", "hour", "day") if self._sends(interval)]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected())
            tasks.create_task(self._speak())
            tasks.create_task(self._send_kept())
            for interval in intervals:
                tasks.create_task(self._report(interval))

    def _sends(self, interval: str) -> bool:
        return interval != "minute" or self.logger.site.has_minutes

    # connection

    async def _stay_connected(self) -> None:
        """Be connected except in outages."""
        await asyncio.sleep(self.phase * min(5.0, 60.0 / self.speed))
        pause = FIRST_PAUSE
        try:
            while True:
                while away := self.away_for():
                    await asyncio.sleep(min(away, 60))
                try:
                    await self.client.connect()
                except OSError:
                    await asyncio.sleep(pause * self._dice.uniform(0.5, 1.0))
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                pause = FIRST_PAUSE
                gone = asyncio.create_task(self.client.wait_closed())
                await self._say_hello()
                while not gone.done() and not self.away_for():
                    await asyncio.wait({gone}, timeout=LOOK_SECONDS)
                await self.client.close()
                await gone
                await asyncio.sleep(FIRST_PAUSE * self._dice.uniform(0.5, 1.0))
        finally:
            await self.client.close()

    async def _say_hello(self) -> None:
        """Tell once when the logger was switched on (2081)."""
        self.client.follow_settings()
        if not self.counts["connected"]:
            started = packets.compact_times(np.array([int(self.settings.started + self.settings.clock_offset)]))[0]
            await self._upload(2081, f"DataTime={started};RestartTime={started}")
        self.counts["connected"] += 1

    def away_for(self, now: float | None = None) -> float:
        """Return for how many seconds this logger will not be reachable; 0 when it is."""
        now = time.time() if now is None else now
        found = outages(self.logger, np.array([now]))
        if found.kind[0] != ONLINE:
            return float(found.end[0]) - now
        if self.logger.site.story == "flapping":
            return max(0.0, FLAPPING_SECONDS - (now + self.phase * FLAPPING_CYCLE) % FLAPPING_CYCLE)
        return 0.0

    # data

    async def _speak(self) -> None:
        """Send real-time data, each logger at its own place in the interval."""
        while True:
            interval = self.settings.realtime_seconds / self.speed
            now = time.time()
            await asyncio.sleep(interval - (now - self.phase * interval) % interval)
            if not (self.client.connected and self.settings.realtime_on):
                continue
            self.client.follow_settings()
            cp = self.answers.realtime(int(time.time() + self.settings.clock_offset))
            self._misbehave(cp)
            await self._upload(2011, cp)

    async def _report(self, interval: str) -> None:
        """Send each period's data when it is over; keep it when nobody takes it."""
        seconds = generator.period_seconds(interval)
        shift = generator.CHINA_SECONDS if interval == "day" else 0
        end = int((time.time() + shift) // seconds + 1) * seconds - shift
        while True:
            # A delay may be longer than a period: each period has its own moment, none is skipped.
            await asyncio.sleep(max(0.0, end + self._delay(interval, end) - time.time()))
            start, end = end - seconds, end + seconds
            kind = outages(self.logger, np.array([time.time()])).kind[0]
            if kind not in (ONLINE, BACKFILLED):
                continue  # the generator knows what was kept and what is lost
            cp = self.answers.period(interval, start)
            if not (self.client.connected and await self._upload(packets.CN[interval], cp)):
                self.kept.append((interval, start))

    def _delay(self, interval: str, end: int) -> float:
        """Return how many seconds after the end of a period its data is sent."""
        delay = {"minute": 2.0, "hour": 8.0, "day": 60.0}[interval] + 20 * self.phase
        if self.logger.site.story == "clock":  # its own clock is slow, and it is slow besides
            late = float(uniform(key_of(self.logger.mn, "late"), np.array([end]))[0])
            delay += max(0.0, -self.settings.clock_offset) + (300 + 900 * late if interval != "minute" else 60 * late)
        return delay

    async def _send_kept(self) -> None:
        """Send what was kept, some seconds after the connection is back; RF=1 says so since HJ 212-2025."""
        while True:
            await asyncio.sleep(KEPT_SECONDS)
            while self.kept and self.client.connected:
                interval, start = self.kept[0]
                cp = self.answers.period(interval, start)
                if not await self._upload(packets.CN[interval], cp, rf=self.logger.edition == Edition.V2025):
                    await asyncio.sleep(PATIENCE)
                    break
                self.kept.popleft()
                self.counts["back-filled"] += 1
                await asyncio.sleep(0.5)

    async def _upload(self, cn: int, cp: str, *, rf: bool = False) -> bool:
        try:
            await self.client.upload(cn, cp, rf=rf)
        except UploadError:
            self.counts["unanswered"] += 1
            return False
        self.counts["acknowledged"] += 1
        return True

    def _misbehave(self, cp: str) -> None:
        """Send rubbish before a packet now and then, as the story wants it."""
        if self.logger.site.story == "garbage" and self._dice.random() < MISCHIEF:
            with contextlib.suppress(UploadError):
                self.client.send(rubbish(self.logger, self.client.next_qn(), cp, self._dice))
                self.counts["rubbish"] += 1


def rubbish(logger: Logger, qn: str, cp: str, dice: random.Random) -> bytes:
    """Return what a bad logger sends: noise of its modem, a broken check code, a wrong length, half a packet."""
    head = f"QN={qn};ST={logger.system};CN=2011;PW={logger.password};MN={logger.mn};Flag=4;"
    segment = f"{head}CP=&&{cp}&&".encode()
    frame = b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment))
    return dice.choice(
        [
            b"\r\n+CSQ: 21,99\r\nOK\r\n",
            bytes(dice.randrange(256) for _ in range(dice.randrange(10, 60))),
            b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment) ^ 0x4140),
            b"##%04d%s%04X\r\n" % (len(segment) + 7, segment, crc16(segment)),
            frame[: len(frame) * 2 // 3] + b"\r\n",
        ]
    )
