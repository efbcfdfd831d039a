"""Verdicts: origin × quality of observations, append-only; and what counts, read together with the observations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from luming.telemetry.store import connecting, upkeep
from luming.telemetry.store.reading import fetch
from luming.telemetry.store.rows import micros

_LOCK = 7_214  # class of the advisory locks; the series is the object


class Origin(IntEnum):
    """Where the value that counts comes from."""

    MEASURED = 0
    ESTIMATED = 1  # by the device itself
    SUBSTITUTED = 2  # by the rules for missing data
    MANUAL = 3  # entered by a person: HJ 212 mark S, or a sample taken by hand
    CORRECTED = 4  # replaced by a reviewer


class Quality(IntEnum):
    """Whether it counts: only VALID does."""

    VALID = 0
    SUSPECT = 1
    INVALID = 2
    MISSING = 3


# HJ 212-2017 table 8: N is normal; everything else was not measured in the normal state of the device and the outlet.
NORMAL_LETTERS = ("", "N")
MANUAL_LETTER = "S"
INVALID_LETTER = "I"  # ours: a verdict speaks against a value that the device marks as normal


def of_letter(letter: str) -> tuple[Origin, Quality]:
    """Return what the device's own mark says of a value, before any check.

    HJ 212-2017 table 8: N normal; F the outlet is out of operation, M maintenance, S entered by hand, D fault,
    C calibration, T over the range, B broken communication: the values do not count. Marks that the table does not
    know do not count either.
    """
    if letter in NORMAL_LETTERS:
        return Origin.MEASURED, Quality.VALID
    return Origin.MANUAL if letter == MANUAL_LETTER else Origin.MEASURED, Quality.INVALID


class VerdictRow(NamedTuple):
    """A verdict to store.

    ``revision`` is that of the observation judged (-1: there is none, as for a missing period that is substituted);
    ``value`` is what counts instead of the observed one, None to keep that; ``checks`` are "CODE:result" of the checks
    that spoke (result 3 suspect, 4 fail, as in luming.science.qc); ``source`` says what made it: "checks", "review:7",
    "mark:12", "substitution" …; ``edition`` names the catalogue or rule.
    """

    series_id: int
    start: datetime
    revision: int
    origin: int
    quality: int
    source: str
    edition: str
    letter: str = ""
    checks: Sequence[str] = ()
    value: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """A stored verdict; ``sequence`` counts the verdicts of one period, the highest one holds."""

    series_id: int
    start: datetime
    sequence: int
    revision: int
    origin: int
    quality: int
    value: float | None
    letter: str
    checks: tuple[str, ...]
    source: str
    reason: str
    edition: str
    person_id: int | None
    at: datetime


_FIELDS = (
    "series_id, start, sequence, revision, origin, quality, value, coalesce(letter, ''), checks, source,"
    " coalesce(reason, ''), edition, person_id, at"
)


def write_verdicts(rows: Sequence[VerdictRow], *, person_id: int | None = None) -> int:
    """Append verdicts that say something new; return how many were stored. Call it inside a transaction.

    Without a person: what says the same as the verdict that holds is left out, and so is what the platform would say of
    an observation on which a person has decided (a newer revision of it is judged again). A row that says no more than
    the device's mark is stored only where an earlier verdict must be replaced.
    """
    if not rows:
        return 0
    rows = sorted({(row.series_id, row.start): row for row in rows}.values(), key=lambda row: (row[0], row[1]))
    hold_verdicts(row.series_id for row in rows)
    with connecting.reading() as cursor:
        held = _held(cursor, rows)
        fresh = [row for row in rows if _is_news(row, held.get((row.series_id, row.start)), person_id)]
        if not fresh:
            return 0
        starts = np.fromiter((micros(row.start) for row in fresh), np.int64, len(fresh))
        for month in sorted(upkeep.months_of(starts)):
            upkeep.make_partition(cursor.connection, "verdict", month)
        with cursor.copy(
            "COPY telemetry_verdict (series_id, start, sequence, revision, origin, quality, value, letter, checks,"
            " source, reason, edition, person_id) FROM STDIN"
        ) as copy:
            for row in fresh:
                before = held.get((row.series_id, row.start))
                copy.write_row((
                    row.series_id, row.start, 0 if before is None else before.sequence + 1, row.revision,
                    int(row.origin), int(row.quality), row.value, row.letter or None, list(row.checks), row.source,
                    row.reason or None, row.edition, person_id,
                ))  # fmt: skip
    return len(fresh)


def hold_verdicts(series_ids: Iterable[int]) -> datetime:
    """Keep others from writing verdicts on some series until the transaction ends; return the database's present.

    What they write afterwards bears a later time: what is read now can be asked again as of the returned instant.
    """
    with connecting.reading() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, id) FROM unnest(%s::int[]) AS id", (_LOCK, sorted(set(series_ids)))
        )
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)


def _held(cursor: Any, rows: Sequence[VerdictRow]) -> dict[tuple[int, datetime], VerdictRecord]:
    cursor.execute(
        f"""
        SELECT latest.* FROM unnest(%s::int[], %s::timestamptz[]) AS wanted (series_id, start) CROSS JOIN LATERAL (
            SELECT {_FIELDS} FROM telemetry_verdict AS v
            WHERE v.series_id = wanted.series_id AND v.start = wanted.start AND v.start BETWEEN %s AND %s
            ORDER BY sequence DESC LIMIT 1
        ) AS latest
        """,
        (
            [row.series_id for row in rows],
            [row.start for row in rows],
            min(row.start for row in rows),
            max(row.start for row in rows),
        ),
    )
    return {(record.series_id, record.start): record for record in map(_record, cursor.fetchall())}


def _is_news(row: VerdictRow, held: VerdictRecord | None, person_id: int | None) -> bool:
    if person_id is not None:
        return True
    if held is None:
        plain = of_letter(row.letter) == (row.origin, row.quality) and row.value is None and not row.checks
        return not (plain and row.revision >= 0)
    if held.person_id is not None and held.revision == row.revision:
        return False
    said = (held.revision, held.origin, held.quality, held.value, held.letter, held.checks, held.edition)
    return said != (row.revision, row.origin, row.quality, row.value, row.letter, tuple(row.checks), row.edition)


def _record(row: Sequence[Any]) -> VerdictRecord:
    values = list(row)
    values[1], values[13] = values[1].astimezone(UTC), values[13].astimezone(UTC)
    values[8] = tuple(values[8])
    return VerdictRecord(*values)


def verdicts(
    series_ids: Iterable[int], start: datetime, end: datetime, *, as_of: datetime | None = None, latest: bool = True
) -> list[VerdictRecord]:
    """Return the verdicts of periods that begin in [start, end), ordered by series, start and sequence.

    Parameters
    ----------
    as_of : only what was known at that moment.
    latest : only the one that holds for each period; else all.
    """
    distinct = "DISTINCT ON (series_id, start)" if latest else ""
    order = "sequence DESC" if latest else "sequence"
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT {distinct} {_FIELDS} FROM telemetry_verdict"
            " WHERE series_id = ANY(%s) AND start >= %s AND start < %s AND at <= %s"
            f" ORDER BY series_id, start, {order}",
            (sorted(set(series_ids)), start, end, as_of or datetime.max.replace(tzinfo=UTC, year=9000)),
        )
        return [_record(row) for row in cursor.fetchall()]


def verdict_history(series_id: int, start: datetime) -> list[VerdictRecord]:
    """Return all verdicts on one period, first to last."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_FIELDS} FROM telemetry_verdict WHERE series_id = %s AND start = %s ORDER BY sequence",
            (series_id, start),
        )
        return [_record(row) for row in cursor.fetchall()]


@dataclass(slots=True)
class Effective:
    """Observations with the verdict that holds, ordered by series and start; figures float64 with NaN for none.

    ``value``, ``converted`` … are the observed ones; ``used`` is what counts: the verdict's own value where it has
    one, else the observed ``value``. ``counts`` tells whether it may enter a statistic, index, judgement or disclosure:
    quality VALID and a value. ``replaced`` is true where ``used`` is not the observed value; ``used_converted`` and
    ``used_amount`` follow it in proportion, because oxygen and flow were measured by others. ``sequence`` is that of
    the verdict, -1 where the device's mark alone decides. A verdict on an older revision of an observation does not
    hold.
    """

    series_id: np.ndarray
    start: np.ndarray  # datetime64[us], UTC
    revision: np.ndarray  # -1: no observation, the verdict alone gives the value
    value: np.ndarray
    minimum: np.ndarray
    maximum: np.ndarray
    converted: np.ndarray
    amount: np.ndarray
    flag: np.ndarray
    packet_id: np.ndarray
    origin: np.ndarray  # int8
    quality: np.ndarray  # int8
    sequence: np.ndarray  # int16
    used: np.ndarray
    used_converted: np.ndarray
    used_amount: np.ndarray
    replaced: np.ndarray

    def __len__(self) -> int:
        return len(self.series_id)

    @property
    def letters(self) -> np.ndarray:
        """Return N for what counts; else the device's mark, or I (invalid) where it is not the mark that speaks."""
        own = np.where(np.isin(self.flag, NORMAL_LETTERS), INVALID_LETTER, self.flag)
        return np.where(self.quality == Quality.VALID, "N", own)

    @property
    def counts(self) -> np.ndarray:
        """Return the mask of what may be used."""
        return (self.quality == Quality.VALID) & ~np.isnan(self.used)

    def take(self, selection: np.ndarray | slice) -> Effective:
        """Return the selected rows."""
        return Effective(*(getattr(self, item.name)[selection] for item in fields(self)))

    def of(self, series_id: int) -> Effective:
        """Return the rows of one series (views, no copies)."""
        first, last = np.searchsorted(self.series_id, [series_id, series_id + 1])
        return Effective(*(getattr(self, item.name)[first:last] for item in fields(self)))


_OBSERVED = ("start", "revision", "value", "minimum", "maximum", "converted", "amount", "flag", "packet_id")


def effective(series_ids: Iterable[int], start: datetime, end: datetime, *, as_of: datetime | None = None) -> Effective:
    """Return the latest observations that begin in [start, end) with the verdicts that hold; see :class:`Effective`.

    ``as_of`` asks what counted as far as was known at that moment.
    """
    wanted = sorted(set(series_ids))
    observed = fetch(_OBSERVED, wanted, start, end, as_of=as_of)
    ruled = columns(wanted, start, end, as_of)
    parts = [
        _joined(series_id, observed.get(series_id), ruled.get(series_id))
        for series_id in wanted
        if series_id in observed or series_id in ruled
    ]
    if not parts:
        parts = [_joined(0, None, None)]
    return Effective(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Effective)))


_EMPTY = {
    "start": np.empty(0, "datetime64[us]"), "revision": np.empty(0, np.int16), "flag": np.empty(0, "U8"),
    "packet_id": np.empty(0, np.int64),
    **{name: np.empty(0) for name in ("value", "minimum", "maximum", "converted", "amount")},
}  # fmt: skip


def _joined(series_id: int, observed: dict[str, np.ndarray] | None, ruled: np.ndarray | None) -> Effective:
    """Join the observations of one series with its verdicts."""
    seen = _EMPTY if observed is None else observed
    if ruled is not None:
        alone = ruled[(ruled["revision"] < 0) & ~np.isin(ruled["start"], seen["start"])]
        if len(alone):
            seen = _with_rows(seen, alone["start"])
    count = len(seen["start"])
    letters, position = np.unique(seen["flag"], return_inverse=True)
    plain = [of_letter(str(letter)) for letter in letters]
    origin = np.array([pair[0] for pair in plain], np.int8)[position] if count else np.empty(0, np.int8)
    quality = np.array([pair[1] for pair in plain], np.int8)[position] if count else np.empty(0, np.int8)
    sequence, used = np.full(count, -1, np.int16), seen["value"].copy()
    replaced = np.zeros(count, bool)
    if ruled is not None and len(ruled) and count:
        at = np.searchsorted(ruled["start"], seen["start"]).clip(max=len(ruled) - 1)
        found = ruled[at]
        holds = (found["start"] == seen["start"]) & (found["revision"] == seen["revision"])
        origin[holds], quality[holds] = found["origin"][holds], found["quality"][holds]
        sequence[holds] = found["sequence"][holds]
        replaced = holds & ~np.isnan(found["value"])
        used[replaced] = found["value"][replaced]
    scale = np.divide(used, seen["value"], out=np.full(count, np.nan), where=replaced & (seen["value"] > 0))
    scale[~replaced] = 1.0
    # A period whose value never came is missing, unless something other than the value was measured.
    nothing = np.isnan(used) & (quality == Quality.VALID)
    for name in ("converted", "amount", "minimum", "maximum"):
        nothing &= np.isnan(seen[name])
    quality[nothing] = Quality.MISSING
    return Effective(
        np.full(count, series_id, np.int32),
        *(seen[name] for name in _OBSERVED),
        origin,
        quality,
        sequence,
        used,
        seen["converted"] * scale,
        seen["amount"] * scale,
        replaced,
    )


def _with_rows(seen: dict[str, np.ndarray], starts: np.ndarray) -> dict[str, np.ndarray]:
    """Add periods without an observation, in order of time."""
    more = {name: np.full(len(starts), np.nan) for name in ("value", "minimum", "maximum", "converted", "amount")}
    more |= {
        "start": starts, "revision": np.full(len(starts), -1, np.int16), "flag": np.full(len(starts), "", "U8"),
        "packet_id": np.zeros(len(starts), np.int64),
    }  # fmt: skip
    joined = {name: np.concatenate([seen[name], more[name]]) for name in _OBSERVED}
    order = np.argsort(joined["start"], kind="stable")
    return {name: column[order] for name, column in joined.items()}


_RULED = np.dtype([
    ("start", "datetime64[us]"), ("sequence", np.int16), ("revision", np.int16), ("origin", np.int8),
    ("quality", np.int8), ("value", np.float64),
])  # fmt: skip


def columns(
    series_ids: Sequence[int], start: datetime, end: datetime, as_of: datetime | None = None
) -> dict[int, np.ndarray]:
    """Return the verdict that holds for each period that has one, by series, in order of time."""
    until = "" if as_of is None else " AND at <= %s"
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            "SELECT series_id, string_agg(timestamptz_send(start) || int2send(sequence) || int2send(revision)"
            " || int2send(origin) || int2send(quality) || float8send(coalesce(value, 'NaN')), ''::bytea)"
            " FROM telemetry_verdict WHERE series_id = ANY(%s) AND start >= %s AND start < %s"
            f"{until} GROUP BY series_id",
            (list(series_ids), start, end, *([] if as_of is None else [as_of])),
        )
        rows = cursor.fetchall()
    return {series_id: _parsed(data) for series_id, data in rows}


_PARTS = np.dtype([
    ("start", ">i8"), ("sequence", ">i2"), ("revision", ">i2"), ("origin", ">i2"), ("quality", ">i2"), ("value", ">f8"),
])  # fmt: skip
_POSTGRES_EPOCH = np.datetime64("2000-01-01", "us")


def _parsed(data: bytes) -> np.ndarray:
    raw = np.frombuffer(data, _PARTS)
    order = np.lexsort((raw["sequence"], raw["start"]))
    raw = raw[order]
    raw = raw[np.append(raw["start"][1:] != raw["start"][:-1], True)]
    found = np.empty(len(raw), _RULED)
    found["start"] = _POSTGRES_EPOCH + raw["start"].astype("timedelta64[us]")
    for name in ("sequence", "revision", "origin", "quality", "value"):
        found[name] = raw[name]
    return found


def mark_dirty(marks: Iterable[tuple[int, str, datetime]]) -> int:
    """Have the judges and statistics look again at (place id, interval, start); call it inside a transaction."""
    rows = sorted(set(marks))
    with (
        connecting.reading() as cursor,
        cursor.copy('COPY telemetry_dirty (place_id, "interval", start) FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)
    return len(rows)
