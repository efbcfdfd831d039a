"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.instruments import keeping, views

urlpatterns: list[URLPattern] = [
    path("devices/health/", views.listing, name="device-health-list"),
    path("devices/maintainers/", views.maintainers, name="maintainers"),
    path("devices/maintainers.csv", views.maintainers_csv, name="maintainers-csv"),
    path("devices/<int:pk>/health/", views.page, name="device-health"),
    path("devices/<int:pk>/health/drift.json", views.drifts, name="device-drift"),
    path("devices/<int:pk>/calibrate/", keeping.calibrate, name="device-calibrate"),
    path("devices/<int:pk>/maintain/", keeping.maintain, name="device-maintain"),
]
