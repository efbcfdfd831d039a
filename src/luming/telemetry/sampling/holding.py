"""How samples are kept and how long they may wait: the installation's rules, then the packaged table (HJ 493-2009)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils.translation import get_language

from luming.standards import sampling as table
from luming.standards.edition import city_day
from luming.telemetry.sampling.models import PreservationRule


@dataclass(frozen=True, slots=True)
class Rule:
    """How a sample for one factor is kept; ``hours`` from the end of sampling to the analysis."""

    factor: str
    container: str
    text_zh: str
    text_en: str
    hours: float
    source: str
    verified: bool

    @property
    def text(self) -> str:
        """Return how it is preserved, in the reader's language."""
        return self.text_zh if (get_language() or "").startswith("zh") else self.text_en


def rules(medium: str, factors: Iterable[str], when: date | datetime) -> dict[str, Rule]:
    """Return the rule in force for each factor that has one; one query."""
    day, wanted = city_day(when), list(dict.fromkeys(factors))
    own = PreservationRule.objects.filter(
        Q(effective_to=None) | Q(effective_to__gte=day), medium=medium, factor__in=wanted, effective_from__lte=day
    )
    found: dict[str, Rule] = {}
    for row in own.order_by("effective_from"):  # the latest one in force wins
        found[row.factor] = Rule(
            row.factor, row.container, row.preservation, row.preservation, row.hours, row.source, row.verified
        )
    for factor in wanted:
        packaged = None if factor in found else table.preservation(medium, factor, day)
        if packaged is not None:
            found[factor] = Rule(
                factor, packaged.container, packaged.text_zh, packaged.text_en, packaged.hours,
                f"{packaged.edition} {packaged.clause}", packaged.verified,
            )  # fmt: skip
    return found


def deadline(taken_to: datetime, found: dict[str, Rule]) -> tuple[datetime, Rule] | None:
    """Return when the first of a sample's factors has waited as long as it may, with its rule; None without one."""
    if not found:
        return None
    strictest = min(found.values(), key=lambda rule: rule.hours)
    return taken_to + timedelta(hours=strictest.hours), strictest
