"""The wind at a point: of the nearest station that measures speed and direction, in its latest hour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from luming.core.models import User
from luming.registry import geodesy
from luming.registry.models import Place, Series
from luming.telemetry import store

SPEED, DIRECTION = "a01007", "a01008"  # HJ 212-2017 annex B.2
RECENT = timedelta(hours=3)  # an older hour says nothing about the wind
CALM = 0.3  # m/s: below it (force 0) a vane shows no direction, GB/T 35227


@dataclass(frozen=True, slots=True)
class Wind:
    """What a station measured in one hour; the direction is the one from which it blows."""

    station: Place
    distance: float  # m, from the point
    start: datetime
    speed: float
    direction: float

    @property
    def calm(self) -> bool:
        """Tell whether the direction means nothing."""
        return self.speed < CALM


def nearest(user: User, point: geodesy.Point, at: datetime) -> Wind | None:
    """Return the wind at the nearest visible station that has an hour of both factors shortly before an instant."""
    stations = Place.objects.visible_to(user).filter(kind=Place.Kind.STATION, is_active=True)
    series: dict[int, dict[str, int]] = defaultdict(dict)
    rows = Series.objects.filter(place__in=stations, factor__in=[SPEED, DIRECTION], interval="hour")
    for pk, place_id, factor in rows.values_list("pk", "place_id", "factor"):
        series[place_id][factor] = pk
    both = {place_id: pair for place_id, pair in series.items() if len(pair) == 2}
    if not both:
        return None
    places = {place.pk: place for place in stations.filter(pk__in=both)}
    columns = store.effective([pk for pair in both.values() for pk in pair.values()], at - RECENT, at)
    for distance, place_id in sorted(
        (geodesy.inverse(point, (place.longitude, place.latitude))[0], pk) for pk, place in places.items()
    ):
        speeds, directions = (_usable(columns.of(both[place_id][factor])) for factor in (SPEED, DIRECTION))
        if shared := speeds.keys() & directions.keys():
            start = max(shared)
            return Wind(places[place_id], distance, start, speeds[start], directions[start] % 360)
    return None


def _usable(columns: store.Effective) -> dict[datetime, float]:
    """Return the values that count by start."""
    counted = columns.take(columns.counts)
    rows = zip(counted.start.tolist(), counted.used.tolist(), strict=True)
    return {start.replace(tzinfo=UTC): value for start, value in rows}
