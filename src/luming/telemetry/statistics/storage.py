"""The table of statistics: the only SQL that writes it, and the reading of whole columns for the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime

import numpy as np

from luming import __version__
from luming.telemetry.statistics import digests
from luming.telemetry.store import connecting
from luming.telemetry.store.copying import POSTGRES_EPOCH, columns_buffer
from luming.telemetry.store.rows import micros

LOCK = 7_215  # advisory: one computation at a time, whoever asks for it
_COLUMNS = (
    "place_id", "factor", "measure", "kind", "start", "revision", "value", "rounded", "valid", "reason", "count",
    "expected", "required", "substituted", "weight", "unit", "method", "decimals", "source", "edition", "rule",
    "verified", "digest", "deviation", "as_of", "computed_at", "software",
)  # fmt: skip


@dataclass(slots=True)
class Figures:
    """Computed statistics of one factor, measure and kind of period: columns of equal length, in any order.

    Texts are UTF-8 bytes (dtype ``S``). ``start`` is datetime64[us] in UTC; NaN where there is no value.
    """

    factor: str
    measure: str
    kind: str
    unit: str
    place: np.ndarray
    start: np.ndarray
    value: np.ndarray
    rounded: np.ndarray
    valid: np.ndarray
    reason: np.ndarray
    count: np.ndarray
    expected: np.ndarray
    required: np.ndarray
    substituted: np.ndarray
    weight: np.ndarray
    method: np.ndarray
    decimals: np.ndarray
    source: np.ndarray
    edition: np.ndarray
    rule: np.ndarray
    verified: np.ndarray
    digest: np.ndarray
    deviation: np.ndarray

    def __len__(self) -> int:
        return len(self.place)

    def take(self, selection: np.ndarray) -> Figures:
        """Return the selected rows."""
        texts = [getattr(self, name) for name in ("factor", "measure", "kind", "unit")]
        return Figures(*texts, *(getattr(self, item.name)[selection] for item in fields(self)[4:]))


def joined(parts: Sequence[Figures]) -> Figures:
    """Join figures of one factor, measure and kind."""
    texts = [getattr(parts[0], name) for name in ("factor", "measure", "kind", "unit")]
    columns = [item.name for item in fields(Figures)[4:]]
    return Figures(*texts, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


@dataclass(frozen=True, slots=True)
class Change:
    """What a storing changed: places and starts of one factor, measure and kind."""

    factor: str
    measure: str
    kind: str
    place: np.ndarray
    start: np.ndarray


@dataclass(slots=True)
class Held:
    """The latest revision of stored statistics as columns, in the order of place and start."""

    place: np.ndarray
    start: np.ndarray
    revision: np.ndarray
    value: np.ndarray
    valid: np.ndarray
    reason: np.ndarray
    count: np.ndarray
    expected: np.ndarray
    required: np.ndarray
    substituted: np.ndarray
    weight: np.ndarray
    source: np.ndarray
    edition: np.ndarray
    digest: np.ndarray
    deviation: np.ndarray
    unit: str = field(default="")

    def __len__(self) -> int:
        return len(self.place)

    def take(self, selection: np.ndarray) -> Held:
        """Return the selected rows."""
        return Held(*(getattr(self, name)[selection] for name in Held.__slots__ if name != "unit"), unit=self.unit)


_HELD = (
    ("place", "place_id", "i8"), ("start", "(extract(epoch FROM start) * 1000000)::bigint", "datetime64[us]"),
    ("revision", "revision", "i4"), ("value", "coalesce(value, 'NaN')", "f8"), ("valid", "valid", "?"),
    ("reason", "reason", "i4"), ("count", "count", "i8"), ("expected", "expected", "i8"),
    ("required", "required", "i8"), ("substituted", "substituted", "i8"),
    ("weight", "coalesce(weight, 'NaN')", "f8"), ("source", "source", "S12"),
    ("edition", "edition", "S120"), ("digest", "digest", "S64"), ("deviation", "coalesce(deviation, 'NaN')", "f8"),
)  # fmt: skip


def held(
    place_ids: Iterable[int], factor: str, measure: str, kind: str, start: datetime, end: datetime,
    *, as_of: datetime | None = None,
) -> Held:  # fmt: skip
    """Return the latest revisions (known at ``as_of``) of periods that begin in [start, end)."""
    known = "" if as_of is None else " AND computed_at <= %s"
    columns = ", ".join(expression for _name, expression, _dtype in _HELD)
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (place_id, s.start) {columns}, unit FROM statistics_statistic AS s"
            " WHERE place_id = ANY(%s) AND measure = %s AND kind = %s AND factor = %s AND s.start >= %s"
            f" AND s.start < %s{known} ORDER BY place_id, s.start, revision DESC",
            (sorted(set(place_ids)), measure, kind, factor, start, end, *([] if as_of is None else [as_of])),
        )
        rows = cursor.fetchall()
    parts = list(zip(*rows, strict=True)) or [()] * (len(_HELD) + 1)
    arrays = [
        np.array([text.encode() for text in part], dtype) if dtype[0] == "S" else np.array(part, dtype)
        for (_name, _expression, dtype), part in zip(_HELD, parts, strict=False)
    ]
    return Held(*arrays, unit=(parts[-1][-1] or "") if rows else "")


def keys(place: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return one number per place and start, in their order; periods begin at full minutes since 1970."""
    minutes = np.asarray(start, "datetime64[us]").astype("datetime64[m]").astype(np.int64)
    return (np.asarray(place, np.int64) << 28) | minutes


def store(
    figures: Figures, place_ids: Iterable[int], start: datetime, end: datetime, moment: datetime,
    *, concerns: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Change:  # fmt: skip
    """Append what says something new about the places in [start, end); return what changed.

    Parameters
    ----------
    moment : up to which the inputs were read.
    concerns : (places, starts) -> which of them were to be computed: a stored one among these that was not computed has
        lost its inputs and gets a revision without a value.
    """
    known = held(place_ids, figures.factor, figures.measure, figures.kind, start, end)
    if concerns is not None:
        figures = _with_lost(figures, known, concerns(known.place, known.start))
    revision, news = _news(figures, known)
    fresh = figures.take(news)
    if len(fresh):
        _copy(fresh, revision[news], moment)
    return Change(figures.factor, figures.measure, figures.kind, fresh.place, fresh.start)


def _news(figures: Figures, known: Held) -> tuple[np.ndarray, np.ndarray]:
    """Return the revision that each figure would have and which figures say something new."""
    if not len(known):
        return np.zeros(len(figures), np.int16), np.ones(len(figures), bool)
    own, theirs = keys(figures.place, figures.start), keys(known.place, known.start)
    at = np.searchsorted(theirs, own).clip(max=len(theirs) - 1)
    found = theirs[at] == own
    same = found.copy()
    for name in ("valid", "reason", "count", "expected", "required", "substituted", "source", "edition", "digest"):
        same &= getattr(figures, name) == getattr(known, name)[at]
    for name in ("value", "weight", "deviation"):
        mine, stored = getattr(figures, name), getattr(known, name)[at]
        same &= (mine == stored) | (np.isnan(mine) & np.isnan(stored))
    return np.where(found, known.revision[at] + 1, 0).astype(np.int16), ~same


def _with_lost(figures: Figures, known: Held, concerned: np.ndarray) -> Figures:
    """Add a figure without a value for each stored one that has a value and was not computed again."""
    lost = (
        concerned
        & ~np.isin(keys(known.place, known.start), keys(figures.place, figures.start))
        & ~np.isnan(known.value)
    )
    if not lost.any():
        return figures
    number = int(lost.sum())
    nothing = {
        "place": known.place[lost], "start": known.start[lost], "value": np.full(number, np.nan),
        "rounded": np.full(number, np.nan), "valid": np.zeros(number, bool), "reason": np.ones(number, np.int64),
        "count": np.zeros(number, np.int64), "expected": known.expected[lost], "required": known.required[lost],
        "substituted": np.zeros(number, np.int64), "weight": np.full(number, np.nan),
        "method": np.full(number, b"none"), "decimals": np.zeros(number, np.int64),
        "source": known.source[lost], "edition": known.edition[lost],
        "rule": np.full(number, b""), "verified": np.zeros(number, bool), "digest": np.full(number, digests.EMPTY),
        "deviation": np.full(number, np.nan),
    }  # fmt: skip
    texts = [getattr(figures, name) for name in ("factor", "measure", "kind", "unit")]
    return Figures(*texts, *(np.concatenate([getattr(figures, name), column]) for name, column in nothing.items()))


def _copy(fresh: Figures, revision: np.ndarray, moment: datetime) -> None:
    number = len(fresh)

    def text(value: str) -> np.ndarray:
        return np.full(number, value.encode())

    def instant(value: datetime) -> np.ndarray:
        return np.full(number, micros(value) - POSTGRES_EPOCH, np.int64)

    columns: Sequence[np.ndarray] = (
        fresh.place.astype(np.int64), text(fresh.factor), text(fresh.measure), text(fresh.kind),
        fresh.start.astype("datetime64[us]").astype(np.int64) - POSTGRES_EPOCH, revision.astype(np.int16),
        fresh.value, fresh.rounded, fresh.valid.astype(np.uint8), fresh.reason.astype(np.int16),
        fresh.count.astype(np.int32), fresh.expected.astype(np.int32), fresh.required.astype(np.int32),
        fresh.substituted.astype(np.int32), fresh.weight, text(fresh.unit), fresh.method,
        fresh.decimals.astype(np.int16), fresh.source, fresh.edition, fresh.rule,
        fresh.verified.astype(np.uint8), fresh.digest, fresh.deviation,
        instant(moment), instant(max(moment, datetime.now(UTC))), text(__version__[:20]),
    )  # fmt: skip
    with (
        connecting.reading() as cursor,
        cursor.copy(f"COPY statistics_statistic ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(columns_buffer(columns))


def clock() -> datetime:
    """Return the database's clock, by which moments of knowledge are told."""
    with connecting.reading() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)


def stored_days(start: datetime, end: datetime, place_ids: Sequence[int] | None = None) -> set[tuple[int, date]]:
    """Return the (place, day of the city) pairs of [start, end) of which figures of days are stored.

    Substituted amounts do not count: those of days without data follow from the days that have some.
    """
    mine = "" if place_ids is None else " AND place_id = ANY(%s)"
    with connecting.reading() as cursor:
        cursor.execute(
            "SELECT DISTINCT place_id, (start AT TIME ZONE 'Asia/Shanghai')::date FROM statistics_statistic"
            f" WHERE kind = 'day' AND measure <> 'substituted' AND start >= %s AND start < %s{mine}",
            (start, end, *([] if place_ids is None else [list(place_ids)])),
        )
        return set(cursor.fetchall())
