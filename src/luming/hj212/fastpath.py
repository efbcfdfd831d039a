"""The quick way for what makes up nearly all traffic: measured data in a layout that was seen before.

A logger repeats itself: of two packets of one kind only QN, DataTime and the values differ. So the fields before CP
(without QN) are looked up as one piece of text, and CP is taken apart by one regular expression that was compiled for
its sequence of names. Anything unusual, even a value that is written oddly, makes `decode` return None, and the plain
decoder does the work; it also teaches this module through `learn`. Results are the same either way
(`tests/hj212/test_fastpath.py`).

All tables are bounded, and a layout is compiled only when it was seen several times, so that senders of ever-changing
layouts gain nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from .codes import FLAGS
from .content import NUMBER_FIELDS, PLAIN_NUMBER
from .crc import CODES, crc16
from .diagnostics import Diagnostic, diagnose
from .model import NO_TEXT, Decoded, Edition, Packet, Reading
from .times import parse_time

__all__ = ["clear", "decode", "learn"]

_MAX_HEADERS = 16384
_MAX_LAYOUTS = 512
_MAX_CANDIDATES = 2048
_MAX_NUMBERS = 65536
_MAX_PAIRS = 250
_LAYOUTS_PER_HEADER = 4
_COMPILE_AFTER = 3  # times that a layout must be seen

_MAX_SEGMENT = 1024
_MAX_CP = 950
_HEAD = 6
_QN = 20  # characters of QN=20240601085857223

_LENGTHS = [b"##%04d" % length for length in range(_MAX_SEGMENT + 1)]
_PAIR = re.compile(r"([0-9A-Za-z_]{1,32}-[A-Za-z]+|DataTime)=([^=;,&]+)([;,]|\Z)")
# The hours of a device (RT) have a range to be checked, so they take the plain way.
_NUMBER_INDEX = {suffix: Reading._fields.index(field) for suffix, field in NUMBER_FIELDS.items() if field != "hours"}
_FLAG_INDEX = Reading._fields.index("flag")
# Findings on names alone: they are the same for every packet of a layout, whatever its values are.
_FINDINGS_ON_NAMES = frozenset({"code.unknown", "code.legacy", "code.case", "separator.item"})


class _OddNumberError(Exception):
    """A number that is not written plainly; the plain decoder must look at it."""


class _Numbers(dict[str, float]):
    """Texts of numbers to floats. Monitors repeat the same few thousand texts, and a look-up is four times as quick."""

    def __missing__(self, text: str) -> float:
        if not PLAIN_NUMBER.match(text):
            raise _OddNumberError
        if len(self) >= _MAX_NUMBERS:
            self.clear()
        number = self[text] = float(text)
        return number


class _Layout(NamedTuple):
    """One sequence of names in CP."""

    match: Callable[[str, int, int], re.Match[str] | None]
    build: Callable[..., tuple[str, tuple[Reading, ...]]]  # (numbers, *texts) -> DataTime, readings
    findings: tuple[tuple[int, str, tuple[str, ...]], ...]  # group before it, code, parameters


class _Header(NamedTuple):
    """The fields before CP except QN, with the findings on them and the layouts that came with them."""

    fields: tuple[Any, ...]  # of Packet, from st to backfilled
    findings: tuple[Diagnostic, ...]
    layouts: list[_Layout]


_headers: dict[str, _Header] = {}
_layouts: dict[tuple[Edition, str], _Layout] = {}
_candidates: dict[tuple[Edition, str], int] = {}
_lock = threading.Lock()
_numbers = _Numbers()
_number = _numbers.__getitem__
_new: Any = tuple.__new__  # skips the Python function that a named tuple's own constructor is


def clear() -> None:
    """Forget everything that was learnt (for tests and measurements)."""
    for table in (_headers, _layouts, _candidates, _numbers):
        table.clear()
    _is_minute.cache_clear()


def _make_room(table: dict[Any, Any], limit: int) -> None:
    """Drop the oldest entry of a full table; whoever still needs it teaches it again with one packet."""
    if len(table) >= limit:
        del table[next(iter(table))]


@lru_cache(maxsize=2048)
def _is_minute(text: str) -> bool:
    return parse_time(text + "00")[0] is not None


def decode(frame: bytes) -> Decoded | None:
    """Decode a frame of a known layout, or return None."""
    if frame[-2:] == b"\r\n":
        frame = frame[:-2]
    length = len(frame) - 10
    if not 0 < length <= _MAX_SEGMENT or frame[:_HEAD] != _LENGTHS[length]:
        return None
    segment = frame[_HEAD:-4]
    if frame[-4:] != CODES[crc16(segment)] or not segment.isascii():
        return None
    text = segment.decode("ascii")
    split = text.find(";CP=&&")
    if split < 0:
        return None
    qn = None
    if text.startswith("QN="):
        qn = text[3:_QN]
        if not _is_minute(text[3:15]) or text[15] > "5" or not text[15:_QN].isdigit():
            return None
        header = _headers.get(text[_QN:split])
    else:
        header = None if text[0] == ";" else _headers.get(text[:split])
    if header is None:
        return None
    fields, findings, layouts = header
    start, end = split + 6, length - 2
    for layout in layouts:
        match = layout.match(text, start, end)
        if match is not None:
            break
    else:
        return None
    _, build, on_names = layout
    try:
        time_text, readings = build(_number, *match.groups())
    except _OddNumberError:
        return None
    data_time, regular = parse_time(time_text)
    if not regular or text[end:] != "&&" or end - start > _MAX_CP:
        return None
    if on_names:
        findings += tuple(
            diagnose(code, _HEAD + (match.end(group) + 1 if group else start), *parameters)
            for group, code, parameters in on_names
        )
    packet = _new(Packet, (frame, qn, *fields, text[start:end], data_time, readings, NO_TEXT))
    decoded: Decoded = _new(Decoded, (packet, findings, "accepted", None))
    return decoded


def learn(packet: Packet, findings: tuple[Diagnostic, ...]) -> None:
    """Remember the header and the layout of a packet that the plain decoder has accepted."""
    if packet.parameters or not packet.readings or len(packet.raw) > _MAX_SEGMENT + 10:
        return
    if not packet.raw.isascii():
        return
    text = packet.raw[_HEAD:-4].decode("ascii")
    split = text.find(";CP=&&")
    if split < 0 or not text.endswith("&&") or text[split + 6 : -2] != packet.cp:
        return
    start = _HEAD + split + 6
    on_header = tuple(note for note in findings if note.position is None or _HEAD <= note.position < start - 6)
    on_names = tuple(note for note in findings if note.position is not None and note.position >= start)
    if len(on_header) + len(on_names) != len(findings) or on_header + on_names != findings:
        return
    if any(note.code not in _FINDINGS_ON_NAMES for note in on_names):
        return
    if any(
        note.position is None and note.code not in ("qn.missing", "flag.missing", "pw.missing") for note in on_header
    ):
        return
    with _lock:  # a web server may decode in several threads; reading needs no lock
        layout = _learn_layout(packet, on_names, start)
        if layout is not None:
            _learn_header(text, split, packet, on_header, layout)


def _header_name(text: str, split: int, qn: str | None, findings: tuple[Diagnostic, ...]) -> str | None:
    """What `decode` will look the header up by; None if its findings depend on QN or QN does not stand in front.

    Names of headers with QN begin with `;`, those without never do.
    """
    if not text.startswith("QN="):
        return text[:split] if qn is None and text[0] != ";" else None
    depends = any(note.code.startswith("qn.") or "QN" in note.parameters for note in findings)
    if depends or text[3:_QN] != qn or text[_QN : _QN + 1] != ";":
        return None
    return text[_QN:split]


def _learn_header(text: str, split: int, packet: Packet, findings: tuple[Diagnostic, ...], layout: _Layout) -> None:
    name = _header_name(text, split, packet.qn, findings)
    if name is None:
        return
    known = _headers.get(name)
    if known is None:
        _make_room(_headers, _MAX_HEADERS)
        known = _headers[name] = _Header(packet[2:11], findings, [])
    if layout not in known.layouts:
        known.layouts.insert(0, layout)
        del known.layouts[_LAYOUTS_PER_HEADER:]


def _learn_layout(packet: Packet, findings: tuple[Diagnostic, ...], start: int) -> _Layout | None:
    """The compiled layout of a packet, or None if it does not qualify or was not seen often enough."""
    pairs = _split(packet.cp)
    if pairs is None:
        return None
    shape = packet.edition, "".join(name + separator for name, _, separator, _ in pairs)
    layout = _layouts.get(shape)
    if layout is not None:
        return layout
    _make_room(_candidates, _MAX_CANDIDATES)
    seen = _candidates[shape] = _candidates.get(shape, 0) + 1
    if seen < _COMPILE_AFTER:
        return None
    places = {start + place: index for index, (_, _, _, place) in enumerate(pairs)}
    if any(note.position not in places for note in findings):
        return None
    _make_room(_layouts, _MAX_LAYOUTS)
    layout = _layouts[shape] = _compile(
        pairs,
        tuple((places[note.position], note.code, note.parameters) for note in findings if note.position is not None),
    )
    return layout


def _split(cp: str) -> list[tuple[str, str, str, int]] | None:
    """(name, value, separator, place) of each pair, or None if the layout is not of the plain kind."""
    pairs: list[tuple[str, str, str, int]] = []
    position = 0
    for match in _PAIR.finditer(cp):
        name, value, separator = match.groups()
        suffix = name.rpartition("-")[2]
        if match.start() != position or not (suffix in _NUMBER_INDEX or suffix in ("Flag", "DataTime")):
            return None
        pairs.append((name, value, separator, position))
        position = match.end()
    names = [pair[0] for pair in pairs]
    if position != len(cp) or not pairs or pairs[-1][2] or len(pairs) > _MAX_PAIRS:
        return None
    return pairs if len(set(names)) == len(names) and "DataTime" in names else None


def _compile(pairs: list[tuple[str, str, str, int]], findings: tuple[tuple[int, str, tuple[str, ...]], ...]) -> _Layout:
    """Make the expression that takes a CP of this layout apart, and the function that builds its readings.

    The function is generated, as `collections.namedtuple` does it: an argument per pair, a tuple display per reading.
    Codes consist of letters, digits and `_` only (`_PAIR`), and enter the source as literals.
    """
    values = {"DataTime": "([0-9]{14})", "Flag": f"([{''.join(FLAGS)}])"}
    pattern = []
    fields: dict[str, dict[int, str]] = {}
    time_argument = ""
    for index, (name, _, separator, _) in enumerate(pairs):
        code, _, suffix = name.rpartition("-")
        pattern.append(f"{re.escape(name)}={values.get(suffix, '([-0-9.]{1,32})')}{separator}")
        argument = f"v{index}"
        if suffix == "DataTime":
            time_argument = argument
        elif suffix == "Flag":
            fields.setdefault(code, {0: repr(code)})[_FLAG_INDEX] = argument
        else:
            fields.setdefault(code, {0: repr(code)})[_NUMBER_INDEX[suffix]] = f"number({argument})"
    last = len(Reading._fields) - 1
    readings = "".join(
        f"new(Reading, ({', '.join(values.get(index, 'None') for index in range(last))}, none)), "
        for values in fields.values()
    )
    arguments = ", ".join(f"v{index}" for index in range(len(pairs)))
    scope: dict[str, Any] = {"new": tuple.__new__, "Reading": Reading, "none": NO_TEXT}
    exec(f"def build(number, {arguments}):\n    return {time_argument}, ({readings})", scope)
    return _Layout(re.compile("".join(pattern)).fullmatch, scope["build"], findings)
