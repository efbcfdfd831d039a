"""The closed days: their digests, the chain, what the last verification found, and a new one on demand."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.core import work
from luming.telemetry.evidence import sources
from luming.telemetry.evidence.models import DayHash, Verification
from luming.telemetry.evidence.verifying import run as run_verification
from luming.web.access import needs

PER_PAGE = 62
WORK = "verify"


@needs("evidence.verify")
def page(request: HttpRequest) -> HttpResponse:
    """Show closed days, newest first, with the last verification."""
    listed = Paginator(DayHash.objects.order_by("-day"), PER_PAGE).get_page(request.GET.get("page"))
    last = Verification.objects.exclude(state=Verification.State.RUNNING).select_related("by").first()
    ends = DayHash.objects.order_by("day").values_list("day", flat=True)
    values = {
        "page": listed,
        "last": last,
        "differences": differences(last),
        "first_day": ends.first(),
        "last_day": ends.last(),
        "total": listed.paginator.count,
    }
    return render(request, "web/evidence/days.html", values)


def differences(verification: Verification | None) -> list[dict[str, Any]]:
    """Return what a verification found, with the names of the sources."""
    if verification is None:
        return []
    labels = {known.name: known.label for known in sources.SOURCES}
    return [
        item | {"label": labels.get(item["source"], item["source"] or _("Closed days"))}
        for item in verification.differences
    ]


@needs("evidence.verify")
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Start a verification as a task of one's own."""
    ends = DayHash.objects.order_by("day").values_list("day", flat=True)
    first, last = _day(request, "first") or ends.first(), _day(request, "last") or ends.last()
    if first is None or last is None:
        messages.error(request, _("No day is closed yet: the first is closed two hours after it is over."))
        return redirect("evidence-days")
    if first > last:
        messages.error(request, _("The first day is after the last one."))
        return redirect("evidence-days")
    title = _("Verify the days %(first)s to %(last)s") % {"first": first, "last": last}
    try:
        task = work.start(request.user, WORK, title, first=first.isoformat(), last=last.isoformat())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("evidence-days")
    return redirect("task", task.pk)


def _day(request: HttpRequest, name: str) -> date | None:
    try:
        return parse_date(request.POST.get(name, ""))
    except ValueError:
        return None


def perform(task: Any, progress: Any) -> None:
    """Verify the days that a task names."""
    first, last = (date.fromisoformat(task.parameters[name]) for name in ("first", "last"))
    found = run_verification(task.owner, first, last, lambda done, total: progress(done, total))
    if found.state == Verification.State.DIFFERENT:
        text = _("%(days)s days with %(records)s records compared: %(number)s differences. See the closed days.")
    else:
        text = _("%(days)s days with %(records)s records compared: everything is as it was.")
    figures = {"days": found.days, "records": found.records, "number": len(found.differences)}
    progress(found.days, found.days, text % figures)
    task.message = text % figures


@needs("evidence.verify")
def export(request: HttpRequest) -> HttpResponse:
    """Give all digests as CSV, oldest first, to be kept where the owner of this database cannot change them."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["day", "algorithm", "previous", "digest", "records", "closed_at", "software"])
    for row in DayHash.objects.order_by("day").iterator():
        closed_at = row.closed_at.isoformat()
        writer.writerow([row.day, row.algorithm, row.previous, row.digest, row.records, closed_at, row.software])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="day-digests.csv"'
    return response
