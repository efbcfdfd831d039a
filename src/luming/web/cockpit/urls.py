"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.cockpit import evidence, views

urlpatterns: list[URLPattern] = [
    path("cockpit/", views.cockpit, name="cockpit"),
    path("cockpit/now/", views.now, name="cockpit-now"),
    path("cockpit/wall/", views.wall, name="wall"),
    path("cockpit/wall.json", views.wall_data, name="wall-data"),
    path("judgements/", evidence.judgements, name="judgements"),
    path("completeness/", evidence.completeness, name="completeness"),
    path("search/", views.search, name="search"),
    path("search/find/", views.find, name="search-find"),
]
