"""The index behind the global search and the quick search of lists.

What is indexed comes from the registers of all manifests (``Register.search``); one row of ``SearchEntry`` per record.
How words become pieces of the index is :mod:`luming.core.pieces`; that the index follows every change of the tables is
:mod:`luming.core.search_upkeep`. Who may see what is not in the index: results pass through ``visible_to`` like lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.models import Q, Value
from django.db.models.functions import Cast

from luming.core import manifest, search_upkeep
from luming.core.models import SearchEntry, User
from luming.core.pieces import BREAK, beginning_piece, escape, kind_piece, needed_pieces, pattern, whole_piece, words_of
from luming.core.registers import Register

# Records of one kind that are looked at closely before ranking. Where more match, any of them are: a person who sees
# two hundred equally good answers types on.
CANDIDATES = 200
STEP = 50  # candidates whose visibility is asked at once
NARROW = 1000  # records of a scope that are compared one by one
EXACT, TITLE, BEGINNING, INSIDE = range(4)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found: how well (0 is best), its title and the other texts that it is found by."""

    record: Any
    rank: int
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one register, best first; ``more`` tells that there are others."""

    register: Register
    hits: list[Hit]
    more: bool


def matching(queryset: Any, kind: str, text: str) -> Any:
    """Narrow a queryset of a register's model to the records that hold every word of a text."""
    words = words_of(text)
    if not words:
        return queryset
    search_upkeep.freshen()
    return narrowed(queryset, kind, words)


def narrowed(queryset: Any, kind: str, words: Sequence[str]) -> Any:
    field = queryset.model._meta.pk
    while field.remote_field is not None:  # an outlet's key is its place's
        field = field.target_field
    output = models.BigIntegerField() if isinstance(field, models.IntegerField) else type(field)()
    keys = entries(kind, words).values(key=Cast("object_id", output))
    return queryset.filter(pk__in=keys)


def entries(kind: str, words: Sequence[str]) -> models.QuerySet[SearchEntry]:
    """Return the entries of a kind that hold every word."""
    needed = [kind_piece(kind), *(piece for word in words for piece in needed_pieces(word))]
    condition = Q(kind=kind, tokens__contains=needed)
    for word in words:
        condition &= Q(Like("haystack", pattern(word)))
    return SearchEntry.objects.filter(condition)


class Like(models.Func):
    """``column LIKE pattern`` as a condition."""

    template = "%(expressions)s"
    arg_joiner = " LIKE "
    output_field = models.BooleanField()
    conditional = True

    def __init__(self, column: str, text: str) -> None:
        super().__init__(models.F(column), Value(text))


def find(user: User, text: str, limit: int = 5) -> list[Group]:
    """Return what a user finds by a text: up to ``limit`` records of each register, in the order of the registers."""
    words = words_of(text)
    opened = [register for register in manifest.registers() if register.search and user.may(register.view)]
    if not words or not opened:
        return []
    search_upkeep.freshen()
    candidates = _candidates([register.key for register in opened], words)
    groups = []
    for register in opened:
        found = candidates.get(register.key, [])
        if found:
            group = _visible(user, register, found, words, limit)
            if group.hits:
                groups.append(group)
    return sorted(groups, key=lambda group: group.hits[0].rank > EXACT)  # who types a code wants that one


def keys_of_documents(text: str) -> list[str]:
    """Return the keys of attachments whose names hold every word, best first, of whomever they are."""
    words = words_of(text)
    if not words:
        return []
    search_upkeep.freshen()
    kind = search_upkeep.DOCUMENTS.key
    return [key for *_rank, key in _candidates([kind], words).get(kind, [])]


Candidate = tuple[int, int, str, str]  # rank, length of the title, title, key


def _candidates(kinds: Sequence[str], words: Sequence[str]) -> dict[str, list[Candidate]]:
    """Return candidates of each kind, best first.

    Whole lines are asked for first, then beginnings, then words inside, each by its own pieces, so that the best ones
    are among the candidates however many others there are.
    """
    first, others = words[0], words[1:]
    rest = [piece for word in others for piece in needed_pieces(word)]
    inside = [*needed_pieces(first), *rest]
    beginning = [beginning_piece(first), *(inside if len(first) > 1 else rest)]
    likes = [pattern(word) for word in others]
    tiers = [
        ([whole_piece(first), *rest], [f"%{BREAK}{escape(first)}{BREAK}%", *likes]),
        (beginning, [f"%{BREAK}{escape(first)}%", *likes]),
        (inside, [pattern(first), *likes]),
    ]
    one = (
        "(SELECT e.object_id, e.title, e.haystack FROM core_searchentry e WHERE e.kind = k.key"
        " AND e.tokens @> (ARRAY[k.piece] || %s)::varchar(8)[] AND e.haystack LIKE ALL (%s) LIMIT %s)"
    )
    statement = f"""
        SELECT k.key, found.object_id, found.title, found.haystack
        FROM unnest(%s::text[], %s::text[]) AS k(key, piece),
             LATERAL ({one} UNION ALL {one} UNION ALL {one} LIMIT %s) AS found
    """
    values: list[Any] = [list(kinds), [kind_piece(kind) for kind in kinds]]
    for pieces, patterns in tiers:
        values += [pieces, patterns, CANDIDATES]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, CANDIDATES])
        rows = cursor.fetchall()
    found: dict[str, dict[str, Candidate]] = {}
    for kind, key, title, haystack in rows:
        found.setdefault(kind, {})[key] = (_rank(haystack, first), len(title), title, key)
    return {kind: sorted(members.values()) for kind, members in found.items()}


def _visible(user: User, register: Register, found: list[Candidate], words: Sequence[str], limit: int) -> Group:
    """Return the best of the candidates that the user may see.

    Where the candidates are not all that matches and too few of them are in a narrow scope, the scope is searched.
    """
    visible = register.model.objects.visible_to(user)
    heads = {name.rsplit("__", 1)[0] for name in register.search if "__" in name}
    if register.select or heads:
        visible = visible.select_related(*{*register.select, *heads})
    chosen = _records(visible, found, limit + 1)
    if len(chosen) <= limit and len(found) >= CANDIDATES:
        chosen = _records(visible, _in_scope(visible, register, words), limit + 1)
    hits = [_hit(register, record, rank) for rank, record in chosen[:limit]]
    return Group(register, hits, len(chosen) > limit)


def _records(visible: Any, found: list[Candidate], limit: int) -> list[tuple[int, Any]]:
    """Return the first ``limit`` candidates that are visible, with their ranks."""
    chosen: list[tuple[int, Any]] = []
    for start in range(0, len(found), STEP):  # mostly all of the first ones are visible
        part = found[start : start + STEP]
        rows = {str(row.pk): row for row in visible.filter(pk__in=[key for *_rest, key in part])}
        chosen += [(rank, rows[key]) for rank, _length, _title, key in part if key in rows]
        if len(chosen) >= limit:
            break
    return chosen[:limit]


def _in_scope(visible: Any, register: Register, words: Sequence[str]) -> list[Candidate]:
    """Return the candidates of a scope: a narrow one is read whole, of a wide one what the index gives first."""
    keys = [str(key) for key in visible.order_by().values_list("pk", flat=True)[: NARROW + 1]]
    if len(keys) > NARROW:
        rows = narrowed(visible, register.key, words).order_by().values_list("pk", flat=True)
        keys = [str(key) for key in rows[:CANDIDATES]]
    entries = SearchEntry.objects.filter(kind=register.key, object_id__in=keys)
    for word in words:
        entries = entries.filter(Like("haystack", pattern(word)))
    found = [
        (_rank(haystack, words[0]), len(title), title, key)
        for key, title, haystack in entries.values_list("object_id", "title", "haystack")
    ]
    return sorted(found)


def _rank(haystack: str, word: str) -> int:
    if f"{BREAK}{word}{BREAK}" in haystack:
        return EXACT
    if haystack.startswith(BREAK + word):
        return TITLE
    return BEGINNING if BREAK + word in haystack else INSIDE


def _hit(register: Register, record: Any, rank: int) -> Hit:
    title, *texts = (_text(record, path) for path in register.search)
    return Hit(record, rank, title or str(record), tuple(dict.fromkeys(text for text in texts if text)))


def _text(record: Any, path: str) -> str:
    value = record
    for name in path.split("__"):
        value = getattr(value, name, None)
        if value is None:
            return ""
    return str(value)
