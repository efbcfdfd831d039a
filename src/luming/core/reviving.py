"""Bringing deleted records back from the history, under their old keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from luming.core import versions
from luming.core.dependants import relations


def insert(record: models.Model) -> None:
    """Insert a record with its key and all of its columns as they are, its parents' rows first."""
    try:
        with transaction.atomic():
            for parent in (*record._meta.get_parent_list(), type(record)):
                names = {column.attname for column in parent._meta.concrete_fields}
                row = parent(**{name: getattr(record, name) for name in names})
                row.save_base(raw=True, force_insert=True)
    except IntegrityError as error:
        raise ValidationError(_("It cannot be brought back: another record has its key now.")) from error


def require_parents(record: models.Model) -> None:
    """Raise when what the record refers to is gone too."""
    problems = {}
    for column in record._meta.concrete_fields:
        key = getattr(record, column.attname)
        if not column.is_relation or key is None or getattr(column.remote_field, "parent_link", False):
            continue
        model: Any = column.related_model
        if not model._base_manager.filter(pk=key).exists():
            name = model._meta.verbose_name
            problems[column.name] = _("%(name)s %(key)s does not exist any more: bring it back first.") % {
                "name": name,
                "key": key,
            }
    if problems:
        raise ValidationError(problems)


def revive_dependants(record: models.Model, at: datetime, done: set[Any]) -> Iterable[int]:
    """Bring back what the deletion of a record took with it; yields how many records of each kind."""
    for relation, effect in relations(type(record)):
        tables = versions.event_models(relation.related_model)
        if effect != "delete" or not tables or relation.related_model in done:
            continue
        table = tables[-1]
        column = relation.field.attname
        if column not in {entry.attname for entry in table._meta.concrete_fields}:
            continue
        rows = table._base_manager.filter(pgh_label=versions.DELETED, pgh_created_at=at, **{column: record.pk})
        gone = rows.values_list("pgh_obj_id", flat=True)
        for key in list(gone):
            last = versions.history(relation.related_model, key)[0]
            child = versions.rebuilt(relation.related_model, last.values)
            insert(child)
            yield 1 + sum(revive_dependants(child, at, done | {type(record)}))
