"""Import of places from Excel or CSV: all or nothing, all bad rows at once, the same file twice changes nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import AuditEntry, User
from luming.registry import actions, city
from luming.registry.geo import Bounds
from luming.registry.importing.directory import Directory
from luming.registry.importing.plan import Plan, make_plan
from luming.registry.importing.reading import Sheet, read
from luming.registry.importing.tables import TABLES, Table
from luming.registry.importing.template import template
from luming.registry.models import Region, region_filter
from luming.registry.problems import FileError, Problem, Report

__all__ = ["PERMISSION", "TABLES", "apply_plan", "import_places", "template"]

PERMISSION = "place.import"
_LOCK = 0x6C756D01  # advisory: one import at a time, so that two cannot plan the same new record


def import_places(
    user: User | None, file: bytes | Path | BinaryIO, dry_run: bool = False, *, filename: str = "", reason: str = ""
) -> Report:
    """Create and change facilities, outlets, stations, devices, series, limits and aliases from a file.

    Rows are recognised by their natural key; columns that are absent and cells that are empty leave what is there.
    Nothing is applied when any row is wrong.

    Parameters
    ----------
    user : who imports, in whose scope; None for the platform itself.
    file : an .xlsx (or .xls) workbook with one sheet per table, or a CSV file (UTF-8 or GBK) with one table.
    dry_run : only say what would happen.
    filename : shown in messages; needed with bytes to tell one CSV table from another by name.

    Returns
    -------
    Report
        ``problems`` are all the errors; ``applied`` says whether the database was changed accordingly.

    Raises
    ------
    PermissionDenied
        The user may not import.
    """
    audit.require(user, PERMISSION)
    content, filename = _content(file, filename)
    try:
        sheets, warnings = read(content, filename)
    except FileError as error:
        return Report(problems=error.problems)
    try:
        with transaction.atomic():
            report = _import(
                user, sheets, dry_run, {"file": filename, "sha256": hashlib.sha256(content).hexdigest()}, reason
            )
    except IntegrityError:
        what = _("Somebody else changed the same records at this moment; nothing was imported.")
        report = Report(problems=[Problem(filename, None, "", "", what, _("Import the file again."))])
    report.warnings[:0] = warnings
    return report


def _content(file: bytes | Path | BinaryIO, filename: str) -> tuple[bytes, str]:
    if isinstance(file, bytes):
        return file, filename or "file"
    if isinstance(file, Path):
        return file.read_bytes(), filename or file.name
    return file.read(), filename or getattr(file, "name", None) or "file"


def _import(user: User | None, sheets: list[Sheet], dry_run: bool, source: dict[str, str], reason: str) -> Report:
    """Plan and, unless it is a dry run or anything is wrong, write; inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    plan = make_plan(sheets, Directory.of_database(user, sheets, lock=not dry_run), _bounds())
    report = Report(plan.counts, plan.problems, plan.warnings)
    if dry_run or report.problems:
        return report
    if report.is_change:
        apply_plan(user, plan, reason, file=source["file"])
        counts = {name: [item.new, item.changed, item.unchanged] for name, item in plan.counts.items()}
        audit.record(user, "place.import", _root(user), reason=reason, counts=counts, **source)
    report.applied = True
    return report


def _bounds() -> Bounds | None:
    """Return the box of the city; None when the profile of this installation cannot be read."""
    try:
        return city.profile().bounds
    except (FileError, OSError):
        return None


def _root(user: User | None) -> Region:
    """Return the region that the audit row of an import hangs on: the user's, or the city."""
    regions = Region.objects.filter(region_filter(user, "code")) if user else Region.objects.all()
    return regions.order_by("code").first() or Region(code="", name="")


def apply_plan(user: User | None, plan: Plan, reason: str = "", **source: str) -> None:
    """Write a plan without problems, with one audit row per record; call it inside a transaction."""
    entries: list[AuditEntry] = []
    for table in TABLES:
        entries += _write(user, table, plan, reason, source)
    AuditEntry.objects.bulk_create(entries, batch_size=1000)


def _write(user: User | None, table: Table, plan: Plan, reason: str, source: dict[str, str]) -> list[AuditEntry]:
    """Write the records of one table; return their audit rows."""
    changes = plan.changes[table.name]
    new = [change.record for change in changes if change.before is None]
    if table.name in ("outlets", "stations"):  # a place and what it is: two tables, which bulk_create cannot write
        for record in new:
            record.save(force_insert=True)
    else:
        table.model.objects.bulk_create(new, batch_size=1000)
    entries = []
    for change in changes:
        record = change.record
        if change.before is None:
            what, detail = "create", {"values": actions.described(record)}
        else:
            differing = actions.differences(change.before, actions.facts(record))
            record.save(update_fields=list(differing))
            what, detail = "change", {"changes": differing}
        entries.append(audit.entry(user, actions.verb(table.model, what), record, reason=reason, **detail, **source))
    return entries
