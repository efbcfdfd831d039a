"""From the bytes of a file to rows of cells under known columns."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePath

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from luming.registry.importing.cells import Cell, shown
from luming.registry.importing.tables import TABLES, Column, Table, folded
from luming.registry.problems import FileError, Problem

MAX_BYTES = 20_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_ROWS = 100_000
# A cell with a value beyond column CZ or row 99,999; empty cells that carry a format only are no trouble.
_FAR_CELL = re.compile(rb'<c\b[^>]*?\br="((?:[A-Z]{3}|[D-Z][A-Z])\d+|[A-Z]+\d{6,})"(?:[^>]*[^>/])?>')

SKIPPED = "#"  # rows whose first cell begins with it are remarks


@dataclass(slots=True)
class Row:
    """One row of a table as it stands in the file; empty cells are left out."""

    sheet: str
    number: int  # as the spreadsheet numbers it
    cells: dict[str, Cell]  # column name -> cell


@dataclass(slots=True)
class Sheet:
    """The rows of one table."""

    table: Table
    name: str  # as the file calls it
    headings: dict[str, str]  # column name -> heading as the file writes it
    rows: list[Row] = field(default_factory=list)


def read(content: bytes, filename: str) -> tuple[list[Sheet], list[Problem]]:
    """Return the sheets of a workbook or the one table of a CSV file, and warnings.

    Raises
    ------
    FileError
        The file is no spreadsheet or CSV, has no table known here, or its headings are wrong: all that is wrong.
    """
    if not content:
        raise FileError([Problem(filename, None, "", "", _("The file is empty."))])
    if len(content) > MAX_BYTES:
        remedy = _("Split it into files of at most %(size)d MB.") % {"size": MAX_BYTES // 1_000_000}
        raise FileError([Problem(filename, None, "", "", _("The file is too large."), remedy)])
    is_workbook = content[:2] == b"PK" or content[:4] == b"\xd0\xcf\x11\xe0"
    grids = _workbook(content, filename) if is_workbook else {PurePath(filename).stem: csv_cells(content, filename)}
    sheets, problems, warnings = [], [], []
    for name, grid in grids.items():
        sheet = _sheet(name, grid, problems, warnings, named=is_workbook)
        if sheet:
            sheets.append(sheet)
    if not sheets and not problems:
        names = ", ".join(f"{table.zh} ({table.en})" for table in TABLES)
        remedy = _("Start from the template. Its sheets are: %(names)s.") % {"names": names}
        problems.append(Problem(filename, None, "", "", _("No sheet of the file is a table known here."), remedy))
    if sum(len(sheet.rows) for sheet in sheets) > MAX_ROWS:
        remedy = _("Split it into files of at most %(rows)d rows.") % {"rows": MAX_ROWS}
        problems.append(Problem(filename, None, "", "", _("The file has too many rows."), remedy))
    if problems:
        raise FileError(problems)
    return sheets, warnings


def _workbook(content: bytes, filename: str) -> dict[str, list[list[Cell]]]:
    """Return the cells of each sheet."""
    try:
        if content[:2] == b"PK":
            refuse_bombs(content, filename)
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (CalamineError, zipfile.BadZipFile, KeyError, OSError) as error:
        what = _("The file is damaged or is no Excel workbook.")
        remedy = _("Open it in Excel or WPS and save it as .xlsx again.")
        raise FileError([Problem(filename, None, "", str(error)[:120], what, remedy)]) from error


def refuse_bombs(content: bytes, filename: str) -> None:
    """Refuse a workbook that would fill the memory: unpacked too large, or a value in a far corner of a sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.getinfo("xl/workbook.xml")  # an .xlsx, not another thing in a zip file
        if sum(item.file_size for item in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise FileError([Problem(filename, None, "", "", _("The file is too large when unpacked."))])
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and (far := _FAR_CELL.search(archive.read(name))):
                what = _("This cell lies beyond %(rows)d rows or column CZ.") % {"rows": MAX_ROWS}
                remedy = _("Delete the rows and columns that do not belong to the table.")
                raise FileError([Problem(filename, None, far[1].decode(), "", what, remedy)])


def decoded(content: bytes) -> str | None:
    """Return the text of a CSV file in UTF-8, UTF-16 with its mark, or GB 18030 (GBK); None if it is none of them."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            found = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in found else found
    return None


def csv_cells(content: bytes, filename: str) -> list[list[Cell]]:
    """Return the cells of a CSV file whose separator is a comma, a tab or a semicolon."""
    found = decoded(content)
    if found is None:
        what = _("The file is neither Excel nor text in UTF-8 or GBK.")
        raise FileError([Problem(filename, None, "", "", what, _("Save it as .xlsx or as CSV UTF-8."))])
    first = found.lstrip().split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    try:
        return list(csv.reader(io.StringIO(found, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        what = _("The quotes or lines of this CSV file are broken.")
        raise FileError(
            [Problem(filename, None, "", str(error), what, _("Save it from Excel or WPS again."))]
        ) from error


def _sheet(
    name: str, grid: list[list[Cell]], problems: list[Problem], warnings: list[Problem], *, named: bool
) -> Sheet | None:
    """Return one sheet under its columns; None for one that is no table of ours."""
    top = next((index for index, cells in enumerate(grid) if any(map(shown, cells))), None)
    if top is None:
        return None
    heading_cells = [shown(cell) for cell in grid[top]]
    table = _table_named(name) or (None if named and _is_guide(name) else _table_of(heading_cells))
    if table is None:
        if not _is_guide(name):
            remedy = _("Name the sheet as in the template, or start from the template.")
            warnings.append(
                Problem(name, None, "", "", _("This sheet is no table known here; it is left out."), remedy)
            )
        return None
    columns = _columns(table, name, top, heading_cells, problems, warnings)
    sheet = Sheet(table, name, {column.name: heading_cells[index] for index, column in columns.items()})
    for number, cells in enumerate(grid[top + 1 :], start=top + 2):
        values = {
            column.name: cells[index] for index, column in columns.items() if index < len(cells) and shown(cells[index])
        }
        first = next((shown(cell) for cell in cells if shown(cell)), "")
        if values and not first.startswith(SKIPPED):
            sheet.rows.append(Row(name, number, values))
    return sheet


def _is_guide(name: str) -> bool:
    return name.strip().lower() in {"说明", "instructions", "选项", "options"}


def _table_named(name: str) -> Table | None:
    wanted = folded(name)
    return next((table for table in TABLES if wanted in (table.name, folded(table.zh), folded(table.en))), None)


def _table_of(headings: list[str]) -> Table | None:
    """Return the table that the headings fit best: all of its required key, and the most columns."""
    found = []
    for table in TABLES:
        names = {table.by_heading[folded(text)].name for text in headings if folded(text) in table.by_heading}
        if names.issuperset(name for name in table.key if table.by_name[name].required):
            unknown = sum(bool(text) and folded(text) not in table.by_heading for text in headings)
            found.append((unknown, -len(names), table))
    found.sort(key=lambda item: item[:2])
    return found[0][2] if found else None


def _columns(
    table: Table, sheet: str, top: int, headings: list[str], problems: list[Problem], warnings: list[Problem]
) -> dict[int, Column]:
    """Return the columns by position, and note what is wrong with the headings."""
    columns: dict[int, Column] = {}
    for index, heading in enumerate(headings):
        column = table.by_heading.get(folded(heading))
        if not heading:
            continue
        if column is None:
            known = ", ".join(item.label for item in table.columns)
            what = _("This heading is not known; the column is left out.")
            warnings.append(Problem(sheet, top + 1, heading, "", what, _("Known are: %(names)s.") % {"names": known}))
        elif column in columns.values():
            what = _("Two columns have this heading.")
            problems.append(Problem(sheet, top + 1, heading, "", what, _("Remove one of them.")))
        else:
            columns[index] = column
    present = {column.name for column in columns.values()}
    for column in table.columns:
        if column.required and column.name not in present:
            what = _("This column is missing.")
            remedy = _("Add a column with this heading, or start from the template.")
            problems.append(Problem(sheet, top + 1, column.label, "", what, remedy))
    return columns
