"""What is accepted, what is rejected, and what is said about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.hj212 import CHINA, REASONS, Edition, decode, format_qn, format_time, parse_time

from .builders import HEAD, MN, seal, with_cp

GOOD = "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N"


def codes_of(frame: bytes, **options: bool) -> list[str]:
    return [note.code for note in decode(frame, **options).diagnostics]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", "frame.no_head"),
        (b"#", "frame.no_head"),
        (b"hello\r\n", "frame.no_head"),
        (b"##00", "frame.short"),
        (with_cp(GOOD)[:-4] + b"ZZZZ", "crc.not_hex"),
        (with_cp(GOOD).replace(b"1.5", b"1.6"), "crc.mismatch"),
        (seal("QN=20240601085857223;ST=31;CN=2061"), "cp.missing"),
        (seal(f"ST=31;CN=2061;PW=123456;Flag=5;CP=&&{GOOD}&&"), "field.missing"),
        (seal(f"ST=31;CN=20x1;PW=123456;MN={MN};Flag=5;CP=&&{GOOD}&&"), "cn.invalid"),
        (seal(f"ST=31;CN=2061;PW=123456;MN=a b;Flag=5;CP=&&{GOOD}&&"), "mn.invalid"),
        (seal(f"ST=31;CN=2061;PW=123456;MN={'9' * 65};Flag=5;CP=&&{GOOD}&&"), "mn.invalid"),
        (with_cp(f"{GOOD};DataTime=20240601090000;a21026-Avg=2"), "time.several"),
    ],
)
def test_fatal(frame: bytes, code: str) -> None:
    for strict in (False, True):
        decoded = decode(frame, strict=strict)
        assert (decoded.verdict, decoded.reason) == ("rejected", code)
        assert REASONS[code].fatal
        assert code in [note.code for note in decoded.diagnostics]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (with_cp(GOOD)[:-4] + with_cp(GOOD)[-4:].lower(), "crc.lower_case"),
        (with_cp(GOOD) + b"\n", "frame.tail"),
        (seal(f"{HEAD}CP=&&{GOOD}&&", length=999), "length.mismatch"),
        (with_cp(GOOD).replace(b"##0", b"##x"), "length.not_digits"),
        (with_cp("DataTime=20240601080000;" + ";".join(f"w{n:05d}-Avg=1" for n in range(90))), "length.over_limit"),
        (with_cp("DataTime=20240601080000;" + ";".join(f"w{n:05d}-Avg=1" for n in range(80))), "cp.over_limit"),
        (with_cp(GOOD, HEAD.replace("PW=", "pw=")), "name.case"),
        (with_cp(GOOD, HEAD.replace("ST=31;CN=2061", "CN=2061;ST=31")), "field.order"),
        (with_cp(GOOD, HEAD.replace("ST=31;CN", "ST=31,CN")), "separator.header"),
        (with_cp(GOOD, HEAD + "PNO=1;PNUM=2;"), "field.order"),
        (with_cp(GOOD, HEAD + "PNUM=2;PNO=1;"), "split.no_flag"),
        (with_cp(GOOD, HEAD.replace("Flag=5", "Flag=7")), "split.missing"),
        (with_cp(GOOD, HEAD.replace("Flag=5", "Flag=7") + "PNUM=2;PNO=3;"), "split.invalid"),
        (with_cp(GOOD, HEAD + "Foo=1;"), "field.unknown"),
        (with_cp(GOOD, HEAD + "PW=123456;"), "field.repeated"),
        (with_cp(GOOD, HEAD + "PW=654321;"), "field.conflict"),
        (with_cp(GOOD, HEAD + ";"), "segment.empty_item"),
        (with_cp(GOOD, HEAD + "RF=1;"), "rf.edition"),
        (with_cp(GOOD, HEAD.replace("Flag=5", "Flag=9") + "RF=0;"), "rf.invalid"),
        (with_cp(GOOD, HEAD.replace("Flag=5", "Flag=x")), "flag.invalid"),
        (with_cp(GOOD, HEAD.replace("Flag=5", "Flag=13")), "flag.edition"),
        (with_cp(GOOD, HEAD.replace("Flag=5;", "")), "flag.missing"),
        (with_cp(GOOD, HEAD.replace("QN=20240601085857223;", "")), "qn.missing"),
        (with_cp(GOOD, HEAD.replace("QN=20240601085857223", "QN=20240631085857223")), "qn.invalid"),
        (with_cp(GOOD, HEAD.replace("PW=123456;", "")), "pw.missing"),
        (with_cp(GOOD, HEAD.replace("PW=123456", "PW=12345")), "pw.length"),
        (with_cp(GOOD, HEAD.replace(MN, "88888880000001")), "mn.format"),
        (with_cp(GOOD, HEAD.replace("ST=31", "ST=99")), "st.unknown"),
        (with_cp(GOOD, HEAD.replace("ST=31", "ST=44")), "st.edition"),
        (with_cp("", HEAD.replace("CN=2061", "CN=9014")), "st.interaction"),
        (with_cp(GOOD, HEAD.replace("CN=2061", "CN=2099")), "cn.unknown"),
        (with_cp("", HEAD.replace("CN=2061", "CN=9015")), "cn.edition"),
        (seal(f"{HEAD}CP={GOOD}"), "cp.delimiter"),
        (with_cp(f"{GOOD}&&x-Avg=1"), "cp.inner_delimiter"),
        (with_cp("DataTime=2024060108000000;a21026-Avg=1"), "time.invalid"),
        (with_cp("DataTime=20240601080000000;a21026-Avg=1"), "time.form"),
        (with_cp("DataTime=2024-06-01 08:00:00;a21026-Avg=1"), "time.form"),
        (with_cp("a21026-Avg=1"), "time.missing"),
        (with_cp(f"{GOOD};"), "segment.empty_item"),
        (with_cp(f"{GOOD};;a34004-Avg=1"), "segment.empty_item"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1;a21026-Flag=N"), "separator.item"),
        (with_cp("BeginTime=20240601080000,EndTime=20240601090000"), "separator.item"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1,a21026-Flag=X"), "mark.unknown"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1,a21026-Foo=2"), "suffix.unknown"),
        (with_cp("DataTime=20240601080000;a21026-AVG=1"), "name.case"),
        (with_cp("DataTime=20240601080000;A21026-Avg=1"), "code.case"),
        (with_cp("DataTime=20240601080000;a21026-Avg= 1"), "name.space"),
        (with_cp("DataTime=20240601080000;a21026-Avg="), "number.empty"),
        (with_cp("DataTime=20240601080000;a21026-Avg=+.5"), "number.form"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1,a21026-Avg=1"), "field.repeated"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1,a21026-Avg=2"), "field.conflict"),
        (with_cp("DataTime=20240601080000;a21026-Avg=1;oops"), "pair.no_equals"),
        (with_cp("DataTime=20240601080000;a b-Avg=1"), "name.invalid"),
        (with_cp("DataTime=20240601080000;SB1-RS=9"), "value.range"),
        (with_cp("RtdInterval=5", HEAD.replace("2061", "1062")), "value.range"),
        (with_cp("Foo=5", HEAD.replace("2061", "1062")), "field.unknown"),
        (seal(HEAD.encode() + "CP=&&InfoId=i11001;x1-Info=日志&&".encode("gbk")), "text.gbk"),
        (seal(HEAD.encode() + b"CP=&&x1-Info=\xff\xfe&&"), "text.undecodable"),
        (with_cp("InfoId=a\x07b"), "text.control"),
    ],
)
def test_tolerated_but_reported(frame: bytes, code: str) -> None:
    tolerant, strict = decode(frame), decode(frame, strict=True)
    assert tolerant.accepted and tolerant.reason is None
    assert code in [note.code for note in tolerant.diagnostics]
    assert tolerant.deviates
    assert not strict.accepted and strict.reason is not None and strict.packet == tolerant.packet
    assert REASONS[code].severity != "info" and not REASONS[code].fatal


def test_every_position_points_at_the_finding() -> None:
    frame = with_cp("DataTime=20240601080000;a21026-Avg=x,a21026-Flag=N;zz9-Rtd=1")
    found = {note.code: note.position for note in decode(frame).diagnostics}
    assert frame[found["number.invalid"] :].startswith(b"a21026-Avg=x")
    assert frame[found["code.unknown"] :].startswith(b"zz9-Rtd")


def test_every_message_can_be_written() -> None:
    for code, info in REASONS.items():
        assert info.zh.format("甲", "乙", "丙") and info.en.format("a", "b", "c"), code


NO_NUMBERS = [
    *("nan", "NaN", "inf", "-inf", "infinity", "1e400", "1e99", "1_000", "0x10", "1,5"),
    *("１２", "٣", "--1", "1.2.3", "1e", "-", ".", "9" * 30, "1 2"),
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_costs_only_itself(text: str) -> None:
    cp = f"DataTime=20240601080000;a34004-Avg=7,a34004-Max={text},a34004-Flag=N;a21026-Avg=2"
    decoded = decode(with_cp(cp))
    assert decoded.accepted and decoded.packet is not None
    first, second = decoded.packet.readings[0], decoded.packet.readings[-1]
    assert (first.average, first.flag, second.average) == (7.0, "N", 2.0)
    assert first.maximum is None or text == "1,5"
    assert decoded.deviates
    if text != "1,5":
        assert first.extra["Max"] == text


@pytest.mark.parametrize(("text", "value"), [("1.5E+2", 150.0), ("2e-3", 0.002), ("5.", 5.0), (".5", 0.5), ("+3", 3.0)])
def test_odd_numbers_are_read_and_reported(text: str, value: float) -> None:
    decoded = decode(with_cp(f"DataTime=20240601080000;a21026-Avg={text}"))
    assert decoded.packet is not None and decoded.packet.readings[0].average == value
    assert codes_of(with_cp(f"DataTime=20240601080000;a21026-Avg={text}")) == ["number.form"]


def test_every_field_of_a_reading() -> None:
    cp = (
        "DataTime=20240601080000;"
        "w01018-SampleTime=20240601073000,w01018-Rtd=1,w01018-Min=2,w01018-Avg=3,w01018-Max=4,w01018-ZsRtd=5,"
        "w01018-ZsMin=6,w01018-ZsAvg=7,w01018-ZsMax=8,w01018-Cou=9,w01018-EFlag=A12,w01018-Flag=M,w01018-ValidNum=12;"
        "Leq-Data=50.1,Leq-DayData=55,Leq-NightData=45;SB1-RS=1,SB1-RT=23.5;"
        "w01018-StandardValue=10,w01018-ResultType=1;a1-Info=开,a1-SN=0123456789ABCDEF01234567"
    )
    packet = decode(with_cp(cp)).packet
    assert packet is not None
    cod, noise, machine, info = packet.readings
    assert cod[1:11] == (1, 2, 3, 4, 5, 6, 7, 8, 9, None)
    assert (cod.eflag, cod.flag, cod.extra["ValidNum"], cod.extra["StandardValue"]) == ("A12", "M", "12", "10")
    assert cod.sample_time is not None and format_time(cod.sample_time) == "20240601073000"
    assert (noise.data, noise.day_data, noise.night_data) == (50.1, 55, 45)
    assert (machine.state, machine.hours) == (1, 23.5)
    assert (info.info, info.sn) == ("开", "0123456789ABCDEF01234567")


def test_a_log_may_hold_separators() -> None:
    packet = decode(with_cp("DataTime=20240601080000;PolId=w01018,i11001-Info=//重启;a=1,b=2//")).packet
    assert packet is not None
    assert packet.readings[0].info == "//重启;a=1,b=2//" and packet.readings[0].extra["PolId"] == "w01018"


def test_one_information_code_of_two_instruments_stays_apart() -> None:
    cp = "DataTime=20240601080000;PolId=w01018,i13004-Info=165.0;PolId=w21003,i13004-Info=60.0"
    packet = decode(with_cp(cp)).packet
    assert packet is not None
    assert [(r.code, r.info, r.extra["PolId"]) for r in packet.readings] == [
        ("i13004", "165.0", "w01018"),
        ("i13004", "60.0", "w21003"),
    ]


def test_editions_and_the_bits_of_flag() -> None:
    for flag, edition, reply in ((0, 0, False), (1, 0, True), (4, 1, False), (5, 1, True), (8, 2, False), (9, 2, True)):
        packet = decode(with_cp(GOOD, HEAD.replace("Flag=5", f"Flag={flag}"))).packet
        assert packet is not None
        assert (packet.edition, packet.needs_reply) == (Edition(edition), reply)
    split = decode(with_cp(GOOD, HEAD.replace("Flag=5", "Flag=11") + "PNUM=3;PNO=2;RF=1;"), strict=True)
    assert split.accepted and split.packet is not None
    assert split.packet.is_split and split.packet.backfilled and (split.packet.pnum, split.packet.pno) == (3, 2)


def test_findings_are_bounded() -> None:
    decoded = decode(with_cp(";" * 5000))
    assert len(decoded.diagnostics) <= 201


def test_times() -> None:
    moment, regular = parse_time("20240229235959")
    assert moment is not None and regular and moment.tzinfo is CHINA
    assert parse_time("20230229000000") == (None, False)
    assert parse_time("２０２４０２２９２３５９５９") == (None, False)
    assert format_qn(moment.replace(microsecond=7999)) == "20240229235959007"


@given(st.binary(max_size=400), st.booleans())
def test_never_raises(data: bytes, strict: bool) -> None:
    for frame in (data, b"##" + data, seal(data), seal(HEAD.encode() + b"CP=&&" + data + b"&&")):
        decoded = decode(frame, strict=strict)
        assert (decoded.reason is None) == decoded.accepted
        assert all(note.message_zh and note.message_en for note in decoded.diagnostics)


@given(st.text(st.sampled_from("a1-;,=&/N.DT\x00é日 Avg"), max_size=80))
def test_never_raises_on_what_looks_like_content(cp: str) -> None:
    assert decode(with_cp(cp)).diagnostics is not None
