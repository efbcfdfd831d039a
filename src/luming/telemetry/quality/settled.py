"""Settings in force: what people have set for the checks of series, by day, as the runs of checks take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q

from luming.hj212 import CHINA
from luming.science.qc.catalogue import Settings
from luming.science.qc.model import Severity
from luming.standards.edition import midnight
from luming.telemetry.quality.facts import PlaceFacts, SeriesFacts
from luming.telemetry.quality.models import CheckSetting


@dataclass(frozen=True, slots=True)
class Regime:
    """Which checks run with what over a period: equal regimes run together.

    ``changes`` are (code, enabled, severity or "", ((parameter, number), …)); ``settings`` the ids they come from.
    """

    changes: tuple[tuple[str, bool, str, tuple[tuple[str, float], ...]], ...] = ()
    settings: tuple[int, ...] = ()

    @property
    def off(self) -> frozenset[str]:
        """Return the checks that are not in use."""
        return frozenset(code for code, enabled, _severity, _parameters in self.changes if not enabled)

    @property
    def parameters(self) -> Settings:
        """Return the parameters that differ from the defaults, as the catalogue takes them."""
        return {code: dict(parameters) for code, _enabled, _severity, parameters in self.changes if parameters}

    @property
    def severities(self) -> dict[str, Severity]:
        """Return the severities that differ from the catalogue's."""
        return {code: Severity(severity) for code, _enabled, severity, _parameters in self.changes if severity}


DEFAULT = Regime()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of days under one regime, ``start`` included, ``end`` not."""

    start: datetime
    end: datetime
    regime: Regime


class InForce:
    """The settings that concern some places in a period; one query."""

    def __init__(self, places: Mapping[int, PlaceFacts], start: datetime, end: datetime) -> None:
        self.start, self.end = start, end
        first, last = _day(start), _day(end)
        rows = CheckSetting.objects.filter(
            Q(effective_to__isnull=True) | Q(effective_to__gte=first), effective_from__lte=last
        ).filter(Q(series__isnull=True) | Q(series__place_id__in=list(places)))
        self._of_series: dict[int, list[CheckSetting]] = defaultdict(list)
        self._of_factor: dict[tuple[str, str], list[CheckSetting]] = defaultdict(list)
        for row in rows.order_by("effective_from", "pk"):
            if row.series_id:
                self._of_series[row.series_id].append(row)
            else:
                self._of_factor[row.medium, row.factor].append(row)

    def regimes(self, places: Mapping[int, PlaceFacts]) -> frozenset[Regime]:
        """Return the regimes that differ from the default."""
        if not self._of_series and not self._of_factor:
            return frozenset()
        every = (piece.regime for place in places.values() for one in place.series for piece in self.pieces(place, one))
        return frozenset(regime for regime in every if regime != DEFAULT)

    def pieces(self, place: PlaceFacts, series: SeriesFacts) -> list[Piece]:
        """Return the regimes of a series over the period, in order of time."""
        general = self._of_factor.get((place.medium, ""), [])
        layers = (general, self._of_factor.get((place.medium, series.code), []), self._of_series.get(series.pk, []))
        if not any(layers):
            return [Piece(self.start, self.end, DEFAULT)]
        found: list[Piece] = []
        for first, last in _stretches([row for layer in layers for row in layer], self.start, self.end):
            regime = regime_on(layers, _day(first))
            if found and found[-1].regime == regime:
                found[-1] = Piece(found[-1].start, last, regime)
            else:
                found.append(Piece(first, last, regime))
        return found


def regime_on(layers: Iterable[Sequence[CheckSetting]], day: date) -> Regime:
    """Return the regime of a day; layers from the most general to the most special, each ordered by its dates.

    A more special setting adds its parameters to those of the more general one and decides all else.
    """
    enabled: dict[str, bool] = {}
    severity: dict[str, str] = {}
    numbers: dict[str, dict[str, float]] = defaultdict(dict)
    used: list[int] = []
    for layer in layers:
        for row in layer:
            if row.effective_from <= day and (row.effective_to is None or day <= row.effective_to):
                enabled[row.code], severity[row.code] = row.enabled, row.severity
                numbers[row.code] |= row.parameters
                used.append(row.pk)
    changes = tuple(
        (code, enabled[code], severity[code], tuple(sorted(numbers[code].items()))) for code in sorted(enabled)
    )
    return Regime(changes, tuple(sorted(used))) if changes else DEFAULT


def _stretches(rows: Iterable[CheckSetting], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the period cut where a setting begins or ends."""
    cuts = {start, end}
    for row in rows:
        for day in (row.effective_from, row.effective_to and row.effective_to + timedelta(days=1)):
            if day is not None and start < (moment := midnight(day)) < end:
                cuts.add(moment)
    ordered = sorted(cuts)
    return list(pairwise(ordered))


def _day(moment: Any) -> date:
    return moment.astimezone(CHINA).date()
