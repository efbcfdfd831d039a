"""The versions of a record, read from its history tables (:mod:`luming.core.history`) and joined with the audit trail.

A version is what one transaction left behind: an outlet is a row of places and a row of outlets, and both belong to the
version of the transaction that wrote them. Columns that the history leaves out (secrets) are in no version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Exists, Max, OuterRef, Q

from luming.core.history import event_models
from luming.core.models import AuditEntry

CREATED, CHANGED, DELETED = "create", "change", "delete"

# The audit row of a transaction is written before its end; nothing of ours takes longer.
LONGEST_TRANSACTION = timedelta(hours=12)
MOST_ENTRIES = 500  # beside the versions of one record


@dataclass(slots=True)
class Version:
    """A record as one transaction left it; of a deleted one, as it was before."""

    key: str  # the ids of its history rows by table, "0" where a table has none yet
    at: datetime  # when the transaction began
    label: str  # create, change or delete
    values: dict[str, Any]  # column (attname) -> value; columns not known at that time are missing
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # column -> from, to
    entries: list[AuditEntry] = field(default_factory=list)  # the verbs that caused it; none: written past the verbs

    @property
    def is_recorded(self) -> bool:
        """Tell whether a verb accounts for the version."""
        return bool(self.entries)


def is_kept(model: type[models.Model]) -> bool:
    """Tell whether the history of a model is kept."""
    return bool(event_models(model))


def kept_fields(model: type[models.Model]) -> list[models.Field]:
    """Return the columns of a model that its history holds, in the order of the model."""
    names = {column.attname for table in event_models(model) for column in _columns(table)}
    return [column for column in model._meta.concrete_fields if column.attname in names]


def secret_fields(model: type[models.Model]) -> frozenset[str]:
    """Return the names of the columns that the history leaves out: secrets, shown nowhere, and bulky ones."""
    if not is_kept(model):
        return frozenset()
    kept = {column.name for column in kept_fields(model)}
    parents = {link.name for link in model._meta.parents.values() if link is not None}
    return frozenset(column.name for column in model._meta.concrete_fields) - kept - parents


def current_key(model: type[models.Model], pk: Any) -> str:
    """Return the key of a record's present version, what a form is opened with; "" when no history is kept."""
    tables = event_models(model)
    return ".".join(str(_rows(table, [pk]).aggregate(newest=Max("pgh_id"))["newest"] or 0) for table in tables)


def history(model: type[models.Model], pk: Any, accounted: int | None = None) -> list[Version]:
    """Return the versions of a record, newest first, with what changed and who did it (of all, or the newest few)."""
    found = _versions(model, pk, model._base_manager.filter(pk=pk).first())[::-1]
    _account_for(model, str(pk), found[:accounted])
    return found


def version(model: type[models.Model], pk: Any, key: str) -> Version | None:
    """Return one version of a record."""
    return next((entry for entry in history(model, pk) if entry.key == key), None)


def snapshot(model: type[models.Model], pk: Any, key: str) -> dict[str, Any]:
    """Return the columns of a record as they were in a version; empty when that version is not known."""
    return next((entry.values for entry in _versions(model, pk, None) if entry.key == key), {})


def deleted(model: type[models.Model], limit: int, *, before: int | None = None) -> list[models.Model]:
    """Return the newest history rows of records that do not exist any more, newest first.

    They are rows of the model's own history table (for an outlet that of outlets); ``before`` continues a list.
    """
    tables = event_models(model)
    if not tables:
        return []
    table = tables[-1]
    there = model._base_manager.order_by().filter(pk=OuterRef("pgh_obj_id"))
    gone = table._base_manager.filter(~Exists(there), pgh_label=DELETED)
    if before is not None:
        gone = gone.filter(pgh_id__lt=before)
    newest = gone.order_by().values("pgh_obj_id").annotate(newest=Max("pgh_id")).values("newest")
    return list(table._base_manager.filter(pgh_id__in=newest).order_by("-pgh_id")[:limit])


def last_values(model: type[models.Model], keys: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Return what the history last knew of some records, by key."""
    wanted, found = list(keys), {}
    for table in event_models(model):
        newest = _rows(table, wanted).order_by().values("pgh_obj_id").annotate(newest=Max("pgh_id")).values("newest")
        for event in table._base_manager.filter(pgh_id__in=newest):
            columns = {column.attname: getattr(event, column.attname) for column in _columns(table)}
            found.setdefault(event.pgh_obj_id, {}).update(columns)
    return found


def rebuilt(model: type[models.Model], values: dict[str, Any]) -> models.Model:
    """Return an unsaved record with the columns of a version; what the history leaves out has its default."""
    names = {column.attname for column in model._meta.concrete_fields}
    return model(**{name: value for name, value in values.items() if name in names})


def _columns(table: type[models.Model]) -> list[models.Field]:
    """Return the columns of a history table that are columns of the tracked model."""
    return [column for column in table._meta.concrete_fields if not column.name.startswith("pgh_")]


def _rows(table: type[models.Model], keys: Iterable[Any]) -> models.QuerySet[Any]:
    return table._base_manager.filter(pgh_obj_id__in=list(keys))


def _versions(model: type[models.Model], pk: Any, present: models.Model | None) -> list[Version]:
    """Return the versions of a record, oldest first, without their audit rows."""
    tables = event_models(model)
    rows = [list(_rows(table, [pk]).order_by("pgh_id")) for table in tables]
    known: dict[str, Any] = {}
    for table, events in zip(tables, rows, strict=True):
        if present is not None and not events:  # older than the history and never changed since
            known |= {column.attname: getattr(present, column.attname) for column in _columns(table)}
    newest = [0] * len(tables)
    found = []
    for at in sorted({event.pgh_created_at for events in rows for event in events}):
        labels, before = [], dict(known)
        for place, (table, events) in enumerate(zip(tables, rows, strict=True)):
            for event in (event for event in events if event.pgh_created_at == at):
                labels.append(event.pgh_label)
                newest[place] = event.pgh_id
                known |= {column.attname: getattr(event, column.attname) for column in _columns(table)}
        label = _label(labels)
        changes = {} if label != CHANGED else _differences(before, known)
        found.append(Version(".".join(map(str, newest)), at, label, dict(known), changes))
    return found


def _label(labels: Sequence[str]) -> str:
    """Return what a transaction did to a record by what it did to its rows, the last table's last."""
    if labels[-1] == DELETED:
        return DELETED
    return CREATED if CREATED in labels else CHANGED


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (before[name], value) for name, value in after.items() if name in before and before[name] != value}


def _account_for(model: type[models.Model], pk: str, found: Sequence[Version]) -> None:
    """Give each version the audit rows of its transaction: those about the record, else any of them.

    What a verb changed beside its own object (a device that is adopted brings its series) is accounted for by the
    verb's row on that other object.
    """
    if not found:
        return
    moments = [entry.at for entry in found]
    rows = AuditEntry.objects.select_related("actor").filter(transaction_at__in=moments).order_by("pk")
    _share_out(found, rows.filter(object_type__in=_types(model), object_id=pk))
    missing = [entry for entry in found if not entry.entries]
    for start in range(0, len(missing), 50):
        some = missing[start : start + 50]
        near = Q()  # by the time of writing, which has an index
        for entry in some:
            near |= Q(transaction_at=entry.at, at__range=(entry.at, entry.at + LONGEST_TRANSACTION))
        _share_out(some, rows.filter(near).order_by("transaction_at", "pk").distinct("transaction_at"))
    for entry in found:
        if entry.label == CHANGED and not entry.changes:
            entry.changes = _audited_changes(model, entry)


def other_entries(model: type[models.Model], pk: Any, found: Sequence[Version]) -> list[AuditEntry]:
    """Return the audit rows about a record that left no version, newest first: files, notes, tags, secrets."""
    rows = AuditEntry.objects.filter(object_type__in=_types(model), object_id=str(pk))
    return list(rows.exclude(transaction_at__in=[entry.at for entry in found]).order_by("-at", "-pk")[:MOST_ENTRIES])


def _types(model: type[models.Model]) -> list[str]:
    return [parent._meta.label_lower for parent in (*model._meta.get_parent_list(), model)]


def _share_out(found: Sequence[Version], rows: Iterable[AuditEntry]) -> None:
    by_moment = {entry.at: entry for entry in found}
    for row in rows:
        by_moment[row.transaction_at].entries.append(row)


def _audited_changes(model: type[models.Model], entry: Version) -> dict[str, tuple[Any, Any]]:
    """Return what the audit trail says of a change whose earlier version is older than the history."""
    columns = {column.name: column for column in model._meta.concrete_fields}
    found = {}
    for row in entry.entries:
        for name, pair in (row.detail.get("changes") or {}).items():
            column = columns.get(name)
            if column is not None and column.attname in entry.values and isinstance(pair, list) and len(pair) == 2:
                found[column.attname] = (pair[0], entry.values[column.attname])
    return found
