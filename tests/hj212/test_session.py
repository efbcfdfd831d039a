"""Dialogues: the core with a clock in hand, and whole sessions over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from luming.hj212 import (
    Client,
    Dialogue,
    Edition,
    Frame,
    Packet,
    Reply,
    ServerConnection,
    UploadError,
    answer,
    decode,
    encode,
    encode_packets,
    serve,
)

MN = "010000A8900016F000169DC0"
QN = "20240601085857223"


def packet(cn: int, cp: str = "", **more: object) -> Packet:
    fields: dict[str, object] = {"cn": cn, "st": "91" if cn >= 9000 else "31", "mn": MN, "qn": QN, "cp": cp} | more
    decoded = decode(encode(**fields))  # type: ignore[arg-type]
    assert decoded.packet is not None and decoded.accepted
    return decoded.packet


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class TestDialogue:
    def test_a_request_is_accepted_brings_data_and_ends(self) -> None:
        dialogue = Dialogue(clock=Clock())
        dialogue.start("request", QN, [b"x"], 2061)
        assert [(e.kind, e.result) for e in dialogue.receive(packet(9011, "QnRtn=1"))] == [("accepted", 1)]
        own = packet(2061, "DataTime=20240601080000;a21026-Avg=1", qn="20240601085900000")
        assert [(e.kind, e.qn) for e in dialogue.receive(own)] == [("data", QN)]
        assert [(e.kind, e.result) for e in dialogue.receive(packet(9012, "ExeRtn=1"))] == [("done", 1)]
        assert len(dialogue) == 0 and dialogue.deadline is None

    def test_a_refusal_and_a_failure_end_the_request(self) -> None:
        dialogue = Dialogue(clock=Clock())
        dialogue.start("request", QN, [b"x"], 2061)
        assert [(e.kind, e.result) for e in dialogue.receive(packet(9011, "QnRtn=3"))] == [("refused", 3)]
        dialogue.start("request", QN, [b"x"], 2061)
        assert [(e.kind, e.result) for e in dialogue.receive(packet(9012, "ExeRtn=100"))] == [("failed", 100)]
        assert len(dialogue) == 0

    def test_silence_is_repeated_and_then_given_up(self) -> None:
        clock = Clock()
        dialogue = Dialogue(overtime=10, recount=3, clock=clock)
        dialogue.start("upload", QN, [b"x"])
        kinds = []
        while dialogue.deadline is not None:
            assert dialogue.deadline == clock.now + 10
            clock.now = dialogue.deadline
            kinds += [event.kind for event in dialogue.tick()]
        assert kinds == ["resend", "resend", "resend", "timeout"]

    def test_an_accepted_request_is_not_repeated(self) -> None:
        clock = Clock()
        dialogue = Dialogue(overtime=10, recount=3, clock=clock, execution=600)
        dialogue.start("request", QN, [b"x"], 3011)
        dialogue.receive(packet(9011, "QnRtn=1"))
        clock.now += 599
        assert dialogue.tick() == []
        clock.now += 1
        assert [event.kind for event in dialogue.tick()] == ["timeout"]

    def test_answers_to_nothing_are_unexpected_and_data_are_left_alone(self) -> None:
        dialogue = Dialogue(clock=Clock())
        assert [event.kind for event in dialogue.receive(packet(9014))] == ["unexpected"]
        dialogue.start("notice", QN, [b"x"])
        assert [event.kind for event in dialogue.receive(packet(9014))] == ["unexpected"]
        assert dialogue.receive(packet(2011, "DataTime=20240601080000;a21026-Rtd=1")) == []
        assert [event.kind for event in dialogue.receive(packet(9013))] == ["answered"]

    def test_every_part_of_a_split_upload_wants_its_answer(self) -> None:
        dialogue = Dialogue(clock=Clock())
        dialogue.start("upload", QN, [b"x", b"y"], answers=2)
        assert dialogue.receive(packet(9014)) == []
        assert [event.kind for event in dialogue.receive(packet(9014))] == ["answered"]

    def test_a_qn_is_used_once(self) -> None:
        dialogue = Dialogue(clock=Clock())
        dialogue.start("upload", QN, [b"x"])
        with pytest.raises(ValueError, match="in use"):
            dialogue.start("upload", QN, [b"x"])


class Host:
    """A host that answers uploads, unless told to be silent."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.garbage: list[bytes] = []
        self.connections: list[ServerConnection] = []
        self.reasons: list[str] = []
        self.silent = 0  # uploads to leave unanswered
        self.arrived = asyncio.Event()

    def connected(self, connection: ServerConnection) -> None:
        self.connections.append(connection)

    def frames(self, connection: ServerConnection, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.kind == "garbage":
                self.garbage.append(frame.data)
                continue
            decoded = decode(frame.data)
            assert decoded.packet is not None and decoded.accepted
            self.packets.append(decoded.packet)
            self.arrived.set()
            if decoded.packet.needs_reply:
                if self.silent:
                    self.silent -= 1
                else:
                    connection.send(answer(decoded.packet, 9013 if decoded.packet.cn == 1013 else 9014))

    def closed(self, connection: ServerConnection, reason: str) -> None:
        self.reasons.append(reason)


@asynccontextmanager
async def hosting(host: Host) -> AsyncIterator[int]:
    server = await serve(host, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in host.connections:
            connection.abort()
        await server.wait_closed()


async def wait_for(condition: object, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def test_an_upload_is_answered_with_its_qn() -> None:
    host = Host()
    async with hosting(host) as port:
        async with Client("127.0.0.1", port, mn=MN, st="31") as client:
            reply = await client.upload(2061, "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N")
            assert reply is not None
            assert (reply.cn, reply.st, reply.mn, reply.qn) == (9014, "91", MN, host.packets[0].qn)
            assert not reply.needs_reply
            assert (await client.notify(1013)).cn == 9013
            assert await client.upload(2011, "DataTime=20240601080000;a21026-Rtd=1", reply=False) is None
            await wait_for(lambda: len(host.packets) == 3)
        await wait_for(lambda: host.reasons)
    assert host.reasons == ["peer closed"]


async def test_a_long_upload_goes_out_in_parts() -> None:
    host = Host()
    cp = "DataTime=20240601080000;" + ";".join(f"w{n:05d}-Avg={n}.25,w{n:05d}-Flag=N" for n in range(100))
    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="32") as client:
        assert await client.upload(2061, cp) is not None
    assert [(p.pno, p.pnum, p.flag) for p in host.packets] == [(n, 4, 7) for n in range(1, 5)]


async def test_an_upload_is_repeated_with_the_same_bytes() -> None:
    host = Host()
    host.silent = 2
    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="31", overtime=0.05) as client:
        assert await client.upload(2051, "DataTime=20240601080000;a21026-Avg=1") is not None
    assert len(host.packets) == 3
    assert len({p.raw for p in host.packets}) == 1


async def test_an_upload_fails_when_nobody_answers_or_the_connection_breaks() -> None:
    host = Host()
    host.silent = 100
    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="31", overtime=0.02, recount=1) as client:
        with pytest.raises(UploadError, match="no answer"):
            await client.upload(2051, "DataTime=20240601080000;a21026-Avg=1")
        upload = asyncio.create_task(client.upload(2051, "DataTime=20240601080000;a21026-Avg=1"))
        await wait_for(lambda: len(host.packets) >= 3)
        host.connections[0].abort("rebooted")
        with pytest.raises(UploadError):
            await upload
        await client.wait_closed()
        with pytest.raises(UploadError, match="not connected"):
            await client.upload(2051, "")
    assert host.reasons == ["rebooted"]


@pytest.mark.parametrize(
    ("pw", "reply", "expected"),
    [
        ("123456", Reply(data=("SystemTime=20240601085857",)), [(9011, "QnRtn=1"), (1011, None), (9012, "ExeRtn=1")]),
        ("123456", Reply(exe_result=100), [(9011, "QnRtn=1"), (9012, "ExeRtn=100")]),
        ("123456", None, [(9011, "QnRtn=2")]),
        ("654321", Reply(), [(9011, "QnRtn=3")]),
    ],
)
async def test_a_request_of_the_host(pw: str, reply: Reply | None, expected: list[tuple[int, str | None]]) -> None:
    host = Host()

    async def on_request(request: Packet) -> Reply | None:
        assert request.cn == 1011
        return reply

    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="31", on_request=on_request):
        await wait_for(lambda: host.connections)
        host.connections[0].send(encode(cn=1011, st="31", mn=MN, pw=pw, qn=QN, flag=5))
        await wait_for(lambda: len(host.packets) == len(expected))
    assert [p.cn for p in host.packets] == [cn for cn, _ in expected]
    assert all(p.qn == QN for p in host.packets)
    assert all(cp is None or p.cp == cp for p, (_, cp) in zip(host.packets, expected, strict=True))


async def test_a_failing_handler_is_reported_and_a_notice_is_answered() -> None:
    host = Host()
    seen = []

    async def on_request(request: Packet) -> Reply | None:
        seen.append(request.cn)
        if request.cn == 3011:
            raise RuntimeError("valve stuck")
        return None

    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="31", on_request=on_request):
        await wait_for(lambda: host.connections)
        host.connections[0].send(encode(cn=3011, st="31", mn=MN, qn=QN, flag=5, cp="PolId=a21026"))
        await wait_for(lambda: len(host.packets) == 2)
        host.connections[0].send(encode(cn=2012, st="31", mn=MN, qn=QN, flag=5))
        await wait_for(lambda: len(host.packets) == 3)
    assert [(p.cn, p.cp) for p in host.packets] == [(9011, "QnRtn=1"), (9012, "ExeRtn=2"), (9013, "")]
    assert seen == [3011, 2012]


async def test_a_logger_comes_back_and_says_hello_each_time() -> None:
    host = Host()
    hellos = []

    async def on_connect(client: Client) -> None:
        hellos.append(await client.notify(1013))

    async with hosting(host) as port:
        client = Client(
            "127.0.0.1",
            port,
            mn=MN,
            st="31",
            edition=Edition.V2025,
            on_connect=on_connect,
            backoff=(0.01, 0.02),
            heartbeat=0.02,
        )
        running = asyncio.create_task(client.run())
        await wait_for(lambda: len(hellos) == 1)
        host.connections[0].abort()
        await wait_for(lambda: len(hellos) == 2)
        await wait_for(lambda: sum(p.cn == 9015 for p in host.packets) >= 3)
        await client.close()
        await running


async def test_close_ends_the_waiting_for_a_host_that_is_away() -> None:
    async with hosting(Host()) as port:
        pass  # nobody listens there any more
    client = Client("127.0.0.1", port, mn=MN, st="31", backoff=(30.0, 60.0))
    running = asyncio.create_task(client.run())
    await asyncio.sleep(0.05)
    await client.close()
    await asyncio.wait_for(running, 1.0)
    assert not client.connected


async def test_back_pressure_stops_reading_and_loses_nothing() -> None:
    host = Host()
    one = encode(cn=2011, st="31", mn=MN, qn=QN, cp="DataTime=20240601080000;a21026-Rtd=1")
    async with hosting(host) as port, Client("127.0.0.1", port, mn=MN, st="31") as client:
        await wait_for(lambda: host.connections)
        host.connections[0].pause()
        host.connections[0].pause()
        client.send(one * 50 + b"noise" + one)
        await asyncio.sleep(0.05)
        assert host.packets == []
        host.connections[0].resume()
        await wait_for(lambda: len(host.packets) == 51)
    assert host.garbage == [b"noise"]


async def test_what_is_left_at_close_is_handed_out() -> None:
    host = Host()
    async with hosting(host) as port:
        async with Client("127.0.0.1", port, mn=MN, st="31") as client:
            client.send(b"##0100QN=2024")
            await wait_for(lambda: host.connections and host.connections[0].pending)
        await wait_for(lambda: host.reasons)
    assert host.garbage == [b"##0100QN=2024"]


async def test_an_encrypted_upload() -> None:
    key = b"0123456789abcdef"
    seen: list[Packet] = []
    host = Host()

    def frames(connection: ServerConnection, frames: list[Frame]) -> None:
        for frame in frames:
            assert decode(frame.data).reason == "sm4.no_key"
            decoded = decode(frame.data, key=key)
            assert decoded.packet is not None and decoded.accepted
            seen.append(decoded.packet)
            connection.send(answer(decoded.packet, 9014))

    host.frames = frames  # type: ignore[method-assign]
    async with (
        hosting(host) as port,
        Client("127.0.0.1", port, mn=MN, st="31", edition=Edition.V2025, key=key) as client,
    ):
        await client.upload(2061, "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N", rf=True)
    assert seen[0].readings[0].average == 1.5 and seen[0].backfilled


def test_parts_carry_the_data_time() -> None:
    cp = "DataTime=20240601080000;" + ";".join(f"w{n:05d}-Avg={n}.25" for n in range(100))
    parts = [decode(frame).packet for frame in encode_packets(cn=2061, st="32", mn=MN, qn=QN, cp=cp)]
    assert all(part is not None and part.data_time is not None for part in parts)
    assert sum(len(part.readings) for part in parts if part) == 100
