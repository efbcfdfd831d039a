"""The public site: composed of the sections of all manifests, the same for everyone, made without a request."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from luming import __version__
from luming.core import manifest
from luming.registry import city
from luming.web.access import public
from luming.web.context import installation_labels
from luming.web.outside import copies
from luming.web.outside.copies import LANGUAGES, Copy


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the site's navigation."""

    label: Any
    url: str
    icon: str
    active: bool


@public
def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the site in the visitor's language: Chinese unless the browser asks for English and not for Chinese."""
    asked = request.headers.get("Accept-Language", "").lower()
    chinese, english = re.search(r"\bzh", asked), re.search(r"\ben", asked)
    language = "en" if english and not chinese else "zh"
    response = redirect("public-front", language)
    response.headers["Cache-Control"] = f"public, max-age={copies.FRESH}"
    response.headers["Vary"] = "Accept-Language"
    return response


@public
def front(request: HttpRequest, language: str) -> HttpResponse:
    """Show every section that has something to show."""

    def make() -> Copy:
        shown = []
        for section in manifest.public_sections():
            values = section.context()
            if values is not None and section.template:
                inside = {**values, "section": section, "lang": language, "LANGUAGE_CODE": LANGUAGES[language]}
                shown.append((section, render_to_string(section.template, inside), url_of(section, language)))
        return _page(language, "web/outside/public_front.html", {"shown": shown}, reverse_to="public-front")

    return copies.answer(request, language, make)


@public
def section_page(request: HttpRequest, language: str, key: str, item: str = "") -> HttpResponse:
    """Show the page of a section, or of a thing in it."""
    section = _section(key)

    def make() -> Copy:
        values = section.page(item) if section.page else None
        if values is None:
            raise Http404
        name, arguments = ("public-item", [key, item]) if item else ("public-section", [key])
        values = {**values, "section": section, "item": item}
        return _page(language, section.page_template, values, key, reverse_to=name, arguments=arguments)

    return copies.answer(request, language, make)


@public
def download(request: HttpRequest, language: str, key: str, item: str) -> HttpResponse:
    """Return what is published as a CSV file."""
    section = _section(key)

    def make() -> Copy:
        found = section.download(item) if section.download else None
        if found is None:
            raise Http404
        name, rows = found
        text = io.StringIO("\ufeff")  # Excel takes the file for UTF-8 only with this mark
        text.seek(1)
        csv.writer(text).writerows(rows)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return Copy(text.getvalue().encode(), "text/csv; charset=utf-8", headers)

    return copies.answer(request, language, make)


def _section(key: str) -> manifest.Section:
    found = next((row for row in manifest.public_sections() if row.key == key and (row.page or row.download)), None)
    if found is None:
        raise Http404
    return found


def url_of(section: manifest.Section, language: str) -> str:
    """Return the address of a section's own page, empty when it has none."""
    if section.page:
        return reverse("public-section", args=[language, section.key])
    if section.url_name:
        try:
            return reverse(section.url_name, args=[language])
        except NoReverseMatch:  # a page that this installation does not serve
            return ""
    return ""


def _page(
    language: str,
    template: str,
    values: Mapping[str, Any],
    active: str = "",
    *,
    reverse_to: str,
    arguments: list[str] | None = None,
) -> Copy:
    """Render a page of the site with its shell."""
    other = "zh" if language == "en" else "en"
    frame = shell(language, reverse(reverse_to, args=[other, *(arguments or [])]), active)
    return Copy(render_to_string(template, {**values, **frame}).encode())


def shell(language: str, other_url: str, active: str = "-") -> dict[str, Any]:
    """Return what the site's base template needs; ``active`` is the key of the section shown, empty for the front."""
    profile = city.profile()
    entries = [Entry(None, reverse("public-front", args=[language]), "home", not active)]
    entries += [
        Entry(section.label, url, section.icon, section.key == active)
        for section in manifest.public_sections()
        if (url := url_of(section, language))
    ]
    return {
        "LANGUAGE_CODE": translation.get_language(),
        "lang": language,
        "other_url": other_url,
        "entries": entries,
        "city": profile.text("name"),
        "bureau": profile.text("bureau"),
        "labels": installation_labels(),
        "version": __version__,
    }
