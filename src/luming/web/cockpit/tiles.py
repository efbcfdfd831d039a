"""Data transmission in the cockpit: how complete the hours are, devices on line, packets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.core.cache import cache
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Figure, Tile
from luming.core.models import User
from luming.registry.models import Interval, Place, Series
from luming.telemetry import store
from luming.web import words
from luming.web.cockpit.concerns import link
from luming.web.cockpit.facts import facts, midnight
from luming.web.scope import device_ids

DAYS = 7
KEPT = 26 * 3600  # seconds: what a day that is over is remembered for
GRACE = timedelta(hours=1)  # an hour is expected when it has been over for one


def completeness(user: User) -> Figure | None:
    """Return the share of the expected hours of the last seven days that are held, by day."""
    series = expected_series(user)
    if not series:
        return None
    days = last_days()
    counts = [_day(series, day) for day in days]
    trend = [
        (day, round(100 * held / expected, 2) if expected else None)
        for day, (held, expected) in zip(days, counts, strict=True)
    ]
    held, expected = (sum(pair[i] for pair in counts) for i in (0, 1))
    note = _("%(held)s of %(expected)s hourly values expected in 7 days")
    return Figure(
        round(100 * held / expected, 2) if expected else None,
        link("completeness"), unit="%", decimals=1, trend=trend,
        note=note % {"held": f"{held:,}", "expected": f"{expected:,}"},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """An hourly series whose values are expected every so many seconds since its place was put to work."""

    pk: int
    place: int
    seconds: int
    since: datetime


def expected_series(user: User) -> list[Expected]:
    """Return the hourly series of the active places in the user's scope whose values are expected."""
    places = Place.objects.visible_to(user).filter(is_active=True).order_by().values("pk")
    rows = Series.objects.filter(place__in=places, interval=Interval.HOUR, expected=True).order_by("pk")
    begun = Coalesce("place__commissioned_at", "created_at")
    return [Expected(*row) for row in rows.values_list("pk", "place_id", "seconds", begun)]


def last_days() -> list[datetime]:
    """Return the beginnings of the last seven days, today's last."""
    return [midnight() - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]


def _day(series: Sequence[Expected], start: datetime) -> tuple[int, int]:
    """Return how many hourly values of a day are held and expected; of a day that is over, as it was when first asked.

    Late data of an older day is seen when what is remembered has run out.
    """
    over = start < midnight()
    ids = hashlib.blake2b(np.array([row.pk for row in series]).tobytes(), digest_size=12).hexdigest()
    name = f"luming.complete.{start:%Y%m%d}.{ids}"
    known = cache.get(name) if over else None
    if known is None:
        counts = held_and_expected(series, start, start + timedelta(days=1))
        held, expected = (sum(pair[i] for pair in counts.values()) for i in (0, 1))
        known = held, expected
        if over:
            cache.set(name, known, KEPT)
    return known


def held_and_expected(series: Sequence[Expected], start: datetime, end: datetime) -> dict[int, tuple[int, int]]:
    """Return (held, expected) of each place for the hours of a period that have been over for an hour."""
    end = min(end, (timezone.now() - GRACE).replace(minute=0, second=0, microsecond=0))
    found: dict[int, tuple[int, int]] = {}
    if end <= start:
        return found
    starts = store.held_starts([row.pk for row in series], start, end)
    for row in series:
        wanted = int((end - max(start, row.since)).total_seconds() // row.seconds)
        if wanted > 0:
            held, expected = found.get(row.place, (0, 0))
            found[row.place] = held + min(wanted, len(starts[row.pk])), expected + wanted
    return found


def on_line(user: User) -> Figure | None:
    """Return how many devices are on line."""
    devices = [device for device in facts(user).devices if device.status != "off"]
    if not devices:
        return None
    parts = []
    for key, word in words.CONNECTED.items():
        number = sum(device.status == key for device in devices)
        if number:
            parts.append((word.label, number, word.colour, link("devices", status=key)))
    return Figure(len(devices), link("devices"), parts=parts)


def packets(user: User) -> Figure | None:
    """Return the packets received since midnight, and of each of the days before."""
    if not user.may("packet.view"):
        return None
    ids = device_ids(user)
    today = midnight()
    trend = [(day, _packets_of(ids, day)) for day in (today - timedelta(days=back) for back in range(DAYS, 0, -1))]
    number = store.packet_count(today, ids)
    counts = facts(user).packets or {}
    note = _("held %(held)s, rejected %(rejected)s in 7 days") % {
        "held": f"{counts.get('H', 0):,}", "rejected": f"{counts.get('R', 0):,}",
    }  # fmt: skip
    return Figure(number, link("packets"), trend=[*trend, (today, float(number))], note=note)


def _packets_of(ids: list[int] | None, day: datetime) -> float:
    """Return the packets of a day that is over; they do not change any more."""
    scope = "all" if ids is None else hashlib.blake2b(np.array(ids).tobytes(), digest_size=12).hexdigest()
    name = f"luming.packets.{day:%Y%m%d}.{scope}"
    known = cache.get(name)
    if known is None:
        known = store.packet_count(day, ids) - store.packet_count(day + timedelta(days=1), ids)
        cache.set(name, known, KEPT)
    return float(known)


TILES = [
    Tile(
        "transmission-complete", gettext_lazy("Completeness of hourly data"), "transmission", completeness, "number", 10
    ),
    Tile("transmission-devices", gettext_lazy("Devices by connection"), "transmission", on_line, "parts", 20),
    Tile("transmission-packets", gettext_lazy("Packets today"), "transmission", packets, "number", 30),
]
