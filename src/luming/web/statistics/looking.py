"""What of a place's statistics a person looks at, read from a page's address, and its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from luming.registry.models import Interval, Place, Series
from luming.telemetry.statistics import loading, plans, reading, tolerances, words
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.models import Statistic, Tolerance
from luming.web import periods
from luming.web import words as names

USUAL = ""  # the measure that each factor's standard judges
# kind -> how long is looked at without dates, and at most
SPANS = {
    words.HOUR: (timedelta(days=2), timedelta(days=31)),
    words.EIGHT_HOURS: (timedelta(days=2), timedelta(days=31)),
    words.DAY: (timedelta(days=31), timedelta(days=366)),
    words.MONTH: (timedelta(days=366), timedelta(days=366 * 10)),
    words.QUARTER: (timedelta(days=366 * 2), timedelta(days=366 * 20)),
    words.YEAR: (timedelta(days=366 * 5), timedelta(days=366 * 50)),
}
FACTORS_SHOWN, FACTORS_MOST = 3, 6


@dataclass(frozen=True, slots=True)
class Column:
    """A factor as it is shown: with one measure."""

    subject: Subject
    measure: str

    @property
    def name(self) -> str:
        """Return the name of the factor."""
        return names.factor_name(self.subject.factor)

    @property
    def unit(self) -> str:
        """Return the unit of the figures."""
        if self.measure in (words.AMOUNT, words.SUBSTITUTED):
            return plans.amount_unit(self.subject.factor)
        return "%" if self.measure in words.RATES else self.subject.unit

    @property
    def label(self) -> Any:
        """Return the words of the measure."""
        return dict(words.MEASURES)[self.measure]


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: ``columns`` of one kind of period that begin in [start, end), as known at ``as_of``."""

    kind: str
    measure: str  # as chosen; USUAL
    start: datetime
    end: datetime
    as_of: datetime | None
    columns: Sequence[Column]
    subjects: Sequence[Subject]
    measures: Sequence[tuple[str, Any]]
    kinds: Sequence[tuple[str, Any]]

    @property
    def first_day(self) -> str:
        """Return the first day as a date field shows it."""
        return timezone.localtime(self.start).strftime("%Y-%m-%d")

    @property
    def last_day(self) -> str:
        """Return the last day as a date field shows it."""
        return timezone.localtime(self.end - timedelta(microseconds=1)).strftime("%Y-%m-%d")

    @property
    def as_of_text(self) -> str:
        """Return the past moment as its field shows it."""
        return timezone.localtime(self.as_of).strftime("%Y-%m-%dT%H:%M") if self.as_of else ""

    @property
    def chosen(self) -> set[str]:
        """Return the codes of the factors shown."""
        return {column.subject.factor for column in self.columns}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in the table. ``now`` is what holds today, where that is another than what was known then."""

    start: datetime
    value: float | None
    valid: bool
    reason: Any
    count: int
    required: int
    verified: bool
    revision: int
    statistic: int | None
    series: int | None = None  # of an hour as received
    substituted: int = 0
    changed: bool = False
    now: float | None = None
    own: int | None = None  # the platform's own hour, where it deviates beyond the tolerance
    deviation: float | None = None

    @property
    def ms(self) -> int:
        """Return the start as the addresses of values write it."""
        return int(self.start.timestamp() * 1000)


def read(values: QueryDict, place: Place, now: datetime) -> Look:
    """Read what is looked at; anything odd in the address falls back to the usual factors and their last days."""
    kind = values.get("kind", words.DAY)
    kind = kind if kind in SPANS else words.DAY
    subjects = subjects_of(place)
    fitting = [subject for subject in subjects if any(kind in kinds for kinds in plans.offered(subject).values())]
    wanted = set(values.getlist("factor"))
    shown = [subject for subject in fitting if subject.factor in wanted][:FACTORS_MOST] or fitting[:FACTORS_SHOWN]
    measure = values.get("measure", USUAL)
    every = {name for subject in fitting for name, kinds in plans.offered(subject).items() if kind in kinds}
    measure = measure if measure in every else USUAL
    columns = [Column(subject, measure or plans.usual(subject, kind)) for subject in shown]
    columns = [one for one in columns if kind in plans.offered(one.subject).get(one.measure, ())]
    start, end = _span(values, kind, now)
    return Look(
        kind, measure, start, end, _moment(values.get("as_of")), columns, fitting,
        [(name, label) for name, label in words.MEASURES if name in every], words.KINDS,
    )  # fmt: skip


def subjects_of(place: Place) -> list[Subject]:
    """Return what is measured at a place, the usual factors first; also what is only sampled by hand."""
    series = list(Series.objects.filter(place=place.pk, interval__in=(Interval.HOUR, Interval.MINUTE)))
    found = {
        row.factor: loading.subject_of(place.medium, row.factor, row.unit)
        for row in periods.in_order(series, place.medium)
        if row.factor not in plans.LEFT_OUT
    }
    sampled = Statistic.objects.filter(place=place.pk, kind=words.DAY, source=words.SAMPLES).order_by()
    for factor, unit in sampled.values_list("factor", "unit").distinct():
        found.setdefault(factor, loading.subject_of(place.medium, factor, unit or ""))
    return list(found.values())


def _span(values: QueryDict, kind: str, now: datetime) -> tuple[datetime, datetime]:
    usual, longest = SPANS[kind]
    first, last = _day(values.get("from")), _day(values.get("to"))
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    end = last + timedelta(days=1) if last else today if kind in (words.DAY, *words.LONGER) else now
    start = first if first and first < end else end - usual
    return max(start, end - longest), end


def _day(text: str | None) -> datetime | None:
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day)) if day and 1990 <= day.year <= 2199 else None


def _moment(text: str | None) -> datetime | None:
    """Return a moment of the city's time; a date alone is its end."""
    try:
        found = parse_datetime(text or "")
    except ValueError:
        return None
    if found is None or not 1990 <= found.year <= 2199:
        day = _day(text)
        return day + timedelta(days=1) if day else None
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def cells(place: Place, look: Look, column: Column) -> list[Cell]:
    """Return the figures of a column, oldest first."""
    if (look.kind, column.measure) == (words.HOUR, words.MEAN):
        return _hours(place, look, column)
    current = _stored(place, look, column, None)
    if look.as_of is None:
        return [_cell(row) for row in current.values()]
    then = _stored(place, look, column, look.as_of)
    found = []
    for start in sorted(then.keys() | current.keys()):
        row, now = then.get(start), current.get(start)
        if row is None:
            assert now is not None
            found.append(Cell(start, None, False, "", 0, 0, True, 0, now.pk, changed=True, now=now.rounded))
        else:
            changed = now is not None and now.pk != row.pk
            found.append(_cell(row, changed=changed, now=now.rounded if now else None))
    return found


def _stored(place: Place, look: Look, column: Column, as_of: datetime | None) -> Mapping[datetime, Statistic]:
    rows = reading.latest(
        [place.pk], column.measure, look.kind, look.start, look.end, factors=[column.subject.factor], as_of=as_of
    )
    return {row.start: row for row in rows if row.method != "none"}


def _cell(row: Statistic, *, changed: bool = False, now: float | None = None) -> Cell:
    return Cell(
        row.start, row.rounded, row.valid, words.reason(row.reason), row.count, row.required, row.verified,
        row.revision, row.pk, None, row.substituted, changed, now,
    )  # fmt: skip


def _hours(place: Place, look: Look, column: Column) -> list[Cell]:
    factor = column.subject.factor
    rows = reading.read(place, factor, words.MEAN, words.HOUR, look.start, look.end, as_of=look.as_of)
    series = Series.objects.filter(place=place.pk, factor=factor, interval=Interval.HOUR).first()
    stored = reading.latest(
        [place.pk], words.MEAN, words.HOUR, look.start, look.end, factors=[factor], as_of=look.as_of
    )
    known = tuple(Tolerance.objects.filter(medium=place.medium))
    beyond = {row.start: row for row in stored if tolerances.exceeded(row, place.medium, known)}
    found = []
    for row in rows:
        own = beyond.get(row.start)
        found.append(
            Cell(
                row.start, row.value, row.valid, words.reason(row.reason), row.count, row.required, True, row.revision,
                row.statistic_id, series.pk if series and row.statistic_id is None else None,
                own=own.pk if own else None, deviation=own.deviation if own else None,
            )
        )  # fmt: skip
    return found


def label(kind: str, start: datetime) -> str:
    """Write a period of the city: 2026-11-24 08:00–09:00, 2026-11-24, 2026-11, 2026 Q4, 2026."""
    local = timezone.localtime(start)
    if kind in (words.HOUR, words.EIGHT_HOURS):
        end = local + timedelta(hours=1 if kind == words.HOUR else 8)
        return f"{local:%Y-%m-%d %H:%M}–{'24:00' if end.hour == 0 else end.strftime('%H:%M')}"
    if kind == words.QUARTER:
        return f"{local.year} Q{(local.month + 2) // 3}"
    return local.strftime({words.DAY: "%Y-%m-%d", words.MONTH: "%Y-%m"}.get(kind, "%Y"))


def table(kind: str, columns: Sequence[Sequence[Cell]]) -> list[tuple[str, list[Cell | None]]]:
    """Return the rows of a table with the period and one cell per column, newest first."""
    found: dict[datetime, list[Cell | None]] = {}
    for position, column in enumerate(columns):
        for cell in column:
            found.setdefault(cell.start, [None] * len(columns))[position] = cell
    return [(label(kind, start), found[start]) for start in sorted(found, reverse=True)]
