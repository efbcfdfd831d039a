"""Filters of the pages of sampling."""

from __future__ import annotations

from django import template

from luming.telemetry.sampling import words
from luming.telemetry.sampling.models import Comparison

register = template.Library()


@register.filter
def compared_error(row: Comparison) -> str:
    """Write the error of a comparison: +4.2 % or −0.12."""
    return words.error(row)


@register.filter
def compared_allowed(row: Comparison) -> str:
    """Write the allowed error of a comparison: ±15 % or ±0.3."""
    return words.allowed(row)


@register.filter
def compared_clause(row: Comparison) -> str:
    """Write the clause of the allowed error in the reader's language."""
    return words.clause(row.clause)
