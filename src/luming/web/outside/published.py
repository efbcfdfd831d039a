"""What the public sees of the measurements: the judged hours of active stations of air and water, and nothing else.

This is the public site's own scope; it has no user. Outlets, packets, devices and people are never published here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from luming.registry.models import Medium, Place
from luming.standards import edition as editions
from luming.telemetry.models import Judgement
from luming.web import words
from luming.web.states import exceeding, short_name

# Medium -> the judgements that are published of its stations.
KINDS = {Medium.AIR: "aqi-hour", Medium.WATER: "water-class"}
SPANS = (7, 30)  # days of history


@dataclass(frozen=True, slots=True)
class Reading:
    """What is published of one station for one period."""

    start: datetime
    state: str
    value: float | None
    primary: list[str] = field(default_factory=list)  # short names of the glossary
    exceeding: list[tuple[str, float | None]] = field(default_factory=list)  # name, multiple
    concentration: dict[str, float] = field(default_factory=dict)
    edition: str = ""

    @property
    def word(self) -> words.Word:
        """Return the level or class in words with its colour."""
        return words.state(self.state)


@dataclass(frozen=True, slots=True)
class Station:
    """A published station with its newest reading, None while there is none."""

    place: Place
    reading: Reading | None

    @property
    def state(self) -> str:
        """Return the state of the newest reading."""
        return self.reading.state if self.reading else "no-data"

    @property
    def word(self) -> words.Word:
        """Return the state in words with its colour."""
        return words.state(self.state)

    @property
    def primary(self) -> str:
        """Return the names of the primary pollutants."""
        return names(self.reading.primary, self.place.medium) if self.reading else ""


def names(shorts: Iterable[str], medium: str) -> str:
    """Return the names of glossary short names, joined."""
    return "、".join(short_name(short, medium) for short in shorts)


def places(medium: str) -> Any:
    """Return the published stations of a medium."""
    if medium not in KINDS:
        return Place.objects.none()
    return (
        Place.objects.filter(kind=Place.Kind.STATION, medium=medium, is_active=True)
        .select_related("region", "station", "current")
        .order_by("code")
    )


def reading(medium: str, start: datetime, state: str, value: float | None, detail: Any, edition: str) -> Reading:
    """Return what a judgement says to the public."""
    return Reading(
        start,
        state,
        value,
        [short for short in str(detail.get("primary") or "").split("+") if short],
        exceeding(detail, medium),
        {short: float(amount) for short, amount in (detail.get("concentration") or {}).items()},
        edition,
    )


def now(medium: str) -> list[Station]:
    """Return the stations of a medium with their present readings: worst first, those without data last."""
    found = list(places(medium))
    editions_used = _newest_editions(medium, found)
    rows = []
    for place in found:
        state = getattr(place, "current", None)
        newest = None
        if state is not None and state.state != "no-data" and state.period is not None:
            edition = editions_used.get(place.pk, "")
            newest = reading(medium, state.period, state.state, state.value, state.detail, edition)
        rows.append(Station(place, newest))
    return sorted(rows, key=lambda row: (row.reading is None, row.reading.value is None if row.reading else True,
                                         -((row.reading.value or 0) if row.reading else 0)))  # fmt: skip


def _newest_editions(medium: str, found: Sequence[Place]) -> dict[int, str]:
    """Return by which edition of the standard the present period of each station was judged."""
    periods = {place.pk: place.current.period for place in found if getattr(place, "current", None)}
    starts = [start for start in periods.values() if start is not None]
    if not starts:
        return {}
    rows = Judgement.objects.filter(
        place_id__in=periods, kind=KINDS[Medium(medium)], start__in=set(starts)
    ).values_list("place_id", "start", "edition")
    return {place_id: edition for place_id, start, edition in rows if periods[place_id] == start}


def history(place: Place, days: int) -> list[Reading]:
    """Return the published periods of a station in the last days, oldest first."""
    rows = (
        Judgement.objects.filter(
            place=place, kind=KINDS[Medium(place.medium)], start__gte=timezone.now() - timedelta(days=days)
        )
        .order_by("start", "-revision")
        .distinct("start")
        .values_list("start", "state", "value", "detail", "edition")
    )
    return [reading(place.medium, *row) for row in rows]


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the city: how its station-hours were."""

    day: date
    total: int
    states: list[tuple[str, words.Word, int, float]]  # state, word, hours, per cent
    low: float | None
    high: float | None
    primary: str
    complete: bool  # False for today


def days(medium: str, number: int) -> list[Day]:
    """Return the last days of the city, newest first, counted from all published station-hours."""
    today = timezone.localdate()
    midnight = timezone.make_aware(datetime.combine(today - timedelta(days=number - 1), datetime.min.time()))
    rows = (
        Judgement.objects.filter(
            place__in=places(medium).order_by().values("pk"), kind=KINDS[Medium(medium)], start__gte=midnight
        )
        .order_by("place_id", "start", "-revision")
        .distinct("place_id", "start")
        .values_list("start", "state", "value", "detail__primary")
    )
    collected: dict[date, list[tuple[str, float | None, str | None]]] = defaultdict(list)
    for start, state, value, primary in rows:
        collected[timezone.localtime(start).date()].append((state, value, primary))
    return [_day(medium, day, collected[day], day < today) for day in sorted(collected, reverse=True)]


def _day(medium: str, day: date, rows: Sequence[tuple[str, float | None, str | None]], complete: bool) -> Day:
    states = Counter(state for state, _value, _primary in rows)
    values = [value for _state, value, _primary in rows if value is not None]
    leading = Counter(short for _state, _value, primary in rows for short in (primary or "").split("+") if short)
    return Day(
        day,
        len(rows),
        [(key, words.state(key), states[key], 100 * states[key] / len(rows)) for key in sorted(states)],
        min(values, default=None),
        max(values, default=None),
        names([leading.most_common(1)[0][0]], medium) if leading else "",
        complete,
    )


def edition_text(keys: Iterable[str]) -> list[str]:
    """Return the titles of editions in the reader's language; an unknown one is its own title."""
    found = []
    for key in sorted({key for key in keys if key}):
        try:
            known = editions.edition(key)
        except LookupError:
            found.append(key)
        else:
            found.append(f"{known.key} {known.title_zh if words.chinese() else known.title_en}")
    return found


def instant(moment: datetime) -> str:
    """Return an instant as the city's time with its offset, for files."""
    return timezone.localtime(moment.astimezone(UTC)).isoformat(timespec="minutes")
