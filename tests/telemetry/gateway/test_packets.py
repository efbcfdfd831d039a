"""From the wire into the store, and the answer after the commit."""

from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest

from luming.core import vault
from luming.hj212 import CHINA, encode, encrypt_cp, format_qn
from luming.registry.models import Device, Place, Series
from luming.telemetry import store
from luming.telemetry.gateway import pipeline, server
from luming.telemetry.gateway import writer as writing
from luming.telemetry.models import DeviceStatus, Event, UnregisteredDevice
from luming.telemetry.store import connecting

from .conftest import FACTORS, MN, Wire, hour_packet, last_hour, on_a_thread, running, until


def stored(**query):
    """Return the incoming packets, oldest first."""
    return on_a_thread(lambda: [packet for packet in reversed(store.packets(**query)) if packet.direction == "I"])


def observations(start, end):
    def read():
        factors = dict(Series.objects.values_list("pk", "factor"))
        columns = store.observations(list(factors), start, end)
        return {
            (factors[int(pk)], str(at)[:16]): (value, int(revision), int(packet))
            for pk, at, value, revision, packet in zip(
                columns.series_id, columns.start, columns.value, columns.revision, columns.packet_id, strict=True
            )
        }

    return on_a_thread(read)


async def test_an_hour_packet_is_decoded_stored_and_then_acknowledged(device):
    hour = last_hour()
    async with running() as gateway:
        wire = await Wire.open(gateway)
        sent = hour_packet(hour, qn="20260601120000123")
        wire.send(sent)
        answer = await wire.receive()
        assert (answer.cn, answer.qn, answer.mn, answer.st, answer.pw) == (
            9014,
            "20260601120000123",
            MN,
            "91",
            "123456",
        )

        [packet] = await stored(mn=MN)
        assert (packet.verdict, packet.direction, packet.cn, packet.new) == ("A", "I", 2061, 8)
        assert packet.body == sent.rstrip(b"\r\n")
        columns = await observations(hour, hour + timedelta(hours=1))
        assert {factor for factor, _at in columns} == set(FACTORS)
        assert {packet_id for _value, _revision, packet_id in columns.values()} == {packet.id}
        status = await until(lambda: DeviceStatus.objects.filter(last_packet_id=packet.id).first())
        assert status.connected and status.last_data_time == hour
        await wire.close()


async def test_nothing_is_acknowledged_before_its_commit(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour()))
        await wire.receive()  # the partitions are there now
        with psycopg.connect(**connecting.parameters()) as other:
            other.execute("LOCK TABLE telemetry_packet IN EXCLUSIVE MODE")
            wire.send(hour_packet(last_hour(2)))
            with pytest.raises(TimeoutError):
                await wire.receive(timeout=0.5)
            assert gateway.pending == 1
        assert (await wire.receive()).cn == 9014
        await wire.close()


async def test_a_packet_without_a_wish_for_an_answer_gets_none(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour(), flag=4))
        wire.send(hour_packet(last_hour(2), qn="20260601000000001"))
        assert (await wire.receive()).qn == "20260601000000001"
        assert len(await stored(mn=MN)) == 2
        await wire.close()


async def test_rejected_packets_and_garbage_are_kept_and_not_answered(device):
    good = hour_packet(last_hour(), qn="20260601000000009")
    broken = hour_packet(last_hour(2)).replace(b"a34004-Avg=15.0", b"a34004-Avg=99.0")
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(broken + b"GET / HTTP/1.1\r\n" + good)
        assert (await wire.receive()).qn == "20260601000000009"
        packets = await stored()
        assert [packet.verdict for packet in packets] == ["R", "R", "A"]
        assert packets[0].reason == "crc.mismatch" and packets[0].body == broken.rstrip(b"\r\n")
        assert packets[0].device_id == device.pk  # the MN is readable, so the device's page can show it
        assert packets[1].body.startswith(b"GET / HTTP/1.1")
        status = await until(lambda: DeviceStatus.objects.exclude(last_reason="").first())
        assert status.last_reason == "crc.mismatch"
        await wire.close()


async def test_a_burst_of_rejected_packets_is_one_event(device):
    broken = hour_packet(last_hour()).replace(b"Avg=15.0", b"Avg=99.0")
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(broken * 20 + hour_packet(last_hour()))
        await wire.receive()
        event = await until(lambda: Event.objects.filter(kind="rejected").first())
        assert event.device_id == device.pk and event.detail["reason"] == "crc.mismatch"
        assert await on_a_thread(lambda: Event.objects.filter(kind="rejected").count()) == 1
        await wire.close()


async def test_an_unknown_mn_is_kept_and_listed(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        for _ in range(3):
            wire.send(hour_packet(last_hour(), mn="AA0000000000000000000001"))
            assert (await wire.receive()).cn == 9014  # it is kept: it need not come again
        packets = await stored(mn="AA0000000000000000000001")
        assert [(packet.verdict, packet.reason) for packet in packets] == [("H", "mn-unknown")] * 3
        listed = await on_a_thread(lambda: UnregisteredDevice.objects.get())
        assert (listed.mn, listed.system, listed.packets, listed.last_packet_id) == (
            "AA0000000000000000000001", "22", 3, packets[-1].id,
        )  # fmt: skip
        await until(lambda: Event.objects.filter(kind="unregistered", detail__mn=listed.mn).exists())
        assert not await observations(last_hour(5), last_hour(0))
        await wire.close()


async def test_a_device_that_is_adopted_is_known_within_a_second(device):
    from .conftest import make_device

    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour(), mn="AA0000000000000000000002"))
        await wire.receive()
        await on_a_thread(make_device, "AA0000000000000000000002")
        await until(lambda: gateway.cache.get("AA0000000000000000000002") is not None, timeout=3)
        wire.send(hour_packet(last_hour(), mn="AA0000000000000000000002"))
        await wire.receive()
        assert [packet.verdict for packet in await stored(since=last_hour())] == ["H", "A"]
        await wire.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pw": "654321"}, "password-wrong"),
        ({"st": "32"}, "system-wrong"),
        ({"hour": datetime.now(UTC) + timedelta(days=2)}, "time-future"),
        ({"hour": datetime(2019, 5, 1, tzinfo=UTC)}, "time-before-commissioning"),
        ({"cp": "a34004-Avg=5,a34004-Flag=N"}, "time-missing"),
    ],
)
async def test_what_cannot_be_trusted_is_held(device, change, reason):
    hour = change.pop("hour", last_hour())
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(hour, **change) + hour_packet(last_hour(3), qn="20260601000000003"))
        while (await wire.receive()).qn != "20260601000000003":
            pass
        held, fine = await stored(mn=MN)
        assert (held.verdict, held.reason, held.new) == ("H", reason, 0)
        assert fine.verdict == "A"
        await wire.close()


async def test_an_address_outside_the_networks_of_a_device_is_held_and_not_answered(device):
    await on_a_thread(lambda: Device.objects.update(networks=["10.1.0.0/16"]))
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour()))
        with pytest.raises(TimeoutError):
            await wire.receive(timeout=0.5)
        [packet] = await stored(mn=MN)
        assert (packet.verdict, packet.reason) == ("H", "address-not-allowed")
        await wire.close()


async def test_a_clock_that_is_off_is_marked_and_reported_once(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        for k in range(3):
            late = format_qn(datetime.now(UTC) - timedelta(hours=2, milliseconds=k))
            wire.send(hour_packet(last_hour(1 + k), qn=late))
            await wire.receive()
        packets = await stored(mn=MN)
        assert all(packet.verdict == "A" and "clock-off" in packet.codes for packet in packets)
        status = await until(lambda: DeviceStatus.objects.exclude(clock_offset=None).first())
        assert -7210 < status.clock_offset < -7190
        event = await until(lambda: Event.objects.filter(kind="clock").first())
        assert event.device_id == device.pk
        wire.send(hour_packet(last_hour(5)))
        await wire.receive()
        await until(lambda: Event.objects.filter(kind="clock-right").exists())
        assert await on_a_thread(lambda: Event.objects.filter(kind="clock").count()) == 1
        await wire.close()


async def test_new_factors_get_a_series_and_unknown_codes_are_listed(device):
    await on_a_thread(lambda: Place.objects.update(medium="gas"))
    hour = last_hour()
    at = f"{hour.astimezone(CHINA):%Y%m%d%H%M%S}"
    cp = f"DataTime={at};a21003-Avg=7.5,a21003-Flag=N;zz9x-Avg=1,zz9x-Flag=N"
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(hour, cp=cp))
        await wire.receive()
        [packet] = await stored(mn=MN)
        assert packet.new == 1 and "codes-unmapped" in packet.codes
        series = await on_a_thread(lambda: Series.objects.get(factor="a21003"))
        assert (series.interval, series.seconds) == ("hour", 3600)
        assert (await observations(hour, hour + timedelta(hours=1)))[
            "a21003", str(np.datetime64(hour.replace(tzinfo=None)))[:16]
        ][0] == 7.5
        status = await until(lambda: DeviceStatus.objects.exclude(unmapped=[]).first())
        assert status.unmapped == ["zz9x"]
        await wire.close()


async def test_repeats_and_revisions_are_counted(device):
    hour = last_hour()
    async with running() as gateway:
        wire = await Wire.open(gateway)
        for value in (10.0, 10.0, 11.0):
            wire.send(hour_packet(hour, value))
            await wire.receive()
        counts = [(packet.new, packet.repeated, packet.revised) for packet in await stored(mn=MN)]
        assert counts == [(8, 0, 0), (0, 8, 0), (0, 0, 8)]
        await wire.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
async def test_parts_of_a_split_packet_are_kept_answered_and_read_in_any_order(device, order):
    hour = last_hour()
    texts = [
        f"DataTime={hour.astimezone(CHINA):%Y%m%d%H%M%S};a21026-Avg=1.0,a21026-Flag=N",
        "a21004-Avg=2.0,a21004-Flag=N;a21005-Avg=3.0,a21005-Flag=N",
        "a05024-Avg=4.0,a05024-Flag=N",
    ]
    frames = [
        encode(cn=2061, st="22", mn=MN, qn="20260601120000777", flag=7, pnum=3, pno=i + 1, cp=text)
        for i, text in enumerate(texts)
    ]
    async with running() as gateway:
        wire = await Wire.open(gateway)
        for i in order:
            wire.send(frames[i])
            assert (await wire.receive()).qn == "20260601120000777"
        packets = await stored(mn=MN)
        assert [packet.body for packet in packets] == [frames[i].rstrip(b"\r\n") for i in order]
        found = await until(lambda: True) and await observations(hour, hour + timedelta(hours=1))
        assert {factor: value for (factor, _at), (value, _r, _p) in found.items()} == {
            "a21026": 1.0, "a21004": 2.0, "a21005": 3.0, "a05024": 4.0,
        }  # fmt: skip
        by_factor = {factor: packet_id for (factor, _at), (_v, _r, packet_id) in found.items()}
        assert by_factor["a21004"] == packets[order.index(1)].id  # each value leads to the part that carried it
        await wire.close()


async def test_parts_that_an_earlier_connection_brought_are_found(device, monkeypatch):
    monkeypatch.setattr(pipeline, "WAIT", 0.05)
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.05)
    hour = last_hour()
    first = f"DataTime={hour.astimezone(CHINA):%Y%m%d%H%M%S};a21026-Avg=1.0"
    for number, text in enumerate((first, "a21004-Avg=2.0"), start=1):
        async with running() as gateway:  # the second part comes after a restart
            wire = await Wire.open(gateway)
            wire.send(encode(cn=2061, st="22", mn=MN, qn="20260601120000777", flag=7, pnum=2, pno=number, cp=text))
            await wire.receive()
            await until(lambda seen=number: Series.objects.count() and stored_values() == [1.0, 2.0][:seen])
            await wire.close()


def stored_values():
    columns = store.observations(list(Series.objects.values_list("pk", flat=True)), last_hour(3), last_hour(0))
    return sorted(columns.value.tolist())


async def test_a_mistake_of_ours_loses_no_packet(device, monkeypatch):
    real = pipeline.interpret

    def interpret(decoded, *arguments, **keywords):
        if b"Avg=15.0" in decoded.packet.raw:
            raise ZeroDivisionError
        return real(decoded, *arguments, **keywords)

    monkeypatch.setattr(pipeline, "interpret", interpret)
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour(), 10.0) + hour_packet(last_hour(2), 20.0))
        await wire.receive()
        assert [(packet.verdict, packet.reason) for packet in await stored()] == [("H", "not-read"), ("A", None)]
        await wire.close()


async def test_an_encrypted_packet_is_read_with_the_devices_key(device):
    key = b"0123456789abcdef"
    hour = last_hour()
    await on_a_thread(lambda: Device.objects.update(sm4_key=vault.seal(key), edition=2))
    cp = f"DataTime={hour.astimezone(CHINA):%Y%m%d%H%M%S};a34004-Avg=35.5,a34004-Flag=N"
    clear = encode(cn=2061, st="22", mn=MN, qn=format_qn(datetime.now(UTC)), flag=9, cp=cp)
    secret = clear.replace(cp.encode(), encrypt_cp(cp, key))
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(secret)
        assert (await wire.receive()).cn == 9014
        [packet] = await stored(mn=MN)
        assert (packet.verdict, packet.new, packet.body) == ("A", 1, secret.rstrip(b"\r\n"))
        await wire.close()


async def test_an_outage_stops_answers_and_reading_and_loses_nothing(device, monkeypatch):
    monkeypatch.setattr(writing, "RETRY_SECONDS", (0.02, 0.05))
    async with running(max_pending=5) as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour()))
        await wire.receive()
        real, away = gateway.writer._store.write, True

        def write(*arguments):
            if away:
                raise store.StoreUnavailable("the database system is shutting down")
            return real(*arguments)

        monkeypatch.setattr(gateway.writer._store, "write", write)
        wire.send(b"".join(hour_packet(last_hour(2 + k), qn=f"2026060112000000{k}") for k in range(8)))
        await until(lambda: not gateway.health()["ok"])
        with pytest.raises(TimeoutError):
            await wire.receive(timeout=0.3)
        health = gateway.health()
        assert (health["database"], health["reading"], health["pending"]) == ("down", False, 8)
        assert "shutting down" in health["problem"]
        wire.send(hour_packet(last_hour(20), qn="20260601120000099"))
        with pytest.raises(TimeoutError):
            await wire.receive(timeout=0.2)
        assert gateway.pending == 8  # it stays in the peer's buffer: memory is bounded
        away = False
        answered = [(await wire.receive()).qn for _ in range(9)]
        assert answered == [f"2026060112000000{k}" for k in range(8)] + ["20260601120000099"]
        assert gateway.health()["ok"]
        await wire.close()


@pytest.mark.parametrize("error", [psycopg.errors.NumericValueOutOfRange("out of range"), ZeroDivisionError()])
async def test_one_packet_that_cannot_be_stored_does_not_hold_up_the_others(device, monkeypatch, error):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        real = gateway.writer._store.write

        def write(packets, observations, extra):
            if any(b"a34004-Avg=15.0" in packet.body for packet in packets) and observations:
                raise error
            return real(packets, observations, extra)

        monkeypatch.setattr(gateway.writer._store, "write", write)
        wire.send(hour_packet(last_hour(), 20.0) + hour_packet(last_hour(2), 10.0) + hour_packet(last_hour(3), 30.0))
        for _ in range(3):
            await wire.receive()
        verdicts = {packet.verdict: packet.reason for packet in await stored(since=last_hour(1))}
        assert verdicts == {"A": None, "H": "not-stored"}
        assert gateway.health()["set_aside"] == 1
        await wire.close()
