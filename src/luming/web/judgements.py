"""From a number to its packet: judgements, their inputs, and the points of charts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import orjson
from django.utils.dateparse import parse_datetime

from luming.registry.models import Limit, Place, Series
from luming.standards import edition as editions
from luming.telemetry import store
from luming.telemetry.models import Judgement
from luming.telemetry.quality import words as quality_words
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store.verdicts import NORMAL_LETTERS
from luming.web import words
from luming.web.periods import Look
from luming.web.states import exceeding, headline, short_name

MAX_POINTS = 2000


def dumps(value: Any) -> bytes:
    """Write JSON with numpy arrays; NaN becomes null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def edition(judgement: Judgement | None) -> dict[str, Any] | None:
    """Return the title and source of the edition that judged, as far as the tables know it."""
    if judgement is None:
        return None
    try:
        found = editions.edition(judgement.edition)
    except LookupError:
        # limits of a permit: their own marks say whether they were compared with its text
        return {"title": judgement.edition, "source": "", "verified": not judgement.detail.get("unverified")}
    title = found.title_zh if words.chinese() else found.title_en
    return {"title": f"{found.key} {title}", "source": found.source, "verified": found.verified}


def explained(place: Place, judgement: Judgement) -> dict[str, Any]:
    """Return what a judgement's page shows."""
    detail = judgement.detail
    ids = [item[0] for item in judgement.inputs]
    series = Series.objects.filter(place=place).in_bulk(ids)
    inputs = []
    for item in judgement.inputs:
        row, start = series.get(item[0]), parse_datetime(str(item[1]))
        if row is None or start is None:
            continue
        inputs.append(
            {
                "series": row,
                "start": start,
                "ms": int(start.timestamp() * 1000),
                "revision": item[2],
                "value": item[3],
                "unit": item[4],
                "flag": item[5] if len(item) > 5 else "",
            }
        )
    return {
        "edition": edition(judgement),
        "state": words.state(judgement.state),
        "headline": headline(place.medium, judgement.value, detail),
        "inputs": inputs,
        "statistics": Statistic.objects.filter(pk__in=(detail.get("statistics") or {}).values()).order_by("factor"),
        "indices": [(short_name(short, place.medium), value) for short, value in (detail.get("iaqi") or {}).items()],
        "exceeding": exceeding(detail, place.medium),
        "figures": [(words.factor_name(code), figures) for code, figures in (detail.get("factors") or {}).items()],
        "revisions": Judgement.objects.filter(place=place, kind=judgement.kind, start=judgement.start).order_by(
            "-revision"
        ),
    }


def uses(place: Place, series: Series, start: datetime) -> list[Judgement]:
    """Return the judgements of a period that used a value."""
    rows = Judgement.objects.filter(place=place, start=start).order_by("kind", "-revision")
    found = [row for row in rows if any(item[0] == series.pk for item in row.inputs)]
    for row in found:
        row.word = words.state(row.state)
    return found


def chart_series(look: Look, limits: dict[str, Limit]) -> list[dict[str, Any]]:
    """Return the points of each series of a look as columns, with its limit."""
    ids = [series.pk for series in look.series]
    if look.column == "amount":  # amounts add up; they are never thinned
        table = store.observations(ids, look.start, look.end)
        points = {series_id: _amounts(table.of(series_id)) for series_id in ids}
    else:
        charts = store.chart(ids, look.start, look.end, max_points=MAX_POINTS)
        points = {series_id: _columns(charts[series_id], look.column) for series_id in ids if series_id in charts}
    single = [pk for pk, own in points.items() if not own["bucket"]]
    quality = store.effective(single, look.start, look.end) if single else None
    found = []
    for series in look.series:
        limit = limits.get(series.factor)
        if limit is not None and (limit.converted != (look.column == "converted") or look.column == "amount"):
            limit = None  # a limit of converted values says nothing of the measured ones
        found.append(
            {
                "id": series.pk,
                "name": words.factor_name(series.factor),
                "unit": words.factor_amount_unit(series.factor) if look.column == "amount" else series.unit,
                "seconds": series.seconds,
                "limit": {"upper": limit.upper, "lower": limit.lower} if limit else None,
                "exceeding": _above(points.get(series.pk), limit),
                "out": _left_out(quality, series.pk, points.get(series.pk)),
            }
            | points.get(series.pk, {"t": [], "v": [], "bucket": 0, "flags": []})
        )
    return found


def _left_out(quality: store.Effective | None, series_id: int, points: dict[str, Any] | None) -> list[tuple[int, str]]:
    """Return (index, word) of the points that a check or a person keeps out, where the device's mark is normal."""
    if quality is None or points is None or points["bucket"]:
        return []
    own = quality.of(series_id)
    out = ~own.counts & np.isin(own.flag, NORMAL_LETTERS) & ~np.isnan(own.value)
    word = dict(zip(milliseconds(own.start[out]).tolist(), own.quality[out].tolist(), strict=True))
    return [
        (index, str(quality_words.QUALITIES[store.Quality(word[moment])].label))
        for index, moment in enumerate(points["t"].tolist() if len(points["t"]) else [])
        if moment in word
    ]


def _columns(chart: Any, column: str) -> dict[str, Any]:
    """Return a chart's points as columns: ``t`` (ms of the start), ``v``, ``low``, ``high``, ``flags``.

    ``at`` is the period that a click on a point leads to; it is left out when it is the point itself.
    """
    if column == "converted" and np.isnan(chart.converted).all():  # such as oxygen, which is never converted
        column = "value"
    found = {
        "t": milliseconds(chart.start),
        "v": chart.value if column == "value" else chart.converted,
        "bucket": 0 if chart.bucket is None else int(chart.bucket.total_seconds()),
        "flags": _marked(chart.flag),
    }
    if column == "value" and not (np.isnan(chart.minimum).all() or np.isnan(chart.maximum).all()):
        found |= {"low": chart.minimum, "high": chart.maximum}
    if chart.bucket is not None:
        found["at"] = milliseconds(chart.peak)
    return found


def _amounts(columns: Any) -> dict[str, Any]:
    return {"t": milliseconds(columns.start), "v": columns.amount, "bucket": 0, "flags": _marked(columns.flag)}


def milliseconds(starts: Any) -> Any:
    """Return numpy instants as milliseconds since 1970."""
    return starts.astype("datetime64[ms]").astype(np.int64)


def _marked(flags: Any) -> list[tuple[int, str, str]]:
    """Return (index, mark, its words) of the points whose mark is not normal."""
    return [
        (index, flag, words.flag_name(flag))
        for index, flag in enumerate(str(item).strip() for item in flags.tolist())
        if flag not in ("", "N")
    ]


def _above(points: dict[str, Any] | None, limit: Limit | None) -> list[int]:
    """Return the indices of points beyond their limit."""
    if points is None or limit is None:
        return []
    values = points["v"]
    with np.errstate(invalid="ignore"):
        beyond = np.zeros(len(values), bool)
        if limit.upper is not None:
            beyond |= values > limit.upper
        if limit.lower is not None:
            beyond |= values < limit.lower
    return [int(index) for index in np.flatnonzero(beyond)]
