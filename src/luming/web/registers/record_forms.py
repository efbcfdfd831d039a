"""The forms of records, made from the declaration: fields by group, laid out by crispy-forms.

A form only reads what a person typed; the rules are in the verbs (:mod:`luming.core.records`), and what they say is put
next to the fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Column, Fieldset, Layout, Row
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import records, versions
from luming.core.models import User
from luming.core.registers import Group, Register
from luming.web.registers.filters import named, related
from luming.web.registers.record_words import field_column

FEW = 30  # related records from here on are found by typing
REASON_LENGTH = 500
OWN = frozenset({"reason", "version"})  # fields of the form that are none of the record


class RecordChoice(forms.Select):
    """A related record that is found by typing; only the chosen one is in the page."""

    template_name = "web/registers/record_choice.html"

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Name the chosen record without reading all that could be."""
        context = forms.Widget.get_context(self, name, value, attrs)
        chosen = None
        if value not in (None, ""):
            try:
                chosen = self.choices.queryset.filter(pk=value).first()  # type: ignore[union-attr]
            except (ValueError, TypeError):  # no key at all: the field says so
                chosen = None
        return context | {"chosen": chosen, "label": named(chosen) if chosen else "", "address": self.address}


class NamedChoice(forms.ModelChoiceField):
    """A related record by its name in the page's language."""

    default_error_messages = {
        "invalid_choice": gettext_lazy("There is no such record in your data scope: choose one of the list.")
    }

    def label_from_instance(self, obj: Any) -> str:
        """Name a record."""
        return named(obj)


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Write the list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        """Read lines as a list."""
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [line.strip() for line in lines if str(line).strip()]

    def validate(self, value: Any) -> None:
        """Refuse nothing where something is needed."""
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Leave the content to the model."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists."""
        return self.to_python(initial or []) != self.to_python(data)


class RecordForm(forms.Form):
    """The fields of one record of a register, with the reason of the change and the version that was opened."""

    def __init__(
        self,
        register: Register,
        user: User,
        *,
        record: Any = None,
        data: Any = None,
        initial: Mapping[str, Any] | None = None,
        version: str = "",
    ) -> None:
        self.register, self.user, self.record = register, user, record
        self.secrets = versions.secret_fields(register.model)
        shown = self._present() if record is not None else {}
        shown |= dict(initial or {}) | {"version": version}
        super().__init__(data, initial=shown, label_suffix="")
        for name in self._names():
            self.fields[name] = form_field(register, user, name)
            if name in self.secrets and record is not None:
                self._hide(self.fields[name])
        if record is not None:
            self.fields["reason"] = reason_field(register)
            self.fields["version"] = forms.CharField(widget=forms.HiddenInput, required=False)

    def _names(self) -> list[str]:
        columns, fixed = records.editable_fields(self.register), records.fixed_fields(self.register)
        names = [name for group in records.groups(self.register) for name in group.fields if name in columns]
        if self.record is None:  # what identifies a record is asked for when it is made, in the form or not
            needed = [name for name in self.register.natural_key if name in columns and name not in names]
            return [*needed, *names]
        return [name for name in names if name not in fixed]

    def _present(self) -> dict[str, Any]:
        return {
            name: getattr(self.record, column.attname)
            for name, column in records.editable_fields(self.register).items()
            if name not in self.secrets
        }

    @staticmethod
    def _hide(field: forms.Field) -> None:
        field.widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        field.required = False
        field.help_text = _("It is not shown. Leave it empty to keep it.")

    @property
    def values(self) -> dict[str, Any]:
        """Return what the person filled in (of a new record) or changed (of one that is there)."""
        given = {name: value for name, value in self.cleaned_data.items() if name not in OWN}
        if self.record is None:
            return {name: value for name, value in given.items() if value not in (None, "")}
        return {name: given[name] for name in self.changed_data if name in given and not self._kept(name)}

    def _kept(self, name: str) -> bool:
        return name in self.secrets and not self.cleaned_data[name]

    @property
    def helper(self) -> FormHelper:
        """Return the layout: a fieldset for each group; what cannot be changed is shown as it is."""
        helper = FormHelper()
        helper.form_tag, helper.disable_csrf = False, True
        parts, placed = [], {"reason", "version"}
        for group in records.groups(self.register):
            cells = [cell for name in group.fields if (cell := self._cell(name)) is not None]
            placed |= set(group.fields)
            if cells:
                chart = [self._map()] if self._has_map(group) else []
                parts.append(Fieldset(str(group.label), *self._help(group), Row(*cells), *chart))
        if others := [name for name in self.fields if name not in placed]:
            parts.insert(0, Fieldset("", Row(*(self._cell(name) for name in others))))
        if "reason" in self.fields:
            parts.append(Fieldset("", Row(Column("reason", css_class="col-12")), "version"))
        helper.layout = Layout(*parts)
        return helper

    def _cell(self, name: str) -> Any:
        if name in self.fields:
            long = isinstance(self.fields[name].widget, forms.Textarea)
            return Column(name, css_class="col-12" if long else "col-md-6")
        if self.record is None or name in self.secrets or name not in records.editable_fields(self.register):
            return None
        column = field_column(self.register, name)
        text = column.text(column.value(self.record)) or "—"
        shown = format_html('<div class="form-label">{}</div><div class="lm-fixed">{}</div>', column.label, text)
        return Column(HTML(_literal(shown)), css_class="col-md-6 mb-3")

    def _has_map(self, group: Group) -> bool:
        position = self.register.position
        return bool(position) and set(position) <= set(group.fields) and set(position) <= set(self.fields)

    def _map(self) -> HTML:
        """Return the map that fills the two fields of the position."""
        fields = [self[name].id_for_label for name in self.register.position]
        help_text = _("Click on the map to set the position, or type the coordinates.")
        return HTML(
            f'<p class="form-hint">{_literal(escape(help_text))}</p>'
            + render_to_string("web/registers/record_position.html", {"fields": fields})
        )

    @staticmethod
    def _help(group: Group) -> list[Any]:
        return [HTML(f'<p class="text-secondary">{_literal(escape(group.help))}</p>')] if group.help else []

    def complain(self, error: ValidationError) -> None:
        """Put what a verb says next to the fields that the form has, the rest above it."""
        complain(self, self.register, error)


def _literal(text: str) -> str:
    """Return text that crispy-forms, which reads it as a template, leaves as it is."""
    return text.replace("{", "&#123;").replace("}", "&#125;")


def complain(form: forms.Form, register: Register, error: ValidationError) -> None:
    """Put the errors of a verb next to the fields of a form; those of other fields stand above, with their names."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.error_dict.items():
        if name in form.fields:
            form.add_error(name, problems)
        elif name == NON_FIELD_ERRORS:
            form.add_error(None, problems)
        else:
            label = field_column(register, name).label
            form.add_error(None, [f"{label}: {text}" for problem in problems for text in problem.messages])


def reason_field(register: Register) -> forms.CharField:
    """Return the field that asks why."""
    return forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        required=register.explained,
        help_text=_("Stands in the history beside the change."),
    )


def form_field(register: Register, user: User, name: str) -> forms.Field:
    """Return the form field of a model's field, with the widget that suits it."""
    column = records.editable_fields(register)[name]
    if column.is_relation:
        return _relation(register, user, column)
    if isinstance(column, models.JSONField) and column.get_default() == []:
        field: Any = LinesField(label=column.verbose_name, required=not column.blank, help_text=_("One a line."))
    else:
        field = column.formfield()
    declared = field_column(register, name)
    field.label = declared.label
    match column:
        case models.DateTimeField():
            # Seconds are kept, so that a form that is saved unchanged changes nothing.
            field.widget = forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")
        case models.DateField():
            field.widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
        case models.TimeField():
            field.widget = forms.TimeInput({"type": "time"}, format="%H:%M:%S")
        case models.FloatField() | models.DecimalField():
            field.widget.attrs |= {"step": "any", "inputmode": "decimal"}
        case models.TextField():
            field.widget.attrs["rows"] = 3
    if column.has_default() and field.initial is None:
        field.initial = column.get_default()
    return field


def _relation(register: Register, user: User, column: Any) -> forms.Field:
    rows = related(column.related_model, user)
    field = NamedChoice(
        queryset=rows,
        empty_label="",
        label=field_column(register, column.name).label,
        required=not column.blank,
        help_text=column.help_text,
        initial=column.get_default() if column.has_default() else None,
    )
    if len(rows[: FEW + 1]) > FEW:
        field.widget = RecordChoice(reverse("record-options", args=[register.key, column.name]))
        field.widget.choices = field.choices
    return field


def prefill(register: Register, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a new record that the address fills in, such as the outlet that a limit is added to."""
    return {name: query[name] for name in records.editable_fields(register) if query.get(name)}


def typed_values(form: RecordForm, names: Iterable[str]) -> dict[str, Any]:
    """Return what was typed in some fields as a form's initial values."""
    return {name: getattr(value, "pk", value) for name in names for value in [form.cleaned_data.get(name)]}
