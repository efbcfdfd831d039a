"""Places as GeoJSON features with their current state, for the layers of the one map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from luming.core.models import User
from luming.registry.models import Place
from luming.telemetry.judging import NO_DATA

# Rank of a state among the features that overlap: the worse is drawn on top.
FeatureCollection = dict[str, Any]


def state_features(user: User, kind: str, media: frozenset[str], colours: Mapping[str, str]) -> FeatureCollection:
    """Return the visible, active places of some media as points.

    Each feature has ``id`` (of the place) and the properties ``name, code, medium, state, value, colour, period,
    detail``; places without a state are ``no-data``.
    """
    places = (
        Place.objects.visible_to(user)
        .filter(kind=kind, medium__in=media, is_active=True)
        .select_related("current")
        .order_by("pk")
    )
    features = [_feature(place, colours) for place in places]
    return {"type": "FeatureCollection", "features": features}


def _feature(place: Place, colours: Mapping[str, str]) -> dict[str, Any]:
    current = getattr(place, "current", None)
    state = current.state if current else NO_DATA
    return {
        "type": "Feature",
        "id": place.pk,
        "geometry": {"type": "Point", "coordinates": [place.longitude, place.latitude]},
        "properties": {
            "name": place.name,
            "code": place.code,
            "medium": place.medium,
            "state": state,
            "value": current.value if current else None,
            "colour": colours.get(state, colours[NO_DATA]),
            "period": current.period.isoformat() if current and current.period else None,
            "detail": current.detail if current else {},
        },
    }
