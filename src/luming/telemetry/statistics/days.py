"""Figures of days, computed from hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from luming.registry.models import Medium
from luming.standards import averages, noise_levels
from luming.standards.amounts import STOPPED_FLAG
from luming.standards.results import Statistics
from luming.telemetry.statistics import digests, plans, storage, windows, words
from luming.telemetry.statistics.figures import figures_of, source_of
from luming.telemetry.statistics.loading import Hours, Loaded
from luming.telemetry.statistics.plans import Day

LITRES_PER_SECOND = 3.6  # m³/h
SIX_HOURS = np.timedelta64(6, "h")


@dataclass(slots=True)
class Weights:
    """Volumes of waste water by place and hour (m³), with the rows they come from."""

    keys: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    volume: np.ndarray = field(default_factory=lambda: np.empty(0))
    inputs: np.ndarray = field(default_factory=lambda: np.empty(0, digests.INPUT))
    places: frozenset[int] = frozenset()

    def of(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return volume and row of some places' hours: NaN and -1 where it is not known."""
        volume, row = np.full(len(keys), np.nan), np.full(len(keys), -1, np.int64)
        if len(self.keys):
            at = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
            known = self.keys[at] == keys
            volume[known], row[known] = self.volume[at[known]], at[known]
        return volume, row


def weights_of(loaded: Loaded) -> Weights:
    """Return the volumes that weigh the concentrations of waste water.

    The hour's volume as sent (HJ 212-2017 Annex B, w00000-Cou in m³), else the mean flow of the hour (L/s).
    """
    hours = loaded.hours.take(loaded.hours.counts)
    volume = np.where(np.isfinite(hours.amount), hours.amount, hours.value * LITRES_PER_SECOND)
    return Weights(storage.keys(hours.place, hours.start), volume, hours.inputs(volume), loaded.places)


def compute(loaded: Loaded, start: datetime, end: datetime, weights: Weights) -> list[storage.Figures]:
    """Return the figures of the days of [start, end) of one subject, of places without data too."""
    found = []
    hours = _with_silent(loaded.hours, loaded.places, start)
    for day in plans.days_of(loaded.subject):
        if day.measure == words.AMOUNT:
            found.append(_amounts(loaded, hours, day, start, end))
        elif loaded.subject.medium == Medium.SEWAGE and day.measure == words.MEAN:
            found += _sewage(loaded, hours, start, end, weights)
        else:
            found.append(_plain(loaded, hours, day, start, end))
    if loaded.subject.medium == Medium.NOISE and loaded.subject.short == "leq":
        found += _levels(loaded, hours, start, end)
    if loaded.subject.medium == Medium.AIR and loaded.subject.short == "o3":
        found.append(windows.of_eight_hours(loaded))
    return found


def _levels(loaded: Loaded, hours: Hours, start: datetime, end: datetime) -> list[storage.Figures]:
    """Return Ld, Ln and Ldn; a day of noise lasts from 6 to 6 o'clock and is stored under its midnight."""
    span = (_naive(start) + SIX_HOURS, _naive(end) + SIX_HOURS)
    levels = noise_levels.day_levels(hours.start, hours.value, series=hours.place, counts=hours.counts, span=span)
    found = []
    for measure, statistics in levels.items():
        figures = figures_of(
            statistics, loaded.subject, measure, words.DAY, hours.inputs(hours.value),
            source=source_of(statistics, hours.from_minutes), origin=hours.origin,
        )  # fmt: skip
        figures.start = figures.start - SIX_HOURS
        found.append(figures)
    return found


def _with_silent(hours: Hours, places: frozenset[int], start: datetime) -> Hours:
    """Add a row that does not count for each place without any, so that its days are there."""
    silent = np.array(sorted(places - set(hours.place.tolist())), np.int64)
    if not len(silent):
        return hours
    number = len(silent)
    nothing = np.full(number, np.nan)
    moment = np.full(number, np.datetime64(int(start.timestamp()), "s"), "datetime64[us]")
    added = Hours(
        silent, moment, nothing, nothing, nothing, np.zeros(number, bool), np.full(number, "-", hours.letters.dtype),
        np.zeros(number, np.int8), np.zeros(number, np.int64), np.full(number, -1, np.int16),
        np.full(number, -1, np.int16), np.full(number, b"", "S64"),
    )  # fmt: skip
    return Hours(*(np.concatenate([getattr(hours, name), getattr(added, name)]) for name in Hours.__slots__))


def _statistics(
    loaded: Loaded, hours: Hours, value: np.ndarray, counts: np.ndarray, start: datetime, end: datetime,
    *, method: str | None = None, weight: np.ndarray | None = None, decimals: int | None = None,
) -> Statistics:  # fmt: skip
    return averages.aggregate(
        hours.start, value, interval="day", medium=loaded.subject.medium, factor=loaded.subject.short,
        series=hours.place, counts=counts, span=(_naive(start), _naive(end)), method=method, weight=weight,
        decimals=decimals,
    )  # fmt: skip


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(round(moment.timestamp() * 1_000_000), "us")


def _plain(loaded: Loaded, hours: Hours, day: Day, start: datetime, end: datetime) -> storage.Figures:
    value = getattr(hours, day.field)
    statistics = _statistics(loaded, hours, value, hours.counts, start, end, method=day.method)
    figures = figures_of(
        statistics, loaded.subject, day.measure, words.DAY, hours.inputs(value),
        source=source_of(statistics, hours.from_minutes), origin=hours.origin,
    )  # fmt: skip
    return figures if day.field == "value" else figures.take(_groups_with(statistics, np.isfinite(value)))


def _sewage(loaded: Loaded, hours: Hours, start: datetime, end: datetime, weights: Weights) -> list[storage.Figures]:
    """Return means weighted by the hour's volume where the outlet measures it, else arithmetic ones."""
    weighed = np.isin(hours.place, np.array(sorted(weights.places), np.int64))
    if loaded.subject.factor in plans.UNWEIGHED:
        weighed &= False
    found = []
    if (~weighed).any():
        found.append(_plain(loaded, hours.take(~weighed), Day(words.MEAN, method="mean"), start, end))
    if weighed.any():
        mine = hours.take(weighed)
        volume, row = weights.of(storage.keys(mine.place, mine.start))
        statistics = _statistics(loaded, mine, mine.value, mine.counts, start, end, weight=volume)
        more = None
        if statistics.method == "weighted":
            chosen = statistics.used & (statistics.position >= 0)
            more = (statistics.position[chosen], weights.inputs[row[chosen]])
        found.append(
            figures_of(
                statistics,
                loaded.subject,
                words.MEAN,
                words.DAY,
                mine.inputs(mine.value),
                source=source_of(statistics, mine.from_minutes),
                origin=mine.origin,
                more=more,
            )
        )
    return found


def _amounts(loaded: Loaded, hours: Hours, day: Day, start: datetime, end: datetime) -> storage.Figures:
    """Return the amounts as monitored: the sum of the hours that count; a stopped hour discharges nothing.

    The same rule as :func:`luming.standards.amounts.daily_amounts`.
    """
    stopped = hours.letters == STOPPED_FLAG
    amount = np.where(stopped, 0.0, hours.amount * plans.amount_scale(loaded.subject.factor))
    counts = stopped | (hours.counts & (np.nan_to_num(amount, nan=-1.0) >= 0))
    statistics = _statistics(
        loaded, hours, amount, counts, start, end, method=day.method, decimals=plans.AMOUNT_DECIMALS
    )
    figures = figures_of(
        statistics, loaded.subject, day.measure, words.DAY, hours.inputs(amount),
        source=source_of(statistics, hours.from_minutes), origin=hours.origin,
        unit=plans.amount_unit(loaded.subject.factor),
    )  # fmt: skip
    return figures.take(_groups_with(statistics, stopped | np.isfinite(hours.amount)))


def _groups_with(statistics: Statistics, rows: np.ndarray) -> np.ndarray:
    """Return which groups have one of these rows at all, whether it counts or not."""
    position = statistics.position[rows & (statistics.position >= 0)]
    return np.bincount(position, minlength=len(statistics)) > 0
