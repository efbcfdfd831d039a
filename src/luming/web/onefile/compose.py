"""Put a page of the file together from the panels of all manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from luming.core import manifest
from luming.core.manifest import Panel
from luming.core.models import User
from luming.registry import city
from luming.registry.models import Facility, Outlet, Region
from luming.web.onefile.subjects import File
from luming.web.registers import record_parts
from luming.web.words import chinese

LAST = 200  # panels from this order on stand below both columns, over the whole width


@dataclass(frozen=True, slots=True)
class Part:
    """A panel with what its template shows."""

    panel: Panel
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Return the anchor of the panel."""
        return self.panel.key


def parts(user: User, file: File, *, printed: bool = False) -> list[Part]:
    """Return the panels that the user may see and that have something to show."""
    found = []
    for panel in manifest.panels(file.kind):
        if not user.may(panel.permission) or (printed and not panel.printed):
            continue
        values = panel.context(user, file.subject)
        if values is not None:
            found.append(Part(panel, values))
    return found


def context(request: HttpRequest, file: File) -> dict[str, Any]:
    """Return the variables of a page of the file."""
    every = parts(request.user, file)
    return frame(request.user, file) | {
        "main": [part for part in every if part.panel.wide and part.panel.order < LAST],
        "side": [part for part in every if not part.panel.wide],
        "last": [part for part in every if part.panel.wide and part.panel.order >= LAST],
    }


def frame(user: User, file: File) -> dict[str, Any]:
    """Return what panels find beside their own variables, on the page and on paper."""
    return {
        "file": file,
        "subject": file.subject,
        "path": path(file),
        "sketch_label": city.profile().text("label"),
    } | record(user, file)


def path(file: File) -> list[tuple[str, str]]:
    """Return the way from the city to the subject: (name, address)."""
    region = file.subject if isinstance(file.subject, Region) else file.subject.region
    chain: list[tuple[str, str]] = []
    while region is not None:
        chain.insert(0, (region_name(region), reverse("region", args=[region.code])))
        region = region.parent
    if isinstance(file.subject, Outlet):
        facility: Facility = file.subject.facility
        chain.append((facility.name, reverse("facility", args=[facility.pk])))
    return chain[:-1] if isinstance(file.subject, Region) else chain


def region_name(region: Region) -> str:
    """Return a region's name in the page's language."""
    return region.name if chinese() else region.name_en or region.name


def record(user: User, file: File) -> dict[str, Any]:
    """Return the ``parts`` of the record in its register (tags, what the user may do) and where it is edited."""
    register = manifest.register_of(type(file.subject))
    if register is None or not user.may(register.view):
        return {}
    parts = record_parts.base(user, register, file.subject) | record_parts.tags(user, register, file.subject)
    edit = reverse("record-edit", args=[register.key, file.subject.pk]) if parts["may_edit"] else ""
    return {"parts": parts, "edit": edit}
