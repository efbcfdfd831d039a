"""The queue page: what waits for a reviewer, the weightiest first, and signing many quiet days at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from luming.registry.models import Medium, Place
from luming.telemetry.review import actions, queue, rules, seen, words
from luming.telemetry.review.models import ReviewDay
from luming.web.access import needs
from luming.web.live import live
from luming.web.review import payload

PER_PAGE = 50
State = ReviewDay.State
# Key of the filter -> label and condition.
VIEWS: dict[str, tuple[Any, Q]] = {
    "waiting": (gettext_lazy("To be reviewed"), Q(state__in=ReviewDay.WAITING)),
    "spoke": (gettext_lazy("Something spoke"), Q(state__in=ReviewDay.WAITING, is_quiet=False)),
    "quiet": (gettext_lazy("Nothing spoke"), Q(state__in=ReviewDay.WAITING, is_quiet=True)),
    "second": (gettext_lazy("Awaits a second signature"), Q(awaits_second=True)),
    "done": (gettext_lazy("Signed"), Q(state__in=(State.SUBMITTED, State.COUNTERSIGNED))),
}


@needs("record.annotate")
@require_GET
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List the days in the user's scope that wait, or those of another state, with why each matters."""
    now = timezone.now()
    view = request.GET.get("view", "waiting")
    view = view if view in VIEWS else "waiting"
    found = _filtered(ReviewDay.objects.visible_to(request.user), request)
    chosen = found.filter(VIEWS[view][1])
    if view in ("waiting", "spoke", "quiet"):
        chosen = queue.ordered(chosen, now)
    else:
        chosen = chosen.order_by("-finished_at", "-day", "pk")
    page = Paginator(
        chosen.select_related("place__station", "place__outlet__facility", "assigned_to"), PER_PAGE
    ).get_page(request.GET.get("page"))
    quiet = [row for row in page if row.is_quiet and row.is_waiting]
    prints = seen.fingerprints_of(quiet) if view == "quiet" and request.user.may("review.decide") else {}
    values = {
        "page": page,
        "rows": [_row(row, now, prints) for row in page],
        "view": view,
        "views": [
            (key, label, number) for (key, (label, _q)), number in zip(VIEWS.items(), _counts(found), strict=True)
        ],
        "media": Medium.choices,
        "bulk": bool(prints),
        "filtered": any(request.GET.get(name) for name in ("q", "medium", "kind", "late", "mine", "day")),
        "decides": request.user.may("review.decide"),
        "unsettled": any(not rule.verified for rule in rules.rules(timezone.localdate())),
    }
    part = request.htmx and not request.htmx.boosted
    return render(request, "web/review/queue_rows.html" if part else "web/review/queue.html", values)


def _counts(rows: Any) -> list[int]:
    """Return how many days each view would list, with one query."""
    return list(rows.aggregate(**{key: Count("pk", filter=q) for key, (_label, q) in VIEWS.items()}).values())


def _filtered(rows: Any, request: HttpRequest) -> Any:
    get = request.GET.get
    if text := (get("q") or "").strip():
        rows = rows.filter(
            Q(place__name__icontains=text)
            | Q(place__code__icontains=text)
            | Q(place__outlet__facility__name__icontains=text)
        )
    if (medium := get("medium")) in Medium.values:
        rows = rows.filter(place__medium=medium)
    if (kind := get("kind")) in Place.Kind.values:
        rows = rows.filter(place__kind=kind)
    if get("late") == "1":
        rows = rows.filter(deadline__lt=timezone.now())
    if get("mine") == "1":
        rows = rows.filter(assigned_to=request.user)
    if day := _day(get("day")):
        rows = rows.filter(day=day)
    return rows


def _day(text: str | None) -> Any:
    try:
        return parse_date(text or "")
    except ValueError:
        return None


def _row(day: ReviewDay, now: Any, prints: dict[int, str]) -> dict[str, Any]:
    return {
        "day": day,
        "title": payload.title(day.place),
        "word": words.state(day),
        "grounds": words.grounds(day),
        "late": day.is_waiting and day.deadline < now,
        "soon": day.is_waiting and now <= day.deadline < now + timedelta(hours=2),
        "print": prints.get(day.pk, ""),
    }


@needs("review.decide")
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Sign the chosen quiet days together; each gets its own hash, and what spoke meanwhile is left out."""
    chosen = {}
    for item in request.POST.getlist("day"):
        pk, _dot, fingerprint = item.partition(".")
        if pk.isdigit() and len(pk) < 19 and len(fingerprint) == 64:
            chosen[int(pk)] = fingerprint
    if not chosen:
        messages.warning(request, _("Choose at least one day."))
        return redirect(f"{request.path.removesuffix('bulk/')}?view=quiet")
    signed, refused = actions.submit_quiet(request.user, chosen, note=request.POST.get("note", "")[:500])
    if signed:
        messages.success(request, _("Days signed: %(count)d.") % {"count": len(signed)})
    for sentence in refused[:20]:
        messages.warning(request, sentence)
    return redirect(f"{request.path.removesuffix('bulk/')}?view=quiet")
