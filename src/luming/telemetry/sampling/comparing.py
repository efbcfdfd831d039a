"""A manual result beside what the automatic series says of the same time, with the error that is allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.utils import timezone

from luming import __version__
from luming.registry.models import Interval, Medium, Series
from luming.telemetry import store, units
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult

# Finest first: the mean over exactly the sampling period. Days say too little of it.
INTERVALS = (Interval.REALTIME, Interval.MINUTE, Interval.HOUR)
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
    found = [
        _mean(series, start, end)
        for series in Series.objects.filter(place=place_id, factor=factor, interval__in=INTERVALS)
    ]
    found.sort(key=lambda one: INTERVALS.index(one.series.interval))
    enough = next((one for one in found if one.share >= ENOUGH), None)
    return enough or max(found, key=lambda one: one.share, default=None)


def _mean(series: Series, start: datetime, end: datetime) -> Automatic:
    length = timedelta(seconds=max(series.seconds, 1))
    rows = store.effective([series.pk], start - length, end + timedelta(microseconds=1))
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
        expected=found.expected, unit=found.series.unit, outcome=Comparison.Outcome.UNKNOWN,
        number=Comparison.objects.filter(sample=sample, factor=result.factor).count(),
        computed_at=timezone.now(), software=__version__[:20],
    )  # fmt: skip
    _judge(row, result, found)
    row.save(force_insert=True)
    return row


def _judge(row: Comparison, result: SampleResult, found: Automatic) -> None:
    """Fill in the figures, the allowed error and the outcome, or why there is none."""
    try:
        scale = units.scale(result.unit, found.series.unit)
    except ValueError:
        row.why = "units"
        return
    row.manual = None if result.value is None else float(f"{result.value * scale:.12g}")
    if not found.count:
        row.why = "no-automatic"
        return
    row.automatic = float(f"{found.value:.12g}")
    if row.manual is None:
        row.why = "below-detection"
        return
    _allow(row, sample_medium=result.sample.place.medium)


def _allow(row: Comparison, sample_medium: str) -> None:
    row.why = "no-rule"


MEDIA = frozenset({Medium.GAS, Medium.SEWAGE, Medium.WATER, Medium.AIR})
