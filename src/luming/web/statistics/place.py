"""Statistics of one place: chosen factors, measure and period as chart and table, and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import xlsxwriter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.registry.models import Place
from luming.telemetry.statistics import reading, words
from luming.telemetry.statistics.models import Statistic
from luming.web import words as names
from luming.web.access import needs
from luming.web.statistics import looking
from luming.web.statistics.looking import Cell, Column, Look

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def visible(request: HttpRequest, pk: int) -> Place:
    """Return a place in the user's scope, else there is none."""
    rows = Place.objects.visible_to(request.user).select_related("region", "station", "outlet__facility")
    return get_object_or_404(rows, pk=pk)


@needs("data.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the statistics of a place."""
    place = visible(request, pk)
    look = looking.read(request.GET, place, timezone.now())
    columns = [looking.cells(place, look, column) for column in look.columns]
    every = [cell for column in columns for cell in column]
    values: dict[str, Any] = {
        "place": place,
        "look": look,
        "rows": looking.table(look.kind, columns),
        "chart": [_drawn(column, cells) for column, cells in zip(look.columns, columns, strict=True)],
        "invalid": sum(not cell.valid for cell in every),
        "unverified": any(not cell.verified for cell in every),
        "changed": sum(cell.changed for cell in every),
        "total": len(every),
    }
    return render(request, "web/statistics/place.html", values)


def _drawn(column: Column, cells: Sequence[Cell]) -> dict[str, Any]:
    """Return what the chart draws of a column: start, value, whether valid, number and required number of values."""
    points = [[cell.ms, cell.value, cell.valid, cell.count, cell.required, cell.statistic] for cell in cells]
    return {"name": column.name, "measure": str(column.label), "unit": column.unit, "points": points}


@needs("data.view")
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Return what the page shows, with all that stands behind each figure, as CSV or Excel."""
    place = visible(request, pk)
    look = looking.read(request.GET, place, timezone.now())
    kind = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    lines = [_head(), *_lines(place, look)]
    audit.record(request.user, "statistics.export", place, format=kind, rows=len(lines) - 1, kind=look.kind)
    content = _excel(lines) if kind == "xlsx" else _csv(lines)
    name = f"{place.code}-{_('statistics')}-{look.kind}-{look.first_day}-{look.last_day}.{kind}"
    media = EXCEL if kind == "xlsx" else "text/csv; charset=utf-8"
    return HttpResponse(
        content, content_type=media, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )


def _head() -> list[Any]:
    return [
        _("Start"), _("Factor"), _("Code"), _("Measure"), _("Period"), _("Value"), _("Rounded"), _("Unit"), _("Valid"),
        _("Reason"), _("Count"), _("Required"), _("Expected"), _("Substituted"), _("Source"), _("Method"),
        _("Standard edition"), _("Verified"), _("Revision"), _("Computed at"), _("Digest of the inputs"),
    ]  # fmt: skip


def _lines(place: Place, look: Look) -> Iterator[list[Any]]:
    for column in look.columns:
        factor = column.subject.factor
        if (look.kind, column.measure) == (words.HOUR, words.MEAN):
            for cell in looking.cells(place, look, column):
                yield [
                    cell.start, column.name, factor, str(column.label), str(dict(words.KINDS)[look.kind]), cell.value,
                    cell.value, column.unit, cell.valid, str(cell.reason), cell.count, cell.required, 1,
                    cell.substituted, "", "", "", cell.verified, cell.revision, None, "",
                ]  # fmt: skip
            continue
        rows = reading.latest(
            [place.pk], column.measure, look.kind, look.start, look.end, factors=[factor], as_of=look.as_of
        )
        yield from (_line(row) for row in rows if row.method != "none")


def _line(row: Statistic) -> list[Any]:
    return [
        row.start, names.factor_name(row.factor), row.factor, row.get_measure_display(), row.get_kind_display(),
        row.value, row.rounded, row.unit or "", row.valid, str(words.reason(row.reason)), row.count, row.required,
        row.expected, row.substituted, row.get_source_display(), str(words.method(row.method)), row.edition,
        row.verified, row.revision,
        row.computed_at, row.digest,
    ]  # fmt: skip


def _csv(lines: Iterable[Sequence[Any]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerows([_text(cell) for cell in line] for line in lines)
    return file.getvalue().encode("utf-8-sig")  # Excel takes the file for UTF-8 only with this mark


def _text(cell: Any) -> Any:
    if isinstance(cell, bool):
        return _("Yes") if cell else _("No")
    return timezone.localtime(cell).isoformat() if isinstance(cell, datetime) else cell


def _excel(lines: Sequence[Sequence[Any]]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "remove_timezone": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(_("Statistics")[:31])
    head = book.add_format({"bold": True, "bottom": 1})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for number, line in enumerate(lines):
        for index, cell in enumerate(line):
            if isinstance(cell, datetime):
                sheet.write_datetime(number, index, timezone.localtime(cell).replace(tzinfo=None), moment)
            elif cell is not None:
                sheet.write(number, index, _text(cell), head if number == 0 else None)
    sheet.set_column(0, 0, 17)
    sheet.set_column(1, len(lines[0]) - 1, 12)
    sheet.freeze_panes(1, 2)
    book.close()
    return file.getvalue()
