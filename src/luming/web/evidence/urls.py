"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.evidence import api, days, outside, pages, sheets

urlpatterns: list[URLPattern] = [
    path("evidence/judgements/<int:pk>/", pages.judgement, name="evidence-judgement"),
    path("evidence/statistics/<int:pk>/", pages.statistic, name="evidence-statistic"),
    path("evidence/values/<int:series>/<int:start>/", pages.value, name="evidence-value"),
    path("evidence/packets/<int:pk>/", pages.packet, name="evidence-packet"),
    path("evidence/sheets/", sheets.listing, name="evidence-sheets"),
    path("evidence/sheets/issue/", sheets.issue, name="evidence-issue"),
    path("evidence/sheets/<str:code>/", sheets.page, name="evidence-sheet"),
    path("evidence/sheets/<str:code>/sheet.pdf", sheets.pdf, name="evidence-sheet-pdf"),
    path("evidence/sheets/<str:code>/document.json", sheets.document, name="evidence-sheet-document"),
    path("evidence/days/", days.page, name="evidence-days"),
    path("evidence/days/verify/", days.verify, name="evidence-days-verify"),
    path("evidence/days.csv", days.export, name="evidence-days-csv"),
    path("api/v1/evidence/judgements/<int:pk>/", api.judgement, name="evidence-api-judgement"),
    path("api/v1/evidence/statistics/<int:pk>/", api.statistic, name="evidence-api-statistic"),
    path("api/v1/evidence/values/<int:series>/<int:start>/", api.value, name="evidence-api-value"),
    path("api/v1/evidence/packets/<int:pk>/", api.packet, name="evidence-api-packet"),
    path("verify/", outside.form, name="verify"),
    path("verify/<str:code>/", outside.result, name="verify-sheet"),
]
