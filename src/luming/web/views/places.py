"""Stations and outlets: the list, the page of one, its values down to the packet."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import manifest
from luming.registry.models import Limit, Medium, Place, Region, Series, region_prefix
from luming.registry.queries import limits_in_force
from luming.telemetry import store
from luming.telemetry.models import Gap, Judgement
from luming.telemetry.quality import words as quality_words
from luming.web import judgements, periods, words
from luming.web.access import needs
from luming.web.live import live
from luming.web.onefile import subjects
from luming.web.onefile import views as onefile
from luming.web.onefile.outlets import Latest
from luming.web.quality import said as verdicts
from luming.web.states import current as with_state
from luming.web.templatetags.luming import outletname

PER_PAGE = 50
ROWS_SHOWN = 120
SORTS = {
    "code": ("code",),
    "name": ("name", "code"),
    "region": ("region_id", "code"),
    "medium": ("medium", "code"),
    "state": ("current__state", "code"),
    "value": ("-current__value", "code"),
    "period": ("-current__period", "code"),
}


@needs("data.view")
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List the places in the user's scope, filtered and sorted."""
    visible = Place.objects.visible_to(request.user)
    found = _filtered(visible, request)
    sort = request.GET.get("sort", "code")
    order = SORTS.get(sort.lstrip("-"), SORTS["code"])
    if sort.startswith("-"):
        order = tuple(name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order)
    found = found.select_related("current", "region", "outlet__facility", "station").order_by(*order)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    values = {
        "page": page,
        "rows": with_state(page),
        "total": page.paginator.count,
        "sort": sort,
        "kinds": Place.Kind.choices,
        "media": Medium.choices,
        "regions": Region.objects.filter(
            Q(pk__in=visible.order_by().values("region")) | Q(pk=request.GET.get("region", ""))
        ),
        "states": _states(),
        "filtered": any(request.GET.get(name) for name in ("q", "kind", "medium", "region", "state", "target")),
    }
    template = "web/places_table.html" if request.htmx and not request.htmx.boosted else "web/places.html"
    return render(request, template, values)


def _states() -> list[tuple[str, Any]]:
    """Return the states of all layers once, in the order of the legends."""
    return list({name: words.state(name).label for layer in manifest.layers() for name, *_ in layer.legend}.items())


def _filtered(places: Any, request: HttpRequest) -> Any:
    get = request.GET.get
    if q := (get("q") or "").strip():
        places = places.filter(
            Q(name__icontains=q) | Q(code__icontains=q) | Q(outlet__facility__name__icontains=q) | Q(devices__mn=q)
        ).distinct()
    for name in ("kind", "medium"):
        if value := get(name):
            places = places.filter(**{name: value})
    if region := get("region"):  # with the regions inside it
        places = places.filter(region__code__startswith=region_prefix(region))
    if get("target") == "missed":
        places = places.filter(medium=Medium.WATER, current__value__gt=F("station__target_class"))
    if state := get("state"):
        missing = Q(current__isnull=True) if state == "no-data" else Q()
        places = places.filter(missing | Q(current__state=state)) if missing else places.filter(current__state=state)
    return places


def _place(request: HttpRequest, pk: int) -> Place:
    """Return a place in the user's scope, else there is none."""
    rows = Place.objects.visible_to(request.user).select_related("current", "region", "station", "outlet__facility")
    return get_object_or_404(rows, pk=pk)


@needs("data.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one place: its state, its chart and table, and the panels of all manifests."""
    file = subjects.place_file(request.user, pk)
    place = file.subject
    every = list(Series.objects.filter(place=place.pk))
    outlet = place.kind == Place.Kind.OUTLET
    values: dict[str, Any] = {
        "look": periods.read(request.GET, every, place.medium, timezone.now()),
        "spans": periods.SPANS,
        "has_converted": outlet and place.medium == Medium.GAS,
        "has_amount": outlet,
        "title": outletname(place) if outlet else place.name,
    }
    values |= _current(place, every)
    values["states"], values["icon_of"] = [(values["now"].word, 0)], values["now"].icon
    return onefile.page(request, file, "web/place.html", **values)


@needs("data.view")
@live
def current(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the head of a place's page: state, judgement and latest values."""
    place = _place(request, pk)
    return render(request, "web/place_now.html", _current(place, list(Series.objects.filter(place=place))))


def _current(place: Place, every: list[Series]) -> dict[str, Any]:
    newest = Judgement.objects.filter(place=place.pk).order_by("-start", "-revision").first()
    return {
        "place": place,
        "now": with_state([place])[0],
        "judgement": newest,
        "edition": judgements.edition(newest),
        "latest": _latest(place, every),
    }


def _latest(place: Place, every: list[Series]) -> list[dict[str, Any]]:
    """Return each factor with its newest real-time and hourly value and its limit."""
    limits = _limit_by_factor(place)
    newest = store.latest([series.pk for series in every], since=timezone.now() - timedelta(days=7))
    by_factor: dict[str, dict[str, Any]] = defaultdict(dict)
    for series in periods.in_order(every, place.medium):
        row = by_factor[series.factor]
        row.setdefault("factor", series.factor)
        row.setdefault("unit", series.unit)
        row[series.interval] = newest.get(series.pk)
        row[f"{series.interval}_series"] = series
        row["limit"] = limits.get(series.factor)
    for row in by_factor.values():
        latest = Latest(row.get("hour_series"), row.get("hour"), row["limit"])
        row |= {"exceeds": latest.exceeds, "lower": latest.lower, "upper": latest.upper}
    return list(by_factor.values())


def _limit_by_factor(place: Place) -> dict[str, Limit]:
    """Return the hourly limits in force by factor."""
    if place.kind != Place.Kind.OUTLET:
        return {}
    found = limits_in_force([place.pk], timezone.now()).get(place.pk, [])
    return {limit.factor: limit for limit in found if limit.basis == Limit.Basis.HOUR}


@needs("data.view")
def chart(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the points of a chart as JSON; many points come thinned, with minimum and maximum kept."""
    place = _place(request, pk)
    now = timezone.now()
    look = periods.read(request.GET, list(Series.objects.filter(place=place)), place.medium, now)
    limits = _limit_by_factor(place)
    gaps = _gaps(request, place, look)
    answer = {
        "start": _milliseconds(look.start),
        "end": _milliseconds(look.end),
        "offset": int(timezone.localtime(now).utcoffset().total_seconds() * 1000),  # type: ignore[union-attr]
        "interval": look.interval,
        "series": judgements.chart_series(look, limits),
        "gaps": gaps,
    }
    return HttpResponse(judgements.dumps(answer), content_type="application/json")


def _gaps(request: HttpRequest, place: Place, look: periods.Look) -> list[dict[str, Any]]:
    if not request.user.may("device.view"):
        return []
    found = (
        Gap.objects.visible_to(request.user)
        .filter(device__place=place, interval=look.interval, start__lt=look.end, end__gt=look.start)
        .exclude(state=Gap.State.FILLED)
    )
    return [
        {"start": _milliseconds(gap.start), "end": _milliseconds(gap.end), "cause": gap.get_cause_display()}
        for gap in found[:500]
    ]


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


@needs("data.view")
def values(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the table of values of the chosen period, newest first."""
    place = _place(request, pk)
    look = periods.read(request.GET, list(Series.objects.filter(place=place)), place.medium, timezone.now())
    rows = list(_rows(look, ROWS_SHOWN + 1))
    return render(
        request,
        "web/place_values.html",
        {"place": place, "look": look, "rows": rows[:ROWS_SHOWN], "more": len(rows) > ROWS_SHOWN},
    )


def _rows(look: periods.Look, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield the periods of the look, newest first, with one cell per series (None where nothing is held)."""
    if not look.series:
        return
    start = look.start
    if limit is not None:  # only the end of a long period is read
        finest = min(series.seconds for series in look.series) or 60
        start = max(start, look.end - timedelta(seconds=finest * limit * 2))
    columns = store.effective([series.pk for series in look.series], start, look.end)
    position = {series.pk: index for index, series in enumerate(look.series)}
    table: dict[int, list[dict[str, Any] | None]] = {}
    moments = columns.start.astype("datetime64[ms]").astype(np.int64)
    chosen = getattr(columns, look.column)
    used = getattr(columns, _USED.get(look.column, look.column))
    counting = columns.counts
    for i, series_id in enumerate(columns.series_id.tolist()):
        row = table.setdefault(int(moments[i]), [None] * len(look.series))
        value = float(chosen[i])
        row[position[series_id]] = {
            "value": None if np.isnan(value) else value,
            "flag": str(columns.flag[i] or "").strip(),
            "revision": int(columns.revision[i]),
            "series": series_id,
            "state": int(columns.quality[i]),
            "quality": quality_words.QUALITIES[store.Quality(int(columns.quality[i]))],
            "counts": bool(counting[i]),
            "used": _figure(used[i]) if columns.replaced[i] else None,
        }
    for moment in sorted(table, reverse=True)[:limit]:
        yield {
            "start": datetime.fromtimestamp(moment / 1000, UTC),
            "ms": moment,
            "cells": table[moment],
            "seconds": look.series[0].seconds,
        }


_USED = {"value": "used", "converted": "used_converted", "amount": "used_amount"}


def _figure(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _cells(cell: dict[str, Any], said: dict[int, str]) -> list[Any]:
    """Return value, mark of the device, quality in words, and the value that counts: none where none does."""
    counted = cell["used"] if cell["used"] is not None else cell["value"]
    return [cell["value"], cell["flag"], said[cell["state"]], counted if cell["counts"] else ""]


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@needs("data.view")
def values_csv(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Return the values of the chosen period as CSV, oldest first, times of the city."""
    place = _place(request, pk)
    look = periods.read(request.GET, list(Series.objects.filter(place=place)), place.medium, timezone.now())
    writer = csv.writer(_Echo())

    # the words are chosen now: the lines are written when the language of the request is no longer active
    head = [_("Start")]
    for series in look.series:
        name = words.factor_name(series.factor)
        head += [f"{name} ({series.unit})", f"{name} {_('mark')}", f"{name} {_('quality')}", f"{name} {_('counts as')}"]
    said = {int(key): str(word.label) for key, word in quality_words.QUALITIES.items()}

    def lines() -> Iterator[str]:
        yield "\ufeff"  # Excel takes the file for UTF-8 only with this mark
        yield writer.writerow(head)
        for row in sorted(_rows(look), key=lambda row: row["ms"]):
            cells: list[Any] = [timezone.localtime(row["start"]).isoformat()]
            for cell in row["cells"]:
                cells += ["", "", "", ""] if cell is None else _cells(cell, said)
            yield writer.writerow(cells)

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    name = f"{place.code}-{look.interval}-{look.first_day}-{look.last_day}.csv"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


@needs("data.view")
def value(request: HttpRequest, pk: int, series: int, start: int) -> HttpResponse:
    """Return one value with all its revisions and the packets they came in."""
    place = _place(request, pk)
    row = get_object_or_404(Series, pk=series, place=place)
    try:
        moment = datetime.fromtimestamp(start / 1000, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Http404 from error
    history = store.history(row.pk, moment)
    if not history:
        raise Http404
    used = judgements.uses(place, row, moment) if row.interval == "hour" else []
    return render(
        request,
        "web/value.html",
        {
            "place": place,
            "series": row,
            "start": moment,
            "ms": start,
            "history": sorted(history, key=lambda item: -item.revision),
            "uses": used,
            "verdicts": verdicts.of_value(row.pk, moment, history[-1]),
        },
    )


@needs("data.view")
def judgement(request: HttpRequest, pk: int, judgement: int) -> HttpResponse:
    """Show one judgement: the edition, the figures of each factor, the values it used and their packets."""
    place = _place(request, pk)
    found = get_object_or_404(Judgement, pk=judgement, place=place)
    values = judgements.explained(place, found)
    return render(request, "web/judgement.html", {"place": place, "judgement": found} | values)


@needs("data.view")
def facility(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one enterprise, one file (一企一档)."""
    file = subjects.facility_file(request.user, pk)
    found = Counter(row.state for row in with_state(subjects.places_of(request.user, file.subject)))
    states = [(words.state(key), count) for key, count in sorted(found.items(), key=_gravity)]
    return onefile.page(request, file, "web/facility.html", states=states)


def _gravity(item: tuple[str, int]) -> tuple[int, int]:
    """Order states for a headline: what exceeds first, then what is unknown, then the most frequent."""
    return {"exceeding": 0, "no-data": 1}.get(item[0], 2), -item[1]
