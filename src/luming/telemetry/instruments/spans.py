"""Calibrations, maintenance and changes of maintainer as plain periods, for the checks of data (``qc.Span``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection


class Period(NamedTuple):
    """One thing that was done: ``kind`` is calibration, maintenance or maintainer; both ends aware, UTC."""

    kind: str
    start: datetime
    end: datetime
    detail: Mapping[str, Any]


_WORK = """
    SELECT d.place_id, 'calibration', c.performed_at, coalesce(c.until, c.performed_at), jsonb_build_object(
        'factor', c.factor, 'work', c.kind, 'result', c.result, 'drift', c.drift, 'unit', c.drift_unit,
        'standard', c.standard, 'response', c.response, 'adjusted', c.adjusted, 'source', c.source, 'id', c.id)
    FROM instruments_calibration AS c JOIN registry_device AS d ON d.id = c.device_id
    WHERE d.place_id = ANY(%(places)s)
        AND c.performed_at < %(to)s AND coalesce(c.until, c.performed_at) >= %(from)s
    UNION ALL
    SELECT d.place_id, 'maintenance', m.start, coalesce(m."end", %(to)s), jsonb_build_object(
        'work', m.kind, 'instrument', m.instrument_id, 'by', m.performed_by, 'open', m."end" IS NULL, 'id', m.id)
    FROM instruments_maintenance AS m JOIN registry_device AS d ON d.id = m.device_id
    WHERE d.place_id = ANY(%(places)s) AND m.start < %(to)s AND coalesce(m."end", %(to)s) >= %(from)s
    ORDER BY 1, 3
"""
# The history of devices (written by triggers) tells who maintained them when.
_KEEPERS = """
    SELECT place_id, pgh_created_at, before, maintainer_id, pgh_obj_id FROM (
        SELECT e.pgh_obj_id, e.place_id, e.pgh_created_at, e.maintainer_id, e.pgh_label,
            lag(e.maintainer_id) OVER (PARTITION BY e.pgh_obj_id ORDER BY e.pgh_id) AS before
        FROM registry_deviceevent AS e WHERE e.pgh_obj_id IN (
            SELECT id FROM registry_device WHERE place_id = ANY(%(places)s))
    ) AS steps
    WHERE pgh_label = 'change' AND before IS DISTINCT FROM maintainer_id AND place_id = ANY(%(places)s)
        AND pgh_created_at >= %(from)s AND pgh_created_at < %(to)s
    ORDER BY place_id, pgh_created_at
"""


def spans(place_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[Period]]:
    """Return what was done at places in [start, end), in order of time; two queries whatever the number of places.

    A calibration without an end lasts no time. Work that still goes on ends at ``end``. A change of maintainer is an
    instant, with the organisations before and after in its detail.
    """
    values = {"places": sorted(set(place_ids)), "from": start, "to": end}
    found: dict[int, list[Period]] = defaultdict(list)
    if not values["places"]:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WORK, values)
        columns = cursor.fetchall()
        cursor.execute(_KEEPERS, values)
        keepers = cursor.fetchall()
    for place_id, kind, begin, until, detail in columns:
        found[place_id].append(Period(kind, begin, until, _read(detail)))
    for place_id, at, before, after, device_id in keepers:
        found[place_id].append(Period("maintainer", at, at, {"before": before, "after": after, "device": device_id}))
    for rows in found.values():
        rows.sort(key=lambda row: row.start)
    return dict(found)


def _read(detail: Any) -> Mapping[str, Any]:
    return orjson.loads(detail) if isinstance(detail, str | bytes) else detail
