"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.onefile import views

# "of" is facility, place or region; the key is its id or code.
urlpatterns: list[URLPattern] = [
    path("regions/", views.regions, name="regions"),
    path("regions/<str:code>/", views.region, name="region"),
    path("files/<str:of>/<str:key>/outlets/", views.outlets, name="file-outlets"),
    path("files/<str:of>/<str:key>/map.json", views.map_layers, name="file-map"),
    path("files/<str:of>/<str:key>/timeline/", views.timeline, name="file-timeline"),
    path("files/<str:of>/<str:key>/dossier.pdf", views.dossier, name="file-dossier"),
]
