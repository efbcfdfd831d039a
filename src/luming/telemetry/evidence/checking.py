"""Checking a sheet that was handed out: does the stored data give the same document today?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from luming.telemetry import store
from luming.telemetry.evidence import documents
from luming.telemetry.evidence.models import DayHash, EvidenceSheet
from luming.telemetry.identity import received_at
from luming.telemetry.models import Judgement
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store.upkeep import ZONE

SAME, DIFFERENT, GONE, DAMAGED = "same", "different", "gone", "damaged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check of a sheet found.

    ``state``: same, different, gone (the subject itself is no longer stored), damaged (the kept document does not give
    its own hash). ``parts`` are the parts of the document that differ (figure, inputs, reviews, packets);
    ``inputs`` the positions of inputs that differ; ``dropped`` counts packets that the retention has removed: their
    hashes are taken from the sheet. ``newer``: a later revision of the figure holds today. ``days`` are (day, digest on
    the sheet, digest now, equal).
    """

    state: str
    sha256: str = ""
    parts: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()
    dropped: int = 0
    newer: bool = False
    days: tuple[tuple[date, str, str, bool], ...] = ()

    @property
    def is_good(self) -> bool:
        """Tell whether the sheet still stands: the same document, and the days it rests on unchanged."""
        return self.state == SAME and all(equal for *_rest, equal in self.days)


def check(sheet: EvidenceSheet) -> Outcome:
    """Make the document of a sheet again from what is stored, and compare."""
    days = tuple(_days(sheet))
    if documents.hashes(bytes(sheet.document)) != (sheet.sha256, sheet.sm3):
        return Outcome(DAMAGED, days=days)
    issued = sheet.content
    found = documents.find(sheet.kind, sheet.key, _as_of(issued))
    if found is None:
        return Outcome(GONE, days=days)
    now = documents.content(found, _as_of(issued))
    dropped = _put_back(issued, now)
    document = documents.written(now)
    sha256 = documents.hashes(document)[0]
    newer = _is_superseded(sheet, found.subject)
    if document == bytes(sheet.document):
        return Outcome(SAME, sha256, dropped=dropped, newer=newer, days=days)
    # the numbers of JSON: an int of the database is a float on the sheet at most in this comparison
    again = documents.orjson.loads(document)
    parts = tuple(name for name in ("subject", "figure", "inputs", "reviews", "packets") if issued[name] != again[name])
    differing = _differing(issued["inputs"], again["inputs"])
    return Outcome(DIFFERENT, sha256, parts, differing, dropped, newer, days)


def _as_of(issued: dict[str, Any]) -> datetime | None:
    text = issued["subject"].get("as_of")
    return None if text is None else datetime.fromisoformat(text)


def _put_back(issued: dict[str, Any], now: dict[str, Any]) -> int:
    """Take from the sheet the packets whose whole day the retention has removed; return how many."""
    known = {packet["id"] for packet in now["packets"]}
    kept = set(store.packet_days())
    gone = [
        packet
        for packet in issued["packets"]
        if packet["id"] not in known and received_at(packet["id"]).astimezone(ZONE).date() not in kept
    ]
    if gone:
        now["packets"] = sorted([*now["packets"], *gone], key=lambda packet: packet["id"])
    return len(gone)


def _differing(issued: list[Any], now: list[Any]) -> tuple[int, ...]:
    positions = [i for i, (one, other) in enumerate(zip(issued, now, strict=False)) if one != other]
    return tuple(positions + list(range(min(len(issued), len(now)), len(issued))))


def _days(sheet: EvidenceSheet) -> Any:
    """Yield the days that a sheet rests on; a day that was not closed then may be closed now."""
    closed = DayHash.objects.in_bulk([date.fromisoformat(text) for text in sheet.days])
    for text, digest in sorted(sheet.days.items()):
        day = date.fromisoformat(text)
        now = closed[day].digest if day in closed else ""
        yield day, digest, now, not digest or digest == now


def _is_superseded(sheet: EvidenceSheet, subject: Any) -> bool:
    """Tell whether a later revision of the figure is stored."""
    if sheet.kind == EvidenceSheet.Kind.JUDGEMENT:
        return Judgement.objects.filter(
            place=subject.place_id, kind=subject.kind, start=subject.start, revision__gt=subject.revision
        ).exists()
    if sheet.kind == EvidenceSheet.Kind.STATISTIC:
        return Statistic.objects.filter(
            place=subject.place_id, factor=subject.factor, measure=subject.measure, kind=subject.kind,
            start=subject.start, revision__gt=subject.revision,
        ).exists()  # fmt: skip
    if sheet.kind == EvidenceSheet.Kind.VALUE:
        number, moment = sheet.key.split("/")
        stored = store.history(int(number), datetime.fromtimestamp(int(moment) / 1000, UTC))
        said = store.verdict_history(int(number), datetime.fromtimestamp(int(moment) / 1000, UTC))
        return any(at > sheet.issued_at for at in [*(row.recorded_at for row in stored), *(row.at for row in said)])
    return False
