"""What was said of one value: its verdicts, the newest first, and the device's own mark where no verdict holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from luming.core.models import User
from luming.science.qc.catalogue import catalogue
from luming.telemetry import store
from luming.telemetry.quality import words


@dataclass(frozen=True, slots=True)
class Spoke:
    """A check that spoke."""

    code: str
    title: str
    result: Any
    known: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as the page of a value shows it."""

    quality: words.Word
    origin: Any
    letter: str
    value: float | None
    checks: list[Spoke]
    reason: str
    who: str
    at: datetime | None
    edition: str
    revision: int
    holds: bool


def of_value(series_id: int, start: datetime, newest: store.ObservationRecord) -> list[Verdict]:
    """Return the verdicts on a period, newest first; what the device's mark says comes first where none holds."""
    records = store.verdict_history(series_id, start)[::-1]
    people = User.objects.in_bulk({one.person_id for one in records if one.person_id is not None})
    holding = records[0].sequence if records and records[0].revision == newest.revision else None
    found = [_verdict(one, people, one.sequence == holding) for one in records]
    if holding is None:
        found.insert(0, _plain(newest))
    return found


def _verdict(record: store.VerdictRecord, people: dict[int, User], holds: bool) -> Verdict:
    person = people.get(record.person_id) if record.person_id is not None else None
    return Verdict(
        words.QUALITIES[store.Quality(record.quality)], words.ORIGINS[store.Origin(record.origin)],
        record.letter if record.letter not in ("", "N") else "", record.value, [_spoke(one) for one in record.checks],
        record.reason, str(person) if person else _source(record.source), record.at, record.edition, record.revision,
        holds,
    )  # fmt: skip


def _plain(newest: store.ObservationRecord) -> Verdict:
    letter = (newest.flag or "").strip()
    origin, quality = store.of_letter(letter)
    if newest.value is None and quality == store.Quality.VALID:
        quality = store.Quality.MISSING
    said = _("Checked: nothing spoke") if quality == store.Quality.VALID else _("The device's own mark")
    return Verdict(
        words.QUALITIES[quality], words.ORIGINS[origin], letter if letter != "N" else "", None, [], "", said, None, "",
        newest.revision, True,
    )  # fmt: skip


def _spoke(said: str) -> Spoke:
    code, _colon, result = said.partition(":")
    check = catalogue().get(code)
    name = words.RESULTS.get(int(result), "") if result.isdecimal() else ""
    return Spoke(code, words.title(check) if check else code, name, check is not None)


def _source(source: str) -> str:
    """Return who made a verdict that no person made."""
    kind, _colon, _number = source.partition(":")
    sources = {
        "checks": _("The checks"),
        "mark": _("Mark of the discharger"),
        "substitution": _("Rule for missing data"),
    }
    return str(sources.get(kind, source))
