"""Air: the last 30 days of a station, hour by hour and as daily indices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Panel
from luming.core.models import User
from luming.domains.air import evaluate
from luming.domains.air.days import city_days, span_of_days
from luming.domains.air.layers import COLOURS, LEGEND
from luming.registry.models import Station
from luming.standards.edition import CITY_ZONE
from luming.telemetry.models import Judgement

DAYS = 30
# White letters on the dark colours of HJ 633; on the red of level 4 black ones have more contrast (5.3 to 1).
_DARK = {"level-5", "level-6"}


def month(user: User, station: Station) -> Mapping[str, Any] | None:
    """Show each hour of 30 days in the colour of its level, with the day's own index beside it.

    The index of a day is computed from its statistics (see :mod:`luming.domains.air.days`), not from the indices of its
    hours; a day that is not over has none.
    """
    if station.medium != "air":
        return None
    since = span_of_days(timezone.now(), DAYS - 1)
    rows = Judgement.objects.filter(place=station.pk, kind=evaluate.KIND, start__gte=since).order_by(
        "start", "revision"
    )
    hours: dict[datetime, tuple[str, float | None]] = {}
    for start, state, value in rows.values_list("start", "state", "value"):
        hours[start] = (state, value)  # a later revision takes the place of the earlier one
    days = {day.date: day for day in city_days([station.pk], since)}
    table: dict[Any, list[Any]] = {}
    for start, (state, value) in hours.items():
        local = start.astimezone(CITY_ZONE)
        cells = table.setdefault(local.date(), [None] * 24)
        cells[local.hour] = {"colour": COLOURS.get(state, ""), "value": value, "state": state}
    found = [
        {"date": day, "cells": cells, "day": _day(days.get(day))} for day, cells in sorted(table.items(), reverse=True)
    ]
    legend = [(label, colour) for state, label, colour in LEGEND if state.startswith("level")]
    return {"rows": found, "legend": legend, "hours": range(24)}


def _day(day: Any) -> dict[str, Any] | None:
    if day is None or day.index is None:
        return None
    state = f"level-{day.level}"
    return {"index": day.index, "colour": COLOURS[state], "dark": state in _DARK}


PANELS = [
    Panel("aqi-month", _("AQI of the last 30 days"), frozenset({"station"}), "air/month.html", month, 36),
]
