"""Sampling plans: their page with the rounds, the form, and the numbers of a round."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.core import manifest
from luming.registry.models import Medium, Place
from luming.telemetry.sampling import actions, rounds
from luming.telemetry.sampling.models import Sample, SamplingPlan
from luming.web.access import needs
from luming.web.registers import record_parts
from luming.web.sampling import forms

AHEAD, BACK = timedelta(days=400), timedelta(days=400)
COMING, PAST = 4, 12
NEAR = timedelta(days=14)  # rounds within it are to be numbered now


def found(request: HttpRequest, pk: int) -> SamplingPlan:
    """Return a plan in the user's scope, else there is none; what is planned is no outsider's business."""
    if not request.user.is_internal:
        raise PermissionDenied(_("Sampling plans are for the bureau's own people."))
    plans = SamplingPlan.objects.visible_to(request.user).select_related("responsible")
    return get_object_or_404(plans, pk=pk)


@needs("data.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a plan, its places and rounds."""
    plan = found(request, pk)
    register = manifest.register("sampling-plans")
    assert register is not None
    values = {
        "plan": plan,
        "places": plan.places.filter(pk__in=Place.objects.visible_to(request.user).values("pk")).order_by("code"),
        "rounds": _rounds(request, plan),
        "today": timezone.localdate(),
        "parts": record_parts.panels(request.user, register, plan),
    }
    return render(request, "web/sampling/plan.html", values)


def _rounds(request: HttpRequest, plan: SamplingPlan) -> list[dict[str, Any]]:
    """Return the coming rounds and those that were, newest first, with the states of their samples."""
    today = timezone.localdate()
    counts: dict[Any, Counter[str]] = {}
    keys: dict[Any, list[int]] = {}
    for day, state, pk in plan.samples.visible_to(request.user).order_by("pk").values_list("due_on", "state", "pk"):
        counts.setdefault(day, Counter())[state] += 1
        keys.setdefault(day, []).append(pk)
    coming = rounds.due_dates(plan, today, today + AHEAD)[:COMING] if plan.is_active else []
    past = sorted(
        {day for day in counts if day < today} | set(rounds.due_dates(plan, today - BACK, today)), reverse=True
    )
    labels = dict(Sample.State.choices)
    return [
        {
            "day": day,
            "states": [(state, labels[state], number) for state, number in counts.get(day, Counter()).items()],
            "keys": keys.get(day, []),
            "is_near": day <= today + NEAR,
            "is_due": plan.is_active and day not in counts and day in rounds.due_dates(plan, day, day),
        }
        for day in dict.fromkeys([*reversed(coming), *past[:PAST]])
    ]


@needs("sample.plan")
def new(request: HttpRequest) -> HttpResponse:
    """Make a plan."""
    medium = _medium(request)
    initial: dict[str, Any] = {
        "starts_on": timezone.localdate(), "frequency": "month", "purpose": request.GET.get("purpose", "routine"),
        "places": request.GET.getlist("place"), "standards": STANDARDS.get(medium, ""), "responsible": request.user.pk,
    }  # fmt: skip
    form = forms.PlanForm(request.user, medium, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        places = list(values.pop("places"))
        try:
            plan = actions.create_plan(request.user, places=places, medium=medium, **values)
        except ValidationError as error:
            forms.put_problems(form, error.message_dict)
        else:
            messages.success(request, _("The plan is made. Number the samples of its first round here."))
            return redirect("sampling-plan", plan.pk)
    return render(request, "web/sampling/plan_form.html", {"form": form, "medium": medium, "media": Medium.choices})


# How samples of a medium are taken: general technical regulations (titles and years from memory).
STANDARDS = {
    "sewage": "HJ 91.1-2019", "water": "HJ 91.2-2022", "gas": "HJ/T 397-2007、GB/T 16157-1996", "air": "HJ 194-2017",
    "noise": "GB 12348-2008",
}  # fmt: skip


def _medium(request: HttpRequest) -> str:
    wanted = request.POST.get("medium") or request.GET.get("medium", "")
    if wanted in Medium.values:
        return wanted
    place = request.GET.get("place", "")
    if place.isdigit():
        known = Place.objects.visible_to(request.user).filter(pk=int(place)).values_list("medium", flat=True).first()
        return known or Medium.SEWAGE
    return Medium.SEWAGE


@needs("sample.plan")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a plan."""
    plan = found(request, pk)
    names = [name for name in forms.PlanForm.base_fields if name not in ("places", "responsible")]
    initial = {name: getattr(plan, name) for name in names}
    initial |= {"places": list(plan.places.values_list("pk", flat=True)), "responsible": plan.responsible_id}
    form = forms.PlanForm(request.user, plan.medium, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        hidden = plan.places.exclude(pk__in=Place.objects.visible_to(request.user).values("pk"))
        places = [*values.pop("places"), *hidden]  # what lies outside one's scope stays
        active = "stop" not in request.POST
        reason = request.POST.get("reason", "")
        try:
            actions.change_plan(request.user, plan, places=places, reason=reason, is_active=active, **values)
        except ValidationError as error:
            forms.put_problems(form, error.message_dict)
        else:
            messages.success(request, _("The plan is changed."))
            return redirect("sampling-plan", plan.pk)
    return render(request, "web/sampling/plan_form.html", {"form": form, "plan": plan, "medium": plan.medium})


@needs("sample.plan")
@require_POST
def issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Number the samples of a round."""
    plan = found(request, pk)
    try:
        day = parse_date(request.POST.get("day", ""))
    except ValueError:
        day = None
    if day is None:
        messages.error(request, _("Choose the day of a round."))
        return redirect("sampling-plan", plan.pk)
    try:
        made = actions.issue(request.user, plan, day)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Samples numbered: %(count)d.") % {"count": len(made)})
    return redirect("sampling-plan", plan.pk)
