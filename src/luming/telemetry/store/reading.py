"""The ways out: packets, observations, charts, and what the judges must look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luming.registry.models import Device
from luming.telemetry.identity import EPOCH, id_floor, received_at
from luming.telemetry.store import connecting
from luming.telemetry.store.copying import POSTGRES_EPOCH
from luming.telemetry.store.rows import FLAG_BYTES, Columns, ObservationRecord, PacketRecord, Release

_PACKET = (
    "id, received_at, direction, connection_id, device_id, mn, peer, st, cn, qn, body, verdict, reason, codes,"
    " new, repeated, revised"
)
_OBSERVATION = "series_id, start, revision, value, minimum, maximum, converted, amount, flag, packet_id, recorded_at"
_FIGURES = ("value", "minimum", "maximum", "converted", "amount")
_MAX_ID = 2**63 - 1


def packet(packet_id: int) -> PacketRecord | None:
    """Return a packet by its id."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(f"SELECT {_PACKET} FROM telemetry_packet WHERE id = %s", (packet_id,))
        found = _with_releases([_packet_record(row) for row in cursor.fetchall()])
    return found[0] if found else None


def packets(
    *,
    device_ids: Iterable[int] | None = None,
    mn: str | None = None,
    verdicts: Iterable[str] | None = None,
    reasons: Iterable[str] | None = None,
    released: bool | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[PacketRecord]:
    """Return packets that meet all conditions, newest first.

    Parameters
    ----------
    device_ids : of registered devices.
    mn : as sent; also finds what came before the device was adopted.
    verdicts : A accepted, H held, R rejected.
    released : only those that were (not) read again after they had been received.
    since, until : received in [since, until).
    before : only ids below this one: pass the last id of a page to get the next page.
    """
    conditions, values = _packet_conditions(device_ids, mn, verdicts, reasons, released)
    upper = min(before or _MAX_ID, id_floor(until) if until else _MAX_ID)
    lowest = id_floor(since) if since else 0
    found: list[PacketRecord] = []
    with connecting.reading(binary=True) as cursor:
        for floor in _windows(cursor, upper, lowest):
            cursor.execute(
                f"SELECT {_PACKET} FROM telemetry_packet WHERE id >= %s AND id < %s{conditions}"
                " ORDER BY id DESC LIMIT %s",
                (floor, upper, *values, limit - len(found)),
            )
            found += [_packet_record(row) for row in cursor.fetchall()]
            upper = floor
            if len(found) >= limit:
                break
    return _with_releases(found)


def kept_packets(
    *,
    device_id: int | None = None,
    mn: str | None = None,
    ids: Iterable[int] | None = None,
    verdict: str | None = None,
    reasons: Iterable[str] | None = None,
    code: str | None = None,
    unread_by: tuple[str, str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int = -1,
    limit: int = 500,
) -> list[PacketRecord]:
    """Return packets to read again, oldest first, so that of two values for a period the later one wins.

    Parameters
    ----------
    device_id, mn : the device at the time of receipt, or the MN of packets that belonged to none.
    code : a diagnostic code that the packet must carry.
    unread_by : (verb, reason) of a release: packets that have one are left out; ("", "") leaves out all released ones.
    after : only ids above this one; pass the last id of a batch to get the next.
    """
    conditions, values = ["id > %s", "direction = 'I'"], [max(after, id_floor(since) - 1 if since else -1)]
    for condition, value in (
        ("device_id = %s", device_id),
        ("device_id IS NULL AND mn = %s", mn),
        ("id = ANY(%s)", None if ids is None else list(ids)),
        ('verdict = %s::"char"', verdict),
        ("reason = ANY(%s)", None if reasons is None else list(reasons)),
        ("codes @> ARRAY[%s]", code),
        ("id < %s", id_floor(until) if until else None),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if unread_by is not None:
        same = "" if unread_by == ("", "") else " AND (r.verb, r.reason) = (%s, %s)"
        conditions.append(f"NOT EXISTS (SELECT FROM telemetry_packet_release AS r WHERE r.packet_id = p.id{same})")
        values += unread_by if same else ()
    with connecting.reading() as cursor:
        cursor.execute(
            f"SELECT {_PACKET} FROM telemetry_packet AS p WHERE {' AND '.join(conditions)} ORDER BY id LIMIT %s",
            (*values, limit),
        )
        return [_packet_record(row) for row in cursor.fetchall()]


def _packet_conditions(
    device_ids: Iterable[int] | None,
    mn: str | None,
    verdicts: Iterable[str] | None,
    reasons: Iterable[str] | None,
    released: bool | None,
) -> tuple[str, list[Any]]:
    conditions, values = "", []
    if device_ids is not None:
        conditions += " AND device_id = ANY(%s)"
        values.append(list(device_ids))
    if mn is not None:
        # Registered devices are indexed by id, others by MN.
        device_id = Device.objects.filter(mn=mn).values_list("pk", flat=True).first()
        conditions += " AND mn = %s AND (device_id IS NULL OR device_id = %s)"
        values += [mn, device_id or 0]
    if verdicts is not None:
        wanted = list(verdicts)
        conditions += ' AND verdict = ANY(%s::"char"[])' + ("" if "A" in wanted else " AND verdict <> 'A'")
        values.append(wanted)
    if reasons is not None:
        conditions += " AND reason = ANY(%s)"
        values.append(list(reasons))
    if released is not None:
        exists = "EXISTS (SELECT FROM telemetry_packet_release AS r WHERE r.packet_id = telemetry_packet.id)"
        conditions += f" AND {exists}" if released else f" AND NOT {exists}"
    return conditions, values


def _windows(cursor: Any, upper: int, lowest: int) -> Iterable[int]:
    """Yield the lower ends of windows going back from ``upper``, each twice as long as the one before.

    A query over a few days' partitions is planned in no time; one over years of them is not.
    """
    cursor.execute("SELECT min(id), max(id) FROM telemetry_packet")
    first, last = cursor.fetchone()
    if first is None:
        return
    lowest = max(lowest, first)
    top = received_at(min(upper, last))
    days = 1
    while True:
        floor = id_floor(top - timedelta(days=days)) if top - timedelta(days=days) > received_at(0) else 0
        if floor <= lowest:
            yield lowest
            return
        yield floor
        days *= 2


def reason_counts(since: datetime, device_ids: Iterable[int] | None = None) -> list[tuple[str, str | None, int, int]]:
    """Return (verdict, reason, count, newest packet id) of packets held or rejected since then, most first.

    Held packets that were released are not counted: nothing is left to do about them.
    """
    condition, values = ("", []) if device_ids is None else (" AND device_id = ANY(%s)", [list(device_ids)])
    with connecting.reading() as cursor:
        cursor.execute(
            f"""
            SELECT verdict::text, reason, count(*), max(id) FROM telemetry_packet AS p
            WHERE id >= %s AND verdict <> 'A'{condition}
                AND NOT EXISTS (SELECT FROM telemetry_packet_release AS r WHERE r.packet_id = p.id)
            GROUP BY verdict, reason ORDER BY count(*) DESC, verdict, reason
            """,
            (id_floor(since), *values),
        )
        return cursor.fetchall()


def packet_count(since: datetime, device_ids: Iterable[int] | None = None) -> int:
    """Return how many packets were received since then, whatever their verdict."""
    condition, values = ("", []) if device_ids is None else (" AND device_id = ANY(%s)", [list(device_ids)])
    with connecting.reading() as cursor:
        cursor.execute(f"SELECT count(*) FROM telemetry_packet WHERE id >= %s{condition}", (id_floor(since), *values))
        return cursor.fetchone()[0]


def packets_by_hour(since: datetime) -> list[tuple[datetime, str, int]]:
    """Return (hour in which they were received, verdict, number) of the packets since then, oldest first."""
    with connecting.reading() as cursor:
        # an id begins with the milliseconds since the epoch of PacketIds, so that the key alone answers
        cursor.execute(
            "SELECT (id >> 22) / 3600000 AS hour, verdict::text, count(*) FROM telemetry_packet WHERE id >= %s"
            " GROUP BY hour, verdict ORDER BY hour, verdict",
            (id_floor(since),),
        )
        return [(EPOCH + timedelta(hours=hour), verdict, number) for hour, verdict, number in cursor.fetchall()]


def _packet_record(row: Sequence[Any]) -> PacketRecord:
    record = PacketRecord(*row)
    return replace(
        record, direction=_letter(record.direction), verdict=_letter(record.verdict), body=bytes(record.body)
    )


def _letter(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _with_releases(records: list[PacketRecord]) -> list[PacketRecord]:
    if not records:
        return records
    by_packet: dict[int, list[Release]] = defaultdict(list)
    with connecting.reading() as cursor:
        cursor.execute(
            "SELECT packet_id, released_at, by_id, new, repeated, revised, verb, reason"
            " FROM telemetry_packet_release WHERE packet_id = ANY(%s) ORDER BY released_at",
            ([record.id for record in records],),
        )
        for row in cursor.fetchall():
            by_packet[row[0]].append(Release(*row))
    return [replace(record, releases=by_packet[record.id]) if record.id in by_packet else record for record in records]


# ---- observations ---------------------------------------------------------------------------------------------------


def _observation_record(row: Sequence[Any]) -> ObservationRecord:
    *content, packet_id, recorded_at = row
    return ObservationRecord(*content, packet_id, recorded_at or received_at(packet_id))


def latest(series_ids: Iterable[int], since: datetime | None = None) -> dict[int, ObservationRecord]:
    """Return the newest period of each series that has one (since then), in its latest revision."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"""
            SELECT latest.* FROM unnest(%s::int[]) AS wanted (series_id) CROSS JOIN LATERAL (
                SELECT {_OBSERVATION} FROM telemetry_observation AS o
                WHERE o.series_id = wanted.series_id AND o.start >= %s
                ORDER BY start DESC, revision DESC LIMIT 1
            ) AS latest
            """,
            (list(series_ids), since or datetime(1, 1, 2, tzinfo=UTC)),
        )
        return {row[0]: _observation_record(row) for row in cursor.fetchall()}


def observations(series_ids: Iterable[int], start: datetime, end: datetime) -> Columns:
    """Return the latest revision of each period that begins in [start, end), ordered by series and start.

    About a microsecond per observation; PostgreSQL refuses more than some 14 million of one series.
    """
    names = [item.name for item in fields(Columns) if item.name != "series_id"]
    found = sorted(fetch(names, series_ids, start, end).items())
    if not found:
        return Columns(np.empty(0, np.int32), **{name: _native(name, _table(b"", names)[name]) for name in names})
    return Columns(
        np.repeat(
            np.array([series_id for series_id, _own in found], np.int32), [len(own["start"]) for _, own in found]
        ),
        **{name: np.concatenate([own[name] for _series_id, own in found]) for name in names},
    )


# Columns as bytes of fixed width: SQL expression and big-endian dtype. NULL figures travel as NaN.
_WIRE = {
    "start": ("timestamptz_send(start)", ">i8"),
    "revision": ("int2send(revision)", ">i2"),
    **{name: (f"float8send(coalesce({name}, 'NaN'))", ">f8") for name in _FIGURES},
    "flag": (f"convert_to(rpad(coalesce(flag, ''), {FLAG_BYTES}), 'UTF8')", f"S{FLAG_BYTES}"),
    "packet_id": ("int8send(packet_id)", ">i8"),
    # For charts, revision and the first character of the mark in one number: each more column costs time.
    "mark": ("int4send((revision::integer << 8) | coalesce(ascii(flag), 0))", ">i4"),
}


def fetch(
    names: Sequence[str],
    series_ids: Iterable[int],
    start: datetime,
    end: datetime,
    *,
    as_of: datetime | None = None,
) -> dict[int, dict[str, np.ndarray]]:
    """Read columns of each series that has any, in order of time, latest revisions only.

    ``names`` must hold ``start`` and either ``revision`` or ``mark``. Each series comes as one string of bytes: several
    times as fast as rows, because nothing is made per value on either side. ``as_of`` leaves out what came later.
    """
    known, values = "", []
    if as_of is not None:
        known = " AND coalesce(recorded_at <= %s, packet_id < %s)"
        values = [as_of, id_floor(as_of + timedelta(milliseconds=1))]
    record = " || ".join(_WIRE[name][0] for name in names)
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT series_id, string_agg({record}, ''::bytea) FROM telemetry_observation"
            f" WHERE series_id = ANY(%s) AND start >= %s AND start < %s{known} GROUP BY series_id",
            (sorted(set(series_ids)), start, end, *values),
        )
        rows = cursor.fetchall()
    found = {}
    for series_id, data in rows:
        table = _table(data, names)
        table = table[_latest_revisions(table)]
        found[series_id] = {name: _native(name, table[name]) for name in names}
    return found


def _table(data: bytes, names: Sequence[str]) -> np.ndarray:
    return np.frombuffer(data, [(name, _WIRE[name][1]) for name in names])


def _latest_revisions(table: np.ndarray) -> np.ndarray | slice:
    """Return the positions of the highest revision of each period, in order of time."""
    start = table["start"].astype(np.int64)
    if np.all(start[1:] > start[:-1]):  # so they come from the index, mostly
        return slice(None)
    revision = table["revision"] if "revision" in (table.dtype.names or ()) else table["mark"] >> 8
    order = np.lexsort((revision, start))
    start = start[order]
    return order[np.append(start[1:] != start[:-1], True)]


def _native(name: str, column: np.ndarray) -> np.ndarray:
    if name == "start":
        return (column + POSTGRES_EPOCH).astype("datetime64[us]")
    if name == "flag":
        return np.char.rstrip(column).astype(f"U{FLAG_BYTES}")
    return column.astype(column.dtype.newbyteorder("="))


def history(series_id: int, start: datetime) -> list[ObservationRecord]:
    """Return all revisions of one period, first to last."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_OBSERVATION} FROM telemetry_observation WHERE series_id = %s AND start = %s ORDER BY revision",
            (series_id, start),
        )
        return [_observation_record(row) for row in cursor.fetchall()]


def of_packet(packet_id: int, series_ids: Iterable[int], start: datetime, end: datetime) -> list[ObservationRecord]:
    """Return what a packet became: its observations among these series in [start, end)."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_OBSERVATION} FROM telemetry_observation"
            " WHERE series_id = ANY(%s) AND start >= %s AND start < %s AND packet_id = %s"
            " ORDER BY start, series_id, revision",
            (list(series_ids), start, end, packet_id),
        )
        return [_observation_record(row) for row in cursor.fetchall()]


def held_starts(series_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, np.ndarray]:
    """Return which periods of each series are stored: sorted datetime64[us] (UTC) of [start, end)."""
    wanted = sorted(set(series_ids))
    with connecting.reading() as cursor:
        cursor.execute(
            "SELECT series_id, array_agg((extract(epoch FROM start) * 1000000)::bigint ORDER BY start)"
            " FROM telemetry_observation"
            " WHERE series_id = ANY(%s) AND start >= %s AND start < %s AND revision = 0 GROUP BY series_id",
            (wanted, start, end),
        )
        found = {series_id: np.array(starts, "datetime64[us]") for series_id, starts in cursor.fetchall()}
    nothing = np.empty(0, "datetime64[us]")
    return {series_id: found.get(series_id, nothing) for series_id in wanted}


def take_dirty(limit: int) -> list[tuple[int, str, list[datetime]]]:
    """Take up to ``limit`` marks, newest periods first: (place id, interval, starts that got new data).

    Call it inside a transaction: the marks are gone when it commits and back when it fails. Marks that another worker
    holds are passed over.
    """
    with connecting.reading() as cursor:
        cursor.execute(
            """
            DELETE FROM telemetry_dirty WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM telemetry_dirty ORDER BY start DESC LIMIT %s FOR UPDATE SKIP LOCKED
            )) RETURNING place_id, "interval", start
            """,
            (limit,),
        )
        marks = sorted(set(cursor.fetchall()))
    taken: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for place_id, interval, start in marks:
        taken[place_id, interval].append(start)
    return [(place_id, interval, starts) for (place_id, interval), starts in taken.items()]
