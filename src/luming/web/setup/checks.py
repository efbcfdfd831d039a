"""The checks of the health page: what was looked at, how it is, and what to do."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Max, Min
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob, ProcrastinateWorker

from luming import __version__
from luming.core import backup, installation, machine, second_factor, setup_token
from luming.core.models import User
from luming.core.roles import ADMINISTRATORS
from luming.telemetry import store
from luming.telemetry.models import DeviceStatus
from luming.web.setup.views import restarts
from luming.web.templatetags.luming import size, span

logger = logging.getLogger(__name__)

GOOD, WARNING, BAD = "good", "warning", "bad"
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page."""

    label: Any
    state: str
    found: Any
    remedy: Any = ""
    url: str = ""
    permission: str = ""  # of the page behind the address


Check = Callable[[], Iterator[Line]]


def gateway() -> Iterator[Line]:
    """The gateway listens, here or on another machine that lets packets in."""
    host, port = settings.GATEWAY_HOST, settings.GATEWAY_PORT
    with socket.socket() as probe:
        probe.settimeout(0.5)
        listening = probe.connect_ex(("127.0.0.1" if host in ("", "0.0.0.0") else host, port)) == 0
    last = DeviceStatus.objects.aggregate(last=Max("last_packet_at"))["last"]
    recent = last is not None and timezone.now() - last < timedelta(minutes=10)
    where = f"{host}:{port}"
    if listening:
        yield Line(_("Gateway"), GOOD, _("listens on %(where)s") % {"where": where})
    elif recent:
        yield Line(_("Gateway"), GOOD, _("on another machine; packets arrive"))
    else:
        remedy = _("Start “luming gateway” (or “luming start”), and look into its log when it ends.")
        yield Line(_("Gateway"), BAD, _("nobody listens on %(where)s") % {"where": where}, remedy)
    if last is None:
        remedy = _("Register devices, and let them connect to the gateway's port.")
        yield Line(_("Last packet"), WARNING, _("none yet"), remedy, reverse("help", args=["help/device"]))
    else:
        age = (timezone.now() - last).total_seconds()
        state = GOOD if recent else WARNING if age < 3600 else BAD
        remedy = "" if recent else _("No device speaks: look at the network between them and the gateway.")
        yield Line(_("Last packet"), state, _("%(span)s ago") % {"span": span(age)}, remedy)


def worker() -> Iterator[Line]:
    """The worker runs and keeps up."""
    seen = ProcrastinateWorker.objects.aggregate(last=Max("last_heartbeat"))["last"]
    age = None if seen is None else (timezone.now() - seen).total_seconds()
    if age is not None and age < 90:
        yield Line(_("Worker"), GOOD, _("seen %(span)s ago") % {"span": span(age)})
    else:
        found = _("never seen") if age is None else _("seen %(span)s ago") % {"span": span(age)}
        yield Line(
            _("Worker"), BAD, found, _("Start “luming worker” (or “luming start”): without it nothing is judged.")
        )
    oldest = ProcrastinateEvent.objects.filter(type="deferred", job__status="todo").aggregate(at=Min("at"))["at"]
    lag = 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
    state = GOOD if lag < 120 else WARNING if lag < 1800 else BAD
    remedy = "" if state == GOOD else _("The worker does not keep up: run a second one, or look for a job that hangs.")
    waiting = ProcrastinateJob.objects.filter(status="todo").count()
    found = _("%(number)s jobs wait, the oldest for %(span)s") % {"number": waiting, "span": span(lag)}
    yield Line(_("Queue of jobs"), state, found, remedy)
    failed = ProcrastinateJob.objects.filter(status="failed").count()
    if failed:
        remedy = _("Read the worker's log for the reason, mend it, then try again below.")
        yield Line(_("Failed jobs"), WARNING, str(failed), remedy, "#jobs")
    else:
        yield Line(_("Failed jobs"), GOOD, _("none"))


def database() -> Iterator[Line]:
    """The database: size, connections, long transactions, migrations, partitions ahead."""
    facts = machine.database_facts()
    replicas = _("%(n)s replicas") % {"n": facts["replicas"]} if facts["replicas"] else _("no replica")
    where = _("embedded") if installation.has_own_database() else "DATABASE_URL"
    found = f"PostgreSQL {facts['version'].split()[0]} ({where}) · {size(facts['size'])} · {replicas}"
    yield Line(_("Database"), GOOD, found)
    used = facts["connections"] / facts["most"]
    state = GOOD if used < 0.7 else WARNING if used < 0.9 else BAD
    remedy = "" if state == GOOD else _("Raise max_connections, or run fewer processes and threads.")
    yield Line(_("Connections"), state, f"{facts['connections']} / {facts['most']}", remedy)
    oldest = facts["oldest"]
    state = GOOD if oldest < 600 else WARNING if oldest < 3600 else BAD
    remedy = (
        "" if state == GOOD else _("A transaction that stays open keeps old rows: find and end it (pg_stat_activity).")
    )
    yield Line(_("Oldest transaction"), state, span(oldest), remedy)
    missing = machine.missing_migrations()
    if missing:
        yield Line(_("Migrations"), BAD, ", ".join(missing[:3]), _("Run “luming migrate”."))
    else:
        yield Line(_("Migrations"), GOOD, _("up to date"))
    tomorrow = timezone.localdate() + timedelta(days=1)
    if tomorrow in store.packet_days():
        yield Line(_("Partitions"), GOOD, _("made for the days ahead"))
    else:
        yield Line(
            _("Partitions"),
            WARNING,
            _("none for tomorrow"),
            _("The worker makes them every hour: see whether it runs."),
        )


def disk_and_clock() -> Iterator[Line]:
    """Room on the disk, the clock, certificates."""
    free = machine.free_bytes()
    state = BAD if free < GIB else WARNING if free < 10 * GIB else GOOD
    remedy = "" if state == GOOD else _("Free some space, or move the data folder to a larger disk.")
    yield Line(_("Disk"), state, _("%(size)s free") % {"size": size(free)}, remedy)
    kept = machine.clock_is_kept()
    if not machine.clock_is_possible():
        yield Line(_("Clock"), BAD, f"{timezone.localtime():%F %T}", _("Set the clock and run a time service."))
    elif kept:
        yield Line(_("Clock"), GOOD, _("kept by a time service"))
    else:
        remedy = _("Run chrony or systemd-timesyncd: loggers are set by this clock.")
        yield Line(_("Clock"), WARNING, _("no time service known here"), remedy)
    offset = machine.database_clock_offset()
    if abs(offset) > 2:
        yield Line(_("Database's clock"), BAD, f"{offset:+.1f} s", _("Synchronise both machines' clocks."))
    if settings.GATEWAY_TLS_CERTIFICATE:
        yield _certificate(Path(settings.GATEWAY_TLS_CERTIFICATE))


def _certificate(path: Path) -> Line:
    try:
        end = machine.certificate_end(path)
    except (OSError, ValueError) as error:
        return Line(_("TLS certificate"), BAD, str(error), _("Put a PEM file at %(path)s.") % {"path": path})
    days = (end - datetime.now(UTC)).days
    state = GOOD if days > 30 else WARNING if days > 7 else BAD
    remedy = "" if state == GOOD else _("Renew the certificate and start the gateway again.")
    found = _("ends on %(day)s, in %(days)s days") % {"day": f"{end:%F}", "days": days}
    return Line(_("TLS certificate"), state, found, remedy)


def backups() -> Iterator[Line]:
    """There is a recent backup, and it was restored on trial."""
    where = backup.folder()
    if where is None:
        remedy = _("Choose where backups go.")
        yield Line(_("Backup"), BAD, _("no folder is chosen"), remedy, reverse("setup-backup"), "system.setup")
        return
    newest = next(iter(backup.listing(where)), None)
    if newest is None:
        yield Line(
            _("Backup"), BAD, _("none in %(folder)s") % {"folder": where}, _("Make one now, with the button below.")
        )
        return
    age = datetime.now(UTC) - newest.made_at
    state = GOOD if age < timedelta(hours=30) else WARNING if age < timedelta(days=3) else BAD
    remedy = "" if state == GOOD else _("The nightly backup did not run: look at the worker and at failed jobs.")
    found = _("%(name)s, %(size)s, %(span)s ago") % {"name": newest.name, "size": size(newest.size), "span": span(age)}
    yield Line(_("Backup"), state, found, remedy)
    checked = [row for row in backup.listing(where) if row.checked_at]
    if checked and datetime.now(UTC) - max(row.checked_at for row in checked if row.checked_at) < timedelta(days=15):
        yield Line(_("Trial restore"), GOOD, checked[0].name)
    else:
        remedy = _("It runs on Sundays; “luming backup --check” makes one at once.")
        yield Line(_("Trial restore"), WARNING, _("none in the last two weeks"), remedy)


def people() -> Iterator[Line]:
    """The three administrators are there and have their second factor."""
    active = User.objects.filter(role__in=ADMINISTRATORS, is_active=True)
    roles = {user.role for user in active}
    if len(roles) < len(ADMINISTRATORS):
        remedy = _("Each of the three administrators must be a person of their own.")
        yield Line(_("Administrators"), WARNING, _("%(n)s of three roles are held") % {"n": len(roles)}, remedy)
    else:
        yield Line(_("Administrators"), GOOD, _("all three roles are held"))
    without = [user.username for user in active if second_factor.required(user) and not second_factor.device(user)]
    if without:
        remedy = _("They enrol one at their next sign-in.")
        yield Line(_("Second factor"), WARNING, _("missing: %(names)s") % {"names": ", ".join(without)}, remedy)
    elif settings.SECOND_FACTOR == "off":
        remedy = _("Set LUMING_SECOND_FACTOR to “admins” for a real installation.")
        yield Line(_("Second factor"), WARNING, _("nobody is asked for it"), remedy)
    else:
        yield Line(_("Second factor"), GOOD, _("in use"))
    if setup_token.path().exists():
        yield Line(
            _("Setup token"), WARNING, _("still there"), _("Finish the first run, or delete the file setup-token.")
        )


def versions() -> Iterator[Line]:
    """The version that runs, and settings that wait for a restart."""
    yield Line(_("Version"), GOOD, f"Luming {__version__}")
    for name, now, written in restarts():
        remedy = _("Start pages, gateway and worker again.")
        yield Line(name, WARNING, _("%(now)s runs, %(written)s is set") % {"now": now, "written": written}, remedy)
    if settings.DEBUG:
        yield Line("LUMING_DEBUG", WARNING, _("on"), _("Switch it off for a real installation: errors show too much."))


GROUPS: list[tuple[Any, list[Check]]] = [
    (gettext_lazy("Processes"), [gateway, worker]),
    (gettext_lazy("Database and machine"), [database, disk_and_clock]),
    (gettext_lazy("Backups"), [backups]),
    (gettext_lazy("People and version"), [people, versions]),
]


def examine() -> list[tuple[Any, list[Line]]]:
    """Run all checks; one that fails itself is a line, not an error page."""
    found = []
    for label, checks in GROUPS:
        lines: list[Line] = []
        for check in checks:
            try:
                lines += check()
            except Exception as error:
                logger.exception("the check %s failed", check.__name__)
                lines.append(Line(check.__name__, BAD, f"{type(error).__name__}: {error}", _("Please report this.")))
        found.append((label, lines))
    return found
