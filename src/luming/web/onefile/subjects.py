"""What a page of the file is about, and what belongs to it: its places, its devices, its region.

The subject of panels, timelines, traits and checks is the record itself: a ``Facility``, an ``Outlet``, a ``Station``
(also for a river section) or a ``Region``. What several panels read of it is read once and kept on the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import Http404
from django.urls import reverse

from luming.core.models import User
from luming.registry.models import Device, Facility, Medium, Outlet, Place, Region, region_prefix
from luming.web.states import with_status

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class File:
    """A page of the file: ``kind`` is one of ``manifest.SUBJECTS``, ``route`` names it in addresses."""

    kind: str
    route: str  # facility, place or region
    key: str
    subject: Any

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return reverse(self.route, args=[self.subject.pk])


def find(user: User, route: str, key: str) -> File:
    """Return the file of a thing in the user's scope, else there is none."""
    openers: dict[str, Callable[[User, str], File]] = {
        "facility": facility_file,
        "place": place_file,
        "region": region_file,
    }
    if route not in openers or (route != "region" and not (key.isascii() and key.isdigit() and len(key) < 19)):
        raise Http404
    return openers[route](user, key)


def facility_file(user: User, key: int | str) -> File:
    """Return the file of a facility."""
    rows = Facility.objects.visible_to(user).select_related("region__parent", "organisation")
    return File("facility", "facility", str(key), _one(rows.filter(pk=key)))


def place_file(user: User, key: int | str) -> File:
    """Return the file of an outlet, a station or a section."""
    joined = ("current", "region__parent", "station", "outlet__facility__organisation")
    place = _one(Place.objects.visible_to(user).select_related(*joined).filter(pk=key))
    subject = as_subject(place)
    kind = "outlet" if isinstance(subject, Outlet) else "section" if place.medium == Medium.WATER else "station"
    return File(kind, "place", str(key), subject)


def region_file(user: User, key: str) -> File:
    """Return the file of a region. Regions are public knowledge; what is shown inside passes through the funnels."""
    return File("region", "region", key, _one(Region.objects.select_related("parent").filter(pk=key)))


def _one(rows: Any) -> Any:
    found = rows.first()
    if found is None:
        raise Http404
    return found


def as_subject(place: Place) -> Any:
    """Return the outlet or station of a place, with what was read with the place (state, region) kept on it."""
    subject = place.outlet if place.kind == Place.Kind.OUTLET else place.station
    subject._state.fields_cache.update(place._state.fields_cache)
    return subject


def remembered(user: User, subject: Any, name: str, make: Callable[[], Value]) -> Value:
    """Return what several panels of one page need, made once."""
    kept = subject.__dict__.setdefault("_file_memory", {})
    key = (name, user.pk)
    if key not in kept:
        kept[key] = make()
    return kept[key]


def places_within(user: User, subject: Any) -> Any:
    """Return the query of the places that a subject is or has, in the user's scope."""
    rows = Place.objects.visible_to(user)
    if isinstance(subject, Facility):
        return rows.filter(outlet__facility=subject)
    if isinstance(subject, Region):
        return rows.filter(region__code__startswith=region_prefix(subject.code))
    return rows.filter(pk=subject.pk)


def places_of(user: User, subject: Any) -> list[Place]:
    """Return the places of a subject with their states; a region's are asked for by other means, they are many."""
    if isinstance(subject, Region):
        raise TypeError("a region's places are counted, not listed")
    if isinstance(subject, Place):
        return [subject]
    joined = ("current", "region", "outlet__facility")
    return remembered(
        user, subject, "places", lambda: list(places_within(user, subject).select_related(*joined).order_by("code"))
    )


def place_ids(user: User, subject: Any) -> Any:
    """Return the ids of a subject's places: a list, for a region a subquery."""
    if isinstance(subject, Region):
        return places_within(user, subject).order_by().values("pk")
    return [place.pk for place in places_of(user, subject)]


def devices_within(user: User, subject: Any) -> Any:
    """Return the query of the devices of a subject in the user's scope; none for who may not see devices."""
    if not user.may("device.view"):
        return Device.objects.none()
    rows = Device.objects.visible_to(user)
    if isinstance(subject, Facility):
        return rows.filter(place__outlet__facility=subject)
    if isinstance(subject, Region):
        return rows.filter(place__region__code__startswith=region_prefix(subject.code))
    return rows.filter(place=subject.pk)


def devices_of(user: User, subject: Any) -> list[Device]:
    """Return the devices of a facility or place with their connection."""
    return remembered(user, subject, "devices", lambda: _connected(devices_within(user, subject)))


def _connected(devices: Any) -> list[Device]:
    return list(with_status(devices).select_related("state", "maintainer").order_by("place_id", "mn"))


def device_ids(user: User, subject: Any) -> Any:
    """Return the ids of a subject's devices: a list, for a region a subquery."""
    if isinstance(subject, Region):
        return devices_within(user, subject).order_by().values("pk")
    return [device.pk for device in devices_of(user, subject)]


def measuring(user: User, subject: Any) -> list[Device]:
    """Return the devices that a figure of a facility or place is computed from, the same ones for whoever looks.

    A figure that left out the devices which a leader may not open would be another figure for each reader.
    """
    if user.may("device.view"):
        return devices_of(user, subject)
    places = place_ids(user, subject)
    return remembered(user, subject, "measuring", lambda: _connected(Device.objects.filter(place__in=places)))


def sees_whole(user: User) -> bool:
    """Tell whether the user sees all outlets of a facility: a maintainer sees only those that they maintain."""
    return user.is_internal or user.role == "enterprise"
