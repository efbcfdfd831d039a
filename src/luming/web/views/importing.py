"""Import of places from a file: check it, look at what would happen, apply it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.registry import importing
from luming.registry.problems import Problem, Report
from luming.web import uploads
from luming.web.access import needs

PROBLEMS_SHOWN = 200
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@needs("place.import")
def page(request: HttpRequest) -> HttpResponse:
    """Take a file and say what importing it would do."""
    values: dict[str, object] = {"tables": importing.TABLES, "suffixes": ",".join(uploads.SUFFIXES)}
    if request.method == "POST":
        file = request.FILES.get("file")
        problem = uploads.refusal(file.name, file.size) if file else _("Choose a file first.")
        if problem:
            values["refusal"] = problem
        else:
            content = file.read()
            report = importing.import_places(request.user, content, dry_run=True, filename=file.name)
            values |= _shown(report) | {"filename": file.name}
            if report.problems or report.is_change:
                values["token"] = uploads.keep(request.user, file.name, content)
    return render(request, "web/import.html", values)


@needs("place.import")
@require_POST
def apply(request: HttpRequest) -> HttpResponse:
    """Import a checked file."""
    kept = _kept(request)
    if kept is None:
        return _gone(request)
    path, filename = kept
    reason = request.POST.get("reason", "").strip()
    report = importing.import_places(request.user, path, filename=filename, reason=reason)
    if report.applied:
        path.unlink()
        messages.success(request, _("The file is imported."))
        return redirect("places")
    values = _shown(report) | {"filename": filename, "token": request.POST["token"]}
    return render(
        request, "web/import.html", values | {"tables": importing.TABLES, "suffixes": ",".join(uploads.SUFFIXES)}
    )


@needs("place.import")
@require_POST
def errors(request: HttpRequest) -> HttpResponse:
    """Give all problems of a checked file as CSV."""
    kept = _kept(request)
    if kept is None:
        return _gone(request)
    path, filename = kept
    report = importing.import_places(request.user, path, dry_run=True, filename=filename)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_("Sheet"), _("Row"), _("Column"), _("Value"), _("What is wrong"), _("What to do")])
    writer.writerows(_cells(problem) for problem in report.problems)
    return _attachment("\ufeff" + text.getvalue(), "text/csv; charset=utf-8", "luming-import-errors.csv")


@needs("place.import")
def template(request: HttpRequest) -> HttpResponse:
    """Give the workbook to fill in."""
    return _attachment(importing.template(), EXCEL, "luming-import.xlsx")


def _shown(report: Report) -> dict[str, object]:
    labels = {table.name: table.label for table in importing.TABLES}
    rows = [(labels.get(name, name), counts) for name, counts in report.tables.items()]
    return {"report": report, "rows": rows, "problems": report.problems[:PROBLEMS_SHOWN]}


def _cells(problem: Problem) -> list[object]:
    values = [problem.sheet, problem.row or "", problem.column, problem.value, problem.what, problem.remedy]
    # A cell that begins like a formula would be run by the spreadsheet that opens the list.
    return [f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t") else value for value in values]


def _attachment(content: str | bytes, kind: str, filename: str) -> HttpResponse:
    return HttpResponse(
        content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{filename}"'}
    )


def _kept(request: HttpRequest) -> tuple[Path, str] | None:
    return uploads.kept(request.user, request.POST.get("token", ""))


def _gone(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("The checked file is no longer there; choose it again."))
    return redirect("import")
