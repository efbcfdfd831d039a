"""The period and the series that a person looks at, read from a page's address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from luming import hj212
from luming.registry.models import Interval, Medium, Series

SPANS: dict[str, tuple[Any, timedelta]] = {
    "24h": (_("24 hours"), timedelta(hours=24)),
    "7d": (_("7 days"), timedelta(days=7)),
    "30d": (_("30 days"), timedelta(days=30)),
    "1y": (_("1 year"), timedelta(days=365)),
}
LONGEST = timedelta(days=366 * 5)
FINEST = {  # interval -> the longest span that is drawn of it; a longer one is cut to its end
    Interval.REALTIME: timedelta(days=31),
    Interval.MINUTE: timedelta(days=366),
}
FACTORS_SHOWN = 4

# What a medium is looked at for first; other factors follow by code.
FIRST_FACTORS = {
    Medium.AIR: ("a34004", "a34002", "a05024", "a21004", "a21026", "a21005"),
    Medium.GAS: ("a34013", "a21026", "a21002", "a19001", "a00000"),
    Medium.WATER: ("w01018", "w01019", "w21003", "w21011", "w21001", "w01009", "w01001"),
    Medium.SEWAGE: ("w01018", "w21003", "w21011", "w21001", "w01001", "w00000"),
    Medium.NOISE: ("n00006", "LA", "LAeq"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: ``series`` of one interval between ``start`` and ``end``."""

    interval: str
    span: str  # key of SPANS, or "custom"
    start: datetime
    end: datetime
    column: str  # value, converted or amount
    series: list[Series]
    available: list[Series]  # of the interval, for the choice of factors
    intervals: list[tuple[str, Any]]

    @property
    def last_day(self) -> str:
        """Return the last day of the period as a date field shows it."""
        return timezone.localtime(self.end - timedelta(microseconds=1)).strftime("%Y-%m-%d")

    @property
    def first_day(self) -> str:
        """Return the first day of the period as a date field shows it."""
        return timezone.localtime(self.start).strftime("%Y-%m-%d")


def read(values: QueryDict, every: Sequence[Series], medium: str, now: datetime) -> Look:
    """Read what is looked at; anything odd in the address falls back to the last 24 hours of the usual factors."""
    present = {series.interval for series in every}
    intervals = [(key, label) for key, label in Interval.choices if key in present]
    interval = values.get("interval", "")
    if interval not in present:
        interval = Interval.HOUR if Interval.HOUR in present else next(iter(present), Interval.HOUR)
    available = in_order([series for series in every if series.interval == interval], medium)
    span, start, end = _span(values, now)
    if interval in FINEST:
        start = max(start, end - FINEST[interval])
    chosen = set(values.getlist("factor"))
    series = [row for row in available if row.factor in chosen][:12] or available[:FACTORS_SHOWN]
    column = values.get("column", "")
    if column not in ("value", "converted", "amount"):
        column = "converted" if medium == Medium.GAS else "value"  # what limits of waste gas judge
    return Look(interval, span, start, end, column, series, available, intervals)


def _span(values: QueryDict, now: datetime) -> tuple[str, datetime, datetime]:
    span = values.get("span", "24h")
    if span == "custom":
        first, last = _day(values.get("from")), _day(values.get("to"))
        if first and last and first <= last:
            end = last + timedelta(days=1)
            return span, max(first, end - LONGEST), end
        span = "24h"
    _label, length = SPANS.get(span, SPANS["24h"])
    return (span if span in SPANS else "24h"), now - length, now


def _day(text: str | None) -> datetime | None:
    """Return midnight of a date in the city's time."""
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    return timezone.make_aware(datetime(day.year, day.month, day.day)) if day and 1990 <= day.year <= 2199 else None


def in_order(series: Sequence[Series], medium: str) -> list[Series]:
    """Return series with the usual factors of a medium first, then pollutants, then the rest by code."""
    first = {code: position for position, code in enumerate(FIRST_FACTORS.get(Medium(medium), ()))}

    def rank(row: Series) -> tuple[int, int, str]:
        factor = hj212.FACTORS.get(row.factor)
        pollutant = factor is not None and factor.kind == "pollutant"
        return first.get(row.factor, 99), 0 if pollutant else 1, row.factor

    return sorted(series, key=rank)
