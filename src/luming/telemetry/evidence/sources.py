"""What the hash tree of a day covers: append-only tables, each row as one line of text.

A line is what PostgreSQL's COPY writes for the columns named here, with the session's formats pinned: it is the same on
every machine. The columns of a source never change; when a table grows, a source with a new key is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from luming.telemetry.identity import id_floor
from luming.telemetry.store import connecting

_FORMATS = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL extra_float_digits = 1; SET LOCAL intervalstyle = 'postgres'; SET LOCAL client_encoding = 'UTF8'"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of a table that were recorded in a span of time.

    ``key`` are the columns that name a row, in their order; ``columns`` the others. ``where`` are conditions of which
    each row meets one; their parameters are ``begin`` and ``end`` (instants) or ``first`` and ``after`` (packet ids).
    """

    name: str
    label: Any
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    where: tuple[str, ...]

    def lines(self, begin: datetime, end: datetime) -> Iterator[bytes]:
        """Yield the rows recorded in [begin, end) as lines, ordered by key; call it inside a transaction."""
        values = {"begin": begin, "end": end, "first": id_floor(begin), "after": id_floor(end)}
        columns = ", ".join(f'"{name}"' for name in (*self.key, *self.columns))
        parts = " UNION ALL ".join(f"SELECT {columns} FROM {self.table} WHERE {part}" for part in self.where)
        order = ", ".join(f'"{name}"' for name in self.key)
        with connecting.reading() as cursor:
            cursor.execute(_FORMATS)
            query = sql.SQL(f"COPY (SELECT * FROM ({parts}) AS rows ORDER BY {order}) TO STDOUT")  # type: ignore[arg-type]
            with cursor.copy(query, values) as copy:
                for row in copy:
                    yield bytes(row)

    def is_there(self) -> bool:
        """Tell whether the table is installed."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [self.table])
            return bool(cursor.fetchone()[0])


def _at(column: str) -> tuple[str]:
    return (f'"{column}" >= %(begin)s AND "{column}" < %(end)s',)


SOURCES = (
    Source(
        "packets", _("Packets"), "telemetry_packet", ("id",),
        (
            "received_at", "connection_id", "device_id", "cn", "new", "repeated", "revised", "direction", "verdict",
            "mn", "peer", "st", "qn", "reason", "codes", "body",
        ),
        ("id >= %(first)s AND id < %(after)s",),
    ),
    Source(
        "releases", _("Packets read again"), "telemetry_packet_release", ("packet_id", "released_at"),
        ("by_id", "new", "repeated", "revised", "verb", "reason"), _at("released_at"),
    ),
    Source(
        "observations", _("Observations"), "telemetry_observation", ("series_id", "start", "revision"),
        ("flag", "value", "packet_id", "minimum", "maximum", "converted", "amount", "recorded_at"),
        (
            "packet_id >= %(first)s AND packet_id < %(after)s AND recorded_at IS NULL",
            "recorded_at >= %(begin)s AND recorded_at < %(end)s",
        ),
    ),
    Source(
        "verdicts", _("Verdicts"), "telemetry_verdict", ("series_id", "start", "sequence"),
        (
            "revision", "at", "value", "person_id", "origin", "quality", "letter", "checks", "source", "reason",
            "edition",
        ),
        _at("at"),
    ),
    Source(
        "judgements", _("Judgements"), "telemetry_judgement", ("place_id", "kind", "start", "revision"),
        ("id", "state", "value", "detail", "edition", "inputs", "software", "judged_at"), _at("judged_at"),
    ),
    Source(
        "audit", _("Audit trail"), "core_auditentry", ("id",),
        ("at", "actor_id", "actor_name", "verb", "object_type", "object_id", "object_name", "reason", "detail"),
        _at("at"),
    ),
)  # fmt: skip


def source(name: str) -> Source | None:
    """Return the source of a name."""
    return next((known for known in SOURCES if known.name == name), None)
