"""The list of a register as a django-tables2 ``Table`` made from its declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_tables2
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from luming.web.registers import access
from luming.web.registers.columns import MISSING, ListColumn
from luming.web.registers.listing import Listing


class RegisterColumn(django_tables2.Column):
    """Draws the cells of one declared column."""

    def __init__(self, column: ListColumn, links: access.Links) -> None:
        self.drawn, self.links = column, links
        super().__init__(
            verbose_name=column.label,
            empty_values=(),
            orderable=False,  # the order is the list's business: it must fit the pages
            attrs={"th": {"class": column.css}, "td": {"class": column.css, "data-label": column.label}},
        )

    def render(self, record: Any) -> SafeString | str:
        """Return the cell of a record."""
        return self.drawn.cell(record, self.links)

    def value(self, record: Any) -> Any:
        """Return the cell as exports have it."""
        return self.drawn.plain(record)


class RegisterTable(django_tables2.Table):
    """The rows of one page."""

    class Meta:
        """The template is one for all registers."""

        template_name = "web/registers/table.html"
        orderable = False

    def __init__(self, listing: Listing, rows: Sequence[Any], *, density: str = "", ticks: bool = False) -> None:
        self.listing, self.density = listing, density
        self.ticks = ticks  # rows can be chosen
        self.links = access.Links(listing.user)
        drawn = [(column.name, RegisterColumn(column, self.links)) for column in listing.columns]
        super().__init__(rows, extra_columns=drawn, row_attrs={"data-href": lambda record: self.address(record)})

    @property
    def heads(self) -> list[Head]:
        """Return the headings with their ways to order."""
        return [Head(self.listing, column) for column in self.listing.columns]

    @property
    def lines(self) -> list[Line]:
        """Return the rows with their addresses."""
        columns = [bound.column.drawn for bound in self.columns]
        self.links.learn(columns, [row.record for row in self.rows])
        return [Line(row.record, self.address(row.record), columns, self.links) for row in self.rows]

    def address(self, record: Any) -> str:
        """Return the address of a record's page."""
        return access.address(self.listing.register, record)


class Line:
    """One row of the page."""

    def __init__(self, record: Any, url: str, columns: Sequence[ListColumn], links: access.Links) -> None:
        self.record, self.url = record, url
        first, *others = columns
        # The first cell is the link to this record: another record in it is not linked as well.
        is_link = first.kind == "record" and first.declared.render is None
        title = first.text(first.value(record)) or MISSING if is_link else first.cell(record, links)
        cells = [(first, format_html('<a class="lm-title" href="{}">{}</a>', url, title))]
        cells += [(column, column.cell(record, links)) for column in others]
        self.cells = format_html_join("\n", '<td class="{}" data-label="{}">{}</td>', (
            (column.css, column.label, cell) for column, cell in cells
        ))  # fmt: skip


class Head:
    """One heading: its label, the present direction and the address of the next one."""

    def __init__(self, listing: Listing, column: ListColumn) -> None:
        self.column = column
        names = [column.name, f"-{column.name}"]
        place, present = next(((place, name) for place, name in enumerate(listing.sort, 1) if name in names), (0, ""))
        self.direction = {names[0]: "ascending", names[1]: "descending"}.get(present, "none")
        self.rank = place if len(listing.sort) > 1 else 0
        self.next = names[1] if present == names[0] else names[0]
        self.url = listing.address(sort=self.next) if column.sort_keys else ""
