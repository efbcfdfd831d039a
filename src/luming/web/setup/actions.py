"""Verbs of the first-run wizard: each step is one, leaves an audit row, and may be done again.

Before there are administrators the platform itself acts (``actor=None``, the holder of the token); afterwards the
system administrator does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation

from luming.core import actions as people
from luming.core import audit, backup, backup_jobs, installation, setup_token
from luming.core.models import AuditEntry, User
from luming.core.roles import ADMINISTRATORS
from luming.registry import city
from luming.registry.models import Region
from luming.registry.problems import Report

VERBS = {
    "city": "setup.city",
    "administrators": "setup.administrators",
    "stations": "setup.stations",
    "gateway": "setup.gateway",
    "backup": "setup.backup",
}
_LOCK = 7_212_001  # of the wizard: two people with the token must not make two sets of administrators
LEAST_FREE = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Account:
    """An administrator that was made, with the password that is told once."""

    user: User
    password: str


def done() -> dict[str, AuditEntry]:
    """Return the newest audit row of each step that was done."""
    keys = {verb: key for key, verb in VERBS.items()}
    rows = AuditEntry.objects.filter(verb__in=keys).order_by("at", "id")
    return {keys[row.verb]: row for row in rows}


def _require(actor: User | None) -> None:
    if actor is not None:
        audit.require(actor, "system.setup")
    elif not setup_token.is_open():
        raise PermissionDenied(_("The installation is set up already: sign in as the system administrator."))


def choose_city(actor: User | None, name: str) -> Report:
    """Load a city profile's districts and stations, and name the city in the configuration.

    Raises
    ------
    FileError
        There is no such profile, or it is faulty.
    """
    _require(actor)
    with transaction.atomic():
        report = city.load(name)  # as the platform: a profile is data of the product
        region = Region.objects.get(pk=city.read(city.find(name)).code)
        audit.record(actor, VERBS["city"], region, profile=name)
    installation.configure(LUMING_CITY=name)
    return report


def make_administrators(people_of: Mapping[str, tuple[str, str]]) -> list[Account]:
    """Make the three exclusive administrators (role -> username and name); afterwards the token is void.

    Raises
    ------
    ValidationError
        A role is missing, a name is taken or given twice, or administrators exist already.
    """
    if set(people_of) != set(ADMINISTRATORS):
        raise ValidationError(_("Name all three administrators."))
    usernames = [username.strip().lower() for username, _name in people_of.values()]
    if len(set(usernames)) < len(usernames):
        raise ValidationError(_("Three people, three usernames: no one may hold two of these roles."))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if not setup_token.is_open():
            raise ValidationError(_("The administrators exist already: sign in."))
        made = []
        for role in ADMINISTRATORS:
            username, name = people_of[role]
            made.append(Account(*people.create_user(None, username, name, role=role)))
        audit.record(None, VERBS["administrators"], made[0].user, usernames=usernames)
    setup_token.remove()
    return made


@transaction.atomic
def note_stations(actor: User) -> None:
    """Note that the first stations are there, or left to the register keeper."""
    audit.require(actor, "system.setup")
    audit.record(actor, VERBS["stations"], _subject(actor))


def set_gateway(actor: User, host: str, port: int) -> None:
    """Write where the gateway listens; it must be started again.

    Raises
    ------
    ValidationError
        The port is none, or another part of the installation has it.
    """
    audit.require(actor, "system.setup")
    if not 1024 <= port <= 65535:
        raise ValidationError({"port": _("Choose a port between 1024 and 65535.")})
    if host not in {"127.0.0.1", "0.0.0.0"}:
        raise ValidationError({"host": _("Choose where the gateway listens.")})
    if port in _taken():
        raise ValidationError({"port": _("This port belongs to the pages, the database or the metrics.")})
    with transaction.atomic():
        audit.record(actor, VERBS["gateway"], _subject(actor), host=host, port=port)
        installation.configure(LUMING_GATEWAY_HOST=host, LUMING_GATEWAY_PORT=str(port))


def _taken() -> set[int]:
    """Return the ports of the other processes."""
    own = (("LUMING_WEB_PORT", "8000"), ("LUMING_WORKER_METRICS_PORT", "9214"))
    return {5432, settings.GATEWAY_METRICS_PORT, *(int(os.environ.get(name, default)) for name, default in own)}


def set_backup(actor: User, folder: str, keep: int) -> Path:
    """Write where backups go and how many are kept, after trying whether one can be written there.

    Raises
    ------
    ValidationError
        The folder cannot be used; the message says why.
    """
    audit.require(actor, "system.setup")
    where = Path(folder.strip())
    if not where.is_absolute():
        raise ValidationError({"folder": _("Give the whole path, beginning with “/”.")})
    where = where.resolve()
    data = installation.data_dir()
    # What lies with the static files is served to everyone, and what lies with the uploaded ones is packed again.
    used = {data / "pgdata", Path(settings.STATIC_ROOT).resolve(), Path(settings.MEDIA_ROOT).resolve()}
    if where == data or used & {where, *where.parents}:
        raise ValidationError(
            {"folder": _("Not into a folder of the installation itself: choose another one, best another disk.")}
        )
    if not 1 <= keep <= 1000:
        raise ValidationError({"keep": _("Keep at least one backup.")})
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = where / ".luming-probe"
        probe.write_text("", encoding="utf-8")
        probe.unlink()
        free = shutil.disk_usage(where).free
    except OSError as error:
        message = _("This folder cannot be written: %(why)s.") % {"why": error.strerror or str(error)}
        raise ValidationError({"folder": message}) from error
    if free < LEAST_FREE:
        raise ValidationError({"folder": _("Less than 2 GiB are free there.")})
    with transaction.atomic():
        audit.record(actor, VERBS["backup"], _subject(actor), folder=str(where), keep=keep)
        installation.configure(**{backup.FOLDER: str(where), backup.KEEP: str(keep)})
    return where


@transaction.atomic
def back_up_now(actor: User) -> None:
    """Queue a backup for the worker.

    Raises
    ------
    ValidationError
        No folder is chosen, or one is under way.
    """
    audit.require(actor, "system.setup")
    if backup.folder() is None:
        raise ValidationError(_("Choose first where backups go."))
    try:
        with transaction.atomic():
            backup_jobs.now.defer()
    except AlreadyEnqueued as error:
        raise ValidationError(_("A backup is under way already.")) from error
    audit.record(actor, "backup.make", _subject(actor))


@transaction.atomic
def retry_job(actor: User, job: ProcrastinateJob) -> None:
    """Let the worker try a failed job again.

    Raises
    ------
    ValidationError
        The same work waits in the queue already.
    """
    audit.require(actor, "system.setup")
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job.pk, timezone.now())
    except (UniqueViolation, AlreadyEnqueued) as error:
        raise ValidationError(_("The same work waits in the queue already.")) from error
    audit.record(actor, "job.retry", job, task=job.task_name)


def _subject(actor: User) -> models.Model:
    """Return what the steps are about: the city, before it is loaded the actor."""
    return Region.objects.filter(level=Region.Level.CITY).first() or actor


def missing(steps: Sequence[str] | None = None) -> list[str]:
    """Return the steps that nobody has done."""
    known = done()
    return [step for step in steps or VERBS if step not in known]
