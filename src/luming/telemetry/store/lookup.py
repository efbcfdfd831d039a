"""Finding stored records by their keys: the very revision, verdict or packet that a judgement or statistic names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from luming.telemetry.identity import received_at
from luming.telemetry.store import connecting
from luming.telemetry.store.reading import _OBSERVATION, _observation_record
from luming.telemetry.store.rows import ObservationRecord
from luming.telemetry.store.verdicts import _FIELDS, VerdictRecord, _record

Key = tuple[int, datetime, int]  # series, start, revision of the observation or sequence of the verdict


@dataclass(frozen=True, slots=True)
class PacketHash:
    """What proves a packet: the SHA-256 over its bytes as received."""

    id: int
    received_at: datetime
    device_id: int | None
    size: int
    sha256: str
    verdict: str


def observations_at(keys: Iterable[Key]) -> dict[Key, ObservationRecord]:
    """Return stored observations by series, start and revision; what is not stored is left out."""
    rows = _found("telemetry_observation", "revision", _OBSERVATION, keys)
    records = [_observation_record(_utc(row, 1)) for row in rows]
    return {(record.series_id, record.start, record.revision): record for record in records}


def verdicts_at(keys: Iterable[Key]) -> dict[Key, VerdictRecord]:
    """Return stored verdicts by series, start and sequence; what is not stored is left out."""
    records = [_record(row) for row in _found("telemetry_verdict", "sequence", _FIELDS, keys)]
    return {(record.series_id, record.start, record.sequence): record for record in records}


def _found(table: str, number: str, columns: str, keys: Iterable[Key]) -> list[Any]:
    wanted = sorted(set(keys))
    if not wanted:
        return []
    series, starts, numbers = (list(part) for part in zip(*wanted, strict=True))
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            f"""
            SELECT found.* FROM unnest(%s::int[], %s::timestamptz[], %s::int[]) AS wanted (series_id, start, number)
            CROSS JOIN LATERAL (
                SELECT {columns} FROM {table} AS r
                WHERE r.series_id = wanted.series_id AND r.start = wanted.start AND r.{number} = wanted.number
                    AND r.start BETWEEN %s AND %s
            ) AS found
            """,
            (series, starts, numbers, min(starts), max(starts)),
        )
        return list(cursor.fetchall())


def _utc(row: Any, position: int) -> list[Any]:
    values = list(row)
    values[position] = values[position].astimezone(UTC)
    return values


def packet_hashes(packet_ids: Iterable[int]) -> dict[int, PacketHash]:
    """Return the hashes of stored packets by id; those that the retention has removed are left out."""
    with connecting.reading(binary=True) as cursor:
        cursor.execute(
            "SELECT id, device_id, length(body), sha256(body), verdict::text FROM telemetry_packet WHERE id = ANY(%s)",
            (sorted(set(packet_ids)),),
        )
        return {
            row[0]: PacketHash(row[0], received_at(row[0]), row[1], row[2], bytes(row[3]).hex(), row[4])
            for row in cursor.fetchall()
        }


def sha256(body: bytes) -> str:
    """Return the hash of a packet's bytes as :func:`packet_hashes` gives it."""
    return hashlib.sha256(body).hexdigest()
