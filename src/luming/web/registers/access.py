"""The two doors that every page and answer about a register goes through: may the user open it, and which rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from luming.core import manifest
from luming.core.models import User
from luming.core.registers import Register
from luming.core.roles import PERMISSIONS

if TYPE_CHECKING:
    from luming.web.registers.columns import ListColumn


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


class Links:
    """Where the records that a page names lead one reader: nowhere when there is no page that the reader may open.

    What stands around a record in the bureau's scope is in it too. An outsider's records name others outside their
    scope, such as the maintainer of a device: those are looked up, once per register for all rows of a page.
    """

    def __init__(self, user: User) -> None:
        self.user = user
        self._known: dict[str, dict[Any, bool]] = {}  # register → key → may be opened

    def learn(self, columns: Iterable[ListColumn], rows: Sequence[Any]) -> None:
        """Look up what the cells of these rows name."""
        if not self.user.is_internal:
            self._look_up(column.value(row) for column in columns if column.kind == "record" for row in rows)

    def address(self, record: Model) -> str:
        """Return the address of a record's page; "" where there is none for the reader."""
        register = manifest.register_of(type(record))
        if register is None or not self.user.may(register.view):
            return ""
        if not self.user.is_internal:
            if record.pk not in self._known.get(register.key, {}):
                self._look_up([record])
            if not self._known[register.key][record.pk]:
                return ""
        try:
            return address(register, record)
        except NoReverseMatch:
            return ""

    def _look_up(self, found: Iterable[Any]) -> None:
        wanted: dict[str, tuple[Register, set[Any]]] = {}
        for record in found:
            register = manifest.register_of(type(record)) if isinstance(record, Model) else None
            if register is not None and record.pk not in self._known.get(register.key, {}):
                wanted.setdefault(register.key, (register, set()))[1].add(record.pk)
        for key, (register, pks) in wanted.items():
            visible = set(register.model.objects.visible_to(self.user).filter(pk__in=pks).values_list("pk", flat=True))
            self._known.setdefault(key, {}).update({pk: pk in visible for pk in pks})
