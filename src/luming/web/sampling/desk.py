"""The desk of sampling: samples by state, what is due, and the ways to everything else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.telemetry.sampling import files, holding, rounds, steps
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult, SamplingPlan
from luming.web.access import needs

PER_PAGE = 50
AHEAD = timedelta(days=14)
State = Sample.State
# Tabs: key → label and the states inside, in the order of the work.
TABS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "planned": (_("To be taken"), (State.PLANNED,)),
    "moving": (_("Taken, on their way"), (State.TAKEN, State.HANDED)),
    "laboratory": (_("At the laboratory"), (State.RECEIVED, State.STORED)),
    "analysed": (_("Analysed"), (State.ANALYSED,)),
    "over": (_("Finished samples"), (State.DISPOSED, State.REJECTED, State.NOT_TAKEN)),
}


@needs("data.view")
def page(request: HttpRequest) -> HttpResponse:
    """List the samples in the user's scope by where they stand."""
    visible = Sample.objects.visible_to(request.user)
    counted = dict(visible.order_by().values_list("state").annotate(number=Count("pk")))
    counts = {key: sum(counted.get(state, 0) for state in states) for key, (_label, states) in TABS.items()}
    tab = request.GET.get("tab", "")
    if tab not in TABS:
        tab = next((key for key, number in counts.items() if number), "planned")
    rows = visible.filter(state__in=TABS[tab][1]).select_related("place", "plan")
    if place := request.GET.get("place", ""):
        rows = rows.filter(place=int(place)) if place.isdigit() else rows.none()
    if q := request.GET.get("q", "").strip():
        rows = rows.filter(Q(number__icontains=q) | Q(place__name__icontains=q))
    rows = rows.order_by("due_on", "number") if tab == "planned" else rows.order_by("-due_on", "-number")
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    values = {
        "tabs": [(key, label, counts[key]) for key, (label, _states) in TABS.items()],
        "tab": tab,
        "page": found,
        "rows": with_deadlines(list(found)),
        "today": timezone.localdate(),
        "q": q,
        "place": place,
        **_work(request.user),
    }
    return render(request, "web/sampling/desk.html", values)


def with_deadlines(samples: list[Sample]) -> list[Sample]:
    """Give samples whose holding time runs their ``deadline`` and whether it ``is_near`` or ``is_over``."""
    now = timezone.now()
    for sample in samples:
        sample.deadline = None  # type: ignore[attr-defined]
    running = [sample for sample in samples if sample.state in steps.WAITING and sample.taken_to]
    rules: dict[tuple[str, Any], dict[str, holding.Rule]] = {}
    for sample in running:
        assert sample.taken_to is not None
        key = (sample.place.medium, timezone.localtime(sample.taken_to).date())
        if key not in rules:
            every = {code for other in running for code in other.factors if other.place.medium == key[0]}
            rules[key] = holding.rules(key[0], every, key[1])
        own = {code: rules[key][code] for code in sample.factors if code in rules[key]}
        if found := holding.deadline(sample.taken_to, own):
            sample.deadline, sample.deadline_rule = found  # type: ignore[attr-defined]
            sample.is_over = found[0] < now  # type: ignore[attr-defined]
            sample.is_near = found[0] < now + near(found[1])  # type: ignore[attr-defined]
    return samples


def near(rule: holding.Rule) -> timedelta:
    """Return how long before its end a holding time is called short: a quarter of it, six hours at most."""
    return min(timedelta(hours=rule.hours) / 4, timedelta(hours=6))


def _work(user: User) -> dict[str, Any]:
    """Return what waits, for the cards above the list."""
    if not user.is_internal:
        return {"rounds": [], "cards": False}
    waiting = SampleResult.objects.visible_to(user).waiting()
    return {
        "cards": True,
        "rounds": due_rounds(user, timezone.localdate() + AHEAD)[:8],
        "to_enter": len(files.waiting(user)) if user.may("sample.result") else None,
        "to_review": waiting.count(),
        "failed": newest(Comparison.objects.visible_to(user)).filter(outcome=Comparison.Outcome.FAILED).count(),
    }


def newest(rows: QuerySet[Comparison]) -> QuerySet[Comparison]:
    """Return the comparison that holds of each sample's factor."""
    later = Comparison.objects.filter(
        sample=OuterRef("sample"), factor=OuterRef("factor"), number__gt=OuterRef("number")
    )
    return rows.filter(~Exists(later))


def due_rounds(user: User, until: Any) -> list[tuple[Any, SamplingPlan]]:
    """Return the rounds until a day whose samples have no numbers yet, as (day, plan), earliest first; two queries."""
    plans = list(SamplingPlan.objects.visible_to(user).filter(is_active=True, starts_on__lte=until))
    if not plans:
        return []
    issued = set(Sample.objects.filter(plan__in=plans).values_list("plan", "due_on").distinct())
    since = timezone.localdate() - timedelta(days=7)
    found = [
        (day, plan) for plan in plans for day in rounds.due_dates(plan, since, until) if (plan.pk, day) not in issued
    ]
    return sorted(found, key=lambda item: (item[0], item[1].name))


def local_now() -> datetime:
    """Return the present minute in the city's time, for forms."""
    return timezone.localtime().replace(second=0, microsecond=0)
