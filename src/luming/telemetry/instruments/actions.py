"""Verbs on instruments and what keeps them: each checks permission and scope, locks, validates, writes and records.

All raise ``PermissionDenied`` without the permission, ``ValidationError`` (a dictionary of fields) for what is wrong,
and ``Model.DoesNotExist`` for what lies outside the user's scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.actions import described, differences, facts
from luming.registry.models import Device
from luming.standards.edition import city_day
from luming.telemetry.instruments import limits
from luming.telemetry.instruments.models import (
    Calibration,
    Certificate,
    Instrument,
    Maintenance,
    MaintenancePlan,
    Supply,
)

PERMISSION = "instrument.keep"
Record = TypeVar("Record", Instrument, Calibration, Maintenance, MaintenancePlan, Supply, Certificate)
Problems = dict[str, str]  # field -> sentence

# What a record is known by never changes: history and evidence hang on it.
KEYS: dict[type[models.Model], frozenset[str]] = {
    Instrument: frozenset({"device", "serial", "factors"}),
    Calibration: frozenset({"device", "factor", "kind", "performed_at"}),
    Maintenance: frozenset({"device", "kind", "start"}),
    MaintenancePlan: frozenset({"device", "title"}),
    Supply: frozenset({"device", "name", "batch"}),
    Certificate: frozenset({"device", "kind", "number"}),
}


def create_instrument(user: User | None, *, reason: str = "", **values: Any) -> Instrument:
    """Enter an analyser or sensor of a device."""
    return _create(user, Instrument(**values), reason)


def change_instrument(user: User | None, instrument: Instrument, *, reason: str = "", **values: Any) -> Instrument:
    """Change fields of an instrument, such as the day on which it was taken away."""
    return _change(user, instrument, reason, values)


def create_calibration(user: User | None, *, reason: str = "", **values: Any) -> Calibration:
    """Enter a calibration or check that was done by hand; drift and result follow from its figures.

    Where the value of the standard is not given, it is the certified one of the standard gas or solution used.
    """
    row = Calibration(**_with_device(values))
    if row.standard is None and row.supply is not None:
        row.standard, row.unit = row.supply.value, row.unit or row.supply.value_unit
    with transaction.atomic():
        _create(user, _judged(row), reason)
        _move_plans(row.device_id, row.kind, row.performed_at, row.instrument_id)
    return row


def enter_received(row: Calibration) -> Calibration:
    """Enter a calibration that a device sent or carried out on order; the platform itself does it."""
    with transaction.atomic():
        _judged(row)
        _validate(row)
        row.save(force_insert=True)
        audit.record(None, "calibration.create", row, values=described(row), packet=row.packet_id)
        _move_plans(row.device_id, row.kind, row.performed_at, row.instrument_id)
    return row


def change_calibration(user: User | None, calibration: Calibration, *, reason: str = "", **values: Any) -> Calibration:
    """Correct the figures of a calibration that was entered by hand, with a reason; it is judged again."""
    if calibration.source != Calibration.Source.HAND:
        raise ValidationError(_("What a device sent is not changed: enter a calibration of your own beside it."))
    return _change(user, calibration, reason, values)


def delete_calibration(user: User | None, calibration: Calibration, *, reason: str = "") -> None:
    """Take back a calibration that was entered by mistake; its history is kept."""
    audit.require(user, PERMISSION)
    if calibration.source != Calibration.Source.HAND:
        raise ValidationError(_("What a device sent is not deleted."))
    _delete(user, calibration, reason)


def create_maintenance(user: User | None, *, reason: str = "", **values: Any) -> Maintenance:
    """Enter work that was done, or that has begun; a plan it belongs to moves on when the work is over."""
    values = _with_device(values)
    with transaction.atomic():
        row = _create(user, Maintenance(**values), reason)
        _finish(row)
    return row


def change_maintenance(user: User | None, maintenance: Maintenance, *, reason: str = "", **values: Any) -> Maintenance:
    """Change an entry of the log, such as when the work ended."""
    with transaction.atomic():
        row = _change(user, maintenance, reason, values)
        _finish(row)
    return row


def delete_maintenance(user: User | None, maintenance: Maintenance, *, reason: str = "") -> None:
    """Take back an entry of the log that was made by mistake; its history is kept."""
    audit.require(user, PERMISSION)
    _delete(user, maintenance, reason)


def create_plan(user: User | None, *, reason: str = "", **values: Any) -> MaintenancePlan:
    """Plan work that comes again."""
    return _create(user, MaintenancePlan(**_with_device(values)), reason)


def change_plan(user: User | None, plan: MaintenancePlan, *, reason: str = "", **values: Any) -> MaintenancePlan:
    """Change a plan: its interval, its next day, whether it is active."""
    return _change(user, plan, reason, values)


def create_supply(user: User | None, *, reason: str = "", **values: Any) -> Supply:
    """Enter a consumable, reagent, standard gas or spare part."""
    return _create(user, Supply(**_with_device(values)), reason)


def change_supply(user: User | None, supply: Supply, *, reason: str = "", **values: Any) -> Supply:
    """Change a supply: what is left of it, when it was opened, when it expires."""
    return _change(user, supply, reason, values)


def finish_supplies(user: User, records: Iterable[Supply], *, reason: str = "") -> str:
    """Note that supplies are used up or discarded; says how many."""
    with transaction.atomic():
        changed = [change_supply(user, supply, reason=reason, quantity=0, is_finished=True) for supply in records]
    return _("Supplies used up: %(count)d.") % {"count": len(changed)}


def create_certificate(user: User | None, *, reason: str = "", **values: Any) -> Certificate:
    """Enter a certificate of an instrument or standard gas."""
    return _create(user, Certificate(**_with_device(values)), reason)


def change_certificate(user: User | None, certificate: Certificate, *, reason: str = "", **values: Any) -> Certificate:
    """Change a certificate: its dates, or that a newer one replaced it."""
    return _change(user, certificate, reason, values)


# ---- how -------------------------------------------------------------------------------------------------------------


def _with_device(values: dict[str, Any]) -> dict[str, Any]:
    """Fill in the device from the instrument, where only that is named."""
    instrument = values.get("instrument")
    if instrument is not None and not values.get("device"):
        return values | {"device": instrument.device}
    return values


def _create(user: User | None, record: Record, reason: str) -> Record:
    audit.require(user, PERMISSION)
    with transaction.atomic():
        require_scope(user, record)
        _validate(record)
        record.save(force_insert=True)
        audit.record(user, f"{record._meta.model_name}.create", record, reason=reason, values=described(record))
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
        if isinstance(locked, Calibration):
            _judged(locked)
        _validate(locked)
        locked.save()
        audit.record(user, f"{model._meta.model_name}.change", locked, reason=reason, changes=changes)
    return locked


def _delete(user: User | None, record: Record, reason: str) -> None:
    with transaction.atomic():
        locked = type(record).objects.select_for_update(of=("self",)).get(pk=record.pk)
        require_scope(user, locked)
        audit.record(user, f"{record._meta.model_name}.delete", locked, reason=reason, values=described(locked))
        locked.delete()


def require_scope(user: User | None, record: Any) -> None:
    """Raise ``DoesNotExist`` unless the record's device lies in the user's data scope."""
    if user is not None and record.device_id is not None:
        Device.objects.visible_to(user).get(pk=record.device_id)


def _judged(row: Calibration) -> Calibration:
    """Compute what follows from a calibration's figures: the full scale, the drift, the result with its limits."""
    if row.device_id is None or row.performed_at is None:
        return row  # validation says what is missing
    if row.full_scale is None and row.instrument_id is not None:
        row.full_scale = row.instrument.full_scale
    found = limits.judge(
        row.device.place.medium, row.factor, row.kind, city_day(row.performed_at),
        standard=row.standard, response=row.response, full_scale=row.full_scale, unit=row.unit,
    )  # fmt: skip
    row.drift, row.drift_unit, row.result = found.drift, found.unit, found.result
    known = found.limits
    row.limit_adjust, row.limit_control = (known.adjust, known.control) if known else (None, None)
    row.edition, row.mark = (known.edition, known.mark) if known else ("", "")
    return row


def _move_plans(device_id: int, work: str, at: datetime, instrument_id: int | None) -> None:
    """Let the plans for this kind of calibration go on from its day."""
    rows = MaintenancePlan.objects.select_for_update().filter(device=device_id, work=work, is_active=True)
    for plan in rows:
        if plan.instrument_id in (None, instrument_id):
            _move(plan, city_day(at))


def _finish(row: Maintenance) -> None:
    if row.plan_id is not None and row.end is not None:
        _move(MaintenancePlan.objects.select_for_update().get(pk=row.plan_id), city_day(row.end))


def _move(plan: MaintenancePlan, day: date) -> None:
    before = plan.next_due_on
    plan.done_on(day)
    if plan.next_due_on != before or plan.last_done_on == day:
        plan.save(update_fields=["last_done_on", "next_due_on"])


# ---- rules -----------------------------------------------------------------------------------------------------------


def _validate(record: Any) -> None:
    """Raise all that is wrong with a record, what it refers to included."""
    problems: dict[str, list[str]] = {}
    try:
        record.full_clean()
    except ValidationError as error:
        problems = error.message_dict
    if not problems:  # the rules presume that each field by itself is well
        problems = {field: [sentence] for field, sentence in _problems(record).items()}
    if problems:
        raise ValidationError(problems)


def _problems(record: Any) -> Problems:
    """Return what is wrong between the fields of a record."""
    for name in ("instrument", "supply", "plan"):
        other = getattr(record, name, None)
        if other is not None and other.device_id != record.device_id:
            return {name: _("This belongs to another device.")}
    match record:
        case Calibration():
            return _calibration_problems(record)
        case Maintenance():
            return _maintenance_problems(record)
        case MaintenancePlan():
            if record.last_done_on and record.next_due_on <= record.last_done_on:
                return {"next_due_on": _("The next day must come after the last one.")}
        case Certificate():
            if record.issued_on and record.expires_on and record.expires_on < record.issued_on:
                return {"expires_on": _("It expires before it was issued: mend one of the two dates.")}
        case Instrument():
            if record.installed_on and record.installed_on > timezone.localdate():
                return {"installed_on": _("This day has not come yet.")}
    return {}


def _calibration_problems(row: Calibration) -> Problems:
    if row.performed_at > timezone.now():
        return {"performed_at": _("This time has not come yet.")}
    if row.until is not None and row.until < row.performed_at:
        return {"until": _("It ends before it begins.")}
    if row.source == Calibration.Source.HAND and (row.standard is None or row.response is None):
        missing = "standard" if row.standard is None else "response"
        return {missing: _("A calibration needs the value of the standard and what the instrument showed.")}
    if row.instrument is not None and row.factor not in row.instrument.codes:
        return {"factor": _("This instrument does not measure the factor.")}
    return {}


def _maintenance_problems(row: Maintenance) -> Problems:
    if row.start > timezone.now():
        return {"start": _("This time has not come yet.")}
    if row.end is not None and row.end > timezone.now():
        return {"end": _("This time has not come yet.")}
    return {}
