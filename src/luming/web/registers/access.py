"""The two doors that every page and answer about a register goes through: may the user open it, and which rows."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from luming.core import manifest
from luming.core.models import User
from luming.core.registers import Register
from luming.core.roles import PERMISSIONS


def found(request: HttpRequest, key: str) -> Register:
    """Return the register of a key; there is none (404), or the user's role does not open it (403)."""
    register = manifest.register(key)
    if register is None:
        raise Http404(_("There is no register of this name."))
    require(request.user, register)
    return register


def require(user: User, register: Register) -> None:
    """Let the user look at a register or raise ``PermissionDenied`` with a sentence."""
    if not user.may(register.view):
        name = PERMISSIONS[register.view]
        raise PermissionDenied(_("Your role does not hold the permission “%(name)s”.") % {"name": name})


def opened_by(user: User) -> list[Register]:
    """Return the registers that the user may open, in order."""
    return [register for register in manifest.registers() if user.may(register.view)]


def rows(register: Register, user: User) -> QuerySet[Any]:
    """Return the records in the user's scope, with the annotations and relations that the columns need."""
    queryset = register.model.objects.visible_to(user)
    if register.annotate is not None:
        queryset = register.annotate(queryset, user)
    return queryset.select_related(*register.select) if register.select else queryset


def address(register: Register, record: Any) -> str:
    """Return the address of a record's page: its own where the register names one."""
    return register.page(record) if register.page is not None else reverse("record", args=[register.key, record.pk])
