"""What goes into the store and what comes out: plain rows, and columns of numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

import numpy as np

INTERVALS = ("realtime", "minute", "hour", "day")
INTERVAL_CODES = {name: code for code, name in enumerate(INTERVALS)}
FLAG_BYTES = 8  # longer marks are cut: the packet keeps them whole

UNIX = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return an aware instant as microseconds since 1970."""
    return (moment - UNIX) // _MICROSECOND


def moment(value: int | np.integer[Any]) -> datetime:
    """Return microseconds since 1970 as an aware instant (UTC)."""
    return UNIX + timedelta(microseconds=int(value))


@dataclass(slots=True)
class PacketRow:
    """A packet to store, byte for byte.

    ``direction``: I from the device, O to it. ``verdict``: A accepted, H held, R rejected; ``reason`` says why it was
    not accepted, ``codes`` are the diagnostic codes.
    """

    id: int
    received_at: datetime
    direction: str
    connection_id: int | None
    device_id: int | None
    mn: str | None
    peer: str | None
    st: str | None
    cn: int | None
    qn: str | None
    body: bytes
    verdict: str
    reason: str | None = None
    codes: Sequence[str] = ()


class ObservationRow(NamedTuple):
    """One period of one series as received; ``start`` is aware. A tuple, because a gateway makes 30,000 per second."""

    series_id: int
    place_id: int
    interval: str
    start: datetime
    value: float | None
    minimum: float | None
    maximum: float | None
    converted: float | None
    amount: float | None
    flag: str | None
    packet_id: int


@dataclass(slots=True)
class ObservationColumns:
    """Many observations as numpy arrays of equal length.

    ``series_id`` and ``place_id`` int32, ``interval`` int8 (index in :data:`INTERVALS`), ``start`` int64 microseconds
    since 1970, the figures float64 with NaN for none, ``flag`` bytes (S8, empty for none), ``packet_id`` int64.
    """

    series_id: np.ndarray
    place_id: np.ndarray
    interval: np.ndarray
    start: np.ndarray
    value: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    converted: np.ndarray
    amount: np.ndarray
    flag: np.ndarray
    packet_id: np.ndarray

    @classmethod
    def make(
        cls,
        *,
        series_id: Any,
        place_id: Any,
        interval: Any,
        start: Any,
        packet_id: Any,
        value: Any = np.nan,
        minimum: Any = np.nan,
        maximum: Any = np.nan,
        converted: Any = np.nan,
        amount: Any = np.nan,
        flag: Any = b"",
    ) -> Self:
        """Make columns from arrays and scalars; scalars are repeated.

        Parameters
        ----------
        interval : names or codes.
        start : datetime64 (UTC) or int64 microseconds since 1970.
        flag : text or bytes.
        """
        names = np.asarray(interval)
        if names.dtype.kind == "U":
            kinds, inverse = np.unique(names, return_inverse=True)
            names = np.array([INTERVAL_CODES[kind] for kind in kinds.tolist()], np.int8)[inverse].reshape(names.shape)
        starts = np.asarray(start)
        if starts.dtype.kind == "M":
            starts = starts.astype("datetime64[us]")
        columns = np.broadcast_arrays(
            np.asarray(series_id, np.int32),
            np.asarray(place_id, np.int32),
            names.astype(np.int8),
            starts.astype(np.int64),
            *(np.asarray(figure, np.float64) for figure in (value, minimum, maximum, converted, amount)),
            np.asarray(flag).astype(f"S{FLAG_BYTES}"),
            np.asarray(packet_id, np.int64),
        )
        return cls(*(np.atleast_1d(column) for column in columns))

    @classmethod
    def from_rows(cls, rows: Sequence[ObservationRow]) -> Self:
        """Make columns from rows (about half a microsecond per row)."""
        if not rows:
            return cls.make(series_id=[], place_id=[], interval=np.array([], np.int8), start=[], packet_id=[])
        series, place, interval, start, value, minimum, maximum, converted, amount, flag, packet = zip(
            *rows, strict=True
        )
        instants = {instant: micros(instant) for instant in set(start)}
        flags = {mark: _flag(mark) for mark in set(flag)}
        count = len(rows)
        return cls(
            np.fromiter(series, np.int32, count),
            np.fromiter(place, np.int32, count),
            np.fromiter((INTERVAL_CODES[name] for name in interval), np.int8, count),
            np.fromiter((instants[instant] for instant in start), np.int64, count),
            *(np.array(figure, np.float64) for figure in (value, minimum, maximum, converted, amount)),
            np.array([flags[mark] for mark in flag], f"S{FLAG_BYTES}"),
            np.fromiter(packet, np.int64, count),
        )

    @classmethod
    def concatenate(cls, parts: Iterable[Self]) -> Self:
        """Join columns one after the other."""
        parts = list(parts)
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))

    def __len__(self) -> int:
        return len(self.series_id)

    def take(self, selection: np.ndarray | slice) -> ObservationColumns:
        """Return the selected rows (a mask, positions or a slice)."""
        return ObservationColumns(*(getattr(self, item.name)[selection] for item in fields(self)))


def _flag(mark: str | None) -> bytes:
    return mark.encode("ascii", "replace").replace(b"\0", b"?")[:FLAG_BYTES] if mark else b""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """How many packets were stored, and what their observations were."""

    packets: int = 0
    new: int = 0
    repeated: int = 0
    revised: int = 0

    def __add__(self, other: WriteResult) -> WriteResult:
        return WriteResult(
            self.packets + other.packets,
            self.new + other.new,
            self.repeated + other.repeated,
            self.revised + other.revised,
        )


@dataclass(frozen=True, slots=True)
class Release:
    """That a kept packet was read again later: adopted, released by a person, or re-read after a code was mapped."""

    packet_id: int
    released_at: datetime
    by_id: int | None
    new: int
    repeated: int
    revised: int
    verb: str
    reason: str


@dataclass(frozen=True, slots=True)
class PacketRecord:
    """A stored packet, with what its observations were and when it was read again (oldest release first)."""

    id: int
    received_at: datetime
    direction: str
    connection_id: int | None
    device_id: int | None
    mn: str | None
    peer: str | None
    st: str | None
    cn: int | None
    qn: str | None
    body: bytes
    verdict: str
    reason: str | None
    codes: list[str]
    new: int
    repeated: int
    revised: int
    releases: list[Release] = field(default_factory=list)

    @property
    def is_released(self) -> bool:
        """Tell whether a held packet was let through later."""
        return self.verdict == "H" and bool(self.releases)


@dataclass(frozen=True, slots=True)
class ObservationRecord:
    """A stored observation. ``recorded_at`` is when the platform knew it."""

    series_id: int
    start: datetime
    revision: int
    value: float | None
    minimum: float | None
    maximum: float | None
    converted: float | None
    amount: float | None
    flag: str | None
    packet_id: int
    recorded_at: datetime


@dataclass(slots=True)
class Columns:
    """Stored observations as numpy arrays, ordered by series and start.

    ``start`` is datetime64[us] in UTC; figures are float64 with NaN for none; ``flag`` is text, empty for none.
    """

    series_id: np.ndarray
    start: np.ndarray
    revision: np.ndarray
    value: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    converted: np.ndarray
    amount: np.ndarray
    flag: np.ndarray
    packet_id: np.ndarray

    def __len__(self) -> int:
        return len(self.series_id)

    def take(self, selection: np.ndarray | slice) -> Columns:
        """Return the selected rows."""
        return Columns(*(getattr(self, item.name)[selection] for item in fields(self)))

    def of(self, series_id: int) -> Columns:
        """Return the rows of one series (views, no copies)."""
        first, last = np.searchsorted(self.series_id, [series_id, series_id + 1])
        return Columns(*(getattr(self, item.name)[first:last] for item in fields(self)))
