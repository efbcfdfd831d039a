"""One sample: its page with the chain of custody, and the pages for the phone: taking, custody, photos."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.core import annotations, manifest
from luming.core.models import Attachment
from luming.core.registers import Register
from luming.registry.models import Medium
from luming.telemetry.sampling import actions, chain, holding, steps, words
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult
from luming.web.access import needs
from luming.web.registers import record_parts
from luming.web.sampling import desk, forms
from luming.web.sampling.plans import _medium


def found(request: HttpRequest, pk: int) -> Sample:
    """Return a sample in the user's scope, else there is none."""
    rows = Sample.objects.visible_to(request.user).select_related("place", "plan", "taken_by", "control_of")
    return get_object_or_404(rows, pk=pk)


def register() -> Register:
    """Return the register of samples."""
    row = manifest.register("manual-samples")
    assert row is not None
    return row


@needs("data.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a sample: what it is, its custody, its results and what came of them."""
    sample = found(request, pk)
    custody = list(sample.custody.select_related("signed_by"))
    results = SampleResult.objects.visible_to(request.user).filter(sample=sample)
    results = list(results.select_related("review__reviewed_by", "entered_by").order_by("factor", "-revision"))
    compared = desk.newest(Comparison.objects.filter(sample=sample)).order_by("factor")
    desk.with_deadlines([sample])
    values = {
        "sample": sample,
        "custody": custody,
        "icons": words.ICONS,
        "chain": chain.verify(sample, custody),
        "rules": holding.rules(sample.place.medium, sample.factors, sample.taken_to or sample.due_on),
        "by_factor": _by_factor(sample, results),
        "comparisons": list(compared),
        "why": words.WHY,
        "next": _next(request, sample),
        "controls": sample.controls.order_by("number") if request.user.is_internal else [],
        "parts": record_parts.panels(request.user, register(), sample),
        "may_label": request.user.may("sample.plan"),
    }
    return render(request, "web/sampling/sample.html", values)


def _by_factor(sample: Sample, results: list[SampleResult]) -> list[tuple[str, list[SampleResult]]]:
    """Return each factor with its revisions, newest first; empty where none is known."""
    held: dict[str, list[SampleResult]] = {factor: [] for factor in sample.factors}
    for row in results:
        row.standing = words.standing(row)  # type: ignore[attr-defined]
        held.setdefault(row.factor, []).append(row)
    return list(held.items())


def _next(request: HttpRequest, sample: Sample) -> list[tuple[str, Any, str, str]]:
    """Return the steps that may follow: kind, words, icon, address."""
    if not request.user.may("sample.plan"):
        return []
    take, custody = reverse("sample-take", args=[sample.pk]), reverse("sample-custody", args=[sample.pk])
    return [
        (kind, words.STEPS[kind], words.ICONS[kind], take if kind == "taken" else f"{custody}?step={kind}")
        for kind in steps.NEXT[sample.state]
    ]


@needs("data.view")
def scanned(request: HttpRequest, number: str) -> HttpResponse:
    """Open what the QR code of a label stands for: the next step for those who sign it, else the sample's page."""
    sample = get_object_or_404(Sample.objects.visible_to(request.user), number=number)
    if not request.user.may("sample.plan") or not steps.NEXT[sample.state]:
        return redirect("sample", sample.pk)
    return redirect("sample-take" if sample.state == Sample.State.PLANNED else "sample-custody", sample.pk)


@needs("sample.plan")
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that a sample is taken."""
    sample = found(request, pk)
    if sample.state != Sample.State.PLANNED:
        return redirect("sample-custody", sample.pk)
    rules = holding.rules(sample.place.medium, sample.factors, sample.due_on)
    initial = {
        "taken_from": desk.local_now(), "taken_to": desk.local_now(), "samplers": request.user.name,
        "preservation": "；".join(dict.fromkeys(rule.text for rule in rules.values()))[:200], "kind": sample.kind,
    }  # fmt: skip
    form = forms.TakeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.take(request.user, sample, **form.cleaned_data)
        except ValidationError as error:
            forms.put_problems(form, error.message_dict)
        else:
            for text in _keep_photos(request, sample):
                messages.error(request, text)
            messages.success(request, _("Signed: the sample is taken."))
            return redirect("sample", sample.pk)
    values = {"form": form, "sample": sample, "rules": rules, "may_annotate": request.user.may("record.annotate")}
    return render(request, "web/sampling/take.html", values)


@needs("sample.plan")
def custody(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the next step: choose it, sign it."""
    sample = found(request, pk)
    chosen = request.POST.get("kind") or request.GET.get("step", "")
    possible = [kind for kind in steps.NEXT[sample.state] if kind != "taken"]
    if chosen not in possible:
        chosen = ""
    form = None
    if chosen:
        form = forms.StepForm(request.POST or None, initial=_proposed(request, sample, chosen))
        if request.method == "POST" and form.is_valid():
            try:
                actions.record_custody(request.user, sample, **form.cleaned_data)
            except ValidationError as error:
                forms.put_problems(form, error.message_dict)
            else:
                messages.success(request, _("Signed: %(step)s.") % {"step": words.STEPS[chosen]})
                return redirect("sample", sample.pk)
    elif request.method == "POST":
        messages.error(request, _("This step cannot follow any more: somebody signed another one."))
        return redirect("sample", sample.pk)
    values = {
        "sample": sample,
        "form": form,
        "chosen": chosen,
        "chosen_label": words.STEPS.get(chosen, ""),
        "asked": [form[name] for name in forms.STEP_FIELDS[chosen]] if form is not None else [],
        "next": _next(request, sample),
        "last": sample.custody.order_by("-sequence").first(),
    }
    return render(request, "web/sampling/custody.html", values)


def _proposed(request: HttpRequest, sample: Sample, kind: str) -> dict[str, Any]:
    last = sample.custody.order_by("-sequence").first()
    proposed: dict[str, Any] = {"kind": kind, "at": desk.local_now()}
    if kind == "received" and last is not None:
        proposed["from_whom"] = last.to_whom or last.signed_name
    if kind == "stored":
        proposed["preservation"] = sample.preservation
    return proposed


@needs("record.annotate")
@require_POST
def photos(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep photos with a sample."""
    sample = found(request, pk)
    problems = _keep_photos(request, sample)
    for text in problems:
        messages.error(request, text)
    if not problems:
        messages.success(request, _("The photos are kept with the sample."))
    return redirect("sample", sample.pk)


def _keep_photos(request: HttpRequest, sample: Sample) -> list[str]:
    """Keep the photos of a form; each succeeds or is refused by itself."""
    problems: list[str] = []
    if not request.user.may("record.annotate"):
        return problems
    for file in request.FILES.getlist("photo"):
        try:
            annotations.attach(request.user, register(), sample, file, Attachment.Category.PHOTO)
        except ValidationError as error:
            problems += error.messages
    return problems


@needs("sample.plan")
def new(request: HttpRequest) -> HttpResponse:
    """Number a sample outside any plan."""
    medium = _medium(request)
    initial = {"place": request.GET.get("place", ""), "control_of": request.GET.get("of", "")}
    form = forms.SampleForm(request.user, medium, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            sample = actions.add_sample(request.user, **form.cleaned_data)
        except ValidationError as error:
            forms.put_problems(form, error.message_dict)
        else:
            messages.success(request, _("The sample has its number: %(number)s.") % {"number": sample.number})
            return redirect("sample", sample.pk)
    return render(request, "web/sampling/sample_form.html", {"form": form, "medium": medium, "media": Medium.choices})
