"""Verbs on places: create and change facilities, outlets, stations, devices, series and limits.

Each checks permission and scope, locks, validates, writes, and records from what to what in the same transaction. The
gateway hears of the commit by a trigger of its own (telemetry migration 0003).

All raise ``PermissionDenied`` without the permission, ``ValidationError`` (a dictionary of fields) for what is wrong,
and ``Model.DoesNotExist`` for what lies outside the user's scope.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from luming.core import audit, vault
from luming.core.models import User
from luming.registry import rules
from luming.registry.models import (
    Device,
    Facility,
    FactorAlias,
    Limit,
    Outlet,
    Place,
    Region,
    Series,
    Station,
    region_filter,
)

PERMISSION = "place.edit"
# What the audit trail says of these is only that they changed.
SECRETS = frozenset({"password", "sm4_key"})

Record = TypeVar("Record", Facility, Outlet, Station, Device, Series, Limit, FactorAlias)


def create_facility(user: User | None, *, reason: str = "", **values: Any) -> Facility:
    """Register a facility (排污单位)."""
    return _create(user, Facility(**values), reason)


def change_facility(user: User | None, facility: Facility, *, reason: str = "", **values: Any) -> Facility:
    """Change fields of a facility; its code stays."""
    return _change(user, facility, reason, values)


def create_outlet(user: User | None, *, reason: str = "", **values: Any) -> Outlet:
    """Register an outlet (排放口) of a facility; medium and code follow from its number, region from its facility."""
    facility, number = values["facility"], values["number"]
    defaults = {
        "code": rules.outlet_code(facility.code, number),
        "medium": rules.OUTLET_MEDIA.get(number[:2], ""),
        "region_id": facility.region_id,
        "longitude": facility.longitude,
        "latitude": facility.latitude,
    }
    if "region" in values:
        del defaults["region_id"]
    return _create(user, Outlet(**(defaults | values)), reason)


def change_outlet(user: User | None, outlet: Outlet, *, reason: str = "", **values: Any) -> Outlet:
    """Change fields of an outlet; its facility and number stay."""
    return _change(user, outlet, reason, values)


def create_station(user: User | None, *, reason: str = "", **values: Any) -> Station:
    """Register a station (监测点位)."""
    return _create(user, Station(**values), reason)


def change_station(user: User | None, station: Station, *, reason: str = "", **values: Any) -> Station:
    """Change fields of a station; its code stays."""
    return _change(user, station, reason, values)


def create_device(user: User | None, *, reason: str = "", **values: Any) -> Device:
    """Register a data logger (数采仪) at a place."""
    return _create(user, Device(**values), reason)


def change_device(user: User | None, device: Device, *, reason: str = "", **values: Any) -> Device:
    """Change fields of a device; its MN stays."""
    return _change(user, device, reason, values)


def set_device_key(user: User | None, device: Device, key: bytes | None, *, reason: str = "") -> Device:
    """Set or remove the SM4 key (16 bytes) that the device encrypts its data with (HJ 212-2025)."""
    if key is not None and len(key) != 16:
        raise ValidationError({"sm4_key": _("An SM4 key has 16 bytes, 32 hexadecimal digits.")})
    return _change(user, device, reason, {"sm4_key": vault.seal(key) if key else ""})


def create_series(user: User | None, *, reason: str = "", **values: Any) -> Series:
    """Register a series: one factor at one place at one interval."""
    return _create(user, Series(**values), reason)


def change_series(user: User | None, series: Series, *, reason: str = "", **values: Any) -> Series:
    """Change fields of a series; its place, factor and interval stay."""
    return _change(user, series, reason, values)


def create_limit(user: User | None, *, reason: str = "", **values: Any) -> Limit:
    """Set a limit of an outlet; its dates must not overlap those of another one of the same factor and basis."""
    return _create(user, Limit(**values), reason)


def change_limit(user: User | None, limit: Limit, *, reason: str = "", **values: Any) -> Limit:
    """Change fields of a limit, such as its last day."""
    return _change(user, limit, reason, values)


# What a record is known by never changes: history hangs on it.
KEYS: dict[type[models.Model], frozenset[str]] = {
    Facility: frozenset({"code"}),
    Outlet: frozenset({"code", "facility", "number"}),
    Station: frozenset({"code"}),
    Device: frozenset({"mn"}),
    Series: frozenset({"place", "factor", "interval"}),
    Limit: frozenset({"outlet", "factor", "basis", "effective_from"}),
    FactorAlias: frozenset({"place", "sent"}),
}


def verb(model: type[models.Model], what: str) -> str:
    """Return the name of a verb in the audit trail, such as ``outlet.create``."""
    return f"{model._meta.model_name}.{what}"


def _create(user: User | None, record: Record, reason: str) -> Record:
    audit.require(user, PERMISSION)
    with transaction.atomic():
        require_scope(user, record)
        _validate(record)
        record.save(force_insert=True)
        audit.record(user, verb(type(record), "create"), record, reason=reason, values=described(record))
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
        require_scope(user, locked)  # nobody moves a thing out of their own scope
        _validate(locked)
        locked.save()
        audit.record(user, verb(model, "change"), locked, reason=reason, changes=changes)
    return locked


def _validate(record: models.Model) -> None:
    """Raise all that is wrong with a record, its neighbours included."""
    problems: dict[str, list[str]] = {}
    try:
        record.full_clean()
    except ValidationError as error:
        problems = error.message_dict
    if not problems:  # the rules presume that each field by itself is well
        problems = {field: [sentence] for field, sentence in rules.problems_of(record).items()}
    if isinstance(record, Limit) and not problems:
        # The outlet's row is the lock that keeps two people from writing overlapping limits at once.
        Outlet.objects.select_for_update(of=("self",)).get(pk=record.outlet_id)
        others = Limit.objects.filter(outlet=record.outlet_id, factor=record.factor, basis=record.basis)
        if other := rules.overlapping(record, others.exclude(pk=record.pk)):
            problems = {field: [text] for field, text in rules.overlap_problem(record, other).items()}
    if problems:
        raise ValidationError(problems)


def require_scope(user: User | None, record: models.Model) -> None:
    """Raise ``DoesNotExist`` unless the record (or what it hangs on) lies in the user's data scope."""
    if user is None:
        return
    if isinstance(record, Facility | Station):
        Region.objects.filter(region_filter(user, "code")).get(pk=record.region_id)
    elif isinstance(record, Outlet):
        Facility.objects.visible_to(user).get(pk=record.facility_id)
        Region.objects.filter(region_filter(user, "code")).get(pk=record.region_id)
    elif isinstance(record, Limit):
        Place.objects.visible_to(user).get(pk=record.outlet_id)
    elif isinstance(record, Device | Series | FactorAlias):
        Place.objects.visible_to(user).get(pk=record.place_id)


def facts(record: models.Model) -> dict[str, Any]:
    """Return the columns of a record as JSON-able values, to compare; see :func:`described` for the audit trail."""
    return {
        field.name: _plain(getattr(record, field.attname))
        for field in record._meta.concrete_fields
        if not field.primary_key and field.name != "created_at"
    }


def described(record: models.Model) -> dict[str, Any]:
    """Return what the audit trail keeps of a new record: its facts, of secrets only whether they are set."""
    return {name: bool(value) if name in SECRETS else value for name, value in facts(record).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # one instant, one text
    return value.isoformat() if isinstance(value, date | time) else value


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return what changed: field -> [from, to]; of a secret only that it changed."""
    return {
        name: "changed" if name in SECRETS else [before[name], value]
        for name, value in after.items()
        if before[name] != value
    }
