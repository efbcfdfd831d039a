"""Pages: the health of devices as a list, of one device, and maintainers side by side."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.registry.models import Device
from luming.telemetry.instruments import diagnosis, drift, evidence, health, upkeep, words
from luming.telemetry.instruments.models import (
    Calibration,
    Certificate,
    Instrument,
    Maintenance,
    MaintenancePlan,
    Supply,
    factor_name,
)
from luming.web import words as web_words
from luming.web.access import needs
from luming.web.instruments import charting, overview
from luming.web.states import with_status

PER_PAGE = 50
SHOWN = 10


@needs("device.view")
def listing(request: HttpRequest) -> HttpResponse:
    """List the devices by what needs attention."""
    period = overview.read_period(request.GET)
    every = overview.rows(request.user, period)
    found, sort = overview.chosen(every, request.GET)
    keepers = {str(row.device.maintainer_id or "none"): str(row.device.maintainer or _("Nobody")) for row in every}
    values = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "sort": sort,
        "period": period,
        "spans": overview.SPANS,
        "needs": [(key, label, sum(map(meets, every))) for key, (label, meets) in overview.NEEDS.items()],
        "keepers": sorted(keepers.items(), key=lambda item: item[1]),
        "total": len(every),
        "filtered": any(request.GET.get(name) for name in ("q", "need", "maintainer")),
    }
    part = request.htmx and not request.htmx.boosted
    return render(request, "web/instruments/list_rows.html" if part else "web/instruments/list.html", values)


def device_of(request: HttpRequest, pk: int) -> Any:
    """Return a device in the user's scope with its connection."""
    rows = with_status(Device.objects.visible_to(request.user)).select_related(
        "state", "maintainer", "place__region", "place__outlet__facility"
    )
    return get_object_or_404(rows, pk=pk)


@needs("device.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the health of one device: what is wrong, what it delivered, how it drifts, what it needs and has had."""
    device = device_of(request, pk)
    period = overview.read_period(request.GET)
    seen = evidence.gather(device, timezone.now())
    factors = health.of_device(device, period.first, period.last)
    total = health.Rates()
    for one in factors:
        total.add(one.rates.expected, one.rates.held, one.rates.valid, one.rates.stopped)
    mine = Device.objects.filter(pk=device.pk)
    values = {
        "device": device,
        "word": web_words.CONNECTED[device.status],
        "period": period,
        "spans": overview.SPANS,
        "findings": [_shown(one, request.user) for one in diagnosis.findings(seen)],
        "total": total,
        "factors": [_factor(one, period, seen) for one in factors],
        "facts": _facts(seen),
        "drifts": [one for one in seen.drifts if one.known],
        "dues": upkeep.of_devices(mine, timezone.localdate()),
        "instruments": Instrument.objects.filter(device=device).order_by("retired_on", "name"),
        "calibrations": Calibration.objects.filter(device=device).select_related("supply")[:SHOWN],
        "maintenance": Maintenance.objects.filter(device=device).select_related("instrument")[:SHOWN],
        "plans": MaintenancePlan.objects.filter(device=device, is_active=True),
        "supplies": Supply.objects.filter(device=device, is_finished=False),
        "certificates": Certificate.objects.filter(device=device, replaced=False).select_related("instrument"),
        "today": timezone.localdate(),
        "may_keep": request.user.may("instrument.keep"),
    }
    return render(request, "web/instruments/device.html", values)


def _shown(finding: diagnosis.Finding, user: Any) -> diagnosis.Finding:
    """Leave out the ways to packets for who may not see packets."""
    if user.may("packet.view"):
        return finding
    begin = reverse("packets")
    return replace(
        finding, evidence=[replace(one, url="") if one.url.startswith(begin) else one for one in finding.evidence]
    )


def _factor(one: health.FactorHealth, period: overview.Period, seen: evidence.Evidence) -> dict[str, Any]:
    """Return a factor's line: its newest value, its rates and a cell for each of the last 30 days of the period."""
    now = next((row for row in seen.values if row.factor == one.factor), None)
    late = now is not None and (now.newest is None or seen.now - now.newest > timedelta(seconds=3 * now.seconds))
    known = {day: (available, valid) for day, available, valid in one.days}
    days = [period.last - timedelta(days=back) for back in range(min(period.days, 30) - 1, -1, -1)]
    return {
        "name": factor_name(one.factor),
        "code": one.factor,
        "rates": one.rates,
        "now": now,
        "late": late,
        "cells": [(day, *_cell(*known.get(day, (None, None)))) for day in days],
        "marks": [(words.mark(letter), count) for letter, count in one.marks.most_common(3)],
    }


def _cell(available: float | None, valid: float | None) -> tuple[str, str]:
    """Return the look of a day and what it says."""
    if available is None:
        return "ahead", _("nothing expected")
    text = f"{overview.per_cent(available)} / {overview.per_cent(valid)}"
    least = min(available, 1.0 if valid is None else valid)
    return ("full" if least >= overview.GOOD else "none" if least < 0.5 else "part"), text


def _facts(seen: evidence.Evidence) -> list[dict[str, Any]]:
    """Return what the device told of itself, by subject."""
    return [
        {"subject": words.subject_name(subject), "name": words.code_name(code), "code": code,
         "word": words.state(code, fact.value), "fact": fact}
        for (subject, code), fact in sorted(seen.states.items())
    ]  # fmt: skip


@needs("device.view")
def drifts(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the control charts of a device as data for <luming-drift>."""
    device = device_of(request, pk)
    found = sorted((one for one in drift.of_device(device, timezone.now()) if one.known), key=charting.rank)
    return JsonResponse({"drifts": [charting.data(one) for one in found]})


# ---- maintainers -----------------------------------------------------------------------------------------------------


@needs("device.view")
def maintainers(request: HttpRequest) -> HttpResponse:
    """Compare maintainers over a period."""
    period = overview.read_period(request.GET)
    values = {"rows": overview.keepers(request.user, period), "period": period, "spans": overview.SPANS}
    return render(request, "web/instruments/maintainers.html", values)


@needs("device.view")
def maintainers_csv(request: HttpRequest) -> HttpResponse:
    """Return the comparison as CSV."""
    period = overview.read_period(request.GET)
    head = [
        _("Maintainer"), _("First day"), _("Last day"), _("Devices now"), _("Periods expected"), _("Periods held"),
        _("Periods valid"), _("Marked as stopped"), _("Availability"), _("Valid-data rate"), _("Out of control"),
        _("Calibrations overdue"), _("Other work overdue"),
    ]  # fmt: skip
    lines = [
        [
            row.organisation.name if row.organisation else _("Nobody"), period.first, period.last, row.devices,
            row.rates.expected, row.rates.held, row.rates.valid, row.rates.stopped, _share(row.rates.availability),
            _share(row.rates.valid_rate), row.out, row.late_calibrations, row.late_other,
        ]
        for row in overview.keepers(request.user, period)
    ]  # fmt: skip
    return _csv(f"maintainers-{period.first}-{period.last}.csv", head, lines)


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.6f}"


def _csv(name: str, head: Sequence[str], lines: Sequence[Sequence[Any]]) -> HttpResponse:
    text = io.StringIO()
    text.write("\ufeff")  # Excel takes the file for UTF-8 only with this mark
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(
        [cell.isoformat() if isinstance(cell, date) else _harmless(cell) for cell in line] for line in lines
    )
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _harmless(cell: Any) -> Any:
    """Keep a name from being a formula of a spreadsheet."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell
