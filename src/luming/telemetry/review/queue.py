"""The queue: which days wait, how much each matters, what changed after its review, what nobody decided in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.registry.models import Place
from luming.telemetry.models import Event
from luming.telemetry.review import actions, importance, rules
from luming.telemetry.review.models import ReviewDay

LOOKED_BACK = timedelta(days=7)  # days whose values are compared with what was signed, and whose importance is renewed
OVERDUE = "review-overdue"  # kind of the event
State = ReviewDay.State


def candidates() -> QuerySet[Place]:
    """Return the places whose days are reviewed: active, and hourly values are expected of them."""
    rows = Place.objects.filter(is_active=True, series__interval="hour", series__expected=True)
    return rows.distinct().select_related("station").order_by("pk")


def fill(day: date, places: Iterable[Place] | None = None) -> int:
    """Put the days of all candidates into the queue that it does not hold yet; return how many."""
    found = list(candidates() if places is None else places)
    known = set(ReviewDay.objects.filter(day=day).values_list("place_id", flat=True))
    in_force = rules.rules(day)
    new = [
        ReviewDay(place=place, day=day, deadline=rules.of_place(in_force, place).deadline(day))
        for place in found
        if place.pk not in known
    ]
    ReviewDay.objects.bulk_create(new, ignore_conflicts=True)
    refresh(day)
    return len(new)


def refresh(day: date) -> int:
    """Weigh the waiting days of a date anew, and take up again what changed after its review; return those taken up.

    A day that is being signed at this moment is passed over: the next round comes.
    """
    rows = list(ReviewDay.objects.filter(day=day).select_related("place__station").order_by("pk"))
    found = importance.survey([row.place for row in rows], day)
    waiting, taken_up = [], 0
    for row in rows:
        facts = found[row.place_id]
        if row.is_waiting:
            waiting.append(_weighed(row, facts))
        elif row.standing and row.standing != facts.standing and not row.awaits_second:
            taken_up += _take_up(row, facts.standing)
    with transaction.atomic():
        locked = ReviewDay.objects.select_for_update(skip_locked=True).filter(pk__in=[row.pk for row in waiting])
        still = set(locked.filter(state__in=ReviewDay.WAITING).order_by("pk").values_list("pk", flat=True))
        fields = ["importance", "grounds", "suspect", "invalid", "missing", "over", "is_quiet"]
        ReviewDay.objects.bulk_update([row for row in waiting if row.pk in still], fields)
    return taken_up


def _weighed(row: ReviewDay, facts: importance.Facts) -> ReviewDay:
    row.suspect, row.invalid = facts.count("suspect"), facts.count("invalid")
    row.missing, row.over = facts.count("missing"), facts.count("over")
    kept = [ground for ground in row.grounds if ground[0] in importance.KEPT]
    row.grounds = [*importance.grounds(facts.counts), *kept]
    row.importance = sum(ground[2] for ground in row.grounds)
    row.is_quiet = facts.is_quiet and not kept
    return row


def _take_up(row: ReviewDay, standing: str) -> int:
    """Take a day up again whose values are not those that were signed; look once more under the lock."""
    with transaction.atomic():
        locked = ReviewDay.objects.select_for_update().get(pk=row.pk)
        if locked.is_waiting or locked.awaits_second or locked.standing in ("", standing):
            return 0
        actions.reopen(None, locked, _("The data changed after the review."), ground="changed")
        return 1


def refresh_all(today: date | None = None) -> None:
    """Weigh every date that waits, and compare those of the last week with what was signed."""
    today = today or timezone.localdate()
    wanted = Q(state__in=ReviewDay.WAITING, day__gte=today - 4 * LOOKED_BACK) | Q(day__gte=today - LOOKED_BACK)
    for day in ReviewDay.objects.filter(wanted).order_by("-day").values_list("day", flat=True).distinct():
        refresh(day)


def escalate(now: datetime | None = None) -> int:
    """Tell once of each day that nobody decided by its deadline; return how many."""
    now = now or timezone.now()
    with transaction.atomic():
        rows = list(
            ReviewDay.objects.select_for_update(skip_locked=True)
            .filter(state__in=ReviewDay.WAITING, deadline__lt=now, escalated_at=None)
            .order_by("pk")
        )
        Event.objects.bulk_create(
            Event(
                at=now, kind=OVERDUE, place_id=row.place_id, severity=1,
                detail={"day": row.day.isoformat(), "deadline": row.deadline.isoformat(), "importance": row.importance},
            )
            for row in rows
        )  # fmt: skip
        ReviewDay.objects.filter(pk__in=[row.pk for row in rows]).update(escalated_at=now)
    return len(rows)


def ordered(rows: QuerySet[ReviewDay], now: datetime | None = None) -> QuerySet[ReviewDay]:
    """Order waiting days: the overdue first, then by importance and deadline."""
    late = Case(When(deadline__lt=now or timezone.now(), then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.annotate(late=late).order_by("late", "-importance", "deadline", "place__code", "pk")


def waiting(user: Any) -> QuerySet[ReviewDay]:
    """Return the days in the user's scope that wait for a reviewer."""
    return ReviewDay.objects.visible_to(user).filter(state__in=ReviewDay.WAITING)


def timeliness(user: Any, first: date, last: date) -> list[tuple[date, int, int]]:
    """Return (day, reviewed in time, due) for the days of a period whose deadline has passed, oldest first."""
    now = timezone.now()
    rows = ReviewDay.objects.visible_to(user).filter(day__gte=first, day__lte=last, deadline__lte=now)
    found: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for day, deadline, finished in rows.values_list("day", "deadline", "finished_at"):
        found[day][0] += finished is not None and finished <= deadline
        found[day][1] += 1
    return [(day, *counts) for day, counts in sorted(found.items())]  # type: ignore[misc]
