"""Announcements on the public site and in the enterprises' portal."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Section
from luming.core.models import User
from luming.domains.disclosure.models import Announcement

SHOWN_FIRST = 5
SHOWN = 200


def readable() -> list[Announcement]:
    """Return what is published in the reader's language; an English reader sees the Chinese ones after them."""
    rows = list(Announcement.objects.published()[:SHOWN])
    english = [row for row in rows if row.lang == "en"]
    chinese = [row for row in rows if row.lang != "en"]
    return [*english, *chinese] if (get_language() or "").startswith("en") else chinese


def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a plain text; the template escapes them."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def front() -> dict[str, Any] | None:
    """Return the newest announcements."""
    rows = readable()[:SHOWN_FIRST]
    return {"rows": rows} if rows else None


def page(item: str) -> dict[str, Any] | None:
    """Return the list, or one announcement by its number; a draft or a withdrawn one is not there."""
    if not item:
        return {"rows": readable()}
    if not (item.isascii() and item.isdecimal()) or item != str(int(item)) or len(item) > 18:
        return None  # one address per announcement: each has a copy of its own
    row = Announcement.objects.published().filter(pk=int(item)).first()
    return row and {"row": row, "paragraphs": paragraphs(row.body)}


def portal(user: User) -> dict[str, Any] | None:
    """Return the newest announcements to the portal."""
    return front()


def portal_page(user: User, item: str) -> dict[str, Any] | None:
    """Return the list or one announcement to the portal."""
    return page(item)


PUBLIC_SECTIONS = [
    Section(
        "announcements", _("Announcements"), "disclosure/public.html", front, 50, icon="speakerphone",
        page=page, page_template="disclosure/public_page.html",
    ),
]  # fmt: skip
PORTAL_SECTIONS = [
    Section(
        "announcements", _("Announcements"), "disclosure/portal.html", portal, 80, icon="speakerphone",
        page=portal_page, page_template="disclosure/portal_page.html",
    ),
]  # fmt: skip
