"""Which figures are computed of which factor: of a day from its hours, of longer periods from days."""

from __future__ import annotations

from dataclasses import dataclass

from luming.hj212 import find_factor
from luming.registry.models import Medium
from luming.standards import air_evaluation
from luming.telemetry.statistics import words
from luming.telemetry.statistics.loading import Subject

OUTLET_MEDIA = frozenset({Medium.GAS.value, Medium.SEWAGE.value})
AMOUNT_DECIMALS = 3  # our choice, as for concentrations of outlets: kilograms to the gram, cubic metres to the litre


@dataclass(frozen=True, slots=True)
class Day:
    """A figure of days. ``field`` is the column of the hours, ``method`` overrides the table of the standards."""

    measure: str
    field: str = "value"
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Longer:
    """A figure of months, quarters or years from one of days. ``totals`` also counts days that are not valid."""

    measure: str
    kind: str
    source: str  # measure of the days
    method: str | None = None
    totals: bool = False


# A mean of directions or of percentile levels says nothing.
LEFT_OUT = frozenset({"a01008", "L5", "L10", "L50", "L90", "L95", "LMx", "LMn"})
# Waste water: what is no concentration is not weighed by the flow; nor is the flow itself.
UNWEIGHED = frozenset({"w01001", "w01010", "w00000"})


def days_of(subject: Subject) -> list[Day]:
    """Return the figures of days of a subject."""
    if subject.factor in LEFT_OUT:
        return []
    if subject.medium == Medium.AIR and subject.short == "o3":
        return [Day(words.MAX8, method="mda8"), Day(words.MAX1, method="maximum")]
    found = [Day(words.MEAN)]
    if subject.medium == Medium.GAS:
        found.append(Day(words.CONVERTED, "converted"))
    if subject.medium in OUTLET_MEDIA and amount_unit(subject.factor):
        found.append(Day(words.AMOUNT, "amount", "sum"))
    return found


def longer_of(subject: Subject) -> list[Longer]:
    """Return the figures of months, quarters and years of a subject."""
    found: list[Longer] = []
    for kind in words.LONGER:
        for day in days_of(subject):
            found += _longer(subject, kind, day)
        if subject.medium in OUTLET_MEDIA and amount_unit(subject.factor) == "kg":
            found.append(Longer(words.SUBSTITUTED, kind, words.SUBSTITUTED, "sum", totals=True))
        if subject.medium == Medium.NOISE and subject.short == "leq":
            found += [Longer(level, kind, level) for level in words.LEVELS]
    return found


def _longer(subject: Subject, kind: str, day: Day) -> list[Longer]:
    if day.measure == words.AMOUNT:
        return [Longer(words.AMOUNT, kind, words.AMOUNT, "sum", totals=True)]
    if subject.medium == Medium.AIR and subject.short == "o3":
        percentile = Longer(words.PERCENTILE, kind, words.MAX8, _percentile(subject))
        return [percentile] if day.measure == words.MAX8 else []
    if subject.medium == Medium.AIR and subject.short == "co":
        return [
            Longer(words.MEAN, kind, words.MEAN, "mean"),
            Longer(words.PERCENTILE, kind, words.MEAN, _percentile(subject)),
        ]
    found = [Longer(day.measure, kind, day.measure)]
    if subject.medium == Medium.AIR and kind == words.YEAR and subject.short in air_evaluation.PERCENTILES:
        found.append(Longer(words.PERCENTILE, kind, words.MEAN, _percentile(subject)))
    return found


def _percentile(subject: Subject) -> str:
    return f"percentile-{air_evaluation.PERCENTILES[subject.short]:g}"


def amount_unit(factor: str) -> str:
    """Return the unit in which amounts of a factor are given here; empty when it has none.

    HJ 212-2017 Annex B says in which unit an amount is sent; masses are brought to kilograms.
    """
    found = find_factor(factor)
    sent = found.amount_unit if found else ""
    return "kg" if sent in KILOGRAMS else sent if sent == "m³" else ""


def amount_scale(factor: str) -> float:
    """Return by what an amount as sent is multiplied to be in :func:`amount_unit`."""
    found = find_factor(factor)
    return KILOGRAMS.get(found.amount_unit, 1.0) if found else 1.0


KILOGRAMS = {"kg": 1.0, "g": 1e-3, "mg": 1e-6}


def offered(subject: Subject) -> dict[str, tuple[str, ...]]:
    """Return the kinds of periods for which each measure of a subject is computed; the usual measure of each first."""
    found: dict[str, list[str]] = {}
    if subject.factor not in LEFT_OUT:
        found[words.MEAN] = [words.HOUR, *([words.EIGHT_HOURS] if subject.short == "o3" else [])]
    for day in days_of(subject):
        found.setdefault(day.measure, []).append(words.DAY)
    if subject.medium == Medium.NOISE and subject.short == "leq":
        for level in words.LEVELS:
            found[level] = [words.DAY]
    if subject.medium in OUTLET_MEDIA and amount_unit(subject.factor) == "kg":
        found[words.SUBSTITUTED] = [words.HOUR, words.DAY]
    for plan in longer_of(subject):
        found.setdefault(plan.measure, []).append(plan.kind)
    found[words.CAPTURE] = [words.DAY, *words.LONGER]
    return {measure: tuple(kinds) for measure, kinds in found.items()}


def usual(subject: Subject, kind: str) -> str:
    """Return the measure that a factor is first looked at with: what its standard judges."""
    if subject.medium == Medium.AIR and subject.short in ("o3", "co") and kind in words.LONGER:
        return words.PERCENTILE
    return next((measure for measure, kinds in offered(subject).items() if kind in kinds), words.MEAN)
