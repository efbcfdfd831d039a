"""Pages of the second factor: give the code, enrol an application, recovery codes, give it up."""

from __future__ import annotations

import io
from base64 import b64encode

import segno
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_otp import login as otp_login

from luming.core import second_factor
from luming.core.models import User
from luming.registry import city
from luming.web import sessions
from luming.web.access import needs, signed_in
from luming.web.forms import CodeForm, ConfirmForm, ReasonForm


@signed_in
def give(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the second factor."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device = second_factor.verify(request.user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            _verified(request, device)
            return redirect(_next(request))
    elif second_factor.device(request.user) is None:
        return redirect("second-factor-enrol")
    return render(request, "web/second_factor.html", {"form": form, "next": _next(request)})


def _verified(request: HttpRequest, device: object) -> None:
    """Note in the session that the second factor was given."""
    otp_login(request, device)
    request.session.pop(sessions.DUE, None)
    request.session.cycle_key()


def _next(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or "/"
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return "/"


@signed_in
@never_cache
def enrol(request: HttpRequest) -> HttpResponse:
    """Show the QR code of a new key; its first code takes it into use, and the recovery codes are shown once."""
    try:
        waiting = second_factor.begin(request.user)
    except ValidationError:
        return redirect("account")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            device, codes = second_factor.enrol(request.user, form.cleaned_data["code"])
        except ValidationError as error:
            form.add_error("code", error)
        else:
            _verified(request, device)
            return render(request, "web/recovery_codes.html", {"codes": codes, "next": _next(request)})
    issuer = f"{_('Luming')} {city.profile().text('name')}"
    values = {
        "form": form,
        "picture": picture(second_factor.address(waiting, issuer)),
        "secret": second_factor.secret(waiting),
        "required": second_factor.required(request.user),
        "next": _next(request),
    }
    return render(request, "web/second_factor_enrol.html", values)


def picture(text: str) -> str:
    """Return a QR code as the address of an inline picture."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=5, border=3, light="#fff", dark="#0c2b2a")
    return f"data:image/svg+xml;base64,{b64encode(out.getvalue()).decode()}"


@signed_in
@never_cache
def codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes, with the password."""
    form = ConfirmForm(request.POST or None)
    if second_factor.device(request.user) is None:
        return redirect("second-factor-enrol")
    if request.method == "POST" and form.is_valid():
        try:
            found = second_factor.renew_codes(request.user, form.cleaned_data["password"])
        except ValidationError as error:
            form.add_error("password", error)
        else:
            return render(request, "web/recovery_codes.html", {"codes": found, "next": "/account/"})
    return render(request, "web/second_factor_confirm.html", {"form": form, "what": "codes"})


@signed_in
def remove(request: HttpRequest) -> HttpResponse:
    """Give one's own second factor up, with the password."""
    form = ConfirmForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.remove(request.user, form.cleaned_data["password"])
        except ValidationError as error:
            form.add_error("password", error)
        else:
            messages.success(request, _("Your second factor is removed."))
            return redirect("account")
    return render(request, "web/second_factor_confirm.html", {"form": form, "what": "remove"})


@needs("role.assign")
@require_POST
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Take another person's second factor away."""
    account = get_object_or_404(User, pk=pk)
    form = ReasonForm(request.POST)
    try:
        second_factor.reset(request.user, account, form.cleaned_data["reason"] if form.is_valid() else "")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The second factor is reset; the person enrols anew at the next sign-in."))
    return redirect("role", pk)
