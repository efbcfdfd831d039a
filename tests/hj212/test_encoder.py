"""What is encoded decodes to the same, strictly."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luming.hj212 import (
    CHINA,
    COMMANDS,
    SYSTEMS,
    Edition,
    Framer,
    Reading,
    answer,
    decode,
    encode,
    encode_packets,
    encode_parameters,
    encode_readings,
    make_flag,
)

from .builders import MN, QUICK, moments, reading_lists

QN = "20240601085857223"


def test_the_official_examples_byte_for_byte() -> None:
    frame = encode(cn=1062, st="32", mn=MN, pw="100000", qn="20160801085857223", flag=5, cp="RtdInterval=30")
    assert frame == (
        b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
        b"CP=&&RtdInterval=30&&1C80\r\n"
    )
    frame = encode(cn=1011, st="32", mn=MN, qn=QN, flag=9)
    assert frame == (
        b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&2200\r\n"
    )


def test_flags_of_the_editions() -> None:
    flags = [make_flag(e, reply=r, split=s) for e in Edition for s in (False, True) for r in (False, True)]
    assert flags == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


@given(moments, reading_lists, st.sampled_from(Edition))
@settings(max_examples=60, phases=QUICK)
def test_readings_come_back(moment: datetime, readings: list[Reading], edition: Edition) -> None:
    cp = encode_readings(moment, readings)
    for frame in encode_packets(cn=2011, st="31", mn=MN, qn=QN, cp=cp, edition=edition, reply=True):
        decoded = decode(frame)
        assert decoded.accepted and decoded.packet is not None
        assert not [n for n in decoded.diagnostics if n.severity != "info" and not n.code.startswith(("code.", "mn."))]
        for reading in decoded.packet.readings:
            assert reading in readings
        assert decoded.packet.data_time == moment
        readings = readings[len(decoded.packet.readings) :]
    assert readings == []


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.sampled_from(sorted(SYSTEMS)),
    st.sampled_from(Edition),
    st.booleans(),
    st.none() | st.tuples(st.integers(1, 9), st.integers(0, 9)),
    st.dictionaries(st.sampled_from(["PolId", "NewPW", "InfoId"]), st.text("abcXYZ019中文", min_size=1, max_size=9)),
)
def test_every_command_of_every_edition_comes_back(
    cn: int, system: str, edition: Edition, rf: bool, parts: tuple[int, int] | None, parameters: dict[str, str]
) -> None:
    pno, more = parts or (None, 0)
    pnum = None if pno is None else pno + more
    frame = encode(
        cn=cn,
        st=system,
        mn=MN,
        qn=QN,
        cp=encode_parameters(parameters),
        pnum=pnum,
        pno=pno,
        rf=rf and edition is Edition.V2025,
        edition=edition,
    )
    decoded = decode(frame)
    packet = decoded.packet
    assert decoded.accepted and packet is not None
    assert (packet.cn, packet.st, packet.edition, packet.pnum, packet.pno) == (cn, system, edition, pnum, pno)
    assert packet.backfilled == (rf and edition is Edition.V2025)
    assert dict(packet.parameters) == parameters
    known = edition in COMMANDS[cn].editions and edition in SYSTEMS[system].editions and edition is not Edition.V2005
    if known and (system == "91" or not 9011 <= cn <= 9014):
        assert decode(frame, strict=True).accepted


def test_numbers_are_short_and_never_have_exponents() -> None:
    moment = datetime(2024, 6, 1, 8, tzinfo=CHINA)
    readings = [Reading("a21026", average=1e-5, maximum=12345678.5), Reading("a34004", average=7.0)]
    assert encode_readings(moment, readings) == (
        "DataTime=20240601080000;a21026-Avg=0.00001,a21026-Max=12345678.5;a34004-Avg=7"
    )
    assert encode_readings(moment, readings, decimals={"a34004": 2}).endswith("a34004-Avg=7.00")


def test_long_content_is_split_at_items() -> None:
    items = [f"w{n:05d}-Avg={n}.5" for n in range(200)]
    frames = encode_packets(
        cn=2061, st="32", mn=MN, qn=QN, cp=";".join(["DataTime=20240601080000", *items]), reply=True
    )
    packets = [decode(frame, strict=True).packet for frame in frames]
    assert [(p.pno, p.pnum, p.flag) for p in packets if p] == [(n, len(frames), 7) for n in range(1, len(frames) + 1)]
    assert all(p and len(p.cp) <= 950 and len(p.raw) <= 1034 and p.data_time for p in packets)
    assert [r.code for p in packets if p for r in p.readings] == [item[:6] for item in items]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cn": 99}, "four digits"),
        ({"mn": "a;b"}, "MN"),
        ({"st": "3\r\n"}, "ST"),
        ({"pw": "密码"}, "PW"),
        ({"pnum": 2}, "together"),
        ({"cp": "x" * 10000}, "split it"),
        ({"key": b"short"}, "16字节"),
    ],
)
def test_what_cannot_be_sent_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(**({"cn": 2011, "st": "31", "mn": MN, "cp": "x=1"} | fields))  # type: ignore[arg-type]


def test_values_that_would_break_the_grammar_are_refused() -> None:
    moment = datetime(2024, 6, 1, 8, tzinfo=CHINA)
    for reading in (Reading("a", average=float("nan")), Reading("a", average=1e16), Reading("a", info="1;2")):
        with pytest.raises(ValueError, match="a-"):
            encode_readings(moment, [reading])
    with pytest.raises(ValueError, match="NewPW"):
        encode_parameters({"NewPW": "a&&b"})
    with pytest.raises(ValueError, match="longer than a packet"):
        encode_packets(cn=2011, st="31", mn=MN, cp="x-Info=" + "y" * 1000)


def test_an_answer_repeats_what_it_answers() -> None:
    for flag, answered in ((5, 4), (9, 8), (1, 0), (7, 4)):
        more: dict[str, int] = {"pnum": 2, "pno": 1} if flag == 7 else {}
        asked = decode(encode(cn=2061, st="31", mn=MN, qn=QN, flag=flag, cp="DataTime=20240601080000", **more)).packet  # type: ignore[arg-type]
        assert asked is not None
        frames = Framer().feed(answer(asked, 9014))
        replied = decode(frames[0].data, strict=flag > 3).packet
        assert replied is not None
        assert (replied.cn, replied.st, replied.qn, replied.mn, replied.flag, replied.cp) == (
            9014,
            "91",
            QN,
            MN,
            answered,
            "",
        )
