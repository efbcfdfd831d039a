"""Frames out of a stream, however it is cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.hj212 import Frame, Framer, decode

from .builders import seal, with_cp

A = with_cp("DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N")
B = with_cp("RtdInterval=30")
END = b"\r\n"


def frames_of(stream: bytes, sizes: list[int] | None = None, framer: Framer | None = None) -> list[Frame]:
    framer = framer or Framer()
    found: list[Frame] = []
    position = 0
    for size in sizes or [len(stream)]:
        found += framer.feed(stream[position : position + size])
        position += size
    while position < len(stream):
        found += framer.feed(stream[position : position + 1])
        position += 1
    return found + framer.flush()


def kinds(frames: list[Frame]) -> list[tuple[bytes, str | None]]:
    return [(frame.data, frame.reason if frame.kind == "garbage" else None) for frame in frames]


CASES: list[tuple[str, bytes, list[tuple[bytes, str | None]]]] = [
    ("one", A + END, [(A, None)]),
    ("two", A + END + B + END, [(A, None), (B, None)]),
    ("missing line end", A + B + END, [(A, None), (B, None)]),
    ("no line end at close", A, [(A, None)]),
    ("only CR or LF", A + b"\r" + B + b"\n" + A, [(A, None), (B, None), (A, None)]),
    ("blank lines", A + END * 3 + B, [(A, None), (B, None)]),
    ("noise in front", b"noise" + A + END, [(b"noise", "stream.garbage"), (A, None)]),
    ("noise between", A + END + b"no#ise" + B, [(A, None), (b"no#ise", "stream.garbage"), (B, None)]),
    ("noise behind", A + END + b"noise", [(A, None), (b"noise", "stream.garbage")]),
    ("hashes in front", b"###" + A, [(b"###", "stream.garbage"), (A, None)]),
    ("cut off", A[:40] + B + END, [(A[:40], "stream.truncated"), (B, None)]),
    ("cut off at close", A + END + B[:40], [(A, None), (B[:40], "stream.unfinished")]),
    ("head only", b"##", [(b"##", "stream.unfinished")]),
    ("half a head", b"x#", [(b"x", "stream.garbage"), (b"#", "stream.garbage")]),
]


@pytest.mark.parametrize(("stream", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_cases(stream: bytes, expected: list[tuple[bytes, str | None]]) -> None:
    assert kinds(frames_of(stream)) == expected
    by_byte = kinds(frames_of(stream, [1] * len(stream)))
    assert [data for data, reason in by_byte if reason is None] == [data for data, reason in expected if reason is None]
    assert b"".join(data for data, _ in by_byte) == b"".join(data for data, _ in expected)


@pytest.mark.parametrize("length", [b"0000", b"0001", b"0099", b"0115", b"9999", b"    ", b"abcd", b"0x7f", b"-001"])
def test_a_wrong_length_loses_neither_this_packet_nor_the_next(length: bytes) -> None:
    liar = A[:2] + length + A[6:]
    for stream in (B + END + liar + END + B + END, B + END + liar + B):
        for sizes in (None, [1] * len(stream)):
            assert kinds(frames_of(stream, sizes)) == [(B, None), (liar, None), (B, None)]
    assert decode(liar).accepted
    assert "length" in decode(liar).diagnostics[0].code


def test_a_packet_is_handed_out_before_its_line_end_comes() -> None:
    framer = Framer()
    assert kinds(framer.feed(A)) == [(A, None)]
    assert framer.feed(b"\r") == [] and framer.feed(b"\n") == [] and framer.pending == 0
    assert kinds(framer.feed(B)) == [(B, None)]


def test_a_missing_line_end_is_noted() -> None:
    assert [frame.reason for frame in frames_of(A + B + END)] == ["stream.no_crlf", None]


def test_long_segments_of_the_field_pass() -> None:
    long = with_cp("DataTime=20240601080000;" + ";".join(f"w{n:05d}-Avg=1" for n in range(400)))
    assert len(long) > 5000
    assert kinds(frames_of(B + END + long + END + B, [7] * 900)) == [(B, None), (long, None), (B, None)]


def test_content_with_the_letters_of_a_head_or_an_end() -> None:
    tricky = with_cp("x-Info=a##b&&1C80&&##0012")
    assert kinds(frames_of(tricky + END + B, [50])) == [(tricky, None), (B, None)]


def test_a_packet_without_end_is_given_up_in_time() -> None:
    framer = Framer(max_segment=1000)
    found: list[Frame] = []
    for _ in range(100):
        found += framer.feed(b"##9999" + b"x" * 94)
        found += framer.feed(b"y" * 300)
        assert framer.pending <= 1010
    found += frames_of(B + END, framer=framer)
    assert found[-1].data == B
    assert sum(len(frame.data) for frame in found) == 100 * 400 + len(B)


def test_a_flood_of_hashes_is_cheap() -> None:
    framer = Framer()
    frames = framer.feed(b"#" * 500_000)
    assert sum(len(frame.data) for frame in frames) + framer.pending == 500_000
    assert len(frames) == 1 and framer.pending <= framer.limit


pieces = st.one_of(
    st.sampled_from(
        [A, B, A + END, B + END, A + END, B + END, A[:30], B[10:], END, b"#", b"##", b"&&", b"&&1C80", b"##0100"]
    ),
    st.binary(max_size=20),
)


@given(st.lists(pieces, max_size=12), st.lists(st.integers(1, 60), max_size=60))
def test_no_byte_is_lost_and_memory_is_bounded(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    framer = Framer(max_segment=200)
    found: list[Frame] = []
    position = 0
    for size in [*sizes, len(stream)]:
        found += framer.feed(stream[position : position + size])
        position += size
        assert framer.pending <= framer.limit
    found += framer.flush()
    assert framer.pending == 0
    rest = stream
    for frame in found:
        before, _, rest = rest.partition(frame.data)
        assert before.strip(b"\r\n") == b""
    assert rest.strip(b"\r\n") == b""


@given(st.lists(st.sampled_from([A, B, seal("ST=31;CN=2011;MN=1;CP=&&&&")]), min_size=1, max_size=8), st.randoms())
def test_any_cut_gives_the_same_packets(packets: list[bytes], chance: random.Random) -> None:
    stream = b"".join(packet + chance.choice([END, END, b""]) for packet in packets)
    sizes = [chance.choice([1, 2, 5, 30, 100]) for _ in range(len(stream))]
    found = frames_of(stream, sizes)
    assert [frame.data for frame in found if frame.kind == "packet"] == packets
    assert all(frame.kind == "packet" for frame in found)
