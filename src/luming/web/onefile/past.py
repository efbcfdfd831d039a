"""What the registers remember: history written by triggers, with who and why from the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.history import event_models
from luming.core.manifest import Moment
from luming.core.models import AuditEntry, User
from luming.registry.models import Device, Facility, Limit, Outlet, Place, Region, Series, Station
from luming.web import verbs, words
from luming.web.onefile import subjects
from luming.web.onefile.timeline import for_the_bureau

LABELS = {
    "create": (gettext_lazy("%(what)s entered"), "plus", "good"),
    "change": (gettext_lazy("%(what)s changed"), "edit", "info"),
    "delete": (gettext_lazy("%(what)s deleted"), "trash", "warning"),
}
FIELDS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Table:
    """History of one model: the rows whose ``column`` is one of ``ids``. ``labels`` are the kinds of change wanted."""

    model: type[models.Model]
    column: str
    ids: list[Any]
    labels: tuple[str, ...] = ("create", "change", "delete")


def tables(user: User, subject: Any) -> list[Table]:
    """Return the histories that are a subject's own: of the record and of all that hangs on it."""
    if isinstance(subject, Region):
        return [Table(Region, "pgh_obj_id", [subject.pk])]
    places = subjects.place_ids(user, subject)
    own: list[Table] = [
        # An outlet is a place: its entry and its end are told by the outlet's own history.
        Table(Place, "pgh_obj_id", places, ("change",)),
        Table(Device, "place_id", places),
        Table(Series, "place_id", places),
    ]
    if isinstance(subject, Station):
        return [Table(Station, "place_ptr_id", places), *own]
    own.append(Table(Limit, "outlet_id", places))
    if isinstance(subject, Facility):
        return [Table(Facility, "pgh_obj_id", [subject.pk]), Table(Outlet, "facility_id", [subject.pk]), *own]
    return [Table(Outlet, "place_ptr_id", places), *own]


@for_the_bureau
def moments(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell changes of the register, one moment per transaction and kind of record.

    One statement over all tables; each reads by the index of its foreign key.
    """
    found = _rows([table for table in tables(user, subject) if table.ids], before, limit)
    reasons = _reasons(found)
    for row in found:
        yield _moment(row, reasons)


@dataclass(frozen=True, slots=True)
class Row:
    """Changes of one kind to one model in one transaction; ``new`` and ``old`` are of the last of them."""

    at: datetime
    label: str
    count: int
    model: type[models.Model]
    new: Mapping[str, Any]
    old: Mapping[str, Any] | None


def _rows(wanted: list[Table], before: datetime, limit: int) -> list[Row]:
    if not wanted:
        return []
    parts, values = [], []
    for number, table in enumerate(wanted):
        event = event_models(table.model)[-1]._meta.db_table
        # Names come from the models, values from the caller.
        parts.append(
            f"""
            (SELECT g.at, g.label, g.n, {number}, to_jsonb(e), (
                SELECT to_jsonb(p) FROM {event} AS p
                WHERE p.pgh_obj_id = e.pgh_obj_id AND p.pgh_id < e.pgh_id AND e.pgh_label = 'change'
                ORDER BY p.pgh_id DESC LIMIT 1)
            FROM (
                SELECT pgh_created_at AS at, pgh_label AS label, count(*) AS n, max(pgh_id) AS last FROM {event}
                WHERE {table.column} = ANY(%s) AND pgh_created_at < %s AND pgh_label = ANY(%s)
                GROUP BY 1, 2 ORDER BY 1 DESC LIMIT %s
            ) AS g JOIN {event} AS e ON e.pgh_id = g.last)
            """
        )
        values += [list(table.ids), before, list(table.labels), limit]
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(parts)} ORDER BY 1 DESC LIMIT %s", [*values, limit])
        return [
            Row(at, label, count, wanted[number].model, _json(new), _json(old))
            for at, label, count, number, new, old in cursor.fetchall()
        ]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _reasons(rows: Iterable[Row]) -> dict[datetime, AuditEntry]:
    """Return who changed what and why, by transaction."""
    rows = list(rows)
    if not rows:
        return {}
    keys: dict[str, set[str]] = {}
    for row in rows:
        chain = [row.model, *row.model._meta.get_parent_list(), *row.model.__subclasses__()]
        for model in chain:
            keys.setdefault(model._meta.label_lower, set()).add(str(row.new["pgh_obj_id"]))
    named = models.Q()
    for label, ids in keys.items():
        named |= models.Q(object_type=label, object_id__in=ids)
    found = AuditEntry.objects.filter(named, transaction_at__in={row.at for row in rows}).order_by("-id")
    return {entry.transaction_at: entry for entry in found}


def _moment(row: Row, reasons: Mapping[datetime, AuditEntry]) -> Moment:
    sentence, icon, tone = LABELS[row.label]
    what = str(row.model._meta.verbose_name)
    if row.count > 1:
        what = _("%(n)s × %(what)s") % {"n": row.count, "what": what}
    entry = reasons.get(row.at)
    details = [_name(row)] if row.count == 1 else []
    details += _changes(row) if row.count == 1 and row.old else []
    if entry is not None and entry.reason:
        details.append(_("Reason: %(reason)s") % {"reason": entry.reason})
    return Moment(
        row.at,
        str(sentence) % {"what": what},
        " · ".join(detail for detail in details if detail),
        tone=tone,
        icon=icon,
        who=verbs.actor(entry.actor_name) if entry else "",
    )


def _name(row: Row) -> str:
    """Return what a record is called among its kind."""
    new = row.new
    if row.model in (Limit, Series):
        return words.factor_name(str(new.get("factor", "")))
    return str(new.get("name") or new.get("number") or new.get("mn") or "")


def _changes(row: Row) -> list[str]:
    """Return from what to what the fields changed."""
    found = []
    for field in row.model._meta.concrete_fields:
        before, after = (row.old or {}).get(field.column), row.new.get(field.column)
        if field.column in row.new and before != after:
            found.append(f"{field.verbose_name}: {_shown(field, before)} → {_shown(field, after)}")
    if len(found) > FIELDS_SHOWN:
        rest = _("and %(n)s more fields") % {"n": len(found) - FIELDS_SHOWN}
        return [*found[:FIELDS_SHOWN], rest]
    return found


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(dict(field.flatchoices).get(value, value))[:60]
