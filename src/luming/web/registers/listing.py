"""A list of a register as its address says: which rows, in which order, which columns, which page.

The whole state of a list is its query string, so that it can be kept, shared and linked to:
``q`` what is searched, the filters by their names, ``sort`` (``-`` before a name: downwards; several by comma),
``columns`` in order, ``density``, and ``at``, the place in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Avg, Count, Max, Min, QuerySet, Sum
from django.http import QueryDict
from django.utils.functional import cached_property

from luming.core.models import User
from luming.core.registers import Register
from luming.web.registers import access, filters, paging
from luming.web.registers.columns import ListColumn, columns, figure, follow, pick, sort_keys
from luming.web.registers.searching import Search

PER_PAGE = 50
DENSITIES = ("normal", "compact")
OWN = ("q", "sort", "columns", "density", "view")
_TOTALS = {"sum": Sum, "mean": Avg, "minimum": Min, "maximum": Max}


@dataclass(frozen=True, slots=True)
class Total:
    """A figure at the foot of a list."""

    column: ListColumn
    text: str


class Listing:
    """One look at a register by one user."""

    def __init__(self, register: Register, user: User, parameters: QueryDict) -> None:
        self.register, self.user = register, user
        self.text = parameters.get("q", "").replace("\0", "").strip()
        self.columns = pick(register, _names(parameters.getlist("columns")))
        self.sort = [name for name in _names(parameters.getlist("sort")) if self._sortable(name)]
        self.density = parameters.get("density", "")
        self.cursor = parameters.get("at", "")
        self.filters = filters.filterset(register, user, parameters, access.rows(register, user))
        self._parameters = parameters

    def _sortable(self, name: str) -> bool:
        column = columns(self.register).get(name.removeprefix("-"))
        return column is not None and bool(column.sort_keys)

    # ---- the address -----------------------------------------------------------------------------------------------

    @cached_property
    def query(self) -> QueryDict:
        """Return the state of the list without the place in it; unknown parameters are left out."""
        known = QueryDict(mutable=True)
        if self.text and self.register.search:
            known["q"] = self.text
        for name in self.filters.filters:
            for parameter in filters.parameters_of(self.filters, name):
                given = [value for value in self._parameters.getlist(parameter) if value]
                if given:
                    known.setlist(parameter, given)
        if self.sort:
            known["sort"] = ",".join(self.sort)
        if self._parameters.getlist("columns"):
            known["columns"] = ",".join(column.name for column in self.columns)
        for name in ("density", "view"):
            if self._parameters.get(name):
                known[name] = self._parameters[name]
        return known

    def address(self, **changes: str) -> str:
        """Return the query string with some parameters changed; an empty value removes one."""
        changed = self.query.copy()
        for name, value in changes.items():
            if value:
                changed[name] = value
            else:
                changed.pop(name, None)
        return "?" + changed.urlencode()

    @property
    def state(self) -> str:
        """Return the query string that a saved view keeps: all but the place and the name of a view."""
        return self.address(view="")[1:]

    @property
    def narrowed(self) -> bool:
        """Tell whether a search or filter leaves rows out."""
        return bool(self.query.get("q")) or bool(self.chips)

    @cached_property
    def chips(self) -> list[filters.Chip]:
        """Return the conditions that are set."""
        return filters.chips(self.filters, self.query) if self.filters.form.is_valid() or self.filters.errors else []

    @property
    def everything(self) -> str:
        """Return the query string of the same list without search and filters."""
        left = QueryDict(mutable=True)
        left.update({name: self.query[name] for name in OWN if name != "q" and name in self.query})
        return "?" + (left.urlencode() or "view=")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """Return what the form of search and filters has to send along."""
        return [(name, value) for name in ("sort", "columns", "density", "view") if (value := self.query.get(name))]

    @property
    def without_columns(self) -> list[tuple[str, str]]:
        """Return the parameters that choosing columns keeps."""
        return [(name, value) for name, values in self.query.lists() if name != "columns" for value in values]

    @property
    def with_first_columns(self) -> str:
        """Return the query string with the columns that are shown at first."""
        address = self.address(columns="")
        return address if address != "?" else "?view="

    # ---- the rows --------------------------------------------------------------------------------------------------

    @cached_property
    def found(self) -> QuerySet[Any]:
        """Return the rows that search and filters leave, in no order."""
        return self.search.narrow(self.filters.qs.order_by())

    @cached_property
    def search(self) -> Search:
        """Return what was typed into the search box, and how it is best sought."""
        return Search(self.register, self.text)

    @cached_property
    def keys(self) -> list[paging.Key]:
        """Return what the rows are ordered by."""
        keys: list[paging.Key] = []
        for name in self.sort or default_sort(self.register):
            path, descending = name.removeprefix("-"), name.startswith("-")
            column = columns(self.register).get(path)
            last, _nullable = follow(self.register.model, path)
            paths = column.sort_keys if column is not None and column.sort_keys else sort_keys(path, last)
            keys += [paging.Key(key, descending, _may_miss(self.register, key)) for key in paths]
        return keys

    @property
    def ordered(self) -> QuerySet[Any]:
        """Return all rows in order, with the relations that the columns need."""
        keys = [*self.keys, paging.Key("pk", self.keys[0].descending if self.keys else False)]
        return self._with_relations(self.found).order_by(*(key.order(False) for key in keys))

    def page(self, size: int = PER_PAGE) -> paging.Page:
        """Return the page that the cursor names; see :func:`luming.web.registers.paging.page`."""
        found = self.found
        if self.search.is_slow and self.cursor != paging.LAST and is_indexed(self.register, self.keys[0].path):
            found = self.search.narrow_in_order(self.filters.qs.order_by())
        whole = self._with_relations(access.rows(self.register, self.user))
        return paging.page(found, self.keys, self.cursor, size, whole=whole)

    def _with_relations(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        relations = {*self.register.select, *(path for column in self.columns for path in column.relations)}
        return queryset.select_related(*sorted(relations)) if relations else queryset

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Return the number of rows and the declared totals of the shown columns, in one query."""
        wanted: dict[str, Any] = {"_count": Count("pk")}
        for column in self._totalled:
            wanted[f"_total_{column.name}"] = _TOTALS[column.declared.total](column.name)
        return self.found.aggregate(**wanted)

    @property
    def is_hasty(self) -> bool:
        """Tell whether the rows are shown first and counted afterwards."""
        return self.search.is_slow and not self._parameters.get("figures")

    @property
    def count(self) -> int:
        """Return how many rows are found."""
        return int(self.figures["_count"])

    @property
    def totals(self) -> list[Total]:
        """Return the figures of the foot."""
        found: list[Total] = []
        if self.is_hasty:
            return found
        for column in self._totalled:
            value = self.figures[f"_total_{column.name}"]
            if value is not None:
                decimals = column.declared.decimals
                text = f"{value:,}" if isinstance(value, int) else figure(value, 2 if decimals is None else decimals)
                found.append(Total(column, f"{text} {column.unit}".strip()))
        return found

    @property
    def foot(self) -> list[tuple[ListColumn, Total | None]]:
        """Return the columns with their totals."""
        totals = {total.column.name: total for total in self.totals}
        return [(column, totals.get(column.name)) for column in self.columns]

    @property
    def _totalled(self) -> Sequence[ListColumn]:
        return [column for column in self.columns if column.declared.total]


def default_sort(register: Register) -> list[str]:
    """Return the order of a list before a person chose one."""
    declared = register.sort or register.model._meta.ordering or ["pk"]
    return [name for name in declared if isinstance(name, str)] or ["pk"]


def is_indexed(register: Register, path: str) -> bool:
    """Tell whether the database can read rows in the order of a path without sorting them."""
    model = register.model
    if path in ("pk", model._meta.pk.name):  # type: ignore[union-attr]
        return True
    leading = {index.fields[0].removeprefix("-") for index in model._meta.indexes if index.fields}
    field = next((item for item in model._meta.local_concrete_fields if path in (item.name, item.attname)), None)
    return field is not None and (field.unique or field.db_index or field.name in leading)


def _may_miss(register: Register, path: str) -> bool:
    if path == "pk":
        return False
    last, nullable = follow(register.model, path.removesuffix("_id") if path.endswith("_id") else path)
    if last is None:  # an annotation, or a field whose own name ends so
        nullable = follow(register.model, path)[1]
    return nullable


def _names(values: Iterable[str]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def chosen(register: Register, user: User, data: Mapping[str, Any]) -> QuerySet[Any]:
    """Return the rows that a list's form names: ``pk`` (several), or with ``all`` what ``query`` finds.

    ``query`` is the query string of the list that the person looked at when choosing all that it finds.
    """
    if data.get("all"):
        return Listing(register, user, QueryDict(data.get("query", ""))).found
    keys = data.getlist("pk") if hasattr(data, "getlist") else data.get("pk", [])
    field = register.model._meta.pk
    return access.rows(register, user).filter(pk__in=[key for key in keys if _is_key(field, key)])


def _is_key(field: Any, text: str) -> bool:
    try:
        field.to_python(text)
    except (ValidationError, ValueError, TypeError, OverflowError):
        return False
    return True
