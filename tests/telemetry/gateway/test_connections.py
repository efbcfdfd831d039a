"""Limits, time-outs, books and the end."""

import asyncio
import subprocess
from datetime import UTC, datetime

import pytest

from luming.telemetry import store
from luming.telemetry.gateway import ledger, server
from luming.telemetry.models import Connection, DeviceStatus, Event

from .conftest import MN, Wire, hour_packet, last_hour, on_a_thread, running, until


async def test_connections_are_kept_in_the_books(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        sent = hour_packet(last_hour())
        wire.send(sent)
        await wire.receive()
        row = await until(lambda: Connection.objects.filter(device=device).first())
        assert (row.mn, row.closed_at, row.gateway) == (MN, None, gateway.name)
        assert await until(lambda: DeviceStatus.objects.filter(connected=True, connection_id=row.pk).exists())
        assert await until(lambda: Event.objects.filter(kind="connected", device=device).exists())
        await wire.close()
        row = await until(lambda: Connection.objects.exclude(closed_at=None).first())
        assert (row.packets, row.bytes, row.close_reason) == (1, len(sent), "peer closed")
        assert await until(lambda: DeviceStatus.objects.filter(connected=False).exists())


async def test_a_reconnection_is_no_news_but_staying_away_is(device, monkeypatch):
    async with running() as gateway:
        for _ in range(2):
            wire = await Wire.open(gateway)
            wire.send(hour_packet(last_hour()))
            await wire.receive()
            await wire.close()
        await until(lambda: Connection.objects.exclude(closed_at=None).count() == 2)

        def two_events():
            # the books may say that a connection is closed a moment before the follower hears of it: tick until it has
            gateway.follower.tick(datetime.now(UTC) + 2 * server_grace())
            found = list(Event.objects.order_by("id").values_list("kind", flat=True))
            return found if len(found) == 2 else None

        assert await until(two_events, timeout=20) == ["connected", "disconnected"]


def server_grace():
    from luming.telemetry.gateway.following import DISCONNECT_GRACE

    return DISCONNECT_GRACE


async def test_too_many_connections_are_turned_away(device):
    async with running(max_per_address=2) as gateway:
        wires = [await Wire.open(gateway) for _ in range(3)]
        assert await wires[2].is_closed()
        wires[0].send(hour_packet(last_hour()))
        assert (await wires[0].receive()).cn == 9014
        await wires[1].close()
        await until(lambda: len(gateway.sessions) == 1)
        again = await Wire.open(gateway)
        again.send(hour_packet(last_hour()))
        assert (await again.receive()).cn == 9014
        assert await until(lambda: Event.objects.filter(kind="connection-limit").exists())
        for wire in (*wires, again):
            await wire.close()


async def test_idle_and_slow_senders_are_ended(device, monkeypatch):
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.05)
    async with running(idle_seconds=0.3, slow_seconds=0.2) as gateway:
        idle, slow = await Wire.open(gateway), await Wire.open(gateway)

        async def dribble():
            for byte in hour_packet(last_hour()):
                slow.send(bytes([byte]))
                await asyncio.sleep(0.05)

        dribbling = asyncio.create_task(dribble())
        assert await slow.is_closed(2)
        assert await idle.is_closed(2)
        dribbling.cancel()
        reasons = await until(
            lambda: (
                (found := set(Connection.objects.exclude(closed_at=None).values_list("close_reason", flat=True)))
                and len(found) == 2
                and found
            )
        )
        assert reasons == {"idle", "packet not completed in time"}
        [part] = await on_a_thread(lambda: store.packets(verdicts=["R"]))
        assert part.body and hour_packet(last_hour()).startswith(part.body[:6])  # what came of it is kept
        await idle.close()
        await slow.close()


async def test_a_connection_that_sends_too_fast_is_slowed_down_and_loses_nothing(device):
    async with running(packets_per_minute=1200) as gateway:  # 200 at once, then 20 per second
        wire = await Wire.open(gateway)
        count = 230
        wire.send(b"".join(hour_packet(last_hour(), k, qn=f"20260601120000{k:03d}") for k in range(count)))
        started = asyncio.get_running_loop().time()
        answered = [(await wire.receive(10)).qn for _ in range(count)]
        assert answered == [f"20260601120000{k:03d}" for k in range(count)]
        # One read may bring more than the allowance; what follows it waits.
        wire.send(hour_packet(last_hour(), qn="20260601120000999"))
        assert (await wire.receive(10)).qn == "20260601120000999"
        assert asyncio.get_running_loop().time() - started > 0.8
        await wire.close()


async def test_a_flood_of_garbage_is_kept_and_then_ended(device, monkeypatch):
    monkeypatch.setattr(server, "MAX_GARBAGE", 20_000)
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(b"\x00\xff" * 15_000)
        assert await wire.is_closed()
        kept = await until(lambda: (rows := store.packets(verdicts=["R"], limit=50)) and rows)
        assert sum(len(row.body) for row in kept) >= 20_000
        await wire.close()


async def test_tls(device, tmp_path):
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    import ssl

    context = ssl.create_default_context(cafile=str(certificate))
    async with running(certificate=str(certificate), key=str(key)) as gateway:
        wire = await Wire.open(gateway, ssl=context, server_hostname="localhost")
        wire.send(hour_packet(last_hour()))
        assert (await wire.receive()).cn == 9014
        await wire.close()


async def test_stopping_commits_and_answers_what_was_read(device):
    async with running() as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour(), qn="20260601120000001"))
        await wire.receive()
        wire.send(b"".join(hour_packet(last_hour(k), qn=f"2026060112000010{k}") for k in range(5)))
        await until(lambda: gateway.pending or gateway.writer.figures.packets == 6)
    answered = [(await wire.receive()).qn for _ in range(5)]
    assert answered == [f"2026060112000010{k}" for k in range(5)]
    assert await wire.is_closed()
    row = await on_a_thread(lambda: Connection.objects.get())
    assert row.close_reason == "gateway stopped" and row.packets == 6
    await wire.close()


async def test_two_gateways_share_a_port(device):
    async with running() as first, running(port=first.port) as second:
        assert first._listener.node != second._listener.node
        wires = [await Wire.open(first) for _ in range(16)]
        for k, wire in enumerate(wires):
            wire.send(hour_packet(last_hour(k)))
        for wire in wires:
            assert (await wire.receive()).cn == 9014
        assert len(first.sessions) + len(second.sessions) == 16
        assert first.sessions and second.sessions
        for wire in wires:
            await wire.close()


async def test_connections_of_a_killed_gateway_are_closed_by_another(device, monkeypatch):
    def leave_a_trace():
        now = datetime.now(UTC)
        Connection.objects.create(id=7, device=device, peer="x", opened_at=now, gateway="luming-gateway gone:1")
        DeviceStatus.objects.create(device=device, connected=True, connection_id=7)

    await on_a_thread(leave_a_trace)
    async with running() as gateway:
        wire = await Wire.open(gateway)
        await until(lambda: Connection.objects.filter(gateway=gateway.name).exists())
        await on_a_thread(ledger.close_lost_connections, 0)
        rows = await on_a_thread(lambda: dict(Connection.objects.values_list("gateway", "close_reason")))
        assert rows == {"luming-gateway gone:1": "gateway-lost", gateway.name: ""}
        assert not await on_a_thread(lambda: DeviceStatus.objects.get().connected)
        await wire.close()


async def test_metrics_and_health(device):
    async with running(metrics_port=0) as gateway:
        wire = await Wire.open(gateway)
        wire.send(hour_packet(last_hour()) + b"garbage\r\n" + hour_packet(last_hour(2)))
        await wire.receive()
        await wire.receive()

        async def get(path):
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.metrics_port)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            text = (await reader.read()).decode()
            writer.close()
            await writer.wait_closed()
            return text

        health = await get("/healthz")
        assert health.startswith("HTTP/1.1 200") and '"database": "up"' in health
        metrics = await get("/metrics")
        assert 'luming_gateway_packets_total{verdict="accepted"} 2.0' in metrics
        assert 'luming_gateway_packets_total{verdict="rejected"} 1.0' in metrics
        assert "luming_gateway_connections 1.0" in metrics and "luming_gateway_database_up 1.0" in metrics
        assert (await get("/other")).startswith("HTTP/1.1 404")
        await wire.close()
