"""Measured facts of the machine and the database, for ``luming doctor`` and the health page."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from luming.core import installation

BUILT = 1_767_225_600  # 2026-01-01: a clock before it is wrong


def free_bytes(folder: Path | None = None) -> int:
    """Return how much room a folder's disk has, of the data folder without one."""
    return shutil.disk_usage(folder or installation.data_dir()).free


def clock_is_kept() -> bool | None:
    """Tell whether a time service keeps the clock; None where the machine does not say."""
    try:
        done = subprocess.run(
            ["timedatectl", "show", "-p", "NTPSynchronized", "--value"],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = done.stdout.strip() if done.returncode == 0 else ""
    return answer == "yes" if answer else None


def clock_is_possible() -> bool:
    """Tell whether the clock is later than this program."""
    return time.time() >= BUILT


def database_clock_offset() -> float:
    """Return how far the database's clock is ahead of this machine's, in seconds."""
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        there = float(cursor.fetchone()[0])
    return there - (before + time.time()) / 2


def missing_migrations() -> list[str]:
    """Return the migrations that the database lacks."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def database_facts() -> dict[str, Any]:
    """Return version, size, connections, the oldest transaction and replicas of the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The serving role does not see what other sessions do; the account it belongs to does.
        cursor.execute("SAVEPOINT facts")
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(
            """
            SELECT current_setting('server_version'), pg_database_size(current_database()),
                (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
                current_setting('max_connections')::int,
                (SELECT extract(epoch FROM now() - min(xact_start)) FROM pg_stat_activity
                    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()),
                (SELECT count(*) FROM pg_stat_replication)
            """
        )
        version, size, connections, most, oldest, replicas = cursor.fetchone()
        cursor.execute("ROLLBACK TO SAVEPOINT facts")  # takes the role back
    return {
        "version": version,
        "size": size,
        "connections": connections,
        "most": most,
        "oldest": float(oldest or 0),
        "replicas": replicas,
    }


def certificate_end(path: Path) -> datetime:
    """Return when a TLS certificate ends.

    Raises
    ------
    OSError, ValueError
        The file cannot be read, or is no certificate.
    """
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (ValueError, ssl.SSLError) as error:
        raise ValueError(str(error)) from error
    return min(certificate.not_valid_after_utc for certificate in found).astimezone(UTC)
