"""The workbench: one place and day, its data as JSON, and the verbs that its keys call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from luming.registry.models import Place, Series
from luming.telemetry.review import actions, presence, queue
from luming.telemetry.review.models import ReasonCode, ReviewDay
from luming.telemetry.review.words import problem_of
from luming.web.access import needs
from luming.web.review import payload, texts

LOOK = "record.annotate"  # the bureau's people may look; only reviewers decide
DECIDE = "review.decide"


def answer(values: dict[str, Any], status: int = 200) -> HttpResponse:
    """Return data for the workbench."""
    content = orjson.dumps(values, option=orjson.OPT_NON_STR_KEYS)
    return HttpResponse(content, content_type="application/json", status=status, headers={"Cache-Control": "no-store"})


def find_place(request: HttpRequest, pk: int) -> Place:
    """Return a place in the user's scope, else there is none."""
    rows = Place.objects.visible_to(request.user).select_related("station", "outlet__facility", "region")
    return get_object_or_404(rows, pk=pk)


def find_day(request: HttpRequest, place: int, day: str) -> ReviewDay:
    """Return the day of a place in the user's scope.

    A day that the queue does not hold is put into it for a reviewer; to others it is not there.
    """
    spot, when = find_place(request, place), read_day(day)
    row = ReviewDay.objects.filter(place=spot, day=when).first()
    if row is None:
        if not request.user.may(DECIDE):
            raise Http404
        try:
            row = actions.open_day(request.user, spot, when)
        except ValidationError as error:
            raise Http404(problem_of(error)) from error
    row.place = spot
    return row


def read_day(text: str) -> date:
    """Return a date of an address."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None or not 1990 <= found.year <= 2199:
        raise Http404
    return found


@needs(LOOK)
@require_GET
def page(request: HttpRequest, place: int, day: str) -> HttpResponse:
    """Show the workbench of a place and day."""
    row = find_day(request, place, day)
    values = {"data": payload.of_day(request.user, row), "texts": texts.workbench(), "day": row}
    return render(request, "web/review/desk.html", values)


@needs(LOOK)
@require_GET
def data(request: HttpRequest, place: int, day: str) -> HttpResponse:
    """Return everything of a day, as when the next one is opened without loading the page."""
    return answer(payload.of_day(request.user, find_day(request, place, day)))


@needs(LOOK)
@require_GET
def minutes(request: HttpRequest, place: int, day: str) -> HttpResponse:
    """Return the finer values of one hour of the day."""
    row = find_day(request, place, day)
    try:
        hour = payload.instant(request.GET.get("hour"))
    except ValueError as error:
        raise Http404 from error
    if not row.start <= hour < row.end:
        raise Http404
    return answer(payload.finer(row, hour))


@needs(LOOK)
@require_GET
def neighbours(request: HttpRequest, place: int, day: str) -> HttpResponse:
    """Return what the nearest places of the same kind measured."""
    return answer(payload.neighbours(request.user, find_day(request, place, day)))


@needs(LOOK)
def here(request: HttpRequest, place: int, day: str) -> HttpResponse:
    """Tell who else is at the day; a reviewer's page says by it that it is open."""
    row = find_day(request, place, day)
    if request.user.may(DECIDE):
        presence.touch(request.user, row)
    values = {"colleagues": presence.colleagues(request.user, row)}
    return render(request, "web/review/here.html", values)


def _told(verb: Callable[[HttpRequest, ReviewDay], HttpResponse]) -> Callable[..., HttpResponse]:
    """Answer a refusal with its sentences (409 when the data changed), so that the page can say them."""

    def view(request: HttpRequest, place: int, day: str) -> HttpResponse:
        row = find_day(request, place, day)
        try:
            return verb(request, row)
        except actions.ChangedError as error:
            row.refresh_from_db(fields=["state", "awaits_second", "assigned_to"])
            return answer({"problem": problem_of(error), "data": payload.of_day(request.user, row)}, 409)
        except (ValidationError, ValueError) as error:
            return answer({"problem": problem_of(error)}, 422)

    view.__doc__ = verb.__doc__
    return view


def _draft(request: HttpRequest, day: ReviewDay) -> HttpResponse:
    """Keep a decision in the reviewer's workspace."""
    form = request.POST
    code = ReasonCode.objects.filter(pk=_whole(form.get("code"))).first()
    if code is None:
        raise ValidationError(_("Choose a reason."))
    other = form.get("other")
    actions.save_draft(
        request.user,
        day,
        [_whole(item) for item in form.getlist("series")],
        payload.instant(form.get("start")),
        payload.instant(form.get("end")),
        form.get("action", ""),
        code,
        reason=form.get("reason", ""),
        method=form.get("method", ""),
        value=_figure(form.get("value")),
        other=get_object_or_404(Series.objects.visible_to(request.user), pk=_whole(other)) if other else None,
    )
    return answer(payload.of_drafts(request.user, day))


def _whole(text: str | None) -> int:
    if not (text and text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError(_("The page sent something that is no number: load it again."))
    return int(text)


def _figure(text: str | None) -> float | None:
    if not (text or "").strip():
        return None
    try:
        return float((text or "").replace("，", ".").replace(",", "."))
    except ValueError as error:
        raise ValidationError(_("“%(text)s” is no number.") % {"text": (text or "")[:40]}) from error


def _discard(request: HttpRequest, day: ReviewDay) -> HttpResponse:
    """Take a step of the drafts back, the last one or a given one, or all."""
    step = request.POST.get("step")
    everything = request.POST.get("all") == "1"
    actions.discard(request.user, day, step=_whole(step) if step else None, everything=everything)
    return answer(payload.of_drafts(request.user, day))


def _submit(request: HttpRequest, day: ReviewDay) -> HttpResponse:
    """Sign the day; the answer holds the data of the next one, so that nothing must be loaded."""
    form = request.POST
    actions.submit(request.user, day, form.get("fingerprint", ""), note=form.get("note", "")[:500])
    following = queue.ordered(queue.waiting(request.user)).select_related("place__station", "place__outlet__facility")
    row = following.first() if form.get("next") == "1" else None
    return answer(
        {"next": payload.of_day(request.user, row) if row else None, "left": queue.waiting(request.user).count()}
    )


draft = needs(DECIDE)(require_POST(_told(_draft)))
discard = needs(DECIDE)(require_POST(_told(_discard)))
submit = needs(DECIDE)(require_POST(_told(_submit)))


@needs(LOOK)
@require_GET
def following(request: HttpRequest) -> HttpResponse:
    """Lead to the day that matters most now; to the queue when nothing waits."""
    after = request.GET.get("after", "")
    rows = queue.waiting(request.user)
    if after.isdigit() and len(after) < 19:
        rows = rows.exclude(pk=int(after))
    row = queue.ordered(rows).select_related("place__station", "place__outlet__facility").first()
    if request.headers.get("Accept") == "application/json":
        return answer({"next": payload.of_day(request.user, row) if row else None})
    return redirect("review-day", row.place_id, row.day.isoformat()) if row else redirect("review-queue")
