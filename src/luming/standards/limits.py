"""Emission limits as dated tables (``tables/emission_limits.csv``): clause, source and verified mark per row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from luming.standards._tables import is_true, read_csv
from luming.standards.edition import city_day


@dataclass(frozen=True)
class Limit:
    """Limit of one factor. ``lower`` is given only where the standard has a range (pH).

    Without ``upper`` and ``lower`` nothing is limited. ``o2_ref`` is the reference oxygen content in %, ``None`` where
    the standard defines no conversion. ``verified=False``: not read in the official text; show it as unverified.
    """

    factor: str
    upper: float | None = None
    lower: float | None = None
    unit: str = "mg/m3"
    o2_ref: float | None = None
    averaging: str = "hour"
    standard: str = ""
    title_zh: str = ""
    clause: str = ""
    category: str = ""
    category_zh: str = ""
    condition: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = ""
    verified: bool = False

    def in_force(self, day: date) -> bool:
        """Say whether the limit is in force on a city-local day (``effective_to`` is the last day)."""
        after_start = self.effective_from is None or self.effective_from <= day
        return after_start and (self.effective_to is None or day <= self.effective_to)


def load(
    standard: str | None = None,
    category: str | None = None,
    *,
    when: date | datetime | None = None,
    verified_only: bool = False,
) -> list[Limit]:
    """Return the packaged emission limits, narrowed by standard, category, day in force and verified mark.

    >>> [(limit.factor, limit.upper) for limit in load("GB 4915-2013", "cement-kiln")][:3]
    [('pm', 30.0), ('so2', 200.0), ('nox', 400.0)]
    """
    day = None if when is None else city_day(when)
    return [
        limit
        for limit in _all()
        if standard in (None, limit.standard)
        and category in (None, limit.category)
        and (day is None or limit.in_force(day))
        and (limit.verified or not verified_only)
    ]


@cache
def _all() -> tuple[Limit, ...]:
    return tuple(_limit(row) for row in read_csv("emission_limits.csv"))


def _limit(row: dict[str, str]) -> Limit:
    return Limit(
        factor=row["factor"],
        upper=_number(row["upper"]),
        lower=_number(row["lower"]),
        unit=row["unit"],
        o2_ref=_number(row["o2_ref"]),
        averaging=row["averaging"],
        standard=row["standard"],
        title_zh=row["title_zh"],
        clause=row["clause"],
        category=row["category"],
        category_zh=row["category_zh"],
        condition=row["condition"],
        effective_from=_date(row["effective_from"]),
        effective_to=_date(row["effective_to"]),
        source=row["source"],
        verified=is_true(row["verified"]),
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _date(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None
