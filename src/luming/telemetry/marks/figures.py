"""Figures of marks per facility: how many, how long, and which shares were late, contradictory or refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, Sum

from luming.core.models import User
from luming.telemetry.marks.models import Mark


@dataclass(frozen=True, slots=True)
class Row:
    """The marks of a facility that begin in a period; withdrawn ones do not count."""

    facility_id: int
    facility: str
    number: int
    hours: float
    late: int
    contradicted: int
    refused: int
    waiting: int

    def share(self, number: int) -> float:
        """Return a share of its marks in per cent."""
        return 100.0 * number / self.number

    @property
    def late_share(self) -> float:
        """Return the share made late."""
        return self.share(self.late)

    @property
    def contradicted_share(self) -> float:
        """Return the share that something spoke against."""
        return self.share(self.contradicted)

    @property
    def refused_share(self) -> float:
        """Return the share of decided marks that were refused."""
        decided = self.number - self.waiting
        return 100.0 * self.refused / decided if decided else 0.0


def by_facility(user: User, start: datetime, end: datetime) -> list[Row]:
    """Return the facilities in the user's scope with marks that begin in [start, end), most marked hours first."""
    rows: Any = Mark.objects.visible_to(user).exclude(state=Mark.State.WITHDRAWN)
    rows = rows.filter(start__gte=start, start__lt=end).order_by()
    found = rows.values("outlet__facility_id", "outlet__facility__name").annotate(
        number=Count("pk"),
        length=Sum(F("end") - F("start")),
        late_number=Count("pk", filter=Q(late=True)),
        against=Count("pk", filter=Q(contradicted=True)),
        refused=Count("pk", filter=Q(state=Mark.State.REFUSED)),
        waiting=Count("pk", filter=Q(state=Mark.State.SUBMITTED)),
    )
    made = [
        Row(
            row["outlet__facility_id"], row["outlet__facility__name"], row["number"],
            row["length"].total_seconds() / 3600, row["late_number"], row["against"], row["refused"], row["waiting"],
        )
        for row in found
    ]  # fmt: skip
    return sorted(made, key=lambda row: (-row.hours, row.facility))
