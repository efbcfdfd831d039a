"""What the demonstration's reviewer has done (演示数据): one day reviewed, one waiting, two questions and one answer.

All goes through the verbs, with invented reasons that say so. The times of signing are the present; that the day was
signed in time is entered, because a demonstration is loaded at any hour.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models import F

from luming.core.models import User
from luming.telemetry.review import actions, asking, queue, seen
from luming.telemetry.review.models import ReasonCode, Review, ReviewDay

REVIEWED = timedelta(days=2)  # ago
DECIDED = 6  # days with something doubtful that are decided value by value; the others stay, and are overdue
REASON = "演示：虚构的审核理由"
QUESTIONS = ("演示：请说明该时段生产与治理设施运行状况", "演示：请说明该时段监测设备状况并提供运维记录")
ANSWER = "演示：该时段设备例行维护，运维记录已归档（虚构的答复）。"


@transaction.atomic
def load(today: date) -> int:
    """Fill the queue of the last two days and review the older one; return how many station-days were signed."""
    reviewer = User.objects.filter(username="reviewer", role="reviewer").first()
    if reviewer is None or Review.objects.exists():
        return 0
    day = today - REVIEWED
    queue.fill(day)
    signed = _sign_quiet(reviewer, day) + _decide(reviewer, day)
    finished = ReviewDay.objects.filter(day=day, finished_at__isnull=False)
    finished.update(finished_at=F("deadline") - timedelta(hours=2))
    queue.fill(today - timedelta(days=1))
    _ask(reviewer, day)
    return signed


def _sign_quiet(reviewer: User, day: date) -> int:
    """Sign the days on which nothing spoke, all together."""
    rows = list(ReviewDay.objects.filter(day=day, is_quiet=True).order_by("pk"))
    reviews, _refused = actions.submit_quiet(reviewer, seen.fingerprints_of(rows), note=REASON)
    return len(reviews)


def _decide(reviewer: User, day: date) -> int:
    """Decide some days on which something spoke: what is doubted is invalid."""
    code = ReasonCode.objects.get(code="instrument-fault")
    waiting = ReviewDay.objects.filter(day=day, state__in=ReviewDay.WAITING).select_related("place__station")
    rows = list(queue.ordered(waiting)[:DECIDED])
    for row in rows:
        sight = seen.look_at_day(row)
        for (series_id, start), value in sight.values.items():
            if seen.spoke(value):
                end = start + timedelta(seconds=value.series.seconds)
                actions.save_draft(reviewer, row, [series_id], start, end, "invalid", code, reason=REASON)
        actions.submit(reviewer, row, sight.fingerprint(), note=REASON)
    return len(rows)


def _ask(reviewer: User, day: date) -> None:
    """Ask the demonstration's enterprise about its first outlet, and let it answer one of the questions."""
    clerk = User.objects.filter(username="enterprise", role="enterprise").first()
    if clerk is None:
        return
    rows = ReviewDay.objects.visible_to(clerk).filter(day=day, place__kind="outlet").order_by("place__code")
    row = rows.select_related("place__station").first()
    series = seen.series_of_day(row.place_id) if row else []
    if row is None or not series:
        return
    asked = [
        asking.ask(
            reviewer, row, series[0], row.start + timedelta(hours=hour), row.start + timedelta(hours=hour + 2), text
        )
        for hour, text in zip((2, 9), QUESTIONS, strict=True)
    ]
    asking.answer(clerk, asked[-1], ANSWER)
