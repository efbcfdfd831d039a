"""Comparisons of manual and automatic results: the list, and of one place the chart of errors."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from luming.registry.models import Place
from luming.telemetry.sampling import words
from luming.telemetry.sampling.models import Comparison
from luming.web.access import needs
from luming.web.sampling.desk import newest

PER_PAGE = 50
POINTS = 400


@needs("data.view")
def page(request: HttpRequest) -> HttpResponse:
    """List comparisons, newest first; of one place with its chart."""
    visible = newest(Comparison.objects.visible_to(request.user))
    place = _place(request)
    rows = visible.select_related("place", "sample")
    if place is not None:
        rows = rows.filter(place=place)
    outcome = request.GET.get("outcome", "")
    if outcome in Comparison.Outcome.values:
        rows = rows.filter(outcome=outcome)
    factor = request.GET.get("factor", "")
    if factor:
        rows = rows.filter(factor=factor)
    values = {
        "page": Paginator(rows.order_by("-start", "-id"), PER_PAGE).get_page(request.GET.get("page")),
        "place": place,
        "outcome": outcome,
        "outcomes": Comparison.Outcome.choices,
        "factor": factor,
        "factors": [(code, words.factor_name(code)) for code in _factors(visible, place)],
        "why": words.WHY,
        "filtered": bool(outcome or factor or place),
    }
    return render(request, "web/sampling/comparisons.html", values)


def _factors(visible: Any, place: Place | None) -> list[str]:
    rows = visible if place is None else visible.filter(place=place)
    return sorted(set(rows.order_by().values_list("factor", flat=True)))


def _place(request: HttpRequest) -> Place | None:
    wanted = request.GET.get("place", "")
    if not wanted.isdigit():
        return None
    return get_object_or_404(Place.objects.visible_to(request.user), pk=int(wanted))


@needs("data.view")
def points(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the comparisons of a place by factor, oldest first, for the chart."""
    place = get_object_or_404(Place.objects.visible_to(request.user), pk=pk)
    rows = newest(Comparison.objects.visible_to(request.user)).filter(place=place, manual__isnull=False)
    rows = rows.filter(automatic__isnull=False).order_by("-start")[:POINTS]
    series: dict[str, dict[str, Any]] = {}
    for row in reversed(list(rows)):
        own = series.setdefault(row.factor, {"name": words.factor_name(row.factor), "unit": row.unit, "points": []})
        own["points"].append(
            {
                "t": int(row.start.timestamp() * 1000),
                "manual": row.manual,
                "automatic": row.automatic,
                "low": _bound(row, -1),
                "high": _bound(row, 1),
                "outcome": row.outcome,
                "error": words.error(row),
                "sample": row.sample_id,
            }
        )
    offset = timezone.localtime().utcoffset()
    assert offset is not None
    return JsonResponse({"offset": int(offset.total_seconds() * 1000), "series": list(series.values())})


def _bound(row: Comparison, sign: int) -> float | None:
    """Return how low or high the automatic value may be beside the manual one."""
    if row.allowed is None or row.manual is None:
        return None
    return row.manual + sign * (row.allowed / 100 * abs(row.manual) if row.relative else row.allowed)
