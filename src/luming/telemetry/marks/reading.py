"""What marks do: the periods they cover, which hours and days they keep out of decisions, and which stood still.

A mark has an effect when it is confirmed, or submitted with a code that needs no confirmation. Everything here reads
:meth:`MarkQuerySet.in_force`, so that there is one answer for judgements, checks and statistics.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from luming.core.history import event_models
from luming.standards.edition import CITY_ZONE
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.quality.facts import short

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# What the checks of data call a state (``qc.Span``). A calibration that is only stated is no calibration.
_KINDS = {
    "starting": "starting", "drying-out": "starting", "grid-connection": "starting", "stopping": "stopping",
    "cooling-down": "stopping", "banked": "stopping", "grid-separation": "stopping", "maintenance": "maintenance",
    "calibration": "maintenance", "running": "running", "low-load": "low-load",
}  # fmt: skip


class Period(NamedTuple):
    """A period under a mark: ``kind`` is stopped, starting, stopping, maintenance, fault …; both ends aware."""

    kind: str
    start: datetime
    end: datetime
    detail: Mapping[str, Any]


def spans(place_ids: Iterable[int], start: datetime, end: datetime, *, every: bool = False) -> dict[int, list[Period]]:
    """Return the marked periods of places that touch [start, end), in order of time; one query.

    Parameters
    ----------
    every : also marks that have no effect (yet), refused and withdrawn ones left out, for people to look at; their
        ``detail`` says the state. Without it only what the checks may rely on.

    A mark about some factors comes once per factor, with the factor's short name in its ``detail``.
    """
    rows = Mark.objects.filter(outlet__in=sorted(set(place_ids))).touching(start, end).select_related("code", "outlet")
    rows = rows.filter(state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED)) if every else rows.in_force()
    found: dict[int, list[Period]] = defaultdict(list)
    for mark in rows.order_by("start", "pk"):
        detail = {
            "mark": mark.pk, "code": mark.code.code, "name_zh": mark.code.name_zh, "name_en": mark.code.name_en,
            "side": mark.code.side, "state": mark.state,
        }  # fmt: skip
        for factor in sorted(mark.codes) or [""]:
            own = detail | {"factor": short(factor, mark.outlet.medium)} if factor else detail
            found[mark.outlet_id].append(Period(kind_of(mark.code), mark.start, mark.end, own))
    return dict(found)


def kind_of(code: MarkCode) -> str:
    """Return what the checks call a state."""
    if code.shutdown:
        return "stopped"
    return _KINDS.get(code.code) or ("fault" if code.excluded else code.code)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the marks of one code do to one period of an outlet.

    ``marks`` are their keys; ``factors`` the factors concerned, none for all; ``letter`` the data flag that says the
    same, M where there is none; ``amounts`` one of ``MarkCode.Amounts``.
    """

    code: str
    marks: tuple[int, ...]
    factors: frozenset[str]
    excluded: bool
    shutdown: bool
    amounts: str
    letter: str
    edition: str

    def concerns(self, factor: str) -> bool:
        """Tell whether a factor is concerned."""
        return not self.factors or factor in self.factors

    def as_detail(self) -> dict[str, Any]:
        """Return what a judgement keeps as evidence."""
        return {
            "code": self.code, "marks": list(self.marks), "factors": sorted(self.factors), "excluded": self.excluded,
            "shutdown": self.shutdown, "edition": self.edition,
        }  # fmt: skip


Selection = Mapping[int, Sequence[datetime]]


def effects(selection: Selection, interval: str) -> dict[tuple[int, datetime], list[Effect]]:
    """Return what marks in force do to hours or days of outlets: (place, start) -> effects; one query.

    An hour is marked when at least ``hour_minutes`` of it are, by marks of one code and the same factors together. A
    day (from its start) is marked when at least ``day_hours`` of its hours are.
    """
    starts = [start for group in selection.values() for start in group]
    if not starts:
        return {}
    step = DAY if interval == "day" else HOUR
    marks = _by_outlet(selection, min(starts), max(starts) + step)
    found: dict[tuple[int, datetime], list[Effect]] = {}
    for place_id, rows in marks.items():
        for start in selection[place_id]:
            own = _of_day(rows, start) if interval == "day" else _of_hour(rows, start)
            if own:
                found[place_id, start] = own
    return found


def _by_outlet(
    place_ids: Iterable[int], start: datetime, end: datetime, as_of: datetime | None = None
) -> dict[int, list[Mark]]:
    found: dict[int, list[Mark]] = defaultdict(list)
    for mark in _in_force(sorted(set(place_ids)), start, end, as_of):
        found[mark.outlet_id].append(mark)
    return found


def _in_force(place_ids: Sequence[int], start: datetime, end: datetime, as_of: datetime | None) -> Sequence[Mark]:
    """Return the marks in force, now or as they were at a past moment, by start."""
    if as_of is None:
        rows = Mark.objects.filter(outlet__in=place_ids).in_force().touching(start, end)
        return list(rows.select_related("code").order_by("start", "pk"))
    (history,) = event_models(Mark)
    then = history.objects.filter(outlet__in=place_ids, start__lt=end, end__gt=start, pgh_created_at__lte=as_of)
    rows = list(then.order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id"))
    codes = MarkCode.objects.in_bulk({row.code_id for row in rows})
    known = [
        Mark(
            pk=row.pgh_obj_id, outlet_id=row.outlet_id, code=codes[row.code_id], factors=row.factors, start=row.start,
            end=row.end, state=row.state,
        )
        for row in rows
    ]  # fmt: skip
    return sorted((mark for mark in known if mark.has_effect), key=lambda mark: (mark.start, mark.pk))


def _of_hour(rows: Sequence[Mark], start: datetime) -> list[Effect]:
    groups = _groups(rows, start, start + HOUR)
    return [
        _effect(members)
        for members in groups
        if _covered(members, start, start + HOUR) >= timedelta(minutes=members[0].code.hour_minutes)
    ]


def _of_day(rows: Sequence[Mark], start: datetime) -> list[Effect]:
    found = []
    for members in _groups(rows, start, start + DAY):
        least = timedelta(minutes=members[0].code.hour_minutes)
        hours = [start + i * HOUR for i in range(24)]
        marked = sum(_covered(members, hour, hour + HOUR) >= least for hour in hours)
        if marked >= members[0].code.day_hours:
            found.append(_effect(members))
    return found


def _groups(rows: Sequence[Mark], start: datetime, end: datetime) -> list[list[Mark]]:
    """Return the marks that touch a period, those of one code and the same factors together."""
    groups: dict[tuple[int, frozenset[str]], list[Mark]] = defaultdict(list)
    for mark in rows:
        if mark.start < end and mark.end > start:
            groups[mark.code_id, mark.codes].append(mark)
    return list(groups.values())


def _covered(marks: Iterable[Mark], start: datetime, end: datetime) -> timedelta:
    """Return how much of a period marks cover; what overlaps counts once. They are ordered by start."""
    total, reached = timedelta(), start
    for mark in marks:
        begin, until = max(mark.start, reached), min(mark.end, end)
        if until > begin:
            total += until - begin
            reached = until
    return total


def _effect(marks: Sequence[Mark]) -> Effect:
    code = marks[0].code
    return Effect(
        code.code, tuple(mark.pk for mark in marks), marks[0].codes, code.excluded, code.shutdown, code.amounts,
        code.letter or "M", code.edition,
    )  # fmt: skip


def stopped_hours(place_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, frozenset[datetime]]:
    """Return the hours of outlets in [start, end) that marks in force state to be out of operation.

    Marks of single factors stop nothing: an outlet stands still as a whole.
    """
    found: dict[int, set[datetime]] = defaultdict(set)
    for (place_id, hour), own in effects(_touched(place_ids, start, end), "hour").items():
        if any(effect.shutdown and not effect.factors for effect in own):
            found[place_id].add(hour)
    return {place_id: frozenset(hours) for place_id, hours in found.items()}


def letters(
    place_ids: Iterable[int], start: datetime, end: datetime, *, as_of: datetime | None = None
) -> dict[int, list[tuple[datetime, str, Effect]]]:
    """Return the hours of outlets that enter amounts otherwise than measured: (start, letter, effect) of each.

    The letter is F for what counts as out of operation; other letters are of values that are missing for amounts.
    ``as_of`` asks which marks were in force at a past moment (what codes do does not change once they are used).
    """
    found: dict[int, list[tuple[datetime, str, Effect]]] = defaultdict(list)
    for place_id, rows in _by_outlet(place_ids, start, end, as_of).items():
        hours = {hour for mark in rows for hour in hours_of(max(mark.start, start), min(mark.end, end))}
        for moment, effect in ((hour, effect) for hour in sorted(hours) for effect in _of_hour(rows, hour)):
            if effect.amounts == MarkCode.Amounts.STOPPED:
                found[place_id].append((moment, "F", effect))
            elif effect.amounts == MarkCode.Amounts.MISSING:
                found[place_id].append((moment, effect.letter, effect))
    return dict(found)


def _touched(place_ids: Iterable[int], start: datetime, end: datetime) -> dict[int, list[datetime]]:
    """Return the hours in [start, end) that marks in force touch, by outlet."""
    found: dict[int, list[datetime]] = {}
    for place_id, rows in _by_outlet(place_ids, start, end).items():
        found[place_id] = sorted(
            {hour for mark in rows for hour in hours_of(max(mark.start, start), min(mark.end, end))}
        )
    return found


def hours_of(start: datetime, end: datetime) -> list[datetime]:
    """Return the beginnings of the hours that [start, end) touches."""
    first = start.replace(minute=0, second=0, microsecond=0)
    number = -((first - end) // HOUR)  # rounded up
    return [first + i * HOUR for i in range(number)]


def days_of(start: datetime, end: datetime) -> list[datetime]:
    """Return the midnights of the city's days that [start, end) touches, as UTC like ``start``."""
    first = start.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    number = -((first - end) // DAY)
    return [(first + i * DAY).astimezone(start.tzinfo) for i in range(number)]
