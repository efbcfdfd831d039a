"""Evidence sheets: issue one, look at it again, print it, list them."""

from __future__ import annotations

from urllib.parse import quote

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.telemetry.evidence import actions, checking, codes, documents
from luming.telemetry.evidence.lineage import JUDGEMENT, PACKET, STATISTIC
from luming.telemetry.evidence.models import EvidenceSheet
from luming.web.access import needs
from luming.web.evidence import printing, showing

PER_PAGE = 50


@needs("evidence.issue")
def listing(request: HttpRequest) -> HttpResponse:
    """List the sheets that were issued, newest first; ``?q=`` finds one by its code."""
    rows = EvidenceSheet.objects.visible_to(request.user).select_related("place", "issued_by")
    text = request.GET.get("q", "").strip()
    if text:
        rows = rows.filter(code=codes.read(text))
    page = Paginator(rows.defer("document"), PER_PAGE).get_page(request.GET.get("page"))
    for row in page:
        row.kind_word, row.about = showing.KINDS[row.kind], row.place.name if row.place is not None else ""
    return render(request, "web/evidence/sheets.html", {"page": page, "q": text})


@needs("evidence.issue")
@require_POST
def issue(request: HttpRequest) -> HttpResponse:
    """Issue a sheet about a figure and show it."""
    post = request.POST
    try:
        sheet = actions.issue_sheet(request.user, post.get("kind", ""), post.get("key", ""), post.get("purpose", ""))
    except (ValidationError, PermissionDenied, ValueError) as error:
        messages.error(request, " ".join(getattr(error, "messages", [str(error)])))
        back = post.get("next", "")
        allowed = url_has_allowed_host_and_scheme(back, {request.get_host()})
        return redirect(back if allowed else "evidence-sheets")
    messages.success(request, _("The sheet is issued."))
    return redirect("evidence-sheet", sheet.code)


def _sheet(request: HttpRequest, code: str) -> EvidenceSheet:
    rows = EvidenceSheet.objects.visible_to(request.user).select_related("place", "issued_by")
    return get_object_or_404(rows, code=codes.read(code) or "-")


@needs("evidence.issue")
def page(request: HttpRequest, code: str) -> HttpResponse:
    """Show a sheet: its hashes, whether the stored data still gives it, and the way to print it."""
    sheet = _sheet(request, code)
    outcome = checking.check(sheet)
    found = documents.find(sheet.kind, sheet.key)
    values = {
        "sheet": sheet,
        "outcome": outcome,
        "subject": None if found is None else showing.subject(found),
        "kind": showing.KINDS[sheet.kind],
        "parts": [printing.PARTS[name] for name in outcome.parts],
        "chain_url": chain_url(sheet),
    }
    return render(request, "web/evidence/sheet.html", values)


def chain_url(sheet: EvidenceSheet) -> str:
    """Return the page of evidence of a sheet's subject."""
    if sheet.kind in (JUDGEMENT, STATISTIC, PACKET):
        return reverse(f"evidence-{sheet.kind}", args=[int(sheet.key)])
    return reverse("evidence-value", args=[int(part) for part in sheet.key.split("/")])


@needs("evidence.issue")
def pdf(request: HttpRequest, code: str) -> HttpResponse:
    """Give a sheet as PDF, in Chinese."""
    sheet = _sheet(request, code)
    address = request.build_absolute_uri(reverse("verify-sheet", args=[sheet.code]))
    response = HttpResponse(printing.make(sheet, address), content_type="application/pdf")
    response["Content-Disposition"] = f"inline; filename*=UTF-8''{quote('证据单-' + sheet.grouped)}.pdf"
    response["Cache-Control"] = "private, no-store"
    return response


@needs("evidence.issue")
def document(request: HttpRequest, code: str) -> HttpResponse:
    """Give the very bytes that the hashes of a sheet are over."""
    sheet = _sheet(request, code)
    response = HttpResponse(bytes(sheet.document), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="evidence-{sheet.code}.json"'
    response["Cache-Control"] = "private, no-store"
    return response
