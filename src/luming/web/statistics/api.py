"""Statistics for programs: read-only, with the sign-in, permission and scope of the pages.

``GET /api/v1/statistics/?place=&factor=&measure=&kind=&from=&to=&as_of=&cursor=`` lists what holds (or held);
``GET /api/v1/statistics/<id>/`` is one figure with its inputs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from luming.registry.models import Place
from luming.telemetry.statistics import explaining, words
from luming.telemetry.statistics.models import Statistic
from luming.web.access import needs

SIZE, MOST = 100, 1000


@needs("data.view")
def listing(request: HttpRequest) -> JsonResponse:
    """List the latest revisions of figures, oldest first; ``next`` is the address of the next part."""
    get = request.GET.get
    problems: dict[str, list[str]] = {}
    rows = Statistic.objects.visible_to(request.user)
    if place := get("place"):
        rows = rows.filter(place__in=Place.objects.filter(code=place).values("pk"))
    for name, known in (("measure", dict(words.MEASURES)), ("kind", dict(words.KINDS))):
        if value := get(name):
            if value not in known:
                problems[name] = [_("Choose one of: %(known)s.") % {"known": ", ".join(known)}]
            rows = rows.filter(**{name: value})
    if factor := get("factor"):
        rows = rows.filter(factor=factor)
    for name, lookup in (("from", "start__gte"), ("to", "start__lt"), ("as_of", "computed_at__lte")):
        if text := get(name):
            moment = _moment(text)
            if moment is None:
                problems[name] = [_("Write a date such as 2026-11-24 or a moment such as 2026-11-24T08:00+08:00.")]
            else:
                rows = rows.filter(**{lookup: moment})
    size, offset = _whole(get("size"), SIZE), _whole(get("cursor"), 0)
    if not 0 < size <= MOST:
        problems["size"] = [_("Between 1 and %(most)s.") % {"most": MOST}]
    if problems:
        return JsonResponse({"detail": _("Some parameters cannot be read."), "errors": problems}, status=400)
    keys = ("place_id", "measure", "kind", "factor", "start")
    found = list(rows.select_related("place").order_by(*keys, "-revision").distinct(*keys)[offset : offset + size + 1])
    following = None
    if len(found) > size:
        query = request.GET.copy()
        query["cursor"] = str(offset + size)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return JsonResponse({"items": [_item(row) for row in found[:size]], "next": following})


@needs("data.view")
def one(request: HttpRequest, pk: int) -> JsonResponse:
    """Return one figure with what it was made of."""
    row = Statistic.objects.visible_to(request.user).select_related("place").filter(pk=pk).first()
    if row is None:
        sentence = _("There is no such record or register, or it lies outside your data scope.")
        return JsonResponse({"detail": sentence, "errors": {}}, status=404)
    made = explaining.inputs(row)
    observed = [
        {
            "series": item.series.pk, "factor": item.series.factor, "start": item.start, "revision": item.revision,
            "verdict": item.verdict, "value": item.value, "letter": item.letter, "counts": item.counts,
            "packet": item.packet_id,
        }
        for item in made.observed
    ]  # fmt: skip
    samples = [
        {"sample": item.sample_number, "start": item.start, "value": item.value, "unit": item.unit}
        for item in made.samples
    ]
    statistics = [
        {"id": item.pk, "start": item.start, "value": item.value, "valid": item.valid} for item in made.statistics
    ]
    inputs = {"observations": observed, "statistics": statistics, "samples": samples, "digest_matches": made.same}
    return JsonResponse(_item(row) | {"inputs": inputs})


def _item(row: Statistic) -> dict[str, Any]:
    return {
        "id": row.pk, "place": row.place.code, "factor": row.factor, "measure": row.measure, "kind": row.kind,
        "start": row.start, "revision": row.revision, "value": row.value, "rounded": row.rounded,
        "unit": row.unit or "", "valid": row.valid, "reason": str(words.reason(row.reason)), "count": row.count,
        "required": row.required, "expected": row.expected, "substituted": row.substituted, "method": row.method,
        "source": row.source, "edition": row.edition, "rule": row.rule, "verified": row.verified,
        "deviation": row.deviation, "digest": row.digest, "as_of": row.as_of, "computed_at": row.computed_at,
        "software": row.software,
    }  # fmt: skip


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
    except ValueError:
        return None
    if day is not None:
        found = datetime(day.year, day.month, day.day)
    if found is None or not 1990 <= found.year <= 2199:
        return None
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _whole(text: str | None, usual: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else usual
