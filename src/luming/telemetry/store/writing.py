"""The one way in: packets, their observations and the marks for the judges in one durable transaction.

New periods go straight into their partitions with binary COPY, the cheapest insert PostgreSQL has. What may be stored
already is compared with its latest revision first. Should another writer be quicker, the unique key says so, and the
batch is planned again with what that writer stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import psycopg
from psycopg import errors, pq
from psycopg.adapt import Dumper

from luming.telemetry.store import connecting, copying, merging, upkeep
from luming.telemetry.store.connecting import StoreUnavailable
from luming.telemetry.store.rows import (
    INTERVAL_CODES,
    INTERVALS,
    ObservationColumns,
    ObservationRow,
    PacketRow,
    WriteResult,
    micros,
    moment,
)

Extra = Callable[[psycopg.Connection[Any]], None]

_UNKNOWN = np.iinfo(np.int64).min  # frontier of a series that nobody has asked the database about
_EMPTY = _UNKNOWN + 1  # … of a series without observations
_MAX_ATTEMPTS = 50  # each one lost means that another writer stored something
_BULK_PACKETS = 12_500  # packets in a transaction of the bulk path
# what checks and judges look at
_MARKED = np.array([INTERVAL_CODES[name] for name in ("minute", "hour", "day")], np.int8)


class IdentityClashError(RuntimeError):
    """A different packet is stored under the same id: two processes write with one node (see ``claim_node``)."""


class _Int4Array(bytes):
    pass


class _TimestampArray(bytes):
    pass


class _Int4ArrayDumper(Dumper):
    format = pq.Format.BINARY
    oid = 1007

    def dump(self, obj: bytes) -> bytes:
        return bytes(obj)


class _TimestampArrayDumper(_Int4ArrayDumper):
    oid = 1185


def _cursor(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    cursor = psycopg.Cursor(connection)
    cursor.format = pq.Format.BINARY
    cursor.adapters.register_dumper(_Int4Array, _Int4ArrayDumper)
    cursor.adapters.register_dumper(_TimestampArray, _TimestampArrayDumper)
    return cursor


def _int4_array(values: np.ndarray) -> _Int4Array:
    return _Int4Array(copying.array_parameter(23, values.astype(np.int32)))


def _timestamp_array(values: np.ndarray) -> _TimestampArray:
    return _TimestampArray(copying.array_parameter(1184, values - copying.POSTGRES_EPOCH))


@dataclass(frozen=True, slots=True)
class Reread:
    """That kept packets are read again: which, when, by whom and why (see :class:`luming.telemetry.store.Release`)."""

    packet_ids: Sequence[int]
    at: datetime
    by_id: int | None
    verb: str
    reason: str


class Writer:
    """Writes batches over one connection; synchronous, for one thread.

    Parameters
    ----------
    url : of the database; by default Django's, in its role (``LUMING_DB_ROLE``).
    """

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._merger = Merger()

    def connect(self) -> psycopg.Connection[Any]:
        """Connect unless connected, and return the connection (for advisory locks that live as long as it does).

        Raises
        ------
        StoreUnavailable
        """
        if self._connection is None or self._connection.closed:
            connection = connecting.connect(self._url)
            try:
                connection.execute("SET synchronous_commit = on")
                connection.execute("SET lock_timeout = '20s'")  # a writer that hangs must not hang the others
                connection.execute("SET plan_cache_mode = force_custom_plan")  # prunes partitions by the batch's times
            except psycopg.OperationalError as error:
                connection.close()
                raise StoreUnavailable(f"the database broke off: {error} / 数据库连接中断") from error
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Close the connection; the next write opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Writer:
        self.connect()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def write(
        self,
        packets: Sequence[PacketRow],
        observations: Sequence[ObservationRow] | ObservationColumns,
        extra: Extra | None = None,
    ) -> WriteResult:
        """Store a batch in one transaction; when this returns, the disk has it.

        Observations are taken in their order: of two different ones for a period the later is the higher revision.
        A batch may be written again after :class:`StoreUnavailable`: packets that were stored, and their observations,
        are left out.

        Parameters
        ----------
        extra : runs last inside the transaction (to update connections and device states); its errors roll all back.

        Raises
        ------
        StoreUnavailable
            The connection failed; write the same batch again.
        IdentityClashError
        psycopg.Error
            PostgreSQL refuses the content; nothing was stored.
        """
        columns = _as_columns(observations)
        connection = self.connect()
        try:
            return self._merger.write(connection, packets, columns, extra)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self.close()
            raise StoreUnavailable(f"the database broke off: {error} / 数据库连接中断") from error


def _as_columns(observations: Sequence[ObservationRow] | ObservationColumns) -> ObservationColumns:
    if isinstance(observations, ObservationColumns):
        return observations
    return ObservationColumns.from_rows(observations)


class Merger:
    """Merges batches through a connection, and remembers how far each series is known to reach."""

    def __init__(self) -> None:
        self._frontier = np.full(1024, _UNKNOWN, np.int64)  # by series id; microseconds since 1970
        self._partitions: set[tuple[str, np.datetime64]] = set()

    def write(
        self,
        connection: psycopg.Connection[Any],
        packets: Sequence[PacketRow],
        columns: ObservationColumns,
        extra: Extra | None = None,
        *,
        reread: Reread | None = None,
    ) -> WriteResult:
        """Store a batch in a transaction, or in a savepoint when the connection is in one.

        ``reread`` is set when the observations come from packets kept earlier.
        """
        self._make_partitions(connection, packets, columns)
        careful = False
        for _attempt in range(_MAX_ATTEMPTS):
            try:
                with connection.transaction():
                    result, stored = self._merge(connection, packets, columns, careful, reread)
                    if extra is not None:
                        extra(connection)
                self._advance(stored)
                return result
            except (errors.UniqueViolation, errors.DeadlockDetected) as error:
                if error.diag.table_name and not error.diag.table_name.startswith("telemetry_"):
                    raise  # it is the extra's
                careful = True
        raise StoreUnavailable("other writers kept storing the same periods; write the batch again / 写入冲突，请重试")

    def _make_partitions(
        self, connection: psycopg.Connection[Any], packets: Sequence[PacketRow], columns: ObservationColumns
    ) -> None:
        wanted: set[tuple[str, np.datetime64]] = set()
        if packets:
            ids = np.fromiter((packet.id for packet in packets), np.int64, len(packets))
            wanted |= {("packet", day) for day in upkeep.days_of(ids)}
        if len(columns):
            wanted |= {("observation", month) for month in upkeep.months_of(columns.start)}
        missing = wanted - self._partitions
        for kind, first in sorted(missing):
            upkeep.make_partition(connection, kind, first)
        if connection.info.transaction_status == pq.TransactionStatus.IDLE:  # else a rollback may undo them
            self._partitions |= missing

    def _merge(
        self,
        connection: psycopg.Connection[Any],
        packets: Sequence[PacketRow],
        columns: ObservationColumns,
        careful: bool,
        reread: Reread | None,
    ) -> tuple[WriteResult, ObservationColumns]:
        self._learn(connection, columns)
        if careful:
            packets, columns = _without_stored(connection, packets, columns)
            suspect = np.ones(len(columns), bool)
        else:
            suspect = merging.suspects(columns, self._frontier)
        plan = merging.decide(columns, suspect, _latest(connection, columns, suspect))
        ids = np.fromiter((packet.id for packet in packets), np.int64, len(packets))
        counts = merging.counts_by_packet(ids, columns, plan)
        if packets:
            rows = ", ".join(copying.PACKET_COLUMNS)
            _copy(connection, f"telemetry_packet ({rows})", copying.packets_buffer(packets, counts.tolist()))
        fresh = np.flatnonzero(plan.outcome != merging.REPEATED)
        stored = columns.take(fresh)
        if len(stored):
            _copy_observations(connection, stored, plan.revision[fresh], reread)
            _copy_marks(connection, stored)
        if reread is not None:
            _insert_releases(connection, reread, merging.counts_by_packet(np.array(reread.packet_ids), columns, plan))
        totals = np.bincount(plan.outcome, minlength=3).tolist()
        return WriteResult(len(packets), *totals), stored

    def _learn(self, connection: psycopg.Connection[Any], columns: ObservationColumns) -> None:
        """Ask for the latest period of series met for the first time."""
        if not len(columns):
            return
        highest = int(columns.series_id.max())
        if highest >= len(self._frontier):
            room = np.full(highest * 2, _UNKNOWN, np.int64)
            room[: len(self._frontier)] = self._frontier
            self._frontier = room
        unknown = np.unique(columns.series_id[self._frontier[columns.series_id] == _UNKNOWN])
        if not len(unknown):
            return
        with _cursor(connection) as cursor:
            cursor.execute(
                """
                SELECT series_id, (extract(epoch FROM latest.start) * 1000000)::bigint
                FROM unnest(%s::int[]) AS wanted (series_id) CROSS JOIN LATERAL (
                    SELECT start FROM telemetry_observation AS o
                    WHERE o.series_id = wanted.series_id ORDER BY start DESC LIMIT 1
                ) AS latest
                """,
                (_int4_array(unknown),),
            )
            self._frontier[unknown] = _EMPTY
            for series_id, start in cursor.fetchall():
                self._frontier[series_id] = start

    def _advance(self, stored: ObservationColumns) -> None:
        """Remember what is committed. Were another writer further, it would cost a second attempt, nothing else."""
        if len(stored) and int(stored.series_id.max()) < len(self._frontier):
            np.maximum.at(self._frontier, stored.series_id, stored.start)


def _without_stored(
    connection: psycopg.Connection[Any], packets: Sequence[PacketRow], columns: ObservationColumns
) -> tuple[Sequence[PacketRow], ObservationColumns]:
    """Leave out packets that an earlier attempt has stored, together with their observations."""
    by_id = {packet.id: packet for packet in packets}
    if len(by_id) < len(packets):
        raise ValueError("two packets of the batch have one id / 批次内报文标识重复")
    with _cursor(connection) as cursor:
        cursor.execute("SELECT id, mn, body FROM telemetry_packet WHERE id = ANY(%s)", (list(by_id),))
        rows = cursor.fetchall()
    for packet_id, _mn, body in rows:
        if bytes(body) != by_id[packet_id].body:
            raise IdentityClashError(f"packet id {packet_id} is taken by a different packet / 报文标识冲突")
    if not rows:
        return packets, columns
    stored = {row[0] for row in rows}
    left = [packet for packet in packets if packet.id not in stored]
    return left, columns.take(~np.isin(columns.packet_id, np.fromiter(stored, np.int64, len(stored))))


def _latest(
    connection: psycopg.Connection[Any], columns: ObservationColumns, suspect: np.ndarray
) -> dict[merging.Key, merging.Known]:
    """Return the latest stored revision of each suspect's period."""
    positions = np.flatnonzero(suspect)
    if not len(positions):
        return {}
    chosen = columns.take(positions)
    keys = list(zip(chosen.series_id.tolist(), chosen.start.tolist(), strict=True))
    with _cursor(connection) as cursor:
        cursor.execute(
            """
            SELECT wanted.position, latest.*
            FROM unnest(%s::int[], %s::timestamptz[]) WITH ORDINALITY AS wanted (series_id, start, position)
            CROSS JOIN LATERAL (
                SELECT revision, value, minimum, maximum, converted, amount, flag FROM telemetry_observation AS o
                WHERE o.series_id = wanted.series_id AND o.start = wanted.start AND o.start BETWEEN %s AND %s
                ORDER BY revision DESC LIMIT 1
            ) AS latest
            """,
            (
                _int4_array(chosen.series_id),
                _timestamp_array(chosen.start),
                moment(chosen.start.min()),
                moment(chosen.start.max()),
            ),
        )
        return {keys[row[0] - 1]: row[1:] for row in cursor.fetchall()}


def _insert_releases(connection: psycopg.Connection[Any], reread: Reread, counts: np.ndarray) -> None:
    psycopg.Cursor(connection).execute(
        """
        INSERT INTO telemetry_packet_release (packet_id, released_at, by_id, verb, reason, new, repeated, revised)
        SELECT packet_id, %s, %s, %s, %s, new, repeated, revised
        FROM unnest(%s::bigint[], %s::int2[], %s::int2[], %s::int2[]) AS counted (packet_id, new, repeated, revised)
        """,
        (reread.at, reread.by_id, reread.verb, reread.reason, list(reread.packet_ids), *counts.T.tolist()),
    )


def store_reread(observations: Sequence[ObservationRow], reread: Reread) -> WriteResult:
    """Store what kept packets became and that they were read, in the caller's transaction on Django's connection."""
    with connecting.reading() as cursor:
        return Merger().write(cursor.connection, [], _as_columns(observations), reread=reread)


def _copy(connection: psycopg.Connection[Any], target: str, buffer: bytes) -> None:
    with psycopg.Cursor(connection) as cursor, cursor.copy(f"COPY {target} FROM STDIN (FORMAT binary)") as copy:
        copy.write(buffer)


def _copy_observations(
    connection: psycopg.Connection[Any], columns: ObservationColumns, revision: np.ndarray, reread: Reread | None
) -> None:
    """Insert in the order of the key: writers that meet wait for each other instead of locking up."""
    order = np.lexsort((revision, columns.start, columns.series_id))
    columns = columns.take(order)
    sent = {
        "series_id": columns.series_id,
        "revision": revision[order],
        "flag": columns.flag,
        "start": columns.start - copying.POSTGRES_EPOCH,
        "value": columns.value,
        "packet_id": columns.packet_id,
        "minimum": columns.minimum,
        "maximum": columns.maximum,
        "converted": columns.converted,
        "amount": columns.amount,
    }
    for name in ("flag", "value", "minimum", "maximum", "converted", "amount"):
        column = sent[name]
        if not column.any() if column.dtype.kind == "S" else np.isnan(column).all():
            del sent[name]  # nothing but NULL
    if reread is not None:
        sent["recorded_at"] = np.full(len(columns), micros(reread.at) - copying.POSTGRES_EPOCH)
    buffer = copying.columns_buffer(list(sent.values()))
    _copy(connection, f"telemetry_observation ({', '.join(sent)})", buffer)


def _copy_marks(connection: psycopg.Connection[Any], columns: ObservationColumns) -> None:
    """Mark the places and periods that the judges must look at, each once."""
    wanted = columns.take(np.isin(columns.interval, _MARKED))
    if not len(wanted):
        return
    order = np.lexsort((wanted.interval, wanted.place_id, wanted.start))  # np.unique of records takes 40 times as long
    start, place, interval = wanted.start[order], wanted.place_id[order], wanted.interval[order]
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(start) != 0) | (np.diff(place) != 0) | (np.diff(interval) != 0)
    names = np.array(INTERVALS, "S8")[interval[first]]
    buffer = copying.columns_buffer([start[first] - copying.POSTGRES_EPOCH, place[first], names])
    _copy(connection, 'telemetry_dirty (start, place_id, "interval")', buffer)


def bulk_load(
    packets: Iterable[PacketRow], observations: Sequence[ObservationRow] | ObservationColumns, url: str | None = None
) -> WriteResult:
    """Store much history: like :meth:`Writer.write`, in transactions of many packets each, in the order of their ids.

    Two writers share the places, so that Python prepares for one while PostgreSQL stores for the other.

    Parameters
    ----------
    packets : of the observations; those stored before are left out with their observations.
    observations : columns are much faster than rows.

    Returns
    -------
    The sums over all transactions. After an error, what was committed stays; load the same again.
    """
    rows = sorted(packets, key=lambda packet: packet.id)
    columns = _as_columns(observations)
    columns = columns.take(np.argsort(columns.packet_id, kind="stable"))
    ids = np.fromiter((packet.id for packet in rows), np.int64, len(rows))
    odd = np.isin(ids, columns.packet_id[columns.place_id % 2 == 1])  # a packet goes with its place
    odd_rows = np.isin(columns.packet_id, ids[odd]) | (~np.isin(columns.packet_id, ids) & (columns.place_id % 2 == 1))
    with ThreadPoolExecutor(2) as pool:
        halves = [
            pool.submit(_load, [rows[i] for i in np.flatnonzero(odd == half)], columns.take(odd_rows == half), url)
            for half in (False, True)
        ]
        return halves[0].result() + halves[1].result()


def _load(rows: list[PacketRow], columns: ObservationColumns, url: str | None) -> WriteResult:
    """Write packets and observations, both in the order of packet ids, in transactions of limited size."""
    firsts = [packet.id for packet in rows[_BULK_PACKETS::_BULK_PACKETS]]  # ids that begin a new transaction
    borders = [0, *np.searchsorted(columns.packet_id, firsts).tolist(), len(columns)]
    total = WriteResult()
    with Writer(url) as writer:
        for i, (first, last) in enumerate(pairwise(borders)):
            part = rows[i * _BULK_PACKETS : (i + 1) * _BULK_PACKETS]
            total += writer.write(part, columns.take(slice(first, last)))
    return total
