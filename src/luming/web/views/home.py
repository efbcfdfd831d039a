"""Home: what to do, what is wrong, what changed; the city's numbers, its map, its air and its water."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from luming.core import manifest
from luming.core.models import User
from luming.registry import city
from luming.registry.models import Place
from luming.web import words
from luming.web.access import signed_in
from luming.web.cockpit.facts import facts
from luming.web.cockpit.home import sections
from luming.web.live import live
from luming.web.states import Current

# Roles that begin elsewhere, where that page is served: who decides on figures, and who is outside the bureau.
BEGINNINGS = {"leader": "cockpit", "enterprise": "portal"}


@signed_in
def now(request: HttpRequest) -> HttpResponse:
    """Show the home page of the user's role."""
    if elsewhere := _beginning(request.user):
        return redirect(elsewhere)
    profile = city.profile()
    values = {"profile": profile, "sketch_label": profile.text("label"), "attribution": profile.text("attribution")}
    return render(request, "web/home.html", values | summary_of(request.user))


def _beginning(user: User) -> str:
    try:
        return reverse(BEGINNINGS[user.role]) if user.role in BEGINNINGS else ""
    except NoReverseMatch:
        return ""


@signed_in
@live
def summary(request: HttpRequest) -> HttpResponse:
    """Return the parts of the home page that change."""
    return render(request, "web/home_summary.html", summary_of(request.user))


def summary_of(user: User) -> dict[str, Any]:
    """Return what the home page says to a user."""
    values: dict[str, Any] = {"sections": sections(user), "city": user.may("data.view")}
    return values | _city(user) if values["city"] else values


def _city(user: User) -> dict[str, Any]:
    """Return the numbers of the places and devices in the user's scope."""
    places = facts(user).places
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
        "devices": device_summary(user),
        "packets": facts(user).packets,
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
    found = Counter(device.status for device in facts(user).devices)
    return {
        "counts": [(key, word, found[key]) for key, word in words.CONNECTED.items() if found[key]],
        "online": found["online"],
        "total": sum(number for key, number in found.items() if key != "off"),
    }
