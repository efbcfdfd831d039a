"""What the register says of the series that checks look at: factor, unit, range, reference oxygen, neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import isnan, nan

from luming.registry import geodesy
from luming.registry.models import Medium, Place, Series
from luming.science.qc import factors
from luming.telemetry import units

NEIGHBOURS = 8  # nearest ones
NEIGHBOUR_KM = 30.0
_ALWAYS_ALONE = frozenset(Medium.values) - {Medium.AIR}  # no check compares stations of these


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """A series as the checks know it.

    ``factor`` is the short name of :mod:`luming.science.qc.factors`, or the code itself where that has none; ``scale``
    brings values to the unit that the checks take for granted; ``range`` is the instrument's, in that unit.
    """

    pk: int
    place_id: int
    code: str
    factor: str
    seconds: int
    scale: float
    range: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """A place as the checks know it."""

    pk: int
    medium: str
    reference_oxygen: float
    longitude: float
    latitude: float
    code: str
    series: tuple[SeriesFacts, ...]


def short(code: str, medium: str) -> str:
    """Return the name by which the checks know a factor of HJ 212; the code itself where the table has none."""
    return factors.names(medium).get(code, code)


def load(place_ids: Iterable[int], interval: str) -> dict[int, PlaceFacts]:
    """Return the places that have series of an interval. Three queries at most.

    A series whose unit cannot be converted to that of the checks is left out: thresholds in another unit would condemn
    good values. The register's keeper sees it among the faults of the register.
    """
    wanted = sorted(set(place_ids))
    places = Place.objects.filter(pk__in=wanted).values_list(
        "pk", "medium", "outlet__reference_oxygen", "longitude", "latitude", "code"
    )
    media = {pk: medium for pk, medium, *_rest in places}
    series: dict[int, list[SeriesFacts]] = defaultdict(list)
    rows = Series.objects.filter(place_id__in=wanted, interval=interval).values_list(
        "pk", "place_id", "factor", "unit", "seconds", "lower", "upper"
    )
    for pk, place_id, code, unit, seconds, lower, upper in rows:
        factor = short(code, media[place_id])
        scale = scale_of(unit, factor, media[place_id])
        if not isnan(scale):
            series[place_id].append(
                SeriesFacts(pk, place_id, code, factor, seconds or 1, scale, _range(lower, upper, scale))
            )
    return {
        pk: PlaceFacts(
            pk, medium, nan if oxygen is None else oxygen, longitude, latitude, code, tuple(series[pk])
        )
        for pk, medium, oxygen, longitude, latitude, code in places
        if series[pk]
    }  # fmt: skip


@cache
def scale_of(unit: str, factor: str, medium: str) -> float:
    """Return by what values of a series are multiplied for the checks; NaN where its unit is of another kind."""
    wanted = factors.unit(factor, medium)
    if not wanted and not factors.table().get((medium, factor)):
        return 1.0  # a factor that no default speaks of: what is said of any series holds in any unit
    try:
        return units.scale(unit, wanted)
    except ValueError:
        return nan


def _range(lower: float | None, upper: float | None, scale: float) -> tuple[float, float] | None:
    if lower is None and upper is None:
        return None
    return nan if lower is None else lower * scale, nan if upper is None else upper * scale


@dataclass(frozen=True, slots=True)
class Near:
    """A station near another one, with the way to it."""

    pk: int
    name: str
    kilometres: float
    bearing: float


def network(medium: str) -> dict[int, tuple[Near, ...]]:
    """Return the nearest stations of each active station of a medium; empty where stations are not compared."""
    if medium in _ALWAYS_ALONE:
        return {}
    rows = tuple(
        Place.objects.filter(kind=Place.Kind.STATION, medium=medium, is_active=True)
        .order_by("pk")
        .values_list("pk", "code", "longitude", "latitude")
    )
    return _network(rows)


@cache
def _network(rows: Sequence[tuple[int, str, float, float]]) -> dict[int, tuple[Near, ...]]:
    """Compute the ways once for a register that does not change."""
    near: dict[int, list[Near]] = {pk: [] for pk, *_rest in rows}
    for pk, _code, longitude, latitude in rows:
        for other, code, east, north in rows:
            if other == pk or abs(north - latitude) * 111.0 > NEIGHBOUR_KM:
                continue
            metres, bearing = geodesy.inverse((longitude, latitude), (east, north))
            if metres <= NEIGHBOUR_KM * 1000:
                near[pk].append(Near(other, code, metres / 1000, bearing))
    return {pk: tuple(sorted(found, key=lambda one: one.kilometres)[:NEIGHBOURS]) for pk, found in near.items()}
