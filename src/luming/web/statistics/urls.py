"""The addresses of this room."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.statistics import api, city, place, rates, statistic

urlpatterns: list[URLPattern] = [
    path("statistics/", city.page, name="statistics"),
    path("statistics/rates/", rates.page, name="statistics-rates"),
    path("statistics/<int:pk>/", statistic.page, name="statistic"),
    path("places/<int:pk>/statistics/", place.page, name="place-statistics"),
    path("places/<int:pk>/statistics/export/", place.export, name="place-statistics-export"),
    path("api/v1/statistics/", api.listing, name="statistics-api"),
    path("api/v1/statistics/<int:pk>/", api.one, name="statistics-api-one"),
]
