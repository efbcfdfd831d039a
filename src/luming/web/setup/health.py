"""The health page of an installation."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from procrastinate.contrib.django.models import ProcrastinateJob

from luming.core import backup
from luming.core.models import User
from luming.telemetry import store
from luming.web import words
from luming.web.access import needs
from luming.web.setup import actions, checks

HOURS = 48
JOBS_SHOWN = 30
COLOURS = {"A": "#2fb5a3", "H": "#f59f00", "R": "#d63939"}


@needs("system.view")
def page(request: HttpRequest) -> HttpResponse:
    """Show how the installation is, line by line, with what to do."""
    groups = [(label, [_as_opened(line, request.user) for line in lines]) for label, lines in checks.examine()]
    tally = Counter(line.state for _label, lines in groups for line in lines)
    failed = ProcrastinateJob.objects.filter(status="failed").annotate(at=Max("procrastinateevent__at"))
    where = backup.folder()
    values = {
        "groups": groups,
        "tally": [(state, tally[state]) for state in (checks.BAD, checks.WARNING, checks.GOOD)],
        "flow": flow(),
        "tables": store.sizes(),
        "jobs": failed.order_by("-id")[:JOBS_SHOWN],
        "backups": backup.listing(where)[:5] if where else [],
        "backup_folder": where,
    }
    return render(request, "web/system.html", values)


def _as_opened(line: checks.Line, user: User) -> checks.Line:
    """Leave out the address of a page that the reader may not open."""
    return replace(line, url="") if line.permission and not user.may(line.permission) else line


def flow() -> dict[str, Any]:
    """Return the packets of the last hours as stacked bars (kept for a minute)."""
    found = cache.get("luming.flow")
    if found is None:
        found = _flow(timezone.now())
        cache.set("luming.flow", found, 60)
    return found


def _flow(now: datetime) -> dict[str, Any]:
    last = now.replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=HOURS - 1)
    counts: dict[datetime, dict[str, int]] = defaultdict(dict)
    for hour, verdict, number in store.packets_by_hour(first):
        counts[hour][verdict] = number
    hours = [first + timedelta(hours=step) for step in range(HOURS)]
    top = max((sum(counts[hour].values()) for hour in hours), default=0)
    bars = []
    for position, hour in enumerate(hours):
        height, parts = 0.0, []
        for verdict, colour in COLOURS.items():
            share = 100 * counts[hour].get(verdict, 0) / (top or 1)
            height += share
            parts.append((round(100 - height, 2), round(share, 2), colour))
        local = timezone.localtime(hour)
        numbers = " · ".join(f"{words.VERDICTS[key].label} {counts[hour].get(key, 0):,}" for key in COLOURS)
        bars.append({"x": position, "parts": parts, "text": f"{local:%m-%d %H:00} {numbers}", "hour": local})
    today = [sum(counts[hour].values()) for hour in hours if timezone.localtime(hour).date() == timezone.localdate(now)]
    return {
        "bars": bars,
        "top": top,
        "hours": HOURS,
        "today": sum(today),
        "legend": [(words.VERDICTS[key], colour) for key, colour in COLOURS.items()],
        "labels": [(f"{bar['hour']:%m-%d %H:00}", round(100 * bar["x"] / HOURS, 1)) for bar in bars[:: HOURS // 6]],
    }


@needs("system.setup")
@require_POST
def back_up(request: HttpRequest) -> HttpResponse:
    """Ask the worker for a backup now."""
    try:
        actions.back_up_now(request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The worker makes a backup now; it appears here when it is finished."))
    return redirect("system")


@needs("system.setup")
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed job again."""
    job = ProcrastinateJob.objects.filter(pk=pk, status="failed").first()
    if job is None:
        raise Http404
    try:
        actions.retry_job(request.user, job)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The job waits for the worker again."))
    return redirect("system")
