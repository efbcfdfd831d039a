"""Export of what a list shows: its visible columns, filters and order, as CSV, Excel, GeoJSON or Parquet."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any
from urllib.parse import quote

import orjson
import polars
import xlsxwriter
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core import audit, manifest, work
from luming.core.models import Task, User
from luming.core.registers import Register
from luming.web.registers import access
from luming.web.registers.columns import ListColumn
from luming.web.registers.listing import Listing

AT_ONCE = 20_000  # rows; more go through long work
CHUNK = 2_000
EXCEL_ROWS = 1_048_575
WORK = "register-export"

Rows = Iterator[tuple[Any, list[Any]]]  # a record and its cells
LABELS = {
    "csv": gettext_lazy("CSV"),
    "xlsx": gettext_lazy("Excel"),
    "geojson": gettext_lazy("GeoJSON"),
    "parquet": gettext_lazy("Parquet"),
}
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}


def formats(register: Register) -> list[tuple[str, Any]]:
    """Return the formats of a register with their names; GeoJSON where records have a position."""
    return [(kind, label) for kind, label in LABELS.items() if kind != "geojson" or register.position]


def filename(register: Register, kind: str) -> str:
    """Return the name of the file: the register and the minute, in the city's time."""
    return f"{register.title}-{timezone.localtime():%Y%m%d-%H%M}.{kind}"


def write(shown: Listing, kind: str, progress: Callable[[int, int], None] | None = None) -> IO[bytes]:
    """Return the file, open at its beginning."""
    columns = [column for column in shown.columns if column.declared.export]
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=8 * 2**20)  # noqa: SIM115 - whoever takes it closes it
    _WRITERS[kind](file, shown.register, columns, _rows(shown, columns, progress))
    file.seek(0)
    return file


def _rows(shown: Listing, columns: Sequence[ListColumn], progress: Callable[[int, int], None] | None) -> Rows:
    total = shown.count if progress else 0
    for number, record in enumerate(shown.ordered.iterator(chunk_size=CHUNK), start=1):
        yield record, [column.plain(record) for column in columns]
        if progress and number % CHUNK == 0:
            progress(number, total)


def _csv(file: IO[bytes], register: Register, columns: Sequence[ListColumn], rows: Rows) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)  # the mark is for Excel
    writer = csv.writer(text)
    writer.writerow([_safe(column.label) for column in columns])
    writer.writerows([_written(cell) for cell in cells] for _record, cells in rows)
    text.detach()


def _written(cell: Any) -> Any:
    match cell:
        case bool():
            return _("Yes") if cell else _("No")
        case datetime():
            return timezone.localtime(cell).strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return cell.isoformat()
        case str():
            return _safe(cell)
    return cell


def _safe(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _excel(file: IO[bytes], register: Register, columns: Sequence[ListColumn], rows: Rows) -> None:
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    try:
        sheet = book.add_worksheet(str(register.title)[:31])
        head = book.add_format({"bold": True, "bottom": 1})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for index, column in enumerate(columns):
            sheet.set_column(index, index, 19 if column.kind == "moment" else max(10, min(2 * len(column.label), 32)))
            sheet.write_string(0, index, column.label, head)
        sheet.freeze_panes(1, 1)
        number = 0
        for number, (_record, cells) in enumerate(rows, start=1):
            if number > EXCEL_ROWS:
                raise ValidationError(_("An Excel sheet holds 1,048,575 rows; export CSV, or narrow the list."))
            for index, cell in enumerate(cells):
                _excel_cell(sheet, number, index, cell, moment)
        sheet.autofilter(0, 0, max(number, 1), max(len(columns) - 1, 0))
    finally:
        book.close()


def _excel_cell(sheet: Any, row: int, column: int, cell: Any, moment: Any) -> None:
    match cell:
        case None | "":
            return
        case bool():
            sheet.write_string(row, column, _("Yes") if cell else _("No"))
        case int() | float() | Decimal():
            sheet.write_number(row, column, cell)
        case datetime():
            sheet.write_datetime(row, column, timezone.localtime(cell).replace(tzinfo=None), moment)
        case date():
            sheet.write_datetime(row, column, cell)
        case _:
            sheet.write_string(row, column, str(cell)[:32767])


def _geojson(file: IO[bytes], register: Register, columns: Sequence[ListColumn], rows: Rows) -> None:
    longitude, latitude = register.position
    names = [column.name for column in columns]
    file.write(b'{"type":"FeatureCollection","features":[')
    for number, (record, cells) in enumerate(rows):
        x, y = getattr(record, longitude), getattr(record, latitude)
        feature = {
            "type": "Feature",
            "id": record.pk,
            "geometry": None if x is None or y is None else {"type": "Point", "coordinates": [float(x), float(y)]},
            "properties": dict(zip(names, cells, strict=True)),
        }
        file.write((b"," if number else b"") + b"\n" + orjson.dumps(feature, default=_jsonable))
    file.write(b"\n]}\n")


def _jsonable(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)


def _parquet(file: IO[bytes], register: Register, columns: Sequence[ListColumn], rows: Rows) -> None:
    cells = [row for _record, row in rows]
    series = [
        polars.Series(column.name, [_of_type(row[index]) for row in cells], dtype=_type(column))
        for index, column in enumerate(columns)
    ]
    polars.DataFrame(series).write_parquet(file)


def _of_type(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        return float(cell)
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell


def _type(column: ListColumn) -> Any:
    if column.declared.render is not None or column.choices:
        return polars.String
    types = {
        "number": polars.Float64,
        "integer": polars.Int64,
        "boolean": polars.Boolean,
        "date": polars.Date,
        "moment": polars.Datetime("us", "UTC"),
    }
    return types.get(column.kind, polars.String)


_WRITERS: dict[str, Callable[[IO[bytes], Register, Sequence[ListColumn], Rows], None]] = {
    "csv": _csv,
    "xlsx": _excel,
    "geojson": _geojson,
    "parquet": _parquet,
}


def attachment(content: IO[bytes], name: str, kind: str) -> HttpResponse:
    """Return a file as an answer."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return HttpResponse(content, content_type=MEDIA_TYPES[kind], headers={"Content-Disposition": disposition})


def note(user: User, shown: Listing, kind: str) -> None:
    """Write down that data left the house: who took what of which register in which format."""
    facts = {"format": kind, "rows": shown.count, "query": shown.state}
    audit.record(user, f"{shown.register.key}.export", user, register=shown.register.key, **facts)


def start(user: User, shown: Listing, kind: str) -> Task:
    """Begin an export that takes a while."""
    title = _("Export of %(register)s (%(rows)s rows)") % {"register": shown.register.title, "rows": f"{shown.count:,}"}
    note(user, shown, kind)
    return work.start(user, WORK, title, register=shown.register.key, query=shown.state, format=kind)


def run(task: Task, progress: work.Progress) -> None:
    """Write a large export in the worker, with what its owner may see by then."""
    register = manifest.register(task.parameters["register"])
    if register is None:
        raise ValidationError(_("There is no register of this name."))
    access.require(task.owner, register)
    shown = Listing(register, task.owner, QueryDict(task.parameters["query"]))
    kind = task.parameters["format"]
    with write(shown, kind, progress) as file:
        progress.keep(filename(register, kind), File(file))
