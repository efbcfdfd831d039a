"""The history of a record: its versions, two of them side by side, bringing one back, and the deleted records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from luming.core import audit, records, versions
from luming.core.models import AuditEntry
from luming.core.registers import Register
from luming.core.versions import Version
from luming.web.access import signed_in
from luming.web.registers import access, record_parts
from luming.web.registers.record_attachments import record_of
from luming.web.registers.record_editing import ReasonForm, editing, posted
from luming.web.registers.record_forms import complain
from luming.web.registers.record_words import Teller

PER_PAGE = 50
DELETED_SHOWN = 25


@signed_in
@require_GET
def history(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Tell who changed what from what to what, when and why."""
    register, record, every = _opened(request, key, pk)
    start = _number(request.GET.get("from"))
    told = Teller(register, request.user).tell_all(every, versions.other_entries(register.model, pk, every))
    values = {
        "register": register,
        "record": record or _name(register, every),
        "exists": record is not None,
        "record_url": record_parts.entry_address(register, record) if record is not None else "",
        "told": told[start : start + PER_PAGE],
        "count": len(every),
        "more": start + PER_PAGE if len(told) > start + PER_PAGE else 0,
        "newest": every[0].key if every else "",
        "second": every[1].key if len(every) > 1 else "",
        "pk": pk,
        "may_edit": request.user.may(register.edit),
        "is_kept": versions.is_kept(register.model),
    }
    return render(request, "web/registers/record_history.html", values)


@signed_in
@require_GET
def compare(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Show two versions of a record side by side, the older one at the left."""
    register, record, every = _opened(request, key, pk)
    if not every:
        raise Http404(_("No history is kept of this record yet."))
    first = _chosen(every, request.GET.get("a"), every[min(1, len(every) - 1)])
    second = _chosen(every, request.GET.get("b"), every[0])
    before, after = sorted((first, second), key=lambda entry: entry.at)
    teller = Teller(register, request.user)
    lines = teller.compare(before, after)
    told = teller.tell([before, after])
    values = {
        "register": register,
        "record": record or _name(register, every),
        "exists": record is not None,
        "record_url": record_parts.entry_address(register, record) if record is not None else "",
        "before": told[0],
        "after": told[1],
        "lines": lines,
        "different": sum(line.differs for line in lines),
        "every": [(entry.key, entry.at) for entry in every],
        "pk": pk,
        "newest": every[0].key,
        "may_edit": request.user.may(register.edit),
    }
    return render(request, "web/registers/record_compare.html", values)


@signed_in
@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Ask and bring a record back to a version; what identifies it stays."""
    register = editing(request, key)
    record = record_of(register, request.user, pk)
    every = versions.history(register.model, record.pk)
    wanted = next((entry for entry in every if entry.key == request.GET.get("version")), None)
    if wanted is None:  # an old link, or no version is named: choose one
        return redirect("record-history", key=key, pk=pk)
    form = ReasonForm(register, posted(request))
    form.fields["reason"].required = True
    if request.method == "POST" and form.is_valid():
        try:
            records.restore(request.user, register, record, wanted.key, form.cleaned_data["reason"])
        except ValidationError as error:
            complain(form, register, error)
        else:
            messages.success(request, _("The record is as it was then."))
            return redirect(record_parts.address(register, record))
    teller = Teller(register, request.user)
    now = Version("", wanted.at, versions.CHANGED, _columns(register, record))
    names = {column.attname for name, column in records.editable_fields(register).items()} - _fixed(register)
    lines = [line for line in teller.compare(now, wanted) if line.differs and line.name in names]
    values = {
        "register": register,
        "record": record,
        "record_url": record_parts.entry_address(register, record),
        "version": teller.tell([wanted])[0],
        "lines": lines,
        "form": form,
    }
    return render(request, "web/registers/record_restore.html", values)


@signed_in
@require_http_methods(["GET", "POST"])
def undelete(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Ask and bring back a deleted record."""
    register, record, every = _opened(request, key, pk)
    audit.require(request.user, register.edit)
    if record is not None:
        return redirect(record_parts.address(register, record))
    form = ReasonForm(register, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            record = records.restore_deleted(request.user, register, every[0].values[_key(register)], _reason(form))
        except ValidationError as error:
            complain(form, register, error)
        else:
            messages.success(request, _("The record is there again."))
            return redirect(record_parts.address(register, record))
    teller = Teller(register, request.user)
    values = {
        "register": register,
        "record": _name(register, every),
        "told": teller.tell(every[:1])[0],
        "lines": teller.compare(every[0], every[0]),
        "form": form,
        "pk": pk,
    }
    return render(request, "web/registers/record_undelete.html", values)


@signed_in
@require_GET
def deleted(request: HttpRequest, key: str) -> HttpResponse:
    """List the records that do not exist any more, newest first."""
    register = access.found(request, key)
    _require_history(request, register)
    rows = versions.deleted(register.model, DELETED_SHOWN + 1, before=_number(request.GET.get("before")) or None)
    known = versions.last_values(register.model, [row.pgh_obj_id for row in rows])
    audited = {
        entry.object_id: entry
        for entry in AuditEntry.objects.filter(
            object_type=register.object_type,
            object_id__in=[str(row.pgh_obj_id) for row in rows],
            transaction_at__in=[row.pgh_created_at for row in rows],
        ).order_by("pk")
    }
    shown = [
        {
            "pk": row.pgh_obj_id,
            "name": _title(register, known[row.pgh_obj_id]),
            "at": row.pgh_created_at,
            "entry": audited.get(str(row.pgh_obj_id)),
        }
        for row in rows[:DELETED_SHOWN]
        if records.sees_deleted(request.user, register, known[row.pgh_obj_id])
    ]
    values = {
        "register": register,
        "rows": shown,
        "more": rows[DELETED_SHOWN - 1].pgh_id if len(rows) > DELETED_SHOWN else 0,
        "may_edit": request.user.may(register.edit),
    }
    return render(request, "web/registers/record_deleted.html", values)


def _opened(request: HttpRequest, key: str, pk: str) -> tuple[Register, Any, list[Version]]:
    """Return the register, the record (None: deleted) and its versions, for those who may read its history."""
    register = access.found(request, key)
    _require_history(request, register)
    try:
        record = record_of(register, request.user, pk)
    except Http404:
        record = None
    if record is not None:
        return register, record, versions.history(register.model, record.pk)
    try:
        key_field = register.model._meta.pk
        assert key_field is not None
        target = key_field.target_field if key_field.is_relation else key_field
        every = versions.history(register.model, target.to_python(pk))
    except ValidationError as error:  # no key at all
        raise Http404 from error
    is_gone = bool(every) and every[0].label == versions.DELETED
    if not is_gone or not records.sees_deleted(request.user, register, every[0].values):
        raise Http404
    return register, None, every


def _require_history(request: HttpRequest, register: Register) -> None:
    if not record_parts.may_read_history(request.user, register):
        raise PermissionDenied(
            _("The history names people and reasons of the bureau; it is for the bureau's own staff.")
        )


def _name(register: Register, every: Sequence[Version]) -> str:
    return _title(register, every[0].values)


def _title(register: Register, values: dict[str, Any]) -> str:
    """Return what a record was called, by its title field where it has one."""
    title = register.search[0] if register.search else "name"
    return str(values.get(title) or versions.rebuilt(register.model, values))


def _columns(register: Register, record: Any) -> dict[str, Any]:
    return {column.attname: getattr(record, column.attname) for column in register.model._meta.concrete_fields}


def _fixed(register: Register) -> set[str]:
    columns = records.editable_fields(register)
    return {columns[name].attname for name in records.fixed_fields(register) if name in columns}


def _key(register: Register) -> str:
    key = register.model._meta.pk
    assert key is not None
    return key.attname


def _reason(form: ReasonForm) -> str:
    return str(form.cleaned_data["reason"])


def _chosen(every: Sequence[Version], key: str | None, otherwise: Version) -> Version:
    return next((entry for entry in every if entry.key == key), otherwise)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0
