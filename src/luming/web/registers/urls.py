"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern

from luming.web.registers import record_urls

urlpatterns: list[URLPattern] = [*record_urls.urlpatterns]
