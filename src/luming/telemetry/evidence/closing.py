"""Closing days: each day of the city's calendar gets its hash tree some hours after it is over, in order, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import orjson
from django.conf import settings
from django.db import connection, transaction

from luming import __version__
from luming.telemetry.evidence import tree
from luming.telemetry.evidence.models import DayBlock, DayHash
from luming.telemetry.evidence.sources import SOURCES, Source
from luming.telemetry.identity import received_at
from luming.telemetry.store import connecting
from luming.telemetry.store.upkeep import ZONE

GRACE = timedelta(hours=2)  # a transaction that began before midnight may commit after it
DAY = timedelta(days=1)
_LOCK = 7_216


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the instants in which a day of the city begins and ends."""
    begin, end = (datetime(at.year, at.month, at.day, tzinfo=ZONE) for at in (day, day + DAY))
    return begin.astimezone(UTC), end.astimezone(UTC)


def close_days(now: datetime | None = None, *, most: int | None = None) -> Iterator[DayHash]:
    """Close all days that are over and not closed, oldest first, each in a transaction; yield them as they are closed.

    The first day of an installation is that of its first packet.
    """
    last = ((now or datetime.now(UTC)) - GRACE).astimezone(ZONE).date() - DAY
    done = 0
    while most is None or done < most:
        with transaction.atomic():
            with connection.cursor() as cursor:  # one closer at a time; another waits and goes on behind it
                cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])
            newest = DayHash.objects.order_by("-day").first()
            day = newest.day + DAY if newest is not None else _first_day() or last
            if day > last:
                return
            closed = _close(day, newest)
        yield closed
        done += 1


def _first_day() -> date | None:
    """Return the city's day in which the first packet that is kept was received."""
    with connecting.reading() as cursor:
        cursor.execute("SELECT min(id) FROM telemetry_packet")
        first = (cursor.fetchone() or (None,))[0]
    return None if first is None else received_at(first).astimezone(ZONE).date()


def _close(day: date, newest: DayHash | None) -> DayHash:
    algorithm = settings.EVIDENCE_HASH
    found = [(source, list(read(source, day, algorithm))) for source in SOURCES if source.is_there()]
    hash_of = tree.function(algorithm)
    entries = [entry(source.name, blocks, hash_of) for source, blocks in found]
    previous = newest.digest if newest is not None else ""
    closed = DayHash.objects.create(
        day=day,
        algorithm=algorithm,
        previous=previous,
        digest=digest(day, algorithm, previous, entries),
        sources=entries,
        closed_at=datetime.now(UTC),
        software=__version__[:20],
    )
    DayBlock.objects.bulk_create(
        DayBlock(
            day=closed, source=source.name, number=number, count=block.count, first=block.first[:200],
            last=block.last[:200], root=block.root, leaves=block.leaves,
        )
        for source, blocks in found
        for number, block in enumerate(blocks)
    )  # fmt: skip
    return closed


def read(source: Source, day: date, algorithm: str) -> Iterator[tree.Block]:
    """Yield the blocks of a source's records of a day as they are stored now."""
    return tree.blocks(source.name, source.lines(*bounds(day)), len(source.key), algorithm)


def entry(name: str, blocks: list[tree.Block], hash_of: tree.Hash) -> dict[str, object]:
    """Return what a day says of one source."""
    top = tree.root([block.root for block in blocks], hash_of)
    return {"name": name, "count": sum(block.count for block in blocks), "root": top.hex()}


def digest(day: date, algorithm: str, previous: str, entries: list[dict[str, object]]) -> str:
    """Return the digest of a day over the day before, its own name and the roots of its sources."""
    text = orjson.dumps(
        {"day": day.isoformat(), "algorithm": algorithm, "sources": entries}, option=orjson.OPT_SORT_KEYS
    )
    return tree.day_digest(bytes.fromhex(previous), text, tree.function(algorithm)).hex()
