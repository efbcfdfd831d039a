"""Who else looks at a day or has drafts on it; told, never a lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from luming.core.models import User
from luming.telemetry.review.models import Draft, Presence, ReviewDay

THERE = timedelta(seconds=45)  # the page says every ten seconds that it is open


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody else at the same day: whether their page is open, and on how many periods their drafts meet mine."""

    name: str
    is_here: bool
    drafts: int
    clashes: int


def touch(user: User, day: ReviewDay) -> None:
    """Note that the user has the day open; what is long past is forgotten."""
    now = timezone.now()
    Presence.objects.update_or_create(day=day, user=user, defaults={"seen_at": now})
    Presence.objects.filter(seen_at__lt=now - 20 * THERE).delete()


def colleagues(user: User, day: ReviewDay) -> list[Colleague]:
    """Return who else is at the day or has drafts on it."""
    since = timezone.now() - THERE
    here = dict(
        Presence.objects.filter(day=day, seen_at__gte=since).exclude(user=user).values_list("user_id", "user__name")
    )
    drafts = list(Draft.objects.filter(day=day).select_related("user"))
    mine = [row for row in drafts if row.user_id == user.pk]
    names = here | {row.user_id: row.user.name for row in drafts if row.user_id != user.pk}
    found = []
    for pk, name in sorted(names.items(), key=lambda item: item[1]):
        theirs = [row for row in drafts if row.user_id == pk]
        clashes = sum(any(_meet(one, other) for other in mine) for one in theirs)
        found.append(Colleague(name, pk in here, len(theirs), clashes))
    return found


def _meet(one: Draft, other: Draft) -> bool:
    return one.series_id == other.series_id and one.start < other.end and other.start < one.end
