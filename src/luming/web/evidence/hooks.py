"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import (
    Concern,
    Item,
    Layer,
    NavigationItem,
    Panel,
    Search,
    Section,
    Tile,
    Timeline,
    Trait,
    Work,
)
from luming.core.models import User
from luming.telemetry.evidence import codes
from luming.telemetry.evidence.models import EvidenceSheet, Verification
from luming.web.evidence import days, showing


def differing(user: User, since: datetime) -> Sequence[Item]:
    """Return what the last verification found changed."""
    last = Verification.objects.exclude(state=Verification.State.RUNNING).first()
    if last is None or last.state != Verification.State.DIFFERENT:
        return []
    return [
        Item(
            f"{item['day']} · {item['label']}", reverse("evidence-days"), item["text"], at=last.finished_at,
            tone="danger", icon="alert-triangle",
        )
        for item in days.differences(last)
    ]  # fmt: skip


def find(user: User, text: str, limit: int) -> Sequence[Item]:
    """Find a sheet by its code."""
    code = codes.read(text)
    rows = EvidenceSheet.objects.visible_to(user).filter(code=code).select_related("place") if code else []
    return [
        Item(row.grouped, reverse("evidence-sheet", args=[row.code]), f"{_('Evidence sheet')} · {_about(row)}")
        for row in rows[:limit]
    ]


def _about(row: EvidenceSheet) -> str:
    return str(row.place.name if row.place is not None else showing.KINDS[row.kind])


NAVIGATION: list[NavigationItem] = [
    NavigationItem(
        gettext_lazy("Evidence sheets"), "evidence-sheets", "certificate", "evidence.issue", "transport", 40
    ),
    NavigationItem(
        gettext_lazy("Integrity of data"), "evidence-days", "shield-check", "evidence.verify", "transport", 42
    ),
]
PANELS: list[Panel] = []
TIMELINES: list[Timeline] = []
TRAITS: list[Trait] = []
CONCERNS: list[Concern] = [
    Concern(
        "integrity", gettext_lazy("Records that are not what they were"), "wrong", differing,
        permission="evidence.verify", order=1, url=lambda: reverse("evidence-days"),
    )
]  # fmt: skip
TILES: list[Tile] = []
LAYERS: list[Layer] = []
SEARCHES: list[Search] = [
    Search("evidence-sheets", gettext_lazy("Evidence sheets"), "certificate", find, "evidence.issue", 90)
]
PORTAL_SECTIONS: list[Section] = []
PUBLIC_SECTIONS: list[Section] = []
WORKS: list[Work] = [Work(days.WORK, gettext_lazy("Verification of closed days"), days.perform)]
