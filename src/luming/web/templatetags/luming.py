"""Filters and tags of all templates (a builtin: no template loads it)."""

from __future__ import annotations

import functools
import math
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from luming.registry.models import Interval
from luming.web import verbs, words

register = template.Library()

MISSING = "—"


@functools.cache
def icons() -> frozenset[str]:
    """Return the names in the sprite."""
    path = finders.find("luming/icons.svg")
    if not path:
        return frozenset()
    return frozenset(re.findall(r'<symbol id="([^"]+)"', Path(str(path)).read_text(encoding="utf-8")))


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of the sprite; a domain's unknown icon becomes a circle."""
    if name not in icons():
        name = "circle"
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("luming/icons.svg"),
        name,
    )


@register.simple_tag
def dot(word: words.Word | None) -> SafeString:
    """Write a word with its coloured dot."""
    if word is None:
        return format_html("{}", MISSING)
    return format_html('<span class="lm-state"><i style="background:{}"></i>{}</span>', word.colour, word.label)


@register.filter
def outletname(place: Any) -> str:
    """Write an outlet's name without its facility's, which stands beside it."""
    name = place.name.removeprefix(place.outlet.facility.name).lstrip(" ·-—")
    return f"{place.outlet.number} {name}" if name else place.outlet.number


@register.simple_tag
def region(row: Any) -> str:
    """Write a region's name in the page's language."""
    return row.name if words.chinese() else row.name_en or row.name


@register.simple_tag
def status(device: Any) -> SafeString:
    """Write a device's connection with its dot; the device is annotated by :func:`luming.web.states.with_status`."""
    return dot(words.CONNECTED[device.status])


@register.simple_tag
def valueurl(place_id: int, observation: Any) -> str:
    """Return the address of a value's history."""
    return reverse("value", args=[place_id, observation.series_id, int(observation.start.timestamp() * 1000)])


@register.filter
def state(key: str | None) -> words.Word:
    """Return the word of a place's state."""
    return words.state(key)


@register.filter
def verdict(key: str) -> words.Word:
    """Return the word of a packet's verdict."""
    return words.VERDICTS.get(key) or words.Word(key, "#929dab")


@register.filter
def reason(code: str | None) -> str:
    """Return the sentence of a reason code."""
    return words.reason(code)


@register.filter
def closing(text: str) -> str:
    """Return why a connection ended; what the operating system said stays as it said it."""
    return str(words.CLOSE_REASONS.get(text, text))


@register.filter
def factor(code: str) -> str:
    """Return a factor's name."""
    return words.factor_name(code)


@register.filter
def verb(code: str) -> str:
    """Return the words of a verb of the audit trail."""
    return verbs.verb(code)


@register.filter
def actor(name: str) -> str:
    """Return what a page calls an actor of the audit trail."""
    return verbs.actor(name)


@register.filter
def system(code: str) -> str:
    """Return a system's name (ST)."""
    return words.system_name(code)


@register.filter
def command(code: int) -> str:
    """Return a command's name (CN)."""
    return words.command_name(code)


@register.filter
def flag(code: str | None) -> str:
    """Return the words of a device's mark."""
    return words.flag_name(code)


@register.filter
def number(value: float | None) -> str:
    """Write a measured value with at most six significant digits, as received: 0.0300 → 0.03; nothing → —."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e" in text and abs(value) >= 1 else text


@register.filter
def count(value: int | None) -> str:
    """Write a count with thousands separated."""
    return f"{value:,}" if isinstance(value, int) else MISSING


@register.filter
def size(value: int | None) -> str:
    """Write a number of bytes."""
    if value is None:
        return MISSING
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _local(value: datetime) -> datetime:
    return timezone.localtime(value)


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """Write an instant in the city's time, short: the year only when it is another one."""
    if not value:  # a missing relation in a template is an empty text
        return MISSING
    local = _local(value)
    short = "%m-%d %H:%M:%S" if local.year == _local(timezone.now()).year else "%Y-%m-%d %H:%M:%S"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S UTC+8"),
        local.strftime(short),
    )


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """Write how long ago an instant was."""
    if not value:  # a missing relation in a template is an empty text
        return MISSING
    local = _local(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S"),
        _("%(span)s ago") % {"span": span((timezone.now() - value).total_seconds())},
    )


@register.filter
def span(seconds: float | timedelta | None) -> str:
    """Write a duration in its largest unit: 42 s, 5 min, 3 h, 2 d."""
    if seconds is None or seconds == "":
        return MISSING
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    for limit, divisor, text in (
        (60, 1, _("%(n)s s")),
        (3600, 60, _("%(n)s min")),
        (86400, 3600, _("%(n)s h")),
        (math.inf, 86400, _("%(n)s d")),
    ):
        if seconds < limit:
            return sign + text % {"n": f"{seconds / divisor:.0f}" if divisor < 3600 else f"{seconds / divisor:.3g}"}
    raise AssertionError


@register.filter
def minutes(number: int) -> str:
    """Write a number of minutes as a duration."""
    return span(60 * number)


@register.filter
def offset(seconds: float | None) -> str:
    """Write a clock offset with its sign."""
    if seconds is None or seconds == "":
        return MISSING
    if abs(seconds) < 0.05:
        return "0 s"
    return f"{seconds:+.1f} s" if abs(seconds) < 100 else ("+" if seconds > 0 else "") + span(seconds)


@register.filter
def since(value: datetime | None, other: datetime | None) -> str:
    """Write the time from another instant to this one."""
    return span((value - other).total_seconds())


@register.simple_tag
def period(start: datetime | None, interval: str, seconds: int = 3600) -> SafeString | str:
    """Write a period by its bounds: 11-24 08:00–09:00; a day by its date; an instant as it is."""
    if not start:
        return MISSING
    local = _local(start)
    year = "" if local.year == _local(timezone.now()).year else "%Y-"
    if interval == Interval.DAY:
        text = local.strftime(f"{year}%m-%d")
    elif interval == Interval.REALTIME:
        text = local.strftime(f"{year}%m-%d %H:%M:%S")
    else:
        end = local + timedelta(seconds=seconds)
        text = local.strftime(f"{year}%m-%d %H:%M") + end.strftime("–%H:%M")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), text)


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """Return the page's query string with some parameters changed; an empty value removes one."""
    request: HttpRequest = context["request"]
    values = request.GET.copy()
    for key, value in changes.items():
        if value in (None, ""):
            values.pop(key, None)
        else:
            values[key] = str(value)
    return "?" + values.urlencode()


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """Return an entry of a dictionary by a variable key."""
    return mapping.get(key)


@register.filter
def may(user: Any, permission: str) -> bool:
    """Tell whether the user's role holds a verb."""
    return bool(user.is_authenticated and user.may(permission))
