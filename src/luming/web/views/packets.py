"""Packets: the log, the page of one byte for byte, what is held or rejected and why."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.registry.models import Device
from luming.telemetry import actions, store
from luming.telemetry.models import UnregisteredDevice
from luming.web import packet_view, words
from luming.web.access import needs
from luming.web.live import live
from luming.web.scope import device_ids, visible_packet

PER_PAGE = 50
PROBLEM_DAYS = {"1": 1, "7": 7, "30": 30}


@needs("packet.view")
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List packets, newest first; older pages follow the last one shown."""
    get = request.GET.get
    ids = device_ids(request.user)
    if (device := get("device", "")).isdigit():
        ids = [pk for pk in [int(device)] if ids is None or pk in ids]
    verdicts = [get("verdict")] if get("verdict") in words.VERDICTS else None
    reasons = [get("reason")] if get("reason") else None
    before = int(get("before", "0")) if get("before", "").isdigit() else None
    found = store.packets(
        device_ids=ids,
        mn=get("mn", "").strip() or None,
        verdicts=verdicts,
        reasons=reasons,
        since=_moment(get("since")),
        until=_moment(get("until")),
        before=before,
        limit=PER_PAGE + 1,
    )
    rows = found[:PER_PAGE]
    values = {
        "rows": packet_view.with_devices(rows),
        "next": rows[-1].id if len(found) > PER_PAGE else None,
        "before": before,
        "verdicts": words.VERDICTS,
        "device": Device.objects.visible_to(request.user).filter(pk=int(device)).first() if device.isdigit() else None,
        "releasable": request.user.may("packet.release") and any(packet_view.is_releasable(row) for row in rows),
        "filtered": any(get(name) for name in ("device", "mn", "verdict", "reason", "since", "until")),
    }
    template = "web/packets_table.html" if request.htmx and not request.htmx.boosted else "web/packets.html"
    return render(request, template, values)


def _moment(text: str | None) -> datetime | None:
    """Return an instant typed into a field of the city's time."""
    try:
        moment = parse_datetime(text or "")
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else timezone.make_aware(moment)


@needs("packet.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a packet byte for byte, what it means, and what it became."""
    record = visible_packet(request.user, pk)
    return render(request, "web/packet.html", packet_view.explained(request.user, record))


@needs("packet.view")
@live
def problems(request: HttpRequest) -> HttpResponse:
    """Show held and rejected packets by reason, with the last example of each."""
    days = PROBLEM_DAYS.get(request.GET.get("days", ""), 1)
    ids = device_ids(request.user)
    since = timezone.now() - timedelta(days=days)
    by_verdict: dict[str, list[dict[str, Any]]] = defaultdict(list)
    counts = store.reason_counts(since, ids)
    for verdict, reason, number, last in sorted(counts, key=lambda row: -row[2]):
        by_verdict[verdict].append(
            {
                "verdict": verdict,
                "reason": reason or "",
                "label": words.reason(reason) or _("No reason given"),
                "count": number,
                "last": store.packet(last) if last else None,
                "actionable": verdict == "H" and reason not in actions.NOT_RELEASABLE,
            }
        )
    values = {
        "days": days,
        "choices": PROBLEM_DAYS,
        "groups": [(key, words.VERDICTS[key], by_verdict[key]) for key in ("H", "R")],
        "totals": {key: sum(row["count"] for row in by_verdict[key]) for key in ("H", "R")},
        "waiting": UnregisteredDevice.objects.filter(adopted_device=None, dismissed_reason="").count(),
    }
    return render(request, "web/problems.html", values)


@needs("packet.release")
@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """Vouch for chosen held packets: they are read again and their values count."""
    ids = [int(item) for item in request.POST.getlist("packet") if item.isdigit()]
    for packet_id in ids:
        visible_packet(request.user, packet_id)
    try:
        if not ids:
            raise ValidationError(_("Choose packets first."))
        outcome = actions.release_packets(request.user, request.POST.get("reason", ""), ids=ids)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = _("%(released)s packets are released: %(new)s new values, %(revised)s revised.")
        messages.success(
            request,
            text % {"released": outcome.released, "new": outcome.written.new, "revised": outcome.written.revised},
        )
        for code, number in outcome.still_held.items():
            messages.warning(
                request,
                _("%(number)s stay held: %(reason)s") % {"number": number, "reason": words.reason(code)},
            )
    return redirect("packet", ids[0]) if len(ids) == 1 else redirect("packets")
