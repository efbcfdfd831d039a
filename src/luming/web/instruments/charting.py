"""The control chart of a drift as data for <luming-drift>."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from luming.telemetry.instruments import words
from luming.telemetry.instruments.drift import Drift
from luming.telemetry.instruments.upkeep import needs_adjusting, record_url

OFFSET = 8 * 3600 * 1000  # ms from UTC to the city


def data(one: Drift) -> dict[str, Any]:
    """Return label, unit, limits, and for each calibration: time (ms), drift, EWMA with its limits, result, address."""
    rows, chart, last = one.known, one.chart, one.known[-1]
    return {
        "label": one.label,
        "unit": last.drift_unit,
        "offset": OFFSET,
        "adjust": last.limit_adjust,
        "control": last.limit_control,
        "edition": last.edition,
        "low": _finite(chart.low),
        "high": _finite(chart.high),
        "points": [
            {
                "t": int(row.performed_at.timestamp() * 1000),
                "v": row.drift,
                "tone": words.RESULTS[row.result].tag,
                "result": str(words.RESULTS[row.result].label),
                "by": row.performed_by,
                "url": record_url("calibrations", row.pk),
            }
            for row in rows
        ],
        "ewma": _list(chart.ewma),
        "ewmaLow": _list(chart.ewma_low),
        "ewmaHigh": _list(chart.ewma_high),
        "broken": sorted({*chart.beyond, *chart.ewma_beyond, *chart.runs}),
        "course": course(one),
    }


def rank(one: Drift) -> tuple[bool, bool, bool]:
    """Return where a chart stands: what must be adjusted first, then what crept or jumped, then what breaks a rule."""
    moved = one.course.kind in ("creeping", "jumped")
    return not needs_adjusting(one.last), not moved, one.chart.in_control


def course(one: Drift) -> str:
    """Say in words how the drift went."""
    change = f"{one.course.change:+.2f} {one.known[-1].drift_unit}"
    return {
        "steady": _("steady"),
        "creeping": _("creeping: %(change)s over the calibrations shown") % {"change": change},
        "jumped": _("jumped by %(change)s") % {"change": change},
        "unknown": _("too few calibrations to tell"),
    }[one.course.kind]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _list(values: Iterable[float]) -> list[float | None]:
    return [_finite(float(value)) for value in values]
