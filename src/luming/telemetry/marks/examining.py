"""What speaks against a mark: values, flags, other marks, and when it was made. Each finding keeps its numbers.

A finding is a dictionary with ``kind`` (a key of :data:`luming.telemetry.marks.words.FINDINGS`), ``verdict``
(``contradiction``: it cannot be so; ``check``: a person should look) and figures as evidence. Thresholds are those of
``luming.standards.marks.evidence`` (our reading, not verified). Findings decide nothing by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from luming.registry.models import Interval, Series
from luming.standards import marks as table
from luming.standards.edition import CITY_ZONE
from luming.telemetry import store
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.marks.reading import HOUR, hours_of
from luming.telemetry.models import Judgement

FLOWS = ("a00000", "w00000")
OXYGEN = "a19001"
EXCEEDANCES = "limit-hour"  # kind of the judgements that marks are about
SHOWN = 6  # rows of evidence that a finding keeps
Findings = list[dict[str, Any]]


def examine(mark: Mark, beside: Iterable[Mark] = ()) -> Findings:
    """Return what speaks against a mark that is about to be made; ``beside`` are others of the same submission."""
    series = list(Series.objects.filter(place=mark.outlet_id, interval=Interval.HOUR).order_by("factor"))
    found: Findings = []
    if mark.code.shutdown:
        found += _running(mark, series)
    if mark.code.excluded:
        found += _device_normal(mark, [row for row in series if mark.concerns(row.factor)])
        exceeding = _exceeding(mark.outlet_id, mark.start, mark.end)
        found += _known_before(mark, exceeding)
        found += _repeated(mark, beside)
    return [*found, *_overlaps(mark, beside), *_too_long(mark, beside)]


def _inside(mark: Mark) -> list[datetime]:
    """Return the hours that lie wholly inside a mark."""
    return [hour for hour in hours_of(mark.start, mark.end) if hour >= mark.start and hour + HOUR <= mark.end]


# ---- values and flags ------------------------------------------------------------------------------------------------


def _running(mark: Mark, series: Sequence[Series]) -> Findings:
    """Tell hours in which flow or oxygen show that a plant said to stand still runs."""
    rules = table.evidence()
    rows = []
    for own in series:
        if own.factor in FLOWS:
            usual = _usual(own, mark.start, timedelta(days=rules.usual_days))
            if usual is not None:
                rows += _beyond(mark, own, usual * rules.flow_share, above=True)
        elif own.factor == OXYGEN:
            rows += _beyond(mark, own, rules.oxygen_below, above=False)
    if not rows:
        return []
    hours = {row["start"] for row in rows}
    return [_finding("running", "contradiction", hours=len(hours), of=len(_inside(mark)), rows=rows[:SHOWN])]


def _usual(series: Series, before: datetime, length: timedelta) -> float | None:
    """Return the usual flow of an outlet: the median of the hours that count and are above zero."""
    held = store.effective([series.pk], before - length, before)
    values = held.used[held.counts & (held.used > 0)]
    return float(np.median(values)) if len(values) else None


def _beyond(mark: Mark, series: Series, bound: float, *, above: bool) -> Findings:
    held = store.observations([series.pk], mark.start, mark.end).of(series.pk)
    inside = {hour.astimezone(UTC) for hour in _inside(mark)}
    found = []
    for start, value in zip(held.start.astype("datetime64[us]").astype(object), held.value.tolist(), strict=True):
        moment = start.replace(tzinfo=UTC)
        if moment in inside and (value > bound if above else value < bound):  # NaN is neither
            found.append(
                {
                    "series": series.pk, "factor": series.factor, "unit": series.unit, "start": moment.isoformat(),
                    "value": value, "bound": float(f"{bound:.6g}"),
                }
            )  # fmt: skip
    return found


def _device_normal(mark: Mark, series: Sequence[Series]) -> Findings:
    """Tell hours that the device itself sent as normal (N) although the mark says otherwise."""
    if not mark.code.shutdown and mark.code.side != MarkCode.Side.DEVICE:
        return []
    inside = {hour.astimezone(UTC) for hour in _inside(mark)}
    held = store.observations([row.pk for row in series], mark.start, mark.end)
    starts = held.start.astype("datetime64[us]").astype(object)
    normal: set[datetime] = set()
    seen: set[datetime] = set()
    for start, flag, value in zip(starts, held.flag.tolist(), held.value.tolist(), strict=True):
        moment = start.replace(tzinfo=UTC)
        if moment in inside and not np.isnan(value):
            seen.add(moment)
            if (flag or "").strip() == "N":
                normal.add(moment)
    if not normal:
        return []
    return [
        _finding("device-normal", "check", hours=len(normal), of=len(seen), rows=[
            {"start": moment.isoformat()} for moment in sorted(normal)[:SHOWN]
        ])
    ]  # fmt: skip


# ---- exceedances -----------------------------------------------------------------------------------------------------


def _exceeding(outlet_id: int, start: datetime, end: datetime) -> list[Judgement]:
    """Return the first judgement of each hour in [start, end) that found an exceedance, whatever was said later."""
    hours = hours_of(start, end)
    rows = Judgement.objects.filter(
        place=outlet_id, kind=EXCEEDANCES, state="exceeding", start__gte=hours[0], start__lt=end
    )
    first: dict[datetime, Judgement] = {}
    for row in rows.order_by("start", "revision"):
        first.setdefault(row.start, row)
    return list(first.values())


def _known_before(mark: Mark, exceeding: Sequence[Judgement]) -> Findings:
    """Tell exceedances in the period that were known when the mark was made."""
    known = [row for row in exceeding if row.judged_at < mark.made_at]
    if not known:
        return []
    rows = [{"judgement": row.pk, "start": row.start.isoformat(), "value": row.value} for row in known[:SHOWN]]
    first = min(row.judged_at for row in known)
    return [_finding("after-exceedance", "check", hours=len(known), known=first.isoformat(), rows=rows)]


def _repeated(mark: Mark, beside: Iterable[Mark]) -> Findings:
    """Tell an outlet's marks that are exactly as long as an exceedance, again and again."""
    rules = table.evidence()
    since = mark.made_at - timedelta(days=rules.repeated_days)
    runs = _runs([row.start for row in _exceeding(mark.outlet_id, min(since, mark.start), mark.made_at)])
    if (mark.start, mark.end) not in runs:
        return []
    others = Mark.objects.filter(outlet=mark.outlet_id, made_at__gte=since, code__excluded=True)
    periods = set(others.exclude(pk=mark.pk).values_list("start", "end"))
    periods |= {(row.start, row.end) for row in beside if row.outlet_id == mark.outlet_id and row.code.excluded}
    number = len((periods | {(mark.start, mark.end)}) & runs)
    if number < rules.repeated:
        return []
    return [_finding("repeated", "check", marks=number, exceedances=len(runs), days=rules.repeated_days)]


def _runs(hours: Sequence[datetime]) -> set[tuple[datetime, datetime]]:
    """Return the periods that hours without a gap between them make up."""
    found: list[list[datetime]] = []
    for hour in sorted(hours):
        if found and found[-1][1] == hour:
            found[-1][1] = hour + HOUR
        else:
            found.append([hour, hour + HOUR])
    return {(start, end) for start, end in found}


# ---- other marks, length ---------------------------------------------------------------------------------------------


def _others(mark: Mark, beside: Iterable[Mark]) -> list[Mark]:
    rows = Mark.objects.filter(
        outlet=mark.outlet_id, state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED)
    ).select_related("code")
    stored = list(rows.touching(mark.start, mark.end).exclude(pk=mark.pk))
    near = [row for row in beside if row is not mark and row.outlet_id == mark.outlet_id]
    return [*stored, *(row for row in near if row.start < mark.end and row.end > mark.start)]


def _overlaps(mark: Mark, beside: Iterable[Mark]) -> Findings:
    """Tell other marks on the same time that do not agree with it."""
    found = []
    for other in _others(mark, beside):
        if mark.factors and other.factors and not mark.codes & other.codes:
            continue
        verdict = against(mark.code, other.code)
        if verdict:
            start, end = max(mark.start, other.start), min(mark.end, other.end)
            found.append(
                _finding(
                    "overlap", verdict, mark=other.pk, code=other.code.code, name_zh=other.code.name_zh,
                    name_en=other.code.name_en, hours=round((end - start) / HOUR, 2), start=start.isoformat(),
                    end=end.isoformat(),
                )
            )  # fmt: skip
    return found


def against(one: MarkCode, other: MarkCode) -> str:
    """Return the verdict on two codes at once, empty where they agree; two operating states never do."""
    if one.code == other.code:
        return ""
    if one.side == other.side == MarkCode.Side.OPERATING:
        return "contradiction"
    try:
        known = table.contradiction(one.code, other.code)
    except LookupError:  # a code of the installation's own
        return ""
    return known.verdict if known else ""


def _too_long(mark: Mark, beside: Iterable[Mark]) -> Findings:
    """Tell what is longer than the code allows, at once or in the year."""
    code, found = mark.code, []
    if code.longest_hours is not None and mark.hours > code.longest_hours:
        found.append(_finding("too-long", "check", hours=round(mark.hours, 2), allowed=code.longest_hours))
    if code.yearly_hours is not None:
        used = mark.hours + _of_year(mark, beside)
        if used > code.yearly_hours:
            found.append(_finding("yearly", "check", hours=round(used, 2), allowed=code.yearly_hours))
    return found


def _of_year(mark: Mark, beside: Iterable[Mark]) -> float:
    """Return the hours of the calendar year that other marks of the same group already take."""
    names = mark.code.yearly_group.split() or [mark.code.code]
    year = mark.start.astimezone(CITY_ZONE).year
    first, last = (datetime(number, 1, 1, tzinfo=CITY_ZONE) for number in (year, year + 1))
    rows = Mark.objects.filter(
        outlet=mark.outlet_id, code__code__in=names, state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED)
    )
    periods = list(rows.touching(first, last).exclude(pk=mark.pk).values_list("start", "end"))
    periods += [
        (row.start, row.end)
        for row in beside
        if row is not mark and row.outlet_id == mark.outlet_id and row.code.code in names
    ]
    return sum((min(end, last) - max(start, first)) / HOUR for start, end in periods)


def _finding(kind: str, verdict: str, **figures: Any) -> dict[str, Any]:
    return {"kind": kind, "verdict": verdict, **figures}
