"""Words for statistics: measures, kinds of periods, sources and reasons."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from luming.standards.results import Reason

MEAN, CONVERTED, MAX8, MAX1, PERCENTILE = "mean", "converted", "max8", "max1", "percentile"
AMOUNT, SUBSTITUTED = "amount", "substituted"
DAY_LEVEL, NIGHT_LEVEL, DAY_NIGHT_LEVEL = "ld", "ln", "ldn"
LEVELS = (DAY_LEVEL, NIGHT_LEVEL, DAY_NIGHT_LEVEL)
CAPTURE, TRANSMISSION, EFFECTIVE = "capture", "transmission", "effective"
RATES = (CAPTURE, TRANSMISSION, EFFECTIVE)

MEASURES = [
    (MEAN, _("Mean")),
    (CONVERTED, _("Mean of converted values")),
    (MAX8, _("Largest 8-hour mean")),
    (MAX1, _("Largest hour")),
    (PERCENTILE, _("Percentile")),
    (DAY_LEVEL, _("Level of the day (Ld)")),
    (NIGHT_LEVEL, _("Level of the night (Ln)")),
    (DAY_NIGHT_LEVEL, _("Day-night level (Ldn)")),
    (AMOUNT, _("Amount as monitored")),
    (SUBSTITUTED, _("Amount with substitution")),
    (CAPTURE, _("Valid capture rate")),
    (TRANSMISSION, _("Transmission rate")),
    (EFFECTIVE, _("Effective transmission rate")),
]

HOUR, EIGHT_HOURS, DAY, MONTH, QUARTER, YEAR = "hour", "8h", "day", "month", "quarter", "year"
KINDS = [
    (HOUR, _("Hour")),
    (EIGHT_HOURS, _("8 hours")),
    (DAY, _("Day")),
    (MONTH, _("Month")),
    (QUARTER, _("Quarter")),
    (YEAR, _("Year")),
]
LONGER = (MONTH, QUARTER, YEAR)

HOURS, MINUTES, MIXED, DAYS, SAMPLES = "hours", "minutes", "mixed", "days", "samples"
SOURCES = [
    (HOURS, _("Hours as received")),
    (MINUTES, _("Minutes")),
    (MIXED, _("Hours as received, missing ones from minutes")),
    (DAYS, _("Day statistics")),
    (SAMPLES, _("Samples taken by hand")),
]

METHODS: dict[str, Any] = {
    "mean": _("Arithmetic mean"),
    "weighted": _("Mean weighted by volume"),
    "hydrogen": _("pH of the mean hydrogen ion concentration"),
    "energy": _("Energy mean of sound levels"),
    "day-night": _("Energy mean with 10 dB added to the night"),
    "mda8": _("Largest 8-hour sliding mean of the day"),
    "maximum": _("Largest value"),
    "sum": _("Sum"),
    "ratio": _("Share"),
    "substitution": _("Substituted by the table"),
    "none": _("Withdrawn: its inputs are gone"),
}


def method(name: str) -> Any:
    """Return the words of a method; percentiles say which."""
    if name.startswith("percentile-"):
        return f"{_('Percentile')} {name.removeprefix('percentile-')}"
    return METHODS.get(name, name)


REASONS: dict[int, Any] = {
    Reason.VALID: _("Valid"),
    Reason.NO_VALUES: _("No value counts"),
    Reason.TOO_FEW: _("Too few values"),
    Reason.MONTH_TOO_FEW: _("Too few days in a month"),
    Reason.NO_RULE: _("No validity rule in force"),
    Reason.NO_WEIGHT: _("No flow to weigh with"),
}


def reason(code: int) -> Any:
    """Return the words of a reason."""
    return REASONS.get(code, str(code))
