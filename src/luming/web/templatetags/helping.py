"""The help of the opened page."""

from __future__ import annotations

from typing import Any

from django import template

from luming.web import helping

register = template.Library()


@register.simple_tag(takes_context=True)
def help_page(context: dict[str, Any]) -> str:
    """Return the name of the help page that belongs to the opened page; empty where there is no request."""
    request = context.get("request")
    return helping.page_of(request) if request is not None else ""
