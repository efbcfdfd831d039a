"""One mark: what was stated, what speaks against it with numbers and links, the period's values, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from luming.core.models import Attachment, AuditEntry
from luming.telemetry.marks import actions, examining, words
from luming.telemetry.marks.models import Mark
from luming.telemetry.marks.reading import hours_of
from luming.telemetry.models import Judgement
from luming.web.access import needs
from luming.web.marks.making import around

JUDGED_SHOWN = 48


@needs("data.view")
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a mark in the user's scope."""
    rows = Mark.objects.visible_to(request.user).select_related("code", "outlet__facility", "made_by", "decided_by")
    mark = get_object_or_404(rows, pk=pk)
    first, last = around(mark.start, mark.end)
    files = Attachment.objects.filter(object_type=Mark._meta.label_lower, object_id=str(pk), removed_at=None)
    history = AuditEntry.objects.filter(object_type=Mark._meta.label_lower, object_id=str(pk)).order_by("pk")
    values = {
        "mark": mark,
        "place": mark.outlet,
        "consequence": words.consequence(mark.code),
        "findings": [_finding(mark, finding) for finding in mark.contradictions],
        "since": [_finding(mark, finding) for finding in _since(mark)] if request.user.may(actions.DECIDE) else [],
        "judged": _judged(mark),
        "files": list(files),
        "history": list(history),
        "first": first,
        "last": last,
        "decides": request.user.may(actions.DECIDE),
        "withdraws": request.user.may(actions.MAKE) and mark.is_waiting,
        "internal": request.user.is_internal,
    }
    return render(request, "web/marks/mark.html", values)


def _since(mark: Mark) -> list[dict[str, Any]]:
    """Return what speaks against a mark that waits and did not yet when it was made: data and marks came since."""
    if not mark.is_waiting:
        return []
    stored = {finding["kind"] for finding in mark.contradictions}
    return [finding for finding in examining.examine(mark) if finding["kind"] not in stored]


def _finding(mark: Mark, finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": words.finding_title(finding),
        "text": words.finding_text(finding),
        "contradicts": finding["verdict"] == "contradiction",
        "other": finding.get("mark"),
        "rows": [_evidence(mark, row) for row in finding.get("rows", ())],
    }


def _evidence(mark: Mark, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of evidence with the link that leads to it."""
    start = parse_datetime(row["start"])
    found: dict[str, Any] = {"start": start, "value": row.get("value"), "factor": row.get("factor", "")}
    if "series" in row and start is not None:
        found |= {"unit": row["unit"], "bound": row["bound"]}
        found["drawer"] = reverse("value", args=[mark.outlet_id, row["series"], int(start.timestamp() * 1000)])
    if "judgement" in row:
        found["url"] = reverse("judgement", args=[mark.outlet_id, row["judgement"]])
        found["multiple"] = row["value"]
    return found


def _judged(mark: Mark) -> list[Judgement]:
    """Return the newest judgement of each hour of the period."""
    hours = hours_of(mark.start, mark.end)
    rows = Judgement.objects.filter(place=mark.outlet_id, kind="limit-hour", start__gte=hours[0], start__lt=mark.end)
    newest: dict[Any, Judgement] = {row.start: row for row in rows.order_by("start", "revision")}
    return list(newest.values())[:JUDGED_SHOWN]
