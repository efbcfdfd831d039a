"""Verifying: recompute the hash trees of closed days and name the first record of each that is not what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from itertools import zip_longest
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from luming.core.models import User
from luming.telemetry import store
from luming.telemetry.evidence import closing, tree
from luming.telemetry.evidence.models import DayBlock, DayHash, Verification
from luming.telemetry.evidence.sources import Source, source


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was when its day was closed.

    ``kind``: changed, missing, added (a record), chain (the digests of the days themselves), unknown (a source that
    this version does not know).
    """

    day: date
    source: str
    kind: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class DayResult:
    """What the comparison of a day found; ``dropped`` are sources whose records the retention has removed."""

    day: date
    records: int
    differences: tuple[Difference, ...]
    dropped: tuple[str, ...] = ()


def verify_days(first: date | None = None, last: date | None = None) -> Iterator[DayResult]:
    """Yield what is found of each closed day from ``first`` to ``last``, oldest first; the ends are open by default."""
    days = DayHash.objects.order_by("day")
    if first is not None:
        days = days.filter(day__gte=first)
    if last is not None:
        days = days.filter(day__lte=last)
    kept = set(store.packet_days())
    for day in days:
        with transaction.atomic():
            yield _verify(day, kept)


def _verify(day: DayHash, packet_days: set[date]) -> DayResult:
    differences = list(_of_chain(day))
    dropped, records = [], 0
    for item in day.sources:
        known = source(item["name"])
        if known is None or not known.is_there():
            text = _("This version of the software does not know the source.")
            differences.append(Difference(day.day, item["name"], "unknown", "", text))
        elif known.name == "packets" and item["count"] and day.day not in packet_days:
            dropped.append(known.name)  # by the retention, as a whole partition
        else:
            found = _of_source(day, item, known)
            records += item["count"]
            if found is not None:
                differences.append(found)
    return DayResult(day.day, records, tuple(differences), tuple(dropped))


def _of_chain(day: DayHash) -> Iterator[Difference]:
    """Compare the digest of a day with its parts and with the day before."""
    if day.digest != closing.digest(day.day, day.algorithm, day.previous, day.sources):
        text = _("The digest of the day is not that of its parts: the closed day itself was changed.")
        yield Difference(day.day, "", "chain", str(day.day), text)
    before = DayHash.objects.filter(day__lt=day.day).order_by("-day").first()
    if (before is None and day.previous) or (before is not None and before.digest != day.previous):
        text = _("The day does not follow the day before: a closed day was changed, removed or put in.")
        yield Difference(day.day, "", "chain", str(day.day), text)


def _of_source(day: DayHash, item: dict[str, Any], known: Source) -> Difference | None:
    """Return the first record of a source that differs, None when all are as they were."""
    rows = DayBlock.objects.filter(day=day, source=known.name).order_by("number")
    stored = [tree.Block(row.count, row.first, row.last, bytes(row.root), bytes(row.leaves)) for row in rows]
    hash_of = tree.function(day.algorithm)
    if tree.root([block.root for block in stored], hash_of).hex() != item["root"]:
        text = _("The blocks of the closed day were changed: they do not give its root.")
        return Difference(day.day, known.name, "chain", known.name, text)
    differing: tuple[int, tree.Block | None] | None = None
    count = 0
    for number, block in enumerate(closing.read(known, day.day, day.algorithm)):  # to the end, as in _around
        count += 1
        if differing is None and (number >= len(stored) or block.root != stored[number].root):
            differing = number, block
    if differing is None and count < len(stored):
        differing = count, None
    if differing is None:
        return None
    number = differing[0]
    return _first(day, known, number, stored[number] if number < len(stored) else None, differing[1])


def _first(day: DayHash, known: Source, number: int, old: tree.Block | None, block: tree.Block | None) -> Difference:
    """Name the first record that differs between a stored block and what it is now."""
    position = next(
        index
        for index, (was, is_now) in enumerate(zip_longest(_leaves(old), _leaves(block), fillvalue=b""))
        if was != is_now
    )
    kind = _kind(old, block, position)
    before, line = _around(day, known, number * tree.BLOCK + position)
    figures = {
        "n": number * tree.BLOCK + position + 1,
        "key": line or "—",
        "between": _("between %(one)s and %(other)s") % {"one": before or "—", "other": line or "—"},
    }
    text = {
        "changed": _("Record %(n)s of the day, %(key)s, is not what it was."),
        "missing": _("Record %(n)s of the day is missing; it stood %(between)s."),
        "added": _("Record %(n)s of the day, %(key)s, was put in after the day had been closed."),
    }[kind]
    return Difference(day.day, known.name, kind, "" if kind == "missing" else line, text % figures)


def _leaves(block: tree.Block | None) -> list[bytes]:
    return [] if block is None else [block.leaf(i) for i in range(block.count)]


def _kind(old: tree.Block | None, now: tree.Block | None, position: int) -> str:
    """Tell what happened at the first difference by how the lines behind it continue."""
    was, is_now = _leaves(old), _leaves(now)
    if position >= len(is_now):
        return "missing"
    if position >= len(was):
        return "added"
    if is_now[position : position + 1] == was[position + 1 : position + 2]:
        return "missing"
    if was[position : position + 1] == is_now[position + 1 : position + 2]:
        return "added"
    return "changed"


def _around(day: DayHash, known: Source, position: int) -> tuple[str, str]:
    """Return the keys of the lines that stand before a position and at it now, empty for none."""
    found = ["", ""]
    for index, line in enumerate(known.lines(*closing.bounds(day.day))):  # to the end: a COPY must not be broken off
        if index in (position - 1, position):
            found[index - position + 1] = tree.key(line, len(known.key))
    return found[0], found[1]


def run(user: User | None, first: date, last: date, progress: Callable[[int, int], None] | None = None) -> Verification:
    """Verify days and keep what was found."""
    row = Verification.objects.create(by=user, first=first, last=last)
    total = DayHash.objects.filter(day__gte=first, day__lte=last).count()
    differences: list[Difference] = []
    for result in verify_days(first, last):
        row.days += 1
        row.records += result.records
        differences += result.differences
        if progress is not None:
            progress(row.days, total)
    row.differences = [asdict(item) | {"day": item.day.isoformat()} for item in differences]
    row.state = Verification.State.DIFFERENT if differences else Verification.State.INTACT
    row.finished_at = datetime.now(UTC)
    row.save()
    return row
