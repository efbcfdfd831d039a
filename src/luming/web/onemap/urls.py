"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import path

from luming.web.onemap import views

urlpatterns = [
    path("map/", views.page, name="map"),
    path("map/inside/", views.within, name="map-inside"),
    path("map/wind/", views.wind_at, name="map-wind"),
    path("map/layers/<str:key>.json", views.layer, name="map-layer"),
    path("map/layers/<str:key>/<str:pk>/", views.feature, name="map-feature"),
    path("map.json", views.map_layers, name="map-layers"),
    path("base-map.json", views.base_map, name="base-map"),
    path("base-map/relief.webp", views.relief, name="base-map-relief"),
]
