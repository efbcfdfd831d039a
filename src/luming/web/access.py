"""Every view says who may see it; the middleware refuses a view that says nothing.

``@public`` needs no sign-in, ``@signed_in`` any account, ``@needs("data.view")`` a permission.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from luming.core.roles import PERMISSIONS

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SIGNED_IN = "signed-in"


def _mark(view: View, access: str) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def public(view: View) -> View:
    """Mark a view as open to anyone."""
    return _mark(view, PUBLIC)


def signed_in(view: View) -> View:
    """Mark a view as open to every account."""
    return _mark(view, SIGNED_IN)


def needs(permission: str) -> Callable[[View], View]:
    """Mark a view as open to the roles that hold a permission."""
    if permission not in PERMISSIONS:
        raise ValueError(f"no such permission: {permission}")
    return lambda view: _mark(view, permission)
