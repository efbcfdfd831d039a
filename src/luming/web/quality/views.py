"""The catalogue of checks, a check's page, settings with their preview, and suspicions of fabricated data."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from luming.core import work
from luming.registry.models import Medium, Place
from luming.science.qc.catalogue import catalogue, edition
from luming.science.qc.model import Check, Mark, Severity
from luming.telemetry.quality import actions, words
from luming.telemetry.quality.models import CheckRun, CheckSetting, SuspicionRecord
from luming.telemetry.quality.preview import preview
from luming.telemetry.quality.words import FAMILIES
from luming.web.access import needs
from luming.web.forms import Styled
from luming.web.quality import figures, settings

PER_PAGE = 30
VERBS = {
    "acknowledge": (actions.acknowledge, gettext_lazy("Take it up")),
    "dismiss": (actions.dismiss, gettext_lazy("Dismiss it")),
    "reopen": (actions.reopen, gettext_lazy("Open it again")),
}
TONES = {"open": "is-warn", "acknowledged": "is-info", "dismissed": ""}


@needs("data.view")
def checks(request: HttpRequest) -> HttpResponse:
    """List the catalogue with the hit rates of the last 30 days."""
    family, medium = request.GET.get("family", ""), request.GET.get("medium", "")
    family = family if family in FAMILIES else ""
    medium = medium if medium in Medium.values else ""
    rows = figures.listed(request.user, family, medium)
    last = CheckRun.objects.filter(kind=CheckRun.Kind.CLOSING, stale=False).order_by("-start").first()
    present = {check.family for check in catalogue().values()}
    values = {
        "rows": rows,
        "families": [(key, label) for key, label in FAMILIES.items() if key in present],
        "media": Medium.choices,
        "family": family,
        "medium": medium,
        "edition": edition(),
        "period": figures.period(),
        "closed": last is not None,
        "open": sum(figures.suspicions_by_code(request.user).values()) if request.user.is_internal else None,
    }
    return render(request, "web/quality/checks.html", values)


def _check(code: str) -> Check:
    check = catalogue().get(code)
    if check is None:
        raise Http404
    return check


@needs("data.view")
def check(request: HttpRequest, code: str) -> HttpResponse:
    """Show a check: what it finds, its parameters and settings, where it speaks most."""
    found = _check(code)
    signal = found.severity is Severity.SIGNAL
    today = timezone.localdate()
    rows = (
        CheckSetting.objects.visible_to(request.user)
        .filter(code=code)
        .select_related("series__place", "made_by")
        .order_by("-effective_from", "-pk")[:50]
    )
    values: dict[str, Any] = {
        "row": figures.Row(found, None if signal else figures.rates().get(code, figures.Rate()), None),
        "explanation": words.explanation(found),
        "parameters": settings.described(found),
        "settings": [settings.Shown(row, today) for row in rows],
        "media": [label for key, label in Medium.choices if key in found.media],
        "unverified": found.mark in (Mark.MEMORY, Mark.SECONDARY),
        "period": figures.period(),
        "signal": signal,
    }
    if signal:
        values["suspicions"] = (
            SuspicionRecord.objects.visible_to(request.user)
            .filter(code=code)
            .select_related("place", "series")[: figures.PLACES]
        )
    else:
        values["places"] = figures.most_hits(request.user, code)
        values["examples"] = figures.examples(request.user, code)
    return render(request, "web/quality/check.html", values)


# ---- settings --------------------------------------------------------------------------------------------------------


@needs("quality.configure")
def configure(request: HttpRequest, code: str) -> HttpResponse:
    """Set a check for a factor or a series; the preview runs it over the last 30 days first."""
    found = _check(code)
    initial = {"target": request.GET.get("target", ""), "effective_from": timezone.localdate(), "enabled": True}
    form = settings.SettingForm(found, request.user, request.POST or None, initial=initial)
    shown = None
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            values = form.cleaned_data
            shown = preview(code, form.series(), form.numbers(), values["enabled"], timezone.now())
        else:
            try:
                actions.set_check(request.user, code, **form.scope(), **form.setting())
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, _("The setting is kept; values of its time are being checked again."))
                return redirect("quality-check", code)
    values = {"row": figures.Row(found, None, None), "form": form, "preview": shown, "check": found}
    if shown is not None:
        counted = {"before": f"{shown.before:,}", "values": f"{shown.values:,}"}
        sentence = (
            _("suspicions would be raised instead of %(before)s.")
            if shown.signal
            else _("of the %(values)s values of the last 30 days would have been flagged instead of %(before)s.")
        )
        values["preview_sentence"] = sentence % counted
    return render(request, "web/quality/configure.html", values)


class EndForm(Styled):
    """The last day of a setting."""

    effective_to = forms.DateField(
        label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=400)


@needs("quality.configure")
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a setting after a day."""
    setting = get_object_or_404(CheckSetting.objects.visible_to(request.user).select_related("series__place"), pk=pk)
    form = EndForm(request.POST or None, initial={"effective_to": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            actions.end_setting(request.user, setting, values["effective_to"], values["reason"])
        except ValidationError as error:
            form.add_error(None, error.messages)  # type: ignore[arg-type]
        else:
            messages.success(request, _("The setting has a last day; values after it are being checked again."))
            return redirect("quality-check", setting.code)
    shown = settings.Shown(setting, timezone.localdate())
    return render(request, "web/quality/end.html", {"setting": setting, "shown": shown, "form": form})


# ---- suspicions ------------------------------------------------------------------------------------------------------


def _internal(request: HttpRequest) -> None:
    """Refuse who does not work for the bureau: nobody is warned of a suspicion."""
    if not request.user.is_internal:
        raise PermissionDenied(_("Suspicions are for the bureau's own people."))


@needs("data.view")
def suspicions(request: HttpRequest) -> HttpResponse:
    """List the suspicions about places in the user's scope."""
    _internal(request)
    state = request.GET.get("state", SuspicionRecord.State.OPEN)
    rows = SuspicionRecord.objects.visible_to(request.user).select_related("place", "series").defer("picture")
    if state in SuspicionRecord.State.values:
        rows = rows.filter(state=state)
    if (code := request.GET.get("code", "")) in catalogue():
        rows = rows.filter(code=code)
    if (place := request.GET.get("place", "")).isdecimal():
        rows = rows.filter(place=place)
    page = Paginator(rows.order_by("-strength", "-last_found_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    searched = CheckRun.objects.filter(kind=CheckRun.Kind.SUSPICION).order_by("-at").first()
    values = {
        "page": page,
        "rows": [_shown(row) for row in page],
        "state": state,
        "states": SuspicionRecord.State.choices,
        "searched": searched,
        "filtered": bool(code or place),
    }
    return render(request, "web/quality/suspicions.html", values)


def _shown(row: SuspicionRecord) -> dict[str, Any]:
    check = catalogue().get(row.code)
    return {
        "record": row,
        "title": words.title(check) if check else row.code,
        "sentence": row.sentence_zh if words.chinese() else row.sentence_en,
        "tone": TONES[row.state],
        "percent": round(100 * row.strength),
    }


def _suspicion(request: HttpRequest, pk: int) -> SuspicionRecord:
    _internal(request)
    rows = SuspicionRecord.objects.visible_to(request.user).select_related("place", "series", "decided_by")
    return get_object_or_404(rows, pk=pk)


@needs("data.view")
def suspicion(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a suspicion with its picture and the numbers of the test, and what people have made of it."""
    row = _suspicion(request, pk)
    drawn = {
        "code": row.code, "factor": row.series.factor, "start": row.start.isoformat(), "end": row.end.isoformat(),
        "strength": row.strength, "numbers": row.numbers, "picture": row.picture, "zh": row.sentence_zh,
        "en": row.sentence_en,
    }  # fmt: skip
    offered = [(key, label) for key, (_verb, label) in VERBS.items() if key != _present(row)]
    values = {"row": row, "suspicion": drawn, "verbs": offered, **_shown(row), "known": row.code in catalogue()}
    return render(request, "web/quality/suspicion_page.html", values)


def _present(row: SuspicionRecord) -> str:
    return {"open": "reopen", "acknowledged": "acknowledge", "dismissed": "dismiss"}[row.state]


@needs("review.decide")
@require_POST
def decide(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Take a suspicion up, dismiss it or open it again, with the reason."""
    row = _suspicion(request, pk)
    if verb not in VERBS:
        raise Http404
    try:
        VERBS[verb][0](request.user, row, request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Your decision is kept with its reason."))
    return redirect("suspicion", pk)


# ---- on demand -------------------------------------------------------------------------------------------------------


class RunForm(Styled):
    """Which days of a place to check again."""

    first = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(label=gettext_lazy("To"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins, or is longer than a year."""
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("first"), values.get("last")
        if first and last and (last < first or last - first > timedelta(days=366)):
            self.add_error("last", _("Choose at most a year, the last day not before the first one."))
        return values


@needs("quality.configure")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a place's stored values checked again and searched for fabricated data, as long work."""
    place = get_object_or_404(Place.objects.visible_to(request.user), pk=pk)
    today = timezone.localdate()
    form = RunForm(request.POST or None, initial={"first": today - timedelta(days=90), "last": today})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        title = _("Checks of %(place)s") % {"place": place.name}
        try:
            task = work.start(
                request.user, "quality-again", title, place=place.pk,
                first=values["first"].isoformat(), last=values["last"].isoformat(),
            )  # fmt: skip
        except ValidationError as error:
            form.add_error(None, error.messages)  # type: ignore[arg-type]
        else:
            return redirect("task", task.pk)
    return render(request, "web/quality/again.html", {"place": place, "form": form})


def run_again(task: Any, progress: Any) -> None:
    """Do the work: check the days again, some at a time, then search them for fabricated data."""
    from luming.standards.edition import midnight
    from luming.telemetry.quality import closing
    from luming.telemetry.quality.suspicions import search

    place = Place.objects.visible_to(task.owner).get(pk=task.parameters["place"])
    first, last = (date.fromisoformat(task.parameters[name]) for name in ("first", "last"))
    total = (last - first).days + 1
    written = values = done = 0
    for step in closing.apply(first, last, place, again=True):
        written, values = written + step.written, values + step.values
        done += (step.last - step.first).days + 1
        progress(done, total + 1)
    found = search(place.pk, midnight(last + timedelta(days=1)), since=midnight(first), again=True)
    sentence = _("%(values)s values checked, %(written)s verdicts changed, %(found)s new suspicions.")
    message = sentence % {"values": f"{values:,}", "written": f"{written:,}", "found": found}
    progress(total + 1, total + 1, message)
    task.message = message
