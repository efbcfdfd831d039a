"""Capture and transmission rates of outlets and stations in a period, and of those who maintain their devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from luming.registry.models import Device, Place
from luming.telemetry.statistics import reading, words
from luming.telemetry.statistics.models import Statistic
from luming.web.access import needs
from luming.web.statistics import choosing

PER_PAGE = 50
GOOD, FAIR = 95.0, 90.0  # % of the effective transmission rate: 95 is the national target (from memory, not verified)


@dataclass(frozen=True, slots=True)
class Rate:
    """A quotient of counts; ``statistic`` leads to the figure where it is a single one."""

    count: int
    required: int
    statistic: int | None = None

    @property
    def value(self) -> float | None:
        """Return the rate in per cent; None where nothing was due."""
        return 100.0 * self.count / self.required if self.required else None

    @property
    def tone(self) -> str:
        """Return how good it is."""
        value = self.value
        return "" if value is None else "is-good" if value >= GOOD else "is-warn" if value >= FAIR else "is-bad"

    @classmethod
    def together(cls, rates: Iterable[Rate]) -> Rate:
        """Return the rate of all of them."""
        every = list(rates)
        return cls(sum(rate.count for rate in every), sum(rate.required for rate in every))


@dataclass(frozen=True, slots=True)
class Row:
    """A place with its rates by measure; of capture that of all its factors together."""

    place: Place
    rates: dict[str, Rate]

    @property
    def worst(self) -> float:
        """Return by what the rows are ordered: the effective transmission rate, unknown ones last."""
        value = self.rates[words.EFFECTIVE].value
        return 101.0 if value is None else value


@needs("data.view")
def page(request: HttpRequest) -> HttpResponse:
    """Show the rates of a month (or day, quarter, year): maintainers first, then places, the worst first."""
    period = choosing.read(request.GET, words.MONTH)
    kind = request.GET.get("of") if request.GET.get("of") in Place.Kind.values else Place.Kind.OUTLET.value
    places = Place.objects.visible_to(request.user).filter(kind=kind, is_active=True)
    rows = rows_of(places.select_related("outlet__facility", "region").order_by("code"), period)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    values: dict[str, Any] = {
        "period": period,
        "kinds": choosing.KINDS,
        "of": kind,
        "places": Place.Kind.choices,
        "page": shown,
        "maintainers": maintainers(rows),
        "measures": [(measure, dict(words.MEASURES)[measure]) for measure in words.RATES],
    }
    return render(request, "web/statistics/rates.html", values)


def rows_of(places: Any, period: choosing.Period) -> list[Row]:
    """Return the places that have rates in a period, the worst first."""
    every = {place.pk: place for place in places}
    found: dict[tuple[int, str], list[Statistic]] = defaultdict(list)
    for measure in words.RATES:
        for row in reading.latest(every, measure, period.kind, period.start, period.end):
            found[row.place_id, measure].append(row)
    rows = [
        Row(place, {measure: _rate(found.get((pk, measure), ())) for measure in words.RATES})
        for pk, place in every.items()
        if any((pk, measure) in found for measure in words.RATES)
    ]
    return sorted(rows, key=lambda row: (row.worst, row.place.code))


def _rate(statistics: Sequence[Statistic]) -> Rate:
    single = statistics[0].pk if len(statistics) == 1 else None
    together = Rate.together(Rate(one.count, one.required) for one in statistics)
    return Rate(together.count, together.required, single)


def maintainers(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rates of each maintainer's places, the worst first."""
    of_place = dict(
        Device.objects.filter(place__in=[row.place.pk for row in rows], is_active=True, maintainer__isnull=False)
        .order_by("pk")
        .values_list("place_id", "maintainer__name")
    )
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.place.pk in of_place:
            groups[of_place[row.place.pk]].append(row)
    found = [
        {
            "name": name,
            "places": len(members),
            "rates": {measure: Rate.together(row.rates[measure] for row in members) for measure in words.RATES},
        }
        for name, members in groups.items()
    ]
    return sorted(found, key=lambda one: (one["rates"][words.EFFECTIVE].value or 0.0, one["name"]))
