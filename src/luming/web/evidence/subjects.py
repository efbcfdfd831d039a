"""The subjects of evidence inside a person's scope: what is outside of it does not exist."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import Http404
from django.shortcuts import get_object_or_404

from luming.core.models import User
from luming.registry.models import Place, Series
from luming.telemetry.evidence import influence, lineage
from luming.telemetry.evidence.influence import Influence
from luming.telemetry.evidence.lineage import Lineage
from luming.telemetry.models import Judgement
from luming.telemetry.statistics.models import Statistic
from luming.web.scope import visible_packet

Found = tuple[Lineage, list[Influence]]


def judgement(user: User, pk: int) -> Found:
    """Return what a judgement came from; nothing follows from a judgement."""
    rows = Judgement.objects.filter(place__in=Place.objects.visible_to(user).order_by().values("pk"))
    return lineage.of_judgement(get_object_or_404(rows, pk=pk)), []


def statistic(user: User, pk: int) -> Found:
    """Return what a statistic came from and went into."""
    row = get_object_or_404(Statistic.objects.visible_to(user), pk=pk)
    return lineage.of_statistic(row), influence.of_statistic(row)


def value(user: User, series: int, start: int) -> Found:
    """Return all revisions of a value and what the latest one went into."""
    row = get_object_or_404(Series.objects.visible_to(user), pk=series)
    try:
        moment = datetime.fromtimestamp(start / 1000, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Http404 from error
    found = lineage.of_value(row, moment)
    if not found.inputs:
        raise Http404
    return found, influence.of_value(row, moment, found.inputs[0].revision)


def packet(user: User, pk: int) -> Found:
    """Return what a packet became, and what its values went into."""
    found = lineage.of_packet(visible_packet(user, pk))
    if found.place is not None and not Place.objects.visible_to(user).filter(pk=found.place.pk).exists():
        found.place, found.inputs = None, []
    values = [(item.series, item.start, item.revision) for item in found.inputs if item.series is not None]
    return found, influence.of_packet(values)
