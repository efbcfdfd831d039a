"""The enterprise's page of an outlet: its hours to choose periods from, the form that marks them, and its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from luming.registry.models import Interval, Limit, Outlet, Series
from luming.registry.queries import limits_in_force
from luming.standards import marks as table
from luming.telemetry.marks import actions, wanting, words
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.marks.reading import HOUR
from luming.web import judgements, periods
from luming.web import words as web_words
from luming.web.access import needs

DAYS = (3, 7, 31)
MARKS_SHOWN = 30


@dataclass(slots=True)
class Row:
    """A period as it was typed, with what is wrong with it."""

    start: str = ""
    end: str = ""
    problems: list[str] = field(default_factory=list)


def own_outlet(request: HttpRequest, pk: int) -> Outlet:
    """Return an outlet in the person's scope, else there is none."""
    rows = Outlet.objects.visible_to(request.user).filter(medium__in=("gas", "sewage"))
    return get_object_or_404(rows.select_related("facility"), pk=pk)


@needs(actions.MAKE)
def outlet(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an outlet's last days and mark periods of them."""
    place = own_outlet(request, pk)
    now = timezone.now()
    codes = wanting.offered(place, now)
    factors = list(
        Series.objects.filter(place=place, interval=Interval.HOUR).order_by("factor").values_list("factor", flat=True)
    )
    rows, problem = [_prefilled(request)], ""
    if request.method == "POST":
        rows = _typed(request)
        problem = _make(request, place, rows, codes)
        if not problem and not any(row.problems for row in rows):
            return redirect("mark-outlet", place.pk)
    return render(request, "web/marks/outlet.html", _values(request, place, codes, factors, rows, problem, now))


def _prefilled(request: HttpRequest) -> Row:
    """Return the period that a link names."""
    return Row(*(_local(_moment(request.GET.get(name))) for name in ("start", "end")))


def _typed(request: HttpRequest) -> list[Row]:
    starts, ends = request.POST.getlist("start"), request.POST.getlist("end")
    ends += [""] * (len(starts) - len(ends))
    rows = [Row(start, end) for start, end in zip(starts, ends, strict=False) if start or end]
    return rows[: actions.MOST] or [Row()]


def _make(request: HttpRequest, place: Outlet, rows: list[Row], codes: Sequence[MarkCode]) -> str:
    """Mark what was typed; return what is wrong as a whole, and leave what is wrong with a period in its row."""
    chosen = request.POST.get("code", "")
    code = next((code for code in codes if str(code.pk) == chosen), None)
    if code is None:
        return _("Choose the state that holds in these periods.")
    wanted = []
    for row in rows:
        start, end = _moment(row.start), _moment(row.end)
        if start is None or end is None:
            row.problems.append(_("Give both times, such as 2026-01-31 08:00."))
            continue
        factors = tuple(request.POST.getlist("factor"))
        wanted.append(actions.Wanted(code, start, end, request.POST.get("explanation", ""), factors))
    if any(row.problems for row in rows):
        return ""
    try:
        made = actions.make(request.user, place, wanted, file=request.FILES.get("file"))
    except actions.RowProblemsError as error:
        for position, sentences in error.rows:
            rows[position].problems = sentences
        return ""
    except ValidationError as error:
        return " ".join(error.messages)
    messages.success(request, _("Periods marked: %(count)d.") % {"count": len(made)})
    if late := sum(mark.late for mark in made):
        messages.warning(request, _("Made after the time limit: %(count)d. The bureau sees this.") % {"count": late})
    if against := sum(mark.contradicted for mark in made):
        text = _("Something speaks against %(count)d of them: see below, and withdraw what was marked by mistake.")
        messages.warning(request, text % {"count": against})
    return ""


def _values(
    request: HttpRequest, place: Outlet, codes: Sequence[MarkCode], factors: list[str], rows: list[Row], problem: str,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    days = int(request.GET["days"]) if request.GET.get("days") in map(str, DAYS) else DAYS[0]
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=days - 1)
    hours = wanting.cells([place], first, today + timedelta(days=1), now)[place.pk]
    own = Mark.objects.visible_to(request.user).filter(outlet=place).select_related("code", "outlet__facility")
    typed = request.POST if request.method == "POST" else request.GET
    return {
        "place": place,
        "days": [(first + timedelta(days=i), hours[24 * i : 24 * i + 24]) for i in reversed(range(days))],
        "span": days,
        "spans": DAYS,
        "first": first,
        "last": today,
        "codes": [(code, words.consequence(code)) for code in codes],
        "chosen": typed.get("code", ""),
        "factors": factors,
        "chosen_factors": typed.getlist("factor"),
        "explanation": request.POST.get("explanation", ""),
        "rows": rows,
        "problem": problem,
        "wrong": bool(problem) or any(row.problems for row in rows),
        "marks": list(own.order_by("-made_at")[:MARKS_SHOWN]),
        "open": wanting.open_periods([place], now),
        "automatic": wanting.automatic(place, first, today + timedelta(days=1)),
        "now": now,
        "step": int(table.reach().step(place.medium).total_seconds()),
        "unverified": any(not code.verified for code in codes),
        "rule": table.rule_for(table.sector_of(place.facility.industry), now),
        "chinese": web_words.chinese(),
    }


def _moment(text: str | None) -> datetime | None:
    """Return a typed time of the city."""
    try:
        found = parse_datetime((text or "").strip())
        if found is None or not 1990 <= found.year <= 2199:
            return None
        return found if timezone.is_aware(found) else timezone.make_aware(found)
    except ValueError:
        return None


def _local(moment: datetime | None) -> str:
    return "" if moment is None else timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@needs(actions.MAKE)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a mark that waits."""
    mark = get_object_or_404(Mark.objects.visible_to(request.user), pk=pk)
    try:
        actions.withdraw(request.user, mark)
        messages.success(request, _("The mark was withdrawn."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("mark-outlet", mark.outlet_id)


@needs("data.view")
@require_GET
def chart(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the points of a chart as JSON with the marked periods behind them."""
    place = own_outlet(request, pk)
    now = timezone.now()
    look = periods.read(request.GET, list(Series.objects.filter(place=place)), place.medium, now)
    limits = {
        limit.factor: limit
        for limit in limits_in_force([place.pk], look.start).get(place.pk, [])
        if limit.basis == Limit.Basis.HOUR
    }
    shown = Mark.objects.filter(outlet=place, state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED))
    answer = {
        "start": _milliseconds(look.start),
        "end": _milliseconds(look.end),
        "offset": int(timezone.localtime(now).utcoffset().total_seconds() * 1000),  # type: ignore[union-attr]
        "interval": look.interval,
        "series": judgements.chart_series(look, limits),
        "gaps": [
            {"start": _milliseconds(mark.start), "end": _milliseconds(mark.end), "cause": str(mark.code)}
            for mark in shown.touching(look.start, look.end).select_related("code")[:200]
        ],
    }
    return HttpResponse(judgements.dumps(answer), content_type="application/json")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def around(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the days of a chart that shows a period with something before and after it."""
    return timezone.localtime(start - 6 * HOUR), timezone.localtime(end + 6 * HOUR)
