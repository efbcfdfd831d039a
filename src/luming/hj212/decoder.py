"""Bytes to packets."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import fastpath
from .content import Content, parse_content, readable
from .crc import crc16, crc16_modbus
from .crypto import decrypt_cp, looks_printed
from .diagnostics import Notes
from .header import find_cp, parse_header
from .model import NO_TEXT, Decoded, Edition, Packet

__all__ = ["decode", "decode_batch", "decode_plainly"]

_HEAD = 6  # ## and four digits
_MAX_SEGMENT = 1024
_MAX_CP = 950
_SHORTEST = _HEAD + 4
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}\Z")
_DIGITS4 = re.compile(rb"[0-9]{4}\Z")
_ENDINGS = re.compile(rb"[\r\n \t\x00]*\Z")


def decode(frame: bytes, *, strict: bool = False, key: bytes | None = None) -> Decoded:
    """Decode one frame (`##` … CRC, with or without CR LF). Never raises, whatever the bytes are.

    Tolerant (the default) accepts what real loggers send and rejects only what cannot be trusted: the `fatal` codes of
    `REASONS`. Strict rejects every departure from the standard. Both report all of them. `key` is the SM4 key of the
    device (16 bytes); packets in clear are read with and without it.

    A rejected frame may carry a `packet` all the same, so that the log can name the device; never use its values.
    """
    quick = fastpath.decode(frame)
    if quick is None:
        return decode_plainly(frame, strict=strict, key=key)
    if strict and quick.deviates:
        return _judge(quick.packet, Notes.of(quick.diagnostics), strict)
    return quick


def decode_batch(frames: Sequence[bytes], *, strict: bool = False, key: bytes | None = None) -> list[Decoded]:
    """Decode many frames; the results are in the order of the frames."""
    return [decode(frame, strict=strict, key=key) for frame in frames]


def decode_plainly(frame: bytes, *, strict: bool = False, key: bytes | None = None) -> Decoded:
    """Decode without the fast path (which gives the same results, sooner)."""
    notes = Notes()
    raw, segment = _open(bytes(frame), notes)
    packet = None
    if segment is not None:
        segment = _verify(raw, segment, key, notes)
        packet = _parse(raw, segment, notes)
    decoded = _judge(packet, notes, strict)
    if packet is not None and not notes.reason:
        fastpath.learn(packet, decoded.diagnostics)
    return decoded


def _judge(packet: Packet | None, notes: Notes, strict: bool) -> Decoded:
    reason = notes.reason
    if reason is None and strict:
        reason = next((note.code for note in notes.found if note.severity != "info"), None)
    return Decoded(packet, tuple(notes.found), "rejected" if reason else "accepted", reason)


def _open(frame: bytes, notes: Notes) -> tuple[bytes, bytes | None]:
    """Take the envelope off: the frame without line end, and the segment (None if there is none)."""
    raw = frame
    ending = _ENDINGS.search(frame)
    if ending and ending[0]:
        raw = frame[: ending.start()]
        if ending[0] != b"\r\n":
            notes.add("frame.tail", len(raw), repr(ending[0].decode("latin-1")))
    if not raw.startswith(b"##"):
        notes.add("frame.no_head", 0)
        return raw, None
    if len(raw) < _SHORTEST:
        notes.add("frame.short", 0, len(raw))
        return raw, None
    return raw, raw[_HEAD:-4]


def _verify(raw: bytes, segment: bytes, key: bytes | None, notes: Notes) -> bytes:
    """Check length and check code; returns the segment in clear."""
    sent = raw[-4:]
    if not _HEX4.match(sent):
        notes.add("crc.not_hex", len(raw) - 4, sent.decode("latin-1"))
        _check_length(raw, segment, notes)
        return segment
    wanted = int(sent, 16)
    if crc16(segment) != wanted:
        clear = _decrypt(segment, key, wanted, len(raw), notes)
        if clear is not None:
            segment = clear
        elif notes.reason is None:
            modbus = crc16_modbus(segment)
            if wanted == (modbus & 0xFF) << 8 | modbus >> 8:
                notes.add("crc.modbus", len(raw) - 4, f"{crc16(segment):04X}")
            else:
                notes.add("crc.mismatch", len(raw) - 4, sent.decode("latin-1"), f"{crc16(segment):04X}")
    _check_length(raw, segment, notes)
    if sent != sent.upper():
        notes.add("crc.lower_case", len(raw) - 4)
    return segment


def _check_length(raw: bytes, segment: bytes, notes: Notes) -> None:
    declared = raw[2:_HEAD]
    if not _DIGITS4.match(declared):
        notes.add("length.not_digits", 2, declared.decode("latin-1"))
    elif int(declared) != len(segment):
        notes.add("length.mismatch", 2, declared.decode("latin-1"), len(segment))
    if len(segment) > _MAX_SEGMENT:
        notes.add("length.over_limit", 2, len(segment))


def _decrypt(segment: bytes, key: bytes | None, wanted: int, end: int, notes: Notes) -> bytes | None:
    """The segment with CP in clear, if CP is encrypted and the key fits (the check code is that of the clear text)."""
    place = find_cp(segment.decode("latin-1"))
    if place is None:
        return None
    start = place[1]
    if not segment.startswith(b"&&", start) or not segment.endswith(b"&&") or len(segment) < start + 4:
        return None
    secret = segment[start + 2 : -2]
    printed = looks_printed(secret)
    if key is None:
        if printed:
            notes.add("sm4.no_key", _HEAD + start + 2)
        return None
    if not printed and len(secret) < 16:
        return None
    try:
        clear = segment[: start + 2] + decrypt_cp(secret, key) + b"&&"
    except ValueError as error:
        notes.add("sm4.failed", _HEAD + start + 2, error)
        return None
    if crc16(clear) != wanted:
        if printed:
            notes.add("sm4.failed", end - 4, "密钥与校验码不符 / the key does not fit the check code")
        return None
    notes.add("sm4.decrypted", _HEAD + start + 2)
    return clear


def _parse(raw: bytes, segment: bytes, notes: Notes) -> Packet | None:
    text = segment.decode("latin-1")
    place = find_cp(text)
    if place is None:
        notes.add("cp.missing")
        place = len(text), len(text)
    header_end, start = place
    header = parse_header(text, header_end, _HEAD, notes)
    if header is None:
        return None
    if text[header_end : header_end + 2] not in ("CP", ""):
        notes.add("name.case", _HEAD + header_end, text[header_end : header_end + 2], "CP")
    cp, cp_start = _undelimit(text, start, notes)
    content = _content(cp, cp_start, header.edition, notes)
    parameters = content.parameters
    if header.unknown:
        parameters = {**{readable(name): readable(value) for name, value in header.unknown}, **parameters}
    return Packet(
        raw=raw,
        qn=readable(header.qn) if header.qn else None,
        st=readable(header.st),
        cn=header.cn,
        pw=readable(header.pw),
        mn=header.mn,
        flag=header.flag,
        edition=header.edition,
        pnum=header.pnum,
        pno=header.pno,
        backfilled=header.backfilled,
        cp=readable(cp),
        data_time=content.data_time,
        readings=content.readings,
        parameters=parameters or NO_TEXT,
    )


def _undelimit(text: str, start: int, notes: Notes) -> tuple[str, int]:
    """What stands between the two && after `CP=`, and where it begins in the frame."""
    end = len(text)
    opened = text.startswith("&&", start)
    closed = text.endswith("&&") and end - start >= (4 if opened else 2)
    if start < end and not (opened and closed):
        notes.add("cp.delimiter", _HEAD + start)
    start += 2 if opened else 0
    end -= 2 if closed else 0
    return text[start:end], _HEAD + start


def _content(cp: str, start: int, edition: Edition, notes: Notes) -> Content:
    if len(cp) > _MAX_CP:
        notes.add("cp.over_limit", start, len(cp))
    inner = cp.find("&&")
    if inner >= 0:
        notes.add("cp.inner_delimiter", start + inner)
    return parse_content(cp, start, edition, notes)
