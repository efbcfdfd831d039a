"""Places as GeoJSON features with their state, now or at an instant, for the layers of the one map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.registry.models import Place, PlaceQuerySet
from luming.telemetry.judging import NO_DATA, overdue, slowest_seconds

FeatureCollection = dict[str, Any]

# Groups of the list of layers. Upwind of a point the map looks for what is in SOURCES.
ENVIRONMENT = _("Quality of the environment")
SOURCES = _("Pollution sources")

# How much a state asks for attention: 2 at once, 1 soon; anything else that is known asks for none.
_ATTENTION = {
    "exceeding": 2, "level-4": 2, "level-5": 2, "level-6": 2, "class-6": 2, "level-3": 1, "class-4": 1, "class-5": 1,
}  # fmt: skip
_UNKNOWN = frozenset({NO_DATA, "level-0", ""})


@dataclass(frozen=True, slots=True)
class PastState:
    """What was known of a place at an instant."""

    state: str = NO_DATA
    value: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    period: datetime | None = None
    since: datetime | None = None


def attention(state: str | None) -> int | None:
    """Return how much a state asks for attention, from 0 to 2; None when nothing is known."""
    if state is None or state in _UNKNOWN:
        return None
    return _ATTENTION.get(state, 0)


def state_features(
    user: User, kind: str, media: frozenset[str], colours: Mapping[str, str], judged: str, at: datetime | None = None
) -> FeatureCollection:
    """Return the visible, active places of some media as points, now or ``at`` an instant.

    Each feature has ``id`` (of the place) and the properties ``name, code, medium, state, value, colour, period,
    since, detail``; places without a state are ``no-data``. ``judged`` is the kind of the judgements that are the
    places' live state.
    """
    places = Place.objects.visible_to(user).filter(kind=kind, medium__in=media, is_active=True).order_by("pk")
    if at is not None:
        past = states_at(places, [judged], at)
        features = [feature(place, past.get(place.pk), colours) for place in places]
    else:
        features = [
            feature(place, getattr(place, "current", None), colours) for place in places.select_related("current")
        ]
    return {"type": "FeatureCollection", "features": features}


def feature(place: Place, known: Any, colours: Mapping[str, str]) -> dict[str, Any]:
    """Return a place as a feature with what is known of it: its row of states, a past state, or None."""
    state = known.state if known else NO_DATA
    return {
        "type": "Feature",
        "id": place.pk,
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        "properties": {
            "name": place.name,
            "code": place.code,
            "medium": place.medium,
            "state": state,
            "value": known.value if known else None,
            "colour": colours.get(state, colours[NO_DATA]),
            "period": known.period.isoformat() if known and known.period else None,
            "since": known.since.isoformat() if known and known.since else None,
            "detail": known.detail if known else {},
        },
    }


def states_at(places: PlaceQuerySet, judged: Iterable[str], at: datetime) -> dict[int, PastState]:
    """Return the states that places had at an instant: of the newest judged period that had begun before.

    A place whose newest period was overdue by then had no data, as :func:`luming.telemetry.judging.mark_silent` says.
    Where one period was judged again, its last judgement counts: the past as it is known today. Each place costs a
    look into the index of judgements.
    """
    slowest = slowest_seconds(places)
    ids = list(places.order_by().values_list("pk", flat=True))
    earliest = at - overdue(max(slowest.values(), default=3600))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.id, found.state, found.value, found.detail::text, found.start
            FROM unnest(%s::bigint[]) AS wanted (id) CROSS JOIN LATERAL (
                SELECT state, value, detail, start FROM telemetry_judgement
                WHERE place_id = wanted.id AND kind = ANY(%s) AND start >= %s AND start < %s
                ORDER BY start DESC, revision DESC LIMIT 1
            ) AS found
            """,
            (ids, list(judged), earliest, at),
        )
        rows = cursor.fetchall()
    return {
        place_id: PastState(state, value, orjson.loads(detail), start)
        for place_id, state, value, detail, start in rows
        if start + overdue(slowest.get(place_id, 3600)) >= at
    }


def place_page(pk: Any) -> str:
    """Return the address of a place's own page."""
    return reverse("place", args=[pk])
