"""Suspicions of fabricated data: the tests of the catalogue run over months of a place; what they find is kept once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import transaction

from luming.registry.models import Limit, Place, Series
from luming.registry.queries import limits_in_force
from luming.science.qc.catalogue import Settings, catalogue, edition, suspicions
from luming.science.qc.fraud import as_dict
from luming.science.qc.model import Severity, Suspicion, Window
from luming.telemetry import units
from luming.telemetry.quality import facts, periods
from luming.telemetry.quality.batches import gather
from luming.telemetry.quality.facts import PlaceFacts
from luming.telemetry.quality.models import CheckRun, SuspicionRecord
from luming.telemetry.quality.settled import InForce

# How far back the tests look, by interval: hours tell of habits, minutes of calibrations.
DEPTHS = {"hour": timedelta(days=90), "minute": timedelta(days=30)}
LEAST = timedelta(days=3)
OF_MINUTES = frozenset({"FRAUD-CALIBRATION"})  # the others read hours; minutes would say the same again
SAME = 0.5  # share of the shorter period that two findings of one test on one series have in common when they are one


def codes() -> tuple[str, ...]:
    """Return the checks that raise suspicions."""
    return tuple(code for code, check in catalogue().items() if check.severity is Severity.SIGNAL)


def search(place_id: int, until: datetime, *, since: datetime | None = None, again: bool = False) -> int:
    """Search one place for signs of fabricated data up to a moment; return how many new suspicions were found.

    A search of the same period by the same edition is not repeated unless ``again``.
    """
    place = Place.objects.get(pk=place_id)
    start = since or until - max(DEPTHS.values())
    run = CheckRun.objects.filter(
        kind=CheckRun.Kind.SUSPICION, place=place, start=start, end=until, edition=edition()
    ).first()
    if run is not None and not again:
        return 0
    new = values = 0
    for interval, depth in DEPTHS.items():
        known = facts.load([place_id], interval).get(place_id)
        if known is None:
            continue
        for window, found in _findings(known, interval, max(start, until - depth) if since is None else start, until):
            values += len(window)
            new += _keep(place, interval, known, found)
    CheckRun.objects.update_or_create(
        kind=CheckRun.Kind.SUSPICION, place=place, interval="", start=start, end=until,
        defaults={"edition": edition(), "values": values, "found": new},
    )  # fmt: skip
    return new


def _findings(
    place: PlaceFacts, interval: str, start: datetime, end: datetime
) -> Iterator[tuple[Window, list[Suspicion]]]:
    """Yield each window of a place with what the tests suspect in it."""
    in_force = InForce({place.pk: place}, end - timedelta(days=1), end)
    spans = periods.of_places({place.pk: place.medium}, start, end).get(place.pk, [])
    for batch in gather([place], start, end, datetime.now(UTC)):
        window = replace(
            batch.own(0, spans),
            range={one.factor: one.range for one in place.series if one.range is not None},
            reference_oxygen=place.reference_oxygen,
            limit=limits_of(place, end),
        )
        if window.time[-1] - window.time[0] < np.timedelta64(LEAST):
            continue
        found: list[Suspicion] = []
        for series in place.series:
            if series.factor not in window.values:
                continue
            regime = in_force.pieces(place, series)[-1].regime
            wanted = [code for code in codes() if code not in regime.off and (interval == "hour" or code in OF_MINUTES)]
            chosen: Settings = {code: some for code, some in regime.parameters.items() if code in wanted}
            found += suspicions(window, [series.factor], wanted, chosen)
        yield window, found


def limits_of(place: PlaceFacts, when: datetime) -> dict[str, float]:
    """Return the upper hourly limits in force at an outlet, by factor, in the unit of the checks."""
    found: dict[str, float] = {}
    for limit in limits_in_force([place.pk], when).get(place.pk, []):
        factor = facts.short(limit.factor, place.medium)
        if limit.upper is None or (limit.basis != Limit.Basis.HOUR and factor in found):
            continue
        try:
            found[factor] = limit.upper * units.scale(limit.unit, facts.factors.unit(factor, place.medium))
        except ValueError:
            continue
    return found


def _keep(place: Place, interval: str, known: PlaceFacts, found: list[Suspicion]) -> int:
    """Keep findings, each once; return how many are new."""
    by_factor = {one.factor: one.pk for one in known.series}
    new = 0
    with transaction.atomic():
        for suspicion in found:
            new += _keep_one(place, by_factor[suspicion.factor], suspicion)
    return new


def _keep_one(place: Place, series_id: int, found: Suspicion) -> bool:
    said = as_dict(found)
    start, end = aware(found.start), aware(found.end)
    figures = {
        "strength": found.strength, "numbers": said["numbers"], "picture": said["picture"], "end": end,
        "sentence_zh": found.zh, "sentence_en": found.en, "edition": edition(), "last_found_at": datetime.now(UTC),
    }  # fmt: skip
    Series.objects.select_for_update(of=("self",)).get(pk=series_id)  # one finder at a time
    for row in SuspicionRecord.objects.filter(series_id=series_id, code=found.code, start__lt=end, end__gt=start):
        if not _same(row, start, end):
            continue
        if row.state == SuspicionRecord.State.OPEN:
            for name, value in figures.items():
                setattr(row, name, value)
            row.end = max(row.end, end)
        else:
            row.last_found_at = figures["last_found_at"]
        row.save()
        return False
    key = f"{found.code}:{series_id}:{start:%Y%m%d%H%M}"
    _row, created = SuspicionRecord.objects.get_or_create(
        key=key,
        defaults={
            "code": found.code, "place": place, "series_id": series_id, "start": start,
            "found_at": figures["last_found_at"], **figures,
        },
    )  # fmt: skip
    return created


def _same(row: SuspicionRecord, start: datetime, end: datetime) -> bool:
    common = min(row.end, end) - max(row.start, start)
    return common >= SAME * min(row.end - row.start, end - start)


def aware(moment: np.datetime64) -> datetime:
    """Return an instant of the checks as an aware one."""
    return moment.astype("datetime64[us]").astype(object).replace(tzinfo=UTC)
