"""The page on which a register's records are imported: template, check, list of what is wrong, apply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from luming.core import manifest, work
from luming.core.models import Task
from luming.core.registers import Register
from luming.web import uploads
from luming.web.access import signed_in
from luming.web.registers import access, importing

SHOWN = 200  # problems, and rows of each outcome
WORK = "register-import"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@signed_in
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Take a file and say what importing it would do; with ``apply`` do it; with ``errors`` give what is wrong."""
    register = access.found(request, key)
    importing.require(request.user, register)
    if request.method == "GET" and "template" in request.GET:
        return _file(importing.template(register, request.user), EXCEL, f"{register.key}-template.xlsx")
    action = request.POST.get("action", "check") if request.method == "POST" else ""
    if action == "check":
        return _checked(request, register)
    if action:
        return _kept(request, register, action)
    return _page(request, register)


def _page(request: HttpRequest, register: Register, **values: Any) -> HttpResponse:
    columns = [(column, importing.explained(column)) for column in importing.import_columns(register)]
    values |= {"register": register, "columns": columns, "suffixes": ",".join(uploads.SUFFIXES), "shown": f":{SHOWN}"}
    return render(request, "web/registers/import.html", values)


def _checked(request: HttpRequest, register: Register) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        return _page(request, register, refusal=_("Choose a file first."))
    if refusal := uploads.refusal(file.name, file.size):
        return _page(request, register, refusal=refusal)
    content = file.read()
    report = importing.run(request.user, register, content, file.name)
    token = uploads.keep(request.user, file.name, content) if report.problems or report.is_change else ""
    return _page(request, register, report=report, filename=file.name, token=token)


def _kept(request: HttpRequest, register: Register, action: str) -> HttpResponse:
    """Go on with a checked file."""
    token = request.POST.get("token", "")
    kept = uploads.kept(request.user, token)
    if kept is None:
        messages.error(request, _("The checked file is no longer there; choose it again."))
        return redirect("register-import", register.key)
    path, filename = kept
    if action == "errors":
        report = importing.run(request.user, register, path.read_bytes(), filename)
        text = importing.problems_csv(report.problems)
        return _file(text.encode(), "text/csv; charset=utf-8", f"{register.key}-errors.csv")
    reason = request.POST.get("reason", "").strip()
    if request.POST.get("large") == "1":
        return _begun(request, register, token, reason)
    report = importing.run(request.user, register, path.read_bytes(), filename, reason=reason, apply=True)
    if report.applied:
        path.unlink()
        counts = {"new": len(report.new), "changed": len(report.changed)}
        messages.success(request, _("Imported: %(new)d new records, %(changed)d changed ones.") % counts)
        return redirect("register", register.key)
    return _page(request, register, report=report, filename=filename, token=token)


def _begun(request: HttpRequest, register: Register, token: str, reason: str) -> HttpResponse:
    """Hand a large file to the worker."""
    title = _("Import into %(register)s") % {"register": register.title}
    try:
        work.start(request.user, WORK, title, register=register.key, token=token, reason=reason)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The import has begun; it goes on when you leave, and you find it in your tasks."))
    return redirect("register", register.key)


def run(task: Task, progress: work.Progress) -> None:
    """Import a large file in the worker; when anything is wrong nothing is imported, and the result lists it."""
    register = manifest.register(task.parameters["register"])
    kept = uploads.kept(task.owner, task.parameters["token"])
    if register is None or kept is None:
        raise ValidationError(_("The checked file is no longer there; choose it again."))
    path, filename = kept
    reason, content = task.parameters["reason"], path.read_bytes()
    report = importing.run(task.owner, register, content, filename, reason=reason, apply=True, progress=_step(task))
    if not report.applied and report.problems:
        progress.keep(f"{register.key}-errors.csv", importing.problems_csv(report.problems).encode())
        task.message = _("Nothing was imported; the result lists what is wrong.")
        return
    path.unlink()
    counts = {"new": len(report.new), "changed": len(report.changed)}
    task.message = _("Imported: %(new)d new records, %(changed)d changed ones.") % counts


def _step(task: Task) -> Callable[[int, int], None]:
    """Return what ends the import when its owner has cancelled it.

    All rows are one transaction, so that nothing it writes about its progress can be seen before the end.
    """

    def step(done: int, total: int) -> None:
        if done % 500 == 0 and Task.objects.get(pk=task.pk).state == Task.State.CANCELLED:
            raise work.CancelledError

    return step


def _file(content: bytes, kind: str, filename: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(content, content_type=kind, headers=headers)
