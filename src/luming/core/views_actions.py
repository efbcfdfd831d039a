"""Verbs on saved views of lists: a person's own, or shared with all who work for the bureau."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import SavedView, User
from luming.core.registers import Register

MOST = 100  # views of one person for one register


def offered(user: User, register: Register) -> QuerySet[SavedView]:
    """Return the views that a user may choose from: own ones first, then those that others share.

    What is shared stays inside the bureau: the words of a search may say more than an enterprise should read.
    """
    condition = Q(owner=user)
    if user.is_internal:
        condition |= Q(is_shared=True, owner__is_active=True)
    return SavedView.objects.filter(condition, register=register.key).select_related("owner").order_by("name", "pk")


def save(
    user: User, register: Register, *, name: str, query: str, is_shared: bool = False, is_default: bool = False
) -> SavedView:
    """Keep how a list is seen under a name; one's own view of the same name is replaced."""
    audit.require(user, register.view)
    with transaction.atomic():
        own = _own(user, register)
        view = own.filter(name=name.strip()).first()
        if view is None:
            if own.count() >= MOST:
                raise ValidationError(_("You have %(number)s views of this list; delete one first.") % {"number": MOST})
            view = SavedView(owner=user, register=register.key, name=name.strip())
        return _write(user, register, view, query=query, is_shared=is_shared, is_default=is_default)


def change(user: User, register: Register, view: SavedView, **values: Any) -> SavedView:
    """Change name, query, sharing or being opened first of one's own view."""
    audit.require(user, register.view)
    with transaction.atomic():
        return _write(user, register, _mine(user, register, view), **values)


def delete(user: User, register: Register, view: SavedView) -> None:
    """Delete one's own view."""
    audit.require(user, register.view)
    with transaction.atomic():
        mine = _mine(user, register, view)
        audit.record(user, "view.delete", mine, register=register.key, query=mine.query, shared=mine.is_shared)
        mine.delete()


def _own(user: User, register: Register) -> QuerySet[SavedView]:
    """Return the user's views of a list; the user's row is the lock, since there can be only one opened first."""
    User.objects.select_for_update().get(pk=user.pk)
    return SavedView.objects.filter(owner=user, register=register.key)


def _mine(user: User, register: Register, view: SavedView) -> SavedView:
    mine = _own(user, register).filter(pk=view.pk).first()
    if mine is None:
        raise PermissionDenied(_("Only its owner changes a view; save it under a name of your own instead."))
    return mine


def _write(user: User, register: Register, view: SavedView, **values: Any) -> SavedView:
    if values.get("is_shared") and not user.is_internal:
        raise PermissionDenied(_("Views are shared among people of the bureau only."))
    for name, value in values.items():
        setattr(view, name, value)
    if view.is_default:
        _own(user, register).filter(is_default=True).exclude(pk=view.pk).update(is_default=False)
    view.full_clean()
    view.save()
    facts = {"name": view.name, "query": view.query, "shared": view.is_shared, "default": view.is_default}
    audit.record(user, "view.save", view, register=register.key, **facts)
    return view
