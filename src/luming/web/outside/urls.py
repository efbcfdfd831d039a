"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from luming.web.outside import copies, portal, public


class LanguageConverter:
    """``zh`` or ``en``: the language is part of the address, so that a page is the same for everyone."""

    regex = "|".join(copies.LANGUAGES)

    def to_python(self, value: str) -> str:
        """Return the text as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Return the text as it is."""
        return value


register_converter(LanguageConverter, "site")

urlpatterns: list[URLPattern] = [
    path("portal/", portal.begin, name="portal"),
    path("portal/<slug:key>/", portal.page, name="portal-section"),
    path("portal/<slug:key>/<path:item>/", portal.page, name="portal-item"),
    path("public/", public.begin, name="public"),
    path("public/<site:language>/", public.front, name="public-front"),
    path("public/<site:language>/<slug:key>/", public.section_page, name="public-section"),
    path("public/<site:language>/<slug:key>/<path:item>.csv", public.download, name="public-csv"),
    path("public/<site:language>/<slug:key>/<path:item>/", public.section_page, name="public-item"),
]
