"""Verbs on what hangs on records of any register: files, notes and tags.

They need ``record.annotate`` and a record that the user may see. An outsider (an enterprise, a maintainer) sees the
files and notes of their own organisation and no tags: what the bureau thinks of an enterprise stays in the bureau.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit, files
from luming.core.models import Attachment, Note, Tag, Tagging, User
from luming.core.records import verb
from luming.core.registers import Register

PERMISSION = "record.annotate"


def attachments(user: User, register: Register, pk: Any) -> models.QuerySet[Attachment]:
    """Return the files of a record that the user may open, removed ones among them."""
    return _seen(user, Attachment.objects.filter(**_of(register, pk)), "uploaded_by").select_related("uploaded_by")


def notes(user: User, register: Register, pk: Any) -> models.QuerySet[Note]:
    """Return the notes on a record that the user may read."""
    found = Note.objects.filter(removed_at=None, **_of(register, pk))
    return _seen(user, found, "author").select_related("author")


def tags(user: User, register: Register, pk: Any) -> models.QuerySet[Tag]:
    """Return the tags of a record."""
    if not user.is_internal:
        return Tag.objects.none()
    return Tag.objects.filter(taggings__object_type=register.object_type, taggings__object_id=str(pk))


def attach(
    user: User | None, register: Register, record: Any, file: UploadedFile, category: str = Attachment.Category.DOCUMENT
) -> Attachment:
    """Keep a file with a record; its kind is recognised by its content.

    Raises
    ------
    ValidationError
        Too large, empty, of a kind that is not kept, or kept here already.
    """
    _require(user, register, record)
    name = files.clean_name(file.name or "")
    if (file.size or 0) > settings.UPLOAD_BYTES:
        limit = settings.UPLOAD_BYTES // 2**20
        raise ValidationError(
            _("“%(name)s” is larger than %(limit)s MB: make it smaller or split it.") % {"name": name, "limit": limit}
        )
    if category not in Attachment.Category.values:
        raise ValidationError(_("There is no such category of files."))
    media_type = files.recognise(file, name)
    digest = _digest(file)
    row = Attachment(
        name=name, category=category, media_type=media_type, size=file.size, sha256=digest, uploaded_by=user,
        **_of(register, record.pk),
    )  # fmt: skip
    with transaction.atomic():
        _lock(register, record)  # the same file sent twice at once is kept once
        same = Attachment.objects.filter(sha256=digest, removed_at=None, **_of(register, record.pk)).first()
        if same is not None:
            raise ValidationError(_("This file is kept here already, as “%(name)s”.") % {"name": same.name})
        row.file.save(name, file, save=False)
        try:
            row.save()
            audit.record(user, verb(register, "attach"), record, attachment=row.pk, name=name, sha256=digest)
        except BaseException:
            row.file.storage.delete(row.file.name)  # no row, no file
            raise
    return row


def remove_attachment(user: User | None, register: Register, record: Any, attachment: Attachment) -> Attachment:
    """Take a file away from a record; it is kept and can be brought back."""
    return _set_removed(user, register, record, attachment, timezone.now(), "detach")


def restore_attachment(user: User | None, register: Register, record: Any, attachment: Attachment) -> Attachment:
    """Bring a removed file back."""
    return _set_removed(user, register, record, attachment, None, "reattach")


def write_note(user: User, register: Register, record: Any, text: str) -> Note:
    """Write a note on a record."""
    _require(user, register, record)
    note = Note(text=text.strip(), author=user, **_of(register, record.pk))
    with transaction.atomic():
        note.full_clean()
        note.save()
        audit.record(user, verb(register, "note"), record, note=note.pk)
    return note


def remove_note(user: User, register: Register, record: Any, note: Note) -> None:
    """Take back a note of one's own."""
    _require(user, register, record)
    with transaction.atomic():
        locked = Note.objects.select_for_update().get(pk=note.pk, removed_at=None, author=user)
        locked.removed_at = timezone.now()
        locked.save(update_fields=["removed_at"])
        audit.record(user, verb(register, "unnote"), record, note=note.pk, text=locked.text)


def tag(user: User, register: Register, record: Any, name: str, colour: str = Tag.Colour.GREY) -> Tag:
    """Mark a record with a word; a new word is made with its colour."""
    _require(user, register, record)
    name = " ".join(name.split())
    with transaction.atomic():
        found = Tag.objects.filter(name__iexact=name).first()
        if found is None:
            found = Tag(name=name, colour=colour)
            found.full_clean(validate_unique=False)
            found, _made = Tag.objects.get_or_create(name=name, defaults={"colour": colour})
        _tagging, is_new = Tagging.objects.get_or_create(tag=found, **_of(register, record.pk))
        if is_new:
            audit.record(user, verb(register, "tag"), record, tag=found.name)
    return found


def untag(user: User, register: Register, record: Any, tag: Tag) -> None:
    """Take a word away from a record; a word that no record bears any more is forgotten."""
    _require(user, register, record)
    with transaction.atomic():
        gone, _rows = Tagging.objects.filter(tag=tag, **_of(register, record.pk)).delete()
        if gone:
            audit.record(user, verb(register, "untag"), record, tag=tag.name)
        Tag.objects.filter(pk=tag.pk, taggings=None).delete()


def may_annotate(user: User, register: Register) -> bool:
    """Tell whether the user may attach files and write notes and tags."""
    return user.may(PERMISSION) and user.may(register.view)


def _set_removed(
    user: User | None, register: Register, record: Any, attachment: Attachment, at: Any, what: str
) -> Attachment:
    _require(user, register, record)
    with transaction.atomic():
        rows = Attachment.objects.select_for_update().filter(**_of(register, record.pk))
        locked = (rows if user is None else _seen(user, rows, "uploaded_by")).get(pk=attachment.pk)
        if (locked.removed_at is None) != (at is None):
            locked.removed_at = at
            locked.save(update_fields=["removed_at"])
            audit.record(user, verb(register, what), record, attachment=locked.pk, name=locked.name)
    return locked


def _require(user: User | None, register: Register, record: Any) -> None:
    audit.require(user, PERMISSION)
    if user is None:
        return
    audit.require(user, register.view)
    register.model.objects.visible_to(user).get(pk=record.pk)  # type: ignore[attr-defined]


def _lock(register: Register, record: Any) -> None:
    register.model._base_manager.select_for_update(of=("self",)).get(pk=record.pk)


def _of(register: Register, pk: Any) -> dict[str, str]:
    return {"object_type": register.object_type, "object_id": str(pk)}


def _seen(user: User, rows: Any, author: str) -> Any:
    if user.is_internal:
        return rows
    if user.organisation_id is None:
        return rows.filter(**{author: user})
    return rows.filter(**{f"{author}__organisation": user.organisation_id})


def _digest(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
