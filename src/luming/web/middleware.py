"""Middleware of the shell: the language, the account and what it may open, what no text may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.roles import PERMISSIONS
from luming.web import sessions
from luming.web.access import PUBLIC, SIGNED_IN
from luming.web.addresses import visitor

Handler = Callable[[HttpRequest], HttpResponse]

# What a person with a one-time password may still open.
WHILE_PASSWORD_IS_NEW = {"password", "sign-out", "language"}
# What a person may open who has not given the code of the second factor yet: not the password, which may be stolen.
WHILE_UNVERIFIED = {"second-factor", "second-factor-enrol", "sign-out", "language"}
PUBLIC_SITE = "/public/"


class LanguageMiddleware:
    """Chinese unless the visitor chose otherwise; a signed-in user's own choice wins (:class:`AccountMiddleware`)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language  # type: ignore[attr-defined]
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        return response


class AccountMiddleware:
    """Signs in first, changes a one-time password first, then opens what the role may see."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(PUBLIC_SITE):  # nobody is asked who they are: no session, no database
            return self.get_response(request)
        token = audit.request_address.set(visitor(request) or None)
        try:
            if request.user.is_authenticated and sessions.is_idle(request):
                auth.logout(request)
            if request.user.is_authenticated:
                translation.activate(request.user.language)
                request.LANGUAGE_CODE = request.user.language  # type: ignore[attr-defined]
            response = self.get_response(request)
            if request.user.is_authenticated:  # what a page shows of the city stays out of shared caches
                response.headers.setdefault("Cache-Control", "private, no-cache")
            return response
        finally:
            audit.request_address.reset(token)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Let the view run, or answer in its place."""
        access = getattr(view, "access", None)
        if access is None:
            raise ImproperlyConfigured(f"{view} does not say who may see it (luming.web.access)")
        if access == PUBLIC:
            return None
        if not request.user.is_authenticated:
            return self._lead(request, settings.LOGIN_URL, _("Sign in first."))
        name = request.resolver_match.url_name if request.resolver_match else None
        if request.user.must_change_password:
            if name not in WHILE_PASSWORD_IS_NEW:
                return self._lead(request, "password", _("Change your one-time password first."), comes_back=False)
        elif name not in WHILE_UNVERIFIED and (step := sessions.second_factor_step(request)):
            return self._lead(request, step, _("Sign in with your second factor first."))
        if access != SIGNED_IN and not request.user.may(access):
            message = _("Your role does not hold the permission “%(name)s”.") % {"name": PERMISSIONS[access]}
            raise PermissionDenied(message)
        return None

    def _lead(self, request: HttpRequest, name: str, text: str, *, comes_back: bool = True) -> HttpResponse:
        """Lead to the page that must come first; what asks for no page is answered in its own way."""
        address = reverse(name)
        if request.headers.get("HX-Request"):  # a part of a page cannot hold that page: leave the page
            return HttpResponse(status=401, headers={"HX-Redirect": address})
        if request.path.startswith("/api/") and "application/json" in request.headers.get("Accept", ""):
            return JsonResponse({"detail": text, "errors": {}}, status=401)
        return redirect_to_login(request.get_full_path(), address) if comes_back else redirect(address)


class TextMiddleware:
    """Refuses addresses and forms with the character NUL: the database keeps it in no text, so no view looks for it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Let the view run, or raise ``BadRequest``."""
        given = [request.GET]
        if request.content_type == "application/x-www-form-urlencoded":
            given.append(request.POST)
        texts = (text for query in given for name, values in query.lists() for text in (name, *values))
        if "\0" in request.path or any("\0" in text for text in texts):
            raise BadRequest
