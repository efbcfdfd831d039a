"""Amounts discharged: days from hourly amounts, and a year's account against what a permit allows.

What is computed here is the amount *as monitored*: hours that the device itself marks as no measurement are left out,
and nothing is put in their place. HJ 75-2017 has rules for substituting missing and out-of-control hours; its text is
not at hand, so the share of hours that were there stands beside every figure instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards.edition import CITY_ZONE
from luming.standards.emission import JUDGED_FLAGS, STOPPED_FLAG

CITY_OFFSET = np.timedelta64(8, "h")  # days are the city's; China keeps no summer time
HOUR = timedelta(hours=1)
KNOWN_HOURS_TO_PROJECT = 7 * 24.0  # a projection from less than a week of data says nothing


@dataclass(frozen=True, slots=True)
class DayAmounts:
    """Amounts of days, in order; in the unit of the hours."""

    day: NDArray[np.datetime64]  # the city's calendar days
    amount: NDArray[np.float64]  # of the hours that count
    left_out: NDArray[np.float64]  # sent for hours that do not count
    present: NDArray[np.int64]  # hours that count
    stopped: NDArray[np.int64]  # hours that the device marks as out of operation


def daily_amounts(start: ArrayLike, amount: ArrayLike, flag: ArrayLike) -> DayAmounts:
    """Sum hourly amounts by the city's day.

    An hour counts with mark N or none (HJ 212-2017 table 8) and an amount that is not negative. An hour marked F (out
    of operation) discharges nothing: its amount is 0, whatever was sent. All other hours are left out.

    Parameters
    ----------
    start : beginnings of hours, UTC, each at most once.
    amount : NaN for none.
    flag : the device's mark, empty for none.
    """
    starts = np.asarray(start, dtype="datetime64[us]")
    amounts, flags = np.asarray(amount, dtype=np.float64), np.asarray(flag, dtype=np.str_)
    days, position = np.unique((starts + CITY_OFFSET).astype("datetime64[D]"), return_inverse=True)
    stopped = flags == STOPPED_FLAG
    sent = ~np.isnan(amounts)
    counts = np.isin(flags, sorted(JUDGED_FLAGS)) & sent & (np.nan_to_num(amounts) >= 0)
    rest = sent & ~counts & ~stopped

    def total(weights: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(position, weights, minlength=len(days)).astype(np.float64)

    return DayAmounts(
        days,
        total(np.where(counts, amounts, 0.0)),
        total(np.where(rest, np.maximum(amounts, 0.0), 0.0)),
        total(counts).astype(np.int64),
        total(stopped).astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class Account:
    """What was discharged in a year until now, against what is allowed; amounts in one unit.

    ``reported`` is what the discharger reported for the time up to ``counted_from``; ``monitored`` what its devices
    measured since. Hours are those of all outlets together.
    """

    year: int
    now: datetime
    counted_from: date
    reported: float
    monitored: float
    present: float
    stopped: float
    expected: float  # hours since ``counted_from`` in which the outlets were not marked as stopped
    allowance: float | None = None

    @property
    def emitted(self) -> float:
        """Return what was discharged until now, as reported and monitored."""
        return self.reported + self.monitored

    @property
    def coverage(self) -> float | None:
        """Return the share of the expected hours that were there; None when none was expected."""
        return None if self.expected <= 0 else min(1.0, self.present / self.expected)

    @property
    def share(self) -> float | None:
        """Return the share of the allowance that is used."""
        return None if not self.allowance else self.emitted / self.allowance

    @property
    def pace(self) -> float:
        """Return the share of the year that is over: what would be used by now at an even pace."""
        first, last = date(self.year, 1, 1), date(self.year + 1, 1, 1)
        return min(1.0, max(0.0, _hours(first, self.now) / ((last - first).days * 24)))

    @property
    def projected(self) -> float | None:
        """Return what the year will come to if the rest of it is like the hours that are known.

        Missing hours of the past stay missing. None with less than a week of known hours.
        """
        year_hours = (date(self.year + 1, 1, 1) - date(self.year, 1, 1)).days * 24
        reported_hours = (self.counted_from - date(self.year, 1, 1)).days * 24
        window = max(0.0, min(_hours(self.counted_from, self.now), float(year_hours - reported_hours)))
        span = self.expected + self.stopped
        known = reported_hours + (window * min(1.0, (self.present + self.stopped) / span) if span > 0 else 0.0)
        if known < KNOWN_HOURS_TO_PROJECT:
            return None
        rest = max(0.0, year_hours - reported_hours - window)
        return self.emitted + self.emitted / known * rest

    @property
    def standing(self) -> str:
        """Return ``none`` (no allowance), ``over``, ``ahead`` (will be over before the year ends) or ``within``."""
        if self.share is None or self.allowance is None:
            return "none"
        if self.share > 1:
            return "over"
        projected = self.projected
        return "ahead" if projected is not None and projected > self.allowance else "within"


def expected_hours(first: date, now: datetime, *, since: datetime | None = None) -> float:
    """Return how many whole hours ended between the city's midnight of ``first`` (or ``since``) and now."""
    hours = _hours(first, now)
    if since is not None:
        hours = min(hours, (now - since) / HOUR)
    return float(max(0, int(hours)))


def _hours(first: date, now: datetime) -> float:
    """Return the hours from the city's midnight of a day until an instant."""
    local = now.astimezone(CITY_ZONE)
    return float((local.replace(tzinfo=None) - datetime(first.year, first.month, first.day)) / HOUR)


def month_end(day: date) -> date:
    """Return the last day of a day's month.

    >>> month_end(date(2028, 2, 3))
    datetime.date(2028, 2, 29)
    """
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)
