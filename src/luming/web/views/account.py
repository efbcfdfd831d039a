"""Signing in and out, and one's own account."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming.core import actions, second_factor
from luming.core.models import User
from luming.core.roles import PERMISSIONS
from luming.registry.models import Region
from luming.web.access import public, signed_in
from luming.web.forms import PasswordForm, SignInForm, is_language

_sign_in = LoginView.as_view(
    template_name="web/sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
)


@public
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in; an installation without any account begins with the first-run wizard."""
    if request.method == "GET" and not User.objects.exists():
        return redirect("setup")
    return _sign_in(request)


sign_out = signed_in(LogoutView.as_view())


@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """Show who I am to the system and what I may do."""
    permissions = [PERMISSIONS[key] for key in PERMISSIONS if request.user.may(key)]
    scope = Region.objects.filter(pk__in=request.user.region_codes)
    values = {
        "permissions": permissions,
        "scope": scope,
        "device": second_factor.device(request.user),
        "codes_left": second_factor.codes_left(request.user),
        "second_factor_required": second_factor.required(request.user),
    }
    return render(request, "web/account.html", values)


@signed_in
def password(request: HttpRequest) -> HttpResponse:
    """Change my password."""
    form = PasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.change_password(request.user, form.cleaned_data["new"])
        except ValidationError as error:
            form.add_error("new", error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("Your password is changed."))
            return redirect("home")
    return render(request, "web/password.html", {"form": form})


@public
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of the pages."""
    wanted = request.POST.get("language", "")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = "/"
    response = redirect(target)
    if is_language(wanted):
        if request.user.is_authenticated:
            actions.set_language(request.user, wanted)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=365 * 86400,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response
