"""Layers that look across the domains: facilities and districts, by the worst state of the places in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Layer, layers
from luming.core.models import User
from luming.registry.models import Facility, Place, Region, region_filter
from luming.telemetry.mapping import SOURCES, FeatureCollection, attention
from luming.web import words

# One legend for both: how much the worst place asks for attention.
LEGEND = [
    ("watch-2", gettext_lazy("Exceeding or polluted"), "#e03131"),
    ("watch-1", gettext_lazy("Lightly polluted, class IV or V"), "#f08c00"),
    ("watch-0", gettext_lazy("Nothing out of order"), "#37b24d"),
    ("watch-none", gettext_lazy("Nothing known"), "#868e96"),
]
COLOURS = {state: colour for state, _label, colour in LEGEND}
_DISTRICT_DIGITS = 6  # of a code of GB/T 2260


def _states(user: User, at: datetime | None, group: Any = None) -> dict[int, str]:
    """Return the state of each visible place, now or at an instant, as the domains' layers (of a group) have it."""
    if at is None:
        return dict(Place.objects.visible_to(user).filter(current__isnull=False).values_list("pk", "current__state"))
    states: dict[int, str] = {}
    for layer in layers():
        wanted = layer.geometry == "point" and layer.timed and layer not in LAYERS
        if wanted and (group is None or layer.group == group):
            for item in layer.features(user, at=at)["features"]:
                if "medium" in item["properties"]:  # a place, not another thing of a domain
                    states[item["id"]] = item["properties"]["state"]
    return states


def facilities(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the facilities the user may see, coloured by the worst of their outlets."""
    states = _states(user, at, SOURCES)
    outlets: dict[int, list[str | None]] = defaultdict(list)
    rows = Place.objects.visible_to(user).filter(kind=Place.Kind.OUTLET, is_active=True).order_by()
    for place_id, facility_id in rows.values_list("pk", "outlet__facility_id"):
        outlets[facility_id].append(states.get(place_id))
    found = Facility.objects.visible_to(user).exclude(status=Facility.Status.CLOSED).order_by("pk")
    fields = ("pk", "name", "code", "industry", "longitude", "latitude")
    return _collection(
        _feature(
            pk,
            {"type": "Point", "coordinates": [longitude, latitude]},
            {"name": name, "code": code, "value": None, "facts": _facility_facts(industry, len(outlets[pk]))},
            outlets[pk],
        )
        for pk, name, code, industry, longitude, latitude in found.values_list(*fields)
    )


def _facility_facts(industry: str, outlets: int) -> list[list[Any]]:
    return [*([[_("Industry"), industry]] if industry else []), [_("Outlets"), outlets]]


def districts(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the districts with a boundary that hold anything the user may see, with counts of it."""
    states = _states(user, at)
    members: dict[str, list[str | None]] = defaultdict(list)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    places = Place.objects.visible_to(user).filter(is_active=True).order_by()
    for pk, kind, code in places.values_list("pk", "kind", "region_id"):
        members[code[:_DISTRICT_DIGITS]].append(states.get(pk))
        kinds[code[:_DISTRICT_DIGITS]][kind] += 1
    sites: Counter[str] = Counter(
        code[:_DISTRICT_DIGITS]
        for code in Facility.objects.visible_to(user).order_by().values_list("region_id", flat=True)
    )
    mine = Region.objects.filter(boundary__isnull=False, level__in=[Region.Level.DISTRICT, Region.Level.ZONE]).defer(
        "boundary_source"
    )
    if user.is_internal:
        mine = mine.filter(region_filter(user, "code"))
    else:
        mine = mine.filter(code__in={*members, *sites})
    chinese = words.chinese()
    return _collection(
        _feature(
            int(region.code),
            region.boundary,
            {
                "name": region.name if chinese else region.name_en or region.name,
                "code": region.code,
                "value": len(members[region.code]),
                "facts": [
                    [_("Facilities"), sites[region.code]],
                    [_("Outlets"), kinds[region.code][Place.Kind.OUTLET]],
                    [_("Stations"), kinds[region.code][Place.Kind.STATION]],
                    [_("Out of order"), sum((attention(state) or 0) > 0 for state in members[region.code])],
                ],
            },
            members[region.code],
        )
        for region in mine
    )


def _feature(pk: int, geometry: Any, properties: dict[str, Any], parts: Iterable[str | None]) -> dict[str, Any]:
    worst = max((level for state in parts if (level := attention(state)) is not None), default=None)
    state = "watch-none" if worst is None else f"watch-{worst}"
    known = {"state": state, "colour": COLOURS[state], "attention": worst}
    return {"type": "Feature", "id": pk, "geometry": geometry, "properties": properties | known}


def _collection(features: Iterable[dict[str, Any]]) -> FeatureCollection:
    return {"type": "FeatureCollection", "features": list(features)}


FACILITIES = Layer(
    "facilities",
    gettext_lazy("Facilities"),
    facilities,
    LEGEND,
    order=29,
    group=SOURCES,
    timed=True,
    page=lambda pk: reverse("facility", args=[pk]),
    shown=False,
)
DISTRICTS = Layer(
    "districts",
    gettext_lazy("Districts"),
    districts,
    LEGEND,
    order=90,
    group=gettext_lazy("Areas"),
    geometry="polygon",
    timed=True,
    page=lambda pk: reverse("region", args=[pk]),
    shown=False,
)
LAYERS = [FACILITIES, DISTRICTS]
