"""The addresses of this room."""

from django.urls import URLPattern, path

from luming.web.review import desk, portal, queueing, signing

urlpatterns: list[URLPattern] = [
    path("review/", queueing.listing, name="review-queue"),
    path("review/bulk/", queueing.bulk, name="review-bulk"),
    path("review/next/", desk.following, name="review-next"),
    path("review/signed/<int:pk>/", signing.page, name="review-signature"),
    path("review/signed/<int:pk>/document.txt", signing.document, name="review-document"),
    path("review/signed/<int:pk>/countersign/", signing.countersign, name="review-countersign"),
    path("review/signed/<int:pk>/send-back/", signing.send_back, name="review-send-back"),
    path("review/signed/<int:pk>/reopen/", signing.reopen, name="review-reopen"),
    path("review/questions/<int:pk>/answer/", portal.answer, name="review-answer"),
    path("review/<int:place>/<slug:day>/", desk.page, name="review-day"),
    path("review/<int:place>/<slug:day>/data.json", desk.data, name="review-data"),
    path("review/<int:place>/<slug:day>/minutes.json", desk.minutes, name="review-minutes"),
    path("review/<int:place>/<slug:day>/neighbours.json", desk.neighbours, name="review-neighbours"),
    path("review/<int:place>/<slug:day>/here/", desk.here, name="review-here"),
    path("review/<int:place>/<slug:day>/draft/", desk.draft, name="review-draft"),
    path("review/<int:place>/<slug:day>/discard/", desk.discard, name="review-discard"),
    path("review/<int:place>/<slug:day>/submit/", desk.submit, name="review-submit"),
]
