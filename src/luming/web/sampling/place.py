"""Samples on the pages of places: the panel and the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Moment, Panel, Timeline
from luming.core.models import User
from luming.registry.models import Place
from luming.telemetry.sampling import words
from luming.telemetry.sampling.models import Comparison, CustodyEvent, ResultReview, Sample, SampleResult
from luming.web.onefile import subjects
from luming.web.sampling import desk

PLACES = frozenset({"outlet", "station", "section"})
ROWS = 6
_TOLD = (CustodyEvent.Kind.TAKEN, CustodyEvent.Kind.REJECTED, CustodyEvent.Kind.NOT_TAKEN)


def panel(user: User, place: Place) -> Mapping[str, Any] | None:
    """Show the last samples of a place with their results, and its failed comparisons; None where there are none."""
    visible = Sample.objects.visible_to(user).filter(place=place.pk)
    samples = list(visible.order_by("-due_on", "-id")[:ROWS])
    if not samples and not user.may("sample.plan"):
        return None
    compared = list(
        desk.newest(Comparison.objects.filter(sample__in=visible.values("pk"), place=place.pk))
        .exclude(outcome=Comparison.Outcome.UNKNOWN)
        .select_related("sample", "place")
        .order_by("-start", "factor")[:ROWS]
    )
    results = SampleResult.objects.visible_to(user).filter(sample__in=samples).select_related("review")
    by_sample: dict[int, dict[str, SampleResult]] = {}
    for row in results.order_by("factor", "revision"):  # the last revision that this reader may see stays
        row.standing = words.standing(row)  # type: ignore[attr-defined]
        by_sample.setdefault(row.sample_id, {})[row.factor] = row
    return {
        "samples": [(sample, list(by_sample.get(sample.pk, {}).values())) for sample in samples],
        "compared": compared,
        "failed": any(row.outcome == Comparison.Outcome.FAILED for row in _last_of_each(compared)),
        "place_pk": place.pk,
        "why": words.WHY,
    }


def _last_of_each(rows: list[Comparison]) -> list[Comparison]:
    """Return the newest comparison of each factor: a later one that passed settles an earlier one that failed."""
    found: dict[str, Comparison] = {}
    for row in rows:  # newest first
        found.setdefault(row.factor, row)
    return list(found.values())


def moments(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell when samples were taken or refused, when results were accepted, and which comparisons failed."""
    places = subjects.place_ids(user, subject)
    samples = Sample.objects.visible_to(user).filter(place__in=places)
    found = [*_steps(samples, before, limit), *_reviews(samples, before, limit), *_failures(samples, before, limit)]
    yield from sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


def _steps(samples: Any, before: datetime, limit: int) -> Iterator[Moment]:
    rows = CustodyEvent.objects.filter(sample__in=samples.values("pk"), kind__in=_TOLD, at__lt=before)
    for row in rows.select_related("sample__place").order_by("-at")[:limit]:
        bad = row.kind != CustodyEvent.Kind.TAKEN
        label = _("Sample rejected or not taken") if bad else _("Sample taken")
        detail = " · ".join(filter(None, [row.sample.number, row.reason]))
        yield Moment(
            row.at, label, detail, _url(row.sample_id), "warning" if bad else "info", words.ICONS[row.kind],
            row.signed_name,
        )  # fmt: skip


def _reviews(samples: Any, before: datetime, limit: int) -> Iterator[Moment]:
    rows = ResultReview.objects.filter(
        result__sample__in=samples.values("pk"), decision=ResultReview.Decision.ACCEPTED, reviewed_at__lt=before
    )
    for row in rows.select_related("result__sample", "reviewed_by").order_by("-reviewed_at")[:limit]:
        result = row.result
        detail = f"{words.factor_name(result.factor)} {words.figure(result)} {result.unit} · {result.sample.number}"
        yield Moment(
            row.reviewed_at, _("Manual result accepted"), detail, _url(result.sample_id), "good", "shield-check",
            str(row.reviewed_by),
        )  # fmt: skip


def _failures(samples: Any, before: datetime, limit: int) -> Iterator[Moment]:
    rows = Comparison.objects.filter(
        sample__in=samples.values("pk"), outcome=Comparison.Outcome.FAILED, computed_at__lt=before
    )
    for row in rows.select_related("sample").order_by("-computed_at")[:limit]:
        detail = f"{words.factor_name(row.factor)} {words.error(row)} ({words.allowed(row)}) · {row.sample.number}"
        yield Moment(
            row.computed_at, _("Manual and automatic differ too much"), detail, _url(row.sample_id), "danger", "scale"
        )


def _url(pk: int) -> str:
    return reverse("sample", args=[pk])


PANELS = [
    Panel("samples", gettext_lazy("Manual sampling"), PLACES, "web/sampling/panel.html", panel, order=70),
]
TIMELINES = [
    Timeline("samples", gettext_lazy("Sampling"), PLACES | {"facility"}, moments),
]
