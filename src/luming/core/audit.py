"""The audit trail and the guard that every verb starts with."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.utils.translation import gettext as _

from luming.core.models import AuditEntry, User
from luming.core.roles import PERMISSIONS

# The peer address of the web request that runs the verb; set by the middleware.
request_address: ContextVar[str | None] = ContextVar("request_address", default=None)


def require(user: User | None, permission: str) -> None:
    """Let the verb pass or raise.

    ``user=None`` is the platform itself (jobs, commands on the machine's console), which may do what its code does.

    Raises
    ------
    PermissionDenied
        With a sentence that names the missing permission.
    """
    if user is not None and not user.may(permission):
        raise PermissionDenied(
            _("Your role does not hold the permission “%(name)s”.") % {"name": PERMISSIONS[permission]}
        )


def record(user: User | None, verb: str, target: models.Model, *, reason: str = "", **detail: Any) -> AuditEntry:
    """Write the audit row of a verb; call it inside the verb's transaction.

    Parameters
    ----------
    verb : dotted and unique, such as ``device.adopt``.
    target : what was changed; kept by type and key, so that it may be deleted later.
    detail : JSON-able facts: from what to what.
    """
    row = entry(user, verb, target, reason=reason, **detail)
    row.save(force_insert=True)
    return row


def entry(user: User | None, verb: str, target: models.Model, *, reason: str = "", **detail: Any) -> AuditEntry:
    """Return an audit row that is not written yet, for verbs on many objects that write theirs with ``bulk_create``."""
    return AuditEntry(
        actor=user,
        actor_name=str(user) if user else "system",
        verb=verb,
        object_type=target._meta.label_lower,
        object_id=str(target.pk),
        object_name=str(target)[:200],
        reason=reason,
        detail=detail,
        address=request_address.get(),
    )
