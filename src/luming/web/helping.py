"""The help of a page, from docs/: which page of the documentation belongs to which page of the product.

``docs/help/<name>.<language>.md`` are short and in both languages; a register names its own page (``Register.help``),
in Chinese under ``docs/zh/`` where that has been written. Everything is rendered as Markdown without HTML.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

import luming
from luming.core import installation, manifest
from luming.web import words
from luming.web.access import signed_in

# Name of an address -> page of docs/help/. What is not named has the page of the list or of home by its beginning.
PAGES = {
    "home": "home",
    "places": "list",
    "registers": "list",
    "register": "list",
    "record": "record",
    "facility": "facility",
    "place": "place",
    "value": "place",
    "judgement": "place",
    "region": "facility",
    "regions": "facility",
    "packets": "packet",
    "packet": "packet",
    "problems": "packet",
    "devices": "device",
    "device": "device",
    "device-command": "device",
    "device-health-list": "upkeep",
    "device-health": "upkeep",
    "device-calibrate": "upkeep",
    "device-maintain": "upkeep",
    "maintainers": "upkeep",
    "review-queue": "review",
    "review-day": "review",
    "review-signature": "review",
    "statistics": "statistics",
    "statistics-rates": "statistics",
    "statistic": "statistics",
    "place-statistics": "statistics",
    "evidence-judgement": "evidence",
    "evidence-statistic": "evidence",
    "evidence-value": "evidence",
    "evidence-packet": "evidence",
    "evidence-sheets": "evidence",
    "evidence-sheet": "evidence",
    "evidence-days": "evidence",
    "marks": "marks",
    "mark": "marks",
    "mark-outlet": "marks",
    "mark-figures": "marks",
    "unregistered": "device",
    "adopt": "device",
    "map": "map",
    "map-inside": "map",
    "wall": "cockpit",
    "register-import": "import",
    "judgements": "list",
    "completeness": "list",
    "cockpit": "cockpit",
    "search": "search",
    "import": "import",
    "portal": "portal",
    "portal-section": "portal",
    "portal-item": "portal",
    "account": "account",
    "password": "account",
    "second-factor-codes": "account",
    "second-factor-remove": "account",
    "users": "people",
    "user-new": "people",
    "roles": "people",
    "role": "people",
    "audit": "people",
    "setup": "setup",
    "setup-stations": "setup",
    "setup-gateway": "setup",
    "setup-backup": "setup",
    "setup-summary": "setup",
    "system": "health",
    "quality": "quality",
    "quality-check": "quality",
    "quality-configure": "quality",
    "quality-end": "quality",
    "quality-again": "quality",
    "suspicions": "quality",
    "suspicion": "quality",
    "sampling": "sampling",
    "sampling-plan": "sampling",
    "sampling-plan-new": "sampling",
    "sampling-plan-edit": "sampling",
    "sample": "sampling",
    "sample-new": "sampling",
    "sample-take": "sampling",
    "sample-custody": "sampling",
    "sample-results": "sampling",
    "sample-results-import": "sampling",
    "sample-review": "sampling",
    "sample-comparisons": "sampling",
}
DEFAULT = "home"
TITLES = {
    "home": _("Home"),
    "list": _("Lists and registers"),
    "record": _("A record"),
    "facility": _("One enterprise, one file"),
    "place": _("A station or an outlet"),
    "packet": _("Packets"),
    "quality": _("Data quality"),
    "device": _("Devices"),
    "upkeep": _("Upkeep of devices"),
    "marks": _("Marks of periods"),
    "map": _("One map"),
    "cockpit": _("Cockpit"),
    "review": _("Reviewing data"),
    "search": _("Search"),
    "import": _("Import"),
    "portal": _("Enterprises' portal"),
    "public": _("Public site"),
    "setup": _("Setting up"),
    "health": _("Health of the installation"),
    "account": _("My account"),
    "people": _("Accounts, roles, audit trail"),
    "sampling": _("Sampling"),
    "evidence": _("Origin of figures and evidence sheets"),
    "statistics": _("Statistics"),
}
_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*\Z")


def folder() -> Path | None:
    """Return the folder of the documentation: of the wheel, else of the checkout; None where neither has it."""
    for found in (Path(luming.__file__).parent / "docs", installation.CHECKOUT / "docs"):
        if found.is_dir():
            return found
    return None


def page_of(request: HttpRequest) -> str:
    """Return the help page that belongs to the opened page."""
    match = request.resolver_match
    name = match.url_name if match else ""
    if match and name == "register":
        register = manifest.register(match.kwargs.get("key", ""))
        if register is not None and register.help and (found := source(register.help)) and _is_ours(found):
            return register.help
    return f"help/{PAGES.get(name or '', DEFAULT)}"


def _is_ours(path: Path) -> bool:
    """Tell whether a page is in the reader's language; a Chinese reader is better served by a general Chinese one."""
    return not words.chinese() or path.name.endswith(".zh.md") or "zh" in path.parts


def source(name: str) -> Path | None:
    """Return the file of a help page in the reader's language, in the other one where it has only that."""
    base = folder()
    if base is None or not _NAME.match(name):
        return None
    chinese, english = base / f"{name}.zh.md", base / f"{name}.en.md"
    order = [chinese, base / "zh" / f"{name}.md", base / f"{name}.md", english]
    if not words.chinese():
        order = [english, base / f"{name}.md", chinese]
    return next((path for path in order if path.is_file()), None)


@signed_in
def view(request: HttpRequest, name: str) -> HttpResponse:
    """Show a help page: in the panel beside the page, or as a page of its own."""
    found = source(name)
    if found is None and folder() is not None:
        raise Http404
    values: dict[str, Any] = {
        "html": rendered(found, name) if found else "",
        "pages": [(f"help/{key}", title) for key, title in TITLES.items()],
        "name": name,
    }
    template = "web/help/part.html" if request.headers.get("HX-Request") else "web/help/page.html"
    return render(request, template, values)


def rendered(path: Path, name: str) -> SafeString:
    """Return a help page as HTML."""
    return _rendered(path, path.stat().st_mtime_ns, name)


@lru_cache(maxsize=128)
def _rendered(path: Path, _modified: int, name: str) -> SafeString:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(path.read_text(encoding="utf-8"))
    _lead_inside(tokens, name)
    html = parser.renderer.render(tokens, parser.options, {})
    # Safe: the parser escapes HTML of the source and refuses addresses that run scripts.
    return mark_safe(html.replace("<table>", '<table class="table table-sm">'))


def _lead_inside(tokens: list[Token], name: str) -> None:
    """Let links to other pages of docs/ open their help pages; pictures of docs/ become their words."""
    for token in tokens:
        for child in token.children or []:
            if child.type == "image":
                child.type, child.tag, child.content, child.children = "text", "", child.content, None
            elif child.type == "link_open":
                child.attrSet("href", _address(str(child.attrGet("href") or ""), name))


def _address(target: str, name: str) -> str:
    if "://" in target or target.startswith(("/", "#", "mailto:")):
        return target
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target.partition("#")[0]))
    path = re.sub(r"(\.(zh|en))?\.md$", "", path).removeprefix("zh/")
    return reverse("help", args=[path]) if _NAME.match(path) else "#"
