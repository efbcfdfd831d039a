"""The page of a record: its fields, what hangs on it, files, notes, tags, the latest changes, what may be done."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from luming.core.models import User
from luming.core.registers import Action, Register
from luming.web.access import signed_in
from luming.web.registers import access, record_parts
from luming.web.registers.record_attachments import record_of
from luming.web.registers.record_neighbours import neighbours, related

NEAR = 13  # zoom of the one map on a record


@signed_in
@require_GET
def page(request: HttpRequest, key: str, pk: str) -> HttpResponse:
    """Show a record."""
    register = access.found(request, key)
    record = record_of(register, request.user, pk)
    before, after = neighbours(request.user, register, record)
    values = {
        "register": register,
        "record": record,
        "parts": record_parts.panels(request.user, register, record),
        "groups": record_parts.shown_groups(request.user, register, record),
        "related": related(request.user, register, record),
        "before": before,
        "after": after,
        "actions": offered(request.user, register, record),
        "own_page": register.page(record) if register.page is not None else "",
        "at": ",".join(map(str, position(register, record) or ())),
        "map_url": map_address(register, record),
    }
    return render(request, "web/registers/record.html", values)


def offered(user: User, register: Register, record: Any) -> list[Action]:
    """Return the actions that the user may take on a record now."""
    return [
        action
        for action in register.actions
        if user.may(action.permission) and (action.applies is None or action.applies(record))
    ]


def map_address(register: Register, record: Any) -> str:
    """Return the address of the one map at a record, "" where it has no position or there is no map."""
    found = position(register, record)
    try:
        return f"{reverse('map')}?c={found[0]},{found[1]},{NEAR}" if found is not None else ""
    except NoReverseMatch:
        return ""


def position(register: Register, record: Any) -> tuple[float, float] | None:
    """Return longitude and latitude of a record, None where the register or the record has none."""
    if not register.position:
        return None
    longitude, latitude = (getattr(record, name) for name in register.position)
    return None if longitude is None or latitude is None else (longitude, latitude)
