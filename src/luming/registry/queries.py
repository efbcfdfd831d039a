"""Lookups that every room uses: the series of places and the limits in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q
from django.utils import timezone

from luming.registry.models import Limit, Place, Series


def series_of(place_ids: Iterable[int], interval: str | None = None) -> dict[int, dict[str, Series]]:
    """Return the series of places at one interval: place id -> factor -> series.

    Without an interval the inner key is ``factor/interval``, such as ``a34004/hour``. One query.
    """
    wanted = Series.objects.filter(place__in=list(place_ids))
    if interval:
        wanted = wanted.filter(interval=interval)
    found: dict[int, dict[str, Series]] = defaultdict(dict)
    for series in wanted.order_by("place_id", "factor", "interval"):
        found[series.place_id][series.factor if interval else f"{series.factor}/{series.interval}"] = series
    return dict(found)


def city_day(when: datetime | date) -> date:
    """Return the city's calendar day of an instant."""
    return timezone.localtime(when).date() if isinstance(when, datetime) else when


def limits_in_force(outlet_ids: Iterable[int], when: datetime | date) -> dict[int, list[Limit]]:
    """Return the limits in force on the city's day of ``when``: outlet id -> limits by factor and basis. One query."""
    day = city_day(when)
    in_force = Limit.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gte=day), outlet__in=list(outlet_ids), effective_from__lte=day
    )
    found: dict[int, list[Limit]] = defaultdict(list)
    for limit in in_force.order_by("outlet_id", "factor", "basis"):
        found[limit.outlet_id].append(limit)
    return dict(found)


def place_limits(place: Place | int, factor: str, when: datetime | date) -> list[Limit]:
    """Return the limits of one factor in force at a place, at most one per basis; empty for a station."""
    place_id = place if isinstance(place, int) else place.pk
    return [limit for limit in limits_in_force([place_id], when).get(place_id, []) if limit.factor == factor]
