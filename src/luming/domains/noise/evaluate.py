"""Noise: each hour's equivalent level against the limit of the station's zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from luming.registry.models import Station
from luming.standards import noise
from luming.standards.edition import CITY_ZONE
from luming.telemetry import inputs
from luming.telemetry.judging import Outcome

KIND = "noise-hour"
LEQ = "Leq"  # HJ 212-2017 table B.3


def judge_hours(selection: Mapping[int, Sequence[datetime]], interval: str) -> list[Outcome]:
    """Compare hourly Leq with the day or night limit of the zone (GB 3096-2008 table 1).

    The standard evaluates a day by Ld and Ln; an hour above the limit is a hint, and is called nothing more. Stations
    without a zone are not judged.
    """
    zones = dict(Station.objects.filter(pk__in=selection).values_list("pk", "zone_class"))
    limits = noise.limits("GB 3096")
    outcomes = []
    for (place_id, start), row in inputs.read(selection, interval, {LEQ: "dB"}).items():
        limit, used = limits.get(zones.get(place_id, "")), row.get(LEQ)
        if limit is None or used is None or not used.usable or np.isnan(used.value):
            continue
        night = bool(noise.is_night(start.astimezone(CITY_ZONE).hour))
        over = float(noise.exceedance(used.value, limit.zone, night))
        outcomes.append(
            Outcome(
                place_id,
                KIND,
                start,
                state="exceeding" if over > 0 else "normal",
                value=used.value,
                detail={"limit": limit.night if night else limit.day, "night": night, "over": over, "zone": limit.zone},
                edition=limit.edition,
                inputs=[used.as_input()],
                severity=1 if over > 0 else 0,
            )
        )
    return outcomes
