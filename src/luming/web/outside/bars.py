"""The bars of the public charts: drawn by the server, so that a phone loads no chart library and paper shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from luming.web.outside.published import Reading

HEIGHT = 160


@dataclass(frozen=True, slots=True)
class Bar:
    """One period: where it stands and how high it is, in units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A drawing ``width`` × ``height`` with its lines of the value axis and its days."""

    bars: list[Bar]
    width: float
    height: int
    lines: list[tuple[str, float]]  # label, per cent from the top
    days: list[tuple[str, float]]  # label, per cent from the left


def draw(readings: Sequence[Reading], start: datetime, end: datetime, hours: float, unit: str) -> Bars | None:
    """Return the bars of readings that last ``hours`` each between two instants; None when there is no value."""
    shown = [row for row in readings if row.value is not None and start <= row.start < end]
    if not shown:
        return None
    top = _ceiling(max(row.value or 0 for row in shown))
    width = (end - start) / timedelta(hours=1)
    found = []
    for row in shown:
        height = HEIGHT * (row.value or 0) / top
        x = (row.start - start) / timedelta(hours=1)
        text = f"{timezone.localtime(row.start):%m-%d %H:%M} {unit} {row.value:.0f} {row.word.label}"
        found.append(Bar(round(x, 2), round(HEIGHT - height, 1), hours * 0.92, round(height, 1), row.word.colour, text))
    return Bars(found, round(width, 2), HEIGHT, [(f"{top * part:g}", 100 * (1 - part)) for part in (0, 0.5, 1)],
                _days(start, end))  # fmt: skip


def _ceiling(value: float) -> float:
    """Return a round number a little above the largest value."""
    if value <= 6:
        return 6  # classes of water
    step = 50 if value <= 300 else 100
    return step * math.ceil(value / step)


def _days(start: datetime, end: datetime) -> list[tuple[str, float]]:
    """Return at most eight midnights with where they stand."""
    whole = (end - start) / timedelta(days=1)
    step = max(1, math.ceil(whole / 8))
    midnight = timezone.localtime(start).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    found = []
    while midnight < end:
        found.append((f"{midnight:%m-%d}", round(100 * ((midnight - start) / (end - start)), 2)))
        midnight += timedelta(days=step)
    return [(label, place) for label, place in found if place < 95]
