"""The bureau's side: the marks to decide, and the decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from luming.telemetry.marks import actions, words
from luming.telemetry.marks.models import Mark, MarkCode
from luming.web.access import needs
from luming.web.live import live

PER_PAGE = 50
State = Mark.State
VIEWS: dict[str, tuple[Any, Q]] = {
    "waiting": (gettext_lazy("To be decided"), Q(state=State.SUBMITTED)),
    "confirmed": (gettext_lazy("Confirmed"), Q(state=State.CONFIRMED)),
    "refused": (gettext_lazy("Marks refused"), Q(state=State.REFUSED)),
    "all": (gettext_lazy("All"), Q()),
}


@needs("data.view")
@require_GET
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List the marks in the user's scope: those to decide, the oldest first, or others."""
    view = request.GET.get("view", "waiting")
    view = view if view in VIEWS else "waiting"
    found = _filtered(Mark.objects.visible_to(request.user), request)
    chosen = found.filter(VIEWS[view][1]).select_related("code", "outlet__facility", "made_by")
    chosen = chosen.order_by("made_at", "pk") if view == "waiting" else chosen.order_by("-start", "-pk")
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    numbers = found.aggregate(**{key: Count("pk", filter=q) for key, (_label, q) in VIEWS.items()})
    decides = request.user.may(actions.DECIDE)
    values = {
        "page": page,
        "rows": [(mark, [words.finding_title(finding) for finding in mark.contradictions]) for mark in page],
        "view": view,
        "views": [(key, label, numbers[key]) for key, (label, _q) in VIEWS.items()],
        "codes": MarkCode.objects.filter(marks__isnull=False).distinct(),
        "filtered": any(request.GET.get(name) for name in ("q", "code", "late", "against")),
        "decides": decides,
        "bulk": decides and view == "waiting",
    }
    part = request.htmx and not request.htmx.boosted
    return render(request, "web/marks/list_rows.html" if part else "web/marks/list.html", values)


def _filtered(rows: Any, request: HttpRequest) -> Any:
    get = request.GET.get
    if text := (get("q") or "").strip():
        rows = rows.filter(
            Q(outlet__name__icontains=text)
            | Q(outlet__code__icontains=text)
            | Q(outlet__facility__name__icontains=text)
            | Q(explanation__icontains=text)
        )
    if (facility := get("facility") or "").isdecimal() and len(facility) < 19:
        rows = rows.filter(outlet__facility=int(facility))
    if code := get("code"):
        rows = rows.filter(code__code=code)
    if get("late") == "1":
        rows = rows.filter(late=True)
    if get("against") == "1":
        rows = rows.filter(contradicted=True)
    return rows


@needs(actions.DECIDE)
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a mark."""
    note = request.POST.get("reason", "")
    return _decided(request, pk, lambda mark: actions.confirm(request.user, mark, note), _("The mark was confirmed."))


@needs(actions.DECIDE)
@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a mark with a reason."""
    reason = request.POST.get("reason", "")
    return _decided(request, pk, lambda mark: actions.refuse(request.user, mark, reason), _("The mark was refused."))


@needs(actions.DECIDE)
@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision back with a reason."""
    reason = request.POST.get("reason", "")
    return _decided(
        request, pk, lambda mark: actions.reopen(request.user, mark, reason), _("The decision was taken back.")
    )


def _decided(request: HttpRequest, pk: int, decide: Callable[[Mark], Mark], sentence: str) -> HttpResponse:
    mark = get_object_or_404(Mark.objects.visible_to(request.user), pk=pk)
    try:
        decide(mark)
        messages.success(request, sentence)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("mark", pk)


@needs(actions.DECIDE)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Confirm the chosen marks that are neither late nor contradictory; say why others were left."""
    keys = [int(text) for text in request.POST.getlist("mark") if text.isdecimal() and len(text) < 19]
    chosen = list(Mark.objects.visible_to(request.user).filter(pk__in=keys[:500]))
    if not chosen:
        messages.warning(request, _("Choose at least one mark."))
        return redirect("marks")
    try:
        confirmed, left = actions.confirm_many(request.user, chosen, request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("marks")
    if confirmed:
        messages.success(request, _("Marks confirmed: %(count)d.") % {"count": len(confirmed)})
    for sentence in left[:20]:
        messages.warning(request, sentence)
    return redirect("marks")
