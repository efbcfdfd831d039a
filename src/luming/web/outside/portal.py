"""The portal: what an enterprise or a maintainer sees first, composed of the sections of all manifests."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from luming.core import manifest
from luming.core.manifest import NavigationItem, Section
from luming.core.models import User
from luming.web.access import needs

# Pages of the bureau's shell that the portal's people may use too, with their permission deciding.
SHARED = (
    NavigationItem(_("Devices"), "devices", "router", "device.view", "transport", 30),
    NavigationItem(_("Packets"), "packets", "file-code", "packet.view", "transport", 40),
    NavigationItem(_("Held and rejected"), "problems", "file-alert", "packet.view", "transport", 50),
    NavigationItem(_("My account"), "account", "user", "portal.view", "account", 90),
)
GROUPS = {"portal": _("My enterprise"), "transport": _("Data transmission"), "account": _("Account")}


def items() -> list[NavigationItem]:
    """Return the portal's own menu: its first page, the sections with pages, and the shared pages."""
    found = [NavigationItem(_("Overview"), "portal", "home", "portal.view", "portal", 0)]
    for section in manifest.portal_sections():
        if section.page:
            name, arguments = "portal-section", (section.key,)
        elif section.url_name:
            name, arguments = section.url_name, ()
        else:
            continue
        found.append(
            NavigationItem(section.label, name, section.icon, section.permission, "portal", section.order, arguments)
        )
    return [*found, *SHARED]


def uses_portal(user: User) -> bool:
    """Tell whether the portal is a person's place of work."""
    return user.may("portal.view")


@needs("portal.view")
def begin(request: HttpRequest) -> HttpResponse:
    """Show every section that has something to show to this person."""
    shown = []
    for section in manifest.portal_sections():
        values = section.context(request.user)
        if values is not None and section.template:
            html = render_to_string(section.template, {**values, "section": section, "user": request.user})
            shown.append((section, html, _url(section), bool(values.get("narrow"))))
    values = {"shown": _arranged(shown), "organisation": request.user.organisation}
    return render(request, "web/outside/portal.html", values)


def _arranged(shown: list[tuple[Section, str, str, bool]]) -> list[tuple[Section, str, str, int]]:
    """Return the sections with their width in twelfths: a narrow one stands beside the one before it."""
    found = []
    for position, (section, html, url, narrow) in enumerate(shown):
        beside = position + 1 < len(shown) and shown[position + 1][3]
        found.append((section, html, url, 4 if narrow else 8 if beside else 12))
    return found


@needs("portal.view")
def page(request: HttpRequest, key: str, item: str = "") -> HttpResponse:
    """Show the page of a section, or of a thing in it; outside the person's scope there is none."""
    section = next((row for row in manifest.portal_sections() if row.key == key and row.page), None)
    values = section.page(request.user, item) if section and section.page else None
    if section is None or values is None:
        raise Http404
    return render(request, section.page_template, {**values, "section": section, "item": item})


def _url(section: Section) -> str:
    if section.page:
        return reverse("portal-section", args=[section.key])
    try:
        return reverse(section.url_name) if section.url_name else ""
    except NoReverseMatch:  # a page that this installation does not serve
        return ""
