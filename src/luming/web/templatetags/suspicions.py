"""A suspicion of fabricated data on a page: its words and numbers in the page's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from luming.science.qc import fraud
from luming.web import words

register = template.Library()

CHECKS = {check.code: check for check in fraud.CHECKS}


@register.simple_tag
def suspicion_language() -> str:
    """Return the key of the page's language in a stored suspicion."""
    return "zh" if words.chinese() else "en"


@register.filter
def suspicion_sentence(suspicion: Mapping[str, Any]) -> str:
    """Return what was seen."""
    return str(suspicion["zh" if words.chinese() else "en"])


@register.filter
def suspicion_title(code: str) -> str:
    """Return the name of the check; a code of an earlier catalogue stays a code."""
    check = CHECKS.get(code)
    return code if check is None else check.zh if words.chinese() else check.en


@register.filter
def suspicion_advice(code: str) -> str:
    """Return what a person should look at, also what is honest."""
    check = CHECKS.get(code)
    return "" if check is None else check.explain_zh if words.chinese() else check.explain_en


@register.filter
def suspicion_source(code: str) -> str:
    """Return the method and its publication."""
    check = CHECKS.get(code)
    return "" if check is None else check.source


@register.filter
def suspicion_numbers(suspicion: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the numbers of the test with their names, those that are finite."""
    at = 0 if words.chinese() else 1
    return [
        (fraud.TITLES.get(name, (name, name))[at], _figure(name, value))
        for name, value in suspicion["numbers"].items()
        if value is not None
    ]


@register.filter
def suspicion_percent(strength: float) -> int:
    """Return the strength as per cent."""
    return round(100 * strength)


def _figure(name: str, value: float) -> str:
    if name == "p":
        return f"{value:.1e}" if value >= 1e-99 else "< 1e-99"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
