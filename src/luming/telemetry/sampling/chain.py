"""Hashes of what people sign: each step of custody holds the hash of the one before, a review that of what was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from luming.telemetry.sampling.models import CustodyEvent, Sample, SampleResult

_SIGNED = (
    "sequence", "kind", "at", "signed_at", "signed_by_id", "signed_name", "from_whom", "to_whom", "temperature_c",
    "preservation", "reason", "facts", "previous_hash",
)  # fmt: skip
_SEEN = (
    "factor", "revision", "value", "unit", "below_detection", "detection_limit", "withdrawn", "method", "analyst",
    "instrument", "analysed_at", "holding_hours", "holding_allowed", "reason", "entered_by_id", "entered_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a chain is whole; ``broken`` names the first step that is not what was signed."""

    steps: int
    broken: int | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether every step is what was signed."""
        return self.broken is None


def sign(event: CustodyEvent, number: str) -> str:
    """Return the SHA-256 of a step of custody with the number of its sample and the hash of the step before."""
    return _digest({"sample": number} | _picked(event, _SIGNED))


def verify(sample: Sample, events: Iterable[CustodyEvent]) -> Verification:
    """Compute the hashes of a sample's steps again, first to last."""
    before, count = "", 0
    for count, event in enumerate(events, start=1):
        if event.sequence != count or event.previous_hash != before or event.hash != sign(event, sample.number):
            return Verification(count, count)
        before = event.hash
    return Verification(count)


def seen(result: SampleResult, sample: Sample, last_hash: str) -> str:
    """Return the hash of what a reviewer has before him: the result, its sample, the end of its chain of custody."""
    shown = {
        "sample": sample.number,
        "place": sample.place_id,
        "taken_from": _plain(sample.taken_from),
        "taken_to": _plain(sample.taken_to),
        "state": sample.state,
        "custody": last_hash,
    }
    return _digest(shown | _picked(result, _SEEN))


def _picked(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    """Return a value as it is hashed: instants in UTC to the microsecond, numbers as the database gives them back."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return float(value) if isinstance(value, float) else value


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()
