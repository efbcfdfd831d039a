"""What judges read: hourly observations of places, arranged by period, in the unit the standard wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from luming.registry.models import Series
from luming.telemetry import store, units

# HJ 212-2017 table 8: N is normal; what carries another mark is not used to judge.
USABLE_FLAGS = frozenset({"", "N"})


@dataclass(frozen=True, slots=True)
class Used:
    """One observation as a judge used it."""

    series_id: int
    start: datetime
    revision: int
    value: float  # in the wanted unit; NaN when there is none
    converted: float
    flag: str
    unit: str

    @property
    def usable(self) -> bool:
        """Tell whether the device's own mark lets the value count."""
        return self.flag in USABLE_FLAGS

    def as_input(self, *, converted: bool = False) -> list[object]:
        """Return the row that a judgement keeps (see ``Judgement.inputs``)."""
        value = self.converted if converted else self.value
        kept = None if np.isnan(value) else value
        return [self.series_id, self.start.isoformat(), self.revision, kept, self.unit, self.flag]


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
    columns = store.observations(list(series), min(starts), max(starts) + _TICK)
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
            _scaled(columns.value[i], factor),
            _scaled(columns.converted[i], factor),
            str(columns.flag[i] or "").strip(),
            wanted_units[row.factor],
        )
    return table


def _scaled(value: float, factor: float) -> float:
    """Scale without the noise of binary fractions: 0.0371 mg/m³ is 37.1 µg/m³."""
    return float(value) if factor == 1.0 else float(f"{float(value) * factor:.12g}")


_TICK = np.timedelta64(1, "us").astype(object)
