"""Periods in which something was done to a device or a plant, as the checks take them: calibrations, work, marks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from luming.hj212 import CHINA
from luming.science.qc.model import Span
from luming.telemetry.instruments import spans as instruments
from luming.telemetry.marks import reading as marks
from luming.telemetry.quality.facts import short

BEFORE = timedelta(days=100)  # a calibration vouches for what follows; the slowest ones come every quarter
STOPPED = frozenset({"stopped"})
_POINTS = (("zero", "zero"), ("span", "span"))


def of_places(media: Mapping[int, str], start: datetime, end: datetime) -> dict[int, list[Span]]:
    """Return the periods of places that matter to values in [start, end); ``media`` are place id -> medium."""
    found: dict[int, list[Span]] = defaultdict(list)
    for source in (instruments.spans, marks.spans):
        for place_id, rows in source(list(media), start - BEFORE, end).items():
            for kind, begin, until, detail in rows:
                said = _translated(detail, media[place_id]) if kind == "calibration" else dict(detail)
                found[place_id].append(Span(kind, instant(begin), instant(until), said))
    return dict(found)


def _translated(detail: Mapping[str, Any], medium: str) -> dict[str, Any]:
    """Say of a calibration what the checks read: factor, point, and drift in per cent of full scale."""
    said = {"factor": short(str(detail.get("factor", "")), medium), "work": detail.get("work", "")}
    said["point"] = next((point for word, point in _POINTS if word in str(detail.get("work", ""))), "")
    if isinstance(detail.get("standard"), int | float):
        said["target"] = detail["standard"]
    drift, unit = detail.get("drift"), str(detail.get("unit") or "")
    if drift is not None and unit == "%FS":
        said |= {"expected": 0.0, "measured": float(drift), "full_scale": 100.0}
    return said


def city_day(moment: datetime) -> date:
    """Return the day of the city that an instant belongs to."""
    return moment.astimezone(CHINA).date()


def instant(moment: datetime) -> np.datetime64:
    """Return an aware instant as the checks have it: UTC, whole seconds."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "s")
