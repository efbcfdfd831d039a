"""The queue of place-days whose statistics must be computed again.

Whoever changes data, verdicts or marks queues the days in its own transaction; the job takes them in the transaction
that stores the new statistics. So nothing is lost and nothing is computed twice, whatever is restarted when.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from luming.registry.models import Medium, Place
from luming.standards.edition import city_day
from luming.telemetry.store import connecting

DAY = timedelta(days=1)
# Real-time values enter no statistic; a day value of a device is only compared.
INTERVALS = frozenset({"hour", "minute", "day"})
Pending = Sequence[tuple[int, str, Sequence[datetime]]]  # place, interval, starts: what the judges take


def mark(pending: Pending) -> int:
    """Queue the days of what the judges have taken (see ``store.take_dirty``); returns how many place-days it was."""
    days = {
        (place_id, city_day(start))
        for place_id, interval, starts in pending
        if interval in INTERVALS
        for start in starts
    }
    return mark_days(days)


def mark_span(place_ids: Iterable[int], start: datetime, end: datetime) -> int:
    """Queue all days of places that [start, end) touches: for verdicts, marks and samples that changed."""
    first, last = city_day(start), city_day(max(start, end - timedelta(microseconds=1)))
    number = (last - first).days + 1
    return mark_days({(place_id, first + i * DAY) for place_id in set(place_ids) for i in range(number)})


def mark_days(days: Iterable[tuple[int, date]]) -> int:
    """Queue (place, day of the city) pairs. Call it inside the transaction that changes what they depend on.

    A pair that waits already is not queued again: its row is locked, so that no job takes it before this transaction
    is over. A row that a job holds at this moment cannot be locked and is passed over; then a second one is made, for
    the job may have read before our change.
    """
    wanted = sorted(_with_evenings(set(days)))
    if not wanted:
        return 0
    with connecting.reading() as cursor:
        cursor.execute(
            """
            WITH wanted AS (SELECT * FROM unnest(%s::int[], %s::date[]) AS w (place_id, day)),
            held AS (
                SELECT d.place_id, d.day FROM statistics_dirty AS d JOIN wanted USING (place_id, day)
                FOR KEY SHARE OF d SKIP LOCKED
            )
            INSERT INTO statistics_dirty (place_id, day) SELECT place_id, day FROM wanted
            EXCEPT SELECT place_id, day FROM held
            """,
            ([place_id for place_id, _day in wanted], [day for _place, day in wanted]),
        )
    return len(wanted)


def _with_evenings(days: set[tuple[int, date]]) -> set[tuple[int, date]]:
    """Add the day before for noise: the hours after midnight belong to the night of the evening before."""
    noisy = set(
        Place.objects.filter(pk__in={place_id for place_id, _day in days}, medium=Medium.NOISE).values_list(
            "pk", flat=True
        )
    )
    return days | {(place_id, day - DAY) for place_id, day in days if place_id in noisy}


def take(limit: int, before: date) -> list[tuple[int, date]]:
    """Take up to ``limit`` place-days before a day, oldest first: months follow in the order of time.

    Call it inside a transaction: they are gone when it commits and back when it fails.
    """
    with connecting.reading() as cursor:
        cursor.execute(
            """
            DELETE FROM statistics_dirty WHERE ctid = ANY(ARRAY(
                SELECT ctid FROM statistics_dirty WHERE day < %s ORDER BY day, place_id LIMIT %s
                FOR UPDATE SKIP LOCKED
            )) RETURNING place_id, day
            """,
            (before, limit),
        )
        return sorted(set(cursor.fetchall()), key=lambda row: (row[1], row[0]))


def waiting() -> int:
    """Return how many place-days wait, those of the running day too."""
    with connecting.reading() as cursor:
        cursor.execute("SELECT count(*) FROM statistics_dirty")
        return int(cursor.fetchone()[0])


def close_days(today: date) -> int:
    """Queue every active place for each day that ended since the last call: silent places have statistics too.

    The first call queues the day that ended last. Returns how many place-days were queued.
    """
    last = today - DAY
    with transaction.atomic(), connecting.reading() as cursor:
        cursor.execute("LOCK TABLE statistics_closed IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT max(day) FROM statistics_closed")
        closed = cursor.fetchone()[0]
        first = last if closed is None else closed + DAY
        if first > last:
            return 0
        cursor.execute("DELETE FROM statistics_closed")
        cursor.execute("INSERT INTO statistics_closed (day) VALUES (%s)", (last,))
        places = Place.objects.filter(is_active=True, series__interval="hour", series__expected=True).distinct()
        ids = list(places.order_by().values_list("pk", flat=True))
        return mark_days({(pk, first + i * DAY) for pk in ids for i in range((last - first).days + 1)})
