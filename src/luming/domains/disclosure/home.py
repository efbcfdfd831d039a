"""What the disclosure officer finds on the home page: drafts that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Concern, Item
from luming.core.models import User
from luming.domains.disclosure.models import Announcement


def _page(announcement: Announcement) -> str:
    try:
        return reverse("record", args=["announcements", announcement.pk])
    except NoReverseMatch:  # a face without registers
        return ""


def drafts(user: User, since: datetime) -> Sequence[Item]:
    """Return the drafts, oldest first."""
    rows = Announcement.objects.visible_to(user).filter(published_at=None, withdrawn_at=None)
    return [
        Item(row.title, _page(row), row.get_kind_display(), row.written_at, "warning", "speakerphone")
        for row in rows.order_by("written_at")[:20]
    ]


def listing() -> str:
    """Return the address of the register."""
    return reverse("register", args=["announcements"])


CONCERNS = [
    Concern(
        "announcement-drafts", _("Announcements not published yet"), "todo", drafts, "announcement.edit", 60, listing
    )
]
