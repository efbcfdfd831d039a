"""Addresses of records; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.registers import record_attachments, record_pages

RECORD = "registers/<slug:key>/<str:pk>/"

urlpatterns: list[URLPattern] = [
    path("attachments/<int:pk>/", record_attachments.download, name="attachment"),
    path("attachments/<int:pk>/remove/", record_attachments.remove, name="attachment-remove"),
    path("attachments/<int:pk>/restore/", record_attachments.bring_back, name="attachment-restore"),
    path(RECORD, record_pages.page, name="record"),
    path(f"{RECORD}documents/", record_attachments.documents, name="record-attach"),
    path(f"{RECORD}notes/", record_attachments.write_note, name="record-note"),
    path(f"{RECORD}notes/<int:note>/remove/", record_attachments.remove_note, name="note-remove"),
    path(f"{RECORD}tags/", record_attachments.tag, name="record-tag"),
    path(f"{RECORD}tags/<int:tag>/remove/", record_attachments.untag, name="record-untag"),
]
