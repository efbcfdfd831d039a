"""Verifying a sheet from outside: no sign-in, the code alone; never kept by browsers, proxies or search engines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from luming.telemetry.evidence import checking, codes, documents
from luming.telemetry.evidence.models import EvidenceSheet
from luming.web.access import public
from luming.web.evidence import printing, showing
from luming.web.outside import copies
from luming.web.outside.public import shell


@public
def form(request: HttpRequest) -> HttpResponse:
    """Ask for the code of a sheet."""
    text = request.GET.get("code", "").strip()
    if code := codes.read(text):
        language = request.GET.get("lang", "")
        query = f"?lang={language}" if language in copies.LANGUAGES else ""
        return redirect(reverse("verify-sheet", args=[code]) + query)
    return _page(request, "web/evidence/verify.html", {"text": text, "wrong": bool(text)}, reverse("verify"))


@public
def result(request: HttpRequest, code: str) -> HttpResponse:
    """Say of a code whether a sheet was issued, what about, and whether the stored data gives it still."""
    if (wait := copies.over_limit(request)) is not None:
        return _too_many(request, wait)
    known = codes.read(code)
    sheet = EvidenceSheet.objects.select_related("place").filter(code=known).first() if known else None
    address = reverse("verify-sheet", args=[known or code])
    if sheet is None:
        return _page(request, "web/evidence/verify.html", {"text": code, "unknown": True}, address, status=404)
    language = language_of(request)
    with translation.override(copies.LANGUAGES[language]):
        outcome = checking.check(sheet)
        found = documents.find(sheet.kind, sheet.key)
        values = {
            "sheet": sheet,
            "outcome": outcome,
            "subject": None if found is None else showing.subject(found),
            "kind": showing.KINDS[sheet.kind],
            "parts": [printing.PARTS[name] for name in outcome.parts],
            "issued": showing.moment(sheet.issued_at),
        }
    return _page(request, "web/evidence/verified.html", values, address)


def language_of(request: HttpRequest) -> str:
    """Return zh or en: as the address asks, else as the browser does; Chinese comes first."""
    asked = request.GET.get("lang", "")
    if asked in copies.LANGUAGES:
        return asked
    wanted = request.headers.get("Accept-Language", "").lower()
    return "en" if "en" in wanted and "zh" not in wanted else "zh"


def _page(
    request: HttpRequest, template: str, values: Mapping[str, Any], address: str, *, status: int = 200
) -> HttpResponse:
    language = language_of(request)
    with translation.override(copies.LANGUAGES[language]):
        other = f"{address}?lang={'zh' if language == 'en' else 'en'}"
        response = render(request, template, {**values, **shell(language, other), "robots": "noindex"}, status=status)
    return _uncached(response, language)


def _too_many(request: HttpRequest, wait: int) -> HttpResponse:
    language = language_of(request)
    with translation.override(copies.LANGUAGES[language]):
        text = _("Too many requests from your address. Try again in a minute.")
    response = HttpResponse(f"{text}\n", status=429, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(wait)
    return _uncached(response, language)


def _uncached(response: HttpResponse, language: str) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Content-Language"] = copies.LANGUAGES[language]
    response["Referrer-Policy"] = "no-referrer"  # the code is in the address
    return response
