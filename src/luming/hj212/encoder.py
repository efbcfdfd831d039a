"""Packets to bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from .crc import crc16
from .crypto import encrypt_cp
from .model import Edition, Packet, Reading
from .times import format_time

__all__ = ["answer", "encode", "encode_packets", "encode_parameters", "encode_readings", "make_flag"]

_MAX_CP = 950  # HJ 212-2017 table 3
_MAX_SEGMENT = 1024  # table 2
_MAX_LENGTH = 9999  # what the length field can say
_SUFFIXES = (
    ("Rtd", "rtd"),
    ("Min", "minimum"),
    ("Avg", "average"),
    ("Max", "maximum"),
    ("ZsRtd", "zs_rtd"),
    ("ZsMin", "zs_minimum"),
    ("ZsAvg", "zs_average"),
    ("ZsMax", "zs_maximum"),
    ("Cou", "total"),
    ("Data", "data"),
    ("DayData", "day_data"),
    ("NightData", "night_data"),
    ("RT", "hours"),
)
_ITEM = re.compile(r"(?:(?<==)//.*?//|[^;])+", re.DOTALL)  # a log in // may hold separators
_RESERVED = re.compile(r"[;=\r\n]|&&|##")


def make_flag(edition: Edition, *, reply: bool = False, split: bool = False) -> int:
    """Flag: version in the upper six bits, bit 1 for PNUM/PNO, bit 0 for a wanted reply."""
    return int(edition) << 2 | int(split) << 1 | int(reply)


def encode(
    *,
    cn: int,
    st: str,
    mn: str,
    pw: str = "123456",
    qn: str | None = None,
    flag: int | None = None,
    cp: str = "",
    pnum: int | None = None,
    pno: int | None = None,
    rf: bool = False,
    edition: Edition = Edition.V2017,
    key: bytes | None = None,
    printed: bool = True,
) -> bytes:
    """One frame with CR LF.

    `flag` None: made from `edition` and `pnum`, no reply wanted (edition 2005: Flag is left out). `key`: CP is
    encrypted with SM4, in the printed form of the standard or as raw bytes. ValueError says which field cannot be sent.
    """
    _check(cn=cn, st=st, mn=mn, pw=pw, qn=qn)
    if (pnum is None) != (pno is None):
        raise ValueError("PNUM and PNO go together")
    if flag is None and edition is not Edition.V2005:
        flag = make_flag(edition, split=pnum is not None)
    fields = [("QN", qn), ("ST", st), ("CN", cn), ("PW", pw), ("MN", mn), ("Flag", flag), ("PNUM", pnum), ("PNO", pno)]
    head = "".join(f"{name}={value};" for name, value in fields if value is not None)
    opening = f"{head}{'RF=1;' if rf else ''}CP=&&".encode()
    segment = opening + cp.encode() + b"&&"
    if len(segment) > _MAX_LENGTH:
        raise ValueError(f"the data segment has {len(segment)} bytes, more than its length field can say; split it")
    body = segment if key is None else opening + encrypt_cp(cp, key, printed=printed) + b"&&"
    return b"##%04d%s%04X\r\n" % (len(segment), body, crc16(segment))


def answer(packet: Packet, cn: int, cp: str = "") -> bytes:
    """The frame that answers `packet`: 9011 (`QnRtn=…`), 9012 (`ExeRtn=…`), 9013 or 9014 (empty CP).

    It repeats QN, PW and MN, has ST=91 and wants no reply (HJ 212-2017 6.1 and annex C).
    """
    head = f"QN={packet.qn};" if packet.qn else ""
    flag = "" if packet.flag is None else f"Flag={packet.edition << 2};"
    segment = f"{head}ST=91;CN={cn};PW={packet.pw};MN={packet.mn};{flag}CP=&&{cp}&&".encode()
    return b"##%04d%s%04X\r\n" % (len(segment), segment, crc16(segment))


def encode_packets(
    *,
    cn: int,
    st: str,
    mn: str,
    pw: str = "123456",
    qn: str | None = None,
    reply: bool = False,
    cp: str = "",
    rf: bool = False,
    edition: Edition = Edition.V2017,
    key: bytes | None = None,
    printed: bool = True,
) -> list[bytes]:
    """As many frames as needed: CP text that is too long for one packet is split between items (PNUM/PNO).

    A part has at most 950 bytes of CP and 1024 bytes of data segment (tables 2 and 3).

    Every part of measured data begins with the DataTime of the whole, so that each part can be understood alone.
    ValueError if one item alone is longer than a packet allows.
    """
    room = _MAX_SEGMENT - len(f"ST={st};CN={cn};PW={pw};MN={mn};Flag=11;PNUM=999;PNO=999;CP=&&&&")
    room -= len(f"QN={qn};") if qn else 0
    room -= len("RF=1;") if rf else 0
    parts = _split(cp, min(room, _MAX_CP))
    pnum = len(parts) if len(parts) > 1 else None
    flag = make_flag(edition, reply=reply, split=pnum is not None)
    if edition is Edition.V2005 and not flag:
        flag = None  # type: ignore[assignment]
    return [
        encode(
            cn=cn,
            st=st,
            mn=mn,
            pw=pw,
            qn=qn,
            flag=flag,
            cp=part,
            pnum=pnum,
            pno=number if pnum else None,
            rf=rf,
            edition=edition,
            key=key,
            printed=printed,
        )
        for number, part in enumerate(parts, 1)
    ]


def encode_readings(
    data_time: datetime,
    readings: Iterable[Reading],
    parameters: Mapping[str, str] | None = None,
    *,
    decimals: Mapping[str, int] | None = None,
) -> str:
    """CP text: `DataTime=…;code-Min=…,code-Avg=…`.

    `decimals`: code -> digits after the point, for the codes that need them; other values are written as short as they
    can be without loss. ValueError for a value that is not finite or a text with a separator in it.
    """
    items = [f"DataTime={format_time(data_time)}"]
    if parameters:
        items.append(encode_parameters(parameters))
    for reading in readings:
        digits = decimals.get(reading.code) if decimals else None
        items.append(",".join(f"{reading.code}-{suffix}={value}" for suffix, value in _values(reading, digits)))
    return ";".join(item for item in items if item)


def encode_parameters(parameters: Mapping[str, str | int | float]) -> str:
    """CP text of plain pairs: `BeginTime=…;EndTime=…`. ValueError for a text with a separator in it."""
    return ";".join(f"{name}={_text(name, value)}" for name, value in parameters.items())


def _values(reading: Reading, digits: int | None) -> Iterable[tuple[str, str]]:
    """The pairs of one reading in the order of the standard's examples; `Flag` comes last."""
    if reading.sample_time is not None:
        yield "SampleTime", format_time(reading.sample_time)
    for suffix, field in _SUFFIXES:
        value: float | None = getattr(reading, field)
        if value is not None:
            yield suffix, _number(f"{reading.code}-{suffix}", value, digits)
    if reading.state is not None:
        yield "RS", str(reading.state)
    for suffix, text in (("Info", reading.info), ("SN", reading.sn), *reading.extra.items()):
        if text is not None:
            yield suffix, _text(f"{reading.code}-{suffix}", text)
    for suffix, text in (("EFlag", reading.eflag), ("Flag", reading.flag)):
        if text is not None:
            yield suffix, _text(f"{reading.code}-{suffix}", text)


def _number(name: str, value: float, digits: int | None) -> str:
    if not abs(value) < 1e15:
        raise ValueError(f"{name}: {value} cannot be sent")
    if digits is not None:
        return f"{value:.{digits}f}"
    text = repr(float(value))
    if "e" in text:  # 1e-05: no exponents on the wire
        text = f"{value:.15f}".rstrip("0")
    return text.removesuffix(".0").removesuffix(".")


def _text(name: str, value: str | int | float) -> str:
    text = str(value)
    log = len(text) >= 4 and text.startswith("//") and text.endswith("//")
    if "&&" in text or "##" in text or (not log and re.search("[;,=\r\n]", text)):
        raise ValueError(f"{name}: {text!r} has characters that separate fields")
    return text


def _check(*, cn: int, **fields: str | None) -> None:
    if not 1000 <= cn <= 9999:
        raise ValueError(f"CN {cn} has not four digits")
    for name, value in fields.items():
        if value is not None and (not value.isascii() or not value.isprintable() or _RESERVED.search(value)):
            raise ValueError(f"{name.upper()} {value!r} cannot be sent")


def _split(cp: str, limit: int) -> list[str]:
    """Cut CP text between items into parts of at most `limit` bytes."""
    if len(cp.encode()) <= limit:
        return [cp]
    items = _ITEM.findall(cp)
    lead = items.pop(0) + ";" if items[0].startswith("DataTime=") else ""
    parts: list[str] = []
    current = ""
    for item in items:
        if len((lead + item).encode()) > limit:
            raise ValueError(f"one item is longer than a packet allows: {item[:60]}…")
        grown = f"{current};{item}" if current else lead + item
        if len(grown.encode()) > limit:
            parts.append(current)
            grown = lead + item
        current = grown
    return [*parts, current]
