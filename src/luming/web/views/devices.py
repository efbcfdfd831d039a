"""Devices: who is on line, what is missing, and the commands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming import hj212
from luming.registry import actions as register
from luming.registry.models import Device, FactorAlias, Series
from luming.telemetry import actions, commanding, store
from luming.telemetry.models import Command, Connection, Gap
from luming.web import coverage, words
from luming.web.access import needs
from luming.web.live import live
from luming.web.states import status_of, with_status

PER_PAGE = 50
SORTS = {
    "mn": ("mn",),
    "name": ("name", "mn"),
    "place": ("place__code", "mn"),
    "status": ("status", "mn"),
    "last": ("-state__last_packet_at", "mn"),
    "clock": ("-state__clock_offset", "mn"),
    "gaps": ("-open_gaps", "mn"),
}
# Commands that change what the device does in the world are asked for twice.
CONFIRMED = frozenset({1000, 1012, 1062, 1064, 1072, 3011, 3012, 3013, 3014, 3015, 3016, 3021, 3022, 3024})
GROUPS = (
    ("data", frozenset({2011, 2012, 2013, 2021, 2022, 2031, 2041, 2051, 2061, 2062})),
    ("settings", frozenset({1000, 1011, 1012, 1061, 1062, 1063, 1064, 1072})),
    ("control", frozenset(range(3000, 4000))),
)


@needs("device.view")
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List the devices in the user's scope."""
    visible = Device.objects.visible_to(request.user)
    devices = with_status(visible)
    get = request.GET.get
    if q := (get("q") or "").strip():
        devices = devices.filter(
            Q(mn__icontains=q) | Q(name__icontains=q) | Q(place__name__icontains=q) | Q(place__code__icontains=q)
        )
    status = get("status", "")
    counts = dict.fromkeys(words.CONNECTED, 0)
    for key in devices.values_list("status", flat=True):
        counts[key] += 1
    if status in words.CONNECTED:
        devices = devices.filter(status=status)
    if get("problem") == "unmapped":
        devices = devices.exclude(state__unmapped=[]).exclude(state=None)
    if get("problem") == "away":
        devices = devices.filter(status__in=("offline", "silent"))
    if get("problem") == "gaps":
        devices = devices.filter(gaps__state__in=(Gap.State.OPEN, Gap.State.REQUESTED)).distinct()
    open_gaps = Count("gaps", filter=Q(gaps__state__in=(Gap.State.OPEN, Gap.State.REQUESTED)), distinct=True)
    devices = devices.annotate(open_gaps=open_gaps).select_related("state", "place", "place__region", "maintainer")
    sort = get("sort", "mn")
    order = SORTS.get(sort.lstrip("-"), SORTS["mn"])
    if sort.startswith("-"):
        order = tuple(name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order)
    page = Paginator(devices.order_by(*order), PER_PAGE).get_page(get("page"))
    values = {
        "page": page,
        "sort": sort,
        "statuses": [(key, word, counts[key]) for key, word in words.CONNECTED.items()],
        "total": sum(counts.values()),
        "filtered": any(get(name) for name in ("q", "status", "problem")),
    }
    template = "web/devices_table.html" if request.htmx and not request.htmx.boosted else "web/devices.html"
    return render(request, template, values)


def _device(request: HttpRequest, pk: int) -> Device:
    rows = with_status(Device.objects.visible_to(request.user)).select_related(
        "place", "place__region", "state", "maintainer"
    )
    return get_object_or_404(rows, pk=pk)


@needs("device.view")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one device."""
    device = _device(request, pk)
    values = _current(request, device) | _gaps(device) | _commands(device)
    values["offers"] = _offers(device) if request.user.may("device.command") else []
    if request.user.may("packet.view"):
        values["packets"] = store.packets(device_ids=[device.pk], limit=10)
    return render(request, "web/device.html", values)


@needs("device.view")
@live
def current(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the state of a device: connection, clock, unmapped codes."""
    return render(request, "web/device_now.html", _current(request, _device(request, pk)))


def _current(request: HttpRequest, device: Device) -> dict[str, Any]:
    status = status_of(device)
    aliases = FactorAlias.objects.filter(place=device.place).order_by("sent")
    return {
        "device": device,
        "word": words.CONNECTED[device.status],
        "status": status,
        "unmapped": [(code, hj212.legacy_candidates(code)) for code in status.unmapped],
        "aliases": aliases,
        "may_map": request.user.may("place.edit"),
        "tolerance": status.clock_offset is not None and abs(status.clock_offset) > 60,
        "connections": Connection.objects.filter(device=device).order_by("-opened_at")[:12],
    }


@needs("device.view")
@live
def gaps(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the coverage strip and the list of gaps."""
    device = _device(request, pk)
    return render(request, "web/device_gaps.html", {"device": device} | _gaps(device))


def _gaps(device: Device) -> dict[str, Any]:
    return {
        "gaps": Gap.objects.filter(device=device).order_by("-start")[:40],
        "strip": coverage.strip(list(Series.objects.filter(place=device.place_id, expected=True, interval="hour"))),
    }


@needs("device.view")
@live
def commands(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the commands of a device with their states."""
    device = _device(request, pk)
    return render(request, "web/device_commands.html", {"device": device} | _commands(device))


def _commands(device: Device) -> dict[str, Any]:
    rows = list(Command.objects.filter(device=device).select_related("requested_by")[:25])
    for row in rows:
        row.shown = commanding.redact(row.parameters)
        row.request_text = words.result_name(hj212.QN_RESULTS, row.request_result)
        row.execute_text = words.result_name(hj212.EXE_RESULTS, row.execute_result)
    return {"commands": rows}


def _offers(device: Device) -> list[tuple[Any, list[commanding.Offer]]]:
    """Return the commands in three groups."""
    labels = {"data": _("Data"), "settings": _("Settings of the logger"), "control": _("Control of instruments")}
    offers = commanding.offers_for(device)
    return [(labels[key], [offer for offer in offers if offer.cn in codes]) for key, codes in GROUPS]


@needs("device.command")
def command(request: HttpRequest, pk: int, cn: int) -> HttpResponse:
    """Show the form of one command, and queue it when it is sent."""
    device = _device(request, pk)
    offer = next((offer for offer in commanding.offers_for(device) if offer.cn == cn), None)
    if offer is None:
        raise Http404
    problems: dict[str, list[str]] = {}
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()
        if not reason:
            problems["reason"] = [_("Say why: the reason goes into the audit trail.")]
        if cn in CONFIRMED and request.POST.get("confirm") != "yes":
            problems["confirm"] = [_("Confirm that the device may do this now.")]
        if not problems:
            parameters = {field.name: request.POST.get(field.name, "") for field in offer.fields}
            try:
                commanding.request_command(request.user, device, cn, parameters, reason)
            except ValidationError as error:
                problems = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            else:
                messages.success(request, _("The command is queued; its state is shown below."))
                return redirect(f"{_page_of(device)}#commands")
    values = {
        "device": device,
        "offer": offer,
        "fields": [
            (field, request.POST.get(field.name, _default(field.name, cn)), problems.get(field.name))
            for field in offer.fields
        ],
        "problems": [text for key in ("", "cn", "device") for text in problems.get(key, [])],
        "reason": request.POST.get("reason", ""),
        "reason_problem": problems.get("reason"),
        "confirm": cn in CONFIRMED,
        "confirm_problem": problems.get("confirm"),
        "factors": Series.objects.filter(place=device.place_id)
        .order_by("factor")
        .values_list("factor", flat=True)
        .distinct(),
        "chinese": words.chinese(),
    }
    return render(request, "web/command.html", values)


def _page_of(device: Device) -> str:
    from django.urls import reverse

    return reverse("device", args=[device.pk])


def _default(name: str, cn: int) -> str:
    """Return what a field of a period begins with: the last full day, or hour for minutes."""
    hour = timezone.localtime().replace(minute=0, second=0, microsecond=0)
    length = timedelta(hours=2) if cn == 2051 else timedelta(days=1)
    moments: dict[str, datetime] = {"BeginTime": hour - length, "EndTime": hour}
    return moments[name].strftime("%Y-%m-%dT%H:%M") if name in moments else ""


@needs("device.command")
@require_POST
def cancel(request: HttpRequest, pk: int, command: int) -> HttpResponse:
    """Take back a command that was not sent."""
    device = _device(request, pk)
    found = get_object_or_404(Command, pk=command, device=device)
    try:
        commanding.cancel_command(request.user, found, _("Cancelled on the page"))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(f"{_page_of(device)}#commands")


@needs("place.edit")
@require_POST
def map_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which factor a code of this device means; its kept packets are read again."""
    device = _device(request, pk)
    sent, factor = request.POST.get("sent", "").strip(), request.POST.get("factor", "").strip()
    try:
        actions.map_factor(request.user, device.place, sent, factor)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, _("%(sent)s means %(factor)s now.") % {"sent": sent, "factor": words.factor_name(factor)}
        )
    return redirect("device", device.pk)


@needs("place.edit")
@require_POST
def set_key(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter or remove the key that the device encrypts its data with; it is never shown again."""
    device = _device(request, pk)
    text = "".join(request.POST.get("key", "").split())
    try:
        key = bytes.fromhex(text) if text else None
        register.set_device_key(request.user, device, key, reason=request.POST.get("reason", "").strip())
    except ValueError:
        messages.error(request, _("An SM4 key has 16 bytes, 32 hexadecimal digits."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The key is set.") if key else _("The key is removed."))
    return redirect("device", device.pk)
