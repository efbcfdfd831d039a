"""What a record went into: from values to judgements and statistics, from statistics to longer ones and judgements.

``used`` tells whether the present revision of the figure rests on this very record: True, False (it rests on another
revision, or the value did not count), None where that is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Q

from luming.registry.models import Interval, Series
from luming.standards.edition import CITY_ZONE
from luming.standards.periods import ordinal, start_of
from luming.telemetry.models import Judgement
from luming.telemetry.statistics import inputs as statistic_inputs
from luming.telemetry.statistics import rates, words
from luming.telemetry.statistics.inputs import Engine
from luming.telemetry.statistics.models import Statistic

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_DEEP = 8  # hours: the longest window that slides
COMPUTED = (Interval.HOUR, Interval.MINUTE)  # what statistics are made of
FLOW = "w00000"  # weighs the concentrations of waste water
_LATEST = ("factor", "measure", "kind", "start")


@dataclass(frozen=True, slots=True)
class Influence:
    """A figure that a record went into."""

    kind: str  # judgement or statistic
    row: Any
    used: bool | None


def of_value(series: Series, start: datetime, revision: int, engine: Engine | None = None) -> list[Influence]:
    """Return the judgements and the latest statistics whose period holds a value; ``revision`` is what is asked for."""
    rows = _statistics(series, start) if series.interval in COMPUTED else []
    engine = engine or Engine()
    known: dict[int, bool | None] = {}
    hours: list[Statistic] = []  # that the platform made of minutes
    for row in rows:
        if row.kind in words.LONGER:
            continue
        if series.interval == Interval.MINUTE and row.kind != words.HOUR:
            known[row.pk] = None if row.measure in words.RATES else _holds(engine, row, hours)
        else:
            known[row.pk] = _uses(engine, row, series, start, revision)
        if row.kind == words.HOUR and known[row.pk]:
            hours.append(row)
    chained = [row for row in rows if row.kind == words.DAY and known[row.pk]]
    found = [Influence("judgement", row, used) for row, used in _judgements(series, start, revision, chained)]
    for row in rows:
        used = known.get(row.pk)
        if row.kind in words.LONGER and row.measure not in words.RATES:  # rates only count hours
            used = _holds(engine, row, chained)
        found.append(Influence("statistic", row, used))
    return found


def of_packet(values: Iterable[tuple[Series, datetime, int]]) -> list[Influence]:
    """Return what the values of a packet (series, start, revision) went into, each figure once.

    A figure rests on the packet when it rests on one of its values.
    """
    engine = Engine()
    found: dict[tuple[str, int], Influence] = {}
    for series, start, revision in values:
        for one in of_value(series, start, revision, engine):
            key = one.kind, one.row.pk
            if key not in found or (one.used and not found[key].used):
                found[key] = one
    return sorted(found.values(), key=lambda one: one.kind != "judgement")


def of_statistic(row: Statistic) -> list[Influence]:
    """Return the judgements and the latest longer statistics that a statistic went into."""
    judged = Judgement.objects.filter(place=row.place_id, start=row.start, detail__has_key="statistics")
    found = [
        Influence("judgement", one, True)
        for one in judged.order_by("kind", "-revision")
        if row.pk in one.detail["statistics"].values()
    ]
    if row.kind == words.HOUR:
        series = Series.objects.filter(place=row.place_id, factor=row.factor, interval=Interval.MINUTE).first()
        wanted = [] if series is None else _statistics(series, row.start)
        longer = [one for one in wanted if one.kind in (words.EIGHT_HOURS, words.DAY)]
    elif row.kind == words.DAY:
        longer = _latest(row.place_id, Q(factor=row.factor) & _longer_periods(row.start))
    else:
        longer = []
    engine = Engine()
    for one in longer:
        if row.kind == words.DAY and statistic_inputs.source_measure(one) != row.measure:
            continue
        counted = row.kind == words.HOUR and one.measure in words.RATES
        found.append(Influence("statistic", one, None if counted else _holds(engine, one, [row])))
    return found


def _holds(engine: Engine, row: Statistic, parts: Sequence[Statistic]) -> bool:
    """Tell whether one of these statistics is chained into a figure: by its start and the head of its digest."""
    rows = engine.of(row).rows
    chains = {bytes(chain).ljust(8, b"\0").hex() for chain in rows["chain"].tolist()} if len(rows) else set()
    starts = set(statistic_inputs.instants(rows))
    return any(part.start in starts and part.digest[:16] in chains for part in parts)


def _uses(engine: Engine, row: Statistic, series: Series, start: datetime, revision: int) -> bool | None:
    """Tell whether an observation is among the inputs of a short statistic; rates only count."""
    if row.measure in words.RATES:
        return None
    rows = engine.of(row).rows
    if not len(rows):
        return False
    micros = round(start.timestamp() * 1_000_000)
    mine = rows[(rows["series"] == series.pk) & (rows["start"].astype(np.int64) == micros)]
    return bool((mine["revision"] == revision).any())


def _judgements(
    series: Series, start: datetime, revision: int, chained: Sequence[Statistic]
) -> Iterable[tuple[Judgement, bool]]:
    """Yield the latest judgements whose inputs name the value, or a statistic that it went into."""
    near = Q(start__gt=start - DAY, start__lte=start) | Q(start__in=_longer_starts(start).values())
    rows = Judgement.objects.filter(near, place=series.place_id).order_by("kind", "start", "-revision")
    numbers, moment = {row.pk for row in chained}, start.isoformat()
    for row in rows.distinct("kind", "start"):
        named = [item for item in row.inputs if item[0] == series.pk and item[1] == moment]
        if named:
            yield row, any(item[2] == revision and _counted(item) for item in named)
        elif numbers & set((row.detail.get("statistics") or {}).values()):
            yield row, True


def _counted(item: Sequence[Any]) -> bool:
    return (item[7] if len(item) > 7 else item[5] if len(item) > 5 else "N") in ("N", "")


def _statistics(series: Series, start: datetime) -> list[Statistic]:
    """Return the latest statistics of every kind of period that holds a value."""
    local = start.astimezone(CITY_ZONE)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    hour = start.replace(minute=0, second=0, microsecond=0)
    periods = Q(kind=words.HOUR, start=hour) | Q(kind=words.DAY, start=midnight)
    periods |= Q(kind=words.EIGHT_HOURS, start__gt=hour - _DEEP * HOUR, start__lte=hour)
    if local.hour < 6:  # the night of noise belongs to the evening before
        periods |= Q(kind=words.DAY, start=midnight - DAY, measure__in=words.LEVELS)
    mine = Q(factor__in=(series.factor, rates.EVERY.factor))
    if series.factor == FLOW:
        mine |= Q(method="weighted", kind=words.DAY)
    return _latest(series.place_id, mine & (periods | _longer_periods(start)))


def _longer_periods(start: datetime) -> Q:
    found = Q()
    for kind, moment in _longer_starts(start).items():
        found |= Q(kind=kind, start=moment)
    return found


def _latest(place_id: int, wanted: Q) -> list[Statistic]:
    """Return the latest revisions, shorter periods first."""
    rows = Statistic.objects.filter(wanted, place=place_id).order_by(*_LATEST, "-revision").distinct(*_LATEST)
    order = [words.HOUR, words.EIGHT_HOURS, words.DAY, *words.LONGER]
    return sorted(rows, key=lambda row: (order.index(row.kind), row.factor, row.measure, row.start))


def _longer_starts(start: datetime) -> dict[str, datetime]:
    """Return the starts of the month, quarter and year that hold an instant."""
    moment = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    return {
        kind: start_of(int(ordinal(moment, kind)), kind).astype("datetime64[us]").item().replace(tzinfo=UTC)  # type: ignore[arg-type]
        for kind in words.LONGER
    }
