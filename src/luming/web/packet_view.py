"""What a packet's page says: pieces with their meaning, sentences of diagnostics, the values that came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from django.utils.translation import gettext as _

from luming import hj212
from luming.core.models import User
from luming.registry.models import Device, Interval, Place, Series
from luming.telemetry import actions, intake, store
from luming.telemetry.models import Connection, UnregisteredDevice
from luming.web import words

# Control pictures of Unicode: U+2400 + code; DEL is U+2421.
_CONTROL = {code: chr(0x2400 + code) for code in range(32)} | {127: "\u2421"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a packet as they are shown; ``label`` is empty where nothing is to be said."""

    text: str
    label: str
    bad: bool = False


def printable(data: bytes) -> str:
    """Return bytes as text with every non-printable one visible: control pictures, and ⟨E4⟩ for what is no ASCII."""
    return "".join(_CONTROL.get(byte) or (chr(byte) if byte < 127 else f"⟨{byte:02X}⟩") for byte in data)


def readable(data: bytes) -> str:
    """Return bytes as text; UTF-8 and GB 18030 characters are shown as such."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding).translate(_CONTROL)
        except UnicodeDecodeError:
            continue
    return printable(data)


def pieces(body: bytes, diagnostics: Sequence[hj212.Diagnostic]) -> list[Piece]:
    """Cut a packet into pieces with their meaning; bytes that a diagnostic points at are marked."""
    bad = {item.position for item in diagnostics if item.severity == "error" and item.position is not None}
    found: list[Piece] = []
    position = 0
    for note in hj212.explain(body):
        if note.start < position:  # a piece inside the one before
            continue
        if note.start > position:
            found.append(Piece(readable(body[position : note.start]), ""))
        label = note.label_zh if words.chinese() else note.label_en
        marked = any(note.start <= at < note.end for at in bad)
        found.append(Piece(readable(body[note.start : note.end]), label, marked))
        position = note.end
    if position < len(body):
        found.append(Piece(readable(body[position:]), ""))
    return found


def with_devices(records: Sequence[store.PacketRecord]) -> list[dict[str, Any]]:
    """Return packets with their devices and places, in one query."""
    ids = {record.device_id for record in records if record.device_id}
    devices = Device.objects.select_related("place").in_bulk(ids) if ids else {}
    return [
        {
            "packet": record,
            "device": devices.get(record.device_id),
            "preview": preview(record.body),
            "releasable": is_releasable(record),
        }
        for record in records
    ]


def is_releasable(record: store.PacketRecord) -> bool:
    """Tell whether a person may let a packet through."""
    return (
        record.verdict == "H"
        and record.device_id is not None
        and record.reason not in actions.NOT_RELEASABLE
        and not record.releases
    )


def preview(body: bytes, length: int = 96) -> str:
    """Return the beginning of a packet on one line; the password is masked."""
    return masked(readable(body[: length * 2]).rstrip("␍␊"))[:length]


def masked(text: str) -> str:
    """Return a packet's text without its access password."""
    head, found, rest = text.partition("PW=")
    if not found:
        return text
    return f"{head}PW=••••••{rest[len(rest.split(';', 1)[0]) :]}"


def mask_password(found: list[Piece], password: str) -> list[Piece]:
    """Return pieces in which the access password is not shown."""
    if not password:
        return found
    return [
        Piece(piece.text.replace(f"PW={password}", "PW=••••••"), piece.label.replace(password, "••••••"), piece.bad)
        if f"PW={password}" in piece.text
        else Piece("••••••", piece.label.replace(password, "••••••"), piece.bad)
        if piece.text == password
        else piece
        for piece in found
    ]


def explained(user: User, record: store.PacketRecord) -> dict[str, Any]:
    """Return all that the page of a packet shows."""
    device = Device.objects.select_related("place", "place__region").filter(pk=record.device_id or 0).first()
    decoded = hj212.decode(record.body)
    packet = decoded.packet
    notes = [
        {
            "severity": item.severity,
            "text": item.message_zh if words.chinese() else item.message_en,
            "position": item.position,
            "code": item.code,
        }
        for item in decoded.diagnostics
    ]
    known = {note["code"] for note in notes}
    remarks = [words.reason(code) for code in record.codes if code not in known]
    password = packet.pw if packet else ""
    return {
        "record": record,
        "device": device,
        "decoded": decoded,
        "packet": packet,
        "pieces": mask_password(pieces(record.body, decoded.diagnostics), password),
        "raw": masked(printable(record.body)),
        "hex": hexdump(record.body, password),
        "notes": notes,
        "remarks": remarks,
        "reason": words.reason(record.reason),
        "advice": advice(record, device),
        "connection": Connection.objects.filter(pk=record.connection_id or 0).first(),
        "results": became(user, record, device, packet),
        "standard": packet.edition.standard if packet else "",
        "releasable": user.may("packet.release") and is_releasable(record),
        "adoptable": user.may("device.adopt")
        and record.reason == "mn-unknown"
        and UnregisteredDevice.objects.filter(mn=record.mn or "", adopted_device=None).exists(),
    }


def hexdump(body: bytes, password: str) -> list[tuple[str, str, str]]:
    """Return lines of (offset, hexadecimal, text) of 16 bytes; the password's bytes are covered."""
    covered = body
    if password:
        covered = body.replace(b"PW=" + password.encode(), b"PW=" + b"*" * len(password.encode()))
    lines = []
    for start in range(0, len(covered), 16):
        chunk = covered[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in chunk)
        lines.append((f"{start:04x}", " ".join(f"{byte:02x}" for byte in chunk), text))
    return lines


def advice(record: store.PacketRecord, device: Device | None) -> str:
    """Return what to do about a packet that is held or rejected."""
    if record.verdict == "A":
        return ""
    if record.verdict == "R":
        return _("Its bytes are kept. Ask the maintainer to correct the logger; a gap is asked for again.")
    known = {
        "mn-unknown": _("Adopt the device under Unregistered devices: its kept packets become observations."),
        "password-wrong": _("Compare the password on the logger with the register, then release the packet."),
        "system-wrong": _("Compare the system code on the logger with the register, then release the packet."),
        "time-future": _("Set the device's clock with command 1012."),
        "address-not-allowed": _("Check the device's allowed networks; if the address is right, release the packet."),
        "time-before-commissioning": _("Correct the commissioning date of the place, then release the packet."),
        "device-inactive": _("Switch the device on in the register, then release the packet."),
    }
    return known.get(record.reason or "", _("Find the cause, then release the packet."))


def became(
    user: User, record: store.PacketRecord, device: Device | None, packet: hj212.Packet | None
) -> list[dict[str, Any]]:
    """Return the observations that came out of a packet, each with its place and period."""
    if device is None or packet is None or packet.data_time is None or packet.cn not in intake.INTERVALS:
        return []
    interval = intake.INTERVALS[packet.cn]
    place = Place.objects.visible_to(user).filter(pk=device.place_id).first()
    if place is None:
        return []
    series = Series.objects.filter(place=place, interval=interval).in_bulk()
    moment = packet.data_time.astimezone(UTC)
    margin = {Interval.DAY: timedelta(days=1), Interval.HOUR: timedelta(hours=1)}.get(interval, timedelta(minutes=1))
    found = store.of_packet(record.id, list(series), moment - margin, moment + margin)
    return [
        {
            "observation": item,
            "series": series[item.series_id],
            "place": place,
            "ms": int(item.start.timestamp() * 1000),
        }
        for item in sorted(found, key=lambda item: (series[item.series_id].factor, item.start))
    ]
