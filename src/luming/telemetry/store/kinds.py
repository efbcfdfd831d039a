"""Packets of some kinds (CN), oldest first, for jobs that read along: states, calibrations, information of devices."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from luming.telemetry.store import connecting
from luming.telemetry.store.reading import _PACKET, _packet_record
from luming.telemetry.store.rows import PacketRecord


def packets_of_kinds(cns: Iterable[int], after: int, until: int, limit: int = 500) -> list[PacketRecord]:
    """Return accepted packets of registered devices with one of these CNs and an id in (after, until], oldest first."""
    with connecting.reading() as cursor:
        cursor.execute(
            f"SELECT {_PACKET} FROM telemetry_packet WHERE id > %s AND id <= %s AND cn = ANY(%s) AND direction = 'I'"
            " AND verdict = 'A' AND device_id IS NOT NULL ORDER BY id LIMIT %s",
            (after, until, list(cns), limit),
        )
        return [_packet_record(row) for row in cursor.fetchall()]


def released_of_kinds(cns: Iterable[int], since: datetime, limit: int = 500) -> list[PacketRecord]:
    """Return held packets with one of these CNs that a person released since then: they count as accepted."""
    with connecting.reading() as cursor:
        cursor.execute(
            f"SELECT {_PACKET} FROM telemetry_packet WHERE cn = ANY(%s) AND verdict = 'H' AND device_id IS NOT NULL"
            " AND id IN (SELECT packet_id FROM telemetry_packet_release WHERE released_at >= %s)"
            " ORDER BY id LIMIT %s",
            (list(cns), since, limit),
        )
        return [_packet_record(row) for row in cursor.fetchall()]


def first_packet_id() -> int | None:
    """Return the id of the oldest packet that is kept; None when none is."""
    with connecting.reading() as cursor:
        cursor.execute("SELECT min(id) FROM telemetry_packet")
        row = cursor.fetchone()
    return None if row is None else row[0]
