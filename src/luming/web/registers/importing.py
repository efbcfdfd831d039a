"""Import of a register from a file: everything wrong is said at once, and the same file twice changes nothing.

Rows are recognised by the register's natural key. Columns that are absent and cells that are empty leave what is
there. What is new or different goes through the verbs of :mod:`luming.core.records`, all in one transaction.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zipfile import BadZipFile

import xlsxwriter
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from luming.core import audit, manifest, records
from luming.core.models import User
from luming.core.registers import Register
from luming.registry.importing import cells, reading
from luming.registry.importing.tables import folded
from luming.registry.models import Region
from luming.registry.problems import FileError, Problem
from luming.web.registers import access
from luming.web.registers.filters import related

REHEARSED = 2_000  # changes; more of them are checked field by field first, and applied as long work


@dataclass(frozen=True)
class ImportColumn:
    """A column of the file: a field that may be written."""

    name: str
    field: models.Field[Any, Any]
    required: bool
    is_key: bool

    @property
    def label(self) -> str:
        """Return the heading in the reader's language."""
        return str(self.field.verbose_name)

    @property
    def headings(self) -> list[str]:
        """Return the ways to write the heading: the name of the field, and its label in every language."""
        found = [self.name, self.label]
        for language in ("zh-hans", "en"):
            with translation.override(language):
                found.append(str(self.field.verbose_name))
        return list(dict.fromkeys(found))


@dataclass(slots=True)
class Change:
    """What a row does to its record."""

    row: int
    values: dict[str, Any]
    record: Any = None  # None: a new one
    differences: list[tuple[str, str, str]] = field(default_factory=list)  # heading, from, to
    name: str = ""


@dataclass(slots=True)
class Report:
    """What a file does, or would do."""

    new: list[Change] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    applied: bool = False

    @property
    def size(self) -> int:
        """Return how many records would be made or changed."""
        return len(self.new) + len(self.changed)

    @property
    def is_large(self) -> bool:
        """Tell whether applying it takes so long that it is done as long work."""
        return self.size > REHEARSED

    @property
    def is_change(self) -> bool:
        """Tell whether anything is new or different."""
        return self.size > 0


def require(user: User, register: Register) -> None:
    """Let the user import or raise ``PermissionDenied`` with a sentence."""
    audit.require(user, register.edit)
    if not register.natural_key:
        raise PermissionDenied(_("Records of this register have nothing to be recognised by; they are not imported."))


def import_columns(register: Register) -> list[ImportColumn]:
    """Return what a file may hold, the natural key first."""
    editable = records.editable_fields(register)
    names = [*register.natural_key, *(name for group in records.groups(register) for name in group.fields)]
    return [
        ImportColumn(
            name,
            editable[name],
            (name in register.natural_key and not editable[name].null)
            or not (editable[name].blank or editable[name].has_default()),
            name in register.natural_key,
        )
        for name in dict.fromkeys(names)
        if name in editable and not isinstance(editable[name], models.FileField)
    ]


def run(
    user: User,
    register: Register,
    content: bytes,
    filename: str,
    *,
    reason: str = "",
    apply: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Say what a file does to a register, and do it when ``apply`` is set and nothing is wrong.

    Up to ``REHEARSED`` changes are rehearsed: the verbs run and everything is taken back, so that what only they find
    wrong (a rule over several fields, a name that is taken) is said at once too.
    """
    require(user, register)
    try:
        grid = _grid(content, filename)
        columns, rows, warnings = _rows(register, grid, filename)
    except FileError as error:
        return Report(problems=error.problems)
    with transaction.atomic():
        report = _plan(user, register, columns, rows, filename)
        report.warnings = warnings
        if not report.problems and report.is_change and (apply or report.size <= REHEARSED):
            _apply(user, register, report, columns, filename, reason, progress)
            report.applied = apply and not report.problems
            if not report.applied:
                transaction.set_rollback(True)
    return report


# ---- reading --------------------------------------------------------------------------------------------------------


def _grid(content: bytes, filename: str) -> list[list[Any]]:
    """Return the cells of the first sheet of a workbook, or of a CSV file."""
    if not content:
        raise FileError([Problem(filename, None, "", "", _("The file is empty."))])
    if content[:2] == b"PK" or content[:4] == b"\xd0\xcf\x11\xe0":
        try:
            if content[:2] == b"PK":
                reading.refuse_bombs(content, filename)
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            return book.get_sheet_by_index(0).to_python(skip_empty_area=False)
        except (CalamineError, BadZipFile, KeyError, OSError) as error:
            what = _("The file is damaged or is no Excel workbook.")
            remedy = _("Open it in Excel or WPS and save it as .xlsx again.")
            raise FileError([Problem(filename, None, "", str(error)[:120], what, remedy)]) from error
    return reading.csv_cells(content, filename)


Row = tuple[int, dict[str, Any]]  # number in the spreadsheet, cells by field


def _rows(
    register: Register, grid: list[list[Any]], filename: str
) -> tuple[list[ImportColumn], list[Row], list[Problem]]:
    """Return the columns that the file has and its rows under them."""
    known = import_columns(register)
    by_heading = {folded(heading): column for column in known for heading in column.headings}
    top = next((index for index, line in enumerate(grid) if any(map(cells.shown, line))), None)
    if top is None:
        raise FileError([Problem(filename, None, "", "", _("The file is empty."))])
    present: dict[int, ImportColumn] = {}
    problems, warnings = [], []
    for index, heading in enumerate(map(cells.shown, grid[top])):
        column = by_heading.get(folded(heading)) if heading else None
        if heading and column is None:
            names = ", ".join(item.label for item in known)
            what = _("This heading is not known; the column is left out.")
            remedy = _("Known are: %(names)s.") % {"names": names}
            warnings.append(Problem(filename, top + 1, heading, "", what, remedy))
        elif column is not None and column in present.values():
            what = _("Two columns have this heading.")
            problems.append(Problem(filename, top + 1, heading, "", what, _("Remove one of them.")))
        elif column is not None:
            present[index] = column
    for column in known:
        if column.is_key and column.required and column not in present.values():
            what, remedy = _("This column is missing."), _("Start from the template.")
            problems.append(Problem(filename, top + 1, column.label, "", what, remedy))
    rows: list[Row] = []
    for number, line in enumerate(grid[top + 1 :], start=top + 2):
        values = {column.name: line[at] for at, column in present.items() if at < len(line) and cells.shown(line[at])}
        if values and not cells.shown(next(iter(values.values()))).startswith(reading.SKIPPED):
            rows.append((number, values))
    if len(rows) > reading.MAX_ROWS:
        remedy = _("Split it into files of at most %(rows)d rows.") % {"rows": reading.MAX_ROWS}
        problems.append(Problem(filename, None, "", "", _("The file has too many rows."), remedy))
    if problems:
        raise FileError(problems)
    return list(present.values()), rows, warnings


# ---- planning -------------------------------------------------------------------------------------------------------


def _plan(
    user: User, register: Register, columns: Sequence[ImportColumn], rows: Sequence[Row], filename: str
) -> Report:
    """Compare each row with the record of its key; nothing is written."""
    report = Report()
    parsers = {column.name: parser_of(column.field, user) for column in columns}
    labels = {column.name: column.label for column in columns}
    editable = records.editable_fields(register)
    seen: dict[tuple[Any, ...], int] = {}
    parsed: list[tuple[int, tuple[Any, ...], dict[str, Any]]] = []
    for number, line in rows:
        values, wrong = {}, False
        for name, cell in line.items():
            try:
                values[name] = parsers[name](cell)
            except cells.CellError as error:
                wrong = True
                at = (filename, number, labels[name], cells.shown(cell))
                report.problems.append(Problem(*at, error.what, error.remedy))
        for name in register.natural_key:
            if name not in line and editable[name].null:
                values[name] = None  # the key may hold nothing there
            elif name not in line:
                wrong = True
                report.problems.append(Problem(filename, number, labels[name], "", _("This cell is empty."),
                                               _("It identifies the record: fill it in.")))  # fmt: skip
        if wrong:
            continue
        key = tuple(_key_part(values[name]) for name in register.natural_key)
        if key in seen:
            what = _("Row %(row)d has the same key.") % {"row": seen[key]}
            first = register.natural_key[0]
            report.problems.append(Problem(filename, number, labels[first], cells.shown(line[first]), what,
                                           _("Remove one of the two.")))  # fmt: skip
            continue
        seen[key] = number
        parsed.append((number, key, values))
    present = _present(user, register, columns, parsed)
    for number, key, values in parsed:
        _compare(report, register, columns, number, values, present.get(key), filename)
    return report


def _key_part(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def _present(
    user: User, register: Register, columns: Sequence[ImportColumn], parsed: Sequence[tuple[int, tuple[Any, ...], Any]]
) -> dict[Any, Any]:
    """Return the user's records that rows name, by natural key; asked for in portions, by the first part of the key."""
    first = register.natural_key[0]
    wanted = sorted({key[0] for _number, key, _values in parsed}, key=str)
    attnames = [records.editable_fields(register)[name].attname for name in register.natural_key]
    found = {}
    compared = {column.name for column in columns if column.field.is_relation}
    visible = access.rows(register, user)
    if relations := sorted({*register.select, *compared}):
        visible = visible.select_related(*relations)
    for begin in range(0, len(wanted), 1000):
        for record in visible.filter(**{f"{first}__in": wanted[begin : begin + 1000]}):
            found[tuple(getattr(record, name) for name in attnames)] = record
    return found


def _compare(
    report: Report, register: Register, columns: Sequence[ImportColumn], number: int, values: dict[str, Any],
    record: Any, filename: str,
) -> None:  # fmt: skip
    """Enter a row as new, changed or unchanged; check what it would leave behind."""
    labels = {column.name: column.label for column in columns}
    if record is None:
        missing = [column for column in import_columns(register) if column.required and column.name not in values]
        for column in missing:
            what, remedy = _("A new record needs this field."), _("Fill it in.")
            report.problems.append(Problem(filename, number, column.label, "", what, remedy))
        if not register.add:
            what = _("There is no such record, and records of this register are not made by hand.")
            report.problems.append(Problem(filename, number, "", "", what))
        if missing or not register.add:
            return
        change = Change(number, values, name=_name(values, register))
        if _is_well(report, register, register.model(**values), change, labels, filename, new=True):
            report.new.append(change)
        return
    differing = {name: value for name, value in values.items() if getattr(record, name) != value}
    if not differing:
        report.unchanged += 1
        return
    if fixed := set(differing) & records.fixed_fields(register):
        for name in sorted(fixed):
            what = _("This is set once and cannot be changed.")
            report.problems.append(Problem(filename, number, labels[name], _written(differing[name]), what))
        return
    change = Change(number, differing, record, name=str(record))
    change.differences = [
        (labels[name], _written(getattr(record, name)), _written(new)) for name, new in differing.items()
    ]
    before = {name: getattr(record, name) for name in differing}
    for name, value in differing.items():
        setattr(record, name, value)
    if _is_well(report, register, record, change, labels, filename, new=False):
        report.changed.append(change)
    for name, value in before.items():
        setattr(record, name, value)


def _name(values: Mapping[str, Any], register: Register) -> str:
    parts = [values.get(name) for name in dict.fromkeys([*register.search[:1], *register.natural_key])]
    return " · ".join(_written(part) for part in parts if part not in (None, ""))


def _is_well(
    report: Report,
    register: Register,
    record: Any,
    change: Change,
    labels: Mapping[str, str],
    filename: str,
    *,
    new: bool,
) -> bool:
    """Check the fields that the row sets by the model's own rules; the verbs check the rest when applying."""
    try:
        record.clean_fields(exclude={column.name for column in record._meta.fields} - set(change.values))
    except ValidationError as error:
        for name, texts in error.message_dict.items():
            for text in texts:
                at = (filename, change.row, labels.get(name, name), _written(change.values.get(name)))
                report.problems.append(Problem(*at, text))
        return False
    return True


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    return str(value)


# ---- applying -------------------------------------------------------------------------------------------------------


def _apply(
    user: User,
    register: Register,
    report: Report,
    columns: Sequence[ImportColumn],
    filename: str,
    reason: str,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Run the verb of every row; what the verbs refuse is a problem of its row, and all of them are collected."""
    labels = {column.name: column.label for column in columns}
    for done, change in enumerate([*report.new, *report.changed]):
        if progress is not None:
            progress(done, report.size)
        try:
            with transaction.atomic():
                if change.record is None:
                    records.create(user, register, change.values, reason)
                else:
                    records.change(user, register, change.record, change.values, reason)
        except ValidationError as error:
            named = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            for name, texts in named.items():
                heading = labels.get(name, "")
                value = _written(change.values.get(name))
                report.problems += [Problem(filename, change.row, heading, value, text) for text in texts]
        except ObjectDoesNotExist:
            what = _("This lies outside your data scope.")
            report.problems.append(Problem(filename, change.row, "", change.name, what))
    if not report.problems:
        facts = {"file": filename, "new": len(report.new), "changed": len(report.changed)}
        audit.record(user, f"{register.key}.import", user, reason=reason, register=register.key, **facts)


# ---- cells ----------------------------------------------------------------------------------------------------------

Parser = Callable[[Any], Any]


def parser_of(column: models.Field[Any, Any], user: User) -> Parser:
    """Return what reads the cells of a field; raises ``CellError`` with what is wrong and what to do."""
    if column.choices:
        return cells.choice(_spellings(column))
    match column:
        case models.ForeignKey():
            return _Finder(column.related_model, user)
        case models.BooleanField():
            return cells.truth
        case models.DateTimeField():
            return cells.instant
        case models.DateField():
            return cells.day
        case models.IntegerField():
            return cells.whole
        case models.DecimalField():
            return lambda cell: round(Decimal(str(cells.number(cell))), column.decimal_places)
        case models.FloatField():
            return cells.number
        case models.JSONField():
            return cells.words
    return cells.text


def _spellings(column: models.Field[Any, Any]) -> dict[Any, tuple[str, ...]]:
    """Return the values of a choice with their names in every language, the reader's first."""
    found: dict[Any, list[str]] = {
        value: [str(label)] for value, label in column.flatchoices if value not in ("", None)
    }
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for value, label in column.flatchoices:
                if value in found:
                    found[value].append(str(label))
    return {value: tuple(dict.fromkeys(labels)) for value, labels in found.items()}


class _Finder:
    """Finds a related record in the user's scope by what a person would write: a code, a name, both for a division."""

    def __init__(self, target: type[models.Model], user: User) -> None:
        self.rows, self.known = related(target, user), dict[str, Any]()
        unique = [
            item.name
            for item in target._meta.fields
            if isinstance(item, models.CharField) and (item.unique or item.primary_key)
        ]
        register = manifest.register_of(target)
        titles = list(register.search[:1]) if register is not None else ["name"] if _has(target, "name") else []
        self.ways = list(dict.fromkeys([*unique, *titles]))
        self.division = target is Region

    def __call__(self, cell: Any) -> Any:
        """Return the record that a cell names."""
        text = cells.text(cell)
        if text not in self.known:
            self.known[text] = self._find(text)
        found = self.known[text]
        if isinstance(found, cells.CellError):
            raise found
        return found

    def _find(self, text: str) -> Any:
        for way in self.ways:
            found = list(self.rows.filter(**{way: text})[:2])
            if len(found) == 1:
                return found[0]
            if found:
                what = _("Several records have this name.")
                return cells.CellError(what, _("Write the code instead."))
        if self.division and " " in text:
            return self._find(text.split(maxsplit=1)[0])
        what = _("There is no such record, or it lies outside your data scope.")
        return cells.CellError(what, _("Write its code or its whole name."))


def _has(model: type[models.Model], name: str) -> bool:
    return any(item.name == name for item in model._meta.fields)


# ---- the template ---------------------------------------------------------------------------------------------------


def template(register: Register, user: User) -> bytes:
    """Return the workbook to fill in: headings, choices to pick from, and what each column holds."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet(str(register.title)[:31])
    needed = book.add_format({"bold": True, "bg_color": "#d9efe9", "bottom": 1})
    plain = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    for index, column in enumerate(import_columns(register)):
        is_text = isinstance(column.field, models.CharField | models.ForeignKey) and not column.field.choices
        sheet.set_column(index, index, 18, text if is_text else None)
        sheet.write_string(
            0, index, column.label + (" *" if column.required else ""), needed if column.required else plain
        )
        sheet.write_comment(0, index, explained(column))
        if column.field.choices:
            options = [labels[0] for labels in _spellings(column.field).values()]
            if len(",".join(options)) <= 255:
                sheet.data_validation(1, index, 5000, index, {"validate": "list", "source": options})
    sheet.freeze_panes(1, 0)
    book.close()
    return file.getvalue()


def explained(column: ImportColumn) -> str:
    """Return what a column holds."""
    parts = [_("identifies the record") if column.is_key else _("required") if column.required else ""]
    match column.field:
        case models.Field() if column.field.choices:
            parts.append(
                _("one of: %(names)s") % {"names": ", ".join(item[0] for item in _spellings(column.field).values())}
            )
        case models.ForeignKey():
            parts.append(_("code or name of: %(name)s") % {"name": column.field.related_model._meta.verbose_name})
        case models.BooleanField():
            parts.append(_("yes or no"))
        case models.DateTimeField():
            parts.append(_("such as 2026-03-01 08:00"))
        case models.DateField():
            parts.append(_("such as 2026-03-01"))
        case models.IntegerField():
            parts.append(_("a whole number"))
        case models.FloatField() | models.DecimalField():
            parts.append(_("a number"))
    return "; ".join(part for part in parts if part) or _("text")


def problems_csv(problems: Sequence[Problem]) -> str:
    """Return all problems as CSV that Excel opens with its Chinese intact."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_("Row"), _("Column"), _("Value"), _("What is wrong"), _("What to do")])
    for item in problems:
        line = [item.row or "", item.column, item.value, item.what, item.remedy]
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t") else cell for cell in line]
        )
    return "\ufeff" + text.getvalue()
