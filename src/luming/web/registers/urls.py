"""Addresses; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.registers import api, catalogue, import_views, record_urls, views

urlpatterns: list[URLPattern] = [
    path("registers/", catalogue.catalogue, name="registers"),
    path("registers/<slug:key>/", views.listing, name="register"),
    path("registers/<slug:key>/choices/<slug:name>/", views.choices, name="register-choices"),
    path("registers/<slug:key>/views/", views.keep_view, name="register-views"),
    path("registers/<slug:key>/export/", views.export, name="register-export"),
    path("registers/<slug:key>/import/", import_views.page, name="register-import"),
    path("registers/<slug:key>/schema/", catalogue.schema, name="register-schema"),
    path("api/v1/openapi.json", api.openapi, name="openapi"),
    path("api/v1/registers/<slug:key>/", api.rows, name="register-api"),
    path("api/v1/registers/<slug:key>/<str:pk>/", api.record, name="register-api-record"),
    *record_urls.urlpatterns,  # last: a record's key may be any text
]
