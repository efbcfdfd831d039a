"""The fast path gives what the plain decoder gives, and cannot be made to grow."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from luming.hj212 import Decoded, decode, fastpath
from luming.hj212.decoder import decode_plainly

from .builders import HEAD, MN, QUICK, codes, marks, with_cp


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    fastpath.clear()
    yield
    fastpath.clear()


def taught(frame: bytes) -> Decoded | None:
    """What the fast path says after it saw the frame often enough."""
    for _ in range(4):
        decode(frame)
    return fastpath.decode(frame)


def test_it_is_taken_for_measured_data() -> None:
    for cp in (
        "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N;a34004-Avg=-2,a34004-Flag=D",
        "DataTime=20240601080000;a21026-Rtd=1.5;zzz-Rtd=3",  # unknown codes are findings on names
        "a21026-Min=1,a21026-Avg=2,a21026-Max=3,a21026-Cou=4;DataTime=20240601080000",
    ):
        assert taught(with_cp(cp)) == decode_plainly(with_cp(cp))
    without_qn = with_cp("DataTime=20240601080000;011-Rtd=1", "ST=32;CN=2011;PW=123456;MN=88888880000001;")
    assert taught(without_qn) == decode_plainly(without_qn)


@pytest.mark.parametrize(
    "cp",
    [
        "QnRtn=1",
        "DataTime=20240601080000;a21026-Avg=1e3",
        "DataTime=20240601080000;a21026-Avg=1,a21026-Avg=1",
        "DataTime=20240601080000;x-Info=text",
        "DataTime=20240601080000;a21026-Avg=1;",
        "a21026-Avg=1",
    ],
)
def test_it_is_not_taken_for_anything_else(cp: str) -> None:
    assert taught(with_cp(cp)) is None


SHAPES = [
    "DataTime={time};a21026-Min={0},a21026-Avg={1},a21026-Max={2},a21026-Flag={mark};a34004-Avg={3},a34004-Flag=N",
    "DataTime={time};{code}-Rtd={0};zz1-Rtd={1};{code}-ZsRtd={2}",
    "DataTime={time};{code}-Cou={0},{code}-Flag={mark}",
]
HEADS = [
    HEAD,
    HEAD.replace("Flag=5", "Flag=9"),
    HEAD.replace("QN=20240601085857223", "QN={qn}"),
    f"ST=32;CN=2011;PW=123;MN={MN};",
    HEAD.replace("Flag=5", "Flag=7") + "PNUM=2;PNO=1;",
    HEAD.replace("QN=20240601085857223", "QN={qn}") + "QN=20240601075857000;",
    HEAD[HEAD.index(";") :],
]
good = st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True)
odd = st.sampled_from(["", "nan", "1e5", "+1", "1.", ".5", "-", "0" * 20, "1.1.1", "x", " 1", "1\n", "１"])
times = st.sampled_from(["20240601080000", "20240229235959", "20240631080000", "20240601080000123", "2024060108000x"])
qns = st.sampled_from(["20240601085857223", "20240601245857223", "20240631085857223", "2024060108585722x", "1"])


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(HEADS),
    st.lists(st.one_of(good, good, good, odd), min_size=4, max_size=4),
    st.one_of(marks, st.sampled_from(["n", "Z", "NN", ""])),
    times,
    qns,
    codes,
    st.booleans(),
)
@example(SHAPES[0], HEADS[0], ["1", "2", "3", "4"], "N", "20240601080000", "1", "a21026", True)
@settings(max_examples=300, phases=QUICK)
def test_same_results_as_the_plain_decoder(
    shape: str, head: str, values: list[str], mark: str, time: str, qn: str, code: str, strict: bool
) -> None:
    lesson = with_cp(
        shape.format("1.5", "2", "-3", "4", mark="N", time="20240601070000", code=code),
        head.format(qn="20240601075857000"),
    )
    assert taught(lesson) == (decode_plainly(lesson) if head in HEADS[:5] else None)
    frame = with_cp(shape.format(*values, mark=mark, time=time, code=code), head.format(qn=qn))
    for variant in (
        frame,
        frame + b"\r\n",
        frame[:-1] + b"0",
        frame[:-4] + frame[-4:].lower(),
        frame.replace(b"##0", b"##1"),
    ):
        assert decode(variant, strict=strict) == decode_plainly(variant, strict=strict)


def test_a_changed_byte_never_slips_through() -> None:
    frame = with_cp("DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N")
    assert taught(frame) is not None
    for index in range(len(frame)):
        for byte in (0, 10, 38, 45, 48, 57, 59, 61, 65, 97, 255):
            changed = frame[:index] + bytes([byte]) + frame[index + 1 :]
            assert decode(changed) == decode_plainly(changed)


def test_headers_with_and_without_qn_are_not_confused() -> None:
    cp = "DataTime=20240601080000;a21026-Avg=1.5"
    whole, beheaded = with_cp(cp), with_cp(cp, HEAD[HEAD.index(";") :])
    for first, second in ((whole, beheaded), (beheaded, whole)):
        fastpath.clear()
        taught(first)
        assert decode(second) == decode_plainly(second)
        assert decode(first) == decode_plainly(first)
    assert taught(whole) is not None and taught(beheaded) is None
    assert "segment.empty_item" in [note.code for note in decode(beheaded).diagnostics]


def test_its_tables_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MAX_HEADERS", "_MAX_LAYOUTS", "_MAX_CANDIDATES", "_MAX_NUMBERS"):
        monkeypatch.setattr(fastpath, name, 8)
    for number in range(40):
        head = HEAD.replace(MN, f"{number:024X}")
        frame = with_cp(f"DataTime=20240601080000;x{number}-Avg={number}.5", head)
        assert taught(frame) == decode_plainly(frame)
    sizes = [len(t) for t in (fastpath._headers, fastpath._layouts, fastpath._candidates, fastpath._numbers)]
    assert max(sizes) <= 8 and min(sizes) > 0


def test_a_layout_seen_once_is_not_compiled() -> None:
    for number in range(50):
        decode(with_cp(f"DataTime=20240601080000;x{number}-Avg=1"))
    assert not fastpath._layouts and not fastpath._headers


def test_several_threads_may_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MAX_HEADERS", "_MAX_LAYOUTS", "_MAX_CANDIDATES", "_MAX_NUMBERS"):
        monkeypatch.setattr(fastpath, name, 3)
    frames = [
        with_cp(f"DataTime=20240601080000;x{number % 5}-Avg={number}.5", HEAD.replace(MN, f"{number:024X}"))
        for number in range(20)
    ]
    expected = [decode_plainly(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(lambda _: [decode(frame) for frame in frames], range(40)):
            assert results == expected
