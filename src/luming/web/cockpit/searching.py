"""The global search: records of all registers, what domains add, pages of the menu, documents and help, by groups."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from luming.core import manifest, search
from luming.core.models import Attachment, User
from luming.core.pieces import haystack_of, lines_of, marked, words_of
from luming.core.registers import Register
from luming.web import helping
from luming.web.context import menu
from luming.web.registers.access import address

_LANGUAGE = re.compile(r"(\.(zh|en))?\.md$")
LONGEST = 200  # characters of a query
Parts = Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the answer: its label and detail in parts, those True are what was typed."""

    label: Parts
    url: str
    detail: Parts = ()
    icon: str = ""


@dataclass(slots=True)
class Results:
    """The results of one kind; ``url`` leads to all of them where there is such a list."""

    key: str
    label: Any
    icon: str
    rows: list[Result] = field(default_factory=list)
    more: bool = False
    url: str = ""


def results(request: HttpRequest, text: str, limit: int) -> list[Results]:
    """Return what the user finds by a text, ``limit`` of each kind."""
    text = text.replace("\0", "")[:LONGEST]
    words = words_of(text)
    if not words:
        return []
    found = [_records(group, words, text) for group in search.find(request.user, text, limit)]
    found += [_added(kind, request.user, text, words, limit) for kind in manifest.searches()]
    found += [_pages(request, words, limit), _documents(request.user, text, words, limit), _help(words, limit)]
    return [group for group in found if group.rows]


def _records(group: search.Group, words: Sequence[str], text: str) -> Results:
    register = group.register
    rows = [
        Result(marked(hit.title, words), address(register, hit.record), marked(" · ".join(hit.texts), words))
        for hit in group.hits
    ]
    url = _list_of(register, text) if group.more else ""
    return Results(register.key, register.title, register.icon, rows, group.more, url)


def _list_of(register: Register, text: str) -> str:
    """Return the address of a register's list, narrowed by the same words."""
    return f"{reverse('register', args=[register.key])}?{urlencode({'q': text})}"


def _added(kind: manifest.Search, user: User, text: str, words: Sequence[str], limit: int) -> Results:
    """Return what a domain finds beside its registers."""
    rows = []
    if user.may(kind.permission):
        rows = [
            Result(marked(str(item.label), words), item.url, marked(str(item.detail), words), item.icon)
            for item in kind.find(user, text, limit)
        ]
    return Results(kind.key, kind.label, kind.icon, rows)


def _pages(request: HttpRequest, words: Sequence[str], limit: int) -> Results:
    """Return pages of the user's menu by their names in both languages."""
    entries = [(entry, group) for group, entries in menu(request) for entry in entries]
    rows = [
        Result(marked(str(entry.label), words), entry.url, ((str(group), False),), entry.icon)
        for entry, group in entries
        if _named([entry.label], words)
    ]
    return Results("pages", _("Pages"), "layout-list", rows[:limit], len(rows) > limit)


def _named(names: Iterable[Any], words: Sequence[str]) -> bool:
    """Tell whether names, in any of the languages, hold every word; they may be lazy translations."""
    written = []
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            written += [str(name) for name in names]
    haystack = haystack_of(lines_of(written))
    return all(("\n" + word if len(word) == 1 and word.isascii() else word) in haystack for word in words)


def _help(words: Sequence[str], limit: int) -> Results:
    """Return help pages by their titles in any language, under the title in the reader's."""
    rows = []
    for name, titles in _titles().items():
        file = helping.source(name) if _named(titles, words) else None
        if file is not None:
            rows.append(Result(marked(_title(file, file.stat().st_mtime_ns), words), reverse("help", args=[name])))
    return Results("help", _("Help"), "help", rows[:limit], len(rows) > limit)


def _titles() -> dict[str, list[str]]:
    """Return the titles of each help page; docs/README.md is no page."""
    found: dict[str, list[str]] = {}
    base = helping.folder()
    for path in sorted(base.rglob("*.md")) if base else ():
        name = _LANGUAGE.sub("", path.relative_to(base).as_posix()).removeprefix("zh/")
        if "/" in name:
            found.setdefault(name, []).append(_title(path, path.stat().st_mtime_ns))
    return found


@functools.lru_cache(512)
def _title(path: Path, _modified: int) -> str:
    with path.open(encoding="utf-8") as file:
        return next((line.lstrip("# ").strip() for line in file if line.startswith("# ")), path.stem)


def _documents(user: User, text: str, words: Sequence[str], limit: int) -> Results:
    """Return attachments by their names, of records that the user may see; each leads to its record."""
    keys = search.keys_of_documents(text)
    files = {str(row.pk): row for row in Attachment.objects.filter(pk__in=keys, removed_at=None)} if keys else {}
    records = _records_of(user, files.values())
    rows = []
    for key in keys:
        file = files.get(key)
        known = records.get((file.object_type, file.object_id)) if file else None
        if file is None or known is None:
            continue
        register, record = known
        detail = f"{file.get_category_display()} · {record}"
        rows.append(Result(marked(file.name, words), address(register, record), ((detail, False),)))
    return Results("documents", _("Documents"), "file-search", rows[:limit], len(rows) > limit)


def _records_of(user: User, files: Iterable[Attachment]) -> dict[tuple[str, str], tuple[Register, Any]]:
    """Return the visible records that files hang on: one query per register."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for file in files:
        wanted[file.object_type].add(file.object_id)
    found: dict[tuple[str, str], tuple[Register, Any]] = {}
    for register in manifest.registers():
        keys = wanted.get(register.object_type)
        if keys and user.may(register.view):
            for record in register.model.objects.visible_to(user).filter(pk__in=keys):
                found[register.object_type, str(record.pk)] = (register, record)
    return found
