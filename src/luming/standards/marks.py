"""Marks of dischargers on periods of their automatic monitoring, as a dated table (``tables/marks.toml``).

Rule in force: MEE announcement 2022 No. 21 污染物排放自动监测设备标记规则, from 2023-01-01, for waste incineration,
thermal power, cement and paper. A mark names the state of the plant (工况) or the state of the device; whether
its values take part in exceedance decisions and whether its hours count as out of operation are columns of the table,
each row with source and verified mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import read_toml
from luming.standards.edition import CITY_ZONE, city_day
from luming.standards.periods import IntArray, utc

Kind = Literal["operating", "device"]
NO_GAP = np.timedelta64(0, "us")
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class MarkRule:
    """A rule that tells sectors to mark: its announcement, dates (city days, both inclusive) and sectors."""

    key: str
    title_zh: str
    title_en: str
    effective_from: date
    effective_to: date | None
    sectors: tuple[str, ...]
    source: str
    verified: bool

    def in_force(self, day: date) -> bool:
        """Say whether the rule is in force on a city day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Mark:
    """A state that a period may be marked with.

    ``excluded``: its values take no part in exceedance decisions. ``shutdown``: its hours count as out of operation.
    ``automatic``, ``manual``: who may make it, the device or a person. ``yearly_hours``: how many hours a year a unit
    may use the marks of ``yearly_group`` together, None without limit in the table. ``letter``: data flag of HJ
    212-2017 table 8, empty for none. ``time_limit``: key of the limit for making it by hand.
    """

    code: str
    kind: Kind
    name_zh: str
    name_en: str
    letter: str
    excluded: bool
    shutdown: bool
    automatic: bool
    manual: bool
    yearly_hours: int | None
    yearly_group: tuple[str, ...]
    time_limit: str
    sectors: tuple[str, ...]
    note_zh: str
    note_en: str
    effective_from: date | None
    effective_to: date | None
    source: str
    verified: bool

    def applies(self, sector: str | None = None, when: date | datetime | None = None) -> bool:
        """Say whether a sector may use the mark on a day; without them the answer is about any."""
        if sector is not None and "*" not in self.sectors and sector not in self.sectors:
            return False
        day = None if when is None else city_day(when)
        after_start = day is None or self.effective_from is None or self.effective_from <= day
        return after_start and (day is None or self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, slots=True)
class Sector:
    """A sector of the rules; ``other`` marks by analogy. ``words``: what a facility's industry contains, in Chinese."""

    code: str
    name_zh: str
    name_en: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two marks that should not hold at once; ``verdict`` is ``contradiction`` or ``check``."""

    marks: frozenset[str]
    why_zh: str
    why_en: str
    verdict: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How marks of a part of a period reach its mean, and the steps in which media are marked.

    ``hour_minutes``: from so many marked minutes on an hour is marked; ``day_hours``: the same of a day, in hours.
    """

    hour_minutes: int
    day_hours: int
    gas_step_minutes: int
    sewage_step_minutes: int
    source: str
    verified: bool

    def step(self, medium: str) -> timedelta:
        """Return the step in which a medium (gas, sewage) is marked."""
        return timedelta(minutes=self.gas_step_minutes if medium == "gas" else self.sewage_step_minutes)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks against a mark: shares and counts of the table ``evidence``.

    ``flow_share``: of the usual flow (median of ``usual_days``), above which a plant runs; ``oxygen_below``: % by
    volume, below which it runs; ``repeated``: how many marks exactly as long as an exceedance within ``repeated_days``
    are told.
    """

    flow_share: float
    oxygen_below: float
    usual_days: int
    repeated: int
    repeated_days: int
    source: str
    verified: bool


@cache
def mark_rules() -> tuple[MarkRule, ...]:
    """Return the announcements, oldest first."""
    return tuple(
        MarkRule(**(row | {"effective_to": row.get("effective_to"), "sectors": tuple(row["sectors"])}))
        for row in read_toml("marks.toml")["rules"]
    )


def rule_for(sector: str, when: date | datetime) -> MarkRule | None:
    """Return the rule that obliges a sector to mark on a day; None when none names it.

    >>> rule_for("cement", date(2026, 11, 28)).key, rule_for("steel", date(2026, 11, 28))
    ('公告2022年第21号', None)
    """
    day = city_day(when)
    return next((rule for rule in mark_rules() if sector in rule.sectors and rule.in_force(day)), None)


@cache
def sectors() -> tuple[Sector, ...]:
    """Return the sectors of the table."""
    return tuple(Sector(**row) for row in read_toml("marks.toml")["sectors"])


def sector_of(industry: str) -> str:
    """Return the sector that a facility's industry, as the register words it, belongs to; ``other`` for none.

    >>> sector_of("热电联产"), sector_of("炼钢")
    ('thermal-power', 'other')
    """
    found = (sector.code for sector in sectors() if any(word in industry for word in sector.words.split()))
    return next(found, "other")


@cache
def reach() -> Reach:
    """Return how marks of a part of a period reach its mean (our reading of the validity rules of HJ 75)."""
    return Reach(**read_toml("marks.toml")["reach"])


@cache
def evidence() -> Evidence:
    """Return what speaks against a mark (our reading)."""
    return Evidence(**read_toml("marks.toml")["evidence"])


def time_limit(key: str) -> tuple[int, int]:
    """Return days after the city day in which a period ends, and the hour of that day, until when it may be marked.

    >>> time_limit("next-noon")
    (1, 12)
    """
    limit = _time_limit(key)
    return int(limit.get("days_after", 0)), int(limit.get("hour", 24))


def marks(
    kind: Kind | None = None, *, sector: str | None = None, when: date | datetime | None = None
) -> tuple[Mark, ...]:
    """Return the marks of a kind that a sector may use on a day, in the order of the table.

    >>> [mark.name_zh for mark in marks("operating", sector="thermal-power")][:4]
    ['正常运行', '停运', '热态备用', '冷态备用']
    """
    return tuple(mark for mark in _marks() if kind in (None, mark.kind) and mark.applies(sector, when))


def mark(code: str, when: date | datetime | None = None) -> Mark:
    """Return a mark by its code; ``LookupError`` names what is known."""
    for found in _marks():
        if found.code == code and found.applies(when=when):
            return found
    raise LookupError(f"unknown mark {code!r}; known: {', '.join(found.code for found in _marks())}")


def of_letter(letter: str, when: date | datetime | None = None) -> Mark | None:
    """Return the state of the device that a data flag of HJ 212-2017 table 8 means; None for others.

    >>> of_letter("M").code, of_letter("x")
    ('maintenance', None)
    """
    return next((found for found in marks("device", when=when) if letter and found.letter == letter), None)


def deadline(code: str, end: datetime) -> datetime:
    """Return until when a person may mark a period that ends at an aware instant, as city time.

    By the table: 12:00 on the city day after the one in which the period ends (memory).

    >>> from datetime import UTC
    >>> deadline("fault", datetime(2026, 11, 28, 15, 59, tzinfo=UTC)).isoformat()
    '2026-11-29T12:00:00+08:00'
    """
    if end.tzinfo is None:
        raise ValueError("give the end of the period with its zone")
    limit = _time_limit(mark(code, end).time_limit)
    local = end.astimezone(CITY_ZONE)
    if "minutes_after" in limit:
        return local + timedelta(minutes=limit["minutes_after"])
    last_day = (local - timedelta(microseconds=1)).date()  # a period until midnight belongs to the day that ends
    noon = datetime(last_day.year, last_day.month, last_day.day, int(limit["hour"]), tzinfo=CITY_ZONE)
    return noon + timedelta(days=int(limit["days_after"]))


def in_time(code: str, end: datetime, made: datetime) -> bool:
    """Say whether a mark made at an aware instant was in time."""
    return made <= deadline(code, end)


@cache
def contradictions() -> tuple[Contradiction, ...]:
    """Return the pairs that should not hold at once."""
    return tuple(
        Contradiction(**(row | {"marks": frozenset(row["marks"])})) for row in read_toml("marks.toml")["contradictions"]
    )


def contradiction(first: str, second: str) -> Contradiction | None:
    """Return why two marks on the same time of the same unit do not agree; None when they do.

    Two different operating states never agree.
    """
    if first == second:
        return None
    if mark(first).kind == mark(second).kind == "operating":
        return Contradiction(
            frozenset((first, second)), "同一时段标记了两种工况", "Two operating states at the same time",
            "contradiction", "a unit is in one state at a time", True,
        )  # fmt: skip
    return next((known for known in contradictions() if known.marks == {first, second}), None)


def chains(start: ArrayLike, end: ArrayLike, *, tolerance: np.timedelta64 = NO_GAP) -> IntArray:
    """Return per period the number of its chain: periods that touch or overlap, of whatever marks, are one chain.

    A chain longer than :func:`longest_unexplained` has to be explained (observed practice of the national portal).

    Parameters
    ----------
    start, end : n instants, UTC, in any order; ends are exclusive.
    tolerance : the largest gap that does not break a chain.

    >>> chains(["2026-10-05T06:43", "2026-10-05T06:52", "2026-10-05T08:00"],
    ...        ["2026-10-05T06:52", "2026-10-05T06:54", "2026-10-05T08:01"]).tolist()
    [0, 0, 1]
    """
    starts, ends = np.atleast_1d(utc(start)), np.atleast_1d(utc(end))
    if starts.shape != ends.shape or bool((ends < starts).any()):
        raise ValueError("each period needs a start and an end that is not before it")
    order = np.lexsort((ends, starts))
    number = np.zeros(len(starts), dtype=np.int64)
    if len(starts):
        reached = np.maximum.accumulate(ends[order].astype(np.int64))
        gap = starts[order].astype(np.int64)[1:] - reached[:-1]
        number[order[1:]] = np.cumsum(gap > tolerance.astype("timedelta64[us]").astype(np.int64))
    return number


def longest_unexplained() -> timedelta:
    """Return how long a chain of automatic marks may be without an explanation (secondary source)."""
    return timedelta(minutes=read_toml("marks.toml")["chains"]["longest_unexplained_minutes"])


def excluded(codes: ArrayLike) -> NDArray[np.bool_]:
    """Say of each mark code whether its values stay out of exceedance decisions; an empty code is no mark."""
    return _effect(codes, "excluded")


def shutdown(codes: ArrayLike) -> NDArray[np.bool_]:
    """Say of each mark code whether its hours count as out of operation; an empty code is no mark."""
    return _effect(codes, "shutdown")


def _effect(codes: ArrayLike, column: str) -> NDArray[np.bool_]:
    array = np.asarray(codes, dtype=np.str_)
    names, position = np.unique(array, return_inverse=True)
    effects = np.array([bool(name) and getattr(mark(name), column) for name in names.tolist()], dtype=np.bool_)
    return effects[position].reshape(array.shape)


@cache
def _marks() -> tuple[Mark, ...]:
    return tuple(_mark(row) for row in read_toml("marks.toml")["marks"])


def _mark(row: dict[str, Any]) -> Mark:
    return Mark(
        code=row["code"],
        kind=row["kind"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        letter=row.get("letter", ""),
        excluded=row["excluded"],
        shutdown=row["shutdown"],
        automatic=row["automatic"],
        manual=row["manual"],
        yearly_hours=row.get("yearly_hours"),
        yearly_group=tuple(row.get("yearly_group", "").split()),
        time_limit=row.get("time_limit", "next-noon" if row["manual"] else "at-once"),
        sectors=tuple(row["sectors"]),
        note_zh=row.get("note_zh", ""),
        note_en=row.get("note_en", ""),
        effective_from=row.get("effective_from"),
        effective_to=row.get("effective_to"),
        source=row["source"],
        verified=row["verified"],
    )


def _time_limit(key: str) -> dict[str, Any]:
    return next(row for row in read_toml("marks.toml")["time_limits"] if row["key"] == key)
