"""Changing or deleting many chosen records: what, what would change, do it, and take it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from luming.core import audit, records
from luming.core.models import User
from luming.core.registers import Register
from luming.web.access import signed_in
from luming.web.registers import access, listing
from luming.web.registers.record_editing import ReasonForm, action_of, editing, posted, run_action
from luming.web.registers.record_forms import complain, form_field, reason_field
from luming.web.registers.record_words import Teller, field_column

MOST = 5000  # records in one transaction
PROBLEMS_SHOWN = 50
SAMPLES = 10
FORMER_SHOWN = 6  # different former values of a field


class BulkForm(forms.Form):
    """The fields that many records may be given at once; only the chosen ones count."""

    def __init__(self, register: Register, user: User, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self.register = register
        names = [name for name in register.bulk if name in records.editable_fields(register)]
        names = names if user.may(register.edit) else []
        given = data.getlist("field") if data is not None and hasattr(data, "getlist") else []
        self.chosen = [name for name in names if name in given]
        for name in names:
            field = form_field(register, user, name)
            if isinstance(records.editable_fields(register)[name], models.BooleanField):
                field = _truth(field)
            if name not in self.chosen:
                field.required = False
            look = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = look
            self.fields[name] = field
        self.fields["reason"] = reason_field(register)
        self.fields["reason"].widget.attrs["class"] = "form-control"

    def clean(self) -> dict[str, Any]:
        """Ask for at least one field; what stands in the others does not matter."""
        for name in set(self.fields) - {"reason", *self.chosen}:
            self._errors.pop(name, None)
        if not self.chosen:
            self.add_error(None, _("Choose at least one field to change."))
        return self.cleaned_data

    @property
    def rows(self) -> list[tuple[Any, bool]]:
        """Return the fields, each with whether it is chosen."""
        return [(self[name], name in self.chosen) for name in self.fields if name != "reason"]

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of the chosen fields."""
        return {name: self.cleaned_data[name] for name in self.chosen}


def _truth(field: forms.Field) -> forms.Field:
    choices = [("true", _("Yes")), ("false", _("No"))]
    return forms.TypedChoiceField(label=field.label, choices=choices, coerce=lambda text: text == "true")


@signed_in
@require_http_methods(["GET", "POST"])
def bulk(request: HttpRequest, key: str) -> HttpResponse:
    """Take what the list chose: ``do`` is edit (the default), delete or the key of an action."""
    register = access.found(request, key)
    what = request.POST.get("do") or "edit"
    _require(request.user, register, what)
    back = _back(register, request.POST)
    chosen = _chosen(request, register)
    problem = _refusal(register, chosen)
    if problem:
        messages.error(request, problem)
        return redirect(back)
    if what == "edit":
        return _edit(request, register, chosen, back)
    if what == "delete":
        return _delete(request, register, chosen, back)
    action = action_of(request.user, register, what)
    fit = [record for record in chosen if action.applies is None or action.applies(record)]
    if not action.bulk or not fit:
        messages.error(request, _("This cannot be done with any of the chosen records."))
        return redirect(back)
    return run_action(request, register, action, fit, back)


def _require(user: User, register: Register, what: str) -> None:
    """Let the user go on with what may be done with many records; choosing is open to all who may do any of it."""
    if what not in ("edit", "delete"):
        action_of(user, register, what)
    elif what == "delete" or not others(user, register):
        audit.require(user, register.edit)
        if what == "edit" and not register.bulk:
            raise PermissionDenied(_("No field of this register is changed for many records at once."))


def others(user: User, register: Register) -> list[tuple[str, Any, str]]:
    """Return what else the user may do with many records, as (value of ``do``, label, icon)."""
    found = [
        (action.key, action.label, action.icon)
        for action in register.actions
        if action.bulk and user.may(action.permission)
    ]
    if register.delete and user.may(register.edit):
        found.append(("delete", _("Delete"), "trash"))
    return found


def _chosen(request: HttpRequest, register: Register) -> list[Any]:
    """Return the chosen records, one more than may be at most."""
    data: QueryDict = request.POST
    if data.get("pks"):  # from step to step: one field, however many records
        data = data.copy()
        data.setlist("pk", data["pks"].split(","))
    return list(listing.chosen(register, request.user, data).order_by("pk")[: MOST + 1])


def _refusal(register: Register, chosen: list[Any]) -> str:
    if not chosen:
        return _("No record is chosen. Mark some in the list first.")
    if len(chosen) > MOST:
        return _("At most %(most)s records are changed at once: narrow the list down.") % {"most": MOST}
    return ""


def _back(register: Register, data: Mapping[str, Any]) -> str:
    """Return the address of the list as it was left."""
    query = str(data.get("query") or "").lstrip("?")
    return reverse("register", args=[register.key]) + (f"?{query}" if query else "")


# ---- changing -------------------------------------------------------------------------------------------------------


def _edit(request: HttpRequest, register: Register, chosen: list[Any], back: str) -> HttpResponse:
    step = request.POST.get("step", "")
    form = BulkForm(register, request.user, request.POST if step else None)
    values = _common(register, chosen, back, request, form)
    values |= {"others": others(request.user, register), "may_change": bool(form.rows)}
    if step in ("", "back") or not form.is_valid():
        return render(request, "web/registers/record_bulk.html", values)
    counted = request.POST.get("counted", "")
    apply = step == "apply" and counted == str(len(chosen))  # other records than were looked at: look again
    try:
        outcome = records.bulk_change(
            request.user, register, chosen, form.values, form.cleaned_data["reason"], dry_run=not apply
        )
    except records.ProblemsError as error:
        problems = error.problems
        values |= {"problems": problems[:PROBLEMS_SHOWN], "problem_count": len(problems)}
        return render(request, "web/registers/record_bulk.html", values)
    except ValidationError as error:
        complain(form, register, error)
        return render(request, "web/registers/record_bulk.html", values)
    if apply:
        undo = reverse("record-bulk-undo", args=[register.key]) + "?" + urlencode({"batch": outcome.batch})
        text = _("%(count)s records were changed.") % {"count": outcome.changed}
        messages.success(request, format_html("{} <a href='{}'>{}</a>", text, undo, _("Take it back")))
        return redirect(back)
    values |= {"outcome": outcome, "changes": _preview(register, request.user, chosen, form), "counted": len(chosen)}
    return render(request, "web/registers/record_bulk_preview.html", values)


def _common(register: Register, chosen: list[Any], back: str, request: HttpRequest, form: Any) -> dict[str, Any]:
    return {
        "register": register,
        "chosen": chosen,
        "pks": ",".join(str(record.pk) for record in chosen) if not request.POST.get("all") else "",
        "selection": {
            "do": request.POST.get("do") or "edit",
            "all": request.POST.get("all", ""),
            "query": request.POST.get("query", ""),
        },
        "back": back,
        "form": form,
    }


def _preview(register: Register, user: User, chosen: list[Any], form: BulkForm) -> list[dict[str, Any]]:
    """Return for each field its new value and how many records have which former one."""
    teller = Teller(register, user)
    found = []
    for name, value in form.values.items():
        column = records.editable_fields(register)[name]
        attname, new = column.attname, getattr(value, "pk", value)
        former = Counter(_hashable(getattr(record, attname)) for record in chosen)
        teller.learn((attname, item) for item in (*former, new))
        parts = [
            (teller.say(attname, item), count, records.plain(item) == records.plain(new))
            for item, count in former.most_common(FORMER_SHOWN)
        ]
        found.append(
            {
                "label": field_column(register, name).label,
                "to": teller.say(attname, new),
                "from": parts,
                "others": max(0, len(former) - FORMER_SHOWN),
            }
        )
    return found


def _hashable(value: Any) -> Any:
    return value if getattr(value, "__hash__", None) is not None else str(value)


# ---- taking it back -------------------------------------------------------------------------------------------------


@signed_in
@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, key: str) -> HttpResponse:
    """Ask and give many records the values that they had before a change."""
    register = editing(request, key)
    batch = request.GET.get("batch", "")
    rows = records.changed_in(register, batch)
    back = reverse("register", args=[register.key])
    if not rows:
        messages.error(request, _("There is nothing to take back: this change is not known."))
        return redirect(back)
    form = ReasonForm(register, posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            outcome = records.undo_bulk(request.user, register, batch, form.cleaned_data["reason"])
        except records.ProblemsError as error:
            form.add_error(None, error.messages[:PROBLEMS_SHOWN])
        except ValidationError as error:
            complain(form, register, error)
        else:
            text = _("%(count)s records have their former values again.") % {"count": outcome.changed}
            if outcome.skipped:
                text += " " + _("%(count)s were changed again or deleted since and stay as they are.") % {
                    "count": len(outcome.skipped)
                }
            messages.success(request, text)
            return redirect(back)
    values = {"register": register, "rows": rows[:SAMPLES], "count": len(rows), "first": rows[0], "form": form}
    return render(request, "web/registers/record_bulk_undo.html", values)


# ---- deleting -------------------------------------------------------------------------------------------------------


def _delete(request: HttpRequest, register: Register, chosen: list[Any], back: str) -> HttpResponse:
    if not register.delete:
        raise PermissionDenied(_("Records of this register are not deleted."))
    confirmed = request.POST.get("confirmed") == "1" and request.POST.get("counted") == str(len(chosen))
    form = ReasonForm(register, request.POST if confirmed else None)
    values = _common(register, chosen, back, request, form) | {"counted": len(chosen)}
    if confirmed and form.is_valid():
        try:
            outcome = records.bulk_delete(request.user, register, chosen, form.cleaned_data["reason"])
        except records.ProblemsError as error:
            values |= {"problems": error.problems[:PROBLEMS_SHOWN], "problem_count": len(error.problems)}
        else:
            text = _("%(count)s records are deleted.") % {"count": outcome.changed}
            there = reverse("register-deleted", args=[register.key])
            messages.success(request, format_html("{} <a href='{}'>{}</a>", text, there, _("Deleted records")))
            return redirect(back)
    return render(request, "web/registers/record_bulk_delete.html", values)
