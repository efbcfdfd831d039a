"""Unregistered devices (未登记设备): who speaks to us that no register knows."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from luming import hj212
from luming.registry.models import Place
from luming.telemetry import actions, store
from luming.telemetry.models import UnregisteredDevice
from luming.web import packet_view
from luming.web.access import needs
from luming.web.forms import AdoptForm
from luming.web.live import live

# Which media a system code speaks of (HJ 212-2017 table 5): suggested first when a place is chosen.
MEDIA = {"21": "water", "22": "air", "23": "noise", "31": "gas", "32": "sewage", "51": "gas", "52": "sewage"}
PLACES_OFFERED = 40


@needs("device.adopt")
@live
def listing(request: HttpRequest) -> HttpResponse:
    """List the devices that wait, with their last packet."""
    waiting = UnregisteredDevice.objects.filter(adopted_device=None)
    dismissed = request.GET.get("dismissed") == "1"
    rows = waiting.exclude(dismissed_reason="") if dismissed else waiting.filter(dismissed_reason="")
    found = []
    for row in rows[:200]:
        record = store.packet(row.last_packet_id) if row.last_packet_id else None
        found.append({"device": row, "preview": packet_view.preview(record.body, 140) if record else ""})
    return render(request, "web/unregistered.html", {"rows": found, "dismissed": dismissed})


def _device(request: HttpRequest) -> UnregisteredDevice:
    mn = request.POST.get("mn") or request.GET.get("mn") or ""
    return get_object_or_404(UnregisteredDevice, mn=mn, adopted_device=None)


@needs("device.adopt")
def adopt(request: HttpRequest) -> HttpResponse:
    """Give a device its place; its kept packets become observations."""
    device = _device(request)
    record = store.packet(device.last_packet_id) if device.last_packet_id else None
    packet = hj212.decode(record.body).packet if record else None
    initial = {"edition": int(packet.edition) if packet else 1}
    form = AdoptForm(Place.objects.visible_to(request.user), request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            adopted = actions.adopt_device(
                request.user,
                device.mn,
                values["place"],
                name=values["name"],
                edition=values["edition"],
                reason=values["reason"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The device is adopted; its kept packets are being read."))
            return redirect("device", adopted.pk)
    values = {
        "device": device,
        "form": form,
        "record": record,
        "packet": packet,
        "pieces": packet_view.mask_password(packet_view.pieces(record.body, ()), packet.pw if packet else "")
        if record
        else [],
        "chosen": request.POST.get("place", ""),
        "places": _places(request, device),
    }
    return render(request, "web/adopt.html", values)


@needs("device.adopt")
def find_places(request: HttpRequest) -> HttpResponse:
    """Return the places that a search finds, as choices of the adoption form."""
    device = _device(request)
    values = {"places": _places(request, device), "chosen": request.GET.get("place", "")}
    return render(request, "web/adopt_places.html", values)


def _places(request: HttpRequest, device: UnregisteredDevice) -> list[Place]:
    """Return places that match the search, those of the device's medium first."""
    q = (request.GET.get("q") or "").strip()
    found = Place.objects.visible_to(request.user).filter(is_active=True).select_related("region", "outlet__facility")
    if q:
        found = found.filter(Q(name__icontains=q) | Q(code__icontains=q) | Q(outlet__facility__name__icontains=q))
    medium = MEDIA.get(device.system)
    if medium and not q:
        found = found.filter(medium=medium)
    if chosen := request.POST.get("place", ""):
        found = (found | Place.objects.visible_to(request.user).filter(pk=chosen)) if chosen.isdigit() else found
    return list(found.order_by("code")[:PLACES_OFFERED])


@needs("device.adopt")
@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Say why a device is none of ours; its packets are kept."""
    device = _device(request)
    try:
        actions.dismiss_unregistered(request.user, device.mn, request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The device is dismissed; its packets are kept."))
    return redirect("unregistered")
