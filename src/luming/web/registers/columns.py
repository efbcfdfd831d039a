"""What a declared column is once its field is known: label, kind, how it is ordered, and a record's cell in it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ObjectDoesNotExist
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.utils import timezone
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import manifest
from luming.core.registers import Column, Register
from luming.registry.models import Region
from luming.web import words
from luming.web.registers import access

MISSING = "—"
NUMERIC = frozenset({"number", "integer"})
_UNIT = re.compile(r"\s*[（(]([^（）()]+)[)）]\s*$")
TOTALS = {
    "sum": gettext_lazy("Sum"),
    "mean": gettext_lazy("Mean"),
    "minimum": gettext_lazy("Minimum"),
    "maximum": gettext_lazy("Maximum"),
}


@dataclass(frozen=True)
class ListColumn:
    """A column of a register with what its field says."""

    register: Register
    declared: Column
    field: models.Field[Any, Any] | None  # the last of the path; None for annotations and properties
    nullable: bool
    kind: str
    sort_keys: tuple[str, ...] = ()  # paths, in order; empty: cannot be ordered by
    relations: tuple[str, ...] = ()  # to fetch with the rows
    choices: dict[Any, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name in addresses."""
        return self.declared.name

    @property
    def label(self) -> str:
        """Return the heading, with the unit."""
        declared = self.declared
        text = str(declared.label or (self.field.verbose_name if self.field is not None else declared.name))
        if declared.unit and not _UNIT.search(text):
            return f"{text} ({declared.unit})"
        return text[:1].upper() + text[1:]

    @property
    def unit(self) -> str:
        """Return the unit: declared, or in brackets at the end of the field's label."""
        found = _UNIT.search(self.label)
        return str(self.declared.unit or (found[1] if found else ""))

    @property
    def numeric(self) -> bool:
        """Tell whether the cells are numbers, which stand at the right."""
        return self.kind in NUMERIC

    @property
    def css(self) -> str:
        """Return the class of its cells: numbers stand at the right, what is short and fixed does not break."""
        return "num" if self.numeric else "text-nowrap" if self.kind in ("date", "moment", "choice", "code") else ""

    @property
    def total_label(self) -> Any:
        """Return what the figure at the foot is."""
        return TOTALS.get(self.declared.total, "")

    def value(self, record: Any) -> Any:
        """Return what the record holds: a plain value (a time of day as text) or a record."""
        found = record
        for part in self.name.split(LOOKUP_SEP) if self.field is not None else [self.name]:
            try:
                found = getattr(found, part)
            except ObjectDoesNotExist:
                return None
            if found is None:
                return None
        if isinstance(found, time):
            return found.isoformat("minutes")
        return found() if callable(found) and not isinstance(found, models.Model) else found

    def text(self, value: Any) -> str:
        """Write a value for people."""
        if value is None or value == "":
            return ""
        if self.choices:
            return str(self.choices.get(value, value))
        match value:
            case bool():
                return _("Yes") if value else _("No")
            case datetime():
                return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
            case date():
                return value.isoformat()
            case int():
                return f"{value:,}" if self.kind in NUMERIC else str(value)
            case float() | Decimal():
                return figure(value, self.declared.decimals)
            case Region():
                return value.name if words.chinese() else value.name_en or value.name
            case list() | tuple():
                return ", ".join(map(str, value))
        return str(value)

    def plain(self, record: Any) -> Any:
        """Return the cell of an export: numbers, dates and truths as such, everything else as it is shown."""
        if self.declared.render is not None:
            return html.unescape(strip_tags(str(self.declared.render(record)))).strip()
        value = self.value(record)
        if value is None or (isinstance(value, bool | int | float | Decimal | date) and not self.choices):
            return value
        return self.text(value)

    def cell(self, record: Any, links: access.Links) -> SafeString | str:
        """Return the cell of the list; a related record is a link where the reader may open it."""
        if self.declared.render is not None:
            return self.declared.render(record)
        value = self.value(record)
        if value is None or value == "":
            return format_html('<span class="text-secondary">{}</span>', MISSING)
        match self.kind:
            case "boolean":
                return _truth(bool(value))
            case "state":
                word = words.state(str(value))
                return format_html('<span class="lm-state"><i style="background:{}"></i>{}</span>', *_word(word))
            case "code":
                return format_html('<span class="font-monospace">{}</span>', value)
            case "record" if isinstance(value, models.Model):
                return self._link(value, links)
        return self.text(value)

    def _link(self, record: models.Model, links: access.Links) -> SafeString | str:
        url, text = links.address(record), self.text(record)
        return format_html('<a href="{}">{}</a>', url, text) if url else text


def figure(value: Any, decimals: int | None) -> str:
    """Write a number: with its decimals where they are declared, else with at most six significant digits."""
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    text = f"{value:.6g}"
    return f"{value:,.0f}" if "e" in text and abs(value) >= 1 else text


def _word(word: words.Word) -> tuple[str, str]:
    return word.colour, str(word.label)


def _truth(value: bool) -> SafeString:
    tone, text = ("is-good", _("Yes")) if value else ("", _("No"))
    return format_html('<span class="lm-tag {}">{}</span>', tone, text)


def columns(register: Register) -> dict[str, ListColumn]:
    """Return the columns of a register by name, in the declared order; worked out once and kept with it."""
    kept = register.__dict__
    if "_list_columns" not in kept:
        found = (_column(register, item) for item in register.columns)
        kept["_list_columns"] = {column.name: column for column in found}
    return kept["_list_columns"]


def _column(register: Register, declared: str | Column) -> ListColumn:
    if isinstance(declared, str):
        declared = Column(declared)
    last, nullable = follow(register.model, declared.name)
    kind = declared.kind or kind_of(last)
    choices = dict(last.flatchoices) if last is not None and last.choices else {}
    if declared.kind in NUMERIC:
        choices = {}
    keys: tuple[str, ...] = ()
    if declared.sortable and (last is not None or register.annotate is not None):
        keys = sort_keys(declared.name, last)
    return ListColumn(register, declared, last, nullable, kind, keys, _relations(declared.name, last), choices)


def follow(model: type[models.Model], path: str) -> tuple[models.Field[Any, Any] | None, bool]:
    """Return the field at the end of a path and whether anything on the way may be missing.

    A path that is no field (an annotation, a property) has no field and may be missing.
    """
    nullable, found = False, None
    for part in path.split(LOOKUP_SEP):
        try:
            found = model._meta.get_field(part)
        except FieldDoesNotExist:
            return None, True
        nullable = nullable or bool(getattr(found, "null", True)) or not found.concrete
        if found.is_relation and found.related_model is not None:
            model = found.related_model
    return found, nullable  # type: ignore[return-value]


def kind_of(last: models.Field[Any, Any] | None) -> str:
    """Return the kind of column that a field makes."""
    match last:
        case models.Field() if last.choices:
            return "choice"
        case models.ForeignKey():
            return "record"
        case models.BooleanField():
            return "boolean"
        case models.DateTimeField():
            return "moment"
        case models.DateField():
            return "date"
        case models.IntegerField():
            return "integer"
        case models.FloatField() | models.DecimalField():
            return "number"
    return "text"


def sort_keys(path: str, last: models.Field[Any, Any] | None) -> tuple[str, ...]:
    """Return what a column is ordered by: of a related record the name that people see.

    Regions and others that are ordered by their own key need no join: their key is in the row.
    """
    if not isinstance(last, models.ForeignKey):
        return (path,)
    target = last.related_model
    ordering = list(target._meta.ordering)
    if not ordering or ordering[0] in ("pk", target._meta.pk.name):
        return (f"{path}_id",)
    register = manifest.register_of(target)
    if register is not None and register.search:
        return (f"{path}{LOOKUP_SEP}{register.search[0]}",)
    return tuple(f"{path}{LOOKUP_SEP}{name}" for name in ordering if isinstance(name, str) and name[:1] != "-") or (
        f"{path}_id",
    )


def _relations(path: str, last: models.Field[Any, Any] | None) -> tuple[str, ...]:
    """Return the relation to fetch so that the column costs no query of its own."""
    before = path.rpartition(LOOKUP_SEP)[0]
    if last is None:
        return ()
    if isinstance(last, models.ForeignKey):
        return (path,)
    return (before,) if before else ()


def pick(register: Register, names: Sequence[str]) -> list[ListColumn]:
    """Return the named columns in the given order, unknown ones left out; without any the ones shown at first."""
    known = columns(register)
    wanted = [known[name] for name in dict.fromkeys(names) if name in known]
    return wanted or [column for column in known.values() if column.declared.shown] or list(known.values())
