"""Pages of the first-run wizard."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from luming.core import backup, installation, setup_token
from luming.core.models import User
from luming.registry import importing
from luming.registry.models import Device, Facility, Place, Region
from luming.registry.problems import FileError
from luming.web.access import needs, public
from luming.web.addresses import visitor
from luming.web.setup import actions
from luming.web.setup.forms import AdministratorsForm, BackupForm, CityForm, GatewayForm, TokenForm

SESSION = "luming.setup"
TRIES, TRIES_PERIOD = 6, 600  # of an address
ALL_TRIES = 60  # of all addresses together
STEPS = {
    "city": (gettext_lazy("City profile"), "setup-city"),
    "administrators": (gettext_lazy("Administrators"), "setup-administrators"),
    "stations": (gettext_lazy("First stations"), "setup-stations"),
    "gateway": (gettext_lazy("Gateway"), "setup-gateway"),
    "backup": (gettext_lazy("Backup"), "setup-backup"),
}
LATER = ("stations", "gateway", "backup")


@dataclass(frozen=True, slots=True)
class Step:
    """A step as the head of the wizard shows it."""

    label: Any
    url: str
    is_done: bool
    is_now: bool


def _show(request: HttpRequest, template: str, step: str, values: dict[str, Any]) -> HttpResponse:
    known = actions.done()
    is_open = setup_token.is_open()
    steps = [
        Step(label, reverse(name) if (key in LATER) != is_open else "", key in known, key == step)
        for key, (label, name) in STEPS.items()
    ]
    return render(request, f"web/setup/{template}.html", {"steps": steps, "step": step, **values})


@public
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Ask for the token while nobody administers the installation; then lead to the first step left."""
    if not setup_token.is_open():
        if request.user.is_authenticated and request.user.may("system.setup"):
            return redirect(_next())
        return redirect("home" if request.user.is_authenticated else "login")
    if _holds_token(request):
        return redirect("setup-administrators" if "city" in actions.done() else "setup-city")
    setup_token.current()
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not _may_try(request):
            form.add_error("token", _("Too many wrong tokens. Wait ten minutes."))
        elif setup_token.is_right(form.cleaned_data["token"]):
            request.session.cycle_key()
            request.session[SESSION] = setup_token.mark()
            return redirect("setup")
        else:
            form.add_error("token", _("This is not the token of this installation."))
    return _show(request, "token", "", {"form": form})


def _may_try(request: HttpRequest) -> bool:
    """Count a try; tell whether it is allowed."""
    allowed = True
    for name, limit in ((f"luming.setup.{visitor(request)}", TRIES), ("luming.setup.all", ALL_TRIES)):
        cache.add(name, 0, TRIES_PERIOD)
        allowed &= cache.incr(name) <= limit
    return allowed


def _holds_token(request: HttpRequest) -> bool:
    kept = request.session.get(SESSION)
    return bool(kept) and kept == setup_token.mark()


def _next() -> str:
    """Return the name of the first page left to the system administrator."""
    left = actions.missing(LATER)
    return STEPS[left[0]][1] if left else "setup-summary"


def with_token(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let only the holder of the token in, and only while no administrator exists."""

    @public
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not setup_token.is_open() or not _holds_token(request):
            return redirect("setup")
        return view(request)

    return guarded


@with_token
def choose_city(request: HttpRequest) -> HttpResponse:
    """Choose the profile of the city and load it."""
    form = CityForm(request.POST or None, initial={"profile": settings.LUMING_CITY})
    if request.method == "POST" and form.is_valid():
        try:
            actions.choose_city(None, form.cleaned_data["profile"])
        except FileError as error:
            for problem in error.problems:
                form.add_error("profile", str(problem))
        else:
            return redirect("setup-administrators")
    return _show(request, "city", "city", {"form": form, "loaded": Region.objects.count()})


@with_token
def administrators(request: HttpRequest) -> HttpResponse:
    """Make the three administrators and show their one-time passwords once."""
    form = AdministratorsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.make_administrators(form.people())
        except ValidationError as error:
            form.add_error(None, " ".join(error.messages))
        else:
            request.session.flush()
            return _show(request, "passwords", "administrators", {"accounts": made})
    return _show(request, "administrators", "administrators", {"form": form})


@needs("system.setup")
def stations(request: HttpRequest) -> HttpResponse:
    """Say what is registered and who registers the rest."""
    if request.method == "POST":
        actions.note_stations(request.user)
        return redirect(_next())
    counts = [
        (_("Stations"), Place.objects.filter(kind=Place.Kind.STATION).count()),
        (_("Facilities"), Facility.objects.count()),
        (_("Outlets"), Place.objects.filter(kind=Place.Kind.OUTLET).count()),
        (_("Devices"), Device.objects.count()),
    ]
    keepers = User.objects.filter(role="registrar", is_active=True)
    return _show(request, "stations", "stations", {"counts": counts, "keepers": keepers})


@needs("system.setup")
def blank_template(request: HttpRequest) -> HttpResponse:
    """Return the empty workbook of the import."""
    response = HttpResponse(
        importing.template(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = 'attachment; filename="luming-places.xlsx"'
    return response


@needs("system.setup")
def gateway(request: HttpRequest) -> HttpResponse:
    """Choose the port of the gateway."""
    initial = {"host": settings.GATEWAY_HOST, "port": settings.GATEWAY_PORT} | _written_gateway()
    form = GatewayForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_gateway(request.user, form.cleaned_data["host"], form.cleaned_data["port"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(_next())
    fixed = sorted({"LUMING_GATEWAY_HOST", "LUMING_GATEWAY_PORT"} - set(installation.configured()) & set(os.environ))
    return _show(request, "gateway", "gateway", {"form": form, "fixed": fixed})


def _written_gateway() -> dict[str, Any]:
    written = installation.configured()
    names = (("host", "LUMING_GATEWAY_HOST"), ("port", "LUMING_GATEWAY_PORT"))
    return {key: written[name] for key, name in names if name in written}


@needs("system.setup")
def backups(request: HttpRequest) -> HttpResponse:
    """Choose where backups go."""
    where = backup.folder() or Path(os.environ.get("HOME", "/var/lib")) / "luming-backup"
    form = BackupForm(request.POST or None, initial={"folder": str(where), "keep": backup.keep()})
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_backup(request.user, form.cleaned_data["folder"], form.cleaned_data["keep"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(_next())
    return _show(request, "backup", "backup", {"form": form})


@needs("system.setup")
def summary(request: HttpRequest) -> HttpResponse:
    """Show what is done, what is left, and what must be started again."""
    known = actions.done()
    rows = [
        {"key": key, "label": label, "url": reverse(name) if key in LATER else "", "entry": known.get(key)}
        for key, (label, name) in STEPS.items()
    ]
    return _show(request, "summary", "", {"rows": rows, "restarts": restarts(), "backup_folder": backup.folder()})


def restarts() -> list[tuple[str, str, str]]:
    """Return the settings that were written since this process began: (variable, value now, value written)."""
    running = {
        "LUMING_CITY": settings.LUMING_CITY,
        "LUMING_GATEWAY_HOST": settings.GATEWAY_HOST,
        "LUMING_GATEWAY_PORT": str(settings.GATEWAY_PORT),
    }
    written = installation.configured()
    return [(name, now, written[name]) for name, now in running.items() if name in written and written[name] != now]
