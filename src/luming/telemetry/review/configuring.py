"""Verbs on the bureau's configuration of review: reasons and rules, dated; a change says why."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.actions import described, differences, facts
from luming.telemetry.review.models import ReasonCode, ReviewRule

PERMISSION = "quality.configure"
SIGNED = "review.decide"  # of registers whose records nobody edits
Record = TypeVar("Record", ReasonCode, ReviewRule)
KEYS = {
    ReasonCode: frozenset({"code", "action", "effective_from"}),
    ReviewRule: frozenset({"medium", "control", "effective_from"}),
}


def create_reason(user: User | None, *, reason: str = "", **values: Any) -> ReasonCode:
    """Enter a reason for reviewers."""
    return _create(user, ReasonCode(**values), reason)


def change_reason(user: User | None, record: ReasonCode, *, reason: str = "", **values: Any) -> ReasonCode:
    """Change a reason, or the day on which it ends."""
    return _change(user, record, reason, values)


def create_rule(user: User | None, *, reason: str = "", **values: Any) -> ReviewRule:
    """Enter a rule; days that wait already keep the deadline they have."""
    return _create(user, ReviewRule(**values), reason)


def change_rule(user: User | None, record: ReviewRule, *, reason: str = "", **values: Any) -> ReviewRule:
    """Change a rule, or the day on which it ends."""
    return _change(user, record, reason, values)


def _create(user: User | None, record: Record, reason: str) -> Record:
    audit.require(user, PERMISSION)
    with transaction.atomic():
        _validate(record)
        record.save(force_insert=True)
        audit.record(user, f"{record._meta.model_name}.create", record, reason=reason, values=described(record))
    return record


def _change(user: User | None, record: Record, reason: str, values: dict[str, Any]) -> Record:
    audit.require(user, PERMISSION)
    model = type(record)
    if fixed := KEYS[model] & set(values):
        raise ValidationError({name: _("This identifies the record and cannot be changed.") for name in sorted(fixed)})
    with transaction.atomic():
        locked = model.objects.select_for_update().get(pk=record.pk)
        before = facts(locked)
        for name, value in values.items():
            setattr(locked, name, value)
        changes = differences(before, facts(locked))
        if not changes:
            return locked
        _validate(locked)
        locked.save()
        audit.record(user, f"{model._meta.model_name}.change", locked, reason=reason, changes=changes)
    return locked


def _validate(record: ReasonCode | ReviewRule) -> None:
    """Raise what is wrong: two of the same key or scope at the same time above all."""
    record.full_clean()
    if record.effective_to is not None and record.effective_to < record.effective_from:
        raise ValidationError({"effective_to": _("It would end before it begins.")})
    if isinstance(record, ReasonCode):
        others = ReasonCode.objects.filter(action=record.action, key=record.key)
        sentence = _("“%(name)s” has this number key at the same time: end it before, or choose another key.")
        field = "key"
    else:
        others = ReviewRule.objects.filter(medium=record.medium, control=record.control)
        sentence = _("“%(name)s” is in force for these places at the same time: end it before.")
        field = "effective_from"
    for other in others.exclude(pk=record.pk):
        if _meet(record, other):
            raise ValidationError({field: sentence % {"name": other}})


def _meet(one: ReasonCode | ReviewRule, other: ReasonCode | ReviewRule) -> bool:
    ends_before = one.effective_to is not None and one.effective_to < other.effective_from
    begins_after = other.effective_to is not None and other.effective_to < one.effective_from
    return not ends_before and not begins_after
