"""The fields before CP: QN, ST, CN, PW, MN, Flag, PNUM, PNO, RF (HJ 212-2017 table 3; RF since 2025).

Parsers of this package work on the segment decoded as Latin-1, so that a character's place is its byte's place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .codes import COMMANDS, SYSTEMS
from .diagnostics import Notes
from .model import Edition
from .times import parse_time

__all__ = ["Header", "find_cp", "parse_header"]

_ORDER = ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF")
_CANONICAL = {name.lower(): name for name in _ORDER}
_CP = re.compile(r"(?:\A|(?<=[;,]))[ \t]*(CP)[ \t]*=[ \t]*", re.IGNORECASE)
_MN = re.compile(r"[0-9A-Za-z_.:\-]{1,64}\Z")
_MN_FORMAT = {
    Edition.V2005: re.compile(r"[0-9A-Za-z]{14}\Z"),
    Edition.V2017: re.compile(r"[0-9A-F]{24}\Z"),
    Edition.V2025: re.compile(r"[0-9A-F]{24}\Z"),
}
_NUMBER = re.compile(r"[0-9]{1,5}\Z")


class Header(NamedTuple):
    """The fields of one segment; `unknown` are pairs that the standard does not have."""

    qn: str | None
    st: str
    cn: int
    pw: str
    mn: str
    flag: int | None
    edition: Edition
    pnum: int | None
    pno: int | None
    backfilled: bool
    unknown: tuple[tuple[str, str], ...]


def find_cp(segment: str) -> tuple[int, int] | None:
    """Where the name CP begins and where its value begins, or None."""
    found = _CP.search(segment)
    return (found.start(1), found.end()) if found else None


def parse_header(segment: str, end: int, offset: int, notes: Notes) -> Header | None:
    """Read `segment[:end]`; `offset` is the place of the segment in the frame. None after a fatal finding."""
    values, places, unknown = _collect(segment[:end], offset, notes)
    missing = [name for name in ("ST", "CN", "MN") if not values.get(name)]
    for name in missing:
        notes.add("field.missing", None, name)
    if missing:
        return None
    flag, edition = _flag(values, places, notes)
    qn = _qn(values, places, notes)
    cn = _command(values["CN"], places["CN"], edition, notes)
    if cn is None:
        return None
    _system(values["ST"], places["ST"], cn, edition, notes)
    pw = _password(values, places, notes)
    mn = values["MN"]
    if not _MN.match(mn):
        notes.add("mn.invalid", places["MN"], mn)
        return None
    if not _MN_FORMAT[edition].match(mn):
        notes.add("mn.format", places["MN"], mn, edition.standard)
    pnum, pno = _parts(values, places, flag, notes)
    backfilled = _backfill(values, places, edition, notes)
    return Header(qn, values["ST"], cn, pw, mn, flag, edition, pnum, pno, backfilled, tuple(unknown))


def _collect(text: str, offset: int, notes: Notes) -> tuple[dict[str, str], dict[str, int], list[tuple[str, str]]]:
    """Split into pairs; values and their places by canonical name, and the pairs that are unknown."""
    values: dict[str, str] = {}
    places: dict[str, int] = {}
    unknown: list[tuple[str, str]] = []
    last = -1
    place = offset
    items = re.split("([;,])", text)
    for index in range(0, len(items), 2):
        item, separator = items[index], items[index + 1] if index + 1 < len(items) else ""
        start, place = place, place + len(item) + len(separator)
        if separator == ",":
            notes.add("separator.header", start + len(item))
        if not item:
            if index + 1 < len(items) or index == 0:
                notes.add("segment.empty_item", start)
            continue
        name, equals, value = item.partition("=")
        if not equals:
            notes.add("pair.no_equals", start, item)
            continue
        if name != name.strip() or value != value.strip():
            notes.add("name.space", start, name.strip())
        name, value = name.strip(), value.strip()
        canonical = _CANONICAL.get(name.lower())
        if canonical is None:
            notes.add("field.unknown", start, name)
            unknown.append((name, value))
            continue
        if name != canonical:
            notes.add("name.case", start, name, canonical)
        if canonical in values:
            notes.add("field.repeated" if values[canonical] == value else "field.conflict", start, canonical)
            continue
        rank = _ORDER.index(canonical)
        if rank < last:
            notes.add("field.order", start, canonical)
        last = max(last, rank)
        values[canonical], places[canonical] = value, start
    return values, places, unknown


def _flag(values: dict[str, str], places: dict[str, int], notes: Notes) -> tuple[int | None, Edition]:
    text = values.get("Flag")
    if text is None:
        notes.add("flag.missing")
        return None, Edition.V2005
    if not _NUMBER.match(text) or int(text) > 255:
        notes.add("flag.invalid", places["Flag"], text)
        return None, Edition.V2005
    flag = int(text)
    if flag >> 2 > Edition.V2025:
        notes.add("flag.edition", places["Flag"], flag >> 2)
    return flag, Edition(min(flag >> 2, Edition.V2025))


def _qn(values: dict[str, str], places: dict[str, int], notes: Notes) -> str | None:
    qn = values.get("QN")
    if not qn:
        notes.add("qn.missing", places.get("QN"))
        return None
    if len(qn) != 17 or parse_time(qn)[0] is None:
        notes.add("qn.invalid", places["QN"], qn)
    return qn


def _command(text: str, place: int, edition: Edition, notes: Notes) -> int | None:
    if not _NUMBER.match(text) or len(text) != 4:
        notes.add("cn.invalid", place, text)
        return None
    command = COMMANDS.get(int(text))
    if command is None:
        notes.add("cn.unknown", place, text)
    elif edition not in command.editions:
        notes.add("cn.edition", place, text, edition.standard)
    return int(text)


def _system(st: str, place: int, cn: int, edition: Edition, notes: Notes) -> None:
    system = SYSTEMS.get(st)
    if system is None:
        notes.add("st.unknown", place, st)
    elif edition not in system.editions:
        notes.add("st.edition", place, st, edition.standard)
    elif 9011 <= cn <= 9014 and st != "91":
        notes.add("st.interaction", place, st, cn)


def _password(values: dict[str, str], places: dict[str, int], notes: Notes) -> str:
    pw = values.get("PW", "")
    if not pw:
        notes.add("pw.missing", places.get("PW"))
    elif len(pw) != 6:
        notes.add("pw.length", places["PW"], len(pw))
    return pw


def _parts(
    values: dict[str, str], places: dict[str, int], flag: int | None, notes: Notes
) -> tuple[int | None, int | None]:
    """PNUM and PNO; both None where they are absent or cannot be."""
    announced = flag is not None and bool(flag & 2)
    if "PNUM" not in values and "PNO" not in values:
        if announced:
            notes.add("split.missing", places["Flag"])
        return None, None
    place = places.get("PNUM", places.get("PNO"))
    pnum, pno = values.get("PNUM", ""), values.get("PNO", "")
    if not (_NUMBER.match(pnum) and _NUMBER.match(pno) and 1 <= int(pno) <= int(pnum)):
        notes.add("split.invalid", place, pnum, pno)
        return None, None
    if not announced:
        notes.add("split.no_flag", place)
    return int(pnum), int(pno)


def _backfill(values: dict[str, str], places: dict[str, int], edition: Edition, notes: Notes) -> bool:
    text = values.get("RF")
    if text is None:
        return False
    if edition < Edition.V2025:
        notes.add("rf.edition", places["RF"], edition.standard)
    if text != "1":
        notes.add("rf.invalid", places["RF"], text)
    return text == "1"
