"""The addresses of the reviewers' workbench."""

from datetime import timedelta

from django.utils import timezone

from access.groups import BUREAU

REVIEW = frozenset({"reviewer"})
INTERNAL = BUREAU | {"leader"}  # who may view the cockpit
DAY = ("outlet", "review-day")

ROWS: dict = {
    "review-queue": ("get", (), {}, BUREAU),
    "review-bulk": ("post", (), {}, REVIEW),
    "review-next": ("get", (), {}, BUREAU),
    "review-day": ("get", DAY, {}, BUREAU),
    "review-data": ("get", DAY, {}, BUREAU),
    "review-minutes": ("get", DAY, {"hour": "review-hour"}, BUREAU),
    "review-neighbours": ("get", DAY, {}, BUREAU),
    "review-here": ("get", DAY, {}, BUREAU),
    "review-draft": (
        "post", DAY,
        {"series": "series", "start": "review-hour", "end": "review-end", "action": "invalid", "code": "review-code"},
        REVIEW,
    ),
    "review-discard": ("post", DAY, {}, REVIEW),
    "review-submit": ("post", DAY, {"fingerprint": "review-print"}, REVIEW),
    "review-signature": ("get", ("review",), {}, INTERNAL),
    "review-document": ("get", ("review",), {}, INTERNAL),
    "review-countersign": ("post", ("review",), {}, REVIEW),
    "review-send-back": ("post", ("review",), {"reason": "a test"}, REVIEW),
    "review-reopen": ("post", ("review",), {"reason": "a test"}, REVIEW),
    "review-answer": ("post", ("question",), {"answer": "a test"}, {"enterprise", "maintainer"}),
}  # fmt: skip


def known(world, arguments, values):
    """Return the day, review, question and what the forms name, made for this one request."""
    from luming.telemetry.review import actions, asking, queue, seeding, seen
    from luming.telemetry.review.models import ReasonCode, Review, ReviewDay

    named = {*arguments, *values.values()}
    made = {}
    if named & {"review-day", "review", "question"}:
        seeding.seed()
        date = timezone.localdate() - timedelta(days=1)
        queue.fill(date)
        day = ReviewDay.objects.select_related("place__station").get(place=world.outlet, day=date)
        hour = day.start + timedelta(hours=12)
        made |= {
            "review-day": date.isoformat(),
            "review-hour": int(hour.timestamp() * 1000),
            "review-end": int(hour.timestamp() * 1000) + 3_600_000,
            "review-code": ReasonCode.objects.get(code="power").pk,
        }
        if "review" in named:
            review = Review.objects.filter(day=day).first()
            made["review"] = (
                review or actions.submit(world.users["reviewer"], day, seen.look_at_day(day).fingerprint())
            ).pk
        if "question" in named:
            made["question"] = asking.ask(
                world.users["reviewer"], day, world.series, hour, hour + timedelta(hours=1), "why?"
            ).pk
        if named & {"review-print", "review-code"}:
            if not day.is_waiting:  # an earlier row signed it
                actions.reopen(world.users["reviewer"], day, "a test")
            made["review-print"] = seen.look_at_day(day).fingerprint()
    return made
