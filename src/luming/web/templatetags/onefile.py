"""Tags of the pages of the file."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.loader import get_template
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag(takes_context=True)
def panel(context: template.Context, part: Any) -> SafeString:
    """Draw a panel with its own variables; those of the page stay in sight."""
    with context.push(**part.values):
        return get_template(part.panel.template).template.render(context)  # type: ignore[attr-defined]


@register.filter
def points(value: float) -> str:
    """Write the points of a reason with their sign: +15, −2.5, 0."""
    if round(value, 1) == 0:
        return "0"
    return ("+" if value > 0 else "−") + f"{abs(value):.1f}".removesuffix(".0")
