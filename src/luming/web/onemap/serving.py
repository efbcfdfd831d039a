"""Layers as the browser gets them: checked, worded, kept compressed for some seconds, 304 while nothing changed."""

from __future__ import annotations

import gzip
import hashlib
import math
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from luming.core import manifest
from luming.core.manifest import Layer
from luming.core.models import User
from luming.registry.models import Medium
from luming.telemetry.mapping import SOURCES, attention
from luming.web import words
from luming.web.live import shared
from luming.web.states import headline

LIVE_SECONDS = 5  # what people of one scope see alike is computed once in this time
PAST_SECONDS = 120
EARLIEST = 1900  # year
_FAST = 4  # compression level: a layer of 20,000 points is sent in a third of the time of level 9


class QuestionError(ValueError):
    """What was asked for cannot be answered; the text says why, to a person."""


class Body(NamedTuple):
    """An answer as it is kept."""

    etag: str
    packed: bytes


def layers_of(user: User) -> list[Layer]:
    """Return the layers that a user may see."""
    return [layer for layer in manifest.layers() if user.may(layer.permission)]


def layer_of(user: User, key: str) -> Layer:
    """Return the layer of a key; what a user may not see does not exist."""
    for layer in layers_of(user):
        if layer.key == key:
            return layer
    raise Http404


def instant(text: str | None) -> datetime | None:
    """Read the instant of a request; nothing stands for now.

    Raises
    ------
    QuestionError
        The text is no instant with its zone, or lies in the future, or before anything was measured.
    """
    if not text:
        return None
    try:
        at = parse_datetime(text.replace(" ", "+"))  # a plus sign that was not escaped
    except ValueError:
        at = None
    if at is None or timezone.is_naive(at) or at.year < EARLIEST:
        raise QuestionError(_("“%(text)s” is no instant; write it like 2026-11-24T08:00+08:00.") % {"text": text[:40]})
    if at > timezone.now() + timedelta(hours=1):
        raise QuestionError(_("The map shows what was and what is, not the future."))
    return at


def point(longitude: str | None, latitude: str | None) -> tuple[float, float]:
    """Read a point of a request.

    Raises
    ------
    QuestionError
        It is none.
    """
    try:
        x, y = float(longitude or ""), float(latitude or "")
    except ValueError:
        x = y = math.nan
    if not (-180 <= x <= 180 and -90 <= y <= 90):  # neither is a NaN
        raise QuestionError(_("A point has a longitude and a latitude."))
    return x, y


def collection(layer: Layer, user: User, at: datetime | None) -> dict[str, Any]:
    """Return a layer's features; a layer without history is shown as it is now at any instant."""
    return layer.features(user, at=at) if at is not None and layer.timed else layer.features(user)


def legend(layer: Layer) -> list[dict[str, str]]:
    """Return a layer's legend in the reader's language."""
    return [{"state": state, "label": str(label), "colour": colour} for state, label, colour in layer.legend]


def described(layer: Layer) -> dict[str, Any]:
    """Return what the list of layers says of one, without its features."""
    return {
        "key": layer.key,
        "label": str(layer.label),
        "group": str(layer.group or _("Other layers")),
        "geometry": layer.geometry,
        "timed": layer.timed,
        "shown": layer.shown,
        "page": layer.page is not None,
        "sources": layer.group == SOURCES,
        "legend": legend(layer),
    }


def word_of(layer: Layer, state: str | None) -> str:
    """Return the words of a state: the layer's own, else those of the other layers' legends."""
    for name, label, _colour in layer.legend:
        if name == state:
            return str(label)
    return str(words.state(state).label)


def attention_of(properties: dict[str, Any]) -> int:
    """Return how much a feature asks for attention, from 0 to 2; -1 when nothing is known of it."""
    level = properties.get("attention", attention(properties.get("state")))
    return -1 if level is None else int(level)


def slim(layer: Layer, features: dict[str, Any]) -> dict[str, Any]:
    """Return features as a map needs them: the line that says more in place of the detail, words only if not in the
    legend, and nothing that is empty."""
    known = {name for name, _label, _colour in layer.legend}
    media = set(Medium.values)
    found = []
    for feature in features["features"]:
        properties = dict(feature["properties"])
        detail = properties.pop("detail", None) or {}
        if detail and properties.get("medium") in media:
            properties["headline"] = headline(properties["medium"], properties.get("value"), detail)
        if (level := attention_of(properties)) > 0:
            properties["attention"] = level
        else:
            properties.pop("attention", None)
        if layer.legend and properties.get("state") and properties["state"] not in known:
            properties["label"] = word_of(layer, properties["state"])
        kept = {name: value for name, value in properties.items() if value not in (None, "")}
        found.append({**feature, "properties": kept})
    return {"type": "FeatureCollection", "features": found}


def body_of(layer: Layer, user: User, at: datetime | None) -> Body:
    """Return a layer's answer, computed once in some seconds for all people of one scope and language."""

    def make() -> Body:
        data = slim(layer, collection(layer, user, at))
        tally = Counter(feature["properties"].get("state") for feature in data["features"])
        content = orjson.dumps(
            {
                "key": layer.key,
                "count": len(data["features"]),
                "states": {state or "": number for state, number in tally.items()},
                "at": at.isoformat() if at is not None and layer.timed else None,
                "data": data,
            }
        )
        digest = hashlib.blake2b(content, digest_size=12).hexdigest()
        return Body(f'"{digest}"', gzip.compress(content, _FAST))

    when = at.isoformat() if at is not None and layer.timed else "now"
    name = f"onemap.{layer.key}.{when}.{get_language()}"
    return shared(name, user, PAST_SECONDS if when != "now" else LIVE_SECONDS, make)


def answer(request: HttpRequest, body: Body) -> HttpResponse:
    """Send a kept answer, or say that the browser has it."""
    headers = {"ETag": body.etag, "Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Encoding"}
    if request.headers.get("If-None-Match") in (body.etag, f"W/{body.etag}"):
        return HttpResponseNotModified(headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return HttpResponse(body.packed, content_type="application/geo+json", headers=headers)
    return HttpResponse(gzip.decompress(body.packed), content_type="application/geo+json", headers=headers)
