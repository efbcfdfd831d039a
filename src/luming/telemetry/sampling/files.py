"""Results by Excel or CSV: the template holds the samples that wait; a file with a wrong row is not imported at all.

The columns: sample number, factor (code or name), result (``40``, ``<0.025``, ``0.025L``, ``ND``), unit, detection
limit, method, analyst, instrument, time of analysis, reason of a correction.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from zipfile import BadZipFile

import xlsxwriter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from python_calamine import CalamineError, CalamineWorkbook

from luming.core.models import User
from luming.hj212 import FACTORS
from luming.hj212.factors import canonical_code
from luming.registry import units as registry_units
from luming.registry.importing import cells, reading
from luming.registry.importing.tables import folded
from luming.registry.problems import FileError, Problem
from luming.standards import sampling as table
from luming.standards.edition import city_day
from luming.telemetry.sampling import actions, rules, steps
from luming.telemetry.sampling.models import Sample, SampleResult
from luming.telemetry.sampling.rules import Entry

MOST_ROWS = 5000
COLUMNS: dict[str, Any] = {
    "sample": gettext_lazy("Sample number"),
    "factor": gettext_lazy("Factor"),
    "value": gettext_lazy("Result"),
    "unit": gettext_lazy("Unit"),
    "detection_limit": gettext_lazy("Detection limit"),
    "method": gettext_lazy("Method"),
    "analyst": gettext_lazy("Analyst"),
    "instrument": gettext_lazy("Instrument"),
    "analysed_at": gettext_lazy("Analysed at"),
    "reason": gettext_lazy("Reason"),
}
_NEEDED = ("sample", "factor", "value", "analysed_at")
# What laboratories write over these columns besides our own words.
_ALSO: dict[str, tuple[str, ...]] = {
    "sample": ("样品号", "样品编码"),
    "factor": ("监测项目", "项目", "因子编码"),
    "value": ("监测结果", "测定值", "数值"),
    "method": ("方法", "方法标准"),
    "analyst": ("分析人", "检测人"),
    "instrument": ("仪器", "仪器设备"),
    "analysed_at": ("测定时间", "检测时间"),
    "reason": ("更正原因",),
}
_LESS = re.compile(r"(?:<|＜)\s*([\d.]+(?:e-?\d+)?)|([\d.]+(?:e-?\d+)?)\s*L", re.IGNORECASE)
_NOT_DETECTED = frozenset({"nd", "n.d.", "未检出", "not detected", "<dl"})


@dataclass(slots=True)
class Report:
    """What a file does, or would do."""

    entries: list[Entry] = field(default_factory=list)
    new: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    applied: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A result as written: a value, or that it is below a detection limit."""

    value: float | None
    below: bool = False
    limit: float | None = None


def figure(text: Any) -> Figure:
    """Read a result as laboratories write it.

    Raises
    ------
    luming.registry.importing.cells.CellError
        It is neither a number nor a way to say that nothing was detected.

    >>> figure("0.025L"), figure("<4").limit, figure("ND").below, figure(40).value
    (Figure(value=None, below=True, limit=0.025), 4.0, True, 40.0)
    """
    shown = cells.shown(text)
    if shown.lower() in _NOT_DETECTED:
        return Figure(None, True)
    if less := _LESS.fullmatch(shown):
        return Figure(None, True, cells.number(less[1] or less[2]))
    return Figure(cells.number(text))


def waiting(user: User) -> list[tuple[Sample, str, SampleResult | None]]:
    """Return what has no result yet or a returned one: sample, factor, and the returned revision; two queries."""
    samples = (
        Sample.objects.visible_to(user)
        .filter(state__in=steps.ANALYSABLE - {Sample.State.DISPOSED})
        .select_related("place")
        .order_by("taken_to", "number")
    )
    held = {
        (row.sample_id, row.factor): row
        for row in SampleResult.objects.filter(sample__in=samples.order_by().values("pk"))
        .latest()
        .select_related("review")
    }
    found = []
    for sample in samples:
        for factor in sample.factors:
            latest = held.get((sample.pk, factor))
            if latest is None or getattr(getattr(latest, "review", None), "decision", "") == "returned":
                found.append((sample, factor, latest))
    return found


def template(user: User) -> bytes:
    """Return the workbook to fill in, with a row for each result that is missing."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    head = book.add_format({"bold": True, "bg_color": "#dcecea", "border": 1})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(_("Results"))
    for index, (name, label) in enumerate(COLUMNS.items()):
        sheet.write_string(0, index, f"{label}*" if name in _NEEDED else str(label), head)
        sheet.set_column(index, index, 30 if name == "sample" else 18, text)
    for number, (sample, factor, _latest) in enumerate(waiting(user)[:MOST_ROWS], start=1):
        method = next(
            iter(table.methods(sample.place.medium, factor, city_day(sample.taken_to or sample.due_on))), None
        )
        values = {
            "sample": sample.number, "factor": factor, "unit": registry_units.default(factor, sample.place.medium),
            "method": method.edition if method else "",
            "detection_limit": f"{method.detection_limit:g}" if method and method.detection_limit else "",
        }  # fmt: skip
        for index, name in enumerate(COLUMNS):
            sheet.write_string(number, index, values.get(name, ""), text)
    sheet.freeze_panes(1, 0)
    book.close()
    return file.getvalue()


def run(user: User, content: bytes, filename: str, *, apply: bool = False) -> Report:
    """Read a file of results, and enter them when ``apply`` is set and nothing is wrong.

    Without ``apply`` everything is done and taken back, so that all that the verb would say is said.
    """
    report = Report()
    try:
        rows = _rows(content, filename)
    except FileError as error:
        report.problems = error.problems
        return report
    entries, numbers = _entries(user, rows, filename, report.problems)
    report.entries = entries
    try:
        with transaction.atomic():
            made = actions.enter_results(user, entries)
            if not apply or report.problems:
                transaction.set_rollback(True)
    except ValidationError as error:
        report.problems += _said(error, numbers, filename)
        return report
    report.new, report.unchanged = len(made), len(entries) - len(made)
    report.applied = apply and not report.problems
    return report


def _rows(content: bytes, filename: str) -> list[tuple[int, dict[str, Any]]]:
    """Return the rows of the file by column; raises FileError with all that is wrong with its headings."""
    grid = _grid(content, filename)
    top = next((index for index, row in enumerate(grid) if any(map(cells.shown, row))), None)
    if top is None:
        raise FileError([Problem(filename, None, "", "", _("The file is empty."))])
    names = {spelling: name for name in COLUMNS for spelling in _spellings(name)}
    headings = {index: cells.shown(cell) for index, cell in enumerate(grid[top]) if cells.shown(cell)}
    columns = {index: names[folded(text)] for index, text in headings.items() if folded(text) in names}
    if strange := [text for index, text in headings.items() if index not in columns]:
        remedy = _("Known are: %(names)s.") % {"names": ", ".join(map(str, COLUMNS.values()))}
        what = _("This heading is not known.")
        raise FileError([Problem(filename, top + 1, text, "", what, remedy) for text in strange])
    missing = [name for name in _NEEDED if name not in columns.values()]
    if missing:
        remedy = _("Add a column with this heading, or start from the template.")
        raise FileError(
            [
                Problem(filename, top + 1, str(COLUMNS[name]), "", _("This column is missing."), remedy)
                for name in missing
            ]
        )
    rows = []
    for number, row in enumerate(grid[top + 1 :], start=top + 2):
        values = {columns[index]: cell for index, cell in enumerate(row) if index in columns and cells.shown(cell)}
        if "value" in values:  # a row of the template that nobody filled in says nothing
            rows.append((number, values))
    if len(rows) > MOST_ROWS:
        raise FileError([Problem(filename, None, "", "", _("The file has too many rows."))])
    return rows


def _grid(content: bytes, filename: str) -> list[list[Any]]:
    if content[:2] != b"PK" and content[:4] != b"\xd0\xcf\x11\xe0":
        return reading.csv_cells(content, PurePath(filename).name)
    try:
        if content[:2] == b"PK":
            reading.refuse_bombs(content, filename)
        return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    except (CalamineError, BadZipFile, KeyError, OSError, IndexError) as error:
        what = _("The file is damaged or is no Excel workbook.")
        remedy = _("Open it in Excel or WPS and save it as .xlsx again.")
        raise FileError([Problem(filename, None, "", "", what, remedy)]) from error


def _spellings(name: str) -> set[str]:
    found = {folded(name), *map(folded, _ALSO.get(name, ()))}
    for language in ("zh-hans", "en"):
        with translation.override(language):
            found.add(folded(str(COLUMNS[name])))
    return found


def _entries(
    user: User, rows: Sequence[tuple[int, dict[str, Any]]], filename: str, problems: list[Problem]
) -> tuple[list[Entry], list[int]]:
    """Return the entries that can be understood with their row numbers; what is wrong is added to ``problems``."""
    wanted = {cells.shown(values.get("sample")) for _number, values in rows}
    samples = {
        row.number: row for row in Sample.objects.visible_to(user).filter(number__in=wanted).select_related("place")
    }
    entries, numbers, seen = [], [], set()
    for number, values in rows:
        before = len(problems)
        read = {name: _cell(name, values.get(name), filename, number, problems) for name in COLUMNS}
        sample = samples.get(cells.shown(values.get("sample")))
        if sample is None:
            what = _("There is no sample with this number.")
            problems.append(Problem(filename, number, str(COLUMNS["sample"]), cells.shown(values.get("sample")), what))
        elif (key := (sample.pk, read["factor"])) in seen:
            problems.append(Problem(filename, number, "", "", _("This sample and factor stand in the file twice.")))
        else:
            seen.add(key)
        if len(problems) == before and sample is not None:
            entries.append(_entry(sample, read))
            numbers.append(number)
    return entries, numbers


def _cell(name: str, cell: Any, filename: str, number: int, problems: list[Problem]) -> Any:
    try:
        return _PARSERS.get(name, cells.text)(cell) if cells.shown(cell) else _empty(name)
    except cells.CellError as error:
        problems.append(Problem(filename, number, str(COLUMNS[name]), cells.shown(cell), error.what, error.remedy))
        return None


def _empty(name: str) -> Any:
    if name in _NEEDED:
        raise cells.CellError(_("This cell is empty."), _("Fill it in."))
    return None if name in ("detection_limit", "unit") else ""


def factor_code(cell: Any) -> str:
    """Return the code of a factor written as its code, its short name or its name in either language."""
    text = cells.shown(cell)
    found = canonical_code(text) or _names().get(text.lower())
    if found is None or not rules.known_factor(found):
        raise cells.CellError(_("There is no such factor."), _("Write its code, such as w01018."))
    return found


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for factor in FACTORS.values():
        for text in (factor.name_zh, factor.name_en):
            names.setdefault(text.lower(), factor.code)
    return names


_PARSERS = {
    "factor": factor_code, "value": figure, "detection_limit": cells.number, "analysed_at": cells.instant,
}  # fmt: skip


def _entry(sample: Sample, read: dict[str, Any]) -> Entry:
    result: Figure = read["value"]
    unit = read["unit"]
    if unit is None:
        unit = registry_units.default(read["factor"], sample.place.medium)
    known = registry_units.known(unit)
    limit = result.limit if result.limit is not None else read["detection_limit"]
    unit = unit if known is None else known
    return Entry(
        sample, read["factor"], result.value, unit, read["analysed_at"], result.below, limit,
        read["method"], read["analyst"], read["instrument"], read["reason"],
    )  # fmt: skip


def _said(error: ValidationError, numbers: Sequence[int], filename: str) -> list[Problem]:
    """Return what the verb says of entries as problems of rows."""
    found = []
    for key, texts in error.message_dict.items():
        position, _dot, name = key.partition(".")
        number = numbers[int(position)] if position.isdigit() else None
        found += [Problem(filename, number, str(COLUMNS.get(name, "")), "", text) for text in texts]
    return sorted(found, key=lambda problem: problem.row or 0)
