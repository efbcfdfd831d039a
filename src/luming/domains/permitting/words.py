"""The words and colours of permits and accounts, and how amounts are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Word:
    """A label with its tone (good, warning, danger, info) and the colour of bars and map."""

    label: Any
    tone: str
    colour: str

    @property
    def tag(self) -> str:
        """Return the class of the tag that shows the word."""
        return {"good": "is-good", "warning": "is-warn", "danger": "is-bad", "info": "is-info"}[self.tone]


STANDINGS = {
    "within": Word(_("Within the allowance"), "good", "#2f9e6e"),
    "ahead": Word(_("Will exceed the allowance"), "warning", "#e8a317"),
    "over": Word(_("Over the allowance"), "danger", "#d9480f"),
    "none": Word(_("No allowance entered"), "info", "#868e96"),
}

PERMITS = {
    "valid": Word(_("Permit in force"), "good", "#2f9e6e"),
    "ahead": Word(_("Not yet in force"), "info", "#4263eb"),
    "expiring": Word(_("Renewal due"), "warning", "#e8a317"),
    "expired": Word(_("Expired"), "danger", "#d9480f"),
    "cancelled": Word(_("Deregistered"), "danger", "#868e96"),
    "withdrawn": Word(_("Withdrawn"), "danger", "#d9480f"),
    "revoked": Word(_("Revoked"), "danger", "#d9480f"),
}


def amount(value: float | None) -> str:
    """Write an amount with three to four significant digits.

    >>> amount(1178.69), amount(47.07), amount(0.0314), amount(None)
    ('1,179', '47.1', '0.0314', '—')
    """
    if value is None:
        return "—"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.3g}"


def per_cent(share: float | None) -> str:
    """Write a share; what is not quite all is not written as 100 %.

    >>> per_cent(0.9996), per_cent(1.204), per_cent(0.034)
    ('99.9 %', '120 %', '3.4 %')
    """
    if share is None:
        return "—"
    value = share * 100
    if 99.5 <= value < 100:
        return f"{min(value, 99.9):.1f} %"
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"
