"""What a setting would change: a check run over the last days of data with what holds and with what is proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from luming.registry.models import Series
from luming.science.qc.catalogue import Settings, catalogue, run, suspicions
from luming.science.qc.model import Result, Severity, Span, Window
from luming.telemetry.quality import facts, periods
from luming.telemetry.quality.batches import Batch, gather, measured
from luming.telemetry.quality.facts import Near, PlaceFacts
from luming.telemetry.quality.judgement import looks_around
from luming.telemetry.quality.settled import InForce
from luming.telemetry.quality.suspicions import DEPTHS, limits_of

DAYS = 30
MOST_SERIES = 40


@dataclass(slots=True)
class Preview:
    """How many of so many values were flagged with what holds now (``before``) and would be (``after``).

    For a check that raises suspicions the figures count suspicions. ``left_out`` series of the scope were not asked.
    """

    values: int = 0
    before: int = 0
    after: int = 0
    series: int = 0
    left_out: int = 0
    signal: bool = False


def preview(
    code: str, series: Sequence[Series], parameters: Mapping[str, float], enabled: bool, now: datetime
) -> Preview:
    """Run a check over the last 30 days of some series, with what is in force today and with what is proposed."""
    check = catalogue()[code]
    signal = check.severity is Severity.SIGNAL
    total = Preview(signal=signal, left_out=max(0, len(series) - MOST_SERIES))
    start = now - (DEPTHS["hour"] if signal else timedelta(days=DAYS))
    for one in series[:MOST_SERIES]:
        total.series += 1
        near = facts.network(one.place.medium)
        beside = near.get(one.place_id, ())
        places = facts.load([one.place_id, *(other.pk for other in beside)], one.interval)
        place = places.get(one.place_id)
        own = next((row for row in place.series if row.pk == one.pk), None) if place else None
        if place is None or own is None:
            continue
        rhythm = {
            pk: replace(some, series=tuple(row for row in some.series if row.seconds == own.seconds))
            for pk, some in places.items()
        }
        current = InForce({place.pk: place}, now - timedelta(days=1), now).pieces(place, own)[-1].regime
        proposed: Settings = {code: {**dict(current.parameters.get(code, {})), **parameters}}
        reach = max(check.needs(check.defaults(own.factor, place.medium), own.seconds))
        back = timedelta(0) if signal else timedelta(seconds=reach)
        spans = periods.of_places({place.pk: place.medium}, start - back, now).get(place.pk, [])
        for batch in gather([some for some in rhythm.values() if some.series], start - back, now, now):
            index = next((i for i, some in enumerate(batch.places) if some.pk == place.pk), None)
            if index is None or own.factor not in batch.columns:
                continue
            window = _window(batch, index, place, own.factor, spans, beside, code, now)
            rows = batch.columns[own.factor].held[batch.rows_of(index)] & (window.time >= periods.instant(start))
            total.values += int(np.count_nonzero(rows & ~np.isnan(window.values[own.factor])))
            held: Settings = {code: current.parameters.get(code, {})}
            total.before += 0 if code in current.off else _flagged(window, own.factor, code, held, rows)
            total.after += _flagged(window, own.factor, code, proposed, rows) if enabled else 0
    return total


def _window(
    batch: Batch, index: int, place: PlaceFacts, factor: str, spans: Sequence[Span], beside: Sequence[Near], code: str,
    now: datetime,
) -> Window:  # fmt: skip
    window = batch.own(index, spans, beside)
    check = catalogue()[code]
    values = window.values
    if looks_around(check) and check.family != "DEV":
        rows = batch.rows_of(index)
        values = {name: measured(column, batch.columns[name])[rows] for name, column in batch.window.values.items()}
    ranges = {one.factor: one.range for one in place.series if one.range is not None}
    return replace(
        window, values=values, range=ranges, reference_oxygen=place.reference_oxygen, limit=limits_of(place, now)
    )


def _flagged(window: Window, factor: str, code: str, settings: Settings, rows: np.ndarray) -> int:
    if catalogue()[code].severity is Severity.SIGNAL:
        return len(suspicions(window, [factor], [code], settings))
    results = run(window, [factor], [code], settings)[factor].get(code)
    if results is None:
        return 0
    return int(np.count_nonzero(rows & ((results == Result.SUSPECT) | (results == Result.FAIL))))
