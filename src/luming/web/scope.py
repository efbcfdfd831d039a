"""Which packets a person may see: those of the devices in their scope."""

from __future__ import annotations

from django.http import Http404

from luming.core.models import User
from luming.registry.models import Device
from luming.telemetry import store


def sees_all_packets(user: User) -> bool:
    """Tell whether packets without a device (unknown MN, unreadable) are in the user's scope: the whole city is."""
    return user.is_internal and not user.region_codes and user.may("data.view")


def device_ids(user: User) -> list[int] | None:
    """Return the devices whose packets the user may see; None stands for every packet."""
    return None if sees_all_packets(user) else list(Device.objects.visible_to(user).values_list("pk", flat=True))


def visible_packet(user: User, packet_id: int) -> store.PacketRecord:
    """Return a packet in the user's scope, else there is none."""
    record = store.packet(packet_id) if 0 < packet_id < 2**63 else None
    if record is None:
        raise Http404
    if sees_all_packets(user):
        return record
    if record.device_id is None or not Device.objects.visible_to(user).filter(pk=record.device_id).exists():
        raise Http404
    return record
