"""Verbs on announcements: write, change, publish, withdraw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.domains.disclosure.models import Announcement

PERMISSION = "announcement.edit"
FIELDS = ("title", "kind", "lang", "body")


@transaction.atomic
def write(user: User | None, *, reason: str = "", **values: Any) -> Announcement:
    """Write a draft."""
    audit.require(user, PERMISSION)
    record = Announcement(author=user, **values)
    _validate(record)
    record.save(force_insert=True)
    audit.record(user, "announcement.write", record, reason=reason, kind=record.kind)
    return record


@transaction.atomic
def change(user: User | None, announcement: Announcement, *, reason: str = "", **values: Any) -> Announcement:
    """Change an announcement; what the public has read already is changed only with a reason.

    Raises
    ------
    ValidationError
        A field is wrong, a reason is missing, or the announcement is withdrawn.
    """
    audit.require(user, PERMISSION)
    record = _locked(announcement)
    if record.standing == "withdrawn":
        raise ValidationError(_("A withdrawn announcement is not changed: write a new one."))
    before = {name: getattr(record, name) for name in FIELDS}
    changed = {name: value for name, value in values.items() if name in FIELDS and before[name] != value}
    if not changed:
        return record
    if record.standing == "published" and not reason.strip():
        raise ValidationError({"reason": _("It is published: say why it is changed.")})
    for name, value in changed.items():
        setattr(record, name, value)
    _validate(record)
    record.save(update_fields=list(changed))
    audit.record(user, "announcement.change", record, reason=reason, fields=sorted(changed))
    return record


@transaction.atomic
def publish(user: User | None, announcement: Announcement, *, reason: str = "") -> Announcement:
    """Put a draft on the public site.

    Raises
    ------
    ValidationError
        It is published or withdrawn already.
    """
    audit.require(user, PERMISSION)
    record = _locked(announcement)
    if record.standing != "draft":
        raise ValidationError(_("“%(title)s” is no draft any more.") % {"title": record.title})
    record.published_at = timezone.now()
    record.save(update_fields=["published_at"])
    audit.record(user, "announcement.publish", record, reason=reason)
    return record


@transaction.atomic
def withdraw(user: User | None, announcement: Announcement, *, reason: str) -> Announcement:
    """Take an announcement from the public site; the register keeps it.

    Raises
    ------
    ValidationError
        It is not published, or no reason is given.
    """
    audit.require(user, PERMISSION)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the reason goes into the audit trail.")})
    record = _locked(announcement)
    if record.standing != "published":
        raise ValidationError(_("“%(title)s” is not published.") % {"title": record.title})
    record.withdrawn_at = timezone.now()
    record.save(update_fields=["withdrawn_at"])
    audit.record(user, "announcement.withdraw", record, reason=reason)
    return record


def publish_all(user: User, records: Iterable[Announcement], *, reason: str = "") -> str:
    """Publish several drafts together; says how many."""
    with transaction.atomic():
        number = len([publish(user, record, reason=reason) for record in records])
    return _("Published: %(count)d.") % {"count": number}


def withdraw_all(user: User, records: Iterable[Announcement], *, reason: str = "") -> str:
    """Withdraw several announcements together; says how many."""
    with transaction.atomic():
        number = len([withdraw(user, record, reason=reason) for record in records])
    return _("Withdrawn: %(count)d.") % {"count": number}


def _locked(announcement: Announcement) -> Announcement:
    return Announcement.objects.select_for_update(of=("self",)).get(pk=announcement.pk)


def _validate(record: Announcement) -> None:
    record.title, record.body = record.title.strip(), record.body.replace("\r\n", "\n").strip()
    record.full_clean(exclude=["author"])
