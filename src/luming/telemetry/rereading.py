"""Kept packets are read again: after an adoption, a release, or when a code was mapped.

Packets never change; that one was read again is a row of its own (``telemetry_packet_release``). Packets are taken
oldest first, some hundred in a transaction; a job of the worker goes on where a request stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from luming.hj212 import Decoded, decode
from luming.registry.models import Device
from luming.telemetry import store
from luming.telemetry.intake import ACCEPTED, INTERVALS, DeviceContext, Intake, context_of, create_series, interpret

BATCH = 500
_AT_ONCE = 2000  # packets that a request reads itself before it leaves the rest to the worker

Set = tuple[str, int, str | None]  # what the parts of a split packet share: MN, CN, QN


@dataclass(slots=True)
class Outcome:
    """What came of reading again: packets that are released now, what they became, and why others stay held."""

    released: int = 0
    written: store.WriteResult = field(default_factory=store.WriteResult)
    still_held: Counter[str] = field(default_factory=Counter)
    last_id: int = -1
    finished: bool = False


def read_again(
    device: Device,
    verb: str,
    reason: str,
    *,
    by_id: int | None = None,
    waive: bool = False,
    most: int | None = None,
    record: Callable[[int, store.WriteResult], None] | None = None,
    **selection: Any,
) -> Outcome:
    """Read a device's kept packets again, in transactions of :data:`BATCH`.

    Parameters
    ----------
    verb, reason : go into the release; a packet is read once for each pair.
    waive : a person vouches for the packets: what they were held for no longer counts, if they can be read at all.
    most : packets to read; the outcome's ``finished`` says whether that was all.
    record : called in each transaction with the number of packets released in it and what they became.
    selection : of :func:`luming.telemetry.store.kept_packets`.
    """
    outcome = Outcome()
    times: dict[Set, datetime] = {}
    seen = 0
    while not outcome.finished and (most is None or seen < most):
        with transaction.atomic():
            locked = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)  # two readers take turns
            records = store.kept_packets(after=outcome.last_id, limit=BATCH, **selection)
            released, written = _read_batch(records, context_of(locked), times, waive, outcome, verb, reason, by_id)
            if released and record is not None:
                record(released, written)
        seen += len(records)
        outcome.finished = len(records) < BATCH
    return outcome


def _read_batch(
    records: list[store.PacketRecord],
    context: DeviceContext,
    times: dict[Set, datetime],
    waive: bool,
    outcome: Outcome,
    verb: str,
    reason: str,
    by_id: int | None,
) -> tuple[int, store.WriteResult]:
    decoded = [decode(record.body, key=context.sm4_key) for record in records]
    _learn_times(decoded, times)
    released: list[int] = []
    observations: list[store.ObservationRow] = []
    for record, found in zip(records, decoded, strict=True):
        intake = _interpret(record, _timed(found, times), context, waive)
        outcome.last_id = record.id
        if intake.verdict != ACCEPTED:
            outcome.still_held[intake.reason or ""] += 1
            continue
        released.append(record.id)
        observations += intake.observations
    if not released:
        return 0, store.WriteResult()
    written = store.store_reread(observations, store.Reread(released, timezone.now(), by_id, verb, reason))
    outcome.released += len(released)
    outcome.written += written
    return len(released), written


def _interpret(record: store.PacketRecord, decoded: Decoded, context: DeviceContext, waive: bool) -> Intake:
    if waive and decoded.packet is not None:
        context = _waived(context, decoded.packet.pw, decoded.packet.st)
    intake = interpret(decoded, context, record.received_at, packet_id=record.id)
    if intake.missing:
        create_series(context, intake.missing)
        intake = interpret(decoded, context, record.received_at, packet_id=record.id)
    return intake


def _waived(context: DeviceContext, password: str, system: str) -> DeviceContext:
    """The device as the packet claims it to be; times in the future and missing times still count."""
    return replace(context, password=password, system=system, is_active=True, commissioned_at=None, networks=())


def _learn_times(decoded: Iterable[Decoded], times: dict[Set, datetime]) -> None:
    """Only one part of a split packet need carry DataTime (HJ 212-2017 table 3: PNUM, PNO)."""
    for found in decoded:
        packet = found.packet
        if packet is not None and packet.is_split and packet.data_time is not None:
            times[packet.mn, packet.cn, packet.qn] = packet.data_time


def _timed(decoded: Decoded, times: dict[Set, datetime]) -> Decoded:
    packet = decoded.packet
    if packet is None or not packet.is_split or packet.data_time is not None or packet.cn not in INTERVALS:
        return decoded
    return decoded._replace(packet=packet._replace(data_time=times.get((packet.mn, packet.cn, packet.qn))))


# ---- the two standing reasons to read again ------------------------------------------------------------------------


def read_adopted(device: Device, by_id: int | None = None, most: int | None = None) -> Outcome:
    """Read what an adopted device sent while nobody knew it."""
    return read_again(
        device, "adopt", "", by_id=by_id, most=most, mn=device.mn, verdict="H", reasons=["mn-unknown"],
        unread_by=("", ""),
    )  # fmt: skip


def read_mapped(
    device: Device, sent: str, factor: str, *, every: bool = False, by_id: int | None = None, most: int | None = None
) -> Outcome:
    """Read packets that carried a code which is mapped now; what is stored of them already is a repeat.

    ``every`` reads all data packets: the code meant something else before, so that packets were not marked.
    """
    reason = f"{sent}={factor}"
    return read_again(
        device, "map-factor", reason, by_id=by_id, most=most, device_id=device.pk, verdict="A",
        code=None if every else "codes-unmapped", unread_by=("map-factor", reason),
    )  # fmt: skip


def begin_adopted(device: Device, by_id: int | None) -> Outcome:
    """Read the first packets now and leave the rest, and what the gateway holds until it has heard, to the worker."""
    outcome = read_adopted(device, by_id, _AT_ONCE)
    _leave_to_worker(outcome, read_adopted_job, device_id=device.pk, by_id=by_id)
    return outcome


def begin_mapped(device: Device, sent: str, factor: str, *, every: bool, by_id: int | None) -> Outcome:
    """Like :func:`begin_adopted`, for a code that was mapped."""
    outcome = read_mapped(device, sent, factor, every=every, by_id=by_id, most=_AT_ONCE)
    _leave_to_worker(outcome, read_mapped_job, device_id=device.pk, sent=sent, factor=factor, every=every, by_id=by_id)
    return outcome


def _leave_to_worker(outcome: Outcome, job: Any, **values: Any) -> None:
    if not outcome.finished:
        job.defer(**values)
    job.configure(schedule_in={"minutes": 2}).defer(**values)


@app.task(name="luming.telemetry.read_adopted")
def read_adopted_job(device_id: int, by_id: int | None) -> int:
    """Read the rest of an adopted device's packets."""
    device = Device.objects.filter(pk=device_id).first()
    return read_adopted(device, by_id).released if device else 0


@app.task(name="luming.telemetry.read_mapped")
def read_mapped_job(device_id: int, sent: str, factor: str, every: bool, by_id: int | None) -> int:
    """Read the rest of the packets with a mapped code, unless it means something else by now."""
    device = Device.objects.filter(pk=device_id, place__aliases__sent=sent, place__aliases__factor=factor).first()
    return read_mapped(device, sent, factor, every=every, by_id=by_id).released if device else 0
