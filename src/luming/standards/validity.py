"""How many values a statistic needs to be valid (数据有效性规定), as a dated table (``tables/validity.csv``).

A rule asks for a number of hours, days or minutes of sampling in the period (``required``), for a share of what the
period holds (``share``), for a number of days in each of its calendar months (``monthly``), or for several of these.
Each row has its clause, edition, source and verified mark; what is not verified is shown as such, and a bureau may pass
rules of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from luming.standards._tables import is_true, read_csv
from luming.standards.periods import Instants, Interval, city_days

Medium: TypeAlias = Literal["air", "gas", "sewage", "water", "noise"]
MEDIA: tuple[Medium, ...] = get_args(Medium)

UNIT_LENGTH = {"minute": np.timedelta64(1, "m"), "hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D")}
"""The units in which rules count."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a statistic of one interval needs. ``factors`` are short names, ``('*',)`` for all others of the medium.

    ``required`` counts ``unit`` (``minute``, ``hour`` or ``day``); ``required_february`` takes its place for a month of
    February. ``monthly`` and ``monthly_february`` are asked of each month within the period. ``effective_from`` and
    ``effective_to`` are city days, both inclusive; ``None`` is open.
    """

    key: str
    medium: str
    factors: tuple[str, ...]
    interval: Interval
    unit: str
    required: int | None = None
    required_february: int | None = None
    share: float | None = None
    monthly: int | None = None
    monthly_february: int | None = None
    edition: str = ""
    clause: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = ""
    verified: bool = False

    def applies_to(self, factor: str) -> bool:
        """Say whether the rule is for a factor or for all."""
        return factor in self.factors or "*" in self.factors

    def in_force(self, day: date) -> bool:
        """Say whether the rule is in force on a city day."""
        after_start = self.effective_from is None or self.effective_from <= day
        return after_start and (self.effective_to is None or day <= self.effective_to)


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules of the packaged table."""
    return tuple(_rule(row) for row in read_csv("validity.csv"))


def rule(
    medium: str, factor: str, interval: Interval, when: date, *, table: Sequence[Rule] | None = None
) -> Rule | None:
    """Return the rule in force on a city day, one that names the factor before one for all; None when there is none.

    >>> found = rule("air", "pm25", "year", date(2026, 12, 31))
    >>> found.required, found.monthly, found.monthly_february, found.edition, found.verified
    (324, 27, 25, 'GB 3095-2026', True)
    """
    return next((found for found in candidates(medium, factor, interval, table=table) if found.in_force(when)), None)


def candidates(
    medium: str, factor: str, interval: Interval, *, edition: str | None = None, table: Sequence[Rule] | None = None
) -> tuple[Rule, ...]:
    """Return the rules that may apply, those that name the factor first.

    ``edition`` keeps the rules of one edition; where it has none for the factor (hourly particles are no item of GB
    3095), those of the other standards stay.

    Raises
    ------
    LookupError when the edition has no rule for the medium at all.
    """
    known = [one for one in (rules() if table is None else table) if one.medium == medium]
    found = [one for one in known if one.interval == interval and one.applies_to(factor)]
    found.sort(key=lambda one: factor not in one.factors)
    if edition is None:
        return tuple(found)
    editions = sorted({one.edition for one in known})
    if edition not in editions:
        raise LookupError(f"no rule of {edition!r} for {medium}; known: {', '.join(editions) or 'none'}")
    return tuple(one for one in found if one.edition == edition) or tuple(found)


def choose(found: Sequence[Rule], end: Instants, *, edition: str | None = None) -> NDArray[np.int16]:
    """Return per period the position in ``found`` of its rule, -1 where none is in force.

    The rule is the one in force on the last city day of the period (``end`` is its exclusive end, UTC): a year, quarter
    or month in which the edition changes is judged by the new edition. Rules of ``edition`` hold whatever the dates.
    """
    last_day = city_days(end - np.timedelta64(1, "us"))
    chosen = np.full(last_day.shape, -1, dtype=np.int16)
    for position, one in enumerate(found):
        free = chosen < 0
        if edition is None or one.edition != edition:
            free &= _in_force(one, last_day)
        chosen[free] = position
    return chosen


def _in_force(one: Rule, days: Instants) -> NDArray[np.bool_]:
    inside = np.ones(days.shape, dtype=np.bool_)
    if one.effective_from is not None:
        inside &= days >= np.datetime64(one.effective_from)
    if one.effective_to is not None:
        inside &= days < np.datetime64(one.effective_to + timedelta(days=1))
    return inside


def _rule(row: dict[str, str]) -> Rule:
    return Rule(
        key=row["key"],
        medium=row["medium"],
        factors=tuple(row["factors"].split()),
        interval=row["interval"],  # type: ignore[arg-type]  # a test checks the table
        unit=row["unit"],
        required=_whole(row["required"]),
        required_february=_whole(row["required_february"]),
        share=float(row["share"]) if row["share"] else None,
        monthly=_whole(row["monthly"]),
        monthly_february=_whole(row["monthly_february"]),
        edition=row["edition"],
        clause=row["clause"],
        effective_from=_day(row["effective_from"]),
        effective_to=_day(row["effective_to"]),
        source=row["source"],
        verified=is_true(row["verified"]),
    )


def _whole(cell: str) -> int | None:
    return int(cell) if cell else None


def _day(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None
