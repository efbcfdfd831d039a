"""How the store reaches PostgreSQL: Django's connection for reading, connections of their own for writers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection as django_connection

if TYPE_CHECKING:
    from collections.abc import Iterator


class StoreUnavailable(RuntimeError):  # noqa: N818 - a state of the world, not a mistake
    """The database cannot be reached or broke off; nothing was stored, or it is unknown: write the same batch again."""


def parameters(*, as_owner: bool = False) -> dict[str, Any]:
    """Return psycopg's parameters of Django's database, with its role unless the owner is asked for."""
    given = django_connection.get_connection_params()
    wanted = {key: given[key] for key in ("dbname", "user", "password", "host", "port", "sslmode") if given.get(key)}
    if given.get("options") and not as_owner:
        wanted["options"] = given["options"]
    return wanted


def connect(url: str | None = None, **keywords: Any) -> psycopg.Connection[Any]:
    """Open a connection in autocommit mode.

    Raises
    ------
    StoreUnavailable
        With PostgreSQL's own words.
    """
    arguments = keywords or ({} if url else parameters())
    try:
        return psycopg.connect(url or "", autocommit=True, connect_timeout=5, **arguments)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"cannot reach the database: {error} / 数据库无法连接") from error


@contextmanager
def reading(*, binary: bool = False) -> Iterator[psycopg.Cursor[Any]]:
    """Open a plain psycopg cursor on Django's connection, inside whatever transaction it is in."""
    django_connection.ensure_connection()
    with django_connection.wrap_database_errors, psycopg.Cursor(django_connection.connection) as cursor:
        if binary:
            cursor.format = psycopg.pq.Format.BINARY
        yield cursor
