"""The gateway's books: states of devices, connections, events and commands, noted in memory and written in batches.

None of it is needed to answer a packet, so it never delays one: notes gather in the event loop and one thread writes
them about once a second. While the database is away they are kept, bounded by the number of devices and connections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from luming.core import audit
from luming.registry.models import Device
from luming.telemetry.models import Command, Connection, DeviceStatus, Event

CONNECTED, DISCONNECTED = "connected", "disconnected"
UNREGISTERED, CLOCK_OFF, CLOCK_RIGHT = "unregistered", "clock", "clock-right"
REJECTED_BURST, LIMIT_REACHED = "rejected", "connection-limit"
MAX_EVENTS = 10_000  # kept while the database is away; the oldest go first
ALIVE = "luming-gateway"  # application_name of the connection that shows which gateways live


@dataclass(slots=True)
class StatusNote:
    """The newest facts about one device."""

    last_packet_at: datetime | None = None
    last_packet_id: int | None = None
    last_data_time: datetime | None = None
    clock_offset: float | None = None
    last_rejected_at: datetime | None = None
    last_reason: str | None = None
    connected: bool | None = None
    connection_id: int | None = None
    connected_at: datetime | None = None


@dataclass(slots=True)
class ConnectionNote:
    """The newest facts about one connection."""

    opened_at: datetime
    peer: str
    gateway: str
    device_id: int | None = None
    mn: str = ""
    packets: int = 0
    bytes: int = 0
    closed_at: datetime | None = None
    close_reason: str = ""


@dataclass(slots=True)
class EventNote:
    """A line for the home page. ``once`` is checked against the database before it is written."""

    at: datetime
    kind: str
    device_id: int | None = None
    severity: int = 0
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Notes:
    """What waits to be written."""

    statuses: dict[int, StatusNote] = field(default_factory=dict)
    unmapped: dict[int, set[str]] = field(default_factory=dict)
    connections: dict[int, ConnectionNote] = field(default_factory=dict)
    events: list[EventNote] = field(default_factory=list)
    commands: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.statuses or self.unmapped or self.connections or self.events or self.commands)


class Ledger:
    """Gathers notes; used from the event loop only."""

    def __init__(self) -> None:
        self.notes = Notes()

    def status(self, device_id: int) -> StatusNote:
        """Return the note of a device, to be filled in."""
        note = self.notes.statuses.get(device_id)
        if note is None:
            note = self.notes.statuses[device_id] = StatusNote()
        return note

    def unmapped(self, device_id: int, codes: Iterable[str]) -> None:
        """Note codes that nobody has mapped."""
        self.notes.unmapped.setdefault(device_id, set()).update(codes)

    def connection(self, connection_id: int, note: ConnectionNote) -> None:
        """Note the state of a connection; a later note replaces an earlier one."""
        self.notes.connections[connection_id] = note

    def event(
        self, kind: str, at: datetime, *, device_id: int | None = None, severity: int = 0, **detail: object
    ) -> None:
        """Note a line for the home page."""
        self.notes.events.append(EventNote(at, kind, device_id, severity, detail))
        del self.notes.events[:-MAX_EVENTS]

    def command(self, command_id: int, **fields: object) -> None:
        """Note the progress of a command; fields are those of the model."""
        self.notes.commands.setdefault(command_id, {}).update(fields)

    def take(self) -> Notes:
        """Return what waits and begin anew."""
        notes, self.notes = self.notes, Notes()
        return notes

    def put_back(self, notes: Notes) -> None:
        """Keep notes that could not be written; newer notes win."""
        newer, self.notes = self.notes, notes
        for device_id, note in newer.statuses.items():
            older = self.notes.statuses.setdefault(device_id, StatusNote())
            for name in StatusNote.__slots__:
                if (value := getattr(note, name)) is not None:
                    setattr(older, name, value)
        for device_id, codes in newer.unmapped.items():
            self.notes.unmapped.setdefault(device_id, set()).update(codes)
        self.notes.connections.update(newer.connections)
        self.notes.events = [*notes.events, *newer.events][-MAX_EVENTS:]
        for command_id, fields in newer.commands.items():
            self.notes.commands.setdefault(command_id, {}).update(fields)


def write(notes: Notes) -> None:
    """Write notes in one transaction (blocking; not in the event loop)."""
    with transaction.atomic():
        _write_connections(notes.connections)
        _write_statuses(notes.statuses)
        _write_unmapped(notes.unmapped)
        _write_events(notes.events)
        for command_id in sorted(notes.commands):
            _write_command(command_id, notes.commands[command_id])


# Notes travel as one JSON text: a thousand devices' figures as SQL literals cost the event loop 150 ms of the
# interpreter's lock each second.
_CONNECTION_SQL = """
INSERT INTO telemetry_connection
    (id, device_id, mn, peer, opened_at, closed_at, close_reason, packets, bytes, gateway)
SELECT e.id::bigint, d.id, left(n.mn, 40), left(n.peer, 60), n.opened_at, n.closed_at, left(n.close_reason, 40),
    n.packets, n.bytes, left(n.gateway, 60)
FROM json_each(%s::json) AS e (id, note)
CROSS JOIN LATERAL json_to_record(e.note) AS n (device_id int, mn text, peer text, opened_at timestamptz,
    closed_at timestamptz, close_reason text, packets int, bytes bigint, gateway text)
LEFT JOIN registry_device d ON d.id = n.device_id ORDER BY e.id::bigint
ON CONFLICT (id) DO UPDATE SET device_id = excluded.device_id, mn = excluded.mn, closed_at = excluded.closed_at,
    close_reason = excluded.close_reason, packets = excluded.packets, bytes = excluded.bytes
"""


def _write_connections(notes: dict[int, ConnectionNote]) -> None:
    if notes:
        with connection.cursor() as cursor:
            cursor.execute(_CONNECTION_SQL, [_json(notes)])


def _json(notes: dict[int, Any]) -> str:
    return orjson.dumps(notes, option=orjson.OPT_NON_STR_KEYS).decode()


# A disconnection counts only for the connection that the row names: the device may be on line elsewhere already.
_STATUS_SQL = """
INSERT INTO telemetry_devicestatus AS s (device_id, connected, connection_id, connected_at, last_packet_at,
    last_packet_id, last_data_time, clock_offset, last_rejected_at, last_reason, unmapped)
SELECT d.id, coalesce(n.connected, false), n.connection_id, n.connected_at, n.last_packet_at, n.last_packet_id,
    n.last_data_time, n.clock_offset, n.last_rejected_at, coalesce(n.last_reason, ''), '[]'::jsonb
FROM json_each(%s::json) AS e (id, note)
CROSS JOIN LATERAL json_to_record(e.note) AS n (connected bool, connection_id bigint, connected_at timestamptz,
    last_packet_at timestamptz, last_packet_id bigint, last_data_time timestamptz, clock_offset float8,
    last_rejected_at timestamptz, last_reason text)
JOIN registry_device d ON d.id = e.id::int ORDER BY d.id
ON CONFLICT (device_id) DO UPDATE SET
    connected = CASE WHEN excluded.connected THEN true
                     WHEN excluded.connection_id = s.connection_id THEN false ELSE s.connected END,
    connection_id = CASE WHEN excluded.connected THEN excluded.connection_id ELSE s.connection_id END,
    connected_at = coalesce(excluded.connected_at, s.connected_at),
    last_packet_at = greatest(s.last_packet_at, excluded.last_packet_at),
    last_packet_id = greatest(s.last_packet_id, excluded.last_packet_id),
    last_data_time = greatest(s.last_data_time, excluded.last_data_time),
    clock_offset = coalesce(excluded.clock_offset, s.clock_offset),
    last_rejected_at = greatest(s.last_rejected_at, excluded.last_rejected_at),
    last_reason = CASE WHEN excluded.last_reason <> '' THEN excluded.last_reason ELSE s.last_reason END
"""


def _write_statuses(notes: dict[int, StatusNote]) -> None:
    if notes:
        with connection.cursor() as cursor:
            cursor.execute(_STATUS_SQL, [_json(notes)])


def _write_unmapped(notes: dict[int, set[str]]) -> None:
    rows = DeviceStatus.objects.select_for_update().filter(pk__in=notes).order_by("pk")
    for row in rows:
        merged = sorted({*row.unmapped, *notes[row.pk]})[:200]
        if merged != row.unmapped:
            row.unmapped = merged
            row.save(update_fields=["unmapped"])


def _write_events(notes: list[EventNote]) -> None:
    """Write events; a connection that comes and goes within the grace time, or elsewhere, is no news."""
    if not notes:
        return
    devices = {
        device.pk: device
        for device in Device.objects.filter(pk__in={note.device_id for note in notes if note.device_id})
    }
    links = [note.device_id for note in notes if note.kind in (CONNECTED, DISCONNECTED)]
    last = dict(
        Event.objects.filter(device__in=links, kind__in=(CONNECTED, DISCONNECTED))
        .order_by("device_id", "-at", "-id")
        .distinct("device_id")
        .values_list("device_id", "kind")
    )
    online = set(DeviceStatus.objects.filter(pk__in=links, connected=True).values_list("pk", flat=True))
    rows = []
    for note in notes:
        if note.device_id is not None and note.device_id not in devices:
            continue
        if note.kind == UNREGISTERED and _told_today(note):
            continue
        if note.kind in (CONNECTED, DISCONNECTED):
            if last.get(note.device_id, DISCONNECTED if note.kind == CONNECTED else CONNECTED) == note.kind:
                continue
            if note.kind == DISCONNECTED and note.device_id in online:
                continue
            last[note.device_id] = note.kind
        device = devices.get(note.device_id)
        rows.append(
            Event(
                at=note.at,
                kind=note.kind,
                device=device,
                place_id=device.place_id if device else None,
                severity=note.severity,
                detail=note.detail,
            )
        )
    Event.objects.bulk_create(rows)


def _told_today(note: EventNote) -> bool:
    """Tell whether the line is there already: each gateway process meets a stranger for the first time."""
    told = Event.objects.filter(kind=note.kind, at__gt=note.at - timedelta(days=1), detail__mn=note.detail["mn"])
    return told.exists()


# ---- commands --------------------------------------------------------------------------------------------------------


def _write_command(command_id: int, fields: dict[str, Any]) -> None:
    command = Command.objects.select_for_update().filter(pk=command_id).first()
    if command is None:
        return
    for name, value in fields.items():
        setattr(command, name, value)
    command.save(update_fields=list(fields))
    if fields.get("state") == Command.State.DONE:
        _remember(command)


def _remember(command: Command) -> None:
    """Enter in the register what a device now does because a command succeeded."""
    parameters = command.parameters
    changes: dict[str, Any] = {}
    if command.cn == 1072:
        changes = {"password": parameters["NewPW"]}
    elif command.cn == 1062:
        changes = {"realtime_seconds": int(parameters["RtdInterval"])}
    elif command.cn == 1064:
        changes = {"minute_interval": int(parameters["MinInterval"])}
    elif command.cn == 1000:
        changes = {"overtime_seconds": int(parameters["OverTime"]), "resend_count": int(parameters["ReCount"])}
    if not changes:
        return
    device = Device.objects.select_for_update().get(pk=command.device_id)
    before = {name: getattr(device, name) for name in changes}
    for name, value in changes.items():
        setattr(device, name, value)
    device.save(update_fields=list(changes))
    shown = {} if "password" in changes else {"before": before, "after": changes}
    audit.record(
        command.requested_by,
        "device.follow-command",
        device,
        reason=command.reason,
        command=command.pk,
        changed=sorted(changes),
        **shown,
    )


@dataclass(frozen=True, slots=True)
class TakenCommand:
    """A command that this gateway is to send."""

    id: int
    device_id: int
    cn: int
    parameters: dict[str, str]
    qn: str


def take_commands(qns: dict[int, str]) -> list[TakenCommand]:
    """Take the oldest queued command of each device, for sending now.

    Parameters
    ----------
    qns : device id → the QN that its command will carry. Devices that are busy must not be in it.
    """
    now = timezone.now()
    taken = []
    with transaction.atomic():
        oldest = (
            Command.objects.filter(device_id__in=qns, state=Command.State.QUEUED, expires_at__gt=now)
            .order_by("device_id", "id")
            .distinct("device_id")
            .values_list("pk", flat=True)
        )
        for command in Command.objects.select_for_update(skip_locked=True).filter(
            pk__in=list(oldest), state=Command.State.QUEUED
        ):
            command.state, command.qn, command.sent_at = Command.State.SENT, qns[command.device_id], now
            command.attempts = 1
            command.save(update_fields=["state", "qn", "sent_at", "attempts"])
            taken.append(TakenCommand(command.pk, command.device_id, command.cn, command.parameters, command.qn))
    return taken


ORPHAN_AFTER = timedelta(hours=1)  # no dialogue lasts so long


def expire_commands(in_flight: Iterable[int]) -> int:
    """End commands that nobody took in time, and those whose gateway is gone; returns how many."""
    now = timezone.now()
    late = Command.objects.filter(state=Command.State.QUEUED, expires_at__lte=now).update(
        state=Command.State.EXPIRED, finished_at=now, problem="device not connected in time / 设备未在有效期内上线"
    )
    lost = (
        Command.objects.filter(state__in=(Command.State.SENT, Command.State.ACCEPTED))
        .exclude(pk__in=list(in_flight))
        .filter(expires_at__lte=now - ORPHAN_AFTER)
        .update(state=Command.State.FAILED, finished_at=now, problem="gateway lost / 网关中断，结果未知")
    )
    return late + lost


# ---- gateways that are gone ------------------------------------------------------------------------------------------


def close_lost_connections(settled_seconds: float = 60) -> int:
    """Close the rows of connections whose gateway process is gone (killed, or its machine lost); returns how many.

    A gateway that lives holds a database connection whose application name is its own. After a restart of the database
    the living need a moment (``settled_seconds``) to come back.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => %s)", [settled_seconds]
        )
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute("SELECT application_name FROM pg_stat_activity WHERE application_name LIKE %s", [ALIVE + "%"])
        living = [row[0] for row in cursor.fetchall()]
        lost = Q(closed_at=None) & ~Q(gateway__in=living)
        ids = list(Connection.objects.filter(lost).values_list("pk", flat=True))
        DeviceStatus.objects.filter(connection_id__in=ids, connected=True).update(connected=False)
        return Connection.objects.filter(pk__in=ids, closed_at=None).update(closed_at=now, close_reason="gateway-lost")
