"""What hangs on a record: what keeps it from being deleted, what goes with it, what loses its reference to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import ProtectedError, RestrictedError
from django.utils.translation import gettext as _

DEEPEST = 5  # levels of what goes with what goes


@dataclass(frozen=True, slots=True)
class Dependants:
    """Records of one model that refer to a record: ``effect`` is delete, protect or clear."""

    model: type[models.Model]
    field: str
    count: int
    effect: str
    examples: Sequence[Any]


def dependants(record: models.Model) -> list[Dependants]:
    """Return what hangs on a record: what keeps it from being deleted first, then what would go or be cleared."""
    order = {"protect": 0, "delete": 1, "clear": 2}
    found = _dependants(type(record), [record.pk], 0)
    return sorted(found, key=lambda entry: (order[entry.effect], -entry.count))


def _dependants(model: type[models.Model], keys: Any, depth: int) -> Iterable[Dependants]:
    for relation, effect in relations(model):
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": keys})
        count = rows.count()
        if not count:
            continue
        yield Dependants(relation.related_model, relation.field.name, count, effect, list(rows[:3]))
        if effect == "delete" and depth < DEEPEST:
            yield from _dependants(relation.related_model, rows.order_by().values("pk"), depth + 1)


def relations(model: type[models.Model]) -> Iterable[tuple[Any, str]]:
    """Yield the relations that point at a model with what deleting does to their rows."""
    effects = {
        models.CASCADE: "delete",
        models.PROTECT: "protect",
        models.RESTRICT: "protect",
        models.SET_NULL: "clear",
        models.SET_DEFAULT: "clear",
    }
    for relation in model._meta.related_objects:
        if relation.field.many_to_many or getattr(relation.field.remote_field, "parent_link", False):
            continue
        if (effect := effects.get(relation.on_delete)) is not None:  # DO_NOTHING: history
            yield relation, effect


def protection(error: ProtectedError | RestrictedError) -> str:
    """Return the sentence that names what keeps records from being deleted."""
    held = getattr(error, "protected_objects", None) or getattr(error, "restricted_objects", ())
    counts: dict[Any, int] = {}
    for row in held:
        name = row._meta.verbose_name_plural
        counts[name] = counts.get(name, 0) + 1
    named = ", ".join(f"{name} {count}" for name, count in counts.items())
    return _("This hangs on it and must go first: %(records)s.") % {"records": named}
