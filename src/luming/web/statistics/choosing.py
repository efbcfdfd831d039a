"""The kind and the period that the pages of a city look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

from luming.standards.periods import ordinal, start_of
from luming.telemetry.statistics import words

KINDS = [choice for choice in words.KINDS if choice[0] in (words.DAY, *words.LONGER)]


@dataclass(frozen=True, slots=True)
class Period:
    """A day, month, quarter or year of the city: [start, end); ``before`` and ``after`` are days of its neighbours."""

    kind: str
    start: datetime
    end: datetime

    @property
    def day(self) -> date:
        """Return the first day."""
        return timezone.localtime(self.start).date()

    @property
    def before(self) -> date:
        """Return a day of the period before."""
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date | None:
        """Return a day of the next period; None when that has not begun."""
        return timezone.localtime(self.end).date() if self.end < timezone.now() else None

    @property
    def running(self) -> bool:
        """Tell whether the period is not over."""
        return self.end > timezone.now()

    @property
    def text(self) -> str:
        """Write the period: 2026-11-24, 2026-11, 2026 Q4, 2026."""
        day = self.day
        if self.kind == words.QUARTER:
            return f"{day.year} Q{(day.month + 2) // 3}"
        return day.strftime({words.DAY: "%Y-%m-%d", words.MONTH: "%Y-%m"}.get(self.kind, "%Y"))


def read(values: QueryDict, usual: str) -> Period:
    """Read the period of an address; without a date it is the day that ended last, or the period that holds it."""
    kind = values.get("kind", usual)
    kind = kind if kind in dict(KINDS) else usual
    try:
        day = parse_date(values.get("day") or "")
    except ValueError:
        day = None
    if day is None or not 1990 <= day.year <= 2199:
        day = timezone.localdate() - timedelta(days=1)
    number = int(ordinal(np.datetime64(day.isoformat(), "us"), kind))  # type: ignore[arg-type]
    start, end = (_aware(start_of(one, kind)) for one in (number, number + 1))  # type: ignore[arg-type]
    return Period(kind, start, end)


def _aware(moment: Any) -> datetime:
    found: datetime = moment.astype("datetime64[us]").item()
    return found.replace(tzinfo=UTC)
