"""The coverage strip of a device: which hours of the last week are held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from luming.registry.models import Series
from luming.telemetry import store

DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the strip: 24 cells with the share of series held, None for hours still to come."""

    date: datetime
    cells: list[tuple[int, int | None, str]]  # hour, per cent, css class


def strip(series: list[Series]) -> list[Day]:
    """Return seven rows of hours for the expected hourly series of a place; none when there are none."""
    hourly = [row for row in series if row.seconds == 3600]
    if not hourly:
        return []
    now = timezone.localtime()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=DAYS - 1)
    counts = np.zeros(DAYS * 24, dtype=int)
    origin = np.datetime64(int(first.timestamp()), "s")
    for starts in store.held_starts([row.pk for row in hourly], first, now).values():
        hours = np.unique((starts - origin) // np.timedelta64(1, "h")).astype(int)
        counts[hours[(hours >= 0) & (hours < len(counts))]] += 1
    last = int((now - first).total_seconds() // 3600)  # the hour that is not over yet
    days = []
    for day in range(DAYS):
        cells = []
        for hour in range(24):
            index = day * 24 + hour
            share = None if index >= last else round(100 * int(counts[index]) / len(hourly))
            cells.append((hour, share, _look(share)))
        days.append(Day(first + timedelta(days=day), cells))
    return days


def _look(share: int | None) -> str:
    if share is None:
        return "ahead"
    return "full" if share >= 100 else "none" if share == 0 else "part"
