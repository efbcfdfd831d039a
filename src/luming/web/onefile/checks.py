"""Identity checks of the file: is it who it says it is, is it where it says it is, and is anything missing?"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import shapely
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely.geometry import shape
from shapely.ops import nearest_points

from luming.core.manifest import Check, Finding
from luming.registry import uscc
from luming.registry.models import Facility, Medium, Outlet, Place, Region, region_prefix
from luming.registry.queries import city_day, limits_in_force
from luming.web.onefile.neighbours import distance_km

FAR_KM = 5.0  # an outlet further from its facility than this is looked at again


def identity(facility: Facility) -> Iterator[Finding]:
    """Check the unified social credit code (GB 32100-2015) and whether another facility has the same."""
    if not facility.uscc:
        yield Finding(
            _("No unified social credit code"), "warning", _("Enter it; permits and penalties are kept under it.")
        )
        return
    if uscc.is_valid(facility.uscc):
        yield Finding(_("The check character of the unified social credit code is right (GB 32100)"), "good")
    else:
        yield Finding(
            _("The check character of the unified social credit code is wrong (GB 32100)"), "bad", facility.uscc
        )
    others = Facility.objects.filter(uscc=facility.uscc).exclude(pk=facility.pk).count()
    if others:
        # One enterprise may have several sites, so this is a question and no fault.
        yield Finding(
            _("Other facilities have the same unified social credit code"),
            "warning",
            _("%(n)s of them; check whether they are sites of one enterprise or entered twice.") % {"n": others},
        )


def completeness(facility: Facility) -> Iterator[Finding]:
    """Say which fields of the register are empty."""
    wanted = ("industry", "address", "organisation")
    missing = [str(facility._meta.get_field(name).verbose_name) for name in wanted if not getattr(facility, name)]
    if missing:
        yield Finding(_("Data is missing in the register"), "warning", _("Empty: %(names)s") % _listed(missing))
    else:
        yield Finding(_("Industry, address and organisation are registered"), "good")


def _listed(names: Iterable[str]) -> dict[str, str]:
    return {"names": "、".join(names)}


def position(subject: Facility | Place) -> Iterator[Finding]:
    """Check that the coordinates lie inside the boundary of the region."""
    region = subject.region
    if not region.boundary:
        yield Finding(_("The region has no boundary to compare the coordinates with"), "warning", region.name)
        return
    geometry, point = _geometry(orjson.dumps(region.boundary)), shapely.Point(subject.longitude, subject.latitude)
    if geometry.covers(point):
        yield Finding(_("The coordinates lie inside the region"), "good", _sketch(region))
        return
    distance = distance_km(*(spot.coords[0] for spot in nearest_points(point, geometry)))
    detail = _("About %(km)s km outside %(region)s; check coordinates and region.") % {
        "km": f"{distance:.1f}",
        "region": region.name,
    }
    # A boundary that is a sketch proves nothing about a point near it.
    state = "bad" if region.boundary_official or distance > 2 else "warning"
    yield Finding(_("The coordinates lie outside the region"), state, f"{detail} {_sketch(region)}".strip())


def _sketch(region: Region) -> str:
    return "" if region.boundary_official else _("The boundary is a sketch, not official.")


@functools.lru_cache(maxsize=64)
def _geometry(text: bytes) -> Any:
    return shape(orjson.loads(text))


def outlets(facility: Facility) -> Iterator[Finding]:
    """Check that there are outlets and that each has limits in force, a device, series and a plausible position."""
    today = city_day(timezone.now())
    in_force = Q(limits__effective_from__lte=today) & (
        Q(limits__effective_to=None) | Q(limits__effective_to__gte=today)
    )
    rows = list(
        Outlet.objects.filter(facility=facility, is_active=True)
        .annotate(
            limit_count=Count("limits", filter=in_force, distinct=True),
            unverified=Count("limits", filter=in_force & Q(limits__verified=False), distinct=True),
            device_count=Count("devices", filter=Q(devices__is_active=True), distinct=True),
        )
        .order_by("number")
    )
    if not rows:
        yield Finding(_("No outlet is registered"), "bad", _("Enter the outlets of the permit, or import them."))
        return
    far = [row for row in rows if _distance_km(row, facility) > FAR_KM]
    unverified = sum(row.unverified for row in rows)
    yield from _about(rows, [row for row in rows if not row.limit_count], _("Outlets without limits in force"),
                      _("Every outlet has limits in force"), "bad")  # fmt: skip
    yield from _about(rows, [row for row in rows if not row.device_count], _("Outlets without a device"),
                      _("Every outlet has a device"), "warning")  # fmt: skip
    if unverified:
        detail = _("Not compared with the text of the standard or permit yet: %(n)s") % {"n": unverified}
        yield Finding(_("Limits are not verified"), "warning", detail)
    if far:
        names = _listed(row.number for row in far)
        yield Finding(
            _("Outlets far from their facility"),
            "warning",
            _("More than %(km)s km away: %(names)s") % (names | {"km": f"{FAR_KM:g}"}),
        )


def _about(rows: list[Outlet], wrong: list[Outlet], bad: str, good: str, state: str) -> Iterator[Finding]:
    if wrong:
        yield Finding(bad, state, _listed(row.number for row in wrong)["names"])
    else:
        yield Finding(good, "good", _("Outlets: %(n)s") % {"n": len(rows)})


def _distance_km(place: Place, facility: Facility) -> float:
    return distance_km((facility.longitude, facility.latitude), (place.longitude, place.latitude))


def equipment(place: Place) -> Iterator[Finding]:
    """Check that a place has a device and series, and the day it began to measure."""
    place = Place.objects.annotate(
        device_count=Count("devices", filter=Q(devices__is_active=True), distinct=True),
        series_count=Count("series", distinct=True),
    ).get(pk=place.pk)
    if place.device_count:
        yield Finding(_("A device is registered"), "good")
    else:
        yield Finding(_("No device is registered here"), "warning", _("Register one, or adopt one that speaks."))
    if not place.series_count:
        yield Finding(_("Nothing is registered as measured here"), "warning", _("Register the series of this place."))
    if not place.commissioned_at:
        yield Finding(_("The day of commissioning is not registered"), "warning")


def limits(outlet: Outlet) -> Iterator[Finding]:
    """Check that an outlet has limits in force and that they were verified."""
    rows = limits_in_force([outlet.pk], timezone.now()).get(outlet.pk, [])
    if not rows:
        yield Finding(
            _("No limit is in force"), "bad", _("Without limits nothing is judged; enter those of the permit.")
        )
        return
    unverified = sum(not row.verified for row in rows)
    if unverified:
        detail = _("Not compared with the text of the standard or permit yet: %(n)s") % {"n": unverified}
        yield Finding(_("Limits are not verified"), "warning", detail)
    else:
        yield Finding(_("All limits in force are verified"), "good", _("Limits: %(n)s") % {"n": len(rows)})


def judged_by(station: Any) -> Iterator[Finding]:
    """Check that a station has what its medium is judged by."""
    if station.medium == Medium.WATER:
        yield (
            Finding(_("The target class is registered"), "good")
            if station.target_class
            else Finding(_("No target class is registered"), "warning", _("Class III is taken for the target."))
        )
    if station.medium == Medium.NOISE:
        yield (
            Finding(_("The functional zone is registered"), "good", station.zone_class)
            if station.zone_class
            else Finding(_("No functional zone is registered"), "bad", _("Without a zone (GB 3096) nothing is judged."))
        )


def boundary(region: Region) -> Iterator[Finding]:
    """Say where a region's boundary comes from, and whether places in it have coordinates outside it."""
    if not region.boundary:
        yield Finding(_("No boundary is loaded"), "warning", _("Load the city's profile, or enter one."))
        return
    if region.boundary_official:
        yield Finding(_("The boundary is official"), "good", region.boundary_source)
    else:
        yield Finding(_("The boundary is a sketch, not official"), "warning", region.boundary_source)
    geometry = _geometry(orjson.dumps(region.boundary))
    shapely.prepare(geometry)
    spots = list(
        Place.objects.filter(region__code__startswith=region_prefix(region.code)).values_list("longitude", "latitude")
    )
    if spots:
        outside = int((~shapely.contains_xy(geometry, *zip(*spots, strict=True))).sum())
        if outside:
            detail = _("Places: %(n)s. Check their coordinates and regions.") % {"n": outside}
            yield Finding(_("Places of this region lie outside its boundary"), "warning", detail)
        else:
            yield Finding(_("All places of this region lie inside its boundary"), "good", str(len(spots)))


_PLACES = frozenset({"outlet", "station", "section"})
CHECKS = [
    Check("uscc", frozenset({"facility"}), identity),
    Check("complete", frozenset({"facility"}), completeness),
    Check("position", frozenset({"facility"}) | _PLACES, position),
    Check("outlets", frozenset({"facility"}), outlets),
    Check("equipment", _PLACES, equipment),
    Check("limits", frozenset({"outlet"}), limits),
    Check("judged-by", frozenset({"station", "section"}), judged_by),
    Check("boundary", frozenset({"region"}), boundary),
]
STATES = {
    "good": (gettext_lazy("in order"), "is-good", "circle-check"),
    "warning": (gettext_lazy("attention"), "is-warn", "alert-triangle"),
    "bad": (gettext_lazy("wrong"), "is-bad", "x"),
}
