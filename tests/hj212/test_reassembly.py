"""Split packets become whole ones; nothing waits for ever."""

from __future__ import annotations

from luming.hj212 import Packet, Reassembler, decode, encode, encode_packets

from .builders import MN

QN = "20240601085857223"


def part(pno: int, pnum: int, cp: str, qn: str = QN, mn: str = MN) -> Packet:
    packet = decode(encode(cn=2061, st="32", mn=mn, qn=qn, flag=7, pnum=pnum, pno=pno, cp=cp)).packet
    assert packet is not None
    return packet


def test_parts_in_any_order_give_one_packet() -> None:
    items = [f"w{n:05d}-Avg={n}.5,w{n:05d}-Flag=N" for n in range(100)]
    cp = ";".join(["DataTime=20240601080000", *items])
    frames = encode_packets(cn=2061, st="32", mn=MN, qn=QN, cp=cp)
    parts = [packet for frame in frames if (packet := decode(frame).packet)]
    assert len(parts) > 2
    reassembler = Reassembler()
    for packet in [*parts[1:], parts[1]]:  # one comes twice
        assert reassembler.add(packet, 0.0) == []
    (whole,) = reassembler.add(parts[0], 1.0)
    assert whole.cp == cp and len(whole.readings) == 100 and not whole.is_split
    assert whole.data_time == parts[0].data_time
    assert whole.raw == b"".join(packet.raw for packet in parts)
    assert reassembler.expire(1000.0) == []


def test_a_packet_that_is_not_split_passes() -> None:
    packet = decode(encode(cn=2061, st="32", mn=MN, qn=QN, cp="DataTime=20240601080000;w01001-Avg=7")).packet
    assert packet is not None
    assert Reassembler().add(packet, 0.0) == [packet]
    alone = part(1, 1, "DataTime=20240601080000;w01001-Avg=7")
    assert Reassembler().add(alone, 0.0) == [alone]


def test_parts_with_their_own_times_stay_apart() -> None:
    reassembler = Reassembler()
    assert reassembler.add(part(1, 3, "DataTime=20240601080000;w01001-Avg=7"), 0.0) == []
    assert reassembler.add(part(3, 3, "DataTime=20240601090000;w01001-Avg=8"), 0.0) == []
    eight, nine = reassembler.add(part(2, 3, "w01018-Avg=20"), 0.0)
    assert [(r.code, r.average) for r in eight.readings] == [("w01001", 7.0), ("w01018", 20.0)]
    assert [(r.code, r.average) for r in nine.readings] == [("w01001", 8.0)]
    assert eight.data_time != nine.data_time


def test_chinese_text_survives() -> None:
    reassembler = Reassembler()
    reassembler.add(part(1, 2, "DataTime=20240601080000;i11001-Info=//重启;正常//"), 0.0)
    (whole,) = reassembler.add(part(2, 2, "i12001-Info=维护"), 0.0)
    assert [reading.info for reading in whole.readings] == ["//重启;正常//", "维护"]


def test_what_is_not_complete_is_given_up_and_handed_back() -> None:
    reassembler = Reassembler(timeout=60.0, max_sets=3, max_parts=10)
    for number in range(5):
        assert reassembler.add(part(1, 2, "DataTime=20240601080000", qn=f"2024060108000000{number}"), 0.0) == []
    pushed = reassembler.expire(0.0)
    assert [(len(given.parts), given.pnum, given.reason) for given in pushed] == [(1, 2, "split.pushed_out")] * 2
    late = reassembler.expire(61.0)
    assert [given.reason for given in late] == ["split.timeout"] * 3
    assert reassembler.add(part(1, 99, "DataTime=20240601080000"), 0.0) == []
    assert [given.pnum for given in reassembler.expire(0.0)] == [99]
