"""The talk with devices: what they are asked, how commands are followed, what the register learns."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from luming.core.models import AuditEntry
from luming.hj212 import Client, Edition, Reply, parse_time
from luming.registry.models import Device
from luming.telemetry import commanding, store
from luming.telemetry.gateway import ledger
from luming.telemetry.models import Command

from .conftest import FACTORS, MN, hour_packet, last_hour, on_a_thread, running, until


class Logger:
    """A data logger that answers as told and remembers what it was asked."""

    def __init__(self, gateway, answers=None, **keywords):
        self.asked = []
        self.answers = answers or {}
        self.client = Client("127.0.0.1", gateway.port, mn=MN, st="22", on_request=self.answer, **keywords)

    async def answer(self, packet):
        self.asked.append(packet)
        return self.answers.get(packet.cn, Reply())

    async def __aenter__(self):
        await self.client.connect()
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    async def speak(self, hour=None):
        text = ";".join(f"{code}-Avg=5.0,{code}-Flag=N" for code in FACTORS)
        await self.client.upload(2061, f"DataTime={local(hour or last_hour())};{text}")


def local(moment):
    return commanding._moment(None, moment)


def ask(user, device, cn, parameters=None, **keywords):
    return on_a_thread(lambda: commanding.request_command(user, device, cn, parameters, "测试", **keywords))


def ended(command):
    def look():
        found = Command.objects.get(pk=command.pk)
        return found if found.finished_at else None

    return until(look)


def _said():
    return sorted(packet.cn for packet in store.packets() if packet.direction == "O")


async def test_a_new_connection_is_asked_the_first_connection_list(device):
    async with running(first_connection=(1012, 1000, 1062, 1064)) as gateway, Logger(gateway) as logger:
        await logger.speak()
        await until(lambda: len(logger.asked) == 4)
        set_time, repeats, realtime, minutes = logger.asked
        assert [packet.cn for packet in logger.asked] == [1012, 1000, 1062, 1064]
        told = parse_time(set_time.parameters["SystemTime"])[0]
        assert abs((told - datetime.now(UTC)).total_seconds()) < 5
        assert dict(repeats.parameters) == {"OverTime": "10", "ReCount": "3"}
        assert dict(realtime.parameters) == {"RtdInterval": "60"} and dict(minutes.parameters) == {"MinInterval": "10"}
        assert all(
            packet.edition == Edition.V2017 and packet.needs_reply and packet.pw == "123456" for packet in logger.asked
        )
        kept = await until(lambda: _said() if len(_said()) == 4 else None)  # what we said is kept too
        assert kept == [1000, 1012, 1062, 1064]
        await logger.client.close()
        await logger.client.connect()
        await logger.speak()
        assert len(logger.asked) == 4  # a logger that comes back at once is not asked again


async def test_a_device_that_asks_for_the_time_gets_it(device):
    async with running() as gateway, Logger(gateway) as logger:
        answer = await logger.client.notify(1013)
        assert answer.cn == 9013
        await until(lambda: [packet.cn for packet in logger.asked] == [1012])


async def test_the_heartbeat_is_answered(device):
    async with running() as gateway, Logger(gateway, edition=Edition.V2025) as logger:
        answer = await logger.client.notify(9015)
        assert (answer.cn, answer.edition) == (9013, Edition.V2025)


async def test_history_is_pulled_stored_and_counted(device, duty):
    first = last_hour(5)
    texts = tuple(
        f"DataTime={local(first + timedelta(hours=k))};a34004-Avg={k}.5,a34004-Flag=N" for k in range(3)
    )  # fmt: skip
    async with running() as gateway, Logger(gateway, {2061: Reply(data=texts)}) as logger:
        await logger.speak()
        command = await ask(duty, device, 2061, {"BeginTime": first, "EndTime": first + timedelta(hours=2)})
        done = await ended(command)
        assert (done.state, done.data_packets, done.request_result, done.execute_result) == ("done", 3, 1, 1)
        assert done.accepted_at and done.sent_at and done.qn and done.attempts == 1
        asked = logger.asked[0]
        assert (asked.cn, asked.qn) == (2061, done.qn)
        assert asked.parameters["BeginTime"] == local(first)
        packets = await on_a_thread(lambda: store.packets(device_ids=[device.pk]))
        assert sum(packet.new for packet in packets if packet.direction == "I") == 8 + 3
        entry = await on_a_thread(lambda: AuditEntry.objects.get(verb="device.command"))
        assert (entry.actor_name, entry.reason, entry.detail["cn"]) == ("值班员", "测试", 2061)


async def test_live_data_of_the_same_kind_are_not_counted_as_the_answer(device, duty):
    first = last_hour(50)
    async with running() as gateway, Logger(gateway) as logger:

        async def answer(packet):
            await logger.speak(last_hour(1))  # live, out of the range
            return Reply(data=(f"DataTime={local(first)};a34004-Avg=1.5",))

        logger.client.on_request = answer
        await logger.speak(last_hour(2))
        done = await ended(await ask(duty, device, 2061, {"BeginTime": first, "EndTime": first}))
        assert (done.state, done.data_packets) == ("done", 1)


@pytest.mark.parametrize(
    ("reply", "state", "problem"),
    [(Reply(qn_result=3), "refused", "PW"), (Reply(exe_result=5), "failed", "busy")],
)
async def test_refusals_and_failures_are_told(device, duty, reply, state, problem):
    async with running() as gateway, Logger(gateway, {3012: reply}) as logger:
        await logger.speak()
        done = await ended(await ask(duty, device, 3012, {"PolId": "w01018"}))
        assert done.state == state and problem in done.problem


async def test_answers_are_kept_on_the_command(device, duty):
    answers = {
        1061: Reply(data=("RtdInterval=45",)),
        3020: Reply(data=("DataTime=20260601000000;PolId=w01018,i12001-Info=0",)),
    }
    async with running() as gateway, Logger(gateway, answers) as logger:
        await logger.speak()
        first = await ask(duty, device, 1061)
        second = await ask(duty, device, 3020, {"PolId": "w01018", "InfoId": "i12001"})
        assert (await ended(first)).answer == {"RtdInterval": "45"}
        done = await ended(second)
        assert done.answer["i12001-INFO"] == "0"
        assert "PolId=w01018,InfoId=i12001" in logger.asked[1].cp


async def test_what_a_device_now_does_is_entered_in_the_register(device, duty):
    async with running() as gateway, Logger(gateway) as logger:
        await logger.speak()
        for cn, parameters in ((1062, {"RtdInterval": 120}), (1064, {"MinInterval": 5}), (1072, {"NewPW": "abc123"})):
            assert (await ended(await ask(duty, device, cn, parameters))).state == "done"
        changed = await on_a_thread(lambda: Device.objects.get())
        assert (changed.realtime_seconds, changed.minute_interval, changed.password) == (120, 5, "abc123")
        logger.client.pw = "abc123"
        await logger.speak(last_hour(3))  # answered: the new password is known at once
        entries = await on_a_thread(lambda: list(AuditEntry.objects.filter(verb="device.follow-command")))
        assert [entry.actor_name for entry in entries] == ["值班员"] * 3
        told = str(await on_a_thread(lambda: list(AuditEntry.objects.values_list("detail", flat=True))))
        assert "abc123" not in told


async def test_a_silent_device_is_asked_again_and_then_given_up(device, duty):
    await on_a_thread(lambda: Device.objects.update(overtime_seconds=1, resend_count=1))
    from luming.telemetry.gateway import server

    server_sweep, server.SWEEP_SECONDS = server.SWEEP_SECONDS, 0.05
    try:
        async with running() as gateway, Logger(gateway) as logger:

            async def never(packet):
                logger.asked.append(packet)
                await logger.client.wait_closed()

            logger.client.on_request = never
            await logger.speak()
            done = await ended(await ask(duty, device, 1011))
            assert (done.state, done.attempts) == ("failed", 2)
            assert len(logger.asked) == 2 and logger.asked[0].qn == logger.asked[1].qn
    finally:
        server.SWEEP_SECONDS = server_sweep


async def test_commands_wait_for_their_device_one_at_a_time(device, duty):
    first = await ask(duty, device, 1061)
    second = await ask(duty, device, 1063)
    async with running() as gateway:
        assert (await on_a_thread(lambda: Command.objects.get(pk=first.pk))).state == "queued"
        async with Logger(gateway) as logger:
            await logger.speak()
            await ended(second)
            assert [packet.cn for packet in logger.asked] == [1061, 1063]


async def test_a_lost_connection_ends_the_command_in_flight_and_keeps_the_queue(device, duty):
    async with running() as gateway:
        async with Logger(gateway) as logger:

            async def vanish(packet):
                logger.client._wire.transport.abort()

            logger.client.on_request = vanish
            await logger.speak()
            first = await ask(duty, device, 1061)
            done = await ended(first)
            assert (done.state, done.problem) == ("failed", "connection lost / 连接中断")
            second = await ask(duty, device, 1063)
        async with Logger(gateway) as logger:
            await logger.speak()
            assert (await ended(second)).state == "done"


async def test_a_command_that_nobody_took_expires(device, duty):
    command = await ask(duty, device, 1061, lifetime=timedelta(seconds=-1))
    assert await on_a_thread(ledger.expire_commands, []) == 1
    found = await on_a_thread(lambda: Command.objects.get(pk=command.pk))
    assert found.state == "expired" and "未在有效期" in found.problem


async def test_a_held_device_with_a_wrong_clock_is_told_the_time(device):
    late = datetime.now(UTC) + timedelta(days=3)
    async with running(first_connection=(1012,)) as gateway, Logger(gateway) as logger:
        logger.client.send(hour_packet(late))
        await until(lambda: [packet.cn for packet in logger.asked] == [1012])


async def test_strangers_are_asked_nothing(device, duty):
    await ask(duty, device, 1061)
    async with running(first_connection=(1012,)) as gateway, Logger(gateway) as logger:
        logger.client.send(hour_packet(last_hour(), pw="wrong1"))
        await until(lambda: store.packets(verdicts=["H"]))
        await asyncio.sleep(0.3)
        assert not logger.asked
