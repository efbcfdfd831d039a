"""The parts of a record's page that other pages show too: files, notes, tags, the latest changes, fields, relations.

A page of a domain or of one enterprise, one file calls :func:`panels` and includes the templates
``web/registers/record_{documents,notes,tags,changes}.html`` with the answer as ``parts``. The page loads
``luming/record.css`` and ``luming/record.js`` in its ``page_head``.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse

from luming.core import annotations, files, records, versions
from luming.core.models import Attachment, Tag, User
from luming.core.registers import Register
from luming.web.registers import access
from luming.web.registers.record_words import Teller, field_column

LATEST = 4  # changes beside a record
SUGGESTED = 200  # tags that are offered while one is typed


def panels(user: User, register: Register, record: Any) -> dict[str, Any]:
    """Return the variables of all parts: what :func:`base`, :func:`documents`, … return, in one dictionary."""
    return (
        base(user, register, record)
        | documents(user, register, record)
        | notes(user, register, record)
        | tags(user, register, record)
        | changes(user, register, record)
    )


def base(user: User, register: Register, record: Any) -> dict[str, Any]:
    """Return what every part needs.

    ``register``, ``record``, ``key`` and ``pk`` (for addresses), ``may_annotate``, ``may_edit``, ``may_delete``,
    ``may_history``.
    """
    may_edit = user.may(register.edit)
    return {
        "register": register,
        "record": record,
        "key": register.key,
        "pk": record.pk,
        "may_annotate": annotations.may_annotate(user, register),
        "may_edit": may_edit,
        "may_delete": may_edit and register.delete,
        "may_history": may_read_history(user, register),
    }


def may_read_history(user: User, register: Register) -> bool:
    """Tell whether the user may read who changed what and why: the bureau's own people may."""
    return user.is_internal and user.may(register.view)


def documents(user: User, register: Register, record: Any, problems: Any = ()) -> dict[str, Any]:
    """Return ``documents``, ``removed`` (files that can be brought back), ``categories``, ``accept``, ``problems``."""
    rows = list(annotations.attachments(user, register, record.pk))
    return {
        "documents": [row for row in rows if row.removed_at is None],
        "removed": [row for row in rows if row.removed_at is not None],
        "categories": Attachment.Category.choices,
        "accept": ",".join(files.ENDINGS),
        "upload_mb": settings.UPLOAD_BYTES // 2**20,
        "problems": list(problems),
    }


def notes(user: User, register: Register, record: Any, problem: str = "", typed: str = "") -> dict[str, Any]:
    """Return ``notes`` (newest first), ``note_problem`` and ``note_typed``."""
    return {"notes": list(annotations.notes(user, register, record.pk)), "note_problem": problem, "note_typed": typed}


def tags(user: User, register: Register, record: Any, problem: str = "") -> dict[str, Any]:
    """Return ``tags``, ``known_tags`` (to suggest), ``colours``, ``show_tags`` and ``tag_problem``."""
    may = annotations.may_annotate(user, register) and user.is_internal
    return {
        "tags": list(annotations.tags(user, register, record.pk)),
        "known_tags": list(Tag.objects.values_list("name", flat=True)[:SUGGESTED]) if may else [],
        "colours": Tag.Colour.choices,
        "show_tags": user.is_internal,
        "tag_problem": problem,
    }


def changes(user: User, register: Register, record: Any) -> dict[str, Any]:
    """Return the ``changes`` told last and how many versions there are (``version_count``)."""
    if not may_read_history(user, register):
        return {"changes": [], "version_count": 0}
    every = versions.history(register.model, record.pk, LATEST)
    return {"changes": Teller(register, user).tell(every[:LATEST]), "version_count": len(every)}


def address(register: Register, record: Any) -> str:
    """Return the address to go to after a change: the record's own page."""
    return access.address(register, record)


def entry_address(register: Register, record: Any) -> str:
    """Return the address of the register's own page of a record, also where the record has a page elsewhere."""
    return reverse("record", args=[register.key, record.pk])


def shown_groups(user: User, register: Register, record: Any) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """Return the fields of a record by group as (label, cell); secrets are left out."""
    secrets = versions.secret_fields(register.model)
    editable = records.editable_fields(register)
    found, seen = [], set()
    links = access.Links(user)
    for group in records.groups(register):
        names = [name for name in group.fields if name in editable and name not in secrets]
        seen |= set(names)
        if names:
            columns = [field_column(register, name) for name in names]
            found.append((group.label, [(column.label, column.cell(record, links)) for column in columns]))
    rest = [item if isinstance(item, str) else item.name for item in register.columns]
    rest = [name for name in rest if name not in seen and name not in secrets]
    if rest:
        columns = [field_column(register, name) for name in rest]
        found.append(("", [(column.label, column.cell(record, links)) for column in columns]))
    return found
