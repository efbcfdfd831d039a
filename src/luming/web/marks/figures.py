"""Figures of marks per enterprise, as a page and a file."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from luming.telemetry.marks import figures
from luming.web.access import needs

USUAL = timedelta(days=30)
LONGEST = timedelta(days=3660)


def _period(request: HttpRequest) -> tuple[date, date]:
    """Return the days of the address, else the last thirty."""
    today = timezone.localdate()
    first, last = _day(request.GET.get("from")), _day(request.GET.get("to"))
    if first and last and first <= last and last - first <= LONGEST:
        return first, last
    return today - USUAL + timedelta(days=1), today


def _day(text: str | None) -> date | None:
    try:
        found = parse_date(text or "")
    except ValueError:
        return None
    return found if found and 1990 <= found.year <= 2199 else None


def _rows(request: HttpRequest, first: date, last: date) -> list[figures.Row]:
    start, end = (
        timezone.make_aware(datetime(day.year, day.month, day.day)) for day in (first, last + timedelta(days=1))
    )
    return figures.by_facility(request.user, start, end)


@needs("data.view")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Show the marks of each facility in figures."""
    first, last = _period(request)
    values: dict[str, Any] = {"rows": _rows(request, first, last), "first": first, "last": last}
    return render(request, "web/marks/figures.html", values)


@needs("data.view")
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """Return the figures as CSV, readable for Excel."""
    first, last = _period(request)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            _("Facility"), _("Number of marks"), _("Hours marked"), _("Made late"), _("Share late (%)"),
            _("Contradictory"), _("Share contradictory (%)"), _("Marks refused"), _("Share refused (%)"),
            _("To be decided"),
        ]
    )  # fmt: skip
    for row in _rows(request, first, last):
        name = f"'{row.facility}" if row.facility[:1] in "=+-@" else row.facility  # no formula for a spreadsheet
        writer.writerow(
            [
                name, row.number, round(row.hours, 2), row.late, round(row.late_share, 1), row.contradicted,
                round(row.contradicted_share, 1), row.refused, round(row.refused_share, 1), row.waiting,
            ]
        )  # fmt: skip
    content = b"\xef\xbb\xbf" + text.getvalue().encode()
    name = f"marks-{first:%Y%m%d}-{last:%Y%m%d}.csv"
    return HttpResponse(
        content, content_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
