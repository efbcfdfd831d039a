"""8-hour means of ozone: the 17 windows that lie within a day, named by their start."""

from __future__ import annotations

import numpy as np

from luming.standards import ozone, validity
from luming.standards.results import Reason, rounded
from luming.telemetry.statistics import digests, storage, words
from luming.telemetry.statistics.loading import Loaded

HOUR = np.timedelta64(1, "h")
_CITY = np.timedelta64(8, "h")
SOURCES = np.array([b"hours", b"mixed", b"minutes"])


def of_eight_hours(loaded: Loaded) -> storage.Figures:
    """Return the means of the windows that end with an hour of the table; see :func:`luming.standards.ozone`."""
    hours = loaded.hours
    local = (hours.start + _CITY).astype("datetime64[h]").astype(np.int64) % 24
    last = np.nonzero(local >= ozone.HOURS - 1)[0]
    place, start = hours.place[last], hours.start[last] - (ozone.HOURS - 1) * HOUR
    found = validity.candidates("air", "o3", "8h")
    chosen = validity.choose(found, start + ozone.HOURS * HOUR)
    needed = np.array([*(rule.required or 0 for rule in found), 0], np.int64)[chosen]
    # every valid mean is wanted here: whether it has enough hours is judged by the rule of its own day
    value = ozone.sliding_mean(hours.start, hours.value, series=hours.place, counts=hours.counts, required=1)[last]
    position, rows = _parts(loaded, place, start)
    count = np.bincount(position, minlength=len(last)).astype(np.int64)
    own = np.bincount(position, hours.from_minutes[rows], minlength=len(last)).astype(np.int64)
    reason = np.where(count == 0, Reason.NO_VALUES, np.where(count < needed, Reason.TOO_FEW, Reason.VALID))
    reason = np.where(chosen < 0, Reason.NO_RULE, reason).astype(np.int64)
    editions = np.array([*(f"{rule.edition} {rule.clause}".encode() for rule in found), b"-"])
    number = len(last)
    return storage.Figures(
        loaded.subject.factor, words.MEAN, words.EIGHT_HOURS, loaded.subject.unit, place, start, value,
        rounded(value, 0) if number else value, reason == Reason.VALID, reason, count,
        np.full(number, ozone.HOURS), needed, np.zeros(number, np.int64), np.full(number, np.nan),
        np.full(number, b"mean"), np.zeros(number, np.int64),
        SOURCES[np.where(own == 0, 0, np.where(own == count, 2, 1))], editions[chosen],
        np.array([*(rule.key.encode() for rule in found), b""])[chosen],
        np.array([*(rule.verified for rule in found), False])[chosen],
        digests.of_groups(position, hours.take(rows).inputs(hours.value[rows]), number), np.full(number, np.nan),
    )  # fmt: skip


def _parts(loaded: Loaded, place: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return window and row of each hour that counts in a window."""
    hours = loaded.hours
    known = storage.keys(hours.place, hours.start)
    positions, rows = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for offset in range(ozone.HOURS if len(known) else 0):
        wanted = storage.keys(place, start + offset * HOUR)
        at = np.searchsorted(known, wanted).clip(max=len(known) - 1)
        taken = (known[at] == wanted) & hours.counts[at]
        positions.append(np.nonzero(taken)[0])
        rows.append(at[taken])
    return np.concatenate(positions), np.concatenate(rows)
