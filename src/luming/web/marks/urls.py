"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.marks import deciding, figures, making, page

urlpatterns: list[URLPattern] = [
    path("marks/", deciding.listing, name="marks"),
    path("marks/confirm/", deciding.bulk, name="marks-confirm"),
    path("marks/figures/", figures.page, name="mark-figures"),
    path("marks/figures.csv", figures.download, name="mark-figures-csv"),
    path("marks/outlets/<int:pk>/", making.outlet, name="mark-outlet"),
    path("marks/outlets/<int:pk>/chart.json", making.chart, name="mark-chart"),
    path("marks/<int:pk>/", page.page, name="mark"),
    path("marks/<int:pk>/confirm/", deciding.confirm, name="mark-confirm"),
    path("marks/<int:pk>/refuse/", deciding.refuse, name="mark-refuse"),
    path("marks/<int:pk>/reopen/", deciding.reopen, name="mark-reopen"),
    path("marks/<int:pk>/withdraw/", making.withdraw, name="mark-withdraw"),
]
