"""What lies behind the values on the workbench's chart: calibrations, maintenance, marks of the enterprise, gaps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from luming.core.models import User
from luming.registry.models import Place
from luming.telemetry.instruments.models import factor_name
from luming.telemetry.instruments.spans import spans
from luming.telemetry.marks.models import Mark
from luming.telemetry.models import Gap
from luming.web import words


def of_place(user: User, place: Place, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return periods with their kind and label, in order of time; instants have equal ends."""
    found = _marks(place, start, end) if place.kind == Place.Kind.OUTLET else []
    if user.may("device.view"):
        found += [*_work(place, start, end), *_gaps(user, place, start, end)]
    return sorted(found, key=lambda band: band["start"])


def _work(place: Place, start: datetime, end: datetime) -> list[dict[str, Any]]:
    labels = {"calibration": _("Calibration"), "maintenance": _("Maintenance"), "maintainer": _("New maintainer")}
    found = []
    for period in spans([place.pk], start, end).get(place.pk, []):
        detail = period.detail
        parts = [labels.get(period.kind, period.kind), factor_name(str(detail.get("factor") or ""))]
        if detail.get("drift") is not None:
            parts.append(f"{detail['drift']:+.2f} {detail.get('unit') or ''}")
        found.append(_band(period.kind, period.start, period.end, " · ".join(part for part in parts if part)))
    return found


def _marks(place: Place, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """Return what the enterprise states of its periods; what is late or contradictory says so."""
    rows = Mark.objects.filter(outlet=place.pk, state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED))
    found = []
    for row in rows.touching(start, end).select_related("code").order_by("start"):
        remarks = [(row.late, Mark._meta.get_field("late")), (row.contradicted, Mark._meta.get_field("contradicted"))]
        parts = [str(row.code), str(row.get_state_display()), *(str(field.verbose_name) for on, field in remarks if on)]
        found.append(_band("mark", row.start, row.end, " · ".join(parts)))
    return found


def _gaps(user: User, place: Place, start: datetime, end: datetime) -> list[dict[str, Any]]:
    rows = Gap.objects.visible_to(user).filter(
        device__place=place, interval="hour", start__lt=end, end__gt=start
    ).exclude(state=Gap.State.FILLED)  # fmt: skip
    return [
        _band("gap", row.start, row.end, f"{words.EVENTS['gap-found']} · {row.get_cause_display()}")
        for row in rows.order_by("start")[:50]
    ]


def _band(kind: str, start: datetime, end: datetime, label: str) -> dict[str, Any]:
    return {
        "kind": kind, "label": label, "start": int(start.timestamp() * 1000), "end": int(end.timestamp() * 1000),
    }  # fmt: skip
