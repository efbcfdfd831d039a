"""Verbs of evidence."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from luming import __version__
from luming.core import audit
from luming.core.models import User
from luming.registry.models import Place
from luming.telemetry.evidence import codes, documents
from luming.telemetry.evidence.lineage import KINDS, PACKET
from luming.telemetry.evidence.models import EvidenceSheet


@transaction.atomic
def issue_sheet(user: User, kind: str, key: str, purpose: str) -> EvidenceSheet:
    """Issue an evidence sheet about a figure: keep what is stored of it now as a document with its hashes.

    Raises
    ------
    ValidationError
        The purpose is empty, or nothing is stored under the key in the user's scope.
    """
    audit.require(user, "evidence.issue")
    if kind == PACKET:
        audit.require(user, "packet.view")
    purpose = purpose.strip()
    if not purpose:
        raise ValidationError(_("Say what the sheet is for."))
    now = datetime.now(UTC)
    found = documents.find(kind, key, now) if kind in KINDS else None
    if found is None or not _is_visible(user, found.place):
        raise ValidationError(_("There is no such figure, or it lies outside your data scope."))
    document = documents.written(documents.content(found, now))
    sha256, sm3 = documents.hashes(document)
    sheet = EvidenceSheet.objects.create(
        code=codes.make(), kind=kind, key=key, place=found.place, document=document, sha256=sha256, sm3=sm3,
        days={day.isoformat(): closed.digest if closed else "" for day, closed in found.days.items()},
        purpose=purpose[:200], issued_by=user, issued_at=now, software=__version__[:20],
        is_demo=bool(found.place is not None and found.place.is_demo),
    )  # fmt: skip
    audit.record(user, "evidence.issue", sheet, reason=purpose[:200], kind=kind, key=key, sha256=sha256)
    return sheet


def _is_visible(user: User, place: Place | None) -> bool:
    """Tell whether a figure is in a user's scope; what belongs to no place is seen by those who see the whole city."""
    if place is None:
        return user.is_internal and not user.region_codes and user.may("data.view")
    return Place.objects.visible_to(user).filter(pk=place.pk).exists()
