"""Lists that stand between a number of the cockpit and the values it was made from: judgements, completeness."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core import manifest
from luming.registry.models import Facility, Medium, Place
from luming.telemetry.models import Judgement
from luming.web import words
from luming.web.access import needs
from luming.web.cockpit import tiles
from luming.web.states import headline

PER_PAGE = 50
HOURS = {"24": _("24 hours"), "168": _("7 days"), "720": _("30 days")}


@needs("data.view")
def judgements(request: HttpRequest) -> HttpResponse:
    """List judgements of the chosen kind, state and time, newest first; each leads to its values and packets."""
    get = request.GET.get
    places = Place.objects.visible_to(request.user)
    facility = None
    if get("facility", "").isdecimal():
        facility = Facility.objects.visible_to(request.user).filter(pk=get("facility")).first()
        places = places.filter(outlet__facility=facility) if facility else places.none()
    if get("medium") in Medium.values:
        places = places.filter(medium=get("medium"))
    hours = get("hours") if get("hours") in HOURS else "24"
    rows = _newest(places, get("kind", ""), timezone.now() - timedelta(hours=int(hours)))
    if state := get("state"):
        rows = rows.filter(state=state)
    page = Paginator(rows.select_related("place__outlet__facility", "place__region"), PER_PAGE).get_page(get("page"))
    for row in page:
        row.word = words.state(row.state)
        row.headline = headline(row.place.medium, row.value, row.detail)
    legends = (entry for layer in manifest.layers() for entry in layer.legend)
    values: dict[str, Any] = {
        "page": page,
        "hours": hours,
        "choices": HOURS,
        "facility": facility,
        "media": Medium.choices,
        "states": list({key: words.state(key).label for key, *_rest in legends}.items()),
    }
    return render(request, "web/cockpit/judgements.html", values)


@needs("data.view")
def completeness(request: HttpRequest) -> HttpResponse:
    """List the places by how complete their hourly values of the last seven days are, the worst first."""
    days = tiles.last_days()
    series = tiles.expected_series(request.user)
    counts = tiles.held_and_expected(series, days[0], days[-1] + timedelta(days=1))
    ranked = sorted(counts, key=lambda place: (counts[place][0] / counts[place][1], place))
    page = Paginator(ranked, PER_PAGE).get_page(request.GET.get("page"))
    places = Place.objects.visible_to(request.user).select_related("outlet__facility", "region").in_bulk(list(page))
    rows = [
        (places[pk], held, expected, 100 * held / expected)
        for pk in page
        for held, expected in [counts[pk]]
        if pk in places
    ]
    return render(request, "web/cockpit/completeness.html", {"page": page, "rows": rows, "since": days[0]})


def _newest(places: Any, kind: str, since: Any) -> QuerySet[Judgement]:
    """Return the latest revision of each judged period since then."""
    later = Judgement.objects.filter(
        place=OuterRef("place"), kind=OuterRef("kind"), start=OuterRef("start"), revision__gt=OuterRef("revision")
    )
    rows = Judgement.objects.filter(~Exists(later), place__in=places.order_by().values("pk"), start__gte=since)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.order_by("-start", "place__code", "kind")
