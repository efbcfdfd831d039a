"""How much a day of a place needs a reviewer's eye, and why: points by ground, one pass over all places of a day.

The points are the product's own rule, not a standard's. They order the queue and decide nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from luming.registry.models import Limit, Place, Series
from luming.registry.queries import limits_in_force
from luming.standards.edition import midnight
from luming.telemetry import store, units
from luming.telemetry.models import Judgement
from luming.telemetry.review.seen import standing
from luming.telemetry.store import Effective, Quality

NEAR = 0.9  # of an upper limit
SOUND_DAYS = 7  # a factor that was sound so long fails "for the first time"
# ground -> (points for each, most points)
POINTS: dict[str, tuple[int, int]] = {
    "suspect": (3, 30), "invalid": (1, 15), "missing": (1, 15), "over": (5, 40), "near": (2, 12), "national": (20, 20),
    "provincial": (10, 10), "first": (10, 20), "public": (10, 10), "answer": (25, 25), "changed": (20, 20),
    "sent-back": (20, 20),
}  # fmt: skip
KEPT = ("answer", "changed", "sent-back")  # events, which no look at the data finds again
PUBLISHED = ("air", "water")  # media whose stations the public site shows


@dataclass(slots=True)
class Facts:
    """What was found of one place and day. ``expected`` counts the values that should be there."""

    counts: dict[str, int] = field(default_factory=dict)
    expected: int = 0
    present: int = 0
    standing: str = ""

    def count(self, ground: str) -> int:
        """Return how often a ground was found."""
        return self.counts.get(ground, 0)

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing spoke: nothing doubtful, nothing missing, nothing above a limit, and data is there."""
        return self.present > 0 and not any(self.count(name) for name in ("suspect", "invalid", "missing", "over"))


def grounds(counts: dict[str, int]) -> list[list[object]]:
    """Return the grounds with their points, those without points left out."""
    return [
        [ground, counts[ground], min(each * counts[ground], most)]
        for ground, (each, most) in POINTS.items()
        if counts.get(ground)
    ]


def survey(places: Sequence[Place], day: date) -> dict[int, Facts]:
    """Return the facts of a day for each place, with a handful of queries for all of them.

    ``places`` have their ``station`` at hand where they are stations.
    """
    start, end = midnight(day), midnight(day + timedelta(days=1))
    series = list(Series.objects.filter(place__in=[place.pk for place in places], interval="hour").order_by("pk"))
    found = {place.pk: Facts() for place in places}
    effective = store.effective([row.pk for row in series], start, end)
    _count_values(found, series, effective, places, day)
    _count_judged(found, start, end)
    _count_near(found, series, effective, places, day)
    _count_first(found, series, effective, start)
    for place in places:
        facts = found[place.pk]
        if place.kind == Place.Kind.STATION:
            if place.station.control in ("national", "provincial"):
                facts.counts[place.station.control] = 1
            if place.medium in PUBLISHED:
                facts.counts["public"] = 1
    return found


def _count_values(
    found: dict[int, Facts], series: Sequence[Series], effective: Effective, places: Iterable[Place], day: date
) -> None:
    """Count doubtful, invalid and missing values, and take the hash of what counts."""
    start, end = midnight(day), midnight(day + timedelta(days=1))
    begun = {place.pk: place.commissioned_at for place in places}
    doubtful = _per_series(effective, effective.quality == Quality.SUSPECT)
    invalid = _per_series(effective, effective.quality == Quality.INVALID)
    there = _per_series(effective, effective.quality != Quality.MISSING)
    own: dict[int, list[int]] = defaultdict(list)
    for row in series:
        facts = found[row.place_id]
        own[row.place_id].append(row.pk)
        _add(facts, "suspect", doubtful.get(row.pk, 0))
        _add(facts, "invalid", invalid.get(row.pk, 0))
        facts.present += there.get(row.pk, 0)
        since = max(start, begun[row.place_id] or row.created_at)
        if row.expected and since < end:
            wanted = int((end - since).total_seconds() // row.seconds)
            facts.expected += wanted
            _add(facts, "missing", max(wanted - there.get(row.pk, 0), 0))
    for place_id, ids in own.items():
        found[place_id].standing = standing(effective.take(np.isin(effective.series_id, ids)))


def _per_series(effective: Effective, mask: np.ndarray) -> dict[int, int]:
    ids, counts = np.unique(effective.series_id[mask], return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _add(facts: Facts, ground: str, number: int) -> None:
    if number:
        facts.counts[ground] = facts.count(ground) + number


def _count_judged(found: dict[int, Facts], start: datetime, end: datetime) -> None:
    """Count the periods whose newest judgement says that they exceed a limit."""
    rows = (
        Judgement.objects.filter(place__in=found, start__gte=start, start__lt=end)
        .order_by("place_id", "kind", "start", "-revision")
        .distinct("place_id", "kind", "start")
        .values_list("place_id", "state")
    )
    for place_id, state in rows:
        if state == "exceeding":
            _add(found[place_id], "over", 1)


def _count_near(
    found: dict[int, Facts], series: Sequence[Series], effective: Effective, places: Iterable[Place], day: date
) -> None:
    """Count the values of outlets between nine tenths of an hourly limit and the limit."""
    outlets = [place.pk for place in places if place.kind == Place.Kind.OUTLET]
    limits = {
        (outlet, limit.factor): limit
        for outlet, rows in limits_in_force(outlets, day).items()
        for limit in rows
        if limit.basis == Limit.Basis.HOUR and limit.upper is not None
    }
    for row in series:
        limit = limits.get((row.place_id, row.factor))
        if limit is None or limit.upper is None:
            continue
        try:
            upper = limit.upper / units.scale(row.unit, limit.unit)
        except ValueError:
            continue
        own = effective.of(row.pk)
        figures = own.used_converted if limit.converted else own.used
        with np.errstate(invalid="ignore"):
            near = own.counts & (figures >= NEAR * upper) & (figures <= upper)
        _add(found[row.place_id], "near", int(near.sum()))


def _count_first(found: dict[int, Facts], series: Sequence[Series], effective: Effective, start: datetime) -> None:
    """Count the factors that were sound for a week and of which something was doubted or refused on this day."""
    bad = {int(pk) for pk in np.unique(effective.series_id[np.isin(effective.quality, (1, 2))])}
    if not bad:
        return
    before = store.effective(bad, start - timedelta(days=SOUND_DAYS), start)
    failed = {int(pk) for pk in np.unique(before.series_id[np.isin(before.quality, (1, 2))])}
    known = {int(pk) for pk in np.unique(before.series_id)}
    for row in series:
        if row.pk in bad and row.pk in known - failed:
            _add(found[row.place_id], "first", 1)
