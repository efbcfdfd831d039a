"""Which days of which places must be computed again, noted by whoever changes what counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection

from luming.registry.models import Medium
from luming.standards.edition import city_day

MEDIA = frozenset(medium.value for medium in Medium)


def note_hours(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Any]:
    """Note the days that the selected hours of places lie in; nothing is judged by that."""
    note((place_id, city_day(start)) for place_id, starts in selection.items() for start in starts)
    return []


def note(days: Iterable[tuple[int, date]]) -> None:
    """Note days of places, in the transaction of whoever changed them; a day that is noted already stays so."""
    wanted = sorted(set(days))
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO instruments_healthpending (place_id, day) SELECT * FROM unnest(%s::bigint[], %s::date[])"
            " ON CONFLICT DO NOTHING",
            ([place_id for place_id, _day in wanted], [day for _place, day in wanted]),
        )


def take(limit: int) -> dict[date, set[int]]:
    """Take up to ``limit`` noted days, newest first: day → places. Call it inside a transaction, as with a queue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM instruments_healthpending WHERE id IN ("
            " SELECT id FROM instruments_healthpending ORDER BY day DESC, place_id LIMIT %s FOR UPDATE SKIP LOCKED"
            ") RETURNING place_id, day",
            [limit],
        )
        rows = cursor.fetchall()
    found: dict[date, set[int]] = {}
    for place_id, day in rows:
        found.setdefault(day, set()).add(place_id)
    return found
