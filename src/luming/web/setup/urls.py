"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.setup import health, views

urlpatterns: list[URLPattern] = [
    path("setup/", views.begin, name="setup"),
    path("setup/city/", views.choose_city, name="setup-city"),
    path("setup/administrators/", views.administrators, name="setup-administrators"),
    path("setup/stations/", views.stations, name="setup-stations"),
    path("setup/stations/template/", views.blank_template, name="setup-template"),
    path("setup/gateway/", views.gateway, name="setup-gateway"),
    path("setup/backup/", views.backups, name="setup-backup"),
    path("setup/summary/", views.summary, name="setup-summary"),
    path("system/", health.page, name="system"),
    path("system/backup/", health.back_up, name="system-backup"),
    path("system/jobs/<int:pk>/retry/", health.retry, name="system-retry"),
]
