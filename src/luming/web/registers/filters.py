"""The filters of a register: a django-filter ``FilterSet`` made from its declaration, and the chips of what is set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import django_filters
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout
from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from luming.core import manifest, records
from luming.core.models import Tag, User
from luming.core.registers import Filter, Register
from luming.registry.models import Region, region_filter
from luming.web import words
from luming.web.live import shared
from luming.web.registers.columns import follow

# Names that the address of a list uses for other things.
RESERVED = frozenset(
    {"q", "sort", "columns", "at", "view", "density", "format", "all", "pk", "query", "fields", "size", "figures"}
)
TAG = Filter("tag", gettext_lazy("Tags"), kind="tag")  # of every register
LONG = 12  # a list of choices from here on has a box to search it


class CheckList(forms.SelectMultiple):
    """Choices to tick, folded into one line (crispy-forms draws check boxes its own way: this is a select to it)."""

    template_name = "web/registers/widgets/check_list.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add what the folded line says."""
        context = super().get_context(name, value, attrs)
        options = [option for _group, options, _index in context["widget"]["optgroups"] for option in options]
        chosen = [str(option["label"]) for option in options if option["selected"]]
        return context | {"options": options, "chosen": chosen, "long": len(options) >= LONG}


class RecordPicker(forms.SelectMultiple):
    """Records that are found by typing; only the chosen ones are in the page."""

    template_name = "web/registers/widgets/record_picker.html"
    address = ""  # answers what is typed

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Name the chosen records without reading all that could be."""
        context = forms.Widget.get_context(self, name, value, attrs)
        queryset = self.choices.queryset  # type: ignore[union-attr]
        keys = [key for key in value or [] if key]
        chosen = []
        if keys:
            try:
                chosen = [(str(record.pk), str(record)) for record in queryset.filter(pk__in=keys)]
            except (ValueError, TypeError):  # not even keys: the field says so
                chosen = []
        return context | {"chosen": chosen, "address": self.address}


class RangeInputs(django_filters.widgets.RangeWidget):
    """Two numbers, from and to."""

    template_name = "web/registers/widgets/range.html"

    def __init__(self, kind: str) -> None:
        super().__init__(attrs={"type": kind, "class": "form-control"} | ({"step": "any"} if kind == "number" else {}))
        self.label = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Say of each input what it is: the label of the field belongs to the two of them."""
        context = super().get_context(name, value, attrs)
        for part, word in zip(context["widget"]["subwidgets"], (_("from"), _("to")), strict=True):
            part["attrs"]["aria-label"] = f"{self.label}: {word}"
        return context


class DateInputs(RangeInputs):
    """Two days, from and to."""

    suffixes = ["after", "before"]


class RegisterFilterSet(django_filters.FilterSet):
    """The filters of one register for one user; bound even when nothing is set, so that the form can be judged."""

    def __init__(self, register: Register, user: User, data: QueryDict, queryset: QuerySet[Any]) -> None:
        self.register, self.user = register, user
        super().__init__(data, queryset)
        for name, one in self.filters.items():
            prepare = getattr(one, "prepare", None)
            if prepare is not None:
                prepare(self.form.fields[name], user)
            if isinstance(self.form.fields[name].widget, RangeInputs):
                self.form.fields[name].widget.label = self.form.fields[name].label

    @property
    def qs(self) -> QuerySet[Any]:
        """Return what meets the conditions that can be read; one that cannot finds nothing."""
        if not hasattr(self, "_qs"):
            queryset = self.queryset.all()
            self._qs = self.filter_queryset(queryset) if self.form.is_valid() else queryset.none()
        return self._qs

    @cached_property
    def helper(self) -> FormHelper:
        """Return how crispy-forms lays the fields out: in a grid, without a form tag of its own."""
        helper = FormHelper()
        helper.form_tag, helper.disable_csrf = False, True
        fields = (Div(Field(name), css_class="lm-filter") for name in self.form.fields if self._is_offered(name))
        helper.layout = Layout(Div(*fields, css_class="lm-filters"))
        return helper

    def _is_offered(self, name: str) -> bool:
        """Tell whether a filter is worth its place: tags are where there are some."""
        return not isinstance(self.filters[name], TagFilter) or bool(self.form.fields[name].choices)

    @property
    def is_set(self) -> bool:
        """Tell whether any condition is given."""
        return any(_is_given(self.form.cleaned_data.get(name)) for name in self.filters) or bool(self.form.errors)


def _is_given(value: Any) -> bool:
    return value not in (None, "", []) and not (isinstance(value, models.QuerySet) and not value)


def filterset(register: Register, user: User, data: QueryDict, queryset: QuerySet[Any]) -> RegisterFilterSet:
    """Return the bound filters of a register; the class is made once and kept with it."""
    kept = register.__dict__
    if "_filterset" not in kept:
        made = {declared.name: _filter(register, declared) for declared in declared_filters(register)}
        meta = type("Meta", (), {"model": register.model, "fields": []})
        kept["_filterset"] = type(f"{register.key.title()}FilterSet", (RegisterFilterSet,), made | {"Meta": meta})
    return kept["_filterset"](register, user, data, queryset)


def declared_filters(register: Register) -> list[Filter]:
    """Return the filters of a register in full form."""
    found = [Filter(item) if isinstance(item, str) else item for item in register.filters]
    for item in found:
        if item.name in RESERVED:
            raise ImproperlyConfigured(f"register {register.key}: a filter cannot be named {item.name}")
    return found if any(item.name == TAG.name for item in found) else [*found, TAG]


def kind_of(register: Register, declared: Filter) -> str:
    """Return the kind of a filter, read from its field where it is not declared."""
    if declared.kind:
        return declared.kind
    if declared.choices is not None:
        return "choice"
    last, _nullable = follow(register.model, declared.name)
    match last:
        case models.Field() if last.choices:
            return "choice"
        case models.ForeignKey():
            target = last.related_model
            many = manifest.register_of(target) is not None or hasattr(target._default_manager, "visible_to")
            return "record" if many and target is not Region else "choice"
        case models.BooleanField():
            return "boolean"
        case models.DateField() | models.IntegerField() | models.FloatField() | models.DecimalField():
            return "range"
    return "text"


def _filter(register: Register, declared: Filter) -> django_filters.Filter:
    if declared is TAG:
        return TagFilter(register)
    last, _nullable = follow(register.model, declared.name)
    label = declared.label or (last.verbose_name if last is not None else declared.name)
    common: dict[str, Any] = {"field_name": declared.name, "label": label}
    match kind_of(register, declared):
        case "choice":
            found: django_filters.Filter = ChoiceFilter(declared, last, **common)
        case "record":
            found = RecordFilter(register, declared, last, **common)
        case "boolean":
            found = BooleanFilter(**common)
        case "range" if isinstance(last, models.DateField):
            found = django_filters.DateFromToRangeFilter(widget=DateInputs("date"), **common)
        case "range":
            found = django_filters.RangeFilter(widget=RangeInputs("number"), **common)
        case "text":
            found = django_filters.CharFilter(lookup_expr=declared.lookup or "icontains", **common)
        case other:
            raise ImproperlyConfigured(f"register {register.key}: filter {declared.name} is of no known kind: {other}")
    if declared.apply is not None:
        apply = declared.apply
        found.filter = lambda queryset, value: apply(queryset, value) if _is_given(value) else queryset
    return found


class ChoiceFilter(django_filters.MultipleChoiceFilter):
    """One or several of few values; of a relation to divisions also what lies inside the chosen ones."""

    def __init__(self, declared: Filter, last: Any, **common: Any) -> None:
        self.offered = declared.choices
        self.target = last.related_model if isinstance(last, models.ForeignKey) else None
        self.labels = [] if last is None or not last.choices else list(last.flatchoices)
        super().__init__(choices=[], widget=CheckList, **common)

    def prepare(self, field: forms.MultipleChoiceField, user: User) -> None:
        """Offer the choices that the user has."""
        field.choices = list(self._choices(user))
        field.error_messages["invalid_choice"] = _("“%(value)s” is none of the choices of this filter.")

    def _choices(self, user: User) -> Iterator[tuple[str, Any]]:
        if self.offered is not None:
            yield from self._declared(user)
        elif self.target is not None:
            yield from ((str(record.pk), named(record)) for record in related(self.target, user))
        else:
            yield from ((str(value), label) for value, label in self.labels if value not in ("", None))

    def _declared(self, user: User) -> list[tuple[str, str]]:
        """Return the declared choices; they may be what stands in 200,000 rows, so they are kept for a minute."""
        offered = self.offered
        assert offered is not None
        key = f"choices.{self.model._meta.label_lower}.{self.field_name}.{get_language()}"
        return shared(key, user, 60, lambda: [(str(value), str(label)) for value, label in offered(user)])

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what has any of the values."""
        if not value:
            return queryset
        if self.target is Region:
            inside = Q()
            for code in value:
                inside |= region_filter(User(region_codes=[code]), f"{self.field_name}__code")
            return queryset.filter(inside)
        return queryset.filter(**{f"{self.field_name}__in": value})


class TagFilter(django_filters.MultipleChoiceFilter):
    """Tags that records of the register bear; what has all of the chosen ones is found."""

    def __init__(self, register: Register) -> None:
        self.register = register
        super().__init__(choices=[], widget=CheckList, label=TAG.label)

    def prepare(self, field: forms.MultipleChoiceField, user: User) -> None:
        """Offer the tags in use; what the bureau calls its records stays in the bureau."""
        field.choices = shared(f"tags.{self.register.key}", user, 15, self._used) if user.is_internal else []
        field.error_messages["invalid_choice"] = _("“%(value)s” is none of the choices of this filter.")

    def _used(self) -> list[tuple[str, str]]:
        used = Tag.objects.filter(taggings__object_type=self.register.object_type).distinct()
        return [(str(tag.pk), tag.name) for tag in used]

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what bears all of the tags."""
        return records.tagged(queryset, self.register, [int(tag) for tag in value]) if value else queryset


class RecordFilter(django_filters.ModelMultipleChoiceFilter):
    """One or several records of a relation."""

    def __init__(self, register: Register, declared: Filter, last: Any, **common: Any) -> None:
        self.key, self.target = register.key, last.related_model
        super().__init__(queryset=self.target._default_manager.all(), widget=RecordPicker, **common)

    def prepare(self, field: forms.ModelMultipleChoiceField, user: User) -> None:
        """Offer what the user may see."""
        field.queryset = related(self.target, user)
        field.error_messages["invalid_choice"] = _("There is no record “%(value)s” in your scope.")
        field.error_messages["invalid_pk_value"] = _("There is no record “%(pk)s” in your scope.")
        field.widget.address = reverse("register-choices", args=[self.key, self.field_name])

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what hangs on any of the records."""
        return queryset.filter(**{f"{self.field_name}__in": [record.pk for record in value]}) if value else queryset


class BooleanFilter(django_filters.TypedChoiceFilter):
    """Yes, no, or whichever."""

    def __init__(self, **common: Any) -> None:
        super().__init__(choices=[], coerce=lambda text: text == "true", **common)

    def prepare(self, field: forms.TypedChoiceField, user: User) -> None:
        """Offer the words in the page's language."""
        field.choices = [("", _("Any")), ("true", _("Yes")), ("false", _("No"))]

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        """Keep what is so."""
        return queryset if value in (None, "") else queryset.filter(**{self.field_name: value})


def related(target: type[models.Model], user: User) -> QuerySet[Any]:
    """Return the records of a relation that the user may see."""
    if target is Region:
        inside = region_filter(user, "code") if user.is_internal else Q()
        return Region.objects.filter(inside).defer("boundary")
    manager = target._default_manager
    return manager.visible_to(user) if hasattr(manager, "visible_to") else manager.all()  # type: ignore[attr-defined]


def named(record: Any) -> str:
    if isinstance(record, Region):
        return record.name if words.chinese() else record.name_en or record.name
    return str(record)


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition that is set, and the query string without it."""

    label: str
    text: str
    query: str
    wrong: str = ""  # why it cannot be read


def chips(filters: RegisterFilterSet, query: QueryDict) -> list[Chip]:
    """Return the conditions that are set, each with the way to drop it."""
    found: list[Chip] = []
    for name in filters.filters:
        field, label = filters.form.fields[name], str(filters.form.fields[name].label)
        parameters = parameters_of(filters, name)
        if name in filters.form.errors:
            wrong = " ".join(filters.form.errors[name])
            given = ", ".join(filter(None, (value for key in parameters for value in query.getlist(key))))
            found.append(Chip(label, given, _without(query, parameters), wrong))
            continue
        value = filters.form.cleaned_data.get(name)
        if not _is_given(value):
            continue
        if isinstance(field, forms.ModelMultipleChoiceField):
            found += [Chip(label, str(record), _without(query, [name], str(record.pk))) for record in value]
        elif isinstance(field, forms.MultipleChoiceField):
            labels = {str(key): text for key, text in field.choices}  # type: ignore[union-attr]
            found += [Chip(label, str(labels[item]), _without(query, [name], item)) for item in value]
        else:
            found.append(Chip(label, _written(value), _without(query, parameters)))
    return found


def parameters_of(filters: RegisterFilterSet, name: str) -> list[str]:
    """Return the names that a filter has in the address."""
    widget = filters.form.fields[name].widget
    suffixes: Sequence[str] = getattr(widget, "suffixes", ())
    return [f"{name}_{suffix}" for suffix in suffixes] or [name]


def _without(query: QueryDict, parameters: Sequence[str], value: str | None = None) -> str:
    left = query.copy()
    for parameter in parameters:
        kept = [item for item in left.getlist(parameter) if value is not None and item != value]
        left.setlist(parameter, kept) if kept else left.pop(parameter, None)
    return left.urlencode()


def _written(value: Any) -> str:
    if isinstance(value, slice):
        bounds = [_bound(value.start), _bound(value.stop)]
        if all(bounds):
            return f"{bounds[0]} – {bounds[1]}"
        return f"≥ {bounds[0]}" if bounds[0] else f"≤ {bounds[1]}"
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value)


def _bound(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timezone.localdate(value).isoformat()
    return value.isoformat() if isinstance(value, date) else f"{value.normalize():f}"
