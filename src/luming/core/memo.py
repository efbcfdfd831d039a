"""What several parts of one page need, made once: kept with the request's user and gone with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from luming.core.models import User

Made = TypeVar("Made")


def once(user: User, key: str, make: Callable[[], Made]) -> Made:
    """Return what ``make`` returned first for this user object."""
    kept = user.__dict__.setdefault("_memo", {})
    if key not in kept:
        kept[key] = make()
    return kept[key]


def forget(user: User) -> None:
    """Make everything anew from here on."""
    user.__dict__.pop("_memo", None)
