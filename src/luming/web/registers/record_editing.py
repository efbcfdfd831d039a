"""Making, changing and deleting one record, and the actions on it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from luming.core import audit, manifest, records, search, versions
from luming.core.dependants import Dependants, dependants
from luming.core.models import User
from luming.core.registers import Action, Register
from luming.web.access import signed_in
from luming.web.registers import access, record_parts
from luming.web.registers.filters import named, related
from luming.web.registers.record_attachments import record_of
from luming.web.registers.record_forms import RecordForm, complain, prefill, reason_field, typed_values
from luming.web.registers.record_pages import offered
from luming.web.registers.record_words import Teller

CHOICES = 20  # records that are offered while one is typed


def editing(request: HttpRequest, key: str) -> Register:
    """Return a register whose records the user may change."""
    register = access.found(request, key)
    audit.require(request.user, register.edit)
    return register


def posted(request: HttpRequest) -> Any:
    """Return what a form sent, None when it was only opened; an empty form is a form too."""
    return request.POST if request.method == "POST" else None


# ---- making ---------------------------------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, key: str) -> HttpResponse:
    """Make a record."""
    register = editing(request, key)
    if not register.add:
        raise PermissionDenied(_("Records of this register are not made by hand."))
    given = prefill(register, request.GET)
    form = RecordForm(register, request.user, data=posted(request), initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            record = records.create(request.user, register, form.values)
        except ValidationError as error:
            form.complain(error)
        else:
            address = record_parts.address(register, record)
            messages.success(request, format_html("{} <a href='{}'>{}</a>", _("Made:"), address, record))
            return redirect(request.get_full_path() if request.POST.get("then") == "another" else address)
    values = {"register": register, "form": form, "record": None, "title": _("New record")}
    return render(request, "web/registers/record_form.html", values)


# ---- changing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that somebody else changed meanwhile; ``mine`` is empty when only they did."""

    name: str
    label: str
    before: str
    theirs: str
    mine: str = ""


@signed_in
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Change a record; when somebody else has changed it meanwhile, show both and let the person choose."""
    register = editing(request, key)
    record_of(register, request.user, pk)
    version = versions.current_key(register.model, pk)
    record = record_of(register, request.user, pk)  # after its version: at worst it is newer than that
    clashes: list[Clash] = []
    if request.method == "POST":
        form = RecordForm(register, request.user, record=record, data=request.POST)
        if form.is_valid():
            theirs = {name for name in form.fields if request.POST.get(f"choose-{name}") == "theirs"}
            values = {name: value for name, value in form.values.items() if name not in theirs}
            try:
                records.change(
                    request.user, register, record, values, form.cleaned_data["reason"],
                    version=form.cleaned_data["version"] or version,
                )  # fmt: skip
            except records.ConflictError:
                form, clashes = _conflict(request, register, record, form)
            except ValidationError as error:
                form.complain(error)
            else:
                messages.success(request, _("The change is saved.") if values else _("Nothing was changed."))
                return redirect(record_parts.address(register, record))
    else:
        form = RecordForm(register, request.user, record=record, version=version)
    values = {
        "register": register,
        "form": form,
        "record": record,
        "record_url": record_parts.entry_address(register, record),
        "title": _("Change"),
        "clashes": clashes,
        "others": versions.history(register.model, record.pk, 1)[0] if clashes else None,
    }
    return render(request, "web/registers/record_form.html", values)


def _conflict(
    request: HttpRequest, register: Register, record: Any, form: RecordForm
) -> tuple[RecordForm, list[Clash]]:
    """Return a form that keeps what the person typed and takes what others did elsewhere, and where both meet."""
    version = versions.current_key(register.model, record.pk)
    record = record_of(register, request.user, record.pk)
    opened = versions.snapshot(register.model, record.pk, form.cleaned_data["version"])
    columns = records.editable_fields(register)
    teller = Teller(register, request.user)
    mine, pairs = [], []
    for name in form.fields:
        column = columns.get(name)
        if column is None or name in form.secrets:
            continue
        typed, now = form.cleaned_data[name], getattr(record, column.attname)
        typed = getattr(typed, "pk", typed)
        before = opened.get(column.attname, now)
        if records.plain(typed) != records.plain(before):
            mine.append(name)
        if records.plain(now) != records.plain(before) or (not opened and name in mine):
            pairs.append((name, column.attname, before, now, typed))
    teller.learn((attname, value) for _name, attname, *values in pairs for value in values)
    clashes = [
        Clash(
            name,
            teller.label(attname),
            teller.say(attname, before),
            teller.say(attname, now),
            teller.say(attname, typed) if name in mine and records.plain(typed) != records.plain(now) else "",
        )
        for name, attname, before, now, typed in pairs
    ]
    kept = typed_values(form, mine) | {"reason": form.cleaned_data["reason"]}
    return RecordForm(register, request.user, record=record, initial=kept, version=version), clashes


@signed_in
@require_GET
def options(request: HttpRequest, key: str, name: str) -> JsonResponse:
    """Answer what a person types in a field of a related record: records in their scope."""
    register = editing(request, key)
    column = records.editable_fields(register).get(name)
    if column is None or not column.is_relation:
        raise Http404(_("This register has no such field."))
    rows = _matching(related(column.related_model, request.user), request.GET.get("q", ""))
    found = list(rows[: CHOICES + 1])
    answer = [{"id": record.pk, "label": named(record), "hint": _hint(record)} for record in found[:CHOICES]]
    return JsonResponse({"choices": answer, "more": len(found) > CHOICES})


def _matching(rows: Any, text: str) -> Any:
    """Return the rows that hold a text: by the index of a register of them or of their kinds, and by name and code."""
    text = text.replace("\0", "").strip()
    if not text:
        return rows
    condition = Q()
    for name in ("name", "code", "number", "mn", "username"):
        if name in {column.name for column in rows.model._meta.concrete_fields}:
            condition |= Q(**{f"{name}__icontains": text})
    for register in manifest.registers():
        if issubclass(register.model, rows.model) and register.search:
            found = search.matching(register.model._default_manager.all(), register.key, text)
            condition |= Q(pk__in=found.order_by().values("pk"))
    return rows.filter(condition) if condition else rows.none()


def _hint(record: Any) -> str:
    """Return what tells records of the same name apart."""
    hint = str(next((value for name in ("code", "mn", "number") if (value := getattr(record, name, ""))), ""))
    return hint if hint != named(record) else ""


# ---- deleting -------------------------------------------------------------------------------------------------------


class ReasonForm(forms.Form):
    """Why something is done, and what an action asks besides."""

    def __init__(self, register: Register, data: Any = None, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="")
        self.fields.update(copy.deepcopy(dict(fields or {})))  # declared once, used by many requests
        self.fields["reason"] = reason_field(register)
        for field in self.fields.values():
            field.widget.attrs["class"] = _look(field.widget)


def _look(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"


@signed_in
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Say what hangs on a record, and delete it."""
    register = editing(request, key)
    if not register.delete:
        raise PermissionDenied(_("Records of this register are not deleted."))
    record = record_of(register, request.user, pk)
    form = ReasonForm(register, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            records.delete(request.user, register, record, form.cleaned_data["reason"])
        except ValidationError as error:
            complain(form, register, error)
        else:
            undo = reverse("record-undelete", args=[register.key, pk])
            text = _("“%(name)s” is deleted.") % {"name": record}
            messages.success(request, format_html("{} <a href='{}'>{}</a>", text, undo, _("Bring it back")))
            return redirect("register", key=register.key)
    hanging = dependants(record)
    values = {
        "register": register,
        "record": record,
        "record_url": record_parts.entry_address(register, record),
        "form": form,
        "protecting": [_named(entry, request.user) for entry in hanging if entry.effect == "protect"],
        "going": [_named(entry, request.user) for entry in hanging if entry.effect == "delete"],
        "cleared": [_named(entry, request.user) for entry in hanging if entry.effect == "clear"],
    }
    return render(request, "web/registers/record_delete.html", values)


def _named(entry: Dependants, user: User) -> dict[str, Any]:
    """Return what hangs on a record with names and links as far as the user may see them."""
    register = manifest.register_of(entry.model)
    examples: list[tuple[str, str]] = []
    if register is not None and user.may(register.view):
        seen = records.visible(user, register, [record.pk for record in entry.examples])
        examples = [
            (str(record), record_parts.address(register, record)) for record in entry.examples if record.pk in seen
        ]
    return {"name": _plural(entry.model), "count": entry.count, "examples": examples}


def _plural(model: type[models.Model]) -> Any:
    return model._meta.verbose_name_plural


# ---- actions --------------------------------------------------------------------------------------------------------


def action_of(user: User, register: Register, key: str) -> Action:
    """Return an action of a register that the user's role holds."""
    action = next((entry for entry in register.actions if entry.key == key), None)
    if action is None:
        raise Http404(_("This register has no such action."))
    audit.require(user, action.permission)
    return action


@signed_in
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, key: str, pk: str, action: str) -> HttpResponse:
    """Ask what an action needs to know, and take it."""
    register = access.found(request, key)
    declared = action_of(request.user, register, action)
    record = record_of(register, request.user, pk)
    if declared not in offered(request.user, register, record):
        raise Http404(_("This cannot be done with the record as it is now."))
    return run_action(request, register, declared, [record], record_parts.address(register, record), record)


def run_action(
    request: HttpRequest, register: Register, action: Action, chosen: list[Any], back: str, record: Any = None
) -> HttpResponse:
    """Ask and take an action on one or many records."""
    confirmed = request.method == "POST" and (record is not None or request.POST.get("confirmed") == "1")
    form = ReasonForm(register, request.POST if confirmed else None, action.fields)
    if confirmed and form.is_valid():
        values = dict(form.cleaned_data)
        reason = values.pop("reason")
        try:
            done = action.run(request.user, chosen, reason=reason, **values)
        except ValidationError as error:
            complain(form, register, error)
        else:
            messages.success(request, _said(str(done or _("Done.")), request.user, register, action, record))
            return redirect(back)
    values = {
        "register": register,
        "record": record,
        "record_url": record_parts.entry_address(register, record) if record is not None else "",
        "action": action,
        "form": form,
        "chosen": chosen,
        "back": back,
        "selection": "" if record is not None else request.POST,
        "pks": "" if record is not None else ",".join(str(entry.pk) for entry in chosen),
    }
    return render(request, "web/registers/record_action.html", values)


def _said(done: str, user: User, register: Register, action: Action, record: Any) -> str:
    """Return what an action did, with the way to take it back where there is one."""
    back = next((entry for entry in register.actions if entry.key == action.undo), None)
    if back is None or record is None or not user.may(back.permission):
        return done
    url = reverse("record-action", args=[register.key, record.pk, back.key])
    return format_html("{} <a href='{}'>{}</a>", done, url, back.label)
