"""Verbs on permits and allowances; each checks permission and scope, locks, validates, writes and records.

All raise ``PermissionDenied`` without the permission, ``ValidationError`` (a dictionary of fields) for what is wrong,
and ``Model.DoesNotExist`` for what lies outside the user's scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.domains.permitting import numbers
from luming.domains.permitting.models import Allowance, Permit
from luming.registry.actions import described, differences, facts
from luming.registry.models import Facility, Place
from luming.standards.amounts import month_end

PERMISSION = "permit.edit"
Record = TypeVar("Record", Permit, Allowance)
Problems = dict[str, str]  # field -> sentence

# What a record is known by never changes: history hangs on it.
KEYS: dict[type[models.Model], frozenset[str]] = {
    Permit: frozenset({"number", "facility", "valid_from"}),
    Allowance: frozenset({"permit", "outlet", "factor", "year"}),
}


def create_permit(user: User | None, *, reason: str = "", **values: Any) -> Permit:
    """Enter a permit; its dates must not overlap those of another valid permit of the facility with its number."""
    return _create(user, Permit(**values), reason)


def change_permit(user: User | None, permit: Permit, *, reason: str = "", **values: Any) -> Permit:
    """Change fields of a permit, such as its last day; number, facility and first day stay."""
    return _change(user, permit, reason, values)


def end_permit(user: User | None, permit: Permit, status: str, *, reason: str) -> Permit:
    """Record that a permit was cancelled, withdrawn or revoked; a reason is needed."""
    audit.require(user, PERMISSION)
    if status == Permit.Status.VALID or status not in Permit.Status.values:
        raise ValidationError({"status": _("Choose whether the permit was cancelled, withdrawn or revoked.")})
    if not reason.strip():
        raise ValidationError({"reason": _("Say why, with the document that ended the permit.")})
    with transaction.atomic():
        locked = Permit.objects.select_for_update(of=("self",)).get(pk=permit.pk)
        require_scope(user, locked)
        if locked.status != Permit.Status.VALID:
            raise ValidationError({"status": _("This permit has ended already; its history says when and why.")})
        return _change(user, locked, reason, {"status": status})


def create_allowance(user: User | None, *, reason: str = "", **values: Any) -> Allowance:
    """Enter what a permit allows in a year of one factor, for the facility or one of its outlets."""
    return _create(user, Allowance(**values), reason)


def change_allowance(user: User | None, allowance: Allowance, *, reason: str = "", **values: Any) -> Allowance:
    """Change fields of an allowance: its amount, source or what was reported; permit, outlet, factor, year stay."""
    return _change(user, allowance, reason, values)


def delete_allowance(user: User | None, allowance: Allowance, *, reason: str = "") -> None:
    """Delete an allowance that was entered by mistake; its history is kept."""
    audit.require(user, PERMISSION)
    with transaction.atomic():
        locked = Allowance.objects.select_for_update(of=("self",)).get(pk=allowance.pk)
        require_scope(user, locked)
        audit.record(user, "allowance.delete", locked, reason=reason, values=described(locked))
        locked.delete()


def end_permits(user: User, records: Iterable[Permit], *, reason: str = "", status: str = "") -> str:
    """End several permits in one transaction; says how many."""
    with transaction.atomic():
        count = sum(end_permit(user, permit, status, reason=reason).status == status for permit in records)
    return _("Permits ended: %(count)d.") % {"count": count}


def _create(user: User | None, record: Record, reason: str) -> Record:
    audit.require(user, PERMISSION)
    with transaction.atomic():
        require_scope(user, record)
        _validate(record)
        record.save(force_insert=True)
        verb = f"{record._meta.model_name}.create"
        audit.record(user, verb, record, reason=reason, values=described(record))
    return record


def _change(user: User | None, record: Record, reason: str, values: dict[str, Any]) -> Record:
    audit.require(user, PERMISSION)
    model = type(record)
    if fixed := KEYS[model] & {name.removesuffix("_id") for name in values}:
        raise ValidationError({name: _("This identifies the record and cannot be changed.") for name in sorted(fixed)})
    with transaction.atomic():
        locked = model.objects.select_for_update(of=("self",)).get(pk=record.pk)
        require_scope(user, locked)
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


def require_scope(user: User | None, record: models.Model) -> None:
    """Raise ``DoesNotExist`` unless what the record hangs on lies in the user's data scope."""
    if user is None:
        return
    if isinstance(record, Permit):
        Facility.objects.visible_to(user).get(pk=record.facility_id)
    elif isinstance(record, Allowance):
        Permit.objects.visible_to(user).get(pk=record.permit_id)
        if record.outlet_id is not None:
            Place.objects.visible_to(user).get(pk=record.outlet_id)


# ---- rules -----------------------------------------------------------------------------------------------------------


def _validate(record: Permit | Allowance) -> None:
    """Raise all that is wrong with a record, its neighbours included."""
    problems: dict[str, list[str]] = {}
    try:
        record.full_clean()
    except ValidationError as error:
        problems = error.message_dict
    if not problems:  # the rules presume that each field by itself is well
        found = permit_problems(record) if isinstance(record, Permit) else allowance_problems(record)
        problems = {field: [sentence] for field, sentence in found.items()}
    if problems:
        raise ValidationError(problems)


def permit_problems(permit: Permit) -> Problems:
    """Return what is wrong with a permit: its number, its dates, another permit at the same time."""
    number = numbers.read(permit.number)
    if number is None:
        return {
            "number": _(
                "A permit number has 22 characters: 18 of the credit code, three digits and one letter (HJ 608)."
            )
        }
    if not number.is_sound:
        return {"number": _("The check character of the credit code in this number is wrong (GB 32100).")}
    if permit.issued_on > permit.valid_to:
        return {"issued_on": _("The permit expired before it was issued: mend one of the two dates.")}
    # The facility's row is the lock that keeps two people from writing overlapping permits at once.
    Facility.objects.select_for_update(of=("self",)).get(pk=permit.facility_id)
    others = Permit.objects.filter(number=permit.number, status=Permit.Status.VALID).exclude(pk=permit.pk)
    if permit.status != Permit.Status.VALID:
        return {}
    clash = others.filter(valid_from__lte=permit.valid_to, valid_to__gte=permit.valid_from).first()
    if clash is None:
        return {}
    return {
        "valid_from": _(
            "A permit with this number is valid from %(first)s to %(last)s: end it before, or change it instead."
        )
        % {"first": clash.valid_from.isoformat(), "last": clash.valid_to.isoformat()}
    }


def allowance_problems(allowance: Allowance) -> Problems:
    """Return what is wrong with an allowance: its factor, its outlet, its year, what was reported."""
    permit = allowance.permit
    if allowance.outlet is not None and allowance.outlet.facility_id != permit.facility_id:
        return {"outlet": _("This outlet belongs to another facility than the permit.")}
    if not permit.valid_from.year <= allowance.year <= permit.valid_to.year:
        return {
            "year": _("The permit is valid from %(first)s to %(last)s.")
            % {"first": permit.valid_from.isoformat(), "last": permit.valid_to.isoformat()}
        }
    return _reported_problems(allowance.year, allowance.reported_until, allowance.reported_tonnes)


def _reported_problems(year: int, until: date | None, tonnes: float | None) -> Problems:
    if (until is None) != (tonnes is None):
        missing = "reported_until" if until is None else "reported_tonnes"
        return {missing: _("A reported amount needs both the tonnes and the day until which they were counted.")}
    if until is not None and (until.year != year or until != month_end(until)):
        return {"reported_until": _("Give the last day of a month of %(year)d.") % {"year": year}}
    return {}
