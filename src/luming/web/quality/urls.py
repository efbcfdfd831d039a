"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.quality import views

urlpatterns: list[URLPattern] = [
    path("quality/", views.checks, name="quality"),
    path("quality/checks/<slug:code>/", views.check, name="quality-check"),
    path("quality/checks/<slug:code>/set/", views.configure, name="quality-configure"),
    path("quality/settings/<int:pk>/end/", views.end, name="quality-end"),
    path("quality/suspicions/", views.suspicions, name="suspicions"),
    path("quality/suspicions/<int:pk>/", views.suspicion, name="suspicion"),
    path("quality/suspicions/<int:pk>/<slug:verb>/", views.decide, name="suspicion-decide"),
    path("places/<int:pk>/check-again/", views.again, name="quality-again"),
]
