"""What the workbench draws of one place and day, as plain data: values, drafts, bands, limits, colleagues, history."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core.models import User
from luming.registry.models import Limit, Place, Series
from luming.registry.queries import limits_in_force
from luming.science.qc.catalogue import catalogue
from luming.telemetry import units
from luming.telemetry.review import deciding, presence, queue, rules, seen, words
from luming.telemetry.review.models import Action, Draft, Question, ReviewDay
from luming.telemetry.store import Quality
from luming.web import words as web_words
from luming.web.periods import in_order
from luming.web.review import bands
from luming.web.templatetags.luming import outletname

DAY = timedelta(days=1)
NEIGHBOURS = 3


def milliseconds(moment: datetime) -> int:
    """Return an instant as JavaScript counts it."""
    return int(moment.timestamp() * 1000)


def number(value: float | None) -> float | None:
    """Return a figure without the tail of binary fractions; None for none."""
    return None if value is None or math.isnan(value) else float(f"{value:.8g}")


def title(place: Place) -> str:
    """Return what a page calls a place; an outlet with its facility's name."""
    return f"{place.outlet.facility.name} {outletname(place)}" if place.kind == Place.Kind.OUTLET else place.name


def of_day(user: User, day: ReviewDay) -> dict[str, Any]:
    """Return everything that the workbench shows of a day, the day before and the day after."""
    place = day.place
    series = seen.series_of_day(place)
    wide = seen.look(series, day.start - DAY, day.end + DAY)
    sight = wide.within(day.start, day.end)
    drafts = list(Draft.objects.filter(day=day, user=user).select_related("series", "code", "other"))
    ordered = in_order(series, place.medium)
    rows = _rows(sight, ordered, day.start, day.end)
    found = {
        "key": f"{place.pk}/{day.day:%Y-%m-%d}",
        "id": day.pk,
        "title": title(place),
        "medium": str(place.get_medium_display()),
        "place": reverse("place", args=[place.pk]),
        "day": day.day.isoformat(),
        "state": str(words.state(day).label),
        "tag": words.state(day).tag,
        "open": day.is_waiting and user.may("review.decide"),
        "signed": not day.is_waiting,
        "awaits": day.awaits_second,
        "due": timezone.localtime(day.deadline).strftime("%m-%d %H:%M"),
        "late": day.is_waiting and day.deadline < timezone.now(),
        "grounds": words.grounds(day),
        "fingerprint": sight.fingerprint(),
        "offset": int(timezone.localtime(day.start).utcoffset().total_seconds() * 1000),  # type: ignore[union-attr]
        "start": milliseconds(day.start),
        "end": milliseconds(day.end),
        "series": _series(place, ordered, day),
        "rows": rows,
        "cells": _cells(sight, ordered, rows),
        "around": _around(wide, ordered),
        "bands": bands.of_place(user, place, day.start - DAY, day.end + DAY),
        "reasons": _reasons(day),
        "others": _others(user, place, ordered),
        "history": _history(day),
        "questions": _questions(user, day),
        "finer": Series.objects.filter(place=place, interval__in=("minute", "realtime")).exists(),
    }
    return found | of_drafts(user, day, drafts, sight)


def of_drafts(
    user: User, day: ReviewDay, drafts: list[Draft] | None = None, sight: seen.Sight | None = None
) -> dict[str, Any]:
    """Return the drafts, how much is left to decide, and who else is there: what an answer to a key press holds."""
    if drafts is None:
        drafts = list(Draft.objects.filter(day=day, user=user).select_related("series", "code", "other"))
    if sight is None:
        sight = seen.look_at_day(day)
    holds = deciding.holding(drafts, [sight])
    doubtful = [key for key, value in sight.values.items() if seen.spoke(value)]
    return {
        "drafts": [_draft(row) for row in drafts],
        "doubtful": len(doubtful),
        "undecided": sum(key not in holds for key in doubtful),
        "decided": len(holds),
        "colleagues": [
            {"name": row.name, "here": row.is_here, "drafts": row.drafts, "clashes": row.clashes}
            for row in presence.colleagues(user, day)
        ],
    }


def finer(day: ReviewDay, hour: datetime) -> dict[str, Any]:
    """Return the minutes (or real-time values) of an hour, with columns and cells like those of the hours."""
    series = list(Series.objects.filter(place=day.place_id, interval__in=("minute", "realtime")).order_by("pk"))
    end = hour + timedelta(hours=1)
    sight = seen.look(series, hour, end)
    held = {series_id for series_id, _start in sight.values}
    factors = {row.factor for row in series if row.interval == "minute" and row.pk in held}
    shown = [row for row in series if row.pk in held and (row.interval == "minute" or row.factor not in factors)]
    ordered = in_order(shown, day.place.medium)
    rows = sorted({milliseconds(start) for _series_id, start in sight.values})
    return {"series": _series(day.place, ordered, day), "rows": rows, "cells": _cells(sight, ordered, rows)}


def neighbours(user: User, day: ReviewDay) -> dict[str, Any]:
    """Return the hourly values of the nearest places of the same kind and medium, by factor."""
    near = _nearest(user, day.place)
    series = list(Series.objects.filter(place__in=[place.pk for place in near], interval="hour").order_by("pk"))
    sight = seen.look(series, day.start - DAY, day.end + DAY)
    names = {place.pk: title(place) for place in near}
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in series:
        points = [
            (milliseconds(start), number(value.used))
            for (pk, start), value in sorted(sight.values.items())
            if pk == row.pk and value.quality == Quality.VALID
        ]
        if points:
            lines.setdefault(row.factor, []).append({"name": names[row.place_id], "unit": row.unit, "points": points})
    return {"factors": lines, "names": list(names.values())}


def _nearest(user: User, place: Place) -> list[Place]:
    """Return the nearest visible places that measure the same medium; of an outlet those of its facility first."""
    rows = Place.objects.visible_to(user).filter(kind=place.kind, medium=place.medium, is_active=True)
    rows = rows.exclude(pk=place.pk).select_related("outlet__facility")
    own = place.outlet.facility_id if place.kind == Place.Kind.OUTLET else None

    def distance(other: Place) -> tuple[bool, float]:
        same = own is not None and other.outlet.facility_id == own
        width = math.cos(math.radians(place.latitude))
        return not same, math.hypot((other.longitude - place.longitude) * width, other.latitude - place.latitude)

    return sorted(rows, key=distance)[:NEIGHBOURS]


# ---- parts -----------------------------------------------------------------------------------------------------------


def _rows(sight: seen.Sight, series: Iterable[Series], start: datetime, end: datetime) -> list[int]:
    """Return the beginnings of the table's rows: every period held, and every one expected."""
    found = {milliseconds(moment) for _series_id, moment in sight.values}
    shortest = min((row.seconds for row in series if row.seconds), default=3600)
    if not any(milliseconds(start) % (shortest * 1000) != moment % (shortest * 1000) for moment in found):
        found |= set(range(milliseconds(start), milliseconds(end), shortest * 1000))
    return sorted(found)


def _series(place: Place, series: Iterable[Series], day: ReviewDay) -> list[dict[str, Any]]:
    limits = {
        limit.factor: limit
        for limit in limits_in_force([place.pk], day.day).get(place.pk, [])
        if limit.basis == Limit.Basis.HOUR and place.kind == Place.Kind.OUTLET
    }
    return [
        {
            "id": row.pk, "factor": row.factor, "name": web_words.factor_name(row.factor), "unit": row.unit,
            "seconds": row.seconds, "limit": _limit(row, limits.get(row.factor)),
        }
        for row in series
    ]  # fmt: skip


def _limit(series: Series, limit: Limit | None) -> dict[str, Any] | None:
    """Return a limit in the unit of a series; one that judges the converted value says so."""
    if limit is None:
        return None
    try:
        scale = units.scale(series.unit, limit.unit)
    except ValueError:
        return None
    bounds = {name: getattr(limit, name) / scale for name in ("upper", "lower") if getattr(limit, name) is not None}
    return bounds | {"converted": limit.converted}


def _cells(sight: seen.Sight, series: Iterable[Series], rows: list[int]) -> dict[int, list[dict[str, Any] | None]]:
    position = {moment: index for index, moment in enumerate(rows)}
    found: dict[int, list[dict[str, Any] | None]] = {row.pk: [None] * len(rows) for row in series}
    for (series_id, start), value in sight.values.items():
        if series_id in found:
            found[series_id][position[milliseconds(start)]] = _cell(value)
    return found


def _cell(value: seen.Value) -> dict[str, Any]:
    verdict = value.verdict
    cell: dict[str, Any] = {
        "v": number(value.value), "u": number(value.used), "q": value.quality, "f": value.flag,
        "r": value.revision, "s": value.sequence, "k": number(value.converted),
    }  # fmt: skip
    if value.origin:
        cell["o"] = str(words.ORIGINS[value.origin])
    if value.flag not in ("", "N"):
        cell["n"] = web_words.flag_name(value.flag)
    if verdict is not None:
        cell["c"] = [_spoken(check) for check in verdict.checks]
        cell["p"] = verdict.person_id is not None
        cell["w"] = verdict.reason
    if seen.spoke(value):
        cell["d"] = True  # wants a decision
    return cell


def _spoken(check: str) -> str:
    """Return a check that spoke, with its name."""
    code, _colon, result = check.partition(":")
    known = catalogue().get(code)
    name = "" if known is None else (known.zh if web_words.chinese() else known.en)
    said = {"3": _("suspect"), "4": _("invalid")}.get(result, result)
    return f"{code} {name} ({said})" if name else f"{code} ({said})"


def _around(wide: seen.Sight, series: Iterable[Series]) -> dict[int, list[Any]]:
    """Return the points of the chart over three days: instant, what was observed, what counts, quality."""
    found: dict[int, list[Any]] = {row.pk: [] for row in series}
    for (series_id, start), value in sorted(wide.values.items()):
        if series_id in found:
            found[series_id].append((milliseconds(start), number(value.value), number(value.used), value.quality))
    return found


def _draft(row: Draft) -> dict[str, Any]:
    return {
        "step": row.step, "series": row.series_id, "start": milliseconds(row.start), "end": milliseconds(row.end),
        "action": row.action, "label": str(words.ACTIONS[row.action].label), "code": str(row.code),
        "reason": "" if row.reason == row.code.name_zh else row.reason, "value": row.value,
        "other": title(row.other.place) if row.other else "",
        "factor": web_words.factor_name(row.series.factor), "interval": row.series.interval,
    }  # fmt: skip


def _reasons(day: ReviewDay) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {action: [] for action in Action.values}
    for row in rules.reasons(day.day):
        free = row.code.startswith("other")
        found[row.action].append({"id": row.pk, "key": row.key, "name": str(row), "free": free})
    return found


def _others(user: User, place: Place, series: Iterable[Series]) -> dict[int, list[dict[str, Any]]]:
    """Return for each series those of other devices at the same spot or facility that may stand in for it."""
    own = list(series)
    box = {"place__latitude__range": (place.latitude - 0.01, place.latitude + 0.01)}
    box["place__longitude__range"] = (place.longitude - 0.01, place.longitude + 0.01)
    rows = (
        Series.objects.visible_to(user)
        .filter(interval="hour", factor__in={row.factor for row in own}, place__medium=place.medium, **box)
        .exclude(place=place.pk)
        .select_related("place__outlet__facility")
        .order_by("place__code")
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for other in rows:
        for row in own:
            if (other.factor, other.seconds, other.unit) == (row.factor, row.seconds, row.unit):
                found.setdefault(row.pk, []).append({"id": other.pk, "name": title(other.place)})
    return found


def _history(day: ReviewDay) -> list[dict[str, Any]]:
    rows = day.reviews.select_related("user", "countersignature__user").order_by("number")
    return [
        {
            "number": row.number, "who": row.user.name if row.user else _("The platform"),
            "at": timezone.localtime(row.at).strftime("%m-%d %H:%M"), "hash": row.hash[:12],
            "url": reverse("review-signature", args=[row.pk]),
            "second": row.countersignature.user.name if hasattr(row, "countersignature") else "",
            "refused": hasattr(row, "countersignature") and not row.countersignature.accepted,
        }
        for row in rows
    ]  # fmt: skip


def _questions(user: User, day: ReviewDay) -> list[dict[str, Any]]:
    rows = Question.objects.filter(day=day).select_related("series", "answered_by")
    return [
        {
            "text": row.text, "factor": web_words.factor_name(row.series.factor),
            "start": timezone.localtime(row.start).strftime("%H:%M"),
            "end": timezone.localtime(row.end).strftime("%H:%M"),
            "answer": row.answer, "who": row.answered_by.name if row.answered_by else "",
            "url": reverse("record", args=["questions", row.pk]),
        }
        for row in rows
    ]  # fmt: skip


def next_of(user: User, day: ReviewDay) -> str:
    """Return the address of the day that should be looked at next, nothing when the queue is empty."""
    row = queue.ordered(queue.waiting(user).exclude(pk=day.pk)).values_list("place_id", "day").first()
    return "" if row is None else reverse("review-day", args=[row[0], row[1].isoformat()])


def instant(text: str | None) -> datetime:
    """Read an instant that the page sent in milliseconds.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return datetime.fromtimestamp(int(text or "") / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error
