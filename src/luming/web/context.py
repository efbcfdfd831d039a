"""What the shell shows on every page: the menu, the labels of a demonstration, the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from luming import __version__
from luming.core.manifest import NavigationItem, navigation

# The web room's own entries; domains add theirs in their manifests.
OWN = [
    NavigationItem(_("Home"), "home", "home", "", "overview", 10),  # everyone has one
    NavigationItem(_("Stations and outlets"), "places", "map-pin", "data.view", "monitoring", 20),
    NavigationItem(_("Device status"), "devices", "router", "device.view", "transport", 30),
    NavigationItem(_("Packets"), "packets", "file-code", "packet.view", "transport", 40),
    NavigationItem(_("Held and rejected"), "problems", "file-alert", "packet.view", "transport", 50),
    NavigationItem(_("Unregistered devices"), "unregistered", "help-hexagon", "device.adopt", "transport", 60),
    NavigationItem(_("Import places"), "import", "file-import", "place.import", "register", 900),
    NavigationItem(_("Users"), "users", "users", "user.manage", "system", 70),
    NavigationItem(_("Roles and scope"), "roles", "shield-check", "role.assign", "system", 75),
    NavigationItem(_("Audit trail"), "audit", "history", "audit.view", "system", 80),
    NavigationItem(_("Installation"), "system", "server", "system.view", "system", 90),
]

# Two questions in one statement: every page asks them.
LABELS = """
    SELECT EXISTS (SELECT FROM registry_place WHERE is_demo) OR EXISTS (SELECT FROM registry_facility WHERE is_demo),
           EXISTS (SELECT FROM registry_region WHERE boundary IS NOT NULL AND NOT boundary_official)
"""

GROUPS = {
    "overview": _("Overview"),
    "monitoring": _("Monitoring"),
    "register": _("Registers"),
    "outside": _("Disclosure"),
    "transport": _("Data transmission"),
    "system": _("System"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu as one user sees it."""

    label: Any
    url: str
    icon: str
    active: bool


def menu(request: HttpRequest) -> list[tuple[Any, list[Entry]]]:
    """Return the groups of entries that the user may open; the portal's people have a menu of their own."""
    from luming.web.outside import portal  # it needs the loaded urls

    own, labels = (
        (portal.items(), portal.GROUPS) if portal.uses_portal(request.user) else ([*OWN, *navigation()], GROUPS)
    )
    groups: dict[str, list[Entry]] = {key: [] for key in labels}
    entries = [(item, url) for item in sorted(own, key=lambda item: item.order) if (url := _url(item))]
    opened = [url for _item, url in entries if request.path == url or (url != "/" and request.path.startswith(url))]
    closest = max(opened, key=len, default="")  # /packets/problems/ is not /packets/
    for item, url in entries:
        if not item.permission or request.user.may(item.permission):
            groups.setdefault(item.group, []).append(Entry(item.label, url, item.icon, url == closest))
    return [(labels.get(key, key), entries) for key, entries in groups.items() if entries]


def _url(item: NavigationItem) -> str:
    """Return an entry's address; nothing for a page that this installation does not serve."""
    try:
        return reverse(item.url_name, args=item.arguments)
    except NoReverseMatch:
        return ""


def installation_labels() -> dict[str, bool]:
    """Return whether demonstration data or unofficial boundaries are in the register (kept for half a minute)."""
    labels = cache.get("luming.labels")
    if labels is None:
        with connection.cursor() as cursor:
            cursor.execute(LABELS)
            labels = dict(zip(("demo", "sketch"), cursor.fetchone(), strict=True))
        cache.set("luming.labels", labels, 30)
    return labels


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the shell's variables; a part of a page needs none of them."""
    if getattr(request, "htmx", False):
        return {}
    user = getattr(request, "user", None)
    return {
        "version": __version__,
        "languages": settings.LANGUAGES,
        "menu": menu(request) if user is not None and user.is_authenticated else [],
        "labels": installation_labels(),
    }
