"""Where the figures lead: the list of emission days, and of each day the values of its outlet with their packets."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from luming.domains.permitting.models import EmissionDay, Permit

DAYS = "emission-days"


def register(key: str, **filters: Any) -> str:
    """Return the address of a list with filters; empty in an installation without the pages of registers."""
    try:
        url = reverse("register", args=[key])
    except NoReverseMatch:
        return ""
    wanted = {name: value for name, value in filters.items() if value not in (None, "")}
    return f"{url}?{urlencode(wanted)}" if wanted else url


def days(first: date, last: date, **filters: Any) -> str:
    """Return the address of the emission days of a period."""
    return register(DAYS, day_after=first.isoformat(), day_before=last.isoformat(), **filters)


def values(record: EmissionDay) -> str:
    """Return the address of the hourly amounts that an emission day was summed from."""
    day = record.day.isoformat()
    query = {
        "interval": "hour", "span": "custom", "from": day, "to": day, "factor": record.factor, "column": "amount",
    }  # fmt: skip
    return f"{reverse('place', args=[record.outlet_id])}?{urlencode(query)}"


def permit(record: Permit) -> str:
    """Return the address of a permit's page."""
    try:
        return reverse("record", args=["permits", record.pk])
    except NoReverseMatch:
        return ""


def new(key: str, **values: Any) -> str:
    """Return the address of the form for a new record, filled in as far as it is known."""
    try:
        return f"{reverse('record-new', args=[key])}?{urlencode(values)}"
    except NoReverseMatch:
        return ""


def facility(pk: int) -> str:
    """Return the address of a facility's page."""
    return reverse("facility", args=[pk])
