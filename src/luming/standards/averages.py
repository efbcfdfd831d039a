"""Statistics of periods from shorter ones: minute → hour → day → month → quarter → year.

Months, quarters and years are computed from daily values (GB 3095: the mean of a calendar year is the arithmetic mean
of its daily means). Only rows whose ``counts`` is True and whose value is a number take part. The statistic is computed
from whatever takes part and says beside it whether it is valid by the rule in force (``validity``); the next interval
is computed from valid statistics only (:func:`cascade`).

Sums run in the order of time, whatever the order of the rows: the same inputs give the same bits, whether one period is
computed again or all are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards import ozone, validity
from luming.standards.methods import compute, decimals_of, method_of
from luming.standards.periods import (
    Grouping,
    IntArray,
    Interval,
    expected_count,
    group,
    step_length,
)
from luming.standards.results import BoolArray, FloatArray, Reason, Statistics, rounded
from luming.standards.rounding import as_float
from luming.standards.validity import UNIT_LENGTH, Rule

SOURCE: dict[Interval, Interval] = {
    "hour": "minute", "8h": "hour", "day": "hour", "month": "day", "quarter": "day", "year": "day",
}  # fmt: skip
"""From which interval a statistic is computed."""

STEP = {"minute": np.timedelta64(1, "m"), "hour": np.timedelta64(1, "h"), "day": np.timedelta64(1, "D")}
"""How long a row of each source interval is, unless the caller knows better (10-minute data, one sample in 4 hours)."""


def aggregate(
    start: ArrayLike,
    value: ArrayLike,
    *,
    interval: Interval,
    medium: str,
    factor: str,
    series: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    step: np.timedelta64 | None = None,
    span: tuple[ArrayLike, ArrayLike] | None = None,
    method: str | None = None,
    decimals: int | None = None,
    limit: float = ozone.CLASS_TWO_LIMIT,
    edition: str | None = None,
    rules: Sequence[Rule] | None = None,
) -> Statistics:
    """Compute the statistics of an interval from the next shorter one (``SOURCE``).

    Parameters
    ----------
    start : n instants (UTC) at which the rows' periods begin, in any order, each once per series.
    value : n values in one unit; NaN and infinite ones do not take part.
    medium, factor : ``air gas sewage water noise`` and the short name; they choose method, rule and decimals.
    series : n whole numbers, when the rows are of several series of the same factor.
    counts : n booleans, False keeps a row out (not valid, not reviewed …).
    weight : n weights for methods that weigh (``weighted``: the volume or mean flow of the row's period). A row without
        a positive weight takes no part; without ``weight`` the method falls back to the arithmetic mean.
    step : length of a row's period, when it is not the usual one (``STEP``).
    span : first and last instant, to get periods without rows too (see ``periods.group``).
    method : overrides the table: ``mean sum weighted energy hydrogen median maximum minimum percentile-90 mda8``.
    decimals : overrides the table.
    limit : of ozone's daily maximum, which is valid with fewer means when it lies above.
    edition : judge by this edition whatever the dates. rules : in place of those of the table.

    Raises
    ------
    ValueError for shapes that differ or an instant that comes twice; LookupError for an edition without a rule.

    Examples
    --------
    >>> hours = np.datetime64("2026-06-30T16") + np.arange(24).astype("timedelta64[h]")  # 1 July in the city
    >>> day = aggregate(hours, [10.0] * 19 + [np.nan] * 5, interval="day", medium="air", factor="pm25")
    >>> day.value.tolist(), day.valid.tolist(), day.count.tolist(), day.required.tolist(), day.rules[day.rule[0]].key
    ([10.0], [False], [19], [20], 'GB 3095-2026/day')
    """
    chosen = method or method_of(medium, factor, interval, weighted=weight is not None)
    places = decimals_of(medium, factor, interval) if decimals is None else decimals
    if chosen == "mda8":
        return ozone.daily_maximum(
            start, value, series=series, counts=counts, span=span, limit=limit, decimals=places,
            edition=_ozone_edition(edition), rules=rules,
        )  # fmt: skip
    values = np.atleast_1d(as_float(value))
    grouping = group(start, interval, series=series, span=span)
    if values.shape != grouping.position.shape:
        raise ValueError(f"start has shape {grouping.position.shape}, value {values.shape}")
    used = np.isfinite(values) & (grouping.position >= 0) & _mask(counts, values.shape)
    present = np.bincount(grouping.position[used], minlength=len(grouping)) > 0
    weights = _weights(weight, values.shape)
    if chosen == "weighted":
        used &= weights > 0
    rows = grouping.order[used[grouping.order]]
    position = grouping.position[rows]
    found = validity.candidates(medium, factor, interval, edition=edition, table=rules)
    judged = _judge(grouping, rows, STEP[SOURCE[interval]] if step is None else step, found, edition)
    judged.reason[(judged.reason == Reason.NO_VALUES) & present] = Reason.NO_WEIGHT
    computed = compute(chosen, position, values[rows], weights[rows], len(grouping))
    total = np.bincount(position, weights[rows], minlength=len(grouping)) if chosen == "weighted" else judged.number
    return Statistics(
        interval=interval,
        method=chosen,
        decimals=places,
        series=grouping.series,
        start=grouping.start,
        end=grouping.end,
        value=computed,
        rounded=rounded(computed, places, keep_digit=medium == "water"),
        valid=judged.reason == Reason.VALID,
        count=judged.number,
        expected=judged.expected,
        required=judged.required,
        rule=judged.rule,
        reason=judged.reason,
        weight=total.astype(np.float64),
        rules=found,
        used=used,
        position=grouping.position,
    )


def cascade(
    start: ArrayLike,
    value: ArrayLike,
    *,
    medium: str,
    factor: str,
    source: Interval = "hour",
    to: Interval = "year",
    series: ArrayLike | None = None,
    counts: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    **options: Any,
) -> dict[Interval, Statistics]:
    """Compute every longer interval from ``source`` rows up to ``to``, each from the valid statistics before it.

    Minutes give hours, hours give days, days give months, quarters and years. ``span``, ``step`` (of the source rows),
    ``edition`` and ``rules`` as in :func:`aggregate`; a span should hold whole periods of the longest interval, because
    days outside it are missing from their month. Weights of a day are the sums of its hours' weights.
    """
    step, span = options.pop("step", None), options.pop("span", None)
    levels: dict[Interval, Statistics] = {}
    rows: dict[Interval, dict[str, Any]] = {
        source: {"start": start, "value": value, "series": series, "counts": counts, "weight": weight, "step": step}
    }
    for interval in _intervals(source, to):
        statistics = aggregate(
            interval=interval, medium=medium, factor=factor, span=span, **rows[SOURCE[interval]], **options
        )
        levels[interval] = statistics
        rows[interval] = {
            "start": statistics.start,
            "value": statistics.value,
            "series": statistics.series,
            "counts": statistics.valid,
            "weight": statistics.weight if statistics.method == "weighted" else None,
            "step": None,
        }
    return levels


class _Judged(NamedTuple):
    """Per period: rows that take part, that the period holds and that it needs; its rule and its reason."""

    number: IntArray
    expected: IntArray
    required: IntArray
    rule: NDArray[np.int16]
    reason: NDArray[np.int8]


def _judge(
    grouping: Grouping, rows: IntArray, step: np.timedelta64, found: tuple[Rule, ...], edition: str | None
) -> _Judged:
    """Judge the counts of all periods by their rules."""
    count = np.bincount(grouping.position[rows], minlength=len(grouping)).astype(np.int64)
    expected = expected_count(grouping.number, grouping.interval, step)
    rule = validity.choose(found, grouping.end, edition=edition)
    required = np.zeros(len(grouping), dtype=np.int64)
    reason = np.where(rule < 0, Reason.NO_RULE, Reason.VALID).astype(np.int8)
    for position, one in enumerate(found):
        mine = rule == position
        if not mine.any():
            continue
        required[mine] = _required(one, grouping, expected, step)[mine]
        if one.monthly is not None:
            reason[mine & ~_months_suffice(one, grouping, rows, step)] = Reason.MONTH_TOO_FEW
    reason[(reason != Reason.NO_RULE) & (count < required)] = Reason.TOO_FEW
    reason[count == 0] = Reason.NO_VALUES
    return _Judged(count, expected, required, rule, reason)


def _required(one: Rule, grouping: Grouping, expected: IntArray, step: np.timedelta64) -> IntArray:
    """Return how many rows each period needs: whole rows that cover the required time."""
    rows_per_unit = step_length(UNIT_LENGTH[one.unit]) / step_length(step)
    needed = np.full(len(grouping), _rows(one.required, rows_per_unit), dtype=np.int64)
    if one.required_february is not None and grouping.interval == "month":
        needed[grouping.number % 12 == 1] = _rows(one.required_february, rows_per_unit)
    if one.share is not None:
        needed = np.maximum(needed, np.ceil(np.round(expected * one.share, 9)).astype(np.int64))
    if one.monthly is not None:
        usual, february = _rows(one.monthly, rows_per_unit), _rows(one.monthly_february or one.monthly, rows_per_unit)
        months = _months_of(grouping)
        needed = np.maximum(needed, np.where(months % 12 == 1, february, usual).sum(axis=1))
    return np.maximum(needed, 1)


def _months_suffice(one: Rule, grouping: Grouping, rows: IntArray, step: np.timedelta64) -> BoolArray:
    """Say of which periods each calendar month has enough rows."""
    assert one.monthly is not None
    rows_per_unit = step_length(UNIT_LENGTH[one.unit]) / step_length(step)
    usual, february = _rows(one.monthly, rows_per_unit), _rows(one.monthly_february or one.monthly, rows_per_unit)
    months = _months_of(grouping)
    width = months.shape[1]
    inside = grouping.month[rows] - months[grouping.position[rows], 0]
    counted = np.bincount(grouping.position[rows] * width + inside, minlength=months.size).reshape(months.shape)
    return np.asarray((counted >= np.where(months % 12 == 1, february, usual)).all(axis=1))


def _months_of(grouping: Grouping) -> IntArray:
    """Return the months (counted from January 1970) of each quarter or year, as rows."""
    width = {"month": 1, "quarter": 3, "year": 12}[grouping.interval]
    return np.asarray(grouping.number[:, np.newaxis] * width + np.arange(width))


def _rows(units: int | None, rows_per_unit: float) -> int:
    return 0 if units is None else int(np.ceil(round(units * rows_per_unit, 9)))


def _intervals(source: Interval, to: Interval) -> list[Interval]:
    order: list[Interval] = ["minute", "hour", "day", "month", "quarter", "year"]
    if source not in ("minute", "hour", "day") or to not in order or order.index(to) <= order.index(source):
        raise ValueError(f"no statistics lead from {source!r} to {to!r}")
    return order[order.index(source) + 1 : order.index(to) + 1]


def _ozone_edition(edition: str | None) -> str | None:
    """Return the edition of HJ 663 that goes with one of GB 3095."""
    return {"GB 3095-2012": "HJ 663-2013", "GB 3095-2026": "HJ 663-2026"}.get(edition or "", edition)


def _weights(weight: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    if weight is None:
        return np.ones(shape)
    weights = np.broadcast_to(as_float(weight), shape)
    return np.where(np.isfinite(weights), weights, 0.0)


def _mask(counts: ArrayLike | None, shape: tuple[int, ...]) -> BoolArray:
    if counts is None:
        return np.ones(shape, dtype=np.bool_)
    mask = np.asarray(counts, dtype=np.bool_)
    if mask.shape not in ((), shape):
        raise ValueError(f"counts has shape {mask.shape}, value {shape}")
    return np.broadcast_to(mask, shape)
