"""The search index follows every change: triggers note what changed, and what is noted is indexed before it is sought.

After every migration :func:`prepare` puts a row trigger on each table that a register's search reads, also on those of
relations (an outlet is found by its facility's name). A trigger only writes a row of ``SearchDirty``, in the
transaction of the change itself. :func:`freshen` indexes a small backlog before a search; the worker takes large ones.
"""

from __future__ import annotations

import logging
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction

from luming.core import manifest
from luming.core.models import Attachment, SearchEntry
from luming.core.pieces import haystack_of, kind_piece, lines_of, pieces_of
from luming.core.registers import Register

logger = logging.getLogger(__name__)

SMALL = 200  # what a search may index before it answers, a few milliseconds
BATCH = 2000
EDITION = 1  # of how words become pieces: another one indexes everything anew at the next migration
LOCK = zlib.crc32(b"luming.core.search")  # one drains at a time: a later state is never overwritten by an earlier one

FUNCTION = """
CREATE OR REPLACE FUNCTION core_search_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE key text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    EXECUTE format('SELECT ($1).%I::text', TG_ARGV[0]) INTO key USING OLD;
  ELSE
    EXECUTE format('SELECT ($1).%I::text', TG_ARGV[0]) INTO key USING NEW;
  END IF;
  INSERT INTO core_searchdirty ("table", object_id) VALUES (TG_TABLE_NAME, key);
  RETURN NULL;
END $$
"""


# Attachments are no register, but are found by their names; who may see one depends on the record that it hangs on.
DOCUMENTS = Register(key="documents", model=Attachment, columns=(), search=("name",), menu=False)


def sources() -> list[Register]:
    """Return what is indexed: the registers of all manifests that name search fields, and documents."""
    return [register for register in (*manifest.registers(), DOCUMENTS) if register.search]


@dataclass(slots=True)
class Watched:
    """A table that searches read: its key, the columns that matter and whose records it concerns.

    ``paths`` are (register, lookup from the register's model to the table's; empty for the record itself).
    """

    key: str
    columns: set[str] = field(default_factory=set)
    paths: set[tuple[str, str]] = field(default_factory=set)


def watched() -> dict[str, Watched]:
    """Return the tables that the searches of all registers read."""
    tables: dict[str, Watched] = {}
    for register in sources():
        for path in register.search:
            _watch(tables, register, path)
    return tables


def _watch(tables: dict[str, Watched], register: Register, path: str) -> None:
    """Note each table on the way of one search path."""
    model, lookup = register.model, ""
    for name in path.split("__"):
        try:
            column: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            return  # an annotation cannot be searched
        owner = column.model if column.concrete else model
        for table in {owner, model} if not lookup else {owner}:  # a new outlet is a row of both its tables
            entry = tables.setdefault(table._meta.db_table, Watched(table._meta.pk.column))
            entry.paths.add((register.key, lookup))
            if column.concrete and table is owner:
                entry.columns.add(column.column)
        if column.is_relation:
            model, lookup = column.related_model, f"{lookup}__{name}".lstrip("_")


def prepare(**_signal: Any) -> None:
    """Install the triggers that are missing or outdated, remove what no register needs, index what is not indexed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        existing = set(connection.introspection.table_names(cursor))
        if not {"core_searchentry", "core_searchdirty"} <= existing:
            return
        changed = _install(cursor, {table: entry for table, entry in watched().items() if table in existing})
        if changed:
            rebuild(sorted({key for entry in changed for key, _lookup in entry.paths}))


def _install(cursor: Any, tables: dict[str, Watched]) -> list[Watched]:
    """Bring the triggers up to date; return the tables whose triggers changed."""
    cursor.execute(
        "SELECT c.relname, obj_description(t.oid, 'pg_trigger') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE t.tgname = 'search_note' AND n.nspname = current_schema()"
    )
    present = dict(cursor.fetchall())
    quote = connection.ops.quote_name
    for table in present.keys() - tables.keys():
        cursor.execute(f"DROP TRIGGER search_note ON {quote(table)}")
    changed = []
    for table, entry in tables.items():
        own = any(not lookup for _register, lookup in entry.paths)
        when = f"INSERT OR DELETE OR UPDATE OF {', '.join(map(quote, sorted(entry.columns)))}" if entry.columns else (
            "INSERT OR DELETE"
        )  # fmt: skip
        if not own:  # what only others refer to concerns nobody while it is new
            when = when.removeprefix("INSERT OR DELETE OR ")
        mark = f"{EDITION}; {when}; {entry.key}; " + " ".join(f"{key}:{lookup}" for key, lookup in sorted(entry.paths))
        if present.get(table) == mark:
            continue
        if not changed:
            cursor.execute(FUNCTION)
        cursor.execute(f"DROP TRIGGER IF EXISTS search_note ON {quote(table)}")
        cursor.execute(
            f"CREATE TRIGGER search_note AFTER {when} ON {quote(table)}"
            f" FOR EACH ROW EXECUTE FUNCTION core_search_note('{entry.key}')"
        )
        cursor.execute(f"COMMENT ON TRIGGER search_note ON {quote(table)} IS %s", [mark])
        changed.append(entry)
    return changed


def freshen() -> None:
    """Index a small backlog; a large one is left to the worker, and the search answers from what is indexed."""
    refresh(SMALL, only_small=True)


def refresh(limit: int = BATCH, *, only_small: bool = False) -> int:
    """Index up to ``limit`` noted changes; return how many notes were taken, 0 while another one is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        bound = f" HAVING count(*) <= {limit}" if only_small else ""
        cursor.execute(
            "SELECT array_agg(id) FROM (SELECT id FROM core_searchdirty ORDER BY id LIMIT %s) AS noted" + bound,
            [limit + 1 if only_small else limit],
        )
        row = cursor.fetchone()
        if row is None or row[0] is None:
            return 0
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            "DELETE FROM core_searchdirty WHERE id IN"
            " (SELECT id FROM core_searchdirty WHERE id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED)"
            ' RETURNING "table", object_id',
            [row[0]],
        )
        noted = cursor.fetchall()
        concerned = _concerned(noted)
        for register in sources():
            if register.key in concerned:
                _index(register, concerned[register.key])
        return len(noted)


def _concerned(noted: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the records that noted changes concern, by the key of their register."""
    rows: dict[str, set[str]] = defaultdict(set)
    for table, key in noted:
        rows[table].add(key)
    tables, registers = watched(), {register.key: register for register in sources()}
    found: dict[str, set[str]] = defaultdict(set)
    for table, keys in rows.items():
        entry = tables.get(table)
        for name, lookup in entry.paths if entry else ():
            if lookup:
                referring = registers[name].model._base_manager.filter(**{f"{lookup}__in": list(keys)})
                found[name].update(str(key) for key in referring.values_list("pk", flat=True))
            else:
                found[name] |= keys
    return found


def _index(register: Register, keys: set[str]) -> None:
    """Bring the entries of some records up to date; those of records that are gone go too."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), BATCH):
        part = ordered[start : start + BATCH]
        entries = [
            SearchEntry(kind=register.key, object_id=key, title=title, haystack=haystack, tokens=tokens)
            for key, title, haystack, tokens in _made(register, register.model._base_manager.filter(pk__in=part))
        ]
        SearchEntry.objects.bulk_create(
            entries,
            update_conflicts=True,
            unique_fields=["kind", "object_id"],
            update_fields=["title", "haystack", "tokens"],
        )
        gone = set(part) - {entry.object_id for entry in entries}
        if gone:
            SearchEntry.objects.filter(kind=register.key, object_id__in=gone).delete()


def _made(register: Register, queryset: Any) -> Iterator[tuple[str, str, str, list[str]]]:
    """Yield key, title, haystack and pieces of records."""
    rows = queryset.order_by("pk").values_list("pk", *register.search).iterator(chunk_size=BATCH)
    pending: tuple[str, list[Any]] | None = None
    for key, *values in rows:
        if pending is not None and pending[0] == str(key):  # a path to many: one row each
            pending[1].extend(values)
            continue
        if pending is not None:
            yield _entry(register, *pending)
        pending = (str(key), values)
    if pending is not None:
        yield _entry(register, *pending)


def _entry(register: Register, key: str, values: Sequence[Any]) -> tuple[str, str, str, list[str]]:
    lines = lines_of(values)
    title = " ".join(str(values[0] or "").split())[:200] if values else ""
    return key, title, haystack_of(lines), sorted({kind_piece(register.key), *pieces_of(lines)})


def rebuild(kinds: Iterable[str] | None = None) -> dict[str, int]:
    """Index every record of some registers (all without ``kinds``) anew; return how many of each there are."""
    chosen = None if kinds is None else set(kinds)
    counts: dict[str, int] = {}
    existing = set(connection.introspection.table_names())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if chosen is None:
            SearchEntry.objects.exclude(kind__in=[register.key for register in sources()]).delete()
        for register in sources():
            if chosen is not None and register.key not in chosen:
                continue
            if not _tables(register.model) <= existing:  # in the middle of the migrations
                continue
            SearchEntry.objects.filter(kind=register.key).delete()
            counts[register.key] = _copy(cursor, register)
    return counts


def _tables(model: type[models.Model]) -> set[str]:
    return {part._meta.db_table for part in (model, *model._meta.get_parent_list())}


def _copy(cursor: Any, register: Register) -> int:
    """Write the entries of all records with COPY, batch by batch (a cursor cannot read while it copies)."""
    rows, number = _made(register, register.model._base_manager.all()), 0
    while batch := list(islice(rows, 5 * BATCH)):
        with cursor.copy("COPY core_searchentry (kind, object_id, title, haystack, tokens) FROM STDIN") as copy:
            for entry in batch:
                copy.write_row((register.key, *entry))
        number += len(batch)
    return number
