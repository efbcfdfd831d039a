"""What a record's fields and their changes say: choices by their labels, related records by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from luming.core import records, versions
from luming.core.models import AuditEntry, User
from luming.core.registers import Column, Register
from luming.core.versions import Version
from luming.web import verbs
from luming.web.registers.columns import MISSING, ListColumn, columns, follow, kind_of
from luming.web.registers.filters import named, related

# What a version is called by the last part of its verb, else by what it did to the row.
TONES = {"create": "good", "change": "info", "delete": "bad", "restore": "good"}


def field_column(register: Register, name: str) -> ListColumn:
    """Return a field as a column of the register, declared or not, so that it looks alike everywhere."""
    declared = columns(register).get(name)
    if declared is not None:
        return declared
    last, nullable = follow(register.model, name)
    choices = dict(last.flatchoices) if last is not None and last.choices else {}
    return ListColumn(register, Column(name), last, nullable, kind_of(last), choices=choices)


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a record in words."""

    name: str
    label: str
    value: Any
    former: Any = ""
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A version as the history tells it: who did what, when, why, and what changed from what to what."""

    key: str
    at: datetime
    label: Any
    tone: str
    who: str  # empty: past the verbs
    reasons: Sequence[str]
    lines: Sequence[Line]
    is_recorded: bool
    entries: Sequence[AuditEntry]


class Teller:
    """Puts values of one register's records into words; names of related records are read together."""

    def __init__(self, register: Register, user: User) -> None:
        self.register, self.user = register, user
        secrets = versions.secret_fields(register.model)
        self.columns = {
            column.attname: column
            for column in register.model._meta.concrete_fields
            if column.name not in secrets
            and not column.primary_key
            and not getattr(column.remote_field, "parent_link", False)
        }
        self.names: dict[Any, dict[Any, str]] = defaultdict(dict)

    def learn(self, values: Iterable[tuple[str, Any]]) -> None:
        """Read the names of the related records among values of columns, as far as the user may see them."""
        wanted: dict[Any, set[Any]] = defaultdict(set)
        for attname, value in values:
            column = self.columns.get(attname)
            if column is None or not column.is_relation or value is None:
                continue
            if value not in self.names[column.related_model]:
                wanted[column.related_model].add(value)
        for model, keys in wanted.items():
            for record in related(model, self.user).filter(pk__in=keys):
                self.names[model][record.pk] = named(record)

    def label(self, attname: str) -> str:
        """Return the name of a field."""
        return field_column(self.register, self.columns[attname].name).label

    def say(self, attname: str, value: Any) -> str:
        """Return a value in words."""
        column = self.columns[attname]
        if value is None or value == "":
            return MISSING
        if column.is_relation:
            return self.names[column.related_model].get(value) or f"#{value}"
        return field_column(self.register, column.name).text(_typed(column, value)) or MISSING

    def tell(self, told: Sequence[Version]) -> list[Told]:
        """Return versions in words."""
        self.learn((name, value) for entry in told for name, pair in entry.changes.items() for value in pair)
        return [self._tell(entry) for entry in told]

    def tell_all(self, told: Sequence[Version], others: Sequence[AuditEntry]) -> list[Told]:
        """Return versions and the audit rows that left none (files, notes, tags, secrets) in words, newest first."""
        found = [*self.tell(told), *(self._tell_entry(row) for row in others)]
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    def _tell_entry(self, row: AuditEntry) -> Told:
        what = row.verb.rpartition(".")[2]
        lines = [Line("", label, _("changed, not shown"), "", True) for label in self._secrets([row])]
        if name := row.detail.get("name") or row.detail.get("tag"):
            lines.append(Line("", "", str(name)))
        return Told(
            "",
            row.at,
            verbs.WHATS.get(what, what),
            "",
            verbs.actor(row.actor_name),
            [row.reason] if row.reason else [],
            lines,
            True,
            [row],
        )

    def _tell(self, entry: Version) -> Told:
        lines = [
            Line(name, self.label(name), self.say(name, now), self.say(name, before), True)
            for name, (before, now) in entry.changes.items()
            if name in self.columns
        ]
        lines += [Line("", label, _("changed, not shown"), "", True) for label in self._secrets(entry.entries)]
        what = entry.label
        if any(row.verb.endswith(".restore") for row in entry.entries):
            what = "restore"
        return Told(
            entry.key,
            entry.at,
            verbs.WHATS[what],
            TONES[what],
            " · ".join(dict.fromkeys(verbs.actor(row.actor_name) for row in entry.entries)),
            list(dict.fromkeys(row.reason for row in entry.entries if row.reason)),
            lines,
            entry.is_recorded,
            entry.entries,
        )

    def _secrets(self, entries: Iterable[AuditEntry]) -> list[str]:
        """Return the labels of secrets that the audit trail says were changed."""
        fields = {column.name: column for column in self.register.model._meta.concrete_fields}
        told = [name for row in entries for name, what in _changes(row).items() if what == "changed"]
        return [str(fields[name].verbose_name) for name in told if name in fields]

    def compare(self, before: Version, after: Version) -> list[Line]:
        """Return every field of two versions side by side."""
        pairs = [(name, values.get(name)) for values in (before.values, after.values) for name in self.columns]
        self.learn(pairs)
        found = []
        for name in self._order():
            if name not in before.values and name not in after.values:
                continue
            first, second = before.values.get(name), after.values.get(name)
            found.append(Line(name, self.label(name), self.say(name, second), self.say(name, first), first != second))
        return found

    def _order(self) -> list[str]:
        """Return the fields in the order of the form, then those that are not in it."""
        names = [name for group in records.groups(self.register) for name in group.fields]
        by_name = {column.name: attname for attname, column in self.columns.items()}
        first = [by_name[name] for name in names if name in by_name]
        return [*first, *(name for name in self.columns if name not in first)]


def _changes(row: AuditEntry) -> dict[str, Any]:
    changes = row.detail.get("changes")
    return changes if isinstance(changes, dict) else {}


def _typed(column: models.Field, value: Any) -> Any:
    """Return a value of the audit trail (text of JSON) as the field's own; values of the history are so already."""
    if isinstance(value, str) and isinstance(column, models.DateTimeField):
        return parse_datetime(value) or value
    if isinstance(value, str) and isinstance(column, models.DateField):
        return parse_date(value) or value
    return value
