"""One statistic: its value, its rule, what it was made of, its revisions and why they differ."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.translation import gettext_lazy as _

from luming.registry.models import Place
from luming.telemetry.models import Judgement
from luming.telemetry.statistics import explaining, tolerances, words
from luming.telemetry.statistics.models import Statistic
from luming.web import words as names
from luming.web.access import needs
from luming.web.statistics import looking

EVIDENCE = "web/evidence/link.html"
SHOWN = 200
HAPPENED = {
    explaining.RECEIVED: _("came late"),
    explaining.REVISED: _("was revised"),
    explaining.JUDGED: _("was judged otherwise"),
    explaining.GONE: _("no longer counts"),
}


@needs("data.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a statistic; ``?against=<id>`` explains the difference from another revision of the same figure."""
    row = get_object_or_404(Statistic.objects.visible_to(request.user), pk=pk)
    place = Place.objects.select_related("outlet__facility").get(pk=row.place_id)
    revisions = list(
        Statistic.objects.filter(
            place=row.place_id, factor=row.factor, measure=row.measure, kind=row.kind, start=row.start
        ).order_by("-revision")
    )
    older = _against(request, row, revisions)
    made = explaining.inputs(row)
    differences = explaining.difference(older, row) if older else []
    values: dict[str, Any] = {
        "place": place,
        "row": row,
        "period": looking.label(row.kind, row.start),
        "name": "" if row.factor == "*" else names.factor_name(row.factor),
        "reason": words.reason(row.reason),
        "method": words.method(row.method),
        "rule": explaining.rule_of(row),
        "newest": revisions[0],
        "revisions": revisions,
        "older": older,
        "differences": [_said(row, one) for one in differences[:SHOWN]],
        "more_differences": max(0, len(differences) - SHOWN),
        "made": made,
        "weighed": row.method == "weighted",
        "used": sum(one.counts for one in made.observed),
        "longer": [(one, looking.label(one.kind, one.start)) for one in explaining.longer_of(row)],
        "shorter": [(one, looking.label(one.kind, one.start)) for one in made.statistics],
        "judgements": _judgements(row),
        "evidence": _evidence(),
        "deviates": deviates(row, place),
    }
    return render(request, "web/statistics/statistic.html", values)


def _said(row: Statistic, one: explaining.Difference) -> dict[str, Any]:
    """Return a difference in words: of an observation or of a shorter period's statistic."""
    known = one.after or one.before
    assert known is not None
    observed = isinstance(known, explaining.Observed)
    kind = words.HOUR if observed and row.source != words.MINUTES else words.DAY
    label = looking.label(kind, known.start) if kind == words.DAY or observed else ""
    return {"one": one, "known": known, "observed": observed, "what": HAPPENED[one.what], "label": label}


def _against(request: HttpRequest, row: Statistic, revisions: list[Statistic]) -> Statistic | None:
    wanted = request.GET.get("against", "")
    others = [one for one in revisions if one.revision < row.revision]
    return next((one for one in others if str(one.pk) == wanted), others[0] if others else None)


def _judgements(row: Statistic) -> list[Judgement]:
    """Return the judgements that used a figure of a day."""
    if row.kind != words.DAY:
        return []
    found = Judgement.objects.filter(place=row.place_id, start=row.start, detail__has_key="statistics")
    judged = [one for one in found.order_by("-revision") if row.pk in one.detail["statistics"].values()]
    for one in judged:
        one.word = names.state(one.state)
    return judged


def _evidence() -> str:
    """Return the template with the link to the evidence sheet, where that room offers one."""
    try:
        get_template(EVIDENCE)
    except TemplateDoesNotExist:
        return ""
    return EVIDENCE


def deviates(row: Statistic, place: Place) -> bool:
    """Tell whether an own hour differs from the received one by more than the tolerance allows."""
    return row.deviation is not None and row.value is not None and tolerances.exceeded(row, place.medium)
