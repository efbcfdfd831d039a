"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import path

from luming.web.onemap import views

urlpatterns = [
    path("map.json", views.map_layers, name="map-layers"),
    path("base-map.json", views.base_map, name="base-map"),
]
