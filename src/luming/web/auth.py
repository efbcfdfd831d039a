"""Who may sign in."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from luming.core.models import User


class Backend:
    """Username and password of :class:`luming.core.models.User`; verbs come from roles, not from Django's groups."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Return the active user whose password this is."""
        if username is None or password is None:
            return None
        user = User.objects.filter(username=username).first()
        if user is None:
            User().set_password(password)  # as slow as a wrong password: does not tell which names exist
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        """Return the user of a session; a deactivated one is signed out at once."""
        return User.objects.select_related("organisation").filter(pk=user_id, is_active=True).first()
