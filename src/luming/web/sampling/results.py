"""Results of samples: the table in which they are typed, and their import from Excel or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from luming.registry import units as registry_units
from luming.registry.importing import cells
from luming.standards import sampling as tables
from luming.telemetry.sampling import actions, files, words
from luming.telemetry.sampling.models import Sample, SampleResult
from luming.telemetry.sampling.rules import Entry
from luming.web import uploads
from luming.web.access import needs
from luming.web.registers import importing as register_importing
from luming.web.sampling import desk

SHOWN = 200
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHARED = ("analyst", "instrument", "analysed_at")  # typed once for all rows


@needs("sample.result")
def table(request: HttpRequest) -> HttpResponse:
    """Show a row for each result that is missing, and enter those that are filled in: all of them or none."""
    chosen, every = _rows(request)
    shared = {
        "analyst": request.POST.get("analyst", ""),
        "instrument": request.POST.get("instrument", ""),
        "analysed_at": request.POST.get("analysed_at") or f"{desk.local_now():%Y-%m-%dT%H:%M}",
    }
    problems: dict[str, str] = {}
    if request.method == "POST":
        made, problems = _enter(request, chosen, shared)
        if made is not None:
            messages.success(request, _("Results entered: %(count)d. Another person reviews them.") % {"count": made})
            return redirect(request.get_full_path())
    factors = dict.fromkeys(factor for _sample, factor, _latest in every)
    values = {
        "rows": chosen,
        "shared": shared,
        "shared_problems": {name: problems[name] for name in (*SHARED, "all") if name in problems},
        "factors": [(code, words.factor_name(code)) for code in factors],
        "factor": request.GET.get("factor", ""),
        "sample": request.GET.get("sample", ""),
        "more": max(0, len(every) - len(chosen)) if not request.GET else 0,
        "units": sorted(registry_units.UNITS),
        "failed": bool(problems),
    }
    return render(request, "web/sampling/results.html", values)


def _rows(request: HttpRequest) -> tuple[list[dict[str, Any]], list[tuple[Sample, str, SampleResult | None]]]:
    """Return the rows of the table, and everything that waits."""
    every = files.waiting(request.user)
    factor, sample = request.GET.get("factor", ""), request.GET.get("sample", "")
    wanted = [item for item in every if factor in ("", item[1]) and sample in ("", str(item[0].pk))]
    if sample.isdigit() and not any(str(item[0].pk) == sample for item in every):
        wanted = _corrections(request, int(sample))
    return [_row(request.POST, *item) for item in wanted[:SHOWN]], every


def _corrections(request: HttpRequest, pk: int) -> list[tuple[Sample, str, SampleResult | None]]:
    """Return the rows of a sample that has all its results, to correct them."""
    sample = Sample.objects.visible_to(request.user).filter(pk=pk).select_related("place").first()
    if sample is None:
        return []
    held = SampleResult.objects.filter(sample=sample).latest().select_related("review")
    return [(sample, row.factor, row) for row in held.order_by("factor")]


def _row(typed: Mapping[str, str], sample: Sample, factor: str, latest: SampleResult | None) -> dict[str, Any]:
    """Return a row with what was typed, else with what is usual."""
    key = f"{sample.pk}-{factor}"
    method = next(iter(tables.methods(sample.place.medium, factor, sample.due_on)), None)
    limit = "" if method is None or method.detection_limit is None else f"{method.detection_limit:g}"
    row = {
        "key": key,
        "sample": sample,
        "factor": factor,
        "name": words.factor_name(factor),
        "latest": latest,
        "review": getattr(latest, "review", None),
        "known_methods": [item.edition for item in tables.methods(sample.place.medium, factor, sample.due_on)],
        "problems": [],
    }
    usual = {
        "value": "",
        "unit": registry_units.default(factor, sample.place.medium),
        "limit": limit,
        "method": method.edition if method else "",
        "reason": "",
    }
    for name, value in usual.items():
        row[name] = typed.get(f"{name}-{key}", value)
    row["withdraw"] = f"withdraw-{key}" in typed
    row["wrong"] = {}
    return row


def _enter(
    request: HttpRequest, rows: list[dict[str, Any]], shared: Mapping[str, str]
) -> tuple[int | None, dict[str, str]]:
    """Enter the rows that are filled in; return how many, or what is wrong beside the rows."""
    filled = [row for row in rows if str(row["value"]).strip() or row["withdraw"]]
    if not filled:
        return None, {"all": _("Fill in at least one result.")}
    try:
        analysed_at = cells.instant(shared["analysed_at"].replace("T", " "))
    except cells.CellError as error:
        return None, {"analysed_at": error.what}
    entries, wrong = [], False
    for row in filled:
        try:
            entries.append(_entry(row, shared, analysed_at))
        except cells.CellError as error:
            row["problems"], row["wrong"], wrong = [f"{error.what} {error.remedy}"], {"value": True}, True
    if wrong:
        return None, {"all": _("Nothing was entered yet: mend the marked rows.")}
    try:
        return len(actions.enter_results(request.user, entries)), {}
    except ValidationError as error:
        found: dict[str, str] = {}
        for name, texts in error.message_dict.items():
            position, _dot, field = name.partition(".")
            if field in SHARED:
                found[field] = texts[0]
            elif position.isdigit():
                filled[int(position)]["problems"] += texts
                filled[int(position)]["wrong"][{"detection_limit": "limit"}.get(field, field)] = True
        return None, found | {"all": _("Nothing was entered yet: mend the marked rows.")}


def _entry(row: Mapping[str, Any], shared: Mapping[str, str], analysed_at: Any) -> Entry:
    withdrawn = row["withdraw"]
    figure = files.Figure(None) if withdrawn else files.figure(row["value"])
    limit = figure.limit if figure.limit is not None else (cells.number(row["limit"]) if row["limit"].strip() else None)
    unit = registry_units.known(row["unit"])
    return Entry(
        row["sample"], row["factor"], figure.value, row["unit"] if unit is None else unit, analysed_at, figure.below,
        limit, row["method"].strip(), shared["analyst"].strip(), shared["instrument"].strip(), row["reason"].strip(),
        withdrawn,
    )  # fmt: skip


@needs("sample.result")
def importing(request: HttpRequest) -> HttpResponse:
    """Give the template, check a file, list what is wrong with it, enter its results."""
    if request.method == "GET" and "template" in request.GET:
        return _file(files.template(request.user), EXCEL, "luming-results.xlsx")
    values: dict[str, Any] = {"suffixes": ",".join(uploads.SUFFIXES), "columns": list(files.COLUMNS.values())}
    if request.method == "POST":
        action = request.POST.get("action", "check")
        if action == "check":
            values |= _checked(request)
        else:
            kept = uploads.kept(request.user, request.POST.get("token", ""))
            if kept is None:
                messages.error(request, _("The checked file is no longer there; choose it again."))
                return redirect("sample-results-import")
            path, filename = kept
            report = files.run(request.user, path.read_bytes(), filename, apply=action == "apply")
            if action == "errors":
                text = register_importing.problems_csv(report.problems)
                return _file(text.encode(), "text/csv; charset=utf-8", "luming-results-errors.csv")
            if report.applied:
                path.unlink()
                text = _("Results entered: %(count)d. Another person reviews them.") % {"count": report.new}
                messages.success(request, text)
                return redirect("sampling")
            values |= {"report": report, "filename": filename, "token": request.POST["token"]}
    return render(request, "web/sampling/import.html", values | {"shown": f":{SHOWN}"})


def _checked(request: HttpRequest) -> dict[str, Any]:
    file = request.FILES.get("file")
    refusal = uploads.refusal(file.name, file.size) if file else _("Choose a file first.")
    if refusal:
        return {"refusal": refusal}
    content = file.read()
    report = files.run(request.user, content, file.name)
    token = uploads.keep(request.user, file.name, content) if report.problems or report.new else ""
    return {"report": report, "filename": file.name, "token": token}


def _file(content: bytes, kind: str, filename: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
