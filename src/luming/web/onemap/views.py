"""The one map: its page and what its layers, its selection and its wind ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from luming.core import manifest
from luming.registry import city
from luming.registry.models import Region
from luming.web import words
from luming.web.access import needs
from luming.web.live import live
from luming.web.onemap import base, inside, serving, wind
from luming.web.onemap.serving import QuestionError
from luming.web.onemap.texts import texts

RELIEF_SECONDS = 7 * 86400


def answered(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer a question that cannot be answered with the sentence that says why."""

    @functools.wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except QuestionError as error:
            return JsonResponse({"error": str(error)}, status=400)

    return asked


@needs("data.view")
def page(request: HttpRequest) -> HttpResponse:
    """Show the one map; the browser asks for the layers."""
    profile = city.profile()
    regions = Region.objects.filter(boundary__isnull=False).order_by("code").values_list("code", "name", "name_en")
    chinese = words.chinese()
    setup = {
        "layers": [serving.described(layer) for layer in serving.layers_of(request.user)],
        "regions": [[code, name if chinese else english or name] for code, name, english in regions],
        "tianditu": settings.LUMING_TIANDITU_KEY,
        "relief": base.relief(),
        "zone": profile.zone,
        "urls": {
            "layer": reverse("map-layer", args=["KEY"]),
            "feature": reverse("map-feature", args=["KEY", "ID"]),
            "inside": reverse("map-inside"),
            "wind": reverse("map-wind"),
        },
        "texts": texts(),
    }
    labels = {"sketch_label": profile.text("label"), "attribution": profile.text("attribution")}
    return render(request, "web/onemap/map.html", {"setup": setup, **labels})


@needs("data.view")
@answered
def layer(request: HttpRequest, key: str) -> HttpResponse:
    """Return one layer as GeoJSON, now or at an instant."""
    found = serving.layer_of(request.user, key)
    return serving.answer(request, serving.body_of(found, request.user, serving.instant(request.GET.get("at"))))


@needs("data.view")
def feature(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Lead to the page of a feature; it says itself who may see it."""
    found = serving.layer_of(request.user, key)
    if found.page is None:
        raise Http404
    try:
        return redirect(found.page(int(pk) if pk.isdecimal() and len(pk) < 20 else pk))
    except NoReverseMatch as error:  # a page that this installation does not have
        raise Http404 from error


@needs("data.view")
@require_POST
@answered
def within(request: HttpRequest) -> HttpResponse:
    """Return what lies inside an area: counted and listed, or as a file."""
    asked = request.body if request.content_type == "application/json" else request.POST.get("query", "")
    question = inside.read(request.user, asked)
    found = inside.find(request.user, question)
    name = f"map-{timezone.localtime():%Y%m%d-%H%M}"
    match request.POST.get("format"):
        case "csv":
            response = HttpResponse(inside.as_csv(found), content_type="text/csv; charset=utf-8")
            response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        case "geojson":
            response = HttpResponse(inside.as_geojson(found), content_type="application/geo+json")
            response["Content-Disposition"] = f'attachment; filename="{name}.geojson"'
        case _:
            response = JsonResponse(inside.summary(question, found))
    return response


@needs("data.view")
@answered
def wind_at(request: HttpRequest) -> HttpResponse:
    """Return the wind at the station that is nearest to a point."""
    point = serving.point(request.GET.get("lon"), request.GET.get("lat"))
    found = wind.nearest(request.user, point, serving.instant(request.GET.get("at")) or timezone.now())
    if found is None:
        return JsonResponse({"wind": None})
    start = timezone.localtime(found.start)
    return JsonResponse(
        {
            "wind": {
                "station": found.station.name,
                "url": reverse("place", args=[found.station.pk]),
                "distance": found.distance,
                "start": start.isoformat(),
                "speed": found.speed,
                "direction": found.direction,
                "calm": found.calm,
            }
        }
    )


@needs("data.view")
@live
def map_layers(request: HttpRequest) -> HttpResponse:
    """Return the layers that a map opens with as GeoJSON, with the words of their states, for a small map."""
    layers = []
    for layer in manifest.layers():
        if not layer.shown or layer.geometry != "point" or not request.user.may(layer.permission):
            continue
        collection = layer.features(request.user)
        for feature in collection["features"]:
            properties = feature["properties"]
            properties["label"] = serving.word_of(layer, properties.get("state"))
            properties.pop("detail", None)
        layers.append({"key": layer.key, "label": str(layer.label), "data": collection})
    return JsonResponse({"layers": layers})


@needs("data.view")
@live
def base_map(request: HttpRequest) -> HttpResponse:
    """Return districts and rivers, drawn by the browser: no tile comes from outside."""
    return HttpResponse(base.base_map_body(), content_type="application/json")


@needs("data.view")
def relief(request: HttpRequest) -> HttpResponse:
    """Return the picture of the city's hill shade."""
    path = city.profile().relief
    if path is None:
        raise Http404
    response = HttpResponse(path.read_bytes(), content_type="image/webp")
    response["Cache-Control"] = f"private, max-age={RELIEF_SECONDS}"
    return response
