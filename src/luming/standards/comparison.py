"""Manual against automatic results: the errors that standards allow (``tables/allowed_error.csv``).

Waste water, HJ 355-2019 table 1: every pair of an actual-sample comparison has its own error. Waste gas, HJ 75-2017:
the range is found by the mean of the reference method, and the error is of the means, or the relative accuracy of six
or more pairs. No row was compared with the official text; all are marked so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from luming.standards._tables import is_true, read_csv
from luming.standards.edition import city_day
from luming.standards.rounding import as_float, round_half_even

PAIRS_OF_ACCURACY = 6
"""Least number of pairs for a relative accuracy: six in comparisons [secondary], nine at acceptance [memory]."""

# Student's t, two-sided 95 %, for 1 to 30 degrees of freedom; above 30 that of 30, which is a little too strict.
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allowed:
    """A row of the table: for ``value_from`` ≤ manual result < ``value_below`` the error may be ± ``allowed``.

    ``closed`` says which end belongs to the range: ``lower`` as above, ``upper``: ``value_from`` < … ≤ ``value_below``.
    ``kind``: ``absolute`` (in ``unit``), ``relative`` (%) or ``accuracy`` (relative accuracy, %). ``by``: ``pair`` or
    ``mean``.
    """

    key: str
    edition: str
    medium: str
    factor: str
    by: str
    value_from: float | None
    value_below: float | None
    closed: str
    kind: str
    allowed: float
    unit: str
    clause: str
    effective_from: date
    effective_to: date | None
    source: str
    verified: bool

    def holds(self, manual: float) -> bool:
        """Say whether a manual result lies in the row's range."""
        low = -math.inf if self.value_from is None else self.value_from
        high = math.inf if self.value_below is None else self.value_below
        return low < manual <= high if self.closed == "upper" else low <= manual < high


@dataclass(frozen=True, slots=True)
class Comparison:
    """One judged comparison. ``error`` is automatic - manual, in ``unit``; of an accuracy it is never negative."""

    kind: str
    error: float
    allowed: float
    unit: str
    passed: bool
    row: Allowed


@cache
def allowed_errors(factor: str | None = None, edition: str | None = None) -> tuple[Allowed, ...]:
    """Return the rows of the table, narrowed by factor and edition."""
    found = (_row(row) for row in read_csv("allowed_error.csv"))
    return tuple(row for row in found if factor in (None, row.factor) and edition in (None, row.edition))


def edition_for(medium: str, when: date | datetime) -> str | None:
    """Return the edition of the table for ``sewage`` or ``gas`` in force on a day; None before the first.

    >>> edition_for("sewage", date(2026, 1, 1)), edition_for("gas", date(2018, 2, 28))
    ('HJ 355-2019', None)
    """
    day = city_day(when)
    for row in allowed_errors():
        after_end = row.effective_to is not None and row.effective_to < day
        if row.medium == medium and row.effective_from <= day and not after_end:
            return row.edition
    return None


def within(
    manual: float, automatic: float, factor: str, edition: str, *, table: Sequence[Allowed] | None = None
) -> Comparison:
    """Judge one manual result against one automatic result.

    Parameters
    ----------
    manual, automatic : in the unit of the table (mg/L, mg/m³, %, °C, m/s; pH without).
    factor, edition : ``cod nh3n tp tn ph temp flow`` of HJ 355-2019; ``so2 nox pm o2 velocity temp moisture`` of
        HJ 75-2017 (ranges that ask for a relative accuracy need several pairs: :func:`within_pairs`).

    Raises
    ------
    LookupError when the table has no row; ValueError for a result that is no number, or where pairs are needed.

    Examples
    --------
    >>> result = within(50.0, 66.0, "cod", "HJ 355-2019")
    >>> result.kind, result.error, result.allowed, result.unit, result.passed
    ('relative', 32.0, 30.0, '%', False)
    """
    if not (math.isfinite(manual) and math.isfinite(automatic)):
        raise ValueError("both results must be numbers")
    row = _row_for(manual, factor, edition, table)
    if row.kind == "accuracy":
        raise ValueError(f"{factor} of {manual} asks for the relative accuracy of {PAIRS_OF_ACCURACY} pairs or more")
    return _judged(row, _error(row.kind, manual, automatic))


def within_pairs(
    manual: ArrayLike, automatic: ArrayLike, factor: str, edition: str, *, table: Sequence[Allowed] | None = None
) -> tuple[Comparison, ...]:
    """Judge n pairs: one comparison per pair, or one for all where the standard takes means (HJ 75-2017).

    Whether a few failed pairs may be among many is for the caller: the clause was not verified.

    >>> pairs = within_pairs([25, 80], [29, 99], "cod", "HJ 355-2019")
    >>> [(pair.kind, pair.error, pair.passed) for pair in pairs]
    [('absolute', 4.0, True), ('relative', 23.75, False)]
    """
    by_hand, device = np.atleast_1d(as_float(manual)), np.atleast_1d(as_float(automatic))
    if by_hand.shape != device.shape or not len(by_hand):
        raise ValueError("give as many automatic as manual results, at least one pair")
    if not (np.isfinite(by_hand).all() and np.isfinite(device).all()):
        raise ValueError("all results must be numbers")
    row = _row_for(float(by_hand.mean()), factor, edition, table)
    if row.by == "pair":
        return tuple(
            within(one, other, factor, edition, table=table)
            for one, other in zip(by_hand.tolist(), device.tolist(), strict=True)
        )
    if row.kind == "accuracy":
        return (_judged(row, relative_accuracy(by_hand, device)),)
    return (_judged(row, _error(row.kind, float(by_hand.mean()), float(device.mean()))),)


def relative_accuracy(reference: ArrayLike, automatic: ArrayLike) -> float:
    """Return the relative accuracy of n ≥ 6 pairs, % (HJ 75-2017, from memory; public code has the same formula).

    ``RA = (|mean d| + |cc|) / mean reference × 100``, ``cc = t · S / √n`` with d the differences, S their standard
    deviation and t that of Student, two-sided 95 %, n - 1 degrees of freedom.
    """
    by_hand, device = np.atleast_1d(as_float(reference)), np.atleast_1d(as_float(automatic))
    n = len(by_hand)
    if by_hand.shape != device.shape or n < PAIRS_OF_ACCURACY:
        raise ValueError(f"a relative accuracy needs {PAIRS_OF_ACCURACY} pairs or more, not {n}")
    difference = device - by_hand
    confidence = _STUDENT[min(n - 1, len(_STUDENT)) - 1] * float(difference.std(ddof=1)) / math.sqrt(n)
    return (abs(float(difference.mean())) + confidence) / float(by_hand.mean()) * 100


def _row_for(manual: float, factor: str, edition: str, table: Sequence[Allowed] | None) -> Allowed:
    known = allowed_errors(factor, edition) if table is None else table
    for row in known:
        if row.factor == factor and row.edition == edition and row.holds(manual):
            return row
    raise LookupError(f"no allowed error of {factor!r} at {manual} in {edition!r}")


def _error(kind: str, manual: float, automatic: float) -> float:
    if kind == "absolute":
        return automatic - manual
    if manual == 0:
        return 0.0 if automatic == 0 else math.copysign(math.inf, automatic)
    return (automatic - manual) / manual * 100


def _judged(row: Allowed, error: float) -> Comparison:
    # Nine places take the noise of binary differences away: 5.6 - 5.1 is 0.5.
    clean = float(round_half_even(error, 9)) if math.isfinite(error) else error
    return Comparison(row.kind, clean, row.allowed, row.unit, abs(clean) <= row.allowed, row)


def _row(row: dict[str, str]) -> Allowed:
    return Allowed(
        key=row["key"],
        edition=row["edition"],
        medium=row["medium"],
        factor=row["factor"],
        by=row["by"],
        value_from=float(row["value_from"]) if row["value_from"] else None,
        value_below=float(row["value_below"]) if row["value_below"] else None,
        closed=row["closed"],
        kind=row["kind"],
        allowed=float(row["allowed"]),
        unit=row["unit"],
        clause=row["clause"],
        effective_from=date.fromisoformat(row["effective_from"]),
        effective_to=date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
        source=row["source"],
        verified=is_true(row["verified"]),
    )
