"""Which dated rule of the bureau holds for a place: deadline, second signature, time for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from luming.registry.models import Place
from luming.telemetry.review.models import Control, ReasonCode, ReviewRule


def rules(day: date) -> list[ReviewRule]:
    """Return the rules in force on a day, the more special first."""
    rows = ReviewRule.objects.in_force(day)
    return sorted(rows, key=lambda row: (not row.control, not row.medium, -row.effective_from.toordinal()))


def of_place(found: Sequence[ReviewRule], place: Place) -> ReviewRule:
    """Return the rule that holds for a place, by control level before medium; without any: noon of the next day."""
    control = Control.OUTLET.value if place.kind == Place.Kind.OUTLET else place.station.control
    for row in found:
        if row.control in ("", control) and row.medium in ("", place.medium):
            return row
    return ReviewRule()


def reasons(day: date) -> list[ReasonCode]:
    """Return the reasons in force on a day, by decision and number key."""
    return list(ReasonCode.objects.in_force(day).order_by("action", "key", "code"))
