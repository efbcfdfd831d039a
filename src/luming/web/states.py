"""The current state of places and devices, arranged for pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Greatest, Now
from django.utils.translation import gettext as _

from luming.hj212 import by_short
from luming.registry.models import Device, Medium, Place
from luming.telemetry.models import DeviceStatus
from luming.web import words

# A device is silent after three missed real-time intervals, at least five minutes.
SILENT_AFTER = timedelta(minutes=5)
SILENT_INTERVALS = 3

MEDIUM_ICONS = {
    Medium.AIR: "wind",
    Medium.WATER: "droplet",
    Medium.NOISE: "volume",
    Medium.GAS: "building-factory-2",
    Medium.SEWAGE: "droplet",
}


def with_status(devices: Any) -> Any:
    """Annotate devices with ``status``: online, silent, offline, never, off (:data:`luming.web.words.CONNECTED`)."""
    silence = Greatest(
        ExpressionWrapper(F("realtime_seconds") * Value(timedelta(seconds=SILENT_INTERVALS)), DurationField()),
        Value(SILENT_AFTER, DurationField()),
    )
    return devices.annotate(
        status=Case(
            When(is_active=False, then=Value("off")),
            When(Q(state__isnull=True) | Q(state__last_packet_at__isnull=True), then=Value("never")),
            When(state__connected=False, then=Value("offline")),
            When(state__last_packet_at__lt=Now() - silence, then=Value("silent")),
            default=Value("online"),
            output_field=CharField(),
        )
    )


def status_of(device: Device) -> DeviceStatus:
    """Return a device's status row, an empty one when it never spoke."""
    try:
        return device.state
    except DeviceStatus.DoesNotExist:
        return DeviceStatus(device=device)


@dataclass(slots=True)
class Current:
    """A place with its state, as lists and the home page show it."""

    place: Place
    state: str
    word: words.Word
    value: float | None
    headline: str  # AQI 78 · PM2.5, or what exceeds and how much
    period: datetime | None
    since: datetime | None

    @property
    def icon(self) -> str:
        """Return the icon of the medium."""
        return MEDIUM_ICONS.get(Medium(self.place.medium), "map-pin")


def current(places: Iterable[Place]) -> list[Current]:
    """Return places with their states; select ``current``, ``region`` and ``outlet__facility`` with them."""
    known: dict[str, words.Word] = {}
    found = []
    for place in places:
        row = getattr(place, "current", None)
        state = row.state if row else "no-data"
        if state not in known:
            known[state] = words.state(state)
        found.append(
            Current(
                place,
                state,
                known[state],
                row.value if row else None,
                headline(place.medium, row.value, row.detail) if row else "",
                row.period if row else None,
                row.since if row else None,
            )
        )
    return found


def headline(medium: str, value: float | None, detail: dict[str, Any]) -> str:
    """Return the one line that says more than the state: the index with its primary pollutants, or what exceeds."""
    if medium == Medium.AIR and value is not None:
        primary = "、".join(short_name(short, medium) for short in str(detail.get("primary") or "").split("+") if short)
        return f"AQI {value:.0f}" + (f" · {primary}" if primary else "")
    parts = []
    for name, multiple in exceeding(detail, medium):
        parts.append(name if multiple is None else _("%(name)s +%(n)s×") % {"name": name, "n": f"{multiple:.2g}"})
    return " · ".join(parts[:3])


def exceeding(detail: dict[str, Any], medium: str) -> list[tuple[str, float | None]]:
    """Return the exceeding factors of a judgement's detail with their multiples, by name.

    ``exceeding`` lists ``[short name, multiple]`` (water) or codes whose figures are in ``factors`` (outlets).
    """
    found = []
    for item in detail.get("exceeding") or []:
        if isinstance(item, str):
            found.append((short_name(item, medium), detail.get("factors", {}).get(item, {}).get("multiple")))
        else:
            found.append((short_name(str(item[0]), medium), item[1]))
    return found


def short_name(short: str, medium: str) -> str:
    """Return the name of a glossary short name or a factor code."""
    try:
        return words.factor_name(by_short(short, "water" if medium == Medium.SEWAGE else medium).code)
    except (KeyError, ValueError):
        return words.factor_name(short)
