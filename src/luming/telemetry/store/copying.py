"""Buffers of PostgreSQL's binary COPY format, built whole: no work per value.

The format is a header, then for each row the count of fields and for each field its length and bytes (-1 for NULL),
then -1. See "Binary Format" under COPY in PostgreSQL's manual.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from luming.telemetry.store.rows import PacketRow, micros

_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
POSTGRES_EPOCH = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970

PACKET_COLUMNS = (
    "id", "received_at", "connection_id", "device_id", "cn", "new", "repeated", "revised", "direction", "verdict",
    "mn", "peer", "st", "qn", "reason", "codes", "body",
)  # fmt: skip


def columns_buffer(columns: Sequence[np.ndarray]) -> bytes:
    """Return the COPY buffer of columns of equal length.

    Integers are sent in their own width; floats as double precision with NaN as NULL; bytes (``S``) as text of their
    own length with the empty text as NULL.
    """
    dtype: list[tuple[str, str]] = [("count", ">i2")]
    for i, column in enumerate(columns):
        kind = (
            f"S{column.dtype.itemsize}" if column.dtype.kind == "S" else f">{column.dtype.kind}{column.dtype.itemsize}"
        )
        dtype += [(f"length{i}", ">i4"), (f"value{i}", kind)]
    rows = np.empty(len(columns[0]), np.dtype(dtype))
    rows["count"] = len(columns)
    dropped: list[
        tuple[int, int, np.ndarray]
    ] = []  # bytes first to last of a row that are not sent where the mask says
    for i, column in enumerate(columns):
        offset = rows.dtype.fields[f"value{i}"][1]
        size = column.dtype.itemsize
        rows[f"value{i}"] = column
        if column.dtype.kind == "S":
            lengths = np.char.str_len(column)
            rows[f"length{i}"] = np.where(lengths == 0, -1, lengths)
            shortest = int(lengths.min(initial=size))
            dropped += [(offset + byte, offset + byte + 1, lengths <= byte) for byte in range(shortest, size)]
        elif column.dtype.kind == "f" and (missing := np.isnan(column)).any():
            rows[f"length{i}"] = np.where(missing, -1, size)
            dropped.append((offset, offset + size, missing))
        else:
            rows[f"length{i}"] = size
    if not dropped:
        return _HEADER + rows.tobytes() + _TRAILER
    kept = np.ones((len(rows), rows.dtype.itemsize), bool)
    for first, last, mask in dropped:
        kept[mask, first:last] = False
    return _HEADER + rows.view(np.uint8).reshape(kept.shape)[kept].tobytes() + _TRAILER


_PACKET = struct.Struct(">h iq iq")  # field count, id, received_at
_COUNTS = struct.Struct(">ih ih ih ic ic")  # new, repeated, revised, direction, verdict
_INT4 = struct.Struct(">ii")
_INT8 = struct.Struct(">iq")


def packets_buffer(packets: Sequence[PacketRow], counts: Sequence[tuple[int, int, int]]) -> bytes:
    """Return the COPY buffer of packets with the (new, repeated, revised) counts of each."""
    parts = [_HEADER]
    for packet, (new, repeated, revised) in zip(packets, counts, strict=True):
        parts += (
            _PACKET.pack(len(PACKET_COLUMNS), 8, packet.id, 8, micros(packet.received_at) - POSTGRES_EPOCH),
            _NULL if packet.connection_id is None else _INT8.pack(8, packet.connection_id),
            _integer(packet.device_id),
            _integer(packet.cn),
            _COUNTS.pack(2, new, 2, repeated, 2, revised, 1, packet.direction.encode(), 1, packet.verdict.encode()),
            _text(packet.mn),
            _text(packet.peer),
            _text(packet.st),
            _NULL if packet.qn is None else _text.__wrapped__(packet.qn),  # each is different: not worth a place
            _text(packet.reason),
            _texts(tuple(packet.codes)),
            struct.pack(">i", len(packet.body)),
            packet.body,
        )
    parts.append(_TRAILER)
    return b"".join(parts)


def _integer(value: int | None) -> bytes:
    """A number that no column can hold came from a mangled packet, which is kept as bytes anyway."""
    return _NULL if value is None or not -(2**31) <= value < 2**31 else _INT4.pack(4, value)


@lru_cache(maxsize=65536)
def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")  # PostgreSQL's text has no NUL
    return struct.pack(">i", len(data)) + data


@lru_cache(maxsize=4096)
def _texts(values: tuple[str, ...]) -> bytes:
    text_oid = 25
    if values:
        data = struct.pack(">iiiii", 1, 0, text_oid, len(values), 1) + b"".join(map(_text, values))
    else:
        data = struct.pack(">iii", 0, 0, text_oid)
    return struct.pack(">i", len(data)) + data


def array_parameter(oid: int, values: np.ndarray) -> bytes:
    """Return a one-dimensional array of integers without NULL in PostgreSQL's binary form."""
    size = values.dtype.itemsize
    elements = np.empty(len(values), [("length", ">i4"), ("value", f">i{size}")])
    elements["length"], elements["value"] = size, values
    return struct.pack(">iiiii", 1, 0, oid, len(values), 1) + elements.tobytes()


def parse_array(data: Any, dtype: str) -> np.ndarray:
    """Read a one-dimensional array without NULL from PostgreSQL's binary form; ``dtype`` is big-endian."""
    buffer = bytes(data)
    dimensions = struct.unpack_from(">i", buffer)[0]
    if dimensions == 0:
        return np.empty(0, np.dtype(dtype).newbyteorder("="))
    elements = np.frombuffer(buffer, [("length", ">i4"), ("value", dtype)], offset=20)
    return elements["value"].astype(np.dtype(dtype).newbyteorder("="))
