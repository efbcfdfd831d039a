"""Pages of long lists by key, not by number: page 4,000 costs what page 1 costs, and nothing is shown twice.

The place of a page is a cursor: the sort values of the row at its edge. Rows that share all of them are told apart by
their primary key; rows without a value come last in either direction.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet

AFTER, BEFORE = "a", "b"
LAST = "last"  # the cursor of the last page


class CursorError(ValueError):
    """A cursor that is none of ours, or of another order."""


@dataclass(frozen=True, slots=True)
class Key:
    """One of the things that rows are ordered by."""

    path: str
    descending: bool = False
    nullable: bool = False

    def order(self, backward: bool) -> Any:
        """Return the ORDER BY term; the place of missing values is named only where there may be some.

        (An index of a column that is never missing serves both directions only without it.)
        """
        descending = self.descending != backward
        if not self.nullable:
            return F(self.path).desc() if descending else F(self.path).asc()
        place = {"nulls_first": True} if backward else {"nulls_last": True}
        return F(self.path).desc(**place) if descending else F(self.path).asc(**place)

    def beyond(self, value: Any, backward: bool) -> Q | None:
        """Return the condition of rows that come strictly after a value in the direction of reading; None: no row."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if backward else None
        further = Q(**{f"{self.path}__{'lt' if self.descending != backward else 'gt'}": value})
        return further | Q(**{f"{self.path}__isnull": True}) if self.nullable and not backward else further

    def same(self, value: Any) -> Q:
        """Return the condition of rows with the same value."""
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})


@dataclass(slots=True)
class Page:
    """Some rows in order, with the cursors of their neighbours (empty at either end)."""

    rows: list[Any]
    following: str
    preceding: str
    first: int | None  # number of the first row in the whole list; None on pages reached from the end

    @property
    def last(self) -> int | None:
        """Return the number of the last row."""
        return None if self.first is None else self.first + len(self.rows) - 1


def page(
    queryset: QuerySet[Any], keys: Sequence[Key], cursor: str, size: int, *, whole: QuerySet[Any] | None = None
) -> Page:
    """Return the page at a cursor; the first one for an empty cursor.

    The database sorts keys only; the rows of the page are then fetched from ``whole`` (the queryset itself when left
    out), which has their relations and annotations and need not be narrowed once more.

    Raises
    ------
    CursorError
        The cursor cannot be read.
    """
    keys = [*keys, Key("pk", keys[0].descending if keys else False)]
    values = {f"_key{index}": F(key.path) for index, key in enumerate(keys[:-1])}
    queryset = queryset.annotate(**values)
    whole = queryset if whole is None else whole.annotate(**values)
    if cursor == LAST:
        rows = _fetched(queryset, whole, keys, size, True)
        more, rows = len(rows) > size, rows[:size][::-1]
        return Page(rows, "", _write(BEFORE, None, keys, rows[0]) if more else "", None)
    if not cursor:
        return _forward(queryset, whole, keys, size, 1, False)
    direction, number, bounds = _read(cursor, keys, queryset)
    if direction == AFTER:
        return _forward(queryset.filter(_beyond(keys, bounds, False)), whole, keys, size, number, True)
    rows = _fetched(queryset.filter(_beyond(keys, bounds, True)), whole, keys, size, True)
    if len(rows) <= size:  # the beginning: show a whole page from there
        return _forward(queryset, whole, keys, size, 1, False)
    rows = rows[:size][::-1]
    first = None if number is None else number - size
    following = None if first is None else first + size
    return Page(rows, _write(AFTER, following, keys, rows[-1]), _write(BEFORE, first, keys, rows[0]), first)


def _fetched(
    queryset: QuerySet[Any], whole: QuerySet[Any], keys: Sequence[Key], size: int, backward: bool
) -> list[Any]:
    """Return the first rows in a direction of reading, one more than a page has."""
    ordered = queryset.order_by(*(key.order(backward) for key in keys)).values_list("pk", flat=True)
    wanted = list(ordered[: size + 1])
    rows = {row.pk: row for row in whole.filter(pk__in=wanted)} if wanted else {}
    return [rows[key] for key in wanted if key in rows]


def _forward(
    queryset: QuerySet[Any], whole: QuerySet[Any], keys: Sequence[Key], size: int, number: int | None, has_before: bool
) -> Page:
    rows = _fetched(queryset, whole, keys, size, False)
    more, rows = len(rows) > size, rows[:size]
    following = None if number is None else number + size
    return Page(
        rows,
        _write(AFTER, following, keys, rows[-1]) if more else "",
        _write(BEFORE, number, keys, rows[0]) if rows and has_before else "",
        number,
    )


def _beyond(keys: Sequence[Key], bounds: Sequence[Any], backward: bool) -> Q:
    """Return the condition of rows beyond a row: more in the first key, or the same and more in the second, …"""
    found = Q(pk__in=[])
    same = Q()
    for key, bound in zip(keys, bounds, strict=True):
        more = key.beyond(bound, backward)
        if more is not None:
            found |= same & more
        same &= key.same(bound)
    first = keys[0]
    if len(keys) > 1 and not first.nullable:  # redundant, and what lets the database begin in the middle of an index
        sign = "lte" if first.descending != backward else "gte"
        found &= Q(**{f"{first.path}__{sign}": bounds[0]})
    return found


def _write(direction: str, number: int | None, keys: Sequence[Key], row: Any) -> str:
    values = [getattr(row, f"_key{index}") for index in range(len(keys) - 1)]
    text = json.dumps([direction, number, *map(_plain, values), _plain(row.pk)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # an instant is a date too
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _read(cursor: str, keys: Sequence[Key], queryset: QuerySet[Any]) -> tuple[str, int | None, list[Any]]:
    try:
        content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        direction, number, *values = content
        if direction not in (AFTER, BEFORE) or len(values) != len(keys) or not isinstance(number, int | None):
            raise CursorError(cursor)
        names = [*(f"_key{index}" for index in range(len(keys) - 1)), None]
        return direction, number, [_value(queryset, name, value) for name, value in zip(names, values, strict=True)]
    except (binascii.Error, UnicodeError, ValueError, TypeError, ValidationError, ArithmeticError) as error:
        raise CursorError(cursor) from error


def _value(queryset: QuerySet[Any], name: str | None, value: Any) -> Any:
    """Return a value of the cursor in the type of its column."""
    if isinstance(value, list | dict) or (isinstance(value, str) and "\0" in value):
        raise ValueError(value)
    field: models.Field[Any, Any] = (
        queryset.model._meta.pk if name is None else queryset.query.annotations[name].output_field
    )
    if isinstance(field, models.ForeignKey | models.OneToOneField):
        field = field.target_field
    found = field.to_python(value)
    if isinstance(found, Decimal) and not found.is_finite():
        raise ValueError(value)
    return found
