"""The two doors that every page and answer about a register goes through: may the user open it, and which rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
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


def chosen(register: Register, user: User, data: Mapping[str, Any]) -> QuerySet[Any]:
    """Return the rows that a list's form names: ``pk`` (several), or with ``all`` what ``query`` finds.

    ``query`` is the query string of the list that the person looked at when choosing all that it finds.
    """
    if data.get("all"):
        from luming.web.registers.listing import Listing  # it needs this module itself

        return Listing(register, user, QueryDict(data.get("query", ""))).found
    keys = data.getlist("pk") if hasattr(data, "getlist") else data.get("pk", [])
    field = register.model._meta.pk
    return rows(register, user).filter(pk__in=[key for key in keys if _is_key(field, key)])


def _is_key(field: Any, text: str) -> bool:
    try:
        field.to_python(text)
    except Exception:
        return False
    return True


def address(register: Register, record: Any) -> str:
    """Return the address of a record's page: its own where the register names one."""
    return register.page(record) if register.page is not None else reverse("record", args=[register.key, record.pk])
