"""What a statistic was made of, and why one revision differs from another.

The inputs are listed as they were known when the statistic was computed (``as_of``); their digest is computed again by
the same code, and a statistic says whether it comes out the same. A difference names what came late, was revised, was
judged otherwise or is gone between two moments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.registry.models import Interval, Series
from luming.standards import validity
from luming.standards.periods import period_end
from luming.telemetry import store
from luming.telemetry.sampling import reading as manual
from luming.telemetry.sampling.reading import Manual
from luming.telemetry.statistics import inputs as again
from luming.telemetry.statistics import longer, reading, words
from luming.telemetry.statistics.models import Statistic

RECEIVED, REVISED, JUDGED, GONE = "received", "revised", "judged", "gone"


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation among the inputs. ``counts``: whether it was used; ``letter`` is N or what spoke against it."""

    series: Series
    start: datetime
    revision: int
    verdict: int  # sequence of the verdict that held; -1: the device's mark alone
    value: float | None
    letter: str
    counts: bool
    packet_id: int

    @property
    def ms(self) -> int:
        """Return the start as the addresses of values write it."""
        return int(self.start.timestamp() * 1000)


@dataclass(slots=True)
class Inputs:
    """What a statistic was made of: observations, statistics of shorter periods or samples.

    ``same`` tells whether the digest comes out the same; None for a figure that was withdrawn.
    """

    observed: list[Observed] = field(default_factory=list)
    statistics: list[Statistic] = field(default_factory=list)
    samples: list[Manual] = field(default_factory=list)
    same: bool | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One input that is another at the later moment: what happened, before and after (observations or statistics)."""

    what: str
    before: Observed | Statistic | None
    after: Observed | Statistic | None


def span(row: Statistic) -> tuple[datetime, datetime]:
    """Return the instants between which the inputs of a statistic begin."""
    start = np.datetime64(round(row.start.timestamp() * 1e6), "us")
    if row.kind == words.EIGHT_HOURS:
        return row.start, row.start + timedelta(hours=8)
    end = period_end(start, row.kind)  # type: ignore[arg-type]
    last = end.astype("datetime64[us]").item().replace(tzinfo=UTC)
    if row.measure in words.LEVELS and row.kind == words.DAY:
        return row.start + timedelta(hours=6), last + timedelta(hours=6)
    return row.start, last


def inputs(row: Statistic, *, as_of: datetime | None = None) -> Inputs:
    """Return the inputs of a statistic as they were known when it was computed, or at another moment."""
    moment = as_of or row.as_of
    first, last = span(row)
    found = Inputs()
    if row.source == words.SAMPLES and row.kind == words.DAY:
        found.samples = manual.accepted([row.place_id], [row.factor], first, last, as_of=moment)
    elif row.kind in words.LONGER:
        source = again.source_measure(row)
        # days that were computed together with it are part of it
        known = as_of or row.computed_at
        found.statistics = list(
            reading.latest([row.place_id], source, words.DAY, first, last, factors=[row.factor], as_of=known)
        )
    else:
        found.observed = _observed(row, first, last, moment)
        if row.kind == words.DAY and row.source in (words.MINUTES, words.MIXED):
            counted = {one.start for one in found.observed if one.counts}
            own = reading.latest(
                [row.place_id],
                words.MEAN,
                words.HOUR,
                first,
                last,
                factors=[row.factor],
                as_of=as_of or row.computed_at,
            )
            found.statistics = [one for one in own if one.valid and one.start not in counted]
    if as_of is None:
        found.same = None if row.method == "none" else again.Engine().of(row).digest == row.digest
    return found


def _observed(row: Statistic, first: datetime, last: datetime, moment: datetime) -> list[Observed]:
    """Return the observations of a short period: minutes for an own hour, else hours with the flow that weighed."""
    minutes = row.kind == words.HOUR and row.source == words.MINUTES
    wanted = Series.objects.filter(place=row.place_id, interval=Interval.MINUTE if minutes else Interval.HOUR)
    if row.factor != "*":
        wanted = wanted.filter(factor__in=[row.factor, *(["w00000"] if row.method == "weighted" else [])])
    series = {one.pk: one for one in wanted}
    if not series:
        return []
    rows = store.effective(list(series), first, last, as_of=moment)
    letters, counts = rows.letters, rows.counts
    value = {words.CONVERTED: rows.used_converted, words.AMOUNT: rows.used_amount, words.SUBSTITUTED: rows.used_amount}
    shown = value.get(row.measure, rows.used)
    return [
        Observed(
            series[int(rows.series_id[i])], start.replace(tzinfo=UTC), int(rows.revision[i]), int(rows.sequence[i]),
            None if np.isnan(shown[i]) else float(shown[i]), str(letters[i]), bool(counts[i]), int(rows.packet_id[i]),
        )
        for i, start in enumerate(rows.start.tolist())
    ]  # fmt: skip


def difference(older: Statistic, newer: Statistic) -> list[Difference]:
    """Return the inputs that differ between two revisions of a statistic, in the order of time."""
    before, after = inputs(older, as_of=older.as_of), inputs(newer, as_of=newer.as_of)
    if newer.kind in words.LONGER:
        before, after = inputs(older, as_of=older.computed_at), inputs(newer, as_of=newer.computed_at)
    if newer.kind in words.LONGER:
        old = {row.start: row for row in before.statistics}
        new = {row.start: row for row in after.statistics}
        return [
            Difference(_of_statistics(old.get(key), new.get(key)), old.get(key), new.get(key))
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
    seen = {(row.series.pk, row.start): row for row in before.observed}
    known = {(row.series.pk, row.start): row for row in after.observed}
    found = [
        Difference(_of_observed(seen.get(key), known.get(key)), seen.get(key), known.get(key))
        for key in sorted(seen.keys() | known.keys(), key=lambda key: (key[1], key[0]))
        if seen.get(key) != known.get(key)
    ]
    return [one for one in found if one.what]


def _of_statistics(old: Statistic | None, new: Statistic | None) -> str:
    return RECEIVED if old is None else GONE if new is None else REVISED


def _of_observed(old: Observed | None, new: Observed | None) -> str:
    if old is None:
        return RECEIVED
    if new is None:
        return GONE
    return REVISED if old.revision != new.revision else JUDGED


def longer_of(row: Statistic) -> list[Statistic]:
    """Return the newest statistics of longer periods that a day's statistic went into."""
    if row.kind != words.DAY:
        return []
    found = []
    start = np.datetime64(round(row.start.timestamp() * 1e6), "us")
    for kind in words.LONGER:
        begin = longer.start_before(start, kind)
        rows = Statistic.objects.filter(place=row.place_id, factor=row.factor, kind=kind, start=begin)
        newest: dict[str, Statistic] = {}
        for one in rows.order_by("revision"):
            if again.source_measure(one) == row.measure:
                newest[one.measure] = one
        found += list(newest.values())
    return found


def rule_of(row: Statistic) -> validity.Rule | None:
    """Return the validity rule of a statistic, as far as this version's tables still have it."""
    return next((rule for rule in validity.rules() if rule.key == row.rule), None)
