"""Rates: how much of what should be there is there, and how much of it counts.

* Valid capture rate of a factor (有效数据捕集率): hours that count of the hours in which the outlet was not marked as
  stopped; HJ 75-2017 has α of a quarter by this formula (from memory, not verified).
* Transmission rate of a place (传输率): hours received, whatever their mark, of the hours that its series should have.
* Effective transmission rate (有效传输率): transmission rate times the valid share of what was received; hours marked
  as stopped are valid statements. The formula is that of public code, the text was not obtained: not verified.

Days keep both numbers (``count`` of ``required``), so a longer period is the quotient of their sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from luming.standards.amounts import STOPPED_FLAG
from luming.standards.periods import ordinal, start_of
from luming.standards.results import Reason, rounded
from luming.telemetry.statistics import digests, words
from luming.telemetry.statistics.loading import Loaded, Subject
from luming.telemetry.statistics.storage import Figures, Held

EVERY = Subject("", "*", "*", "%")  # all factors of a place
DECIMALS = 2
EDITIONS = {
    words.CAPTURE: "HJ 75-2017",
    words.TRANSMISSION: "-",  # the text of the rule was not obtained
    words.EFFECTIVE: "-",
}
_CITY = np.timedelta64(8, "h")
_DAY = np.timedelta64(1, "D")


@dataclass(slots=True)
class Received:
    """Counts of what places received in the days of a run, over all their factors."""

    start: np.datetime64 | None = None
    days: int = 0
    due: dict[int, np.ndarray] = field(default_factory=dict)
    held: dict[int, np.ndarray] = field(default_factory=dict)
    sound: dict[int, np.ndarray] = field(default_factory=dict)

    def add(self, loaded: Loaded, start: datetime, end: datetime) -> Figures | None:
        """Count a subject's hours; return the valid capture rates of its days."""
        if not loaded.expected:
            return None
        self.start = np.datetime64(round(start.timestamp()), "s").astype("datetime64[us]")
        self.days = (end - start).days
        hours = loaded.hours
        places = np.array(sorted(loaded.expected), np.int64)
        at = np.searchsorted(places, hours.place).clip(max=len(places) - 1)
        day = ((hours.start - self.start) // _DAY).astype(np.int64)
        mine = (places[at] == hours.place) & (day >= 0) & (day < self.days)
        cell = (at * self.days + day)[mine]
        received = ((hours.revision >= 0) & ~hours.from_minutes)[mine]
        stopped, counts = (hours.letters == STOPPED_FLAG)[mine], hours.counts[mine]

        def table(rows: np.ndarray) -> np.ndarray:
            return np.bincount(cell[rows], minlength=len(places) * self.days).reshape(len(places), self.days)

        held, still, good = table(received), table(stopped & ~counts), table(counts)
        sound = table(received & (counts | stopped))
        for i, place in enumerate(places.tolist()):
            for totals, row in ((self.held, held[i]), (self.sound, sound[i])):
                totals[place] = totals.get(place, 0) + row
            self.due[place] = self.due.get(place, 0) + np.full(self.days, loaded.due)
        return self._figures(loaded.subject, words.CAPTURE, places, good, np.maximum(loaded.due - still, 0), loaded.due)

    def of_places(self) -> list[Figures]:
        """Return transmission and effective transmission rates of the places counted."""
        if not self.due:
            return []
        places = np.array(sorted(self.due), np.int64)
        due, held, sound = (
            np.stack([totals[place] for place in places.tolist()]) for totals in (self.due, self.held, self.sound)
        )
        return [
            self._figures(EVERY, words.TRANSMISSION, places, np.minimum(held, due), due, due),
            self._figures(EVERY, words.EFFECTIVE, places, np.minimum(sound, due), due, due),
        ]

    def _figures(
        self, subject: Subject, measure: str, places: np.ndarray, count: np.ndarray, required: np.ndarray,
        expected: np.ndarray | int,
    ) -> Figures:  # fmt: skip
        assert self.start is not None
        starts = self.start + np.arange(self.days) * _DAY
        expected = np.broadcast_to(expected, count.shape)
        return _ratio(
            subject, measure, words.DAY, np.repeat(places, self.days), np.tile(starts, len(places)),
            count.ravel(), expected.ravel(), required.ravel(), None,
        )  # fmt: skip


def longer(subject: Subject, measure: str, kind: str, days: Held, affected: Iterable[tuple[int, int]]) -> Figures:
    """Return the rates of months, quarters or years from those of days; ``affected`` are (place, number) pairs."""
    number = ordinal(days.start, kind) if len(days) else np.empty(0, np.int64)  # type: ignore[arg-type]
    pairs, position = np.unique(np.stack([days.place, number], axis=1), axis=0, return_inverse=True)
    position = position.reshape(-1)
    chosen = np.isin(
        [f"{place}/{period}" for place, period in pairs.tolist()], [f"{place}/{period}" for place, period in affected]
    )
    sums = [
        np.bincount(position, column, minlength=len(pairs)).astype(np.int64)
        for column in (days.count, days.expected, days.required)
    ]
    nothing = np.full(len(days), -1)
    rows = digests.inputs(days.place, days.start, nothing, nothing, days.value, days.digest)
    found = _ratio(
        subject, measure, kind, pairs[:, 0].astype(np.int64), start_of(pairs[:, 1], kind),  # type: ignore[arg-type]
        *sums, digests.of_groups(position, rows, len(pairs)),
    )  # fmt: skip
    return found.take(chosen.astype(bool))


def _ratio(
    subject: Subject, measure: str, kind: str, place: np.ndarray, start: np.ndarray, count: np.ndarray,
    expected: np.ndarray, required: np.ndarray, digest: np.ndarray | None,
) -> Figures:  # fmt: skip
    number = len(place)
    value = np.where(required > 0, 100.0 * count / np.maximum(required, 1), np.nan)
    if digest is None:
        rows = digests.inputs(place, start, count, required, value)
        digest = digests.of_groups(np.arange(number), rows, number)
    return Figures(
        subject.factor, measure, kind, "%", place, start, value, rounded(value, DECIMALS) if number else value,
        required > 0, np.where(required > 0, Reason.VALID, Reason.NO_VALUES).astype(np.int64), count, expected,
        required, np.zeros(number, np.int64), np.full(number, np.nan), np.full(number, b"ratio"),
        np.full(number, DECIMALS), np.full(number, b"hours" if kind == words.DAY else b"days"),
        np.full(number, EDITIONS[measure].encode()), np.full(number, b""), np.zeros(number, bool), digest,
        np.full(number, np.nan),
    )  # fmt: skip
