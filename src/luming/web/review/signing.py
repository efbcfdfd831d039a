"""Signed reviews: what was decided, on what seen data, by whom; the check of the hash; the second signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from luming.telemetry.review import actions, seen, words
from luming.telemetry.review.models import Review, ReviewDay
from luming.telemetry.review.words import problem_of
from luming.web.access import needs
from luming.web.review import payload

LOOK = "cockpit.view"
DECIDE = "review.decide"
LINES_SHOWN = 40


def find(request: HttpRequest, pk: int) -> Review:
    """Return a signed review in the user's scope, else there is none."""
    rows = Review.objects.visible_to(request.user).select_related(
        "day__place__station", "day__place__outlet__facility", "user", "countersignature__user"
    )
    return get_object_or_404(rows, pk=pk)


@needs(LOOK)
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a signed review with the other ones of its day; ``?check=1`` computes its hash again."""
    review = find(request, pk)
    day = review.day
    newest = Review.objects.filter(day=day).order_by("-number").first()
    others = list(Review.objects.filter(day=day).select_related("user", "countersignature__user").order_by("number"))
    values = {
        "review": review,
        "day": day,
        "title": payload.title(day.place),
        "word": words.state(day),
        "decisions": list(review.decisions.select_related("series", "code", "other__place__outlet__facility")),
        "action_words": words.ACTIONS,
        "others": others,
        "second": getattr(review, "countersignature", None),
        "may_sign": request.user.may(DECIDE) and day.awaits_second and newest == review,
        "own": review.user_id == request.user.pk,
        "may_reopen": request.user.may(DECIDE) and not day.is_waiting and newest == review,
        "looks": request.user.may("record.annotate"),
        "found": _checked(review) if request.GET.get("check") == "1" else None,
    }
    return render(request, "web/review/signature.html", values)


def _checked(review: Review) -> dict[str, Any]:
    found = seen.check(review)
    return {
        "holds": found.holds,
        "whole": found.whole,
        "hash": found.hash,
        "differing": found.differing[:LINES_SHOWN],
        "more": max(len(found.differing) - LINES_SHOWN, 0),
    }


@needs(LOOK)
@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the signed document as it is: its SHA-256 is the hash."""
    review = find(request, pk)
    response = HttpResponse(seen.text_of(review).encode(), content_type="text/plain; charset=utf-8")
    name = f"review-{review.day.place.code}-{review.day.day:%Y%m%d}-{review.number}.txt"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return response


def _verb(verb: Callable[[HttpRequest, Review], str]) -> Callable[..., HttpResponse]:
    """Run a verb of a form and go back to the review, with what was done or why not."""

    def view(request: HttpRequest, pk: int) -> HttpResponse:
        review = find(request, pk)
        try:
            messages.success(request, verb(request, review))
        except ValidationError as error:
            messages.error(request, problem_of(error))
        return redirect("review-signature", pk)

    view.__doc__ = verb.__doc__
    return view


def _countersign(request: HttpRequest, review: Review) -> str:
    """Sign as the second person."""
    actions.countersign(request.user, review)
    return _("Signed as the second person: the decisions are official now.")


def _send_back(request: HttpRequest, review: Review) -> str:
    """Refuse the second signature with a reason."""
    actions.send_back(request.user, review, request.POST.get("reason", "")[:500])
    return _("Sent back; the first signer finds the decisions as drafts.")


def _reopen(request: HttpRequest, review: Review) -> str:
    """Take the day up again."""
    day = get_object_or_404(ReviewDay.objects.visible_to(request.user), pk=review.day_id)
    actions.reopen(request.user, day, request.POST.get("reason", "")[:500])
    return _("The day is open again; what was signed stands until something else is signed.")


countersign = needs(DECIDE)(require_POST(_verb(_countersign)))
send_back = needs(DECIDE)(require_POST(_verb(_send_back)))
reopen = needs(DECIDE)(require_POST(_verb(_reopen)))
