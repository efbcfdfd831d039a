"""Hours of outlets as enterprises mark them: values, exceedances, device flags, gaps, marks; and what calls for a mark.

A period calls for a mark when its hours exceed a limit, bear a flag of the device, or lack all values, and no mark
that is waiting or confirmed covers them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from luming.registry.models import Interval, Outlet, Series
from luming.standards import marks as table
from luming.standards.edition import city_day
from luming.telemetry import store
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.marks.reading import HOUR
from luming.telemetry.models import Judgement
from luming.telemetry.store.verdicts import NORMAL_LETTERS

KIND = "limit-hour"
GRACE = timedelta(hours=1)  # what has not come so soon after its hour is not missing yet
LOOKED = timedelta(days=7)
GROUNDS = ("exceeding", "flagged", "missing")  # the weightiest first


@dataclass(slots=True)
class Cell:
    """One hour of an outlet. ``state`` of its judgement, empty for none; ``letters`` the device's flags beside N."""

    start: datetime
    state: str = ""
    letters: str = ""
    held: bool = False
    is_over: bool = True
    is_due: bool = True  # its values should have come by now
    judgement: int = 0
    marks: list[Mark] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """Return its end."""
        return self.start + HOUR

    @property
    def ground(self) -> str:
        """Return why it calls for a mark, empty where it does not or is marked already."""
        if self.marks or not self.is_over:
            return ""
        if self.state == "exceeding":
            return "exceeding"
        if self.letters:
            return "flagged"
        return "missing" if self.is_due and not self.held else ""

    @property
    def look(self) -> str:
        """Return what the page shows it as."""
        if not self.is_over:
            return "ahead"
        if self.marks:
            return "marked"
        return self.ground or ("normal" if self.state in ("normal", "stopped", "marked") else "unjudged")


@dataclass(frozen=True, slots=True)
class Open:
    """A period that calls for a mark, with until when it can be made in time."""

    outlet: Outlet
    start: datetime
    end: datetime
    ground: str
    deadline: datetime

    @property
    def hours(self) -> int:
        """Return its length."""
        return int((self.end - self.start) / HOUR)


def cells(outlets: Sequence[Outlet], start: datetime, end: datetime, now: datetime) -> dict[int, list[Cell]]:
    """Return the hours of outlets in [start, end): four queries whatever their number."""
    ids = [outlet.pk for outlet in outlets]
    number = int((end - start) / HOUR)
    found = {
        pk: [
            Cell(hour, is_over=hour + HOUR <= now, is_due=hour + HOUR + GRACE <= now)
            for hour in (start + i * HOUR for i in range(number))
        ]
        for pk in ids
    }
    rows = Judgement.objects.filter(place__in=ids, kind=KIND, start__gte=start, start__lt=end)
    for pk, place_id, begin, state in rows.order_by("revision").values_list("pk", "place_id", "start", "state"):
        at = int((begin - start) / HOUR)
        found[place_id][at].state, found[place_id][at].judgement = state, pk
    _flags(found, start, end)
    for mark in _marks(ids, start, end):
        for cell in found[mark.outlet_id]:
            if mark.start < cell.end and mark.end > cell.start:
                cell.marks.append(mark)
    return found


def _marks(ids: Iterable[int], start: datetime, end: datetime) -> Iterable[Mark]:
    rows = Mark.objects.filter(outlet__in=list(ids), state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED))
    return rows.touching(start, end).select_related("code").order_by("start", "pk")


def _flags(found: dict[int, list[Cell]], start: datetime, end: datetime) -> None:
    """Enter what was held and with which flags."""
    series = dict(
        Series.objects.filter(place__in=found, interval=Interval.HOUR, expected=True).values_list("pk", "place_id")
    )
    if not series:
        return
    held = store.observations(list(series), start, end)
    first = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    at = ((held.start - first) // np.timedelta64(1, "h")).astype(np.int64)
    for series_id, row, flag in zip(held.series_id.tolist(), at.tolist(), held.flag.tolist(), strict=True):
        cell = found[series[series_id]][row]
        cell.held = True
        letter = (flag or "").strip()
        if letter not in NORMAL_LETTERS and letter not in cell.letters:
            cell.letters += letter


def open_periods(outlets: Sequence[Outlet], now: datetime) -> list[Open]:
    """Return the periods of the last week that call for a mark, those in time first, by deadline."""
    if not outlets:
        return []
    end = now.replace(minute=0, second=0, microsecond=0)
    codes = MarkCode.objects.in_force(city_day(now)).filter(manual=True)
    code = min(codes, key=lambda row: (row.days_after, row.due_at), default=None)
    if code is None:
        return []
    every = cells(outlets, end - LOOKED, end, now)
    found = [row for outlet in outlets for row in _runs(outlet, every[outlet.pk], code)]
    return sorted(found, key=lambda row: (row.deadline < now, row.deadline, row.outlet.pk, row.start))


def _runs(outlet: Outlet, cells: Sequence[Cell], code: MarkCode) -> list[Open]:
    """Return runs of hours with one ground."""
    runs: list[list[Cell]] = []
    for cell in cells:
        if not cell.ground:
            continue
        if runs and runs[-1][-1].end == cell.start and runs[-1][-1].ground == cell.ground:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return [Open(outlet, run[0].start, run[-1].end, run[0].ground, code.deadline(run[-1].end)) for run in runs]


def automatic(outlet: Outlet, start: datetime, end: datetime) -> list[tuple[str, datetime, datetime, MarkCode | None]]:
    """Return the marks that the device made itself: runs of hours with a flag that means a state, and its code.

    They are read from the flags as sent (HJ 212-2017 table 8) and cannot be edited.
    """
    codes = {code.letter: code for code in MarkCode.objects.filter(side=MarkCode.Side.DEVICE).exclude(letter="")}
    by_letter: dict[str, list[datetime]] = defaultdict(list)
    for cell in cells([outlet], start, end, end + GRACE)[outlet.pk]:
        for letter in cell.letters:
            by_letter[letter].append(cell.start)
    found = []
    for letter, hours in by_letter.items():
        first = np.array([hour.timestamp() for hour in hours])
        chain = np.concatenate([[0], np.cumsum(np.diff(first) > HOUR.total_seconds())])
        for number in np.unique(chain):
            own = [hours[i] for i in np.flatnonzero(chain == number)]
            found.append((letter, own[0], own[-1] + HOUR, codes.get(letter)))
    return sorted(found, key=lambda row: row[1])


def offered(outlet: Outlet, day: datetime) -> list[MarkCode]:
    """Return the codes that may be stated of an outlet on a day, states of the plant first."""
    sector = table.sector_of(outlet.facility.industry)
    found = MarkCode.objects.offered(sector, outlet.medium, city_day(day))
    return sorted(found, key=lambda code: (code.side != MarkCode.Side.OPERATING, code.pk))
