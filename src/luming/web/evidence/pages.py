"""Pages of evidence: the chain from packets to a figure and on to what it went into."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from luming.telemetry.evidence.lineage import PACKET
from luming.telemetry.evidence.models import EvidenceSheet
from luming.web.access import needs
from luming.web.evidence import showing, subjects

SHOWN = 400  # inputs: a year has 366 days, an hour 60 minutes
SHEETS = 5


@needs("data.view")
def judgement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a judgement came from."""
    return _page(request, subjects.judgement(request.user, pk))


@needs("data.view")
def statistic(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a statistic came from, whether it comes out again, and what it went into."""
    return _page(request, subjects.statistic(request.user, pk))


@needs("data.view")
def value(request: HttpRequest, series: int, start: int) -> HttpResponse:
    """Show the revisions of a value and what it went into."""
    return _page(request, subjects.value(request.user, series, start))


@needs("packet.view")
def packet(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a packet became."""
    return _page(request, subjects.packet(request.user, pk))


def _page(request: HttpRequest, pair: subjects.Found) -> HttpResponse:
    found, influences = pair
    user = request.user
    rows = showing.rows(found, names=user.is_internal, packets=user.may("packet.view"))
    sheets = EvidenceSheet.objects.visible_to(user).filter(kind=found.kind, key=found.key)
    values: dict[str, Any] = {
        "found": found,
        "subject": showing.subject(found),
        "kind": showing.KINDS[found.kind],
        "rows": rows[:SHOWN],
        "more": max(0, len(rows) - SHOWN),
        "influences": showing.influences(influences),
        "days": list(found.days.items()),
        "is_packet": found.kind == PACKET,
        "may_issue": user.may("evidence.issue"),
        "sheets": sheets.select_related("issued_by")[:SHEETS] if user.is_internal else [],
        "equal": None if found.recomputed is None else found.recomputed.is_equal(found.subject),
    }
    return render(request, "web/evidence/chain.html", values)
