"""Evidence for programs: read-only, with the sign-in, permission and scope of the pages.

``GET /api/v1/evidence/{judgements|statistics|packets}/<id>/`` and ``…/values/<series>/<milliseconds>/`` return the same
document that an evidence sheet would state, whether it is sound, the days it rests on, and what it went into.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from luming.telemetry.evidence import documents
from luming.telemetry.evidence.lineage import JUDGEMENT
from luming.web.access import needs
from luming.web.evidence import subjects


@needs("data.view")
def judgement(request: HttpRequest, pk: int) -> JsonResponse:
    """Return what a judgement came from."""
    return _answer(request, lambda: subjects.judgement(request.user, pk))


@needs("data.view")
def statistic(request: HttpRequest, pk: int) -> JsonResponse:
    """Return what a statistic came from and went into."""
    return _answer(request, lambda: subjects.statistic(request.user, pk))


@needs("data.view")
def value(request: HttpRequest, series: int, start: int) -> JsonResponse:
    """Return the revisions of a value and what it went into."""
    return _answer(request, lambda: subjects.value(request.user, series, start))


@needs("packet.view")
def packet(request: HttpRequest, pk: int) -> JsonResponse:
    """Return what a packet became."""
    return _answer(request, lambda: subjects.packet(request.user, pk))


def _answer(request: HttpRequest, find: Callable[[], subjects.Found]) -> JsonResponse:
    try:
        found, influences = find()
    except Http404:
        sentence = _("There is no such record or register, or it lies outside your data scope.")
        return JsonResponse({"detail": sentence, "errors": {}}, status=404)
    content = documents.content(found)
    sha256, sm3 = documents.hashes(documents.written(content))
    if not request.user.may("packet.view"):
        content = _without_packets(content)
    if not request.user.is_internal:
        content = _without_people(content)
    days = [
        {"day": day.isoformat()}
        | {name: None if closed is None else getattr(closed, name) for name in ("algorithm", "digest")}
        for day, closed in found.days.items()
    ]
    return JsonResponse({
        "document": content, "sha256": sha256, "sm3": sm3, "is_sound": found.is_sound, "days": days,
        "influences": [_influence(one) for one in influences],
    })  # fmt: skip


def _influence(one: Any) -> dict[str, Any]:
    row = one.row
    values = {"kind": one.kind, "id": row.pk, "start": documents.instant(row.start), "revision": row.revision}
    if one.kind == JUDGEMENT:
        return values | {"judgement": row.kind, "state": row.state, "value": row.value, "used": one.used}
    return values | {
        "factor": row.factor, "measure": row.measure, "period": row.kind, "value": row.value, "unit": row.unit or "",
        "valid": row.valid, "used": one.used,
    }  # fmt: skip


def _without_packets(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out packets for those who may not see them; the hashes stay those of the whole document."""
    inputs = [
        item | {"observed": {name: part for name, part in item["observed"].items() if name != "packet"}}
        if "observed" in item
        else item
        for item in content["inputs"]
    ]
    return content | {"inputs": inputs, "packets": []}


def _without_people(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out who decided, for people outside the bureau."""
    inputs = [
        item | {"verdict": {name: part for name, part in item["verdict"].items() if name != "person"}}
        if "verdict" in item
        else item
        for item in content["inputs"]
    ]
    reviews = [{name: part for name, part in item.items() if name != "person"} for item in content["reviews"]]
    return content | {"inputs": inputs, "reviews": reviews}
