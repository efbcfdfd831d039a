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
    Source(
        "reviews", _("Signed reviews"), "review_review", ("id",),
        ("day_id", "number", "user_id", "at", "hash", "previous", "document", "needs_second", "batch", "note"),
        _at("at"),
    ),
    Source(
        "decisions", _("Decisions"), "review_decision", ("id",),
        (
            "review_id", "series_id", "start", "end", "action", "code_id", "reason", "method", "value", "other_id",
            "periods",
        ),
        ("review_id IN (SELECT id FROM review_review WHERE at >= %(begin)s AND at < %(end)s)",),
    ),
    Source(
        "countersignatures", _("Second signatures"), "review_countersignature", ("id",),
        ("review_id", "user_id", "at", "accepted", "reason"), _at("at"),
    ),
    Source(
        "statistics", _("Statistics"), "statistics_statistic",
        ("place_id", "measure", "kind", "factor", "start", "revision"),
        (
            "id", "value", "rounded", "valid", "reason", "count", "expected", "required", "substituted", "weight",
            "unit", "method", "decimals", "source", "edition", "rule", "verified", "digest", "deviation", "as_of",
            "computed_at", "software",
        ),
        _at("computed_at"),
    ),
    Source(
        "custody", _("Chain of custody"), "sampling_custodyevent", ("id",),
        (
            "sample_id", "sequence", "kind", "at", "signed_at", "signed_by_id", "signed_name", "from_whom", "to_whom",
            "temperature_c", "preservation", "reason", "facts", "previous_hash", "hash",
        ),
        _at("signed_at"),
    ),
    Source(
        "results", _("Results of samples"), "sampling_sampleresult", ("id",),
        (
            "sample_id", "factor", "revision", "value", "unit", "below_detection", "detection_limit", "withdrawn",
            "method", "analyst", "instrument", "analysed_at", "holding_hours", "holding_allowed", "holding_rule",
            "reason", "entered_by_id", "entered_at",
        ),
        _at("entered_at"),
    ),
    Source(
        "result-reviews", _("Reviews of results"), "sampling_resultreview", ("id",),
        ("result_id", "decision", "reason", "reviewed_by_id", "reviewed_at", "seen_hash"), _at("reviewed_at"),
    ),
    Source(
        "marks", _("Marks of dischargers"), "marks_markevent", ("pgh_id",),
        (
            "pgh_created_at", "pgh_label", "pgh_obj_id", "outlet_id", "code_id", "factors", "start", "end",
            "explanation", "state", "deadline", "late", "edition", "contradictions", "contradicted", "made_by_id",
            "made_at", "decided_by_id", "decided_at", "reason", "is_demo",
        ),
        _at("pgh_created_at"),
    ),
    Source(
        "sheets", _("Evidence sheets"), "evidence_evidencesheet", ("id",),
        (
            "code", "kind", "key", "place_id", "document", "sha256", "sm3", "days", "purpose", "issued_by_id",
            "issued_at", "software", "is_demo",
        ),
        _at("issued_at"),
    ),
)  # fmt: skip


def source(name: str) -> Source | None:
    """Return the source of a name."""
    return next((known for known in SOURCES if known.name == name), None)
