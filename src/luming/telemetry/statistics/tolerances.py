"""Whether the platform's own hour differs too much from the one the device sent.

No standard that we know says how much is too much: the bureau configures it with dates; without a row of its own a
medium has 10 % of the received value and the absolute floor of :data:`FLOORS` (our choice, not verified).
"""

from __future__ import annotations

from collections.abc import Iterable

from luming.registry.models import Medium
from luming.standards.edition import city_day
from luming.telemetry.statistics.models import Statistic, Tolerance

RELATIVE = 10.0  # %
FLOORS = {Medium.AIR.value: 2.0, Medium.NOISE.value: 0.5, Medium.GAS.value: 0.5, Medium.SEWAGE.value: 0.1}


def exceeded(row: Statistic, medium: str, known: Iterable[Tolerance] | None = None) -> bool:
    """Tell whether an own hour deviates by more than both the relative and the absolute tolerance."""
    if row.deviation is None or row.value is None:
        return False
    relative, absolute = _of(row, medium, tuple(Tolerance.objects.filter(medium=medium) if known is None else known))
    received = abs(row.value - row.deviation)
    return abs(row.deviation) > max(absolute, received * relative / 100)


def _of(row: Statistic, medium: str, known: Iterable[Tolerance]) -> tuple[float, float]:
    day = city_day(row.start)
    fitting = [
        one for one in known if one.medium == medium and one.factor in ("", row.factor) and one.effective_from <= day
    ]
    best = max(fitting, key=lambda one: (one.factor != "", one.effective_from), default=None)
    return (best.relative, best.absolute) if best else (RELATIVE, FLOORS.get(medium, 0.0))
