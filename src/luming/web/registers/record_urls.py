"""Addresses of records; the permission matrix names every one of them."""

from __future__ import annotations

from django.urls import URLPattern, path

from luming.web.registers import record_attachments, record_bulk, record_editing, record_history, record_pages

RECORD = "registers/<slug:key>/<str:pk>/"

urlpatterns: list[URLPattern] = [
    path("attachments/<int:pk>/", record_attachments.download, name="attachment"),
    path("attachments/<int:pk>/remove/", record_attachments.remove, name="attachment-remove"),
    path("attachments/<int:pk>/restore/", record_attachments.bring_back, name="attachment-restore"),
    path("registers/<slug:key>/new/", record_editing.new, name="record-new"),
    path("registers/<slug:key>/bulk/", record_bulk.bulk, name="record-bulk"),
    path("registers/<slug:key>/bulk/undo/", record_bulk.undo, name="record-bulk-undo"),
    path("registers/<slug:key>/deleted/", record_history.deleted, name="register-deleted"),
    path("registers/<slug:key>/options/<slug:name>/", record_editing.options, name="record-options"),
    path(RECORD, record_pages.page, name="record"),
    path(f"{RECORD}edit/", record_editing.edit, name="record-edit"),
    path(f"{RECORD}delete/", record_editing.delete, name="record-delete"),
    path(f"{RECORD}actions/<slug:action>/", record_editing.act, name="record-action"),
    path(f"{RECORD}history/", record_history.history, name="record-history"),
    path(f"{RECORD}compare/", record_history.compare, name="record-compare"),
    path(f"{RECORD}restore/", record_history.restore, name="record-restore"),
    path(f"{RECORD}undelete/", record_history.undelete, name="record-undelete"),
    path(f"{RECORD}documents/", record_attachments.documents, name="record-attach"),
    path(f"{RECORD}notes/", record_attachments.write_note, name="record-note"),
    path(f"{RECORD}notes/<int:note>/remove/", record_attachments.remove_note, name="note-remove"),
    path(f"{RECORD}tags/", record_attachments.tag, name="record-tag"),
    path(f"{RECORD}tags/<int:tag>/remove/", record_attachments.untag, name="record-untag"),
]
