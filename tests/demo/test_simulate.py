"""The simulated loggers, talking to a small host of the test."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

import numpy as np
import pytest

from luming.demo import fleet, generator, logger, packets, simulate
from luming.demo.answering import Answers, Settings
from luming.demo.logger import SimulatedLogger
from luming.demo.outages import LOST, ONLINE, outages
from luming.hj212 import Edition, Framer, decode, encode

FLEET = fleet.describe()


class Host:
    """Acknowledges data, keeps what it gets, and can ask."""

    def __init__(self) -> None:
        self.packets = []
        self.garbage = []
        self.writers = {}
        self.silent = False
        self.news = asyncio.Event()

    async def __aenter__(self) -> Host:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self.writers.values():
            writer.close()
        self.server.close()

    async def _serve(self, reader, writer) -> None:
        framer = Framer()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                for frame in framer.feed(data):
                    self._take(frame, writer)
        writer.close()

    def _take(self, frame, writer) -> None:
        decoded = decode(frame.data) if frame.kind == "packet" else None
        if decoded is None or not decoded.accepted:
            self.garbage.append(frame)
        else:
            packet = decoded.packet
            self.packets.append(packet)
            self.writers[packet.mn] = writer
            if packet.needs_reply and not self.silent:
                writer.write(encode(cn=9014, st="91", mn=packet.mn, pw=packet.pw, qn=packet.qn, edition=packet.edition))
        self.news.set()

    async def until(self, condition, timeout: float = 10) -> None:
        async with asyncio.timeout(timeout):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def ask(self, mn: str, pw: str, cn: int, cp: str = "", edition: Edition = Edition.V2017):
        """Send a request; return (QnRtn, data packets, ExeRtn)."""
        qn = f"20261124{random.randrange(10**9):09d}"
        before = len(self.packets)
        flag = int(edition) << 2 | 1
        self.writers[mn].write(encode(cn=cn, st="32", mn=mn, pw=pw, qn=qn, flag=flag, cp=cp, edition=edition))

        def answered() -> bool:
            return any(
                (p.qn == qn and p.cn == 9012) or p.parameters.get("QnRtn", "1") != "1" for p in self.packets[before:]
            )

        await self.until(answered)
        new = self.packets[before:]
        results = {p.cn: p.parameters for p in new if p.qn == qn and p.cn in (9011, 9012)}
        data = [p for p in new if p.cn == cn]
        return int(results[9011]["QnRtn"]), data, int(results.get(9012, {}).get("ExeRtn", 0))


@contextlib.asynccontextmanager
async def alive(*crowd: SimulatedLogger):
    tasks = [asyncio.create_task(one.run()) for one in crowd]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def no_outages(monkeypatch):
    monkeypatch.setattr(
        logger, "outages", lambda _logger, moments: outages(_logger, moments)._replace(kind=np.zeros(len(moments), int))
    )


def simulated(code: str, host: Host, speed: float = 60) -> SimulatedLogger:
    return SimulatedLogger(FLEET.logger(code), "127.0.0.1", host.port, speed=speed)


async def test_real_time_data_comes_and_is_acknowledged(no_outages):
    async with Host() as host:
        one = simulated("DEMO-F01-DA001", host)
        async with alive(one):
            await host.until(lambda: sum(packet.cn == 2011 for packet in host.packets) >= 2)
        packet = next(packet for packet in host.packets if packet.cn == 2011)
        assert {reading.code for reading in packet.readings} == {factor.code for factor in one.logger.site.factors}
        assert abs(packet.data_time.timestamp() - time.time()) < 15
        assert one.counts["acknowledged"] >= 2
        assert any(packet.cn == 2081 for packet in host.packets)


async def test_requests_are_answered_from_the_generator(no_outages):
    async with Host() as host:
        one = simulated("DEMO-F17-DW001", host)
        mn, pw, edition = one.logger.mn, one.logger.password, Edition(one.logger.edition)
        async with alive(one):
            await host.until(lambda: mn in host.writers)
            end = int(time.time()) // 3600 * 3600 - 3600
            starts = np.arange(end - 5 * 3600, end + 1, 3600)
            begin, last = packets.compact_times(starts[[0, -1]])
            accepted, data, result = await host.ask(mn, pw, 2061, f"BeginTime={begin};EndTime={last}", edition)
            assert (accepted, result) == (1, 1)
            expected = starts[outages(one.logger, starts + 3600).kind != LOST]
            assert [packet.data_time.timestamp() for packet in data] == expected.tolist()
            block = generator.block(one.logger.site, "hour", expected)
            cod = [next(r.average for r in packet.readings if r.code == "w01018") for packet in data]
            assert cod == block.value[one.logger.site.row["w01018"]].tolist()
            accepted, data, result = await host.ask(mn, pw, 3015, "", edition)
            assert data[0].parameters["VaseNo"] == "1"
            accepted, data, result = await host.ask(mn, pw, 1011, "", edition)
            assert abs(float(data[0].parameters["SystemTime"]) - float(packets.qn_of(time.time())[:14])) <= 5
            assert (await host.ask(mn, pw, 2999, "", edition))[0] == 8


async def test_a_wrong_password_is_refused(no_outages):
    async with Host() as host:
        one = simulated("DEMO-A01", host)
        async with alive(one):
            await host.until(lambda: one.logger.mn in host.writers)
            assert (await host.ask(one.logger.mn, "000000", 1011))[0] == 3


async def test_bad_loggers_are_bad(no_outages, monkeypatch):
    monkeypatch.setattr(logger, "MISCHIEF", 1.0)
    async with Host() as host:
        crowd = [simulated(code, host) for code in ("DEMO-F03-DA002", "DEMO-F08-DA002", "DEMO-F10-DA002")]
        async with alive(*crowd):
            await host.until(
                lambda: len({p.mn for p in host.packets if p.cn == 2011}) == 3 and len(host.garbage) >= 1, 20
            )
        by_mn = {packet.mn: packet for packet in host.packets if packet.cn == 2011}
        modbus, clock, _garbage = (by_mn[one.logger.mn] for one in crowd)
        assert {item.code for item in decode(modbus.raw).diagnostics} >= {"crc.modbus"}
        assert -680 < clock.data_time.timestamp() - time.time() < -640
        assert -680 < clock.qn_time.timestamp() - time.time() < -640


async def test_what_nobody_took_is_sent_again(no_outages, monkeypatch):
    monkeypatch.setattr(logger, "PATIENCE", 0.1)
    async with Host() as host:
        one = simulated("DEMO-F02-DA001", host)  # HJ 212-2025 knows RF
        one.kept.append(("hour", int(time.time()) // 3600 * 3600 - 7200))
        monkeypatch.setattr(logger, "KEPT_SECONDS", 0.1)
        async with alive(one):
            await host.until(lambda: any(packet.cn == 2061 for packet in host.packets), 20)
            await host.until(lambda: not one.kept)
        late = next(packet for packet in host.packets if packet.cn == 2061)
        assert late.backfilled
        assert one.counts["back-filled"] == 1


async def test_an_outage_closes_the_connection_and_the_logger_comes_back(monkeypatch):
    away = {"until": 0.0}
    monkeypatch.setattr(SimulatedLogger, "away_for", lambda self, now=None: max(0.0, away["until"] - time.time()))
    monkeypatch.setattr(logger, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(logger, "FIRST_PAUSE", 0.05)
    async with Host() as host:
        one = simulated("DEMO-A02", host)
        async with alive(one):
            await host.until(lambda: bool(host.packets))
            away["until"] = time.time() + 0.4
            async with asyncio.timeout(5):
                while one.client.connected:
                    await asyncio.sleep(0.02)
                while not one.client.connected:
                    await asyncio.sleep(0.02)
        assert one.counts["connected"] == 2


async def test_a_gateway_that_is_not_there_is_tried_again(no_outages, monkeypatch):
    monkeypatch.setattr(logger, "FIRST_PAUSE", 0.1)
    async with Host() as host:
        port = host.port
    one = SimulatedLogger(FLEET.logger("DEMO-A03"), "127.0.0.1", port, speed=60)
    async with alive(one):
        await asyncio.sleep(1.2)
        assert not one.client.connected


async def test_no_period_is_skipped_by_a_slow_logger(no_outages, monkeypatch):
    one = SimulatedLogger(FLEET.logger("DEMO-F08-DA002"), "127.0.0.1", 1)
    begin = int(time.time()) // 600 * 600
    clock = {"now": float(begin + 5)}

    async def sleep(seconds: float) -> None:
        clock["now"] += seconds
        if clock["now"] > begin + 6 * 3600:
            raise asyncio.CancelledError

    monkeypatch.setattr(logger.time, "time", lambda: clock["now"])
    monkeypatch.setattr(logger.asyncio, "sleep", sleep)
    with contextlib.suppress(asyncio.CancelledError):
        await one._report("minute")
    starts = [start for interval, start in one.kept if interval == "minute"]
    assert starts == list(range(begin, begin + 600 * len(starts), 600))
    assert len(starts) > 30


def test_one_logger_flaps_and_outages_are_those_of_the_history():
    flapping = SimulatedLogger(next(one for one in FLEET.loggers if one.site.story == "flapping"), "127.0.0.1", 1)
    start = time.time()
    away = [flapping.away_for(start + second) > 0 for second in range(0, 1200, 10)]
    if not any(outages(flapping.logger, np.arange(start, start + 1200, 10)).kind != ONLINE):
        assert 17 <= sum(away) <= 19
    one = FLEET.logger("DEMO-F04-DA002")
    moments = np.arange(start - 60 * 86400, start, 600)
    found = outages(one, moments)
    first = int(np.flatnonzero(found.kind != ONLINE)[0])
    assert SimulatedLogger(one, "127.0.0.1", 1).away_for(moments[first]) == found.end[first] - moments[first]


ASKED = [
    (1000, {"OverTime": "5", "ReCount": "2"}, 1, 1),
    (1000, {"OverTime": "0", "ReCount": "2"}, 2, None),
    (1062, {"RtdInterval": "30"}, 1, 1),
    (1062, {"RtdInterval": "5"}, 2, None),
    (1064, {"MinInterval": "10"}, 1, 1),
    (1064, {"MinInterval": "5"}, 1, 3),
    (1064, {"MinInterval": "7"}, 2, None),
    (1072, {"NewPW": "abc123"}, 1, 1),
    (1072, {"NewPW": "short"}, 2, None),
    (2041, {"BeginTime": "20261101000000", "EndTime": "20261103000000"}, 1, 1),
    (2051, {"BeginTime": "20260101000000", "EndTime": "20250101000000"}, 2, None),
    (2061, {"BeginTime": "20991101000000", "EndTime": "20991103000000"}, 1, 100),
    (3011, {"PolId": "a21026"}, 1, 1),
    (3011, {"PolId": "w01018"}, 2, None),
    (3015, {}, 1, 3),
    (3019, {"PolId": "a21026"}, 1, 1),
    (3020, {"PolId": "a21026", "InfoId": "i12001"}, 1, 1),
    (3020, {"PolId": "a21026", "InfoId": "i99999"}, 1, 100),
    (3021, {"PolId": "a21026", "InfoId": "i13001", "i13001-Info": "200"}, 1, 1),
    (1001, {}, 8, None),
]


@pytest.mark.parametrize(("cn", "given", "accepted", "result"), ASKED)
def test_every_command_has_its_answer(cn, given, accepted, result):
    one = FLEET.logger("DEMO-F01-DA001")
    reply = Answers(one, Settings(one)).answer(cn, given)
    assert reply.qn_result == accepted
    if result is not None:
        assert reply.exe_result == result


def test_settings_take_effect():
    one = FLEET.logger("DEMO-F01-DA001")
    settings = Settings(one)
    answers = Answers(one, settings)
    answers.answer(3021, {"PolId": "a21026", "InfoId": "i13001", "i13001-Info": "200"})
    assert "i13001-Info=200" in answers.answer(3020, {"PolId": "a21026", "InfoId": "i13001"}).data[0]
    answers.answer(3011, {"PolId": "a21026"})
    assert "a21026-Flag=C" in answers.realtime(int(time.time()))
    answers.answer(1012, {"SystemTime": packets.qn_of(time.time() + 100)[:14]})
    assert 95 < settings.clock_offset < 105
    slow = FLEET.logger("DEMO-F08-DA002")
    stubborn = Settings(slow)
    Answers(slow, stubborn).answer(1012, {"SystemTime": packets.qn_of(time.time())[:14]})
    assert stubborn.clock_offset == packets.CLOCK_ERROR


def test_lost_periods_are_not_given_out():
    for one in FLEET.registered:
        ends = generator.period_starts("hour", time.time() - 50 * 86400, time.time() - 86400) + 3600
        gone = ends[outages(one, ends).kind == LOST]
        if len(gone):
            begin = packets.compact_times(gone[:1] - 3600)[0]
            assert Answers(one, Settings(one)).answer(2061, {"BeginTime": begin, "EndTime": begin}).exe_result == 100
            return
    raise AssertionError("no outage of the fleet loses data")


def test_rubbish_is_rubbish():
    one, dice = FLEET.logger("DEMO-F10-DA002"), random.Random(4)
    cp = Answers(one, Settings(one)).realtime(int(time.time()))
    verdicts = set()
    for _ in range(40):
        framer = Framer()
        for frame in framer.feed(logger.rubbish(one, "20261124080000000", cp, dice)) + framer.flush():
            decoded = decode(frame.data) if frame.kind == "packet" else None
            verdicts.add("garbage" if decoded is None else decoded.reason or "accepted")
            assert decoded is None or not decode(frame.data, strict=True).accepted
    assert {"garbage", "crc.mismatch"} <= verdicts
    assert len(verdicts) >= 3


def test_the_command_refuses_nonsense(capsys):
    import argparse

    parser = argparse.ArgumentParser()
    simulate.configure(parser)
    for arguments in (["--speed", "0"], ["--only", "NOWHERE"]):
        args = parser.parse_args(arguments)
        assert args.run(args) == 2
    assert "NOWHERE" in capsys.readouterr().out
