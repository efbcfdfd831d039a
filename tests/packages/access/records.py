"""The addresses of records: pages, forms, history, files, notes and tags."""

from access.groups import BUREAU, DATA, EDIT

INTERNAL = BUREAU | {"leader", "publisher"}
FACILITY = ("facilities", "facility")
WELL = ("wells", "well")

ROWS: dict = {
    "record": ("get", FACILITY, {}, DATA),
    "record-new": ("get", ("facilities",), {}, EDIT),
    "record-edit": ("get", FACILITY, {}, EDIT),
    "record-delete": ("get", WELL, {}, EDIT),
    "record-action": ("get", (*WELL, "seal"), {}, EDIT),
    "record-options": ("get", ("outlets", "region"), {"q": "150"}, EDIT),
    "record-bulk": ("post", ("facilities",), {"pk": "facility"}, EDIT),
    "record-bulk-undo": ("get", ("facilities",), {"batch": "2026-01-01T00:00:00+00:00"}, EDIT),
    "record-history": ("get", FACILITY, {}, INTERNAL),
    "record-compare": ("get", FACILITY, {}, INTERNAL),
    "record-restore": ("get", FACILITY, {}, EDIT),
    "record-undelete": ("get", FACILITY, {}, EDIT),
    "register-deleted": ("get", ("facilities",), {}, INTERNAL),
    "record-attach": ("post", FACILITY, {"category": "document"}, BUREAU),
    "record-note": ("post", FACILITY, {"text": "a note"}, BUREAU),
    "note-remove": ("post", (*FACILITY, "note"), {}, BUREAU),
    "record-tag": ("post", FACILITY, {"name": "a word"}, BUREAU),
    "record-untag": ("post", (*FACILITY, "tag"), {}, BUREAU),
    "attachment": ("get", ("attachment",), {}, DATA),
    "attachment-remove": ("post", ("attachment",), {}, BUREAU),
    "attachment-restore": ("post", ("attachment",), {}, BUREAU),
}


def known(world, client, arguments):
    """Return the records that the arguments of a row name, made for this one request."""
    from django.core.files.base import ContentFile
    from luming_dummy.models import Well

    from luming.core.models import Attachment, Note, Tag, User

    user = User.objects.filter(pk=client.session.get("_auth_user_id") or 0).first() or world.users["duty"]
    of = {"object_type": "registry.facility", "object_id": str(world.facility.pk)}
    made = {}
    if "well" in arguments:
        made["well"] = Well.objects.get_or_create(
            code="W1", name="W1", region=world.facility.region, depth_m=1, longitude=109.8, latitude=40.6
        )[0].pk
    if "attachment" in arguments:
        row = Attachment(name="a.txt", media_type="text/plain", size=4, sha256="0" * 64, **of)
        row.uploaded_by = user  # an outsider opens the files of their own organisation
        row.file.save("a.txt", ContentFile(b"text"), save=False)
        row.save()
        made["attachment"] = row.pk
    if "note" in arguments:
        made["note"] = Note.objects.create(text="a note", author=user, **of).pk
    if "tag" in arguments:
        made["tag"] = Tag.objects.get_or_create(name="another word")[0].pk
    return made
