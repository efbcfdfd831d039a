"""Files, notes and tags of a record: small parts of pages that answer with themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from luming.core import annotations, audit, manifest
from luming.core.models import Attachment, Note, Tag, User
from luming.core.registers import Register
from luming.web.access import needs, signed_in
from luming.web.registers import access, record_parts

# Shown by the browser itself; all other kinds are only ever saved.
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp", "image/gif"})
# Nothing in a file may run, load or frame anything. The browser's own reader of PDF does not work in a sandbox.
NOTHING = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def record_of(register: Register, user: User, pk: str) -> Any:
    """Return a record in the user's scope, with what its columns need; else there is none."""
    try:
        return get_object_or_404(access.rows(register, user), pk=pk)
    except (ValueError, ValidationError, OverflowError) as error:  # no key at all
        raise Http404 from error


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def documents(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Show the files of a record, or keep new ones with it; each file succeeds or is refused by itself."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    problems = []
    if request.method == "POST":
        audit.require(request.user, annotations.PERMISSION)
        category = request.POST.get("category", Attachment.Category.DOCUMENT)
        chosen = request.FILES.getlist("file")
        if not chosen:
            problems.append(_("Choose a file first."))
        for file in chosen:
            try:
                annotations.attach(request.user, register, record, file, category)
            except ValidationError as error:
                problems += error.messages
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"problems": problems})
        if not request.htmx:
            return _back(request, register, record, problems)
    return _part(request, "documents", register, record, record_parts.documents, problems=problems)


@signed_in
@require_GET
def download(request: HttpRequest, pk: int) -> FileResponse:
    """Give a file to those who may see its record."""
    row, _register, _record = _found(request, pk)
    if row.removed_at is not None:
        raise Http404
    inline = request.GET.get("inline") == "1" and row.media_type in SHOWN
    try:
        response = FileResponse(row.file.open("rb"), content_type=row.media_type)
    except FileNotFoundError as error:
        raise Http404(_("The file is not on the disk of this installation any more.")) from error
    how = "inline" if inline else "attachment"
    response["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(row.name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = NOTHING if row.media_type == "application/pdf" else f"sandbox; {NOTHING}"
    response["Cache-Control"] = "private, no-store"
    return response


@needs("record.annotate")
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file away; it can be brought back."""
    row, register, record = _found(request, pk)
    annotations.remove_attachment(request.user, register, record, row)
    return _changed(request, "documents", register, record, record_parts.documents)


@needs("record.annotate")
@require_POST
def bring_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a removed file back."""
    row, register, record = _found(request, pk)
    annotations.restore_attachment(request.user, register, record, row)
    return _changed(request, "documents", register, record, record_parts.documents)


@needs("record.annotate")
@require_POST
def write_note(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Write a note on a record."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    text, problem = request.POST.get("text", ""), ""
    try:
        annotations.write_note(request.user, register, record, text)
    except ValidationError as error:
        problem = " ".join(error.messages)
    more = {"problem": problem, "typed": text if problem else ""}
    return _changed(request, "notes", register, record, record_parts.notes, problem, **more)


@needs("record.annotate")
@require_POST
def remove_note(request: HttpRequest, key: str, pk: str, note: int) -> HttpResponse:
    """Take back a note of one's own."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    own = get_object_or_404(annotations.notes(request.user, register, record.pk).filter(author=request.user), pk=note)
    try:
        annotations.remove_note(request.user, register, record, own)
    except Note.DoesNotExist as error:  # in another window, a moment ago
        raise Http404 from error
    return _changed(request, "notes", register, record, record_parts.notes)


@needs("record.annotate")
@require_POST
def tag(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Mark a record with a word."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    problem = ""
    try:
        annotations.tag(request.user, register, record, request.POST.get("name", ""), request.POST.get("colour", ""))
    except ValidationError as error:
        problem = " ".join(error.messages)
    return _changed(request, "tags", register, record, record_parts.tags, problem, problem=problem)


@needs("record.annotate")
@require_POST
def untag(request: HttpRequest, key: str, pk: str, tag: int) -> HttpResponse:
    """Take a word away from a record."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    annotations.untag(request.user, register, record, get_object_or_404(Tag, pk=tag))
    return _changed(request, "tags", register, record, record_parts.tags)


def _found(request: HttpRequest, pk: int) -> tuple[Attachment, Register, Any]:
    """Return a file with its register and record, if the user may see the record; else there is none."""
    row = get_object_or_404(Attachment, pk=pk)
    register = next((entry for entry in manifest.registers() if entry.object_type == row.object_type), None)
    if register is None:
        raise Http404
    access.require(request.user, register)
    record = record_of(register, request.user, row.object_id)
    return get_object_or_404(annotations.attachments(request.user, register, record.pk), pk=pk), register, record


def _part(request: HttpRequest, name: str, register: Register, record: Any, part: Any, **more: Any) -> HttpResponse:
    values: Mapping[str, Any] = record_parts.base(request.user, register, record)
    parts = dict(values) | part(request.user, register, record, **more)
    return render(request, f"web/registers/record_{name}.html", {"parts": parts})


def _changed(
    request: HttpRequest, name: str, register: Register, record: Any, part: Any, said: str = "", **more: Any
) -> HttpResponse:
    """Answer with the changed part, or without scripts with the page that it stands in."""
    if request.htmx:
        return _part(request, name, register, record, part, **more)
    return _back(request, register, record, [said] if said else [])


def _back(request: HttpRequest, register: Register, record: Any, problems: list[str]) -> HttpResponse:
    for problem in problems:
        messages.error(request, problem)
    return redirect(record_parts.entry_address(register, record))
