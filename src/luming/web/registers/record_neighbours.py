"""What stands around a record: the one before and after it in its register, and the records that hang on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from luming.core import manifest
from luming.core.models import User
from luming.core.registers import Register, Related
from luming.web.registers import access, columns, filters, record_parts
from luming.web.registers.columns import ListColumn

SHOWN = 5  # related records of a kind
COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Hanging:
    """Records of another register that hang on a record: the first few, how many, where to see all, where to add."""

    register: Register
    label: Any
    count: int
    columns: Sequence[ListColumn]
    rows: Sequence[tuple[str, str, Sequence[tuple[ListColumn, Any]]]]  # address, first cell as text, other cells
    list_url: str
    new_url: str


def related(user: User, register: Register, record: Any) -> list[Hanging]:
    """Return what hangs on a record by kind, as far as the user may see it."""
    found = []
    for declared in register.related:
        other = manifest.register(declared.register)
        if other is not None and user.may(other.view):
            found.append(_hanging(user, other, declared, record))
    return found


def _hanging(user: User, other: Register, declared: Related, record: Any) -> Hanging:
    hanging = access.rows(other, user).filter(**{declared.field: record.pk})
    shown = [column for column in columns.columns(other).values() if column.declared.shown]
    shown = [column for column in shown if column.name != declared.field][:COLUMNS]
    relations = {path for column in shown for path in column.relations}
    rows = list(hanging.select_related(*relations, *other.select)[:SHOWN])
    links = access.Links(user)
    links.learn(shown, rows)
    count = len(rows) if len(rows) < SHOWN else hanging.count()
    query = f"?{declared.field}={record.pk}"
    filtered = declared.field in {entry.name for entry in filters.declared_filters(other)}
    return Hanging(
        other,
        declared.label or other.title,
        count,
        shown,
        [
            (
                record_parts.address(other, row),
                _title(shown, row),
                [(column, column.cell(row, links)) for column in shown[1:]],
            )
            for row in rows
        ],
        reverse("register", args=[other.key]) + query if filtered else "",
        reverse("record-new", args=[other.key]) + query if other.add and user.may(other.edit) else "",
    )


def _title(shown: Sequence[ListColumn], row: Any) -> str:
    """Return the first cell of a row as text, to be the link to it."""
    if not shown:
        return str(row)
    first = shown[0]
    return str(first.plain(row) if first.declared.render is not None else first.text(first.value(row))) or str(row)


def neighbours(user: User, register: Register, record: Any) -> tuple[Any, Any]:
    """Return the records before and after one in the register's order, None at the ends."""
    names = order(register, record)
    rows = register.model.objects.visible_to(user)  # type: ignore[attr-defined]
    after = rows.filter(_beyond(record, names)).order_by(*names).first()
    turned = [name[1:] if name.startswith("-") else f"-{name}" for name in names]
    before = rows.filter(_beyond(record, turned)).order_by(*turned).first()
    return before, after


def order(register: Register, record: Any) -> list[str]:
    """Return the register's order as columns of the record that hold something; its key decides between equals."""
    columns_of = {name for column in register.model._meta.concrete_fields for name in (column.name, column.attname)}
    names: list[str] = []
    for name in register.sort or register.model._meta.ordering:
        if not isinstance(name, str) or name.lstrip("-") not in columns_of:
            break  # over a relation or an expression: from here on by key
        column = register.model._meta.get_field(name.lstrip("-").removesuffix("_id"))
        if getattr(record, column.attname) is None:
            break
        names.append(f"{'-' if name.startswith('-') else ''}{column.attname}")
    return [*names, "pk"]


def _beyond(record: Any, names: Sequence[str]) -> Q:
    """Return the condition of the records that follow one in an order."""
    condition, equal = Q(), Q()
    for name in names:
        path, step = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        value = getattr(record, path)
        condition |= equal & Q(**{f"{path}__{step}": value})
        equal &= Q(**{path: value})
    return condition
