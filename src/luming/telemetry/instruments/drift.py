"""The drift of a device's instruments over time: its calibrations, their control chart and what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from luming.registry.models import Device
from luming.science import control
from luming.telemetry.instruments.models import Calibration, Work, factor_name

SHOWN = 60  # calibrations of a chart
_ORDER = {kind: position for position, kind in enumerate(Work.values)}


@dataclass(frozen=True, slots=True)
class Drift:
    """The calibrations of one factor and kind, oldest first, with the chart of those whose drift is known."""

    factor: str
    kind: str
    rows: Sequence[Calibration]
    chart: control.Chart
    course: control.Course

    @property
    def label(self) -> str:
        """Return what is calibrated and how."""
        return f"{factor_name(self.factor)} · {Work(self.kind).label}"

    @property
    def last(self) -> Calibration:
        """Return the newest calibration."""
        return self.rows[-1]

    @property
    def known(self) -> list[Calibration]:
        """Return the calibrations whose drift is known, in the unit of the newest one."""
        return _known(self.rows)

    @property
    def jumped_at(self) -> datetime | None:
        """Return the calibration at which the drift had jumped."""
        return self.known[self.course.at].performed_at if self.course.at is not None else None


def _known(rows: Sequence[Calibration]) -> list[Calibration]:
    """Keep what has a drift in the unit of the newest one: figures of other bases do not compare."""
    found = [row for row in rows if row.drift is not None]
    return [row for row in found if row.drift_unit == found[-1].drift_unit]


def of_device(device: Device, until: datetime, shown: int = SHOWN) -> list[Drift]:
    """Return the drifts of a device, by factor and kind; one query."""
    rows = Calibration.objects.filter(device=device, performed_at__lte=until).order_by("-performed_at", "-id")[
        : shown * 40
    ]
    groups: dict[tuple[str, str], list[Calibration]] = defaultdict(list)
    for row in rows:
        group = groups[row.factor, row.kind]
        if len(group) < shown:
            group.append(row)
    found = [_drift(factor, kind, group[::-1]) for (factor, kind), group in groups.items()]
    return sorted(found, key=lambda drift: (drift.factor, _ORDER[drift.kind]))


def _drift(factor: str, kind: str, rows: Sequence[Calibration]) -> Drift:
    known = _known(rows)
    values = np.array([row.drift for row in known], np.float64)
    return Drift(factor, kind, rows, control.chart(values, centre=0.0), control.course(values, _least(known)))


def _least(known: Sequence[Calibration]) -> float:
    """Return the change that is worth a word: half of what an instrument may drift, a per cent where nobody says."""
    limit = known[-1].limit_adjust if known else None
    return limit / 2 if limit else 1.0
