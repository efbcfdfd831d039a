"""Editions of the standards: a measurement is judged by what was in force on its city-local day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache

from luming.standards._tables import is_true, read_csv

# Asia/Shanghai has had no daylight saving since 1991, so a fixed offset is exact for every edition in the tables.
CITY_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")


@dataclass(frozen=True)
class Edition:
    """One dated version of a standard. ``effective_to`` is the last day in force, ``None`` when still in force."""

    key: str
    family: str
    title_zh: str
    title_en: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool

    def in_force(self, day: date) -> bool:
        """Say whether this edition is in force on a city-local day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@cache
def editions(family: str | None = None) -> tuple[Edition, ...]:
    """Return all known editions, oldest first; ``family`` like ``'HJ 633'`` narrows them."""
    found = [_edition(row) for row in read_csv("editions.csv") if family in (None, row["family"])]
    return tuple(sorted(found, key=lambda edition: (edition.family, edition.effective_from)))


def edition(key: str) -> Edition:
    """Return the edition named ``key``, e.g. ``'HJ 633-2026'``; ``LookupError`` names what is known."""
    for known in editions():
        if known.key == key:
            return known
    raise LookupError(f"unknown edition {key!r}; known: {', '.join(e.key for e in editions())}")


def edition_in_force(family: str, when: date | datetime) -> Edition:
    """Return the edition of a family in force at ``when``.

    A date or a naive datetime is city-local (Asia/Shanghai); an aware datetime is converted. ``LookupError`` when no
    edition in the tables was in force then.

    >>> edition_in_force("HJ 633", date(2026, 2, 28)).key, edition_in_force("HJ 633", date(2026, 3, 1)).key
    ('HJ 633-2012', 'HJ 633-2026')
    """
    day = city_day(when)
    for known in editions(family):
        if known.in_force(day):
            return known
    raise LookupError(f"no edition of {family!r} in the tables was in force on {day}")


def city_day(when: date | datetime) -> date:
    """Return the city-local calendar day of an instant."""
    if not isinstance(when, datetime):
        return when
    return (when.astimezone(CITY_ZONE) if when.tzinfo else when).date()


def midnight(day: date) -> datetime:
    """Return the instant at which a day of the city begins.

    >>> midnight(date(2026, 3, 1)).isoformat()
    '2026-03-01T00:00:00+08:00'
    """
    return datetime(day.year, day.month, day.day, tzinfo=CITY_ZONE)


def _edition(row: dict[str, str]) -> Edition:
    return Edition(
        key=row["edition"],
        family=row["family"],
        title_zh=row["title_zh"],
        title_en=row["title_en"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        source=row["source"],
        verified=is_true(row["verified"]),
    )
