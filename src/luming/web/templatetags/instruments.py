"""Filters of the pages of instruments."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.utils.safestring import SafeString

from luming.telemetry.instruments import words
from luming.web.instruments import overview

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """Write a share in per cent, rounded down."""
    return overview.per_cent(value)


@register.filter
def sharetone(value: float | None) -> str:
    """Return the class of a share's tag."""
    return overview.tone(value)


@register.filter
def result(row: Any) -> SafeString:
    """Write the result of a calibration as a tag."""
    return words.result_tag(row)


@register.filter
def drift(row: Any) -> str:
    """Write the drift of a calibration with its unit."""
    return words.drift_text(row) or "—"


@register.filter
def daytone(day: date | None, today: date) -> str:
    """Return the class of an expiry or a day on which something is due."""
    if day is None:
        return ""
    return (
        "is-bad"
        if day < today
        else "is-warn"
        if (day - today).days <= 7
        else "is-info"
        if (day - today).days <= 30
        else ""
    )
