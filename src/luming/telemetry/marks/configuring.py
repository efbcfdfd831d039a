"""Verbs on the codes of marks: dated configuration; a change says why, and none changes what marks did already."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.actions import described, differences, facts
from luming.standards import marks as table
from luming.telemetry.marks.models import MarkCode

PERMISSION = "quality.configure"
KEYS = frozenset({"code", "side", "effective_from"})
# What a code does: not changed once marks use the row.
EFFECTS = frozenset(
    {"excluded", "shutdown", "amounts", "needs_confirmation", "hour_minutes", "day_hours", "letter", "days_after",
     "due_at"}
)  # fmt: skip


def create_code(user: User | None, *, reason: str = "", **values: Any) -> MarkCode:
    """Enter a code, or the next edition of one that has ended."""
    audit.require(user, PERMISSION)
    row = MarkCode(**values)
    with transaction.atomic():
        _validate(row)
        row.save(force_insert=True)
        audit.record(user, "mark-code.create", row, reason=reason, values=described(row))
    return row


def change_code(user: User | None, code: MarkCode, *, reason: str = "", **values: Any) -> MarkCode:
    """Change a code, or the day on which it ends."""
    audit.require(user, PERMISSION)
    if fixed := KEYS & set(values):
        raise ValidationError({name: _("This identifies the record and cannot be changed.") for name in sorted(fixed)})
    with transaction.atomic():
        row = MarkCode.objects.select_for_update().get(pk=code.pk)
        before = facts(row)
        for name, value in values.items():
            setattr(row, name, value)
        changes = differences(before, facts(row))
        if not changes:
            return row
        if (touched := EFFECTS & set(changes)) and row.marks.exists():
            sentence = _("Marks were made by this row: end it on a day and enter another one from the next day on.")
            raise ValidationError(dict.fromkeys(sorted(touched), sentence))
        _validate(row)
        row.save()
        audit.record(user, "mark-code.change", row, reason=reason, changes=changes)
    return row


def _validate(row: MarkCode) -> None:
    """Raise what is wrong: an unknown sector or medium, and two rows of a code at the same time."""
    row.full_clean(validate_constraints=False)  # their sentences come from here
    known = {sector.code for sector in table.sectors()} | {"*"}
    if strange := sorted(set(row.sectors.split()) - known):
        raise ValidationError({"sectors": _("Unknown sector: %(names)s.") % {"names": ", ".join(strange)}})
    if not row.sectors.split():
        raise ValidationError({"sectors": _("Name at least one sector, or * for all.")})
    if not row.media.split() or set(row.media.split()) - {"gas", "sewage"}:
        raise ValidationError({"media": _("Name gas, sewage or both.")})
    if row.effective_to is not None and row.effective_to < row.effective_from:
        raise ValidationError({"effective_to": _("It would end before it begins.")})
    if row.shutdown and row.amounts != MarkCode.Amounts.STOPPED:
        raise ValidationError({"amounts": _("What counts as out of operation emits nothing.")})
    for other in MarkCode.objects.filter(code=row.code).exclude(pk=row.pk):
        if _meet(row, other):
            raise ValidationError(
                {"effective_from": _("The code is in force at the same time already: end it before.")}
            )


def _meet(one: MarkCode, other: MarkCode) -> bool:
    ends_before = one.effective_to is not None and one.effective_to < other.effective_from
    begins_after = other.effective_to is not None and other.effective_to < one.effective_from
    return not ends_before and not begins_after
