"""Statistics of a city: all places of a medium in one period, and for air the city's own mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from luming.registry import units as registry_units
from luming.registry.models import Medium, Place, Region, Series, region_prefix
from luming.standards import methods
from luming.standards.air_evaluation import city_mean
from luming.standards.results import rounded
from luming.telemetry.statistics import loading, plans, queue, reading, words
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.models import Statistic
from luming.web import periods
from luming.web import words as names
from luming.web.access import needs
from luming.web.statistics import choosing

PER_PAGE = 50
COLUMNS = 8
CONVERTED = _("converted")


@needs("data.view")
def page(request: HttpRequest) -> HttpResponse:
    """Show the usual figures of the places of a medium in a period."""
    medium = request.GET.get("medium") if request.GET.get("medium") in Medium.values else Medium.AIR.value
    period = choosing.read(request.GET, words.DAY)
    every = Place.objects.visible_to(request.user).filter(medium=medium, is_active=True)
    places = every
    if region := request.GET.get("region"):
        places = places.filter(region__code__startswith=region_prefix(region))
    shown = Paginator(places.select_related("region", "outlet__facility").order_by("code"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    subjects = _subjects(str(medium), [place.pk for place in shown])
    found = _figures(subjects, [place.pk for place in shown], period)
    values: dict[str, Any] = {
        "medium": medium,
        "media": Medium.choices,
        "period": period,
        "kinds": choosing.KINDS,
        "regions": Region.objects.filter(
            Q(pk__in=every.order_by().values("region")) | Q(pk=request.GET.get("region", ""))
        ),
        "page": shown,
        "heads": [_head(subject, period.kind) for subject in subjects],
        "rows": [(place, [found.get((place.pk, subject.factor)) for subject in subjects]) for place in shown],
        "city": _city(subjects, list(places.values_list("pk", flat=True)), period) if medium == Medium.AIR else None,
        "waiting": queue.waiting(),
    }
    return render(request, "web/statistics/city.html", values)


def _subjects(medium: str, place_ids: Sequence[int]) -> list[Subject]:
    """Return the factors that most of the places measure, the usual ones first."""
    rows = Series.objects.filter(place__in=place_ids, interval="hour").order_by("factor", "pk")
    series: dict[str, Series] = {}
    for row in rows:
        if row.factor not in plans.LEFT_OUT:
            series.setdefault(row.factor, row)
    ordered = periods.in_order(list(series.values()), medium)[:COLUMNS]
    return [
        Subject(medium, subject.factor, subject.short, _unit(subject))
        for subject in (loading.subject_of(medium, row.factor, row.unit) for row in ordered)
    ]


def _unit(subject: Subject) -> str:
    return subject.unit or registry_units.default(subject.factor, subject.medium)


def measure_of(subject: Subject, kind: str) -> str:
    """Return the measure that is shown of a factor: converted values of waste gas pollutants, which limits judge."""
    usual = plans.usual(subject, kind)
    converted = subject.medium == Medium.GAS and plans.amount_unit(subject.factor) == "kg"
    return words.CONVERTED if usual == words.MEAN and converted else usual


def _head(subject: Subject, kind: str) -> dict[str, Any]:
    measure = measure_of(subject, kind)
    return {
        "name": names.factor_name(subject.factor),
        "unit": subject.unit,
        "measure": "" if measure == words.MEAN else dict(words.MEASURES)[measure],
    }


def _figures(
    subjects: Sequence[Subject], place_ids: Sequence[int], period: choosing.Period
) -> dict[tuple[int, str], Statistic]:
    by_measure: dict[str, list[str]] = defaultdict(list)
    for subject in subjects:
        by_measure[measure_of(subject, period.kind)].append(subject.factor)
    return {
        (row.place_id, row.factor): row
        for measure, factors in by_measure.items()
        for row in reading.latest(place_ids, measure, period.kind, period.start, period.end, factors=factors)
        if row.method != "none"
    }


def _city(subjects: Sequence[Subject], place_ids: Sequence[int], period: choosing.Period) -> list[dict[str, Any]]:
    """Return the mean of the stations of each factor, where three quarters of them are valid."""
    found = _figures(subjects, place_ids, period)
    row = []
    for subject in subjects:
        held = [found.get((place_id, subject.factor)) for place_id in place_ids]
        figures = [one for one in held if one is not None]  # a station that was never connected is none of the city's
        known = [one.value if one.valid else None for one in figures]
        values = np.array([[np.nan if value is None else value] for value in known], float)
        mean = float(city_mean(values)[0]) if len(values) else float("nan")
        decimals = methods.decimals_of(subject.medium, subject.short, period.kind)
        row.append({
            "value": None if np.isnan(mean) else float(rounded(mean, decimals)[0]),
            "valid": sum(value is not None for value in known), "total": len(figures),
        })  # fmt: skip
    return row
