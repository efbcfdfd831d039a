"""Sources in the cockpit: outlets by state, what exceeds now, the hours above limits, which facilities have most."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Figure, Tile
from luming.core.memo import once
from luming.core.models import User
from luming.domains.enforcement.evaluate import KIND_HOUR
from luming.domains.enforcement.layers import LEGEND
from luming.registry.models import Outlet
from luming.standards.edition import CITY_ZONE, city_day
from luming.telemetry.models import Judgement

DAYS = 7
RED = "#e03131"


def _states(user: User) -> dict[int, str]:
    """Return the current state of each active outlet."""

    def read() -> dict[int, str]:
        rows = Outlet.objects.visible_to(user).filter(is_active=True)
        return {pk: state or "no-data" for pk, state in rows.values_list("pk", "current__state")}

    return once(user, "outlets.states", read)


def _exceeded(user: User) -> list[tuple[int, datetime]]:
    """Return the outlet-hours above a limit in the last seven days, as they are judged today."""

    def read() -> list[tuple[int, datetime]]:
        rows = Judgement.objects.filter(
            kind=KIND_HOUR, place__in=list(_states(user)), start__gte=timezone.now() - timedelta(days=DAYS)
        )
        later = Judgement.objects.filter(
            kind=KIND_HOUR, place=OuterRef("place"), start=OuterRef("start"), revision__gt=OuterRef("revision")
        )
        return list(rows.filter(~Exists(later), state="exceeding").values_list("place_id", "start"))

    return once(user, "outlets.exceeded", read)


def _evidence(**query: object) -> str:
    extra = "".join(f"&{key}={value}" for key, value in query.items())
    return f"{reverse('judgements')}?kind={KIND_HOUR}&state=exceeding&hours={24 * DAYS}{extra}"


def exceeding_now(user: User) -> Figure | None:
    """Return how many outlets are above a limit in their newest hour."""
    states = _states(user)
    if not states:
        return None
    above = sum(state == "exceeding" for state in states.values())
    judged = sum(state != "no-data" for state in states.values())
    url = f"{reverse('places')}?kind=outlet" + ("&state=exceeding" if above else "")
    note = _("of %(number)s outlets with data") % {"number": judged}
    return Figure(
        above, url, target=0, good=not above if judged else None, note=note, coverage=judged / len(states),
        trend=_trend(user),
    )  # fmt: skip


def hours_above(user: User) -> Figure | None:
    """Return the outlet-hours above limits in the last seven days, by day."""
    if not _states(user):
        return None
    exceeded = _exceeded(user)
    outlets = len({place for place, _start in exceeded})
    note = _("at %(number)s outlets") % {"number": outlets}
    return Figure(len(exceeded), _evidence(), unit=_("h"), target=0, good=not exceeded, note=note, trend=_trend(user))


def _trend(user: User) -> list[tuple[datetime, float | None]]:
    """Return the outlet-hours above limits of each of the last days, today's so far included."""
    found = Counter(city_day(start) for _place, start in _exceeded(user))
    today = city_day(timezone.now())
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return [(datetime(day.year, day.month, day.day, 12, tzinfo=CITY_ZONE), float(found[day])) for day in days]


def by_state(user: User) -> Figure | None:
    """Return the outlets by their current state."""
    states = _states(user)
    if not states:
        return None
    found = Counter(states.values())
    url = f"{reverse('places')}?kind=outlet"
    parts = [(label, found[key], colour, f"{url}&state={key}") for key, label, colour in LEGEND if found[key]]
    return Figure(len(states), url, parts=parts)


def worst_facilities(user: User) -> Figure | None:
    """Return the facilities with most outlet-hours above limits in the last seven days."""
    if not _states(user):
        return None
    hours = Counter(place for place, _start in _exceeded(user))
    rows = Outlet.objects.filter(pk__in=list(hours)).values_list("pk", "facility_id", "facility__name")
    total: Counter[tuple[int, str]] = Counter()
    for pk, facility, name in rows:
        total[facility, name] += hours[pk]
    parts = [(name, number, RED, _evidence(facility=facility)) for (facility, name), number in total.most_common(10)]
    note = _("outlet-hours above limits in 7 days") if parts else ""
    return Figure(len(total), _evidence(), parts=parts, good=not parts, note=note)


TILES = [
    Tile("outlets-exceeding", gettext_lazy("Outlets above their limits now"), "sources", exceeding_now, "number", 10),
    Tile("outlets-hours", gettext_lazy("Hours above limits in 7 days"), "sources", hours_above, "number", 20),
    Tile("outlets-states", gettext_lazy("Outlets by state"), "sources", by_state, "parts", 30),
    Tile(
        "outlets-facilities",
        gettext_lazy("Facilities with most hours above limits"),
        "sources",
        worst_facilities,
        "list",
        40,
    ),
]
