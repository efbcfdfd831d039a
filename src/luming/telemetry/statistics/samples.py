"""Samples taken by hand, where a factor has no automatic value of a day that counts.

Accepted results are of equal rank (:mod:`luming.telemetry.sampling.reading`). The day's figure is the mean of its
samples, and what was sampled is valid: the rules that count hours are for automatic stations. A month made of samples
only needs one of them (our reading of HJ 91.2-2022 and HJ 91.1-2019, whose texts were not obtained: not verified).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np

from luming.registry.models import Place
from luming.standards import averages, methods
from luming.standards.edition import city_day
from luming.standards.results import Reason, rounded
from luming.telemetry import units
from luming.telemetry.sampling import reading
from luming.telemetry.sampling.reading import Manual
from luming.telemetry.statistics import digests, storage, words
from luming.telemetry.statistics.loading import Subject, scaled, subject_of
from luming.telemetry.statistics.storage import Figures

EDITION = "HJ 91.2-2022"
_SOURCE = words.SAMPLES.encode()


@dataclass(slots=True)
class Samples:
    """Accepted results by place, factor and day of the city."""

    media: Mapping[int, str]
    rows: dict[tuple[str, int, date], list[Manual]] = field(default_factory=lambda: defaultdict(list))
    seen: set[tuple[str, int]] = field(default_factory=set)

    def fill(self, subject: Subject, figures: Figures) -> Figures:
        """Put the means of samples where no automatic value counts; call it once for each subject."""
        self.seen |= {(subject.factor, place) for place in np.unique(figures.place).tolist()}
        mine = [key for key in self.rows if key[0] == subject.factor and self.media[key[1]] == subject.medium]
        if not mine:
            return figures
        ours = _figures(subject, {key: self.rows[key] for key in mine})
        empty = storage.keys(figures.place, figures.start)[figures.count == 0]
        ours = ours.take(np.isin(storage.keys(ours.place, ours.start), empty))
        kept = ~np.isin(storage.keys(figures.place, figures.start), storage.keys(ours.place, ours.start))
        return storage.joined([figures.take(kept), ours])

    def alone(self) -> list[tuple[Subject, Figures]]:
        """Return the figures of what is only sampled; call it after all subjects were filled."""
        groups: dict[Subject, dict[tuple[str, int, date], list[Manual]]] = defaultdict(dict)
        for key, found in self.rows.items():
            if key[:2] not in self.seen:
                groups[subject_of(self.media[key[1]], key[0], found[0].unit)][key] = found
        return [(subject, _figures(subject, rows)) for subject, rows in groups.items()]


def load(places: Mapping[int, Place], start: datetime, end: datetime, *, as_of: datetime | None = None) -> Samples:
    """Return the accepted results of samples whose taking began in [start, end), as known at ``as_of``."""
    found = Samples({place_id: place.medium for place_id, place in places.items()})
    for row in reading.accepted(places, None, start, end, as_of=as_of):
        found.rows[row.factor, row.place_id, city_day(row.start)].append(row)
    return found


def _figures(subject: Subject, rows: Mapping[tuple[str, int, date], Sequence[Manual]]) -> Figures:
    """Return the days' means of samples; a result in a unit of another kind is left out."""
    usable = []
    for (_factor, place, day), found in sorted(rows.items()):
        for row in found:
            try:
                usable.append((place, day, row, units.scale(row.unit, subject.unit)))
            except ValueError:
                continue
    days = sorted({(place, day) for place, day, _row, _scale in usable})
    position = np.array([days.index((place, day)) for place, day, _row, _scale in usable], np.int64)
    value = scaled(
        np.array([row.counted for _place, _day, row, _scale in usable], float),
        np.array([scale for *_rest, scale in usable], float),
    )
    inputs = digests.inputs(
        np.array([-row.sample_id for _place, _day, row, _scale in usable], np.int64),
        np.array([np.datetime64(round(row.start.timestamp() * 1e6), "us") for *_, row, _scale in usable], "M8[us]"),
        np.array([row.revision for _place, _day, row, _scale in usable], np.int64),
        np.full(len(usable), -1),
        value,
    )
    number = len(days)
    method = averages.method_of(subject.medium, subject.short, words.DAY, weighted=False)
    method = "mean" if method == "mda8" else method
    mean = methods.compute(method, position, value, np.ones(len(usable)), number)
    decimals = methods.decimals_of(subject.medium, subject.short, words.DAY)
    count = np.bincount(position, minlength=number).astype(np.int64)
    starts = [np.datetime64(day.isoformat(), "us") - np.timedelta64(8, "h") for _place, day in days]
    nothing = np.full(number, np.nan)
    return Figures(
        subject.factor, words.MEAN, words.DAY, subject.unit,
        np.array([place for place, _day in days], np.int64), np.array(starts, "M8[us]"), mean,
        rounded(mean, decimals) if number else mean, np.ones(number, bool),
        np.full(number, int(Reason.VALID)), count, count, np.ones(number, np.int64), np.zeros(number, np.int64),
        nothing,
        np.full(number, method.encode()), np.full(number, decimals), np.full(number, _SOURCE),
        np.full(number, EDITION.encode()), np.full(number, b""), np.zeros(number, bool),
        digests.of_groups(position, inputs, number), nothing,
    )  # fmt: skip


def judged(figures: Figures, sampled: np.ndarray) -> Figures:
    """Call longer periods valid that are made of samples only: one is enough."""
    if not sampled.any():
        return figures
    figures.valid = figures.valid | sampled
    figures.reason = np.where(sampled, int(Reason.VALID), figures.reason)
    figures.required = np.where(sampled, 1, figures.required)
    figures.source = np.where(sampled, _SOURCE, figures.source)
    figures.edition = np.where(sampled, EDITION.encode(), figures.edition)
    figures.rule = np.where(sampled, b"", figures.rule)
    figures.verified = figures.verified & ~sampled
    return figures
