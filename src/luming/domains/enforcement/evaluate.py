"""Enforcement: each hour of an outlet against its limits, and with that the outlet's live state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from luming.registry.models import Limit
from luming.standards import emission
from luming.standards.edition import city_day
from luming.telemetry import inputs, units
from luming.telemetry.inputs import Used
from luming.telemetry.judging import NO_DATA, Outcome
from luming.telemetry.marks.reading import Effect, effects

KIND_HOUR, KIND_DAY = "limit-hour", "limit-day"
MARKED = "marked"  # no value was judged, because the enterprise's marks keep them out
STATES = {
    emission.State.NO_DATA: NO_DATA,
    emission.State.NORMAL: "normal",
    emission.State.EXCEEDING: "exceeding",
    emission.State.STOPPED: "stopped",
}


def judge_periods(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Judge hours or days of outlets: the mean of each factor against the limit in force on that day.

    The converted mean is judged where the limit says so. See :func:`luming.standards.emission.judge_hour` for marks,
    stopped periods and the comparison. A limit on daily means (such as those of GB 18918-2002, 4.1.4.3) says nothing
    of an hour: an outlet that has no others is ``normal`` in every hour that it sends usable data.

    Marks in force (:func:`luming.telemetry.marks.reading.effects`) do what their codes are configured to do: values of
    excluding marks take no part, an outlet stated to be out of operation is stopped, and marks that exclude nothing
    leave the decision as it is. The judgement keeps every one of them in its detail.
    """
    limits: dict[int, list[Limit]] = defaultdict(list)
    bases = {Limit.Basis.DAY} if interval == Limit.Basis.DAY else set(Limit.Basis)
    for limit in Limit.objects.filter(outlet__in=selection, basis__in=bases).order_by("effective_from"):
        limits[limit.outlet_id].append(limit)
    for group in limits.values():
        group.sort(key=lambda limit: limit.basis == interval)  # stable; of two for one factor the last one counts
    # One factor is read in one unit for all outlets; each limit is brought to that unit.
    wanted = {limit.factor: limit.unit for group in limits.values() for limit in group}
    table = inputs.read(selection, interval, wanted)
    marks = effects(selection, interval)
    outcomes: list[Outcome] = []
    for place_id, in_force, rows in _groups(table, limits):
        own = [marks.get((place_id, start), []) for start, _row in rows]
        outcomes += _judge(place_id, in_force, rows, wanted, interval, own)
    return outcomes


Rows = list[tuple[datetime, dict[str, Used]]]
Marks = Sequence[Sequence[Effect]]  # of each row


def _groups(table: inputs.Table, limits: Mapping[int, Sequence[Limit]]) -> Iterator[tuple[int, dict[str, Limit], Rows]]:
    """Group hours by outlet and by the limits in force, so that each group is judged in one pass."""
    groups: dict[tuple[int, tuple[int, ...]], Rows] = defaultdict(list)
    sets: dict[tuple[int, tuple[int, ...]], dict[str, Limit]] = {}
    for (place_id, start), row in table.items():
        in_force = _in_force(limits.get(place_id, ()), start)
        if row and in_force:
            key = (place_id, tuple(sorted(limit.pk for limit in in_force.values())))
            groups[key].append((start, row))
            sets[key] = in_force
    for key, rows in groups.items():
        yield key[0], sets[key], rows


def _in_force(limits: Sequence[Limit], start: datetime) -> dict[str, Limit]:
    """Return the limit of each factor in force on the city's day of ``start``; the last one wins."""
    day = city_day(start)
    return {
        limit.factor: limit
        for limit in limits
        if limit.effective_from <= day and (limit.effective_to is None or day <= limit.effective_to)
    }


def _judge(
    place_id: int, limits: Mapping[str, Limit], rows: Rows, wanted: Mapping[str, str], interval: str, marks: Marks
) -> list[Outcome]:
    bounds = {factor: _bound(limit, wanted[factor], interval) for factor, limit in limits.items()}
    values = {factor: [_value(row.get(factor), limits[factor]) for _start, row in rows] for factor in limits}
    flags = {
        factor: [_flag(row.get(factor), own, factor) for (_start, row), own in zip(rows, marks, strict=True)]
        for factor in limits
    }
    stopped = [any(effect.shutdown and not effect.factors for effect in own) for own in marks]
    verdict = emission.judge_hour(values, bounds, flags=flags, stopped=stopped)
    return [_outcome(place_id, limits, rows[i], verdict, i, interval, marks[i]) for i in range(len(rows))]


def _kept_out(marks: Sequence[Effect], factor: str) -> bool:
    """Tell whether a mark keeps a factor's value out of the decision."""
    return any(effect.excluded and effect.concerns(factor) for effect in marks)


def _bound(limit: Limit, unit: str, interval: str) -> emission.Limit:
    """Return the bound in the unit of the values; a daily limit binds no hour."""
    if limit.basis != interval:
        return emission.Limit(limit.factor)
    scale = units.scale(limit.unit, unit)
    upper, lower = (None if bound is None else bound * scale for bound in (limit.upper, limit.lower))
    return emission.Limit(limit.factor, upper=upper, lower=lower)


def _value(used: Used | None, limit: Limit) -> float:
    if used is None:
        return float("nan")
    return used.converted if limit.converted else used.value


def _flag(used: Used | None, marks: Sequence[Effect], factor: str) -> str:
    """Return the flag that the decision goes by: a value that would count but is kept out by a mark bears M."""
    own = "" if used is None else used.letter
    return "M" if own in emission.JUDGED_FLAGS and _kept_out(marks, factor) else own


def _outcome(
    place_id: int,
    limits: Mapping[str, Limit],
    period: tuple[datetime, dict[str, Used]],
    verdict: emission.HourVerdict,
    i: int,
    interval: str,
    marks: Sequence[Effect],
) -> Outcome:
    start, row = period
    code = emission.State(int(verdict.code[i]))
    factors: dict[str, Any] = {}
    for factor, limit in limits.items():
        value, multiple = _value(row.get(factor), limit), verdict.multiples[factor][i]
        state = STATES[emission.State(int(verdict.factor_codes[factor][i]))]
        if state == NO_DATA and not np.isnan(value) and _kept_out(marks, factor):
            state = MARKED
        factors[factor] = {
            "value": _or_none(value),
            "basis": limit.basis,
            "upper": limit.upper,
            "lower": limit.lower,
            "state": state,
            "multiple": _or_none(multiple),
        }
    kept_out = any(figures["state"] == MARKED for figures in factors.values())
    multiples = [figures["multiple"] for figures in factors.values() if figures["multiple"] is not None]
    return Outcome(
        place_id,
        KIND_DAY if interval == Limit.Basis.DAY else KIND_HOUR,
        start,
        state=MARKED if code == emission.State.NO_DATA and kept_out else STATES[code],
        value=max(multiples, default=None),
        detail={
            "factors": factors,
            "exceeding": [factor for factor, figures in factors.items() if figures["state"] == "exceeding"],
            "complete": bool(verdict.complete[i]),
            "unverified": sorted(factor for factor, limit in limits.items() if not limit.verified),
        }
        | ({"marks": [effect.as_detail() for effect in marks]} if marks else {}),
        edition="; ".join(sorted({limit.source for limit in limits.values()}))[:200],
        inputs=[used.as_input(converted=limits[factor].converted) for factor, used in row.items() if factor in limits],
        live=interval == Limit.Basis.HOUR,
        severity=2 if code == emission.State.EXCEEDING else 1 if code == emission.State.NO_DATA and not kept_out else 0,
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
