"""`luming hj212` at the console."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.cli import main
from luming.hj212 import Edition, decode, encode, explain

from .builders import HEAD, MN, seal, with_cp

GOOD = with_cp("DataTime=20240601080000;a21026-Min=1,a21026-Avg=1.5,a21026-Flag=N;Leq-Data=50").decode()
BAD = GOOD.replace("1.5", "1.6")


def lines_of(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_decode_prints_a_line_per_packet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(f"noise{GOOD}\r\n{BAD}\r\n".encode())
    assert main(["hj212", "decode", str(file)]) == 1
    out, err = capsys.readouterr()
    good, bad = lines_of(out)
    assert good["verdict"] == "accepted" and good["edition"] == "HJ 212-2017"
    assert good["data_time"] == "2024-06-01T08:00:00+08:00"
    assert good["fields"]["mn"] == MN  # type: ignore[index]
    observations = good["observations"]
    assert observations == [
        {"code": "a21026", "name": "二氧化硫", "minimum": 1.0, "average": 1.5, "flag": "N"},
        {"code": "Leq", "name": "等效声级", "data": 50.0},
    ]
    assert (bad["verdict"], bad["reason"]) == ("rejected", "crc.mismatch")
    assert bad["diagnostics"][0]["zh"].startswith("校验码")  # type: ignore[index]
    assert "1个接受，1个拒绝，报文之外5字节" in err
    assert main(["hj212", "decode", str(file), "--all"]) == 1
    assert lines_of(capsys.readouterr().out)[0] == {"kind": "garbage", "reason": "stream.garbage", "bytes": "noise"}


def test_decode_strictly_and_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lower = GOOD[:-4] + GOOD[-4:].lower()
    assert lower != GOOD
    for strict, code in (([], 0), (["--strict"], 1)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lower.encode())))
        assert main(["hj212", "decode", "-", *strict]) == code
    assert [line["reason"] for line in lines_of(capsys.readouterr().out)] == [None, "crc.lower_case"]


def test_decode_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hj212", "decode", str(tmp_path / "none")]) == 2
    assert "cannot read" in capsys.readouterr().err
    (tmp_path / "empty").write_bytes(b"")
    assert main(["hj212", "decode", str(tmp_path / "empty")]) == 1
    with pytest.raises(SystemExit):
        main(["hj212", "decode", "x", "--key", "123"])
    assert "32位十六进制" in capsys.readouterr().err


def test_what_decode_prints_encode_reads(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    frames = [
        encode(cn=2061, st="31", mn=MN, qn="20240601085857223", flag=9, cp="DataTime=20240601080000;a1-Avg=1", rf=True),
        encode(cn=2011, st="32", mn="88888880000001", edition=Edition.V2005, cp="DataTime=20240601080000;011-Rtd=1"),
        encode(cn=2061, st="31", mn=MN, qn="20240601085857223", flag=7, pnum=2, pno=1, cp="DataTime=20240601080000"),
        encode(cn=9014, st="91", mn=MN, qn="20240601085857223", flag=4),
    ]
    (tmp_path / "in").write_bytes(b"".join(frames))
    main(["hj212", "decode", str(tmp_path / "in")])
    (tmp_path / "lines").write_bytes(capfdbinary.readouterr().out)
    assert main(["hj212", "encode", str(tmp_path / "lines")]) == 0
    assert capfdbinary.readouterr().out == b"".join(frames)


def test_encode_from_observations_and_every_bad_line_is_reported(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    row = {"cn": 2061, "st": "31", "mn": MN, "qn": "20240601085857223", "edition": "2025"}
    row |= {"data_time": "2024-06-01T08:00:00+08:00", "observations": [{"code": "a21026", "average": 1.5, "flag": "N"}]}
    bad = ['{"cn": 2061}', "[1]", "nonsense", '{"cn": 2061, "st": "31", "mn": "a;b"}', '{"cn":1,"st":"31","mn":"1"}']
    (tmp_path / "lines").write_text("\n".join([json.dumps(row), "", *bad]), encoding="utf-8")
    assert main(["hj212", "encode", str(tmp_path / "lines")]) == 1
    out, err = capfdbinary.readouterr()
    packet = decode(out).packet
    assert packet is not None and packet.cp == "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N"
    assert packet.flag == 8
    errors = err.decode().splitlines()
    assert [line.split(" / ")[0] for line in errors[:1]] == ["第3行"] and len(errors) == len(bad)


def test_encode_from_arguments(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    arguments = ["--cn", "1062", "--st", "32", "--mn", MN, "--pw", "100000", "--qn", "20160801085857223", "--flag", "5"]
    assert main(["hj212", "encode", *arguments, "--cp", "RtdInterval=30"]) == 0
    assert capfdbinary.readouterr().out.endswith(b"CP=&&RtdInterval=30&&1C80\r\n")
    assert main(["hj212", "encode", "--cn", "1062"]) == 2


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hj212", "explain", GOOD]) == 0
    out = capsys.readouterr().out
    for text in (
        "命令编码：取/上传污染物小时数据",
        "二氧化硫 平均值 [mg/m³]",
        "数据时间：2024-06-01 08:00:00",
        "判定：接受",
    ):
        assert text in out
    assert main(["hj212", "explain", BAD]) == 1
    assert "判定：拒绝（crc.mismatch）" in capsys.readouterr().out
    assert main(["hj212", "explain", "hello"]) == 1


@pytest.mark.parametrize(
    ("cp", "label"),
    [
        ("QnRtn=3", "请求应答：PW错误"),
        ("ExeRtn=100", "执行结果：没有数据"),
        ("SB1-RS=5", "设备SB1 运行状态：反吹"),
        ("02-Rtd=1", "二氧化硫（旧编码） 实时值 [mg/m³]"),
        ("w01018-Cou=1", "化学需氧量 累计值 [kg]"),
        ("xyz-Foo=1", "未知因子xyz 未知项"),
        ("a21026-Flag=Q", "二氧化硫 数据标记：未定义"),
        ("{0x41,0x42}", "SM4密文"),
    ],
)
def test_labels(cp: str, label: str) -> None:
    assert label in [note.label_zh for note in explain(with_cp(cp))]


@given(st.binary(max_size=200))
def test_explain_never_raises_and_covers_all(data: bytes) -> None:
    for frame in (data, b"##" + data, seal(HEAD.encode() + b"CP=&&" + data + b"&&") + b"\r\n"):
        assert b"".join(frame[note.start : note.end] for note in explain(frame)) == frame
