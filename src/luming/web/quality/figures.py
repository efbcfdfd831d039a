"""Figures of the pages of data quality: hit rates, days of places, what spoke most, examples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from luming.core.models import User
from luming.registry.models import Place, Series
from luming.science.qc.catalogue import catalogue
from luming.science.qc.model import Check, Severity
from luming.standards.edition import midnight
from luming.telemetry import store
from luming.telemetry.quality import words
from luming.telemetry.quality.models import CheckShare, CheckTally, PlaceDay, SuspicionRecord

DAYS = 30
EXAMPLES = 8
PLACES = 10


@dataclass(slots=True)
class Rate:
    """How often a check spoke in the last 30 days; ``days`` are the hits of each day, oldest first."""

    checked: int = 0
    suspect: int = 0
    fail: int = 0
    days: list[int] = field(default_factory=list)

    @property
    def hits(self) -> int:
        """Return how many values it spoke of."""
        return self.suspect + self.fail

    @property
    def share(self) -> float | None:
        """Return the hits per cent of the values it could judge."""
        return 100 * self.hits / self.checked if self.checked else None

    @property
    def bars(self) -> list[tuple[int, str, str]]:
        """Return place from the left, from the top, and height of each day's bar that has one, in a box of 60 × 10."""
        most = max(self.days, default=0)
        heights = [(at, max(1.0, 10 * hits / most)) for at, hits in enumerate(self.days) if hits]
        return [(2 * at, f"{10 - height:.2f}", f"{height:.2f}") for at, height in heights]


@dataclass(frozen=True, slots=True)
class Row:
    """A check as the lists show it."""

    check: Check
    rate: Rate | None
    open: int | None  # suspicions, for those that raise them

    @property
    def title(self) -> str:
        """Return its title in the page's language."""
        return words.title(self.check)

    @property
    def severity(self) -> Any:
        """Return what follows when it speaks."""
        return words.SEVERITIES[self.check.severity.value]

    @property
    def tone(self) -> str:
        """Return the colour of its severity."""
        tones = {Severity.INVALID: "is-bad", Severity.SUSPECT: "is-warn", Severity.INFORM: "is-info"}
        return tones.get(self.check.severity, "")

    @property
    def mark(self) -> Any:
        """Return how well its clause is known."""
        return words.MARKS[self.check.mark.value]


def period() -> tuple[date, date]:
    """Return the first and the last of the last 30 closed days."""
    last = timezone.localdate() - timedelta(days=1)
    return last - timedelta(days=DAYS - 1), last


def rates(medium: str = "") -> dict[str, Rate]:
    """Return the hit rates of all checks in one query; they are the city's, whoever asks."""
    first, last = period()
    rows = CheckShare.objects.filter(day__range=(first, last))
    if medium:
        rows = rows.filter(medium=medium)
    found: dict[str, Rate] = defaultdict(lambda: Rate(days=[0] * DAYS))
    sums = rows.values("code", "day").annotate(c=Sum("checked"), s=Sum("suspect"), f=Sum("fail"))
    for row in sums.order_by("code", "day"):
        rate = found[row["code"]]
        rate.checked, rate.suspect, rate.fail = rate.checked + row["c"], rate.suspect + row["s"], rate.fail + row["f"]
        rate.days[(row["day"] - first).days] += row["s"] + row["f"]
    return dict(found)


def listed(user: User, family: str = "", medium: str = "") -> list[Row]:
    """Return the checks of a family and medium as the catalogue's page lists them."""
    known, open_ones = rates(medium), suspicions_by_code(user)
    return [
        Row(
            check,
            None if check.severity is Severity.SIGNAL else known.get(code, Rate()),
            open_ones.get(code, 0) if check.severity is Severity.SIGNAL and user.is_internal else None,
        )
        for code, check in catalogue().items()
        if (not family or check.family == family) and (not medium or medium in check.media)
    ]


def suspicions_by_code(user: User) -> Counter[str]:
    """Return how many suspicions are open by check, of those the user sees."""
    if not user.is_internal:
        return Counter()
    rows = SuspicionRecord.objects.visible_to(user).filter(state=SuspicionRecord.State.OPEN)
    return Counter(rows.order_by().values_list("code", flat=True))


@dataclass(frozen=True, slots=True)
class Spoken:
    """How often a check spoke at a place, or a place had hits of a check."""

    place: Place
    series: Series
    checked: int
    hits: int

    @property
    def share(self) -> float:
        """Return the hits per cent of the values of this series."""
        return 100 * self.hits / self.checked if self.checked else 0.0


def most_hits(user: User, code: str) -> list[Spoken]:
    """Return the series with the most hits of a check in the last 30 days."""
    first, last = period()
    rows = (
        CheckTally.objects.visible_to(user)
        .filter(code=code, day__range=(first, last))
        .values("series")
        .annotate(c=Sum("checked"), s=Sum("suspect"), f=Sum("fail"))
    )
    top = sorted(rows, key=lambda row: -(row["s"] + row["f"]))[:PLACES]
    series = Series.objects.select_related("place").in_bulk([row["series"] for row in top])
    return [
        Spoken(series[row["series"]].place, series[row["series"]], row["c"], row["s"] + row["f"])
        for row in top
        if row["series"] in series
    ]


@dataclass(frozen=True, slots=True)
class Example:
    """A value that a check spoke of."""

    place: Place
    series: Series
    record: store.VerdictRecord
    value: float | None

    @property
    def milliseconds(self) -> int:
        """Return the start of the period as addresses have it."""
        return int(self.record.start.timestamp() * 1000)

    @property
    def word(self) -> words.Word:
        """Return the quality that holds."""
        return words.QUALITIES[store.Quality(self.record.quality)]


def examples(user: User, code: str) -> list[Example]:
    """Return the newest values that a check spoke of, at different series as far as there are."""
    first, last = period()
    tallies = (
        CheckTally.objects.visible_to(user)
        .filter(code=code, day__range=(first, last))
        .select_related("series__place")
        .order_by("-day", "series_id")[:200]
    )
    newest: dict[int, CheckTally] = {}
    for row in tallies:
        newest.setdefault(row.series_id, row)
    found: list[Example] = []
    for row in list(newest.values())[:EXAMPLES]:
        start, end = midnight(row.day), midnight(row.day + timedelta(days=1))
        records = store.verdicts([row.series_id], start, end)
        spoken = [one for one in records if any(said.startswith(f"{code}:") for said in one.checks)]
        if spoken:
            held = store.observations([row.series_id], spoken[-1].start, spoken[-1].start + timedelta(microseconds=1))
            value = float(held.value[0]) if len(held) else None
            found.append(Example(row.series.place, row.series, spoken[-1], value))
    return found


# ---- places ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a place, as a bar: shares per cent of the values held."""

    day: date
    row: PlaceDay | None

    @property
    def share(self) -> float | None:
        """Return the valid values per cent."""
        return 100 * self.row.valid / self.row.held if self.row and self.row.held else None

    def part(self, name: str) -> float:
        """Return the share of one quality per cent."""
        return 100 * getattr(self.row, name) / self.row.held if self.row and self.row.held else 0.0

    @property
    def parts(self) -> list[tuple[str, str, str]]:
        """Return (class, from the top, height) of the parts of the bar in a box of 100."""
        top = 0.0
        found: list[tuple[str, str, str]] = []
        for name in ("missing", "invalid", "suspect", "valid"):
            height = self.part(name)
            if height:
                found.append((name, f"{top:.2f}", f"{height:.2f}"))
                top += height
        return found


def days_of(place_ids: Sequence[int]) -> list[Day]:
    """Return the last 30 closed days of places, summed."""
    first, last = period()
    sums = (
        PlaceDay.objects.filter(place__in=place_ids, day__range=(first, last))
        .order_by("day")
        .values("day")
        .annotate(v=Sum("valid"), s=Sum("suspect"), i=Sum("invalid"), m=Sum("missing"))
    )
    known = {
        row["day"]: PlaceDay(day=row["day"], valid=row["v"], suspect=row["s"], invalid=row["i"], missing=row["m"])
        for row in sums
    }
    return [Day(day, known.get(day)) for day in (first + timedelta(days=at) for at in range(DAYS))]


def spoke_most(place_id: int) -> list[tuple[Row, Series, int]]:
    """Return what spoke most at a place in the last 30 days: check, series, hits."""
    first, last = period()
    rows = (
        CheckTally.objects.filter(series__place=place_id, day__range=(first, last))
        .values("code", "series")
        .annotate(s=Sum("suspect"), f=Sum("fail"))
    )
    checks = catalogue()
    top = sorted((row for row in rows if row["code"] in checks), key=lambda row: -(row["s"] + row["f"]))[:6]
    series = Series.objects.in_bulk([row["series"] for row in top])
    return [(Row(checks[row["code"]], None, None), series[row["series"]], row["s"] + row["f"]) for row in top]
