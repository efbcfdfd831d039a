"""When the rounds of a plan are due."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta

from luming.telemetry.sampling.models import SamplingPlan

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def due_dates(plan: SamplingPlan, since: date, until: date) -> list[date]:
    """Return the days of a plan's rounds in [since, until], both included.

    Rounds by the month keep the day of the first one; where a month is shorter, its last day counts.
    """
    last = min(until, plan.ends_on) if plan.ends_on else until
    return [day for day in _every(plan.starts_on, plan.frequency, since, last) if since <= day <= last]


def _every(first: date, frequency: str, since: date, last: date) -> Iterator[date]:
    if frequency in _DAYS:
        step = _DAYS[frequency]
        skipped = max(0, -(-(since - first).days // step))
        day = first + timedelta(days=skipped * step)
        while day <= last:
            yield day
            day += timedelta(days=step)
    elif frequency in _MONTHS:
        step = _MONTHS[frequency]
        number = max(0, ((since.year - first.year) * 12 + since.month - first.month) // step)
        while (day := months_later(first, number * step)) <= last:
            yield day
            number += 1
    else:
        yield first


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a shorter month.

    >>> months_later(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
