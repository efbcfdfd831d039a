"""The review of results: what was found, with what helps to judge it; accept or return, never one's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core.models import User
from luming.registry.queries import limits_in_force
from luming.telemetry.sampling import actions, chain, comparing, reading, words
from luming.telemetry.sampling.models import CustodyEvent, Sample, SampleResult
from luming.web.access import needs

SHOWN = 40  # results on one page
EARLIER = 5
BACK = timedelta(days=400)


@needs("sample.review")
def page(request: HttpRequest) -> HttpResponse:
    """Show the results that wait by sample; decide on those that are named."""
    if request.method == "POST":
        _decide(request)
        return redirect(request.get_full_path())
    waiting = SampleResult.objects.visible_to(request.user).waiting()
    if sample := request.GET.get("sample", ""):
        waiting = waiting.filter(sample=int(sample)) if sample.isdigit() else waiting.none()
    rows = waiting.select_related("sample__place", "sample__plan", "sample__control_of", "entered_by")
    rows = list(rows.order_by("sample__taken_from", "sample__number", "factor")[:SHOWN])
    values = {"groups": groups(request.user, rows), "total": waiting.count(), "shown": len(rows)}
    return render(request, "web/sampling/review.html", values)


def _decide(request: HttpRequest) -> None:
    """Review each named result by itself and say what became of it."""
    decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    done = 0
    for pk in request.POST.getlist("result"):
        rows = SampleResult.objects.visible_to(request.user)
        result = get_object_or_404(rows, pk=int(pk) if pk.isdigit() else 0)
        try:
            actions.review(request.user, result, decision, seen=request.POST.get(f"seen-{pk}", ""), reason=reason)
            done += 1
        except PermissionDenied as error:
            messages.error(request, f"{words.factor_name(result.factor)}: {error}")
        except ValidationError as error:
            messages.error(request, f"{words.factor_name(result.factor)}: {' '.join(error.messages)}")
    if done:
        text = _("Results accepted: %(count)d.") if decision == "accepted" else _("Results returned: %(count)d.")
        messages.success(request, text % {"count": done})
    elif not request.POST.getlist("result"):
        messages.error(request, _("Choose at least one result."))


def groups(user: User, rows: Sequence[SampleResult]) -> list[dict[str, Any]]:
    """Return the results by sample, each with the hash of what is shown, earlier results, limit, automatic value."""
    custody: dict[int, list[CustodyEvent]] = defaultdict(list)
    for event in CustodyEvent.objects.filter(sample__in={row.sample_id for row in rows}).order_by("sequence"):
        custody[event.sample_id].append(event)
    earlier = _earlier(rows)
    outlets = {row.sample.place_id for row in rows}
    limits = limits_in_force(outlets, timezone.now())
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        sample, events = row.sample, custody[row.sample_id]
        row.seen = chain.seen(row, sample, events[-1].hash if events else "")  # type: ignore[attr-defined]
        row.own = row.entered_by_id == user.pk or (bool(row.analyst) and row.analyst == user.name)  # type: ignore[attr-defined]
        row.earlier = earlier.get((sample.place_id, row.factor), [])[:EARLIER]  # type: ignore[attr-defined]
        row.limit = next((one for one in limits.get(sample.place_id, []) if one.factor == row.factor), None)  # type: ignore[attr-defined]
        row.deviation = _deviation(row, sample)  # type: ignore[attr-defined]
        group = found.setdefault(
            sample.pk, {"sample": sample, "rows": [], "chain": chain.verify(sample, events), "events": events}
        )
        group["rows"].append(row)
    for group in found.values():
        _put_beside(group["sample"], group["rows"])
        group["open"] = [row for row in group["rows"] if not row.own]
    return list(found.values())


def _earlier(rows: Sequence[SampleResult]) -> dict[tuple[int, str], list[reading.Manual]]:
    """Return what was accepted before at the places, newest first; one query."""
    if not rows:
        return {}
    now = timezone.now()
    places, factors = {row.sample.place_id for row in rows}, {row.factor for row in rows}
    found: dict[tuple[int, str], list[reading.Manual]] = defaultdict(list)
    for one in reversed(reading.accepted(places, factors, now - BACK, now)):
        found[one.place_id, one.factor].append(one)
    return found


def _put_beside(sample: Sample, rows: Sequence[SampleResult]) -> None:
    """Give each result of an ordinary sample the automatic value of the same time, None where there is none."""
    found: dict[str, comparing.Automatic] = {}
    if sample.taken_from is not None and sample.taken_to is not None and sample.control == Sample.Control.NONE:
        factors = [row.factor for row in rows]
        found = comparing.automatic_of(sample.place_id, factors, sample.taken_from, sample.taken_to)
    for row in rows:
        one = found.get(row.factor)
        row.beside = one if one is not None and one.count else None  # type: ignore[attr-defined]


def _deviation(row: SampleResult, sample: Sample) -> float | None:
    """Return the relative deviation of a parallel sample: the difference to its own over the sum of both."""
    if sample.control != Sample.Control.PARALLEL or row.value is None or sample.control_of_id is None:
        return None
    other = SampleResult.objects.filter(sample=sample.control_of_id, factor=row.factor).latest().first()
    if other is None or other.value is None or not row.value + other.value:
        return None
    return abs(row.value - other.value) / (row.value + other.value)
