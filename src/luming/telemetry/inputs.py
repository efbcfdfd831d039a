"""What judges read: observations of places with the verdicts that hold, by period, in the unit the standard wants.

Only what counts is used: a value whose verdict is not VALID (without a verdict: whose mark is not N, HJ 212-2017
table 8) enters no judgement, and the judgement keeps it among its inputs with what spoke against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from luming.registry.models import Series
from luming.telemetry import store, units


@dataclass(frozen=True, slots=True)
class Used:
    """One observation as a judge used it."""

    series_id: int
    start: datetime
    revision: int
    value: float  # that counts or would count, in the wanted unit; NaN when there is none
    converted: float
    flag: str  # the device's own mark
    letter: str  # N: it counts; else the mark, or I (invalid) where checks or people speak against it
    unit: str
    verdict: int  # sequence of the verdict that holds; -1: only the mark speaks

    @property
    def usable(self) -> bool:
        """Tell whether the value counts."""
        return self.letter == "N"

    def as_input(self, *, converted: bool = False) -> list[object]:
        """Return the row that a judgement keeps (see ``Judgement.inputs``)."""
        value = self.converted if converted else self.value
        kept = None if np.isnan(value) else value
        said = [] if self.verdict < 0 else [self.verdict, self.letter]
        return [self.series_id, self.start.isoformat(), self.revision, kept, self.unit, self.flag, *said]


Table = dict[tuple[int, datetime], dict[str, Used]]  # (place, period) -> factor -> observation


def read(selection: Mapping[int, Sequence[datetime]], interval: str, wanted_units: Mapping[str, str]) -> Table:
    """Read the observations of the selected periods.

    Parameters
    ----------
    selection : periods' starts of each place.
    interval : of the series.
    wanted_units : factor code → unit of the result; factors that are not in it are left out, and so is a series whose
        unit cannot be converted (a fault of the register, not of the data).
    """
    series = {}
    for row in Series.objects.filter(place_id__in=selection, interval=interval, factor__in=wanted_units):
        try:
            series[row.pk] = (row, units.scale(row.unit, wanted_units[row.factor]))
        except ValueError:
            continue
    wanted = {place_id: frozenset(starts) for place_id, starts in selection.items()}
    table: Table = {(place_id, start): {} for place_id, starts in selection.items() for start in starts}
    if not series or not table:
        return table
    starts = [start for _place, start in table]
    columns = store.effective(list(series), min(starts), max(starts) + _TICK)
    letters = columns.letters
    instants = columns.start.astype("datetime64[us]").astype(object)
    for i, series_id in enumerate(columns.series_id.tolist()):
        row, factor = series[series_id]
        start = instants[i].replace(tzinfo=UTC)
        if start not in wanted[row.place_id]:
            continue
        table[row.place_id, start][row.factor] = Used(
            series_id,
            start,
            int(columns.revision[i]),
            _scaled(columns.used[i], factor),
            _scaled(columns.used_converted[i], factor),
            str(columns.flag[i] or "").strip(),
            str(letters[i]),
            wanted_units[row.factor],
            int(columns.sequence[i]),
        )
    return table


def _scaled(value: float, factor: float) -> float:
    """Scale without the noise of binary fractions: 0.0371 mg/m³ is 37.1 µg/m³."""
    return float(value) if factor == 1.0 else float(f"{float(value) * factor:.12g}")


_TICK = np.timedelta64(1, "us").astype(object)
