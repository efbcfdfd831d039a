"""Partitions, retention and sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psycopg
from django.db import connection as django_connection

from luming.telemetry.store import connecting

ZONE = ZoneInfo("Asia/Shanghai")  # partitions begin at the city's midnight
_OFFSET = 8 * 3600 * 1_000_000  # no daylight saving since 1991, and partitions by month begin in 2000
_FIRST_MONTH, _LAST_MONTH = np.datetime64("2000-01", "M"), np.datetime64("2099-12", "M")


_WORTH_PACKING = 10_000  # rows
_LOOSE_BYTES = 48  # of index per row; packed it is 40


def months_of(starts: np.ndarray) -> set[np.datetime64]:
    """Return the city's months that hold the starts (microseconds since 1970) and have partitions of their own."""
    months = np.unique((starts + _OFFSET).astype("datetime64[us]").astype("datetime64[M]"))
    return {month for month in months if _FIRST_MONTH <= month <= _LAST_MONTH}


def days_of(packet_ids: np.ndarray) -> set[np.datetime64]:
    """Return the city's days in which the packets were received."""
    epoch = np.datetime64("2020-01-01T08:00", "ms")
    return set(np.unique((epoch + (packet_ids >> 22)).astype("datetime64[D]")))


def make_partition(connection: psycopg.Connection[Any], kind: str, first: np.datetime64) -> None:
    """Make the partition of a day of packets or a month of observations unless it is there."""
    day = first.astype("datetime64[D]").astype(date)
    psycopg.Cursor(connection).execute("SELECT luming_make_partition(%s, %s)", (kind, day))


def ensure_partitions(first: date, last: date) -> int:
    """Make all partitions for packets received and observations from ``first`` to ``last``, inclusive.

    The worker calls it daily for the days ahead, so that no writer has to wait for one. Returns how many were made.

    Parameters
    ----------
    first, last : days of the city's calendar, or instants.
    """
    made = 0
    day, last = _city_day(first), _city_day(last)
    with connecting.reading() as cursor:
        while day <= last:
            for kind in ("packet", "observation", "verdict"):
                cursor.execute("SELECT luming_make_partition(%s, %s)", (kind, day))
                row = cursor.fetchone()
                made += bool(row and row[0])
            day += timedelta(days=1)
    return made


def _city_day(day: date) -> date:
    return day.astimezone(ZONE).date() if isinstance(day, datetime) else day


_PACKET_PARTITION = re.compile(r"telemetry_packet_(\d{4})(\d\d)(\d\d)\Z")


def packet_days() -> list[date]:
    """Return the days that have a partition of packets, oldest first."""
    with connecting.reading() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'telemetry_packet'::regclass"
        )
        found = (_PACKET_PARTITION.search(name) for (name,) in cursor.fetchall())
        return sorted(date(*map(int, match.groups())) for match in found if match)


def drop_packets_before(day: date) -> list[date]:
    """Drop the packets received before a day of the city's calendar (retention); observations stay.

    Runs as the owner of the database: the serving role cannot drop what was received.

    Returns
    -------
    The days that were dropped.
    """
    doomed = [found for found in packet_days() if found < day]
    if not doomed:
        return []
    if django_connection.in_atomic_block:
        raise RuntimeError("drop_packets_before needs a connection of its own: call it outside a transaction")
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        for found in doomed:
            name = f"telemetry_packet_{found:%Y%m%d}"
            owner.execute("SET lock_timeout = '10s'")  # a reader of an old page may finish first
            owner.execute(f"ALTER TABLE telemetry_packet DETACH PARTITION {name} CONCURRENTLY")
            owner.execute(f"DROP TABLE {name}")
    return doomed


def pack_indexes(before: date) -> list[str]:
    """Rebuild the loose indexes of months of observations that ended before a day; returns the partitions packed.

    Series grow side by side in one index, which leaves its pages half full. Once a month is over, packing it saves some
    30 bytes per observation. Readers and writers go on meanwhile. Runs as the owner; call it nightly.
    """
    if django_connection.in_atomic_block:
        raise RuntimeError("pack_indexes needs a connection of its own: call it outside a transaction")
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        loose = owner.execute(
            """
            SELECT relname FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid
            WHERE inhparent = 'telemetry_observation'::regclass AND relname < %s AND relname ~ '_[0-9]{6}$'
                AND reltuples > %s AND pg_indexes_size(leaf.oid) > reltuples * %s ORDER BY relname
            """,
            (f"telemetry_observation_{before:%Y%m}", _WORTH_PACKING, _LOOSE_BYTES),
        ).fetchall()
        for (name,) in loose:
            owner.execute(f"REINDEX TABLE CONCURRENTLY {name}")
    return [name for (name,) in loose]


_TABLES = (
    "telemetry_packet",
    "telemetry_observation",
    "telemetry_verdict",
    "telemetry_packet_release",
    "telemetry_dirty",
)


@dataclass(frozen=True, slots=True)
class TableSize:
    """How much a table holds, all partitions together; ``rows`` is PostgreSQL's estimate."""

    table: str
    partitions: int
    rows: int
    table_bytes: int
    index_bytes: int


def sizes() -> list[TableSize]:
    """Return the sizes of packets, observations, verdicts, releases and marks."""
    with connecting.reading() as cursor:
        cursor.execute(
            """
            SELECT parent.name, count(leaf.oid), coalesce(sum(greatest(leaf.reltuples, 0)), 0)::bigint,
                   coalesce(sum(pg_table_size(leaf.oid)), 0)::bigint,
                   coalesce(sum(pg_indexes_size(leaf.oid)), 0)::bigint
            FROM unnest(%s::text[]) WITH ORDINALITY AS parent (name, position)
            JOIN pg_class AS leaf ON leaf.relkind = 'r' AND leaf.oid IN (
                SELECT parent.name::regclass UNION SELECT relid FROM pg_partition_tree(parent.name::regclass)
            )
            GROUP BY parent.name, parent.position ORDER BY parent.position
            """,
            (list(_TABLES),),
        )
        return [TableSize(*row) for row in cursor.fetchall()]
