"""A manual result beside what the automatic series says of the same time, with the error that is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.utils import timezone

from luming import __version__
from luming.registry import units as registry_units
from luming.registry.models import Interval, Medium, Series
from luming.standards import comparison as standard
from luming.telemetry import store, units
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult

# Finest first: the mean over exactly the sampling period. Days say too little of it.
INTERVALS = (Interval.REALTIME, Interval.MINUTE, Interval.HOUR)
# What the tables of allowed errors call factors (codes of HJ 212 Annex B).
KEYS = {
    ("sewage", "w01018"): "cod", ("sewage", "w21003"): "nh3n", ("sewage", "w21011"): "tp", ("sewage", "w21001"): "tn",
    ("sewage", "w01001"): "ph", ("sewage", "w01010"): "temp", ("sewage", "w00000"): "flow",
    ("gas", "a21026"): "so2", ("gas", "a21002"): "nox", ("gas", "a34013"): "pm", ("gas", "a19001"): "o2",
    ("gas", "a01011"): "velocity", ("gas", "a01012"): "temp", ("gas", "a01014"): "moisture",
}  # fmt: skip
ENOUGH = 0.75  # share of the expected values; below it a coarser interval is preferred


@dataclass(frozen=True, slots=True)
class Automatic:
    """The mean of what counts of one series in a period."""

    series: Series
    value: float  # in the unit of the series; NaN without a value
    count: int
    expected: int

    @property
    def share(self) -> float:
        """Return the share of the values that were expected."""
        return self.count / self.expected if self.expected else 0.0


def automatic(place_id: int, factor: str, start: datetime, end: datetime) -> Automatic | None:
    """Return the mean of what counts of the finest series with enough values; None where nothing is registered.

    Every observation whose period overlaps [start, end] takes part; for a grab sample it is the one whose period holds
    the instant. Where no series has three quarters of its values, the fullest one is taken.
    """
    return automatic_of(place_id, [factor], start, end).get(factor)


def automatic_of(place_id: int, factors: Sequence[str], start: datetime, end: datetime) -> dict[str, Automatic]:
    """Return the same for several factors of a place at once: one query for the series, one reading of the store."""
    every = list(Series.objects.filter(place=place_id, factor__in=factors, interval__in=INTERVALS))
    if not every:
        return {}
    longest = timedelta(seconds=max(series.seconds for series in every))
    rows = store.effective([series.pk for series in every], start - longest, end + timedelta(microseconds=1))
    by_factor: dict[str, list[Automatic]] = {}
    for series in sorted(every, key=lambda one: INTERVALS.index(Interval(one.interval))):
        by_factor.setdefault(series.factor, []).append(_mean(series, rows.of(series.pk), start, end))
    return {factor: _best(found) for factor, found in by_factor.items()}


def _best(found: Sequence[Automatic]) -> Automatic:
    """Return the finest with enough values, else the fullest."""
    enough = next((one for one in found if one.share >= ENOUGH), None)
    return enough or max(found, key=lambda one: one.share)


def _mean(series: Series, rows: store.Effective, start: datetime, end: datetime) -> Automatic:
    length = timedelta(seconds=max(series.seconds, 1))
    first = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    last = np.datetime64(end.astimezone(UTC).replace(tzinfo=None), "us")
    overlaps = (rows.start + np.timedelta64(length) > first) & ((rows.start < last) | (rows.start <= first))
    values = rows.used[overlaps & rows.counts]
    expected = max(1, math.ceil((end - start) / length))
    return Automatic(series, float(values.mean()) if len(values) else math.nan, min(len(values), expected), expected)


def compare(result: SampleResult, sample: Sample | None = None) -> Comparison | None:
    """Compare an accepted result with the automatic series and keep the comparison; None where nothing is registered.

    Call it inside a transaction. What cannot be compared is kept with the reason.
    """
    sample = sample or result.sample
    if sample.taken_from is None or sample.taken_to is None or result.withdrawn:
        return None
    found = automatic(sample.place_id, result.factor, sample.taken_from, sample.taken_to)
    if found is None:
        return None
    row = Comparison(
        result=result, sample=sample, place_id=sample.place_id, factor=result.factor, start=sample.taken_from,
        end=sample.taken_to, series_id=found.series.pk, interval=found.series.interval, count=found.count,
        expected=found.expected, outcome=Comparison.Outcome.UNKNOWN,
        number=Comparison.objects.filter(sample=sample, factor=result.factor).count(),
        computed_at=timezone.now(), software=__version__[:20],
    )  # fmt: skip
    _judge(row, result, found, sample)
    row.save(force_insert=True)
    return row


def _judge(row: Comparison, result: SampleResult, found: Automatic, sample: Sample) -> None:
    """Fill in the figures, the allowed error and the outcome, or why there is none."""
    medium = sample.place.medium
    row.unit = registry_units.default(result.factor, medium)
    try:
        by_hand, by_device = units.scale(result.unit, row.unit), units.scale(found.series.unit, row.unit)
    except ValueError:
        row.why = "units"
        return
    row.manual = None if result.value is None else _clean(result.value * by_hand)
    if not found.count:
        row.why = "no-automatic"
        return
    row.automatic = _clean(found.value * by_device)
    if row.manual is None:
        row.why = "below-detection"
        return
    key = KEYS.get((medium, result.factor))
    edition = standard.edition_for(medium, row.start) if key else None
    if key is None or edition is None:
        row.why = "no-rule"
        return
    _allow(row, key, edition, [(row.manual, row.automatic), *_others(row, sample, medium)])


def _allow(row: Comparison, key: str, edition: str, pairs: list[tuple[float, float]]) -> None:
    """Judge the pair, or with the other pairs of its round what the standard takes together."""
    row.edition = edition
    try:
        manual, by_device = zip(*pairs, strict=True)
        judged = standard.within_pairs(manual, by_device, key, edition)[0]
    except LookupError:
        row.why = "no-rule"
        return
    except ValueError:
        row.why = "pairs"
        return
    row.pairs = 1 if judged.row.by == "pair" else len(pairs)
    row.error = judged.error if math.isfinite(judged.error) else None
    row.relative, row.allowed = judged.unit == "%" and judged.kind != "absolute", judged.allowed
    row.clause, row.verified = judged.row.clause[:80], judged.row.verified
    row.outcome = Comparison.Outcome.PASSED if judged.passed else Comparison.Outcome.FAILED


def _others(row: Comparison, sample: Sample, medium: str) -> list[tuple[float, float]]:
    """Return the other pairs of the same round of a plan, where the standard judges their mean or accuracy (gas)."""
    if medium != Medium.GAS or sample.plan_id is None:
        return []
    same = Comparison.objects.filter(
        sample__plan=sample.plan_id, sample__due_on=sample.due_on, place=row.place_id, factor=row.factor,
        manual__isnull=False, automatic__isnull=False,
    ).exclude(sample=sample)  # fmt: skip
    newest = {one.sample_id: (one.manual, one.automatic) for one in same.order_by("number")}
    return [(float(manual), float(by_device)) for manual, by_device in newest.values()]


def _clean(value: float) -> float:
    """Take away the noise of binary fractions."""
    return float(f"{value:.12g}")
