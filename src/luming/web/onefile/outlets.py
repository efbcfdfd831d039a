"""The outlets of a facility as they are now: state, latest values against limits, the last day as a line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from luming.core.models import User
from luming.registry.models import Interval, Limit, Place
from luming.registry.queries import limits_in_force, series_of
from luming.standards.emission import JUDGED_FLAGS
from luming.telemetry import store, units
from luming.web import periods, words
from luming.web.onefile import subjects
from luming.web.states import Current, current

FACTORS_SHOWN = 3
HOURS = 24
WIDTH, HEIGHT = 120, 28  # of a line, in its own units


@dataclass(slots=True)
class Latest:
    """The newest hourly value of a factor with the limit that judges it."""

    series: Any  # None where nothing hourly is registered
    observation: store.ObservationRecord | None
    limit: Limit | None

    @property
    def name(self) -> str:
        """Return the factor's name."""
        return words.factor_name(self.series.factor)

    @property
    def value(self) -> float | None:
        """Return the figure that the limit judges, else the measured one."""
        if self.observation is None:
            return None
        return self.observation.value if self.judged is None else self.judged

    @property
    def judged(self) -> float | None:
        """Return the figure that the limit judges: where that is the converted one, the measured one proves nothing."""
        if self.observation is None or self.limit is None:
            return None
        return self.observation.converted if self.limit.converted else self.observation.value

    @property
    def lower(self) -> float | None:
        """Return the lower limit in the unit of the values."""
        return self._bound(self.limit.lower if self.limit else None)

    @property
    def upper(self) -> float | None:
        """Return the upper limit in the unit of the values."""
        return self._bound(self.limit.upper if self.limit else None)

    def _bound(self, bound: float | None) -> float | None:
        if bound is None or self.limit is None or self.series is None:
            return None
        try:
            return bound * units.scale(self.limit.unit, self.series.unit)
        except ValueError:  # units of another kind: nothing can be compared
            return None

    @property
    def share(self) -> float | None:
        """Return the judged figure as a share of its upper limit."""
        return None if self.judged is None or not self.upper else self.judged / self.upper

    @property
    def exceeds(self) -> bool:
        """Tell whether the judged figure lies beyond its limit; what the device marks as no measurement does not."""
        if self.judged is None or self.observation is None or (self.observation.flag or "") not in JUDGED_FLAGS:
            return False
        return (self.upper is not None and self.judged > self.upper) or (
            self.lower is not None and self.judged < self.lower
        )


@dataclass(slots=True)
class Live:
    """One outlet or station as it is now."""

    now: Current
    latest: list[Latest]
    line: Line | None
    device: Any = None

    @property
    def place(self) -> Place:
        """Return the place."""
        return self.now.place


@dataclass(slots=True)
class Line:
    """A day of hourly values as the points of an SVG polyline, with the height of the limit."""

    name: str
    points: list[str]  # one string per run without a hole
    limit: float | None  # y
    top: float  # value at the upper edge
    last: str = ""  # "x,y" of the newest point


def live(user: User, places: Sequence[Place], devices: Sequence[Any]) -> list[Live]:
    """Return places as they are now: five queries, however many they are."""
    now = timezone.now()
    ids = [place.pk for place in places]
    series = series_of(ids, Interval.HOUR)
    limits = limits_in_force(ids, now)
    every = [row for rows in series.values() for row in rows.values()]
    newest = store.latest([row.pk for row in every], since=now - timedelta(days=7))
    by_place: dict[int, Any] = {}
    for device in devices:
        by_place.setdefault(device.place_id, device)
    found = []
    for state in current(places):
        place = state.place
        hourly = {limit.factor: limit for limit in limits.get(place.pk, []) if limit.basis == Limit.Basis.HOUR}
        ordered = periods.in_order(list(series.get(place.pk, {}).values()), place.medium)
        latest = [Latest(row, newest.get(row.pk), hourly.get(row.factor)) for row in ordered]
        found.append(Live(state, _foremost(latest), None, by_place.get(place.pk)))
    _draw(found, now)
    return found


def _foremost(latest: list[Latest]) -> list[Latest]:
    """Return the factors worth a look: those with limits, the nearest to its limit first; else the usual ones."""
    limited = [row for row in latest if row.limit is not None]
    if not limited:
        return latest[:FACTORS_SHOWN]
    return sorted(limited, key=lambda row: (not row.exceeds, -(row.share or 0)))[:FACTORS_SHOWN]


def _draw(rows: list[Live], now: Any) -> None:
    """Give each row the line of its foremost factor."""
    chosen = {row.latest[0].series.pk: row for row in rows if row.latest}
    start = (now - timedelta(hours=HOURS)).replace(minute=0, second=0, microsecond=0)
    if not chosen:
        return
    columns = store.observations(list(chosen), start, now)
    points: dict[int, list[tuple[float, float]]] = defaultdict(list)
    hours = (columns.start - np.datetime64(int(start.timestamp()), "s")) / np.timedelta64(1, "h")
    for i, series_id in enumerate(columns.series_id.tolist()):
        limit = chosen[series_id].latest[0].limit
        judged = float(columns.converted[i]) if limit is not None and limit.converted else float("nan")
        value = float(columns.value[i]) if np.isnan(judged) else judged
        if not np.isnan(value):
            points[series_id].append((float(hours[i]), value))
    for series_id, row in chosen.items():
        row.line = _line(row.latest[0], points[series_id])


def _line(latest: Latest, points: list[tuple[float, float]]) -> Line | None:
    if len(points) < 2:
        return None
    upper = latest.upper
    top = max([value for _hour, value in points] + ([upper] if upper else []), default=1) * 1.08 or 1
    low = min(0.0, *(value for _hour, value in points))

    def spot(hour: float, value: float) -> str:
        y = HEIGHT - (value - low) / (top - low or 1) * HEIGHT
        return f"{hour / HOURS * WIDTH:.1f},{y:.1f}"

    runs: list[list[str]] = [[]]
    before = None
    for hour, value in points:
        if before is not None and hour - before > 1.5 * latest.series.seconds / 3600:
            runs.append([])
        runs[-1].append(spot(hour, value))
        before = hour
    y = None if upper is None else HEIGHT - (upper - low) / (top - low or 1) * HEIGHT
    return Line(latest.name, [" ".join(run) for run in runs if len(run) > 1], y, top, spot(*points[-1]))


def of(user: User, subject: Any) -> list[Live]:
    """Return the outlets of a facility as they are now, made once per page."""
    make = lambda: live(user, subjects.places_of(user, subject), subjects.devices_of(user, subject))  # noqa: E731
    return subjects.remembered(user, subject, "live", make)
