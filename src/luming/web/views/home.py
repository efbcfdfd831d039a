"""The city now: one map, the counts, what exceeds, what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from luming.core import manifest
from luming.core.models import User
from luming.registry import city
from luming.registry.models import Device, Place
from luming.telemetry import store
from luming.telemetry.models import Event, UnregisteredDevice
from luming.web import words
from luming.web.access import needs, signed_in
from luming.web.live import live, shared
from luming.web.scope import sees_all_packets
from luming.web.states import Current, current, device_counts

EVENTS_SHOWN = 12
# Where an account without monitoring data begins.
BEGINNINGS = (("user.manage", "users"), ("role.assign", "roles"), ("audit.view", "audit"))


@signed_in
def now(request: HttpRequest) -> HttpResponse:
    """Show the state of the city; administrators and the portal's people land on their own first page."""
    if request.user.may("portal.view"):
        return redirect("portal")
    if not request.user.may("data.view"):
        for permission, name in BEGINNINGS:
            if request.user.may(permission):
                return redirect(name)
        return redirect("account")
    profile = city.profile()
    values = {"profile": profile, "layers": manifest.layers(), "sketch_label": profile.text("label")}
    values["attribution"] = profile.text("attribution")
    return render(request, "web/home.html", values | summary_of(request.user))


@needs("data.view")
@live
def summary(request: HttpRequest) -> HttpResponse:
    """Return the numbers and lists of the home page."""
    return render(request, "web/home_summary.html", summary_of(request.user))


def summary_of(user: User) -> dict[str, Any]:
    """Return what the home page says in numbers."""
    places = current(
        Place.objects.visible_to(user)
        .filter(is_active=True)
        .select_related("current", "region", "outlet__facility")
        .order_by("code")
    )
    stations = {medium: [row for row in places if row.place.medium == medium] for medium in ("air", "water", "noise")}
    outlets = [row for row in places if row.place.kind == Place.Kind.OUTLET]
    return {
        "empty": not places,
        "air": sorted(stations["air"], key=lambda row: (row.value is None, -(row.value or 0))),
        "air_states": tally(stations["air"]),
        "water": stations["water"],
        "water_states": tally(stations["water"]),
        "noise": stations["noise"],
        "noise_states": tally(stations["noise"]),
        "outlets": outlets,
        "outlet_states": tally(outlets),
        "exceeding": sorted((row for row in outlets if row.state == "exceeding"), key=lambda row: -(row.value or 0)),
        "devices": device_summary(user),
        "packets": shared("packets-today", user, 10, lambda: packets_today(user)) if user.may("packet.view") else None,
        "unregistered": unregistered(user),
        "events": events(user),
    }


def tally(rows: Sequence[Current]) -> list[tuple[str, words.Word, int, float]]:
    """Return (state, word, count, per cent) of the states that occur, in the order of the legends."""
    found = Counter(row.state for row in rows)
    order = [name for layer in manifest.layers() for name, _label, _colour in layer.legend]
    keys = sorted(found, key=lambda key: order.index(key) if key in order else len(order))
    return [(key, words.state(key), found[key], 100 * found[key] / len(rows)) for key in keys]


def device_summary(user: User) -> dict[str, Any] | None:
    """Return how many devices are on line."""
    if not user.may("device.view"):
        return None
    counts = device_counts(user)
    return {
        "counts": [row for row in counts if row[2]],
        "online": next(number for key, _word, number in counts if key == "online"),
        "total": sum(number for key, _word, number in counts if key != "off"),
    }


def packets_today(user: User) -> dict[str, int]:
    """Return how many packets came since midnight, and how many of them are held or rejected."""
    ids = None if sees_all_packets(user) else list(Device.objects.visible_to(user).values_list("pk", flat=True))
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    totals = {"total": store.packet_count(midnight, ids), "H": 0, "R": 0}
    for verdict, _reason, number, _last in store.reason_counts(midnight, ids):
        totals[verdict] += number
    return totals


def unregistered(user: User) -> int | None:
    """Return how many devices wait for adoption."""
    if not user.may("device.adopt"):
        return None
    return UnregisteredDevice.objects.filter(adopted_device=None, dismissed_reason="").count()


def events(user: User) -> list[Event]:
    """Return the latest events of places and devices in the user's scope."""
    mine = Q(place__in=Place.objects.visible_to(user).order_by().values("pk"))
    if user.may("device.view"):
        mine |= Q(device__in=Device.objects.visible_to(user).order_by().values("pk"))
    if sees_all_packets(user):
        mine |= Q(place=None, device=None)
    rows = list(Event.objects.filter(mine).select_related("place", "device").order_by("-at", "-id")[:EVENTS_SHOWN])
    for row in rows:
        row.subject = row.place or row.device or row.detail.get("mn", "")
        row.sentence = words.event_sentence(row.kind, row.detail)
        row.tone = words.SEVERITIES.get(row.severity, "info")
    return rows
