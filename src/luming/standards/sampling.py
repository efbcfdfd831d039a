"""Samples taken by hand: how they are kept, how long they may wait, by which methods they are analysed.

Water: HJ 493-2009 水质采样 样品的保存和管理技术规定, table 1. The methods are those that laboratories commonly use.
Both tables come from memory and say so: an installation may put rules of its own before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from luming.standards._tables import is_true, read_csv
from luming.standards.edition import city_day


@dataclass(frozen=True, slots=True)
class Preservation:
    """How a sample for one factor is kept.

    ``container``: P polyethylene, G glass, or in words. ``hours`` counts from the end of sampling to the analysis.
    """

    edition: str
    media: frozenset[str]
    factor: str  # code of HJ 212 Annex B
    container: str
    text_zh: str
    text_en: str
    hours: float
    clause: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Method:
    """A standard method of analysis; ``detection_limit`` in ``unit``, None where the method has none."""

    edition: str
    media: frozenset[str]
    factor: str
    title_zh: str
    title_en: str
    detection_limit: float | None
    unit: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool


def preservation(medium: str, factor: str, when: date | datetime) -> Preservation | None:
    """Return how a sample taken at ``when`` is kept for a factor; None where the tables say nothing.

    >>> found = preservation("sewage", "w21003", date(2026, 11, 28))
    >>> found.hours, found.edition, found.verified
    (24.0, 'HJ 493-2009', False)
    """
    day = city_day(when)
    return next((row for row in _preservations() if _fits(row, medium, factor, day)), None)


def methods(medium: str, factor: str, when: date | datetime) -> list[Method]:
    """Return the methods of analysis of a factor that are in force at ``when``.

    >>> [method.edition for method in methods("sewage", "w01018", date(2026, 11, 28))]
    ['HJ 828-2017']
    """
    day = city_day(when)
    return [row for row in _methods() if _fits(row, medium, factor, day)]


def _fits(row: Preservation | Method, medium: str, factor: str, day: date) -> bool:
    until = row.effective_to
    return (
        row.factor == factor and medium in row.media and row.effective_from <= day and (until is None or day <= until)
    )


@cache
def _preservations() -> tuple[Preservation, ...]:
    return tuple(
        Preservation(
            row["edition"], frozenset(row["media"].split()), row["factor"], row["container"], row["preservation_zh"],
            row["preservation_en"], float(row["hours"]), row["clause"], date.fromisoformat(row["effective_from"]),
            _day(row["effective_to"]), row["source"], is_true(row["verified"]),
        )
        for row in read_csv("sample_preservation.csv")
    )  # fmt: skip


@cache
def _methods() -> tuple[Method, ...]:
    return tuple(
        Method(
            row["edition"], frozenset(row["media"].split()), row["factor"], row["title_zh"], row["title_en"],
            float(row["detection_limit"]) if row["detection_limit"] else None, row["unit"],
            date.fromisoformat(row["effective_from"]), _day(row["effective_to"]), row["source"],
            is_true(row["verified"]),
        )
        for row in read_csv("sample_methods.csv")
    )  # fmt: skip


def _day(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None
