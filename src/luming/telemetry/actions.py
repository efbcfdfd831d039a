"""Verbs on devices that nobody knew and on packets that were kept aside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.hj212 import FACTORS, decode
from luming.registry.models import Device, FactorAlias, Place
from luming.telemetry import rereading, store
from luming.telemetry.intake import HELD
from luming.telemetry.models import DeviceStatus, Event, UnregisteredDevice
from luming.telemetry.rereading import Outcome

# What cannot be let through: there is no period to enter the values in, or not yet.
NOT_RELEASABLE = frozenset({"time-missing", "time-future", "mn-unknown", "not-stored"})


def adopt_device(
    user: User | None,
    mn: str,
    place: Place,
    *,
    name: str = "",
    edition: int | None = None,
    password: str | None = None,
    reason: str = "",
) -> Device:
    """Register an unregistered device at a place; the packets kept of it become observations.

    Thousands of packets are read before this returns, the rest by the worker.

    Parameters
    ----------
    edition, password : by default those of the newest packet.

    Raises
    ------
    PermissionDenied
        The role does not hold ``device.adopt``.
    Place.DoesNotExist, UnregisteredDevice.DoesNotExist
        The place is outside the user's data scope; no unregistered device has this MN.
    ValidationError
        It was adopted already, or a field is wrong.
    """
    audit.require(user, "device.adopt")
    with transaction.atomic():
        stranger = UnregisteredDevice.objects.select_for_update(of=("self",)).get(mn=mn)
        _require_place(user, place)
        if stranger.adopted_device_id or Device.objects.filter(mn=mn).exists():
            raise ValidationError({"mn": _("This device is registered already.")})
        sent = _sent_by(mn)
        device = Device(
            mn=mn,
            name=name,
            place=place,
            system=sent.get("system") or stranger.system,
            edition=edition if edition is not None else sent.get("edition", 1),
            password=password if password is not None else sent.get("password", "123456"),
            is_demo=place.is_demo,
        )
        device.full_clean()
        device.save(force_insert=True)
        stranger.adopted_device, stranger.dismissed_reason = device, ""
        stranger.save(update_fields=["adopted_device", "dismissed_reason"])
        audit.record(user, "device.adopt", device, reason=reason, mn=mn, place=place.code, packets=stranger.packets)
        Event.objects.create(
            at=stranger.last_seen_at, kind="device-adopted", place=place, device=device, detail={"mn": mn}
        )
    rereading.begin_adopted(device, user.pk if user else None)
    return device


def _sent_by(mn: str) -> dict[str, Any]:
    """Return what the newest readable packet of an MN says of its sender."""
    for record in store.packets(mn=mn, verdicts=["H"], limit=5):
        packet = decode(record.body).packet
        if packet is not None:
            return {"system": packet.st, "edition": int(packet.edition), "password": packet.pw}
    return {}


def dismiss_unregistered(user: User | None, mn: str, reason: str) -> UnregisteredDevice:
    """Say why an unregistered device is none of ours; its packets are kept, and it may be adopted later all the same.

    Raises
    ------
    PermissionDenied, UnregisteredDevice.DoesNotExist
    ValidationError
        No reason is given, or the device was adopted.
    """
    audit.require(user, "device.adopt")
    reason = _required(reason)
    with transaction.atomic():
        stranger = UnregisteredDevice.objects.select_for_update(of=("self",)).get(mn=mn)
        if stranger.adopted_device_id:
            raise ValidationError({"mn": _("This device is registered already.")})
        stranger.dismissed_reason = reason[:200]
        stranger.save(update_fields=["dismissed_reason"])
        audit.record(user, "device.dismiss", stranger, reason=reason)
    return stranger


def release_packets(
    user: User | None,
    reason: str,
    *,
    ids: Collection[int] | None = None,
    device: Device | None = None,
    held_for: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Outcome:
    """Let held packets through: a person vouches for them, and they become observations.

    Packets stay as they were received; the release is recorded beside them. Give either ``ids``, or ``device`` and
    optionally the reasons they are held for and the time of receipt [since, until).

    Returns
    -------
    How many packets were released, what they became, and why others stay held.

    Raises
    ------
    PermissionDenied
    Device.DoesNotExist
        A packet belongs to a device outside the user's data scope.
    ValidationError
        No reason is given, nothing is selected, or packets are of a kind that cannot be released.
    """
    audit.require(user, "packet.release")
    reason = _required(reason)
    if (ids is None) == (device is None):
        raise ValidationError(_("Choose packets, or a device."))
    refused = sorted(NOT_RELEASABLE & set(held_for or ()))
    if refused:
        raise ValidationError({"held_for": [_cannot_release(code) for code in refused]})
    selection: dict[str, Any] = {"verdict": "H", "unread_by": ("", ""), "since": since, "until": until}
    selection["reasons"] = sorted(held_for or HELD.keys() - NOT_RELEASABLE)
    if device is not None:
        devices = {device.pk: device}
    else:
        devices = _devices_of(list(ids or ()))
        selection["ids"] = list(ids or ())
    for found in devices.values():
        _require_device(user, found)
    total = Outcome(finished=True)
    for found in devices.values():
        _add(total, _release_of(user, found, reason, selection))
    if not total.released and not total.still_held:
        raise ValidationError(_("None of these packets is held and can be released."))
    return total


def _release_of(user: User | None, device: Device, reason: str, selection: dict[str, Any]) -> Outcome:
    def record(released: int, written: store.WriteResult) -> None:
        audit.record(
            user, "packet.release", device, reason=reason, packets=released, new=written.new,
            revised=written.revised, repeated=written.repeated, held_for=selection["reasons"],
        )  # fmt: skip

    return rereading.read_again(
        device, "release", reason, by_id=user.pk if user else None, waive=True, record=record, device_id=device.pk,
        **selection,
    )  # fmt: skip


def _devices_of(ids: list[int]) -> dict[int, Device]:
    """Return the devices of chosen packets; all of them must be held and releasable."""
    problems, device_ids = [], set()
    found = {record.id: record for record in store.kept_packets(ids=ids, limit=len(ids))}
    for packet_id in ids:
        record = found.get(packet_id)
        if record is None or record.verdict != "H":
            problems.append(_("Packet %(id)s is not held.") % {"id": packet_id})
        elif record.reason in NOT_RELEASABLE or record.device_id is None:
            problems.append(f"{packet_id}: {_cannot_release(record.reason or '')}")
        else:
            device_ids.add(record.device_id)
    if problems:
        raise ValidationError(problems)
    return Device.objects.in_bulk(device_ids)


def _cannot_release(code: str) -> str:
    return {
        "time-future": _("The data time lies in the future: set the device's clock, then pull the data again."),
        "time-missing": _("Without a data time the values belong to no period."),
        "mn-unknown": _("Adopt the device first; its packets are read then."),
    }.get(code, _("Packets held as “%(code)s” cannot be released.") % {"code": code})


def _add(total: Outcome, part: Outcome) -> None:
    total.released += part.released
    total.written += part.written
    total.still_held += part.still_held


def map_factor(user: User | None, place: Place, sent: str, factor: str, reason: str = "") -> FactorAlias:
    """Say which factor a code means at a place; packets that carried it are read again.

    The same code may mean different things at different places (HJ 212 leaves vendor codes to agreement).

    Raises
    ------
    PermissionDenied, Place.DoesNotExist
    ValidationError
        The code is empty or too long, or the factor is not one of the standard.
    """
    audit.require(user, "place.edit")
    sent, factor = sent.strip(), factor.strip()
    problems = {}
    if not 0 < len(sent) <= 20:
        problems["sent"] = _("A code has 1 to 20 characters.")
    if factor not in FACTORS:
        problems["factor"] = _("“%(factor)s” is not a factor code of HJ 212.") % {"factor": factor}
    if problems:
        raise ValidationError(problems)
    _require_place(user, place)
    with transaction.atomic():
        locked = Place.objects.select_for_update(of=("self",)).get(pk=place.pk)
        before = FactorAlias.objects.filter(place=locked, sent=sent).values_list("factor", flat=True).first()
        alias, _created = FactorAlias.objects.update_or_create(place=locked, sent=sent, defaults={"factor": factor})
        devices = list(Device.objects.filter(place=locked))
        _forget_unmapped(devices, sent)
        audit.record(user, "factor.map", locked, reason=reason, sent=sent, factor=factor, before=before)
    for device in devices:
        rereading.begin_mapped(
            device, sent, factor, every=before not in (None, factor), by_id=user.pk if user else None
        )
    return alias


def _forget_unmapped(devices: list[Device], sent: str) -> None:
    for status in DeviceStatus.objects.select_for_update(of=("self",)).filter(device__in=devices):
        if sent in status.unmapped:
            status.unmapped = [code for code in status.unmapped if code != sent]
            status.save(update_fields=["unmapped"])


def _required(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": _("Say why: the reason is kept with the decision.")})
    return reason


def _require_place(user: User | None, place: Place) -> None:
    if user is not None and not Place.objects.visible_to(user).filter(pk=place.pk).exists():
        raise Place.DoesNotExist


def _require_device(user: User | None, device: Device) -> None:
    if user is not None and not Device.objects.visible_to(user).filter(pk=device.pk).exists():
        raise Device.DoesNotExist
