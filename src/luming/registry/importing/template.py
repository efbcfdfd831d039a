"""The workbook that people fill in."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from luming.registry.importing.reading import SKIPPED
from luming.registry.importing.tables import TABLES, Column, Table, english

ROWS = 5000  # that the lists of permitted values reach
_CODE_WIDTH = 26


def template() -> bytes:
    """Return an .xlsx workbook in the reader's language: explanations, and one sheet per table with an example row."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    formats = {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        "head": book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1}),
        "required": book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1}),
        "example": book.add_format({"italic": True, "font_color": "#767676", "num_format": "@"}),
        "text": book.add_format({"num_format": "@"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    _guide(book.add_worksheet("Instructions" if english() else "说明"), formats)
    for table in TABLES:
        _sheet(book.add_worksheet(table.label), table, formats)
    book.close()
    return file.getvalue()


def _guide(sheet: Worksheet, formats: dict[str, Format]) -> None:
    """Write how to fill the workbook in, and every column."""
    sheet.write(0, 0, _("Import of places"), formats["title"])
    rules = (
        _("Fill in the sheets you need; delete or leave empty the others. Columns marked * are required."),
        _("Rows whose first cell begins with # are remarks, like the example rows: they are not imported."),
        _("Rows are recognised by their code. What exists is changed, what is new is added, nothing is deleted."),
        _("An empty cell leaves what is there. If any row is wrong, nothing is imported and all bad rows are listed."),
    )
    for index, line in enumerate(rules, start=1):
        sheet.write(index, 0, f"{index}. {line}")
    row = len(rules) + 2
    for index, heading in enumerate((_("Sheet"), _("Column"), _("Required"), _("Permitted values"), _("Explanation"))):
        sheet.write(row, index, heading, formats["head"])
    for table in TABLES:
        for column in table.columns:
            row += 1
            required = _("Yes") if column.required else ""
            cells = (table.label, column.label, required, " / ".join(options(column)), column.help)
            for index, cell in enumerate(cells):
                sheet.write_string(row, index, cell, formats["wrap"])
    for index, width in enumerate((14, 24, 8, 44, 60)):
        sheet.set_column(index, index, width)


def _sheet(sheet: Worksheet, table: Table, formats: dict[str, Format]) -> None:
    """Write the headings, the example row and the lists of one table."""
    sheet.freeze_panes(1, 0)
    for index, column in enumerate(table.columns):
        heading = f"{column.label}*" if column.required else column.label
        sheet.write_string(0, index, heading, formats["required" if column.required else "head"])
        if column.help:
            sheet.write_comment(0, index, column.help)
        # Codes are text: a spreadsheet that takes an MN for a number rounds it.
        is_number = isinstance(column.example, float | int)
        width = _CODE_WIDTH if column.name in ("mn", "place", "uscc", "outlet") else 14
        sheet.set_column(index, index, width, None if is_number else formats["text"])
        example = _example(column)
        if index == 0:
            sheet.write_string(1, 0, f"{SKIPPED}{example}", formats["example"])
        elif is_number:
            sheet.write_number(1, index, example, formats["example"])
        elif example:
            sheet.write_string(1, index, example, formats["example"])
        if column.choices:
            message = _("Choose one of the list.")
            sheet.data_validation(
                1, index, ROWS, index, {"validate": "list", "source": options(column), "error_message": message}
            )


def options(column: Column) -> list[str]:
    """Return how the permitted values of a column are written in the reader's language; empty when any is."""
    return [_spelling(spellings) for spellings in (column.choices or {}).values()]


def _spelling(spellings: tuple[str, ...]) -> str:
    return spellings[1] if english() and len(spellings) > 1 and not spellings[0].startswith("HJ") else spellings[0]


def _example(column: Column) -> Any:
    """Return the example of a column, permitted values in the reader's language."""
    for spellings in (column.choices or {}).values():
        if column.example and column.example in spellings:
            return _spelling(spellings)
    return column.example
