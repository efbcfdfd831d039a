"""Backups: one folder each, with the dump of the database, the uploaded files and what proves them.

A backup is a consistent snapshot: the rows of each table are counted in the very snapshot that is dumped, so that a
trial restore can be compared with it. The keys of ``secrets.json`` are left out on purpose: with them beside it, a lost
backup would open what is sealed in it. docs/how-to/back-up.md.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from luming import __version__
from luming.core import installation, postgres_tools
from luming.core.postgres_tools import ToolError

FOLDER, KEEP = "LUMING_BACKUP_FOLDER", "LUMING_BACKUP_KEEP"
KEPT = 14
DUMP, FILES, MANIFEST = "database.dump", "files.tar", "manifest.json"
_NAME = re.compile(r"luming-\d{8}-\d{6}\Z")


class BackupError(RuntimeError):
    """A backup could not be made, checked or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    folder: Path
    made_at: datetime
    size: int
    version: str
    rows: dict[str, int]
    sums: dict[str, str]
    checked_at: datetime | None

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        return self.folder.name


def folder() -> Path | None:
    """Return where this installation keeps its backups; None until somebody has chosen it."""
    chosen = installation.setting(FOLDER)
    return Path(chosen) if chosen else None


def keep() -> int:
    """Return how many backups are kept."""
    return max(1, int(installation.setting(KEEP) or KEPT))


def listing(where: Path) -> list[Backup]:
    """Return the finished backups of a folder, newest first; what cannot be read is left out."""
    found = []
    for path in where.glob("luming-*") if where.is_dir() else ():
        if _NAME.match(path.name):
            with contextlib.suppress(OSError, ValueError, KeyError):
                found.append(read(path))
    return sorted(found, key=lambda backup: backup.made_at, reverse=True)


def read(path: Path) -> Backup:
    """Return the backup of a folder.

    Raises
    ------
    OSError, ValueError, KeyError
        It is no finished backup.
    """
    facts = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    checked = facts.get("checked_at")
    return Backup(
        path,
        datetime.fromisoformat(facts["made_at"]),
        int(facts["size"]),
        facts["version"],
        facts["rows"],
        facts["sha256"],
        datetime.fromisoformat(checked) if checked else None,
    )


def make(where: Path) -> Backup:
    """Make a backup in a folder; one that breaks off leaves nothing that looks finished.

    Raises
    ------
    BackupError
        There is no room or no permission, or the database cannot be dumped.
    """
    now = datetime.now(UTC)
    final = where / f"luming-{now.astimezone():%Y%m%d-%H%M%S}"
    partial = where / f"{final.name}.partial"
    try:
        partial.mkdir(parents=True, mode=0o700)
        rows = _dump(partial / DUMP)
        _pack_files(partial / FILES)
        parts = [path for path in (partial / DUMP, partial / FILES) if path.exists()]
        facts = {
            "made_at": now.isoformat(),
            "version": __version__,
            "size": sum(path.stat().st_size for path in parts),
            "rows": rows,
            "sha256": {path.name: _sum(path) for path in parts},
        }
        _write(partial / MANIFEST, facts)
        partial.rename(final)
    except (OSError, ToolError, psycopg.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise BackupError(f"no backup was made in {where}: {error}") from error
    return read(final)


def _dump(target: Path) -> dict[str, int]:
    """Dump the database and count its rows in the same snapshot."""
    with psycopg.connect(**postgres_tools.parameters(), connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        snapshot = connection.execute("SELECT pg_export_snapshot()").fetchone()[0]  # type: ignore[index]
        arguments = ["--format=custom", "--compress=gzip:3", f"--snapshot={snapshot}", f"--file={target}"]
        postgres_tools.run("pg_dump", arguments)
        rows = _count(connection)
    target.chmod(0o600)
    return rows


def _count(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the rows of every table (a partitioned one as a whole)."""
    names = connection.execute(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace ORDER BY relname"
    ).fetchall()
    found = {}
    for (name,) in names:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
        found[name] = int(row[0]) if row else 0
    return found


def _pack_files(target: Path) -> None:
    root = Path(settings.MEDIA_ROOT)
    if root.is_dir():
        with tarfile.open(target, "w") as archive:
            archive.add(root, arcname="files")
        target.chmod(0o600)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")
    path.chmod(0o600)


def prune(where: Path, number: int) -> list[str]:
    """Remove all but the newest backups, and what broken ones left behind; return their names."""
    doomed = [backup.folder for backup in listing(where)[number:]]
    for path in doomed:
        shutil.rmtree(path)
    for path in where.glob("luming-*.partial"):
        if datetime.now(UTC).timestamp() - path.stat().st_mtime > 86400:
            shutil.rmtree(path, ignore_errors=True)
    return [path.name for path in doomed]


def verify(backup: Backup) -> None:
    """Compare a backup's files with their sums.

    Raises
    ------
    BackupError
        A file is missing or was altered.
    """
    for name, expected in backup.sums.items():
        path = backup.folder / name
        if not path.is_file():
            raise BackupError(f"{path} is missing: take another backup / 文件缺失，请使用其他备份")
        if _sum(path) != expected:
            raise BackupError(f"{path} was altered or is damaged: take another backup / 文件已损坏，请使用其他备份")


def check(backup: Backup) -> Backup:
    """Restore a backup into a database of its own, compare every table's rows, and drop it again.

    Raises
    ------
    BackupError
        It cannot be restored, or tables differ.
    """
    verify(backup)
    scratch = f"luming_check_{backup.made_at:%Y%m%d%H%M%S}"
    try:
        with _new_database(scratch):
            _restore_into(backup, scratch)
    finally:
        _drop(scratch)
    facts = json.loads((backup.folder / MANIFEST).read_text(encoding="utf-8"))
    _write(backup.folder / MANIFEST, facts | {"checked_at": datetime.now(UTC).isoformat()})
    return read(backup.folder)


def restore(backup: Backup, database: str, *, replace: bool = False) -> str | None:
    """Put a backup in the place of a database, and its files in the place of the uploaded ones.

    The database that was there is kept under another name, which is returned. Everything that uses it must be stopped.

    Raises
    ------
    BackupError
        The backup is damaged, the database is in use, or it holds something and ``replace`` was not asked for.
    """
    verify(backup)
    before: str | None = None
    with _server() as server:
        exists = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
    if exists:
        if not replace and _holds_something(database):
            raise BackupError(f"the database {database} is not empty: say --replace to put the backup in its place")
        _require_unused(database)
    fresh = f"{database}_restore"
    _drop(fresh)
    try:
        with _new_database(fresh):
            _restore_into(backup, fresh)
    except BackupError:
        _drop(fresh)
        raise
    with _server() as server:
        if exists:
            _require_unused(database)
            before = f"{database}_before_{datetime.now(UTC):%Y%m%d%H%M%S}"
            server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (database, before))))
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (fresh, database))))
    _unpack_files(backup)
    return before


def _restore_into(backup: Backup, database: str) -> None:
    try:
        postgres_tools.run(
            "pg_restore",
            ["--exit-on-error", "--no-owner", "--jobs=2", f"--dbname={database}", str(backup.folder / DUMP)],
            database,
        )
        with psycopg.connect(**postgres_tools.parameters(database)) as connection:
            rows = _count(connection)
    except (ToolError, psycopg.Error) as error:
        raise BackupError(f"{backup.name} cannot be restored: {error}") from error
    differing = sorted(name for name in {*rows, *backup.rows} if rows.get(name) != backup.rows.get(name))
    if differing:
        raise BackupError(f"{backup.name}: rows differ after the restore in {', '.join(differing[:5])}")


def _unpack_files(backup: Backup) -> None:
    """Put the uploaded files back; those that were there are kept beside."""
    archive = backup.folder / FILES
    if not archive.exists():
        return
    root = Path(settings.MEDIA_ROOT)
    if root.exists():
        root.rename(root.with_name(f"{root.name}-before-{datetime.now(UTC):%Y%m%d%H%M%S}"))
    with tarfile.open(archive) as packed:
        packed.extractall(root.parent, filter="data")
    (root.parent / "files").rename(root) if root.name != "files" else None


@contextlib.contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    """Connect to the server beside the databases that are made and dropped."""
    with psycopg.connect(**postgres_tools.parameters("postgres"), autocommit=True, connect_timeout=10) as connection:
        yield connection


@contextlib.contextmanager
def _new_database(name: str) -> Iterator[None]:
    try:
        with _server() as server:
            if not server.execute("SELECT to_regrole('luming_app')").fetchone()[0]:  # type: ignore[index]
                server.execute("CREATE ROLE luming_app NOLOGIN")
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise BackupError(f"no database could be made for the restore: {error}") from error
    yield


def _drop(name: str) -> None:
    with contextlib.suppress(psycopg.Error), _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _holds_something(database: str) -> bool:
    with psycopg.connect(**postgres_tools.parameters(database)) as connection:
        if not connection.execute("SELECT to_regclass('core_user')").fetchone()[0]:  # type: ignore[index]
            return False
        return connection.execute("SELECT 1 FROM core_user LIMIT 1").fetchone() is not None


def _require_unused(database: str) -> None:
    with _server() as server:
        row = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'", (database,)
        ).fetchone()
    if row and row[0]:
        raise BackupError(
            f"the database {database} is in use by {row[0]} connections: stop pages, gateway and worker first"
            " / 数据库正在使用，请先停止网页、网关和后台任务"
        )
