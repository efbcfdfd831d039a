"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Figure, Item, NavigationItem, Panel, Tile, Work
from luming.core.models import User
from luming.standards.edition import midnight
from luming.telemetry.quality import words
from luming.telemetry.quality.models import PlaceDay, SuspicionRecord
from luming.web.quality import figures, views
from luming.web.words import factor_name

SHOWN = 8
GOOD = 90.0  # % valid; below it the cockpit marks the figure


def panel(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Show the valid share of each of the last 30 days of a place, and what spoke most."""
    days = figures.days_of([subject.pk])
    held = [day for day in days if day.share is not None]
    values = sum(day.row.held for day in held if day.row)
    valid = sum(day.row.valid for day in held if day.row)
    suspicions = []
    if user.is_internal:
        suspicions = list(
            SuspicionRecord.objects.visible_to(user)
            .filter(place=subject.pk, state=SuspicionRecord.State.OPEN)
            .select_related("series")
            .defer("picture")[:3]
        )
    return {
        "days": [(12 * at, day) for at, day in enumerate(days)],
        "held": values,
        "share": 100 * valid / values if values else None,
        "spoke": [(row, series, hits) for row, series, hits in figures.spoke_most(subject.pk)],
        "suspicions": suspicions,
    }


def open_suspicions(user: User, since: datetime) -> Sequence[Item]:
    """Return the suspicions that nobody has looked into yet, the strongest first."""
    if not user.is_internal:
        return []
    rows = (
        SuspicionRecord.objects.visible_to(user)
        .filter(state=SuspicionRecord.State.OPEN)
        .select_related("place", "series")
        .defer("picture")
        .order_by("-strength", "-pk")[:SHOWN]
    )
    return [
        Item(
            row.place.name, reverse("suspicion", args=[row.pk]),
            f"{factor_name(row.series.factor)} · {row.sentence_zh if words.chinese() else row.sentence_en}",
            at=row.last_found_at, tone="warning", icon="alert-triangle",
        )
        for row in rows
    ]  # fmt: skip


def valid_share(user: User) -> Figure | None:
    """Return the valid hourly values per cent of those held on the last closed day, with the course of 30 days."""
    first, last = figures.period()
    rows = (
        PlaceDay.objects.visible_to(user)
        .filter(day__range=(first, last))
        .order_by("day")
        .values("day")
        .annotate(v=Sum("valid"), s=Sum("suspect"), i=Sum("invalid"), m=Sum("missing"))
    )
    trend = [
        (midnight(row["day"]), round(100 * row["v"] / held, 2) if (held := row["v"] + row["s"] + row["i"] + row["m"])
         else None)
        for row in rows
    ]  # fmt: skip
    known = [value for _day, value in trend if value is not None]
    if not known:
        return None
    note = _("hourly values of %(day)s that count") % {"day": f"{timezone.localtime(trend[-1][0]):%m-%d}"}
    return Figure(
        known[-1], reverse("quality"), unit="%", decimals=1, trend=trend, target=GOOD, good=known[-1] >= GOOD, note=note
    )


NAVIGATION: list[NavigationItem] = [
    NavigationItem(gettext_lazy("Data quality"), "quality", "adjustments", "data.view", "monitoring", 40),
]
PANELS: list[Panel] = [
    Panel(
        "quality", gettext_lazy("Data quality"), frozenset({"outlet", "station", "section"}), "web/quality/panel.html",
        panel, order=45,
    ),
]  # fmt: skip
CONCERNS: list[Concern] = [
    Concern(
        "suspicions", gettext_lazy("Suspicions of fabricated data"), "todo", open_suspicions, order=60,
        url=lambda: reverse("suspicions"),
    ),
]  # fmt: skip
TILES: list[Tile] = [
    Tile("valid-share", gettext_lazy("Valid data"), "transmission", valid_share, order=15),
]
WORKS: list[Work] = [Work("quality-again", gettext_lazy("Checks run again"), views.run_again)]
