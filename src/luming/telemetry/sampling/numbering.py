"""Numbers of samples: code of the place, day, serial of the place and day: ``QY0001-DW001-20261128-01``."""

from __future__ import annotations

from datetime import date

from django.db import connection

from luming.registry.models import Place

# One statement: of two people who number at the same moment, one waits for the other's row.
_COUNT_UP = """
    INSERT INTO sampling_sampleserial (place_id, day, last) VALUES (%s, %s, %s)
    ON CONFLICT (place_id, day) DO UPDATE SET last = sampling_sampleserial.last + EXCLUDED.last
    RETURNING last
"""


def numbers(place: Place, day: date, count: int = 1) -> list[str]:
    """Take the next numbers of a place and day; call it inside the transaction that uses them."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_UP, (place.pk, day, count))
        last = cursor.fetchone()[0]
    return [written(place.code, day, serial) for serial in range(last - count + 1, last + 1)]


def written(code: str, day: date, serial: int) -> str:
    """Write a number.

    >>> written("QY0001-DW001", date(2026, 11, 28), 3)
    'QY0001-DW001-20261128-03'
    """
    return f"{code}-{day:%Y%m%d}-{serial:02}"
