"""What devices tell of themselves over the wire: calibrations, states and information, read from stored packets.

Read are the packets of these commands:

- 2062, automatic standard check or calibration (HJ 212-2025): ``xxx-SampleRd`` is what the instrument showed,
  ``xxx-StandardValue`` the standard, ``xxx-ResultType`` a result whose values are not known to us: it is kept as sent.
  The fields are known from public implementations, not from the standard itself. Whether a check was of the zero or of
  the span is not sent; it is entered as a standard check.
- 2021, states of parts (``SBn-RS``, HJ 212-2017 table 4); 3019, identities (``xxx-SN``); 3020 and 1001, information by
  i-code (``ixxxxx-Info``, B.8 to B.10) about the factor of ``PolId``; 2081, the logger's start (``RestartTime``).

The order 3011 (calibrate zero and span) goes down, and nothing in HJ 212-2017 says that its figures come back. When a
device reports that it carried one out (9012, ExeRtn 1) this is entered without figures and is not judged.

Everything is idempotent: a row names its packet or command, and a packet that is read twice makes no second row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from luming.hj212 import CHINA, Packet, decode
from luming.registry.models import Device, Series
from luming.telemetry import identity, intake
from luming.telemetry.instruments import actions
from luming.telemetry.instruments.models import Calibration, DeviceFact, Instrument, Progress, Work
from luming.telemetry.models import Command
from luming.telemetry.store import PacketRecord
from luming.telemetry.store import kinds as store

logger = logging.getLogger(__name__)

CHECKS = 2062
STATES, START, IDENTITY, INFORMATION, HARDWARE = 2021, 2081, 3019, 3020, 1001
KINDS = (CHECKS, STATES, START, IDENTITY, INFORMATION, HARDWARE)
CALIBRATE = 3011
KEY = "wire"
_LOCK = 7_215  # advisory lock: one reader at a time
# Ids are given before the packets are committed, so that a smaller one may come later: the last minutes are read again.
OVERLAP = timedelta(minutes=10)
STRETCH = timedelta(days=1)  # of packets that are looked at in one statement
_VALUE_LENGTH, _CODE_LENGTH = 200, 20


def read(now: datetime | None = None, seconds: float = 20) -> int:
    """Read what has come since the last time; return how many rows were made. Stops after so many seconds."""
    now = now or datetime.now(UTC)
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    made = 0
    while True:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
                if not cursor.fetchone()[0]:
                    return made
            progress, _new = Progress.objects.get_or_create(key=KEY)
            before = progress.packet_id
            made += _advance(progress, now)
            progress.save()
            caught_up = identity.received_at(progress.packet_id) >= now - OVERLAP or progress.packet_id == before
        if caught_up or datetime.now(UTC) > deadline:
            break
    return made + _released(now) + _commands(now)


def _advance(progress: Progress, now: datetime) -> int:
    """Read one stretch of packets and move the mark to its end, in one transaction."""
    if not progress.packet_id:
        first = store.first_packet_id()
        if first is None:
            return 0
        progress.packet_id = first - 1
    begin = identity.received_at(progress.packet_id)
    until = min(begin + STRETCH, now)
    after = max(0, progress.packet_id - _span(OVERLAP))
    upper = identity.id_floor(until + timedelta(milliseconds=1)) - 1
    made = 0
    while packets := store.packets_of_kinds(KINDS, after, upper):
        made += take(packets)
        after = packets[-1].id
    progress.packet_id = max(progress.packet_id, upper)
    progress.at = now
    return made


def _span(length: timedelta) -> int:
    return identity.id_floor(identity.EPOCH + length)


def _released(now: datetime) -> int:
    """Read held packets that a person let through since the last time; they lie before the mark."""
    with transaction.atomic():
        progress, new = Progress.objects.select_for_update().get_or_create(key="released", defaults={"at": now})
        since = identity.EPOCH if new or progress.at is None else progress.at - OVERLAP
        made = take(store.released_of_kinds(KINDS, since))
        progress.at = now
        progress.save()
    return made


def take(packets: Sequence[PacketRecord]) -> int:
    """Make the calibrations and facts of packets that have none yet; return how many rows were made."""
    devices = Device.objects.select_related("place").in_bulk({row.device_id for row in packets if row.device_id})
    known = set(
        Calibration.objects.filter(packet_id__in=[row.id for row in packets]).values_list("packet_id", "factor")
    )
    calibrations: list[Calibration] = []
    facts: list[DeviceFact] = []
    aliases = _Names(devices.values())
    for record in packets:
        device = devices.get(record.device_id or 0)
        packet = decode(record.body).packet
        if device is None or packet is None:
            continue
        if packet.cn == CHECKS:
            found = _checks(device, record, packet, aliases)
            calibrations += [row for row in found if (record.id, row.factor) not in known]
        else:
            facts += _facts(device, record, packet, aliases)
    fresh = _changes(facts)
    before = DeviceFact.objects.filter(packet_id__in=[row.packet_id for row in fresh]).count() if fresh else 0
    DeviceFact.objects.bulk_create(fresh, ignore_conflicts=True)
    after = DeviceFact.objects.filter(packet_id__in=[row.packet_id for row in fresh]).count() if fresh else 0
    return sum(_enter(row) for row in calibrations) + after - before


def _enter(row: Calibration) -> bool:
    """Enter a calibration; one that says something impossible stays in its packet and is noted in the log."""
    try:
        with transaction.atomic():
            actions.enter_received(row)
    except ValidationError as error:
        logger.warning("calibration of packet %s, command %s not entered: %s", row.packet_id, row.command_id, error)
        return False
    return True


class _Names:
    """Factors of codes as sent at each place, the instruments that measure them, and the ranges of their series."""

    def __init__(self, devices: Iterable[Device]) -> None:
        rows = list(devices)
        self.contexts = intake.load_contexts(Device.objects.filter(pk__in=[row.pk for row in rows])) if rows else {}
        self.instruments = list(
            Instrument.objects.filter(device__in=[row.pk for row in rows]).select_related("device__place")
        )
        self.units = {
            (place_id, factor): (unit, lower, upper)
            for place_id, factor, unit, lower, upper in Series.objects.filter(
                place__in={row.place_id for row in rows}
            ).values_list("place_id", "factor", "unit", "lower", "upper")
        }

    def factor(self, device: Device, sent: str) -> str | None:
        """Return the factor of a code as sent."""
        return intake.factor_of(sent, self.contexts[device.mn])

    def instrument(self, device: Device, factor: str, at: datetime) -> Instrument | None:
        """Return the instrument that measured a factor at an instant, when exactly one did."""
        day = at.astimezone(CHINA).date()
        found = [
            row for row in self.instruments if row.device_id == device.pk and factor in row.codes and row.is_used(day)
        ]
        return found[0] if len(found) == 1 else None

    def range_of(self, device: Device, factor: str) -> tuple[str, float | None]:
        """Return the unit and the full scale that the series of a factor name."""
        unit, lower, upper = self.units.get((device.place_id, factor), ("", None, None))
        return unit, None if upper is None else upper - (lower or 0)


def _checks(device: Device, record: PacketRecord, packet: Packet, names: _Names) -> Iterator[Calibration]:
    """Read the standard checks of a 2062: one for each factor with a standard value or a reading of it."""
    for reading in packet.readings:
        standard, response = _number(reading.extra.get("StandardValue")), _number(reading.extra.get("SampleRd"))
        factor = names.factor(device, reading.code)
        if factor is None or (standard is None and response is None):
            continue
        at = min((reading.sample_time or packet.data_time or record.received_at).astimezone(UTC), record.received_at)
        instrument = names.instrument(device, factor, at)
        unit, full_scale = names.range_of(device, factor)
        yield Calibration(
            device=device,
            instrument=instrument,
            factor=factor,
            kind=Work.CHECK,
            performed_at=at,
            standard=standard,
            response=response,
            unit=unit,
            full_scale=full_scale if instrument is None else None,
            source=Calibration.Source.PACKET,
            packet_id=record.id,
            reported=(reading.extra.get("ResultType") or "")[:40],
            is_demo=device.is_demo,
        )


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None  # also not a number


def _facts(device: Device, record: PacketRecord, packet: Packet, names: _Names) -> Iterator[DeviceFact]:
    """Read states, identities, information and the time of start."""
    # A clock that runs ahead would make its states the newest ones for ever.
    at = min((packet.data_time or packet.qn_time or record.received_at).astimezone(UTC), record.received_at)
    for subject, code, value in _told(packet):
        factor = names.factor(device, subject) if subject else None
        yield DeviceFact(
            device=device,
            subject=(factor or subject)[:_CODE_LENGTH],
            code=code[:_CODE_LENGTH],
            value=value[:_VALUE_LENGTH],
            at=at,
            packet_id=record.id,
        )


def _told(packet: Packet) -> Iterator[tuple[str, str, str]]:
    """Yield (what it is about, code, value) of a packet."""
    if packet.cn == START and (started := packet.parameters.get("RestartTime")):
        yield "", "RestartTime", started
    for reading in packet.readings:
        if reading.state is not None:
            yield reading.code, "RS", str(reading.state)
        if reading.sn is not None:
            yield reading.code, "SN", reading.sn
        if reading.info is not None:
            yield reading.extra.get("PolId", packet.parameters.get("PolId", "")), reading.code, reading.info


def _changes(facts: Sequence[DeviceFact]) -> list[DeviceFact]:
    """Return the facts that say something else than the one before them."""
    if not facts:
        return []
    in_order = sorted(facts, key=lambda fact: (fact.at, fact.packet_id))
    first: dict[tuple[int, str, str], DeviceFact] = {}
    for fact in in_order:
        first.setdefault((fact.device_id, fact.subject, fact.code), fact)
    last = _before(first)
    fresh = []
    for fact in in_order:
        key = (fact.device_id, fact.subject, fact.code)
        if last.get(key) != fact.value:
            fresh.append(fact)
        last[key] = fact.value
    return fresh


def _before(first: Mapping[tuple[int, str, str], DeviceFact]) -> dict[tuple[int, str, str], str]:
    """Return what was known of each key just before its first fact, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.device, wanted.subject, wanted.code, before.value
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[]) AS wanted (device, subject, code, at)
            CROSS JOIN LATERAL (
                SELECT value FROM instruments_devicefact AS f
                WHERE f.device_id = wanted.device AND f.subject = wanted.subject AND f.code = wanted.code
                    AND f.at <= wanted.at ORDER BY f.at DESC, f.id DESC LIMIT 1
            ) AS before
            """,
            [[key[i] for key in first] for i in range(3)] + [[fact.at for fact in first.values()]],
        )
        return {(device, subject, code): value for device, subject, code, value in cursor.fetchall()}


def _commands(now: datetime) -> int:
    """Enter the calibrations that devices carried out on order of the platform since the last time."""
    with transaction.atomic():
        progress, new = Progress.objects.select_for_update().get_or_create(key="commands", defaults={"at": now})
        since = identity.EPOCH if new or progress.at is None else progress.at - OVERLAP
        done = Command.objects.filter(
            cn=CALIBRATE, state=Command.State.DONE, execute_result=1, calibrations__isnull=True, finished_at__gte=since
        )
        rows = [row for command in done.select_related("device__place", "requested_by") for row in _ordered(command)]
        made = sum(_enter(row) for row in rows)
        progress.at = now
        progress.save()
    return made


def _ordered(command: Command) -> Iterator[Calibration]:
    """Return what a 3011 ordered: zero and span (HJ 212-2017), or the one that CalibrationType names (2025)."""
    device = command.device
    names = _Names([device])
    sent = str(command.parameters.get("PolId") or "")
    factor = names.factor(device, sent) if sent else None
    at = command.finished_at or command.sent_at or command.created_at
    types = {"0": (Work.ZERO,), "1": (Work.SPAN,)}
    kinds = types.get(str(command.parameters.get("CalibrationType", "")), (Work.ZERO, Work.SPAN))
    factors = [factor] if factor else sorted({code for row in names.instruments for code in row.codes})
    for code in factors:
        instrument = names.instrument(device, code, at)
        for kind in kinds:
            yield Calibration(
                device=device,
                instrument=instrument,
                factor=code,
                kind=kind,
                performed_at=at,
                source=Calibration.Source.COMMAND,
                command=command,
                performed_by=str(command.requested_by or ""),
                is_demo=device.is_demo,
            )
