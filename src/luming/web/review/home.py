"""What review adds to other pages: concerns of the home page, a tile, a panel and a timeline of places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Figure, Item, Moment, Panel, Tile, Timeline
from luming.core.models import User
from luming.registry.models import Facility, Place, Region
from luming.standards.edition import midnight
from luming.telemetry.review import queue, words
from luming.telemetry.review.models import Question, Review, ReviewDay
from luming.web.cockpit.concerns import link, listed
from luming.web.review import payload

SHOWN = 12
PANEL_DAYS = 14
TILE_DAYS = 7
LOOK = "record.annotate"
DECIDE = "review.decide"


def _days(rows: Any) -> list[ReviewDay]:
    return list(rows.select_related("place__station", "place__outlet__facility")[:SHOWN])


def _item(row: ReviewDay, tone: str, detail: str = "") -> Item:
    url = reverse("review-day", args=[row.place_id, row.day.isoformat()])
    label = f"{payload.title(row.place)} · {row.day:%m-%d}"
    return Item(label, url, detail or "、".join(words.grounds(row)[:3]), row.deadline, tone, "eye")


def to_review(user: User, since: datetime) -> Sequence[Item]:
    """Return the weightiest days that wait and are not overdue."""
    rows = queue.waiting(user).filter(deadline__gte=timezone.now(), is_quiet=False)
    return [_item(row, "warning" if row.suspect else "info") for row in _days(queue.ordered(rows))]


def overdue(user: User, since: datetime) -> Sequence[Item]:
    """Return the days that nobody decided by their deadline."""
    rows = queue.waiting(user).filter(deadline__lt=timezone.now())
    if not user.may(LOOK):
        return []
    text = _("due by %(time)s")
    return [
        _item(row, "danger", text % {"time": timezone.localtime(row.deadline).strftime("%m-%d %H:%M")})
        for row in _days(queue.ordered(rows))
    ]


def second(user: User, since: datetime) -> Sequence[Item]:
    """Return the reviews of others that await a second signature."""
    rows = (
        Review.objects.visible_to(user)
        .filter(day__awaits_second=True, countersignature=None, needs_second=True)
        .exclude(user=user)
        .select_related("day__place__station", "day__place__outlet__facility", "user")
        .order_by("at")[:SHOWN]
    )
    return [
        Item(
            f"{payload.title(row.day.place)} · {row.day.day:%m-%d}", reverse("review-signature", args=[row.pk]),
            row.user.name if row.user else "", row.at, "warning", "shield-check",
        )
        for row in rows
    ]  # fmt: skip


def questions(user: User, since: datetime) -> Sequence[Item]:
    """Return the questions whose answers are overdue."""
    rows = Question.objects.visible_to(user).filter(answered_at=None, deadline__lt=timezone.now())
    return [
        Item(
            row.place.name,
            reverse("record", args=["questions", row.pk]),
            row.text[:80],
            row.deadline,
            "warning",
            "help",
        )
        for row in rows.select_related("place").order_by("deadline")[:SHOWN]
    ]


def in_time(user: User) -> Figure | None:
    """Return the share of days of the last week that were signed by their deadline."""
    today = timezone.localdate()
    found = queue.timeliness(user, today - timedelta(days=TILE_DAYS), today - timedelta(days=1))
    if not found:
        return None
    done, due = (sum(row[i] for row in found) for i in (1, 2))
    trend = [(midnight(day), round(100 * number / of, 1)) for day, number, of in found if of]
    note = _("%(done)s of %(due)s days whose deadline has passed") % {"done": done, "due": due}
    return Figure(
        round(100 * done / due, 1) if due else None, link("review-queue"), unit="%", decimals=1, trend=trend, note=note
    )


def last_days(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Return how far the last days of a place have come."""
    if not user.may(LOOK):
        return None
    since = timezone.localdate() - timedelta(days=PANEL_DAYS)
    rows = ReviewDay.objects.visible_to(user).filter(place=subject.pk, day__gte=since).order_by("-day")
    found = list(rows.prefetch_related("reviews__user"))
    return {
        "rows": [(row, words.state(row), words.grounds(row), _newest(row)) for row in found],
        "place": subject.pk,
        "yesterday": timezone.localdate() - timedelta(days=1),
        "decides": user.may(DECIDE),
    }


def _newest(row: ReviewDay) -> Review | None:
    return max(row.reviews.all(), key=lambda review: review.number, default=None)


def moments(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell what was signed about a place, and the questions that were asked about it."""
    if isinstance(subject, Region):
        return
    places = [subject.pk]
    if isinstance(subject, Facility):
        places = list(Place.objects.visible_to(user).filter(outlet__facility=subject.pk).values_list("pk", flat=True))
    bureau = user.may("cockpit.view")
    signed = Review.objects.visible_to(user).filter(day__place__in=places, at__lt=before) if bureau else []
    if bureau:
        signed = signed.select_related("day__place", "user").order_by("-at")[:limit]
    for row in signed:
        label = _("Data of %(day)s reviewed") % {"day": row.day.day.isoformat()}
        who = row.user.name if row.user else ""
        yield Moment(row.at, label, f"{row.day.place} · {row.hash[:12]}", reverse("review-signature", args=[row.pk]),
                     "good", "shield-check", who)  # fmt: skip
    asked = Question.objects.visible_to(user).filter(place__in=places, asked_at__lt=before).select_related("place")
    for row in asked.order_by("-asked_at")[:limit]:
        tone = "warning" if row.is_open else "good"
        yield Moment(row.asked_at, _("Question on data"), f"{row.place} · {row.text[:80]}",
                     reverse("record", args=["questions", row.pk]), tone, "help")  # fmt: skip


CONCERNS = [
    Concern(
        "review-overdue", gettext_lazy("Reviews overdue"), "wrong", overdue, LOOK, 35, listed("review-queue", late=1),
    ),
    Concern("review-today", gettext_lazy("Data to review"), "todo", to_review, DECIDE, 15, listed("review-queue")),
    Concern(
        "review-second", gettext_lazy("Reviews that await a second signature"), "todo", second, DECIDE, 16,
        listed("review-queue", view="second"),
    ),
    Concern(
        "review-questions", gettext_lazy("Questions that nobody answered in time"), "wrong", questions, DECIDE, 36,
        lambda: reverse("register", args=["questions"]),
    ),
]  # fmt: skip
TILES = [Tile("review-in-time", gettext_lazy("Days reviewed in time"), "transmission", in_time, "number", 40, LOOK)]
PANELS = [
    Panel(
        "review", gettext_lazy("Data review"), frozenset({"outlet", "station", "section"}), "web/review/panel.html",
        last_days, 108, permission=LOOK, printed=False,
    )
]  # fmt: skip
TIMELINES = [
    Timeline(
        "reviews", gettext_lazy("Data review"), frozenset({"facility", "outlet", "station", "section"}), moments
    )
]  # fmt: skip
