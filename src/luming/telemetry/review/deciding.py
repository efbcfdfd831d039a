"""From decisions to verdicts: which periods a decision is about, and what it makes of each."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from luming.registry.models import Series
from luming.telemetry import store
from luming.telemetry.review.models import Action, Method, Scope
from luming.telemetry.review.seen import Sight, Value, look
from luming.telemetry.store import Origin, Quality, VerdictRow

EDITION = "luming review 1"
MOST = 20_000  # expected periods of one decision
Key = tuple[int, datetime]


def periods_of(series: Series, start: datetime, end: datetime, held: Iterable[datetime]) -> list[datetime]:
    """Return the periods of a series that begin in [start, end): those held, and those that the interval expects."""
    found = sorted(moment for moment in held if start <= moment < end)
    if not series.seconds:
        return found
    step, expected = timedelta(seconds=series.seconds), []
    for position in range(min(math.ceil((end - start) / step), MOST)):
        moment = start + position * step
        after = bisect_left(found, moment)
        near = found[max(after - 1, 0) : after + 1]
        if not any(abs(moment - other) < step for other in near):
            expected.append(moment)
    return sorted(found + expected)


def holding(scopes: Sequence[Scope], sights: Iterable[Sight]) -> dict[Key, Scope]:
    """Return which decision holds for each period: the later of two that overlap."""
    held: dict[int, list[datetime]] = {}
    for sight in sights:
        for series_id, start in sight.values:
            held.setdefault(series_id, []).append(start)
    found: dict[Key, Scope] = {}
    for scope in scopes:
        for start in periods_of(scope.series, scope.start, scope.end, held.get(scope.series_id, ())):
            found[scope.series_id, start] = scope
    return found


def other_values(scopes: Iterable[Scope]) -> dict[Key, float]:
    """Return what the other devices measured, where decisions name one: only values that count."""
    found: dict[Key, float] = {}
    for scope in scopes:
        if scope.other is not None:
            sight = look([scope.other], scope.start, scope.end)
            for (series_id, start), value in sight.values.items():
                if value.quality == Quality.VALID and not math.isnan(value.used):
                    found[series_id, start] = value.used
    return found


def verdict_rows(
    holds: dict[Key, Scope], sights: Iterable[Sight], source: str, others: dict[Key, float]
) -> list[VerdictRow]:
    """Return the verdicts that decisions make; a question makes none, and what is missing cannot be accepted."""
    values = {key: value for sight in sights for key, value in sight.values.items()}
    rows = []
    for (series_id, start), scope in sorted(holds.items(), key=lambda item: item[0]):
        row = _row(scope, values.get((series_id, start)), start, source, others)
        if row is not None:
            rows.append(row)
    return rows


def _row(
    scope: Scope, value: Value | None, start: datetime, source: str, others: dict[Key, float]
) -> VerdictRow | None:
    reason = f"{scope.code.code}: {scope.reason}"
    if scope.action == Action.REPLACE:
        figure = scope.value if scope.method == Method.VALUE else others.get((scope.other_id or 0, start))
        if figure is None:
            return None
        observed = value is not None and value.revision >= 0
        origin = Origin.CORRECTED if observed else Origin.MANUAL
        return _verdict(scope, value, start, source, reason, origin, Quality.VALID, figure)
    if value is None or not value.has_value or scope.action == Action.ASK:
        return None
    if scope.action == Action.ACCEPT:
        # The value that stands is accepted: the observed one, or the one that a rule or a person gave before.
        given = value.verdict.value if value.verdict is not None else None
        return _verdict(scope, value, start, source, reason, value.origin, Quality.VALID, given)
    return _verdict(scope, value, start, source, reason, value.origin, Quality.INVALID, None)


def _verdict(
    scope: Scope, value: Value | None, start: datetime, source: str, reason: str, origin: int, quality: int,
    figure: float | None,
) -> VerdictRow:  # fmt: skip
    revision = -1 if value is None else value.revision
    flag, checks = ("", ()) if value is None else (value.flag, value.checks)
    return VerdictRow(
        scope.series_id, start, revision, int(origin), int(quality), source, EDITION, flag, checks, figure, reason
    )


def dirty(rows: Iterable[VerdictRow], scopes: Iterable[Scope]) -> int:
    """Have judgements and statistics of the periods that got a verdict made again; return how many marks were left."""
    series = {scope.series.pk: scope.series for scope in scopes}
    marks = [(series[row.series_id].place_id, series[row.series_id].interval, row.start) for row in rows]
    return store.mark_dirty(marks)
