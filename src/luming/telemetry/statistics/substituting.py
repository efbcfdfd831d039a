"""Amounts with substitution: missing hours of outlets by the dated table (:mod:`luming.standards.substitution`).

Waste gas: SO2, NOx and particulate matter by HJ 75-2017. Waste water: concentration and volume are filled by
HJ 356-2019 (:mod:`luming.standards.sewage`) and multiplied. What stands in for an hour depends on the valid data
capture rate of its quarter and on the hours before it, so a change of one hour concerns the whole quarter and, as
history, the next one: both are computed again, as far as their days are over. History is the quarter itself and the
one before.

Hours that do not count for whatever reason are missing hours here: hours out of control between a failed calibration
and the next passed one are not told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from luming.registry.models import Medium, Place
from luming.standards import sewage, substitution
from luming.standards.amounts import STOPPED_FLAG
from luming.standards.edition import city_day
from luming.standards.periods import ordinal, start_of
from luming.standards.results import Reason, rounded
from luming.standards.substitution import HourState, Origin, Substitution
from luming.telemetry.statistics import days, digests, loading, plans, storage, words
from luming.telemetry.statistics.loading import Hours, Loaded, Subject
from luming.telemetry.statistics.storage import Change, Figures

GAS = frozenset({"so2", "nox", "pm"})  # luming.standards.substitution: the rule is for these
HOUR = np.timedelta64(1, "h")
DAY = np.timedelta64(1, "D")
_SUBSTITUTED = -2  # stands for the revision in the digest of an hour that has no observation of its own


def compute(
    pairs: Iterable[tuple[int, date]], places: Mapping[int, Place], moment: datetime, now: datetime
) -> list[tuple[Subject, Change]]:
    """Compute the quarters that the place-days touch, and the next ones, as far as they are over."""
    today = np.datetime64(city_day(now).isoformat(), "us") - 8 * HOUR
    quarters: dict[int, set[int]] = defaultdict(set)
    for place_id, day in pairs:
        if place_id in places and places[place_id].medium in plans.OUTLET_MEDIA:
            number = int(ordinal(np.datetime64(day.isoformat(), "us"), "quarter"))
            quarters[number].add(place_id)
            quarters[number + 1].add(place_id)
    changes: list[tuple[Subject, Change]] = []
    for number in sorted(quarters):
        first, last = start_of(number, "quarter"), min(start_of(number + 1, "quarter"), today)
        if first < last:
            mine = {place_id: places[place_id] for place_id in quarters[number]}
            changes += _quarter(mine, start_of(number - 1, "quarter"), first, last, moment)
    return changes


def _quarter(
    places: Mapping[int, Place], history: np.datetime64, first: np.datetime64, last: np.datetime64, moment: datetime
) -> list[tuple[Subject, Change]]:
    changes = []
    volumes: Loaded | None = None
    for loaded in loading.load(places, _aware(history), _aware(last), only=_concerns):
        if loaded.subject.factor == "w00000":
            volumes = loaded
            continue
        parts = [_substituted(loaded, volumes, place, first, last) for place in sorted(loaded.places)]
        for found in ([part.hours for part in parts if part], [part.days for part in parts if part]):
            if found:
                figures = storage.joined(found)
                changes.append((
                    loaded.subject,
                    storage.store(
                        figures, loaded.places, _aware(first), _aware(last), moment,
                        concerns=lambda place, _start: np.ones(len(place), bool),
                    ),
                ))  # fmt: skip
    return changes


def _concerns(subject: Subject) -> bool:
    if subject.medium == Medium.GAS:
        return subject.short in GAS
    return subject.factor == "w00000" or (
        plans.amount_unit(subject.factor) == "kg" and subject.factor not in plans.UNWEIGHED
    )


def _aware(moment: np.datetime64) -> datetime:
    return moment.astype("datetime64[us]").item().replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Part:
    """One outlet's figures: of the hours that were substituted, and of all days."""

    hours: Figures
    days: Figures


def _substituted(
    loaded: Loaded, volumes: Loaded | None, place: int, first: np.datetime64, last: np.datetime64
) -> _Part | None:
    """Return an outlet's figures between two instants; None where it sent no amount at all."""
    own = loaded.hours.take(loaded.hours.place == place)
    if not np.isfinite(own.amount).any():
        return None
    starts = np.arange(own.start.min().astype("datetime64[h]"), last, HOUR).astype("datetime64[us]")
    grid = _Grid.of(own, starts, plans.amount_scale(loaded.subject.factor))
    if loaded.subject.medium == Medium.GAS:
        result = substitution.substitute(starts, grid.amount, grid.state)
        amount, rule = result.value, result.row
        done = result.origin == Origin.SUBSTITUTED
    else:
        result, amount, done = _sewage(loaded, volumes, own, place, grid)
        rule = result.row
    return _figures(loaded.subject, place, grid, result, amount, np.where(done, rule, -1), first)


@dataclass(slots=True)
class _Grid:
    """All hours of one outlet between two instants, with the row of each that has one."""

    own: Hours
    starts: np.ndarray
    row: np.ndarray  # -1: nothing was received
    amount: np.ndarray
    state: np.ndarray

    @classmethod
    def of(cls, own: Hours, starts: np.ndarray, scale: float) -> _Grid:
        """Lay hours on a grid without gaps."""
        at = ((own.start - starts[0]) // HOUR).astype(np.int64)
        inside = (at >= 0) & (at < len(starts))
        row = np.full(len(starts), -1, np.int64)
        row[at[inside]] = np.nonzero(inside)[0]
        there = row >= 0
        counts, letters = own.counts[row] & there, np.where(there, own.letters[row], "")
        amount = np.where(there, own.amount[row] * scale, np.nan)
        valid = counts & (np.nan_to_num(amount, nan=-1.0) >= 0)
        state = np.where(
            valid, HourState.VALID, np.where(letters == STOPPED_FLAG, HourState.SHUTDOWN, HourState.MISSING)
        )
        return cls(own, starts, row, np.where(valid, amount, np.nan), state.astype(np.int64))


def _sewage(
    loaded: Loaded, volumes: Loaded | None, own: Hours, place: int, grid: _Grid
) -> tuple[Substitution, np.ndarray, np.ndarray]:
    """Fill concentration and volume; the amount as sent stays where it counts."""
    concentration = sewage.fill_gaps(grid.starts, *_filled_input(own, own.value, grid), factor=loaded.subject.short)
    water = _volumes(volumes, place, grid)
    volume = sewage.fill_gaps(grid.starts, *water, factor="volume")
    product = concentration.value * volume.value / 1000.0  # mg/L × m³ = g
    missing = grid.state == HourState.MISSING
    amount = np.where(missing, product, np.where(grid.state == HourState.SHUTDOWN, 0.0, grid.amount))
    done = missing & np.isfinite(product)
    row = np.where(concentration.row >= 0, concentration.row, volume.row)
    concentration.row[:] = np.where(done & (row < 0), 0, row)
    return concentration, amount, done


def _filled_input(own: Hours, value: np.ndarray, grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return values and states of one quantity on the grid."""
    there = grid.row >= 0
    counts = there & own.counts[grid.row] & np.isfinite(value[grid.row])
    values = np.where(counts, value[grid.row], np.nan)
    stopped = grid.state == HourState.SHUTDOWN
    state = np.where(counts, HourState.VALID, np.where(stopped, HourState.SHUTDOWN, HourState.MISSING))
    return values, state.astype(np.int64)


def _volumes(volumes: Loaded | None, place: int, grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    stopped = grid.state == HourState.SHUTDOWN
    values = np.full(len(grid.starts), np.nan)
    if volumes is not None:
        mine = volumes.hours.take((volumes.hours.place == place) & volumes.hours.counts)
        volume = np.where(np.isfinite(mine.amount), mine.amount, mine.value * days.LITRES_PER_SECOND)
        at = ((mine.start - grid.starts[0]) // HOUR).astype(np.int64)
        inside = (at >= 0) & (at < len(values))
        values[at[inside]] = volume[inside]
    known = np.isfinite(values)
    state = np.where(known, HourState.VALID, np.where(stopped, HourState.SHUTDOWN, HourState.MISSING))
    return values, state.astype(np.int64)


def _figures(
    subject: Subject, place: int, grid: _Grid, result: Substitution, amount: np.ndarray, rule: np.ndarray,
    first: np.datetime64,
) -> _Part:  # fmt: skip
    keys = np.array([*(row.key.encode() for row in result.rows), b""])
    editions = np.array([*(row.edition.encode() for row in result.rows), _edition(subject).encode()])
    verified = np.array([*(row.verified for row in result.rows), False])
    there = grid.row >= 0
    chosen = grid.starts >= first
    filled = rule >= 0
    measured = chosen & ~filled & np.isfinite(amount)
    series = grid.own.series[0]
    inputs = digests.inputs(
        np.full(len(amount), series), grid.starts,
        np.where(filled, _SUBSTITUTED, np.where(there, grid.own.revision[grid.row], -1)),
        np.where(filled, rule, np.where(there, grid.own.sequence[grid.row], -1)), amount,
    )  # fmt: skip
    hour = np.nonzero(chosen & filled)[0]
    number = len(hour)
    hours = _made(
        subject, words.HOUR, np.full(number, place), grid.starts[hour], amount[hour], np.ones(number, np.int64),
        np.ones(number, np.int64), editions[rule[hour]], keys[rule[hour]], verified[rule[hour]],
        digests.of_groups(np.arange(number), inputs[hour], number), 1,
    )  # fmt: skip
    numbers = ordinal(grid.starts[chosen], "day")
    names, position = np.unique(numbers, return_inverse=True)
    groups = len(names)
    used = (measured | filled)[chosen]
    total = np.bincount(position[used], amount[chosen][used], minlength=groups)
    count = np.bincount(position[used], minlength=groups).astype(np.int64)
    put = np.bincount(position, filled[chosen], minlength=groups).astype(np.int64)
    row = np.full(groups, -1, np.int64)  # of a day with several rows the highest: that for the longest gap comes later
    np.maximum.at(row, position, rule[chosen])
    return _Part(
        hours,
        _made(
            subject, words.DAY, np.full(groups, place), start_of(names, "day"),
            np.where(count > 0, total, np.nan), count, put, editions[row], keys[row], verified[row] | (put == 0),
            digests.of_groups(np.where(used, position, -1), inputs[chosen], groups), 24,
        ),
    )  # fmt: skip


def _edition(subject: Subject) -> str:
    return "HJ 75-2017" if subject.medium == Medium.GAS else "HJ 356-2019"


def _made(
    subject: Subject, kind: str, place: np.ndarray, start: np.ndarray, value: np.ndarray, count: np.ndarray,
    put: np.ndarray, edition: np.ndarray, rule: np.ndarray, verified: np.ndarray, digest: np.ndarray, expected: int,
) -> Figures:  # fmt: skip
    number = len(place)
    reason = np.where(count == 0, Reason.NO_VALUES, np.where(count < expected, Reason.TOO_FEW, Reason.VALID))
    return Figures(
        subject.factor, words.SUBSTITUTED, kind, plans.amount_unit(subject.factor), place.astype(np.int64), start,
        value, rounded(value, plans.AMOUNT_DECIMALS) if number else value, reason == Reason.VALID,
        reason.astype(np.int64), count, np.full(number, expected), np.full(number, expected), put,
        np.full(number, np.nan),
        np.full(number, b"sum" if kind == words.DAY else b"substitution"), np.full(number, plans.AMOUNT_DECIMALS),
        np.full(number, b"hours"), edition, rule, verified, digest, np.full(number, np.nan),
    )  # fmt: skip
