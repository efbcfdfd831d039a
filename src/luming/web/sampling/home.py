"""What sampling puts on the home page: samples due, results to review, holding times, failed comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Concern, Item
from luming.core.models import User
from luming.telemetry.sampling import steps, words
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult
from luming.web.sampling import desk

SHOWN = 60
RECENT = timedelta(days=30)
Items = Sequence[Item]


def due(user: User, since: datetime) -> Items:
    """Return the rounds to be numbered and the samples to be taken until today, the oldest first."""
    today = timezone.localdate()
    found = [
        Item(
            plan.name, reverse("sampling-plan", args=[plan.pk]), _("Samples to be numbered"),
            tone="danger" if day < today else "warning", icon="calendar-stats", value=day.isoformat(),
        )
        for day, plan in desk.due_rounds(user, today)
    ]  # fmt: skip
    rows = Sample.objects.visible_to(user).filter(state=Sample.State.PLANNED, due_on__lte=today)
    for row in rows.select_related("place").order_by("due_on", "number")[:SHOWN]:
        tone = "danger" if row.due_on < today else "warning"
        url = reverse("sample", args=[row.pk])
        found.append(Item(row.number, url, row.place.name, None, tone, "droplet", row.due_on.isoformat()))
    return found


def running_out(user: User, since: datetime) -> Items:
    """Return samples whose holding time ends soon or has ended, the most urgent first."""
    rows = Sample.objects.visible_to(user).filter(state__in=steps.WAITING).select_related("place")
    samples = [row for row in desk.with_deadlines(list(rows.order_by("taken_to")[:500])) if row.deadline is not None]
    samples = sorted((row for row in samples if row.is_near), key=lambda row: row.deadline)
    return [
        Item(
            row.number, reverse("sample", args=[row.pk]),
            f"{row.place.name} · {words.factor_name(row.deadline_rule.factor)}",
            row.deadline, "danger" if row.is_over else "warning", "clock",
            _("Waited too long") if row.is_over else timezone.localtime(row.deadline).strftime("%m-%d %H:%M"),
        )
        for row in samples[:SHOWN]
    ]  # fmt: skip


def to_review(user: User, since: datetime) -> Items:
    """Return the samples with results that this person may review, the longest waiting first."""
    rows = SampleResult.objects.visible_to(user).waiting().exclude(entered_by=user)
    rows = rows.exclude(analyst=user.name) if user.name else rows
    found: dict[int, list[SampleResult]] = {}
    for row in rows.select_related("sample__place").order_by("entered_at")[:500]:
        found.setdefault(row.sample_id, []).append(row)
    return [
        Item(
            own[0].sample.number,
            f"{reverse('sample-review')}?sample={pk}",
            own[0].sample.place.name,
            own[0].entered_at,
            "warning",
            "shield-check",
            len(own),
        )
        for pk, own in list(found.items())[:SHOWN]
    ]


def failed(user: User, since: datetime) -> Items:
    """Return comparisons of the last month that failed and were not passed since, newest first; one query."""
    begin = timezone.now() - RECENT
    rows = desk.newest(Comparison.objects.visible_to(user)).filter(start__gte=begin)
    rows = rows.exclude(outcome=Comparison.Outcome.UNKNOWN).select_related("place", "sample").order_by("-start", "-id")
    newest: dict[tuple[int, str], Comparison] = {}
    for row in rows[:1000]:
        newest.setdefault((row.place_id, row.factor), row)
    return [
        Item(
            row.place.name,
            f"{reverse('sample-comparisons')}?place={row.place_id}",
            f"{words.factor_name(row.factor)} · {row.sample.number}",
            row.start,
            "danger",
            "scale",
            words.error(row),
        )
        for row in newest.values()
        if row.outcome == Comparison.Outcome.FAILED
    ][:SHOWN]


CONCERNS = [
    Concern(
        "samples-due",
        gettext_lazy("Samples to be taken"),
        "todo",
        due,
        "sample.plan",
        45,
        lambda: f"{reverse('sampling')}?tab=planned",
    ),
    Concern(
        "samples-review",
        gettext_lazy("Manual results to be reviewed"),
        "todo",
        to_review,
        "sample.review",
        46,
        lambda: reverse("sample-review"),
    ),
    Concern(
        "samples-waiting",
        gettext_lazy("Holding times that run out"),
        "wrong",
        running_out,
        "sample.plan",
        45,
        lambda: f"{reverse('sampling')}?tab=laboratory",
    ),
    Concern(
        "comparisons-failed",
        gettext_lazy("Manual and automatic differ too much"),
        "wrong",
        failed,
        "data.view",
        46,
        lambda: f"{reverse('sample-comparisons')}?outcome=failed",
    ),
]
