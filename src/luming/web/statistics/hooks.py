"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Item, NavigationItem, Panel
from luming.core.models import User
from luming.registry.models import Place
from luming.telemetry.statistics import plans, reading, words
from luming.telemetry.statistics.models import Statistic
from luming.web import words as names
from luming.web.onefile import subjects
from luming.web.statistics import choosing, looking, rates

DAYS = 7
ROWS = 8

NAVIGATION = [
    NavigationItem(gettext_lazy("Statistics"), "statistics", "calendar-stats", "data.view", "monitoring", 55),
]


def of_place(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Show the last seven days of a place: the usual figure of each factor."""
    every = looking.subjects_of(subject)[:ROWS]
    if not every:
        return None
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=DAYS)
    starts = [since + timedelta(days=number) for number in range(DAYS)]
    found: dict[tuple[str, str, datetime], Statistic] = {}
    columns = [looking.Column(one, plans.usual(one, words.DAY)) for one in every]
    for measure in {column.measure for column in columns}:
        factors = [column.subject.factor for column in columns if column.measure == measure]
        for row in reading.latest([subject.pk], measure, words.DAY, since, today, factors=factors):
            found[row.factor, measure, row.start] = row
    rows = [
        (column, [found.get((column.subject.factor, column.measure, start)) for start in starts]) for column in columns
    ]
    return {"days": starts, "rows": rows, "place": subject}


def of_facility(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Show the rates of a facility's outlets in the month that holds yesterday."""
    period = choosing.read(QueryDict(), words.MONTH)
    places = subjects.places_within(user, subject).filter(kind=Place.Kind.OUTLET, is_active=True)
    rows = rates.rows_of(places.select_related("outlet__facility", "region"), period)
    return {"rows": rows, "period": period} if rows else None


PANELS = [
    Panel(
        "statistics", gettext_lazy("Statistics of the last 7 days"), frozenset({"station", "section", "outlet"}),
        "web/statistics/panel.html", of_place, 38,
    ),
    Panel(
        "rates", gettext_lazy("Capture and transmission rates"), frozenset({"facility"}),
        "web/statistics/panel_rates.html", of_facility, 62,
    ),
]  # fmt: skip


def too_few(user: User, since: datetime) -> Sequence[Item]:
    """Return the places whose figures of yesterday are not valid, those with most factors first."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    later = Statistic.objects.filter(
        place=OuterRef("place"), measure=OuterRef("measure"), kind=OuterRef("kind"), factor=OuterRef("factor"),
        start=OuterRef("start"), revision__gt=OuterRef("revision"),
    )  # fmt: skip
    rows = Statistic.objects.visible_to(user).filter(
        ~Exists(later), kind=words.DAY, start=today - timedelta(days=1), valid=False,
        measure__in=(words.MEAN, words.MAX8),
    )  # fmt: skip
    by_place: dict[int, list[str]] = {}
    for place_id, factor in rows.order_by("place_id", "factor").values_list("place_id", "factor"):
        by_place.setdefault(place_id, []).append(factor)
    found = Place.objects.in_bulk(by_place)
    ordered = sorted(by_place.items(), key=lambda item: (-len(item[1]), found[item[0]].code))
    return [
        Item(
            found[pk].name,
            f"{reverse('place-statistics', args=[pk])}?kind=day",
            _("Too few values yesterday: %(factors)s")
            % {"factors": "、".join(names.factor_name(factor) for factor in factors[:4])},
            tone="warning",
            icon="calendar-stats",
        )
        for pk, factors in ordered
    ]


CONCERNS = [
    Concern(
        "statistics-invalid", gettext_lazy("Figures of yesterday that are not valid"), "wrong", too_few, order=70,
        url=lambda: reverse("statistics"),
    ),
]  # fmt: skip

__all__ = ["CONCERNS", "NAVIGATION", "PANELS"]
