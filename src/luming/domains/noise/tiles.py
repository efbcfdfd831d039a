"""Noise in the cockpit: stations above the limit of their zone."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Figure, Tile
from luming.core.models import User
from luming.domains.noise.evaluate import KIND
from luming.registry.models import Medium, Place
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry.models import Judgement

DAYS = 7


def above_limit(user: User) -> Figure | None:
    """Return the stations above their limit in the newest hour, with the hours above it of each of the last days."""
    rows = Place.objects.visible_to(user).filter(kind="station", medium=Medium.NOISE, is_active=True)
    states = dict(rows.values_list("pk", "current__state"))
    if not states:
        return None
    judged = sum(state in ("normal", "exceeding") for state in states.values())
    above = sum(state == "exceeding" for state in states.values())
    url = f"{reverse('places')}?medium=noise" + ("&state=exceeding" if above else "")
    note = _("of %(number)s stations in the newest hour") % {"number": judged}
    return Figure(
        above, url, trend=_trend(list(states)), good=not above if judged else None, note=note,
        coverage=judged / len(states),
    )  # fmt: skip


def _trend(places: list[int]) -> list[tuple[datetime, float | None]]:
    since = timezone.localtime(timezone.now(), CITY_ZONE) - timedelta(days=DAYS)
    rows = Judgement.objects.filter(kind=KIND, place__in=places, start__gte=since).order_by("revision")
    newest = {(place, start): state for place, start, state in rows.values_list("place_id", "start", "state")}
    found = Counter(city_day(start) for (_place, start), state in newest.items() if state == "exceeding")
    days = sorted({city_day(start) for _place, start in newest})
    return [(datetime(day.year, day.month, day.day, 12, tzinfo=CITY_ZONE), float(found[day])) for day in days]


TILES = [Tile("noise-above", gettext_lazy("Noise stations above the limit"), "noise", above_limit, "number", 10)]
