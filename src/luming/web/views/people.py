"""Pages of the three administrators: accounts, roles, the audit trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from luming.core import actions, second_factor
from luming.core.models import AuditEntry, User
from luming.registry.models import Region
from luming.web.access import needs
from luming.web.forms import RoleForm, UserForm


def _users(request: HttpRequest) -> Any:
    found = User.objects.select_related("organisation").order_by("username")
    if q := request.GET.get("q", "").strip():
        found = found.filter(username__icontains=q) | found.filter(name__icontains=q)
    return Paginator(found, 50).get_page(request.GET.get("page"))


@needs("user.manage")
def users(request: HttpRequest) -> HttpResponse:
    """List the accounts."""
    return render(request, "web/users.html", {"users": _users(request)})


@needs("user.manage")
@never_cache
def create(request: HttpRequest) -> HttpResponse:
    """Make an account and show its one-time password once."""
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, password = actions.create_user(request.user, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error) if not hasattr(error, "error_dict") else _spread(form, error)
        else:
            return render(request, "web/one_time_password.html", {"account": user, "password": password})
    return render(request, "web/user_new.html", {"form": form})


def _spread(form: UserForm, error: ValidationError) -> None:
    """Put a model's errors next to the fields that the form has."""
    for field, problems in error.error_dict.items():
        form.add_error(field if field in form.fields else None, problems)


@needs("user.manage")
@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch an account on or off."""
    account = get_object_or_404(User, pk=pk)
    try:
        actions.set_active(request.user, account, request.POST.get("active") == "1")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("users")


@needs("user.manage")
@never_cache
@require_POST
def reset_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Show an account's new one-time password once."""
    account = get_object_or_404(User, pk=pk)
    password = actions.reset_password(request.user, account)
    return render(request, "web/one_time_password.html", {"account": account, "password": password})


@needs("role.assign")
def roles(request: HttpRequest) -> HttpResponse:
    """List the accounts with their roles and scopes."""
    regions = dict(Region.objects.values_list("code", "name"))
    page = _users(request)
    for user in page:
        user.regions = [regions.get(code, code) for code in user.region_codes]
    return render(request, "web/roles.html", {"users": page})


@needs("role.assign")
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an account a role and a scope."""
    account = get_object_or_404(User.objects.select_related("organisation"), pk=pk)
    initial = {"role": account.role, "regions": account.region_codes, "organisation": account.organisation_id}
    form = RoleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        codes = [region.pk for region in values["regions"]]
        try:
            actions.assign_role(request.user, account, values["role"], codes, values["organisation"], values["reason"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The role is assigned."))
            return redirect("roles")
    return render(request, "web/role.html", {"form": form, "account": account, "device": second_factor.device(account)})


@needs("audit.view")
def audit_trail(request: HttpRequest) -> HttpResponse:
    """List who did what, newest first."""
    entries = AuditEntry.objects.select_related("actor")
    filters = {
        "verb__startswith": request.GET.get("verb", "").strip(),
        "actor_name__icontains": request.GET.get("actor", "").strip(),
        "object_name__icontains": request.GET.get("object", "").strip(),
    }
    entries = entries.filter(**{key: value for key, value in filters.items() if value})
    if day := _date(request.GET.get("day")):
        entries = entries.filter(at__gte=day, at__lt=day + timedelta(days=1))
    return render(request, "web/audit.html", {"entries": Paginator(entries, 50).get_page(request.GET.get("page"))})


def _date(text: str | None) -> Any:
    """Return midnight of a date in the city's time, None when it is no date."""
    try:
        day = parse_date(text or "")
    except ValueError:
        return None
    if day is None:
        return None
    return timezone.make_aware(timezone.datetime(day.year, day.month, day.day))
