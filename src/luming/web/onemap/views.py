"""The one map: its page and what its layers, its selection and its wind ask for."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from luming.core import manifest
from luming.web import words
from luming.web.access import needs
from luming.web.live import live
from luming.web.onemap import base


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
            word = words.state(properties.get("state"))
            properties["label"] = str(word.label)
            properties.pop("detail", None)
        layers.append({"key": layer.key, "label": str(layer.label), "data": collection})
    return JsonResponse({"layers": layers})


@needs("data.view")
@live
def base_map(request: HttpRequest) -> HttpResponse:
    """Return districts and rivers, drawn by the browser: no tile comes from outside."""
    return HttpResponse(base.base_map_body(), content_type="application/json")
