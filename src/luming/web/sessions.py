"""What a session knows beside its user: when the person last did something, and whether the second factor was given."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from luming.core import second_factor
from luming.core.models import User
from luming.core.roles import ADMINISTRATORS

SEEN = "luming.seen"  # seconds since 1970
DUE = "luming.second-factor"  # the user has one and has not given it in this session


def is_idle(request: HttpRequest) -> bool:
    """Tell whether nothing was done for too long; parts that refresh themselves are not something done."""
    minutes = settings.ADMIN_IDLE_MINUTES if request.user.role in ADMINISTRATORS else settings.IDLE_MINUTES
    if not minutes:
        return False
    now, seen = int(time.time()), request.session.get(SEEN)
    if seen is not None and now - seen > 60 * minutes:
        return True
    by_itself = request.method == "GET" and "HX-Request" in request.headers
    if seen is None or (now - seen > 60 and not by_itself):
        request.session[SEEN] = now
    return False


def second_factor_step(request: HttpRequest) -> str | None:
    """Return the page that must come first: giving the code, or enrolling; None when nothing is missing."""
    due = request.session.get(DUE)
    if due:
        return "second-factor"
    if not second_factor.required(request.user):
        return None
    if request.user.is_verified():
        return None
    return "second-factor" if second_factor.device(request.user) else "second-factor-enrol"


def _signed_in(sender: Any, request: HttpRequest | None, user: User, **keywords: Any) -> None:
    """Note at the sign-in whether the second factor is still to be given, so that no other request need look it up."""
    if request is not None and second_factor.device(user) is not None:
        request.session[DUE] = True


user_logged_in.connect(_signed_in, dispatch_uid="luming.second-factor")
