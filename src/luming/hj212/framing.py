"""A byte stream to frames.

A packet is found by its head `##` and its length. Where the length lies, the end is found by `&&` and four hexadecimal
digits in front of CR LF or of the next head. What is no packet is handed out too, so that every byte can be logged.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .model import Frame

__all__ = ["Framer"]

_HEAD = 6  # ## and four digits
_TAIL = 4  # check code
_LINE_END = b"\r\n"
_END = re.compile(rb"&&[0-9A-Fa-f]{4}(?=[\r\n]|[ \t\x00]*##)")
_END_AT_CLOSE = re.compile(rb"&&[0-9A-Fa-f]{4}(?=[\r\n]|[ \t\x00]*(?:##|\Z))")
_HEX4 = re.compile(rb"[0-9A-Fa-f]{4}")
_HASHES = re.compile(rb"#{3,}")
_NEW_HEAD = re.compile(rb"##[0-9]{4}(?:QN|ST)=", re.IGNORECASE)


class _Piece(NamedTuple):
    """What stands from here to `stop`; a piece of no length means: wait for more."""

    stop: int
    reason: str | None  # None: a packet


class Framer:
    """Cut a stream into frames; `feed` whatever was read, `flush` at close.

    A frame's data has no line end. Memory is bounded: never more than `max_segment` + 10 bytes (or `max_buffer`, if
    that is less) are held back between two reads. Neighbouring garbage of one read is one frame.
    """

    def __init__(self, max_segment: int = 8192, max_buffer: int = 65536) -> None:
        self.max_segment = max_segment
        self.limit = min(max_segment + _HEAD + _TAIL, max_buffer)
        self._held = b""
        self._after_packet = False  # the stream stands behind a packet whose line end may still come

    @property
    def pending(self) -> int:
        """Bytes held back because their frame is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that are complete now, in the order of the stream."""
        return self._cut(self._held + data if self._held else bytes(data), closing=False)

    def flush(self) -> list[Frame]:
        """What remains at close: a packet whose line end never came, or garbage."""
        return self._cut(self._held, closing=True)

    def _cut(self, stream: bytes, *, closing: bool) -> list[Frame]:
        frames: list[Frame] = []
        position, end = 0, len(stream)
        garbage = -1  # where a run of garbage begins
        garbage_reason = ""
        while position < end:
            if self._after_packet:
                while position < end and stream[position] in _LINE_END:
                    position += 1
                if position == end:
                    break
                self._after_packet = False
            stop, reason = self._next(stream, position, closing)
            if stop == position:
                break
            if reason is not None:
                if garbage < 0:
                    garbage, garbage_reason = position, reason
            else:
                if garbage >= 0:
                    frames.append(Frame(stream[garbage:position], "garbage", garbage_reason))
                    garbage = -1
                bare = stop < end and stream[stop] not in _LINE_END
                frames.append(Frame(stream[position:stop], "packet", "stream.no_crlf" if bare else None))
                self._after_packet = True
            position = stop
        if garbage >= 0:
            frames.append(Frame(stream[garbage:position], "garbage", garbage_reason))
        self._held = stream[position:]
        return frames

    def _next(self, stream: bytes, start: int, closing: bool) -> _Piece:
        head = stream.find(b"##", start)
        if head < 0:
            half = not closing and stream.endswith(b"#")  # perhaps half a head
            return _Piece(len(stream) - half, "stream.garbage")
        run = _HASHES.match(stream, head)
        if run is not None:  # only the last two can be a head
            head = run.end() - 2
        if head > start:
            return _Piece(head, "stream.garbage")
        stop = self._declared_stop(stream, head)
        if stop and _ends_well(stream, stop):
            return _Piece(stop, None)
        return self._search(stream, head, stop, closing)

    def _declared_stop(self, stream: bytes, head: int) -> int:
        """Where the packet stops by its length (perhaps behind the stream); 0 if the length cannot be used."""
        digits = stream[head + 2 : head + _HEAD]
        if len(digits) == 4 and digits.isdigit():
            length = int(digits)
            if length <= self.max_segment:
                return head + _HEAD + length + _TAIL
        return 0

    def _search(self, stream: bytes, head: int, stop: int, closing: bool) -> _Piece:
        """Find the end of the packet at `head` although its length lies or it is not complete."""
        following = stream.find(b"##", head + 1)
        visible = following + 2 if following >= 0 else len(stream)
        end = (_END_AT_CLOSE if closing else _END).search(stream, head + _HEAD, visible)
        if end is not None:
            return _Piece(end.end(), None if end.end() - head <= self.limit else "stream.too_long")
        if following >= 0 and (stop <= len(stream) or closing or _NEW_HEAD.match(stream, following)):
            return _Piece(following, "stream.truncated" if following >= head + _HEAD else "stream.garbage")
        if closing:
            return _Piece(len(stream), "stream.unfinished")
        if len(stream) - head > self.limit:
            return _Piece(len(stream), "stream.too_long")
        return _Piece(head, "stream.unfinished")


def _ends_well(stream: bytes, stop: int) -> bool:
    """True if `&&` and a check code stand in front of `stop` (a wrong check code is the decoder's business)."""
    if stop > len(stream) or stream[stop - 6 : stop - 4] != b"&&":
        return False
    return stream[stop : stop + 1] in (b"\r", b"\n") or _HEX4.match(stream, stop - 4, stop) is not None
