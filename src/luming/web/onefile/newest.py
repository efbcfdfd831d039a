"""The newest rows of many places at once, each read by its index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL


def newest(
    model: type[models.Model],
    column: str,
    ids: Any,
    time: str,
    before: datetime,
    limit: int,
    *,
    extra: str = "",
    values: Sequence[Any] = (),
) -> Q:
    """Return the filter of the ``limit`` newest rows before an instant that hang on some of ``ids``.

    PostgreSQL walks an index in order of time for one place, not for a list of them; so each is asked by itself (in
    one statement) for its newest rows, and the time that takes does not grow with what the past holds. ``ids`` that
    are a query (the places of a region) are left to the planner. ``extra`` is SQL of the house on the row ``t``.
    """
    if not isinstance(ids, list):
        return Q(**{f"{column.removesuffix('_id')}__in": ids, f"{time}__lt": before})
    table = model._meta.db_table
    sql = f"""
        SELECT newest.id FROM unnest(%s::bigint[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT t.id, t.{time} FROM {table} AS t WHERE t.{column} = wanted.id AND t.{time} < %s {extra}
            ORDER BY t.{time} DESC LIMIT %s
        ) AS newest ORDER BY newest.{time} DESC LIMIT %s
    """
    return Q(pk__in=RawSQL(sql, [ids, before, *values, limit, limit]))
