"""Verbs on records of any register: create, change, delete, restore, and the same on many at once.

Each checks the register's permission and the data scope (before and after), locks, validates, writes, and records from
what to what in the same transaction. Where a register declares verbs of its own, they are called inside.

All raise ``PermissionDenied`` without the permission, ``ValidationError`` (a dictionary of fields) for what is wrong,
and ``Model.DoesNotExist`` for what lies outside the user's scope. ``user=None`` is the platform itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError, RestrictedError
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from luming.core import audit, versions
from luming.core.dependants import protection
from luming.core.models import AuditEntry, Tagging, User
from luming.core.registers import Group, Register
from luming.core.reviving import insert, require_parents, revive_dependants
from luming.core.versions import LONGEST_TRANSACTION

Record = models.Model
Values = Mapping[str, Any]


class ConflictError(ValidationError):
    """Somebody changed the record since the form was opened; ``version`` is its present one."""

    def __init__(self, version: str) -> None:
        super().__init__(_("Somebody changed this record while you were editing it."))
        self.version = version


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one record of many; ``field`` is empty when it is the record as a whole."""

    record: Any
    field: str
    text: str


class ProblemsError(ValidationError):
    """All that is wrong with a change of many records; none of them was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__([f"{problem.record}: {problem.text}" for problem in problems])
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of many records did; ``batch`` names it to :func:`undo_bulk`."""

    changed: int
    unchanged: int
    batch: str = ""
    skipped: Sequence[Any] = field(default_factory=tuple)  # names of what was left as it is


# ---- what a register lets a person change ---------------------------------------------------------------------------


def editable_fields(register: Register) -> dict[str, models.Field]:
    """Return the fields that verbs may write, by name: the model's editable columns."""
    return {
        column.name: column
        for column in register.model._meta.concrete_fields
        if column.editable and not column.primary_key and not getattr(column.remote_field, "parent_link", False)
    }


def fixed_fields(register: Register) -> frozenset[str]:
    """Return the names of the fields that are set once."""
    return frozenset(register.natural_key) | frozenset(register.fixed)


def groups(register: Register) -> list[Group]:
    """Return the fields of the form by group; without a declaration, all editable ones in one group."""
    if not register.form:
        return [Group("", [name for name in editable_fields(register) if name != "is_demo"])]
    found: list[Group] = []
    for entry in register.form:
        if isinstance(entry, Group):
            found.append(entry)
        elif found and not found[-1].label:
            found[-1] = Group("", [*found[-1].fields, entry])
        else:
            found.append(Group("", [entry]))
    return found


def tagged(queryset: models.QuerySet[Any], register: Register, tag_ids: Iterable[int]) -> models.QuerySet[Any]:
    """Return the records of a register's queryset that bear all of some tags; for filters of lists."""
    for tag in tag_ids:
        bearing = Tagging.objects.filter(object_type=register.object_type, tag_id=tag)
        key = register.model._meta.pk
        assert key is not None
        target = key.target_field if key.is_relation else key  # an outlet's key is its place's
        queryset = queryset.filter(pk__in=bearing.values_list(Cast("object_id", type(target)()), flat=True))
    return queryset


# ---- one record -----------------------------------------------------------------------------------------------------


def create(user: User | None, register: Register, values: Values, reason: str = "") -> Record:
    """Make a record."""
    audit.require(user, register.edit)
    if not register.add:
        raise PermissionDenied(_("Records of this register are not made by hand."))
    written = _typed(user, register, values)
    with transaction.atomic():
        if register.create is not None:
            record = _own(register.create, user, reason=reason, **written)
        else:
            record = register.model(**written)
            record.full_clean()
            _save(record, force_insert=True)
            audit.record(user, verb(register, "create"), record, reason=reason, values=described(record))
        _require_inside(user, register, [record.pk])
    return record


def change(
    user: User | None, register: Register, record: Record, values: Values, reason: str = "", *, version: str = ""
) -> Record:
    """Change fields of a record; what stays as it is may be among the values.

    Raises
    ------
    ConflictError
        ``version`` (:func:`luming.core.versions.current_key` when the form was opened) is not the present one.
    """
    _require(user, register, reason)
    written = _typed(user, register, values)
    with transaction.atomic():
        locked = _lock(user, register, [record.pk])[0]
        present = versions.current_key(register.model, record.pk) if version else ""
        if version != present:
            raise ConflictError(present)
        return _change(user, register, locked, written, reason)


def delete(user: User | None, register: Register, record: Record, reason: str = "") -> None:
    """Delete a record with what hangs on it; history keeps it, and :func:`restore_deleted` brings it back."""
    _require(user, register, reason)
    if not register.delete:
        raise PermissionDenied(_("Records of this register are not deleted."))
    with transaction.atomic():
        locked = _lock(user, register, [record.pk])[0]
        try:
            if register.remove is not None:
                register.remove(user, locked, reason=reason)
            else:
                audit.record(user, verb(register, "delete"), locked, reason=reason, values=described(locked))
                with transaction.atomic():
                    locked.delete()
        except (ProtectedError, RestrictedError) as error:
            raise ValidationError(protection(error)) from error


def restore(user: User | None, register: Register, record: Record, version: str, reason: str = "") -> Record:
    """Bring the fields of a record back to a version; what is set once stays as it is."""
    values = versions.snapshot(register.model, record.pk, version)
    if not values:
        raise ValidationError(_("The history holds no such version of this record."))
    return change(user, register, record, restorable(register, values), reason)


def restorable(register: Register, values: Values) -> dict[str, Any]:
    """Return the columns of a version that may be brought back, by name of field."""
    fixed = fixed_fields(register)
    return {
        name: values[column.attname]
        for name, column in editable_fields(register).items()
        if name not in fixed and column.attname in values
    }


def sees_deleted(user: User, register: Register, values: Values) -> bool:
    """Tell whether a record that is gone lay in the user's scope, by what the history last knew of it.

    Those who see the whole city see it; for others it is put back for a moment inside a transaction that is undone,
    and their own funnel decides.
    """
    if user.is_internal and not user.region_codes:
        return True
    with transaction.atomic():
        record = versions.rebuilt(register.model, dict(values))
        try:
            insert(record)
            seen = bool(visible(user, register, [record.pk]))
        except ValidationError:  # another record has its key now
            seen = False
        transaction.set_rollback(True)
    return seen


def restore_deleted(user: User | None, register: Register, pk: Any, reason: str = "") -> Record:
    """Bring back a deleted record under its old key, with what was deleted in the same transaction because of it."""
    audit.require(user, register.edit)
    with transaction.atomic():
        last = next(iter(versions.history(register.model, pk)), None)
        if last is None or last.label != versions.DELETED:
            raise register.model.DoesNotExist  # type: ignore[attr-defined]
        record = versions.rebuilt(register.model, last.values)
        require_parents(record)
        record.full_clean()
        insert(record)
        _require_visible(user, register, [record.pk])
        also = sum(revive_dependants(record, last.at, set()))
        audit.record(
            user, verb(register, "restore"), record, reason=reason, values=described(record), restored_with_it=also
        )
    return record


# ---- many records ---------------------------------------------------------------------------------------------------


def bulk_change(
    user: User | None,
    register: Register,
    records: Iterable[Any],
    values: Values,
    reason: str = "",
    *,
    dry_run: bool = False,
) -> Outcome:
    """Give many records the same values, all of them or none; one audit row per changed record.

    ``records`` are records or a queryset of them. ``dry_run`` does everything and takes it back.

    Raises
    ------
    ProblemsError
        With everything that is wrong, record by record.
    """
    _require(user, register, reason)
    if foreign := sorted(set(values) - set(register.bulk)):
        raise ValidationError({name: _("This field is not changed for many records at once.") for name in foreign})
    written = _typed(user, register, values)
    keys = [record.pk for record in records]
    with transaction.atomic():
        changed, problems, entries = 0, [], []
        for record in _lock(user, register, keys):
            try:
                changed += _change_one_of_many(user, register, record, written, reason, entries)
            except ProblemsError:
                raise
            except ValidationError as error:
                problems += [Problem(record, name, text) for name, text in _sentences(error)]
        if problems:
            raise ProblemsError(problems)
        AuditEntry.objects.bulk_create(entries, batch_size=1000)
        _require_inside(user, register, keys)
        batch = _moment()
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(changed, len(keys) - changed, batch)


def _change_one_of_many(
    user: User | None, register: Register, record: Record, written: Values, reason: str, entries: list[AuditEntry]
) -> bool:
    """Change one record of many and tell whether it changed; its audit row is collected where the verb is ours."""
    before = facts(record)
    if register.change is not None:
        with transaction.atomic():  # a register's own verb may have written something before it refuses
            return facts(_change(user, register, record, written, reason, inside=False)) != before
    try:
        return facts(_change(user, register, record, written, reason, inside=False, entries=entries)) != before
    except IntegrityError as error:  # what the validation does not know; the whole transaction is lost
        raise ProblemsError([Problem(record, "", _("The database refuses this value."))]) from error


def bulk_delete(user: User | None, register: Register, records: Iterable[Any], reason: str = "") -> Outcome:
    """Delete many records, all of them or none.

    Raises
    ------
    ProblemsError
        With what hangs on each record that cannot go.
    """
    _require(user, register, reason)
    keys, problems = [record.pk for record in records], []
    with transaction.atomic():
        for record in _lock(user, register, keys):
            try:
                with transaction.atomic():
                    delete(user, register, record, reason)
            except ValidationError as error:
                problems += [Problem(record, name, text) for name, text in _sentences(error)]
        if problems:
            raise ProblemsError(problems)
    return Outcome(len(keys), 0)


def changed_in(register: Register, batch: str) -> list[AuditEntry]:
    """Return the audit rows of a change of many records, one per record."""
    moment = _read_moment(batch)
    if moment is None:
        return []
    rows = AuditEntry.objects.filter(
        object_type=register.object_type, transaction_at=moment, at__range=(moment, moment + LONGEST_TRANSACTION)
    )
    return [row for row in rows.order_by("pk") if isinstance(row.detail.get("changes"), dict)]


def undo_bulk(user: User | None, register: Register, batch: str, reason: str = "") -> Outcome:
    """Give the records of a change of many their former values; what was changed again since then stays."""
    audit.require(user, register.edit)
    rows = {row.object_id: row for row in changed_in(register, batch)}
    if not rows:
        raise register.model.DoesNotExist  # type: ignore[attr-defined]
    with transaction.atomic():
        keys = visible(user, register, list(rows))
        there = {str(key) for key in keys}
        skipped = [row.object_name for key, row in rows.items() if key not in there]
        restored, problems, entries = 0, [], []
        locked = _lock(user, register, list(keys))
        for record in locked:
            former = _former(register, record, rows[str(record.pk)].detail["changes"])
            if former is None:
                skipped.append(str(record))
                continue
            try:
                values = _typed(user, register, former)
                restored += _change_one_of_many(user, register, record, values, reason, entries)
            except ProblemsError:
                raise
            except ValidationError as error:
                problems += [Problem(record, name, text) for name, text in _sentences(error)]
        if problems:
            raise ProblemsError(problems)
        AuditEntry.objects.bulk_create(entries, batch_size=1000)
        _require_inside(user, register, [record.pk for record in locked])
        return Outcome(restored, 0, _moment(), skipped)


def _former(register: Register, record: Record, changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the values before a change, None when a field was changed again since."""
    now, columns, former = facts(record), editable_fields(register), {}
    for name, pair in changes.items():
        if name not in columns or not isinstance(pair, list):
            continue  # a secret: only that it changed is known
        if now[name] != pair[1]:
            return None
        former[name] = pair[0]
    return former


# ---- parts of the verbs ---------------------------------------------------------------------------------------------


def verb(register: Register, what: str) -> str:
    """Return the name of a verb in the audit trail, such as ``well.create``."""
    return f"{register.model._meta.model_name}.{what}"


def visible(user: User | None, register: Register, keys: Sequence[Any]) -> set[Any]:
    """Return those of some keys whose records lie in the user's scope."""
    model = register.model
    rows = model._base_manager.all() if user is None else model.objects.visible_to(user)  # type: ignore[attr-defined]
    return set(rows.filter(pk__in=keys).order_by().values_list("pk", flat=True))


def facts(record: Record) -> dict[str, Any]:
    """Return the columns of a record as JSON-able values, to compare; see :func:`described` for the audit trail."""
    return {
        column.name: plain(getattr(record, column.attname))
        for column in record._meta.concrete_fields
        if not column.primary_key and not getattr(column, "auto_now_add", False)
    }


def described(record: Record) -> dict[str, Any]:
    """Return what the audit trail keeps of a record: its facts, of secrets only whether they are set."""
    secrets = versions.secret_fields(type(record))
    return {name: bool(value) if name in secrets else value for name, value in facts(record).items()}


def plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # one instant, one text
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")  # 12.50 from a form is 12.5 of the database
    return str(value) if isinstance(value, UUID) else value


def _require(user: User | None, register: Register, reason: str) -> None:
    """Let a change pass: the role holds it, and it says why where the register demands that."""
    audit.require(user, register.edit)
    if register.explained and user is not None and not reason.strip():
        raise ValidationError({"reason": _("Changes of this register must say why.")})


def _change(
    user: User | None,
    register: Register,
    locked: Record,
    written: Values,
    reason: str,
    *,
    inside: bool = True,
    entries: list[AuditEntry] | None = None,
) -> Record:
    """Change a locked record.

    ``inside=False`` leaves the scope afterwards to the caller, ``entries`` the writing of the audit row.
    """
    before = facts(locked)
    new = {name: value for name, value in written.items() if plain(getattr(value, "pk", value)) != before[name]}
    if fixed := sorted(fixed_fields(register) & set(new)):
        raise ValidationError({name: _("This identifies the record and cannot be changed.") for name in fixed})
    if not new:
        return locked
    if register.change is not None:
        changed = _own(register.change, user, locked, reason=reason, **new)
    else:
        changed = locked
        for name, value in new.items():
            setattr(changed, name, value)
        _validate_change(changed, new)
        if entries is None:
            _save(changed)
        else:
            changed.save()
        secrets = versions.secret_fields(register.model)
        after = facts(changed)
        changes = {
            name: "changed" if name in secrets else [before[name], value]
            for name, value in after.items()
            if before[name] != value
        }
        entry = audit.entry(user, verb(register, "change"), changed, reason=reason, changes=changes)
        if entries is None:
            entry.save(force_insert=True)
        else:
            entries.append(entry)
    if inside:
        _require_inside(user, register, [locked.pk])
    return changed


def _validate_change(record: Record, names: Iterable[str]) -> None:
    """Validate a changed record; the database is asked about others with the same key only when a key may differ."""
    keys = {name for _model, fields in record._get_unique_checks()[0] for name in fields}
    for constraint in record._meta.total_unique_constraints + record._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            keys |= set(constraint.fields) or set(names)  # expressions may hold any field
    touched = bool(keys & set(names))
    untouched = {column.name for column in record._meta.concrete_fields if column.is_relation} - set(names)
    record.full_clean(exclude=set() if touched else untouched, validate_unique=touched)


def _own(run: Callable[..., Any], *arguments: Any, **values: Any) -> Any:
    """Call a register's own verb; what lies outside the scope is said as such."""
    try:
        return run(*arguments, **values)
    except ObjectDoesNotExist as error:
        raise ValidationError(_outside()) from error


def _save(record: Record, **how: Any) -> None:
    try:
        with transaction.atomic():
            record.save(**how)
    except IntegrityError as error:  # somebody wrote the same key since it was checked
        raise ValidationError(
            _("The database refuses this: a record with the same key was made at the same moment. Look for it first.")
        ) from error


def _outside() -> str:
    return _("This would lie outside your data scope: choose a region or an owner inside it.")


def _require_inside(user: User | None, register: Register, keys: Sequence[Any]) -> None:
    """Let nobody move a thing out of their own scope."""
    if user is not None and len(visible(user, register, keys)) < len(set(keys)):
        raise ValidationError(_outside())


def _require_visible(user: User | None, register: Register, keys: Sequence[Any]) -> None:
    if user is not None and len(visible(user, register, keys)) < len(set(keys)):
        raise register.model.DoesNotExist  # type: ignore[attr-defined]


def _lock(user: User | None, register: Register, keys: Sequence[Any]) -> list[Any]:
    """Return records locked against change, always in the order of their keys so that two people cannot deadlock."""
    parents = [link.name for link in register.model._meta.parents.values() if link is not None]
    rows = register.model._base_manager.select_for_update(of=("self", *parents))
    found = list(rows.filter(pk__in=keys).order_by("pk"))
    if len(found) < len(set(keys)):
        raise register.model.DoesNotExist  # type: ignore[attr-defined]
    _require_visible(user, register, keys)
    return found


def _typed(user: User | None, register: Register, values: Values) -> dict[str, Any]:
    """Return values as the model's fields hold them; a related record may be given by its key.

    Raises
    ------
    ValidationError
        With the fields that do not exist, may not be written or cannot be read.
    """
    columns = editable_fields(register)
    by_attname = {column.attname: name for name, column in columns.items()}
    problems: dict[str, list[str]] = {}
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = by_attname.get(key, key)
        if name not in columns:
            problems[key] = [_("There is no such field, or it is not written by hand.")]
            continue
        try:
            found[name] = _value(user, columns[name], value)
        except ValidationError as error:
            problems[name] = error.messages
    if problems:
        raise ValidationError(problems)
    return found


def _value(user: User | None, column: models.Field, value: Any) -> Any:
    if value is None or (value == "" and column.null):
        return None if column.null else "" if column.empty_strings_allowed and not column.is_relation else None
    if not column.is_relation:
        return _own_value(column, value)
    if isinstance(value, models.Model):
        return value
    model: Any = column.related_model
    rows = (
        model.objects.visible_to(user) if user is not None and hasattr(model.objects, "visible_to") else model.objects
    )
    try:
        return rows.get(pk=value if _can_be_kept(value) else None)
    except (ObjectDoesNotExist, ValueError, TypeError) as error:
        sentence = _("There is no such record any more, or it is outside your data scope: choose another one.")
        raise ValidationError(sentence) from error


def _own_value(column: models.Field, value: Any) -> Any:
    """Return a value of a column that leads to no record; what a program sends may be anything that JSON knows."""
    sentence = _("This is no value of this field: its kind stands in the description of the register's fields.")
    if isinstance(value, list | dict) and not isinstance(column, models.JSONField):
        raise ValidationError(sentence)
    try:
        found = column.to_python(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValidationError(sentence) from error
    if not _can_be_kept(found):
        raise ValidationError(sentence)
    return found


def _can_be_kept(value: Any) -> bool:
    """Tell whether the database keeps a value: numbers have an end, and no text holds the character NUL."""
    match value:
        case str():
            return "\0" not in value
        case float():
            return math.isfinite(value)
        case dict():
            return all(_can_be_kept(part) for pair in value.items() for part in pair)
        case list():
            return all(map(_can_be_kept, value))
    return True


def _sentences(error: ValidationError) -> list[tuple[str, str]]:
    if hasattr(error, "error_dict"):
        return [(name, text) for name, texts in error.message_dict.items() for text in texts]
    return [("", text) for text in error.messages]


def _moment() -> str:
    """Return when the running transaction began, as the database says it; it names what the transaction did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        return str(cursor.fetchone()[0].astimezone(UTC).isoformat())


def _read_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
