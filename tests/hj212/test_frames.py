"""Thirty-three packets: the official examples as printed, and public captures with masked MN and new check codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from luming.hj212 import Edition, decode, explain

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "frames.json").read_text(encoding="utf-8"))


def test_the_set_is_complete() -> None:
    verdicts = [row["crc"] for row in ROWS]
    assert {verdict: verdicts.count(verdict) for verdict in set(verdicts)} == {"OK": 25, "MODBUS-LE": 3, "BAD": 5}


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['crc']}" for n, row in enumerate(ROWS)])
def test_tolerant(row: dict[str, Any]) -> None:
    frame = row["frame"].encode()
    decoded = decode(frame)
    assert decoded.verdict == row["verdict"] == ("rejected" if row["crc"] == "BAD" else "accepted")
    assert decoded.reason == row["reason"] == ("crc.mismatch" if row["crc"] == "BAD" else None)
    assert [note.code for note in decoded.diagnostics if note.severity != "info"] == row["deviations"]
    assert ("crc.modbus" in row["deviations"]) == (row["crc"] == "MODBUS-LE")
    assert decoded.packet is not None and len(decoded.packet.readings) == row["readings"]
    assert decoded.packet.raw == frame
    assert decoded.deviates == bool(row["deviations"])
    for _ in range(5):  # by now the fast path knows it
        assert decode(frame) == decoded
        assert decode(frame + b"\r\n") == decoded


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['crc']}" for n, row in enumerate(ROWS)])
def test_strict(row: dict[str, Any]) -> None:
    decoded = decode(row["frame"].encode(), strict=True)
    assert decoded.accepted == (not row["deviations"])
    assert decoded.diagnostics == decode(row["frame"].encode()).diagnostics
    if row["deviations"]:
        assert decoded.reason == (row["reason"] or row["deviations"][0])


@pytest.mark.parametrize("row", ROWS)
def test_explain_covers_every_byte(row: dict[str, Any]) -> None:
    frame = row["frame"].encode() + b"\r\n"
    notes = explain(frame)
    assert b"".join(frame[note.start : note.end] for note in notes) == frame
    assert all(note.label_zh and note.label_en for note in notes)


def test_the_official_minute_packet_in_full() -> None:
    decoded = decode(ROWS[3]["frame"].encode(), strict=True)
    packet = decoded.packet
    assert decoded.accepted and packet is not None
    assert (packet.st, packet.cn, packet.pw, packet.flag, packet.edition) == ("31", 2051, "123456", 9, Edition.V2025)
    assert packet.needs_reply and not packet.is_split and not packet.backfilled
    assert packet.system_name == "大气环境污染源" and "分钟数据" in packet.command_name
    assert packet.qn_time is not None and packet.qn_time.isoformat() == "2024-05-20T21:07:00+08:00"
    assert packet.data_time is not None and packet.data_time.isoformat() == "2024-05-20T21:06:00+08:00"
    velocity, humidity = packet.readings
    assert (velocity.code, velocity.minimum, velocity.average, velocity.maximum) == ("a01011", 1.35, 1.35, 1.35)
    assert (humidity.code, humidity.flag, humidity.rtd) == ("a01014", "N", None)


def test_the_parameters_of_the_official_command() -> None:
    packet = decode(ROWS[0]["frame"].encode(), strict=True).packet
    assert packet is not None
    assert dict(packet.parameters) == {"RtdInterval": "30"} and packet.readings == ()
