"""Air in the cockpit: the index now, the share of good days, stations by level, fine particles."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Figure, Tile
from luming.core.memo import once
from luming.core.models import User
from luming.domains.air import days
from luming.domains.air.evaluate import KIND
from luming.domains.air.layers import COLOURS, LEGEND
from luming.registry.models import Medium, Place
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry.models import Judgement

DAYS = 30
KEPT = 600  # seconds that the days that are over are remembered for
GOOD = 100  # an index up to it is a good day (优良)
NAMES = {"so2": "SO₂", "no2": "NO₂", "co": "CO", "o3": "O₃", "pm10": "PM₁₀", "pm25": "PM₂.₅"}


def _stations(user: User) -> Any:
    return Place.objects.visible_to(user).filter(kind="station", medium=Medium.AIR, is_active=True)


def _states(user: User) -> dict[int, str]:
    """Return the current state of each station."""

    def read() -> dict[int, str]:
        return {pk: state or "no-data" for pk, state in _stations(user).values_list("pk", "current__state")}

    return once(user, "air.states", read)


def _hours(user: User) -> days.Hours:
    """Return the concentrations that the judgements of the last day used, by station and hour."""
    since = timezone.now() - timedelta(hours=25)
    return once(user, "air.hours", lambda: _read(list(_states(user)), since))


def _read(stations: list[int], since: datetime) -> dict[tuple[int, datetime], dict[str, float]]:
    rows = Judgement.objects.filter(kind=KIND, place__in=stations, start__gte=since).order_by("revision")
    values = rows.values_list("place_id", "start", "detail__concentration")
    return {(place, start): concentration or {} for place, start, concentration in values}  # the last revision


def _days(user: User) -> list[days.Day]:
    """Return the city's full days; they are read again every few minutes, for hours that came late."""
    stations = sorted(_states(user))
    since = days.span_of_days(timezone.now(), DAYS)
    name = f"luming.air.days.{since:%Y%m%d}.{hashlib.blake2b(repr(stations).encode(), digest_size=12).hexdigest()}"
    known = cache.get(name)
    if known is None:
        today = city_day(timezone.now())
        known = [day for day in days.city_days(stations, since) if day.date < today]
        cache.set(name, known, KEPT)
    return known


def _evidence(hours: int) -> str:
    return f"{reverse('judgements')}?kind={KIND}&hours={hours}"


def index_now(user: User) -> Figure | None:
    """Return the hourly index of the city's mean concentrations, with the last 24 hours."""
    total = len(_states(user))
    if not total:
        return None
    url = f"{reverse('places')}?medium=air&sort=value"
    rows = days.city_hours(_hours(user), timezone.now() - timedelta(hours=25))
    if not rows:
        return Figure(None, url, note=_("no hour was judged in the last 24 hours"))
    result = days.indices(rows)
    trend = [(row[0], float(index) if index >= 0 else None) for row, index in zip(rows, result.index, strict=True)]
    value, level, primary = trend[-1][1], int(result.level[-1]), str(result.primary[-1])
    names = "、".join(NAMES[short] for short in primary.split("+") if short)
    state = f"level-{level}"
    label = next(str(text) for key, text, _colour in LEGEND if key == state)
    hour = timezone.localtime(rows[-1][0] + timedelta(hours=1), CITY_ZONE)
    note = " · ".join(text for text in (label, names, f"{hour:%H:%M}") if text)
    return Figure(
        None if value is None else int(value), url, trend=trend[-24:], note=note, coverage=rows[-1][2] / total,
        colour=COLOURS[state], good=None if value is None else value <= GOOD,
    )  # fmt: skip


def good_days(user: User) -> Figure | None:
    """Return the share of the last 30 full days with an index up to 100."""
    if not _states(user):
        return None
    known = _days(user)
    judged = [day for day in known if day.index is not None]
    good = sum(day.index <= GOOD for day in judged)
    trend = [(_noon(day.date), None if day.index is None else float(day.index)) for day in known]
    note = _("%(good)s of %(judged)s days; daily AQI (HJ 633) of the stations' mean (HJ 663, not verified)")
    return Figure(
        round(100 * good / len(judged), 1) if judged else None,
        _evidence(24 * DAYS), unit="%", decimals=1, trend=trend,
        note=note % {"good": good, "judged": len(judged)}, coverage=len(judged) / DAYS,
    )  # fmt: skip


def _noon(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=CITY_ZONE)


def by_level(user: User) -> Figure | None:
    """Return the stations by the level of their newest hour."""
    states = _states(user)
    if not states:
        return None
    found = Counter(states.values())
    url = f"{reverse('places')}?medium=air"
    parts = [(label, found[key], colour, f"{url}&state={key}") for key, label, colour in LEGEND if found[key]]
    return Figure(len(states), url, parts=parts)


def fine_particles(user: User) -> Figure | None:
    """Return the mean of PM2.5 over stations and the last 24 hours."""
    total = len(_states(user))
    if not total:
        return None
    rows = days.city_hours(_hours(user), timezone.now() - timedelta(hours=25))[-24:]
    trend = [(start, means.get("pm25")) for start, means, _number in rows]
    known = [value for _start, value in trend if value is not None]
    held = sum("pm25" in values for (_place, start), values in _hours(user).items() if rows and start >= rows[0][0])
    return Figure(
        sum(known) / len(known) if known else None, _evidence(24), unit="µg/m³", trend=trend,
        note=_("mean of stations and 24 hours"), coverage=min(1.0, held / (24 * total)),
    )  # fmt: skip


def _tile(key: str, label: Any, figure: Callable[[User], Figure | None], order: int, kind: str = "number") -> Tile:
    return Tile(f"air-{key}", label, "air", figure, kind, order)


TILES = [
    _tile("index", gettext_lazy("Air quality index now"), index_now, 10),
    _tile("good-days", gettext_lazy("Good days of the last 30"), good_days, 20),
    _tile("levels", gettext_lazy("Air stations by level"), by_level, 30, "parts"),
    _tile("pm25", gettext_lazy("PM2.5 of 24 hours"), fine_particles, 40),
]
