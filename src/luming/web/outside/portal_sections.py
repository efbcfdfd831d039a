"""The web's own sections of the portal: outlets now, gaps and held data, documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Section
from luming.core.models import Attachment, User
from luming.registry.models import Device, Facility, Place
from luming.telemetry import store
from luming.telemetry.models import Gap
from luming.web import words
from luming.web.states import current, with_status

GAPS_SHOWN = 100
HELD_DAYS = 7
OPEN = (Gap.State.OPEN, Gap.State.REQUESTED)


def outlets(user: User) -> dict[str, Any] | None:
    """Return the person's places as they are now."""
    places = (
        Place.objects.visible_to(user)
        .filter(is_active=True)
        .select_related("current", "region", "outlet__facility")
        .order_by("code")
    )
    rows = current(places)
    if not rows:
        return {"rows": [], "organisation": user.organisation}
    return {
        "rows": sorted(rows, key=lambda row: (row.state != "exceeding", row.place.code)),
        "exceeding": sum(row.state == "exceeding" for row in rows),
        "silent": sum(row.state == "no-data" for row in rows),
        "facilities": list(Facility.objects.visible_to(user).order_by("code")),
    }


def transmission(user: User) -> dict[str, Any] | None:
    """Return what is missing and what was not accepted, in numbers."""
    devices = list(with_status(Device.objects.visible_to(user).filter(is_active=True)))
    if not devices:
        return None
    ids = [device.pk for device in devices]
    held, rejected = _refused(ids)
    return {
        "devices": len(devices),
        "away": [device for device in devices if device.status in ("offline", "silent", "never")],
        "gaps": Gap.objects.visible_to(user).filter(state__in=OPEN).count(),
        "held": sum(number for _reason, number in held),
        "rejected": sum(number for _reason, number in rejected),
        "days": HELD_DAYS,
        "narrow": True,
    }


def _refused(ids: list[int]) -> tuple[list[tuple[str | None, int]], list[tuple[str | None, int]]]:
    """Return the reasons with counts of packets held and rejected in the last days."""
    since = timezone.now() - timedelta(days=HELD_DAYS)
    counts = store.reason_counts(since, ids) if ids else []
    held = [(reason, number) for verdict, reason, number, _last in counts if verdict == "H"]
    return held, [(reason, number) for verdict, reason, number, _last in counts if verdict == "R"]


def transmission_page(user: User, item: str) -> dict[str, Any] | None:
    """Return the person's gaps, newest first, and why packets were not accepted."""
    if item:
        return None
    devices = list(Device.objects.visible_to(user).values_list("pk", flat=True))
    held, rejected = _refused(devices)
    gaps = Gap.objects.visible_to(user).select_related("device__place")
    return {
        "open_gaps": gaps.filter(state__in=OPEN)[:GAPS_SHOWN],
        "closed_gaps": gaps.exclude(state__in=OPEN)[:20],
        "held": [(words.reason(reason), number) for reason, number in held],
        "rejected": [(words.reason(reason), number) for reason, number in rejected],
        "days": HELD_DAYS,
    }


def _documents(user: User) -> Any:
    """Return the files of the person's own facilities and outlets."""
    facilities = [str(pk) for pk in Facility.objects.visible_to(user).values_list("pk", flat=True)]
    places = [str(pk) for pk in Place.objects.visible_to(user).filter(kind="outlet").values_list("pk", flat=True)]
    mine = Q(object_type="registry.facility", object_id__in=facilities) | Q(
        object_type="registry.outlet", object_id__in=places
    )
    return Attachment.objects.filter(mine, removed_at=None).select_related("uploaded_by")


def documents(user: User) -> dict[str, Any] | None:
    """Return the newest files."""
    files = list(_documents(user)[:5])
    return {"files": files} if files else None


def documents_page(user: User, item: str) -> dict[str, Any] | None:
    """Return all files."""
    return None if item else {"files": _documents(user)[:500]}


SECTIONS = [
    Section("outlets", _("My outlets"), "web/outside/portal_outlets.html", outlets, 10, icon="map-pin"),
    Section(
        "transmission", _("Gaps and held data"), "web/outside/portal_transmission.html", transmission, 20,
        icon="file-alert", page=transmission_page, page_template="web/outside/portal_transmission_page.html",
    ),
    Section(
        "documents", _("Documents"), "web/outside/portal_documents.html", documents, 60,
        icon="file-code", page=documents_page, page_template="web/outside/portal_documents_page.html",
    ),
]  # fmt: skip
