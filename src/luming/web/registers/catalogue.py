"""The catalogue of registers and the description of each one's fields, from the declarations only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from luming.core import manifest, records
from luming.core.registers import Column, Register
from luming.web.access import needs, signed_in
from luming.web.registers import access
from luming.web.registers.columns import ListColumn, columns, follow, kind_of

CLASSIFICATIONS = {
    "public": gettext_lazy("Public"),
    "internal": gettext_lazy("Internal"),
    "sensitive": gettext_lazy("Sensitive"),
    "important": gettext_lazy("Important data"),
}
TYPES = {
    "text": gettext_lazy("Plain text"),
    "code": gettext_lazy("Plain text"),
    "number": gettext_lazy("Number"),
    "integer": gettext_lazy("Whole number"),
    "date": gettext_lazy("Date"),
    "moment": gettext_lazy("Date and time"),
    "choice": gettext_lazy("One of the choices"),
    "state": gettext_lazy("One of the choices"),
    "boolean": gettext_lazy("Yes or no"),
    "record": gettext_lazy("Record of another register"),
}


@dataclass(frozen=True, slots=True)
class Described:
    """What one field of a register is."""

    name: str
    label: str
    kind: Any
    unit: str
    choices: tuple[str, ...]
    bounds: str
    required: bool
    is_key: bool
    editable: bool
    target: Register | None  # of a relation


@needs("data.view")
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """List the registers that the user may open, with what answers for them."""
    entries = [
        {
            "register": register,
            "count": register.model.objects.visible_to(request.user).count(),
            "classification": CLASSIFICATIONS.get(register.classification, register.classification),
            "fields": len(columns(register)),
        }
        for register in access.opened_by(request.user)
    ]
    return render(request, "web/registers/catalogue.html", {"entries": entries})


@signed_in
@require_GET
def schema(request: HttpRequest, key: str) -> HttpResponse:
    """Show what each field of a register is."""
    register = access.found(request, key)
    values = {
        "register": register,
        "fields": described(register),
        "classification": CLASSIFICATIONS.get(register.classification, register.classification),
    }
    return render(request, "web/registers/schema.html", values)


def described(register: Register) -> list[Described]:
    """Return all fields of a register: its columns in order, then what only the form has."""
    known = columns(register)
    found = [_described(register, column) for column in known.values()]
    others = [name for name in form_fields(register) if name not in known]
    return [*found, *(_described(register, _of_field(register, name)) for name in others)]


def form_fields(register: Register) -> list[str]:
    """Return the names of the editable fields in the order of the form."""
    return [name for group in records.groups(register) for name in group.fields]


def _of_field(register: Register, name: str) -> ListColumn:
    last, nullable = follow(register.model, name)
    choices = dict(last.flatchoices) if last is not None and last.choices else {}
    return ListColumn(register, Column(name), last, nullable, kind_of(last), choices=choices)


def _described(register: Register, column: ListColumn) -> Described:
    field = column.field
    own = "__" not in column.name and field is not None
    editable = own and column.name in form_fields(register)
    target = None
    if isinstance(field, models.ForeignKey):
        target = manifest.register_of(field.related_model)
    return Described(
        name=column.name,
        label=column.label,
        kind=TYPES.get(column.kind, TYPES["text"]),
        unit=column.unit,
        choices=tuple(str(label) for value, label in column.choices.items() if value not in ("", None)),
        bounds=_bounds(field),
        required=editable and field is not None and not field.blank and not field.has_default(),
        is_key=column.name in register.natural_key,
        editable=editable,
        target=target,
    )


def _bounds(field: Any) -> str:
    """Return what else limits the values: a length, a least and a greatest number."""
    if field is None:
        return ""
    validators = field.validators if not isinstance(field, models.ForeignKey) else []
    least = [item.limit_value for item in validators if isinstance(item, MinValueValidator)]
    most = [item.limit_value for item in validators if isinstance(item, MaxValueValidator)]
    if isinstance(field, models.IntegerField | models.FloatField | models.DecimalField):
        lower, upper = max(least, default=None), min(most, default=None)
        if isinstance(field, models.IntegerField) and upper is not None and upper >= 32767:
            upper = None  # what the column can hold says nothing about the matter
        if lower is not None and upper is not None:
            return f"{lower:g} – {upper:g}"
        return f"≥ {lower:g}" if lower is not None else f"≤ {upper:g}" if upper is not None else ""
    if isinstance(field, models.CharField) and field.max_length and not field.choices:
        return _("at most %(number)d characters") % {"number": field.max_length}
    return ""
