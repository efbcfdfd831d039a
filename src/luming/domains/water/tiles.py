"""Water in the cockpit: sections by class, how many meet their target, which do not."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Figure, Tile
from luming.core.memo import once
from luming.core.models import User
from luming.domains.water.evaluate import KIND
from luming.domains.water.layers import COLOURS, LEGEND
from luming.registry.models import Medium, Place
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry.models import Judgement

DAYS = 30
LABELS = {key: label for key, label, _colour in LEGEND}


def _sections(user: User) -> list[Place]:
    """Return the sections with their current states."""

    def read() -> list[Place]:
        rows = Place.objects.visible_to(user).filter(kind="station", medium=Medium.WATER, is_active=True)
        return list(rows.select_related("current", "station").order_by("code"))

    return once(user, "water.sections", read)


def _state(place: Place) -> Any:
    return getattr(place, "current", None)


def by_class(user: User) -> Figure | None:
    """Return the sections by the class of their newest sample."""
    sections = _sections(user)
    if not sections:
        return None
    found = Counter(state.state if (state := _state(place)) else "no-data" for place in sections)
    url = f"{reverse('places')}?medium=water"
    parts = [(label, found[key], colour, f"{url}&state={key}") for key, label, colour in LEGEND if found[key]]
    return Figure(len(sections), url, parts=parts)


def on_target(user: User) -> Figure | None:
    """Return the share of sections whose newest class keeps their target, with its days."""
    wanted = {place.pk: place.station.target_class for place in _sections(user) if place.station.target_class}
    if not wanted:
        return None
    judged = {
        place.pk: state.value
        for place in _sections(user)
        if place.pk in wanted and (state := _state(place)) and state.value
    }
    kept = sum(value <= wanted[pk] for pk, value in judged.items())
    url = f"{reverse('places')}?medium=water" + ("&target=missed" if kept < len(judged) else "")
    return Figure(
        round(100 * kept / len(judged), 1) if judged else None, url, unit="%", decimals=1, trend=_trend(wanted),
        target=100, good=kept == len(judged) if judged else None, coverage=len(judged) / len(wanted),
        note=_("%(kept)s of %(judged)s sections by their newest sample") % {"kept": kept, "judged": len(judged)},
    )  # fmt: skip


def _trend(wanted: dict[int, int]) -> list[tuple[Any, float | None]]:
    """Return the share of samples within the target for each day."""
    rows = Judgement.objects.filter(
        kind=KIND, place__in=list(wanted), start__gte=timezone.now() - timedelta(days=DAYS)
    ).order_by("revision")
    newest = {(place, start): value for place, start, value in rows.values_list("place_id", "start", "value")}
    kept: Counter[Any] = Counter()
    every: Counter[Any] = Counter()
    for (place, start), value in newest.items():
        day = city_day(start)
        every[day] += 1
        kept[day] += value is not None and value <= wanted[place]
    return [
        (datetime(day.year, day.month, day.day, 12, tzinfo=CITY_ZONE), round(100 * kept[day] / every[day], 1))
        for day in sorted(every)
    ]


def missed(user: User) -> Figure | None:
    """Return the sections that are worse than their target, the worst first."""
    rows = [
        (place, state.value)
        for place in _sections(user)
        if place.station.target_class and (state := _state(place)) and state.value
    ]
    if not rows:
        return None
    worse = sorted((row for row in rows if row[1] > row[0].station.target_class), key=lambda row: -row[1])
    parts = [
        (
            f"{place.name} · {LABELS[f'class-{value:.0f}']}",
            value,
            COLOURS[f"class-{value:.0f}"],
            reverse("place", args=[place.pk]),
        )
        for place, value in worse
    ]
    return Figure(len(worse), f"{reverse('places')}?medium=water&target=missed", parts=parts, target=0, good=not worse)


TILES = [
    Tile("water-target", gettext_lazy("Sections that keep their target"), "water", on_target, "number", 10),
    Tile("water-classes", gettext_lazy("Water sections by class"), "water", by_class, "parts", 20),
    Tile("water-missed", gettext_lazy("Sections worse than their target"), "water", missed, "list", 30),
]
