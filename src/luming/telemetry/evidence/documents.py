"""Canonical documents of figures: what an evidence sheet states and its hash proves.

JSON in UTF-8 with sorted keys and without blanks; numbers are the shortest decimal form that gives the stored one back,
instants UTC in ISO 8601. Only stored facts stand in it, so that it can be made again at any time: the same stored
records give the same bytes. Names of places and people are not in it; the printed sheet says them beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from luming.telemetry import store
from luming.telemetry.evidence import lineage, tree
from luming.telemetry.evidence.lineage import JUDGEMENT, PACKET, STATISTIC, VALUE, Input, Lineage
from luming.telemetry.models import Judgement
from luming.telemetry.review.models import Review
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import VerdictRecord
from luming.telemetry.store.lookup import PacketHash, sha256

FORM = "luming-evidence/1"
_STATISTIC_FIELDS = (
    "factor", "measure", "kind", "revision", "value", "rounded", "valid", "reason", "count", "expected", "required",
    "substituted", "weight", "unit", "method", "decimals", "source", "edition", "rule", "verified", "digest",
    "software",
)  # fmt: skip


def written(content: Mapping[str, Any]) -> bytes:
    """Return the bytes that are hashed."""
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def hashes(document: bytes) -> tuple[str, str]:
    """Return SHA-256 and SM3 (GB/T 32905-2016) of a document."""
    return hashlib.sha256(document).hexdigest(), tree.function("sm3")(document).hex()


def content(found: Lineage, as_of: datetime | None = None) -> dict[str, Any]:
    """Return what a sheet states of a subject.

    Parameters
    ----------
    as_of : of values and packets, which may get more revisions: only what was known then is stated.
    """
    subject: dict[str, Any] = {"kind": found.kind, "key": found.key}
    if found.place is not None:
        subject |= {"place": found.place.code}
    if as_of is not None and found.kind in (VALUE, PACKET):
        subject["as_of"] = instant(as_of)
    return {
        "form": FORM,
        "subject": subject,
        "figure": _FIGURES[found.kind](found),
        "inputs": [_input(item) for item in found.inputs],
        "reviews": [_review(review) for review in found.reviews],
        "packets": [_packet(packet) for packet in found.packets],
    }


def instant(moment: datetime) -> str:
    """Return an instant in UTC."""
    return moment.astimezone(UTC).isoformat()


# ---- figures ---------------------------------------------------------------------------------------------------------


def _judgement(found: Lineage) -> dict[str, Any]:
    row: Judgement = found.subject
    return {
        "kind": row.kind, "start": instant(row.start), "revision": row.revision, "state": row.state,
        "value": row.value, "edition": row.edition, "detail": row.detail, "software": row.software,
        "judged_at": instant(row.judged_at),
    }  # fmt: skip


def _statistic(found: Lineage) -> dict[str, Any]:
    row: Statistic = found.subject
    assert found.recomputed is not None
    return {name: getattr(row, name) for name in _STATISTIC_FIELDS} | {
        "start": instant(row.start),
        "as_of": instant(row.as_of),
        "computed_at": instant(row.computed_at),
        # computed again from the stored records; equal as long as these are what they were
        "recomputed": {"digest": found.recomputed.digest, "value": found.recomputed.value},
    }


def _value(found: Lineage) -> dict[str, Any]:
    series = found.series
    assert series is not None
    return {
        "series": series.pk, "factor": series.factor, "interval": series.interval, "unit": series.unit,
        "start": instant(found.subject),
    }  # fmt: skip


def _of_packet(found: Lineage) -> dict[str, Any]:
    row = found.subject
    return {
        "received_at": instant(row.received_at), "mn": row.mn, "cn": row.cn, "st": row.st, "qn": row.qn,
        "peer": row.peer, "verdict": row.verdict, "reason": row.reason, "size": len(row.body),
        "sha256": sha256(row.body),
    }  # fmt: skip


_FIGURES = {JUDGEMENT: _judgement, STATISTIC: _statistic, VALUE: _value, PACKET: _of_packet}


# ---- inputs ----------------------------------------------------------------------------------------------------------


def _input(item: Input) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": item.kind, "start": instant(item.start), "value": item.value, "unit": item.unit,
        "revision": item.revision, "sequence": item.sequence, "flag": item.flag, "letter": item.letter,
    }  # fmt: skip
    if item.series is not None:
        values |= {"series": item.series.pk, "factor": item.series.factor}
    if item.name:
        values["name"] = item.name
    if item.observation is not None:
        stored = item.observation
        values["observed"] = {
            "value": stored.value, "minimum": stored.minimum, "maximum": stored.maximum,
            "converted": stored.converted, "amount": stored.amount, "flag": stored.flag,
            "packet": stored.packet_id, "recorded_at": instant(stored.recorded_at),
        }  # fmt: skip
    if item.verdict is not None:
        values["verdict"] = _verdict(item.verdict)
    if item.statistic is not None:
        row = item.statistic
        values["statistic"] = {
            "id": row.pk, "factor": row.factor, "measure": row.measure, "kind": row.kind, "revision": row.revision,
            "value": row.value, "valid": row.valid, "digest": row.digest,
        }  # fmt: skip
    if item.sample is not None:
        result = item.sample
        values["sample"] = {
            "number": result.sample.number, "revision": result.revision, "value": result.value, "unit": result.unit,
            "below_detection": result.below_detection, "detection_limit": result.detection_limit,
            "entered_at": instant(result.entered_at),
        }  # fmt: skip
    return values


def _verdict(verdict: VerdictRecord) -> dict[str, Any]:
    return {
        "sequence": verdict.sequence, "revision": verdict.revision, "origin": verdict.origin,
        "quality": verdict.quality, "value": verdict.value, "letter": verdict.letter,
        "checks": list(verdict.checks), "source": verdict.source, "reason": verdict.reason,
        "edition": verdict.edition, "person": verdict.person_id, "at": instant(verdict.at),
    }  # fmt: skip


def _review(review: Review) -> dict[str, Any]:
    return {
        "id": review.pk, "number": review.number, "person": review.user_id, "at": instant(review.at),
        "sha256": review.hash, "previous": review.previous,
    }  # fmt: skip


def _packet(packet: PacketHash) -> dict[str, Any]:
    return {
        "id": packet.id, "received_at": instant(packet.received_at), "size": packet.size, "sha256": packet.sha256,
        "verdict": packet.verdict,
    }  # fmt: skip


# ---- finding a subject again -----------------------------------------------------------------------------------------


def find(kind: str, key: str, as_of: datetime | None = None) -> Lineage | None:
    """Return the lineage of a subject by kind and key; None where it is not stored (any more)."""
    if kind == JUDGEMENT:
        judgement = Judgement.objects.filter(pk=int(key)).first()
        return None if judgement is None else lineage.of_judgement(judgement)
    if kind == STATISTIC:
        statistic = Statistic.objects.filter(pk=int(key)).first()
        return None if statistic is None else lineage.of_statistic(statistic)
    if kind == PACKET:
        record = store.packet(int(key))
        return None if record is None else lineage.of_packet(record, as_of)
    number, _slash, moment = key.partition("/")
    series = lineage.Series.objects.filter(pk=int(number)).first()
    if series is None:
        return None
    found = lineage.of_value(series, datetime.fromtimestamp(int(moment) / 1000, UTC), as_of)
    return found if found.inputs else None
