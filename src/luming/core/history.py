"""History of records: every insert, update and delete, written by triggers of the database (django-pghistory).

No path escapes it: pages, API, imports, jobs and hands on ``psql`` leave the same rows. A row holds the record as it
was after the change (before it, for a delete). Who and why is in the audit row of the same transaction:
``AuditEntry.transaction_at`` equals ``pgh_created_at`` of the rows that the verb caused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

import pghistory
from django.apps import apps
from django.db import models

Model = TypeVar("Model", bound=type[models.Model])


def tracked(*, exclude: Sequence[str] = ()) -> Callable[[Model], Model]:
    """Keep the history of a model; secrets and bulky columns are named in ``exclude``."""
    return pghistory.track(
        pghistory.InsertEvent("create"),
        pghistory.UpdateEvent("change"),
        pghistory.DeleteEvent("delete"),
        obj_field=pghistory.ObjForeignKey(related_name="+"),
        exclude=list(exclude) or None,
    )


@functools.cache
def event_models(model: type[models.Model]) -> tuple[type[models.Model], ...]:
    """Return the history tables of a model, its parents' first (an outlet is a place too); empty when none is kept."""
    tables = {
        event.pgh_tracked_model: event  # type: ignore[attr-defined]
        for event in apps.get_models()
        if issubclass(event, pghistory.models.Event) and event is not pghistory.models.Events
    }
    chain = [*model._meta.get_parent_list(), model]
    return tuple(tables[parent] for parent in chain if parent in tables)
