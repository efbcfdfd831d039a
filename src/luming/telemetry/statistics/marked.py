"""Hours that enterprises' marks in force take out of statistics: out of operation (F), or missing as their code says.

What the codes are configured to do with emission amounts holds for all statistics of an outlet: an hour of a device in
maintenance is no hour of the stack, whatever the device showed. Values are kept as received; only whether they count,
and what speaks against them, changes here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from luming.registry.models import Medium, Place
from luming.telemetry.marks import reading
from luming.telemetry.statistics.loading import Hours, Loaded

HOUR = np.timedelta64(1, "h")
STOPPED = "F"
MARKED = (Medium.GAS, Medium.SEWAGE)
# Factor (empty: all) -> (place, start, letter) of each marked hour, ordered by place and start.
Marked = Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


def load(places: Mapping[int, Place], start: datetime, end: datetime, as_of: datetime | None = None) -> Marked:
    """Return the marked hours of the outlets among some places; one or two queries."""
    outlets = [pk for pk, place in places.items() if place.medium in MARKED]
    if not outlets:
        return {}
    found: dict[str, list[tuple[int, np.datetime64, str]]] = defaultdict(list)
    for place_id, hours in reading.letters(outlets, start, end, as_of=as_of).items():
        for hour, letter, effect in hours:
            moment = np.datetime64(hour.astimezone(UTC).replace(tzinfo=None), "us")
            for factor in sorted(effect.factors) or [""]:
                found[factor].append((place_id, moment, letter))
    return {factor: _columns(rows) for factor, rows in found.items()}


def _columns(rows: list[tuple[int, np.datetime64, str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows as columns, each hour of a place once; out of operation goes before other letters."""
    kept: dict[tuple[int, np.datetime64], str] = {}
    for place_id, moment, letter in rows:
        if kept.get((place_id, moment)) != STOPPED:
            kept[place_id, moment] = letter
    ordered = sorted(kept.items())
    return (
        np.array([key[0] for key, _letter in ordered], np.int64),
        np.array([key[1] for key, _letter in ordered], "datetime64[us]"),
        np.array([letter for _key, letter in ordered], "U8"),
    )


def applied(loaded: Loaded, marked: Marked) -> Loaded:
    """Return a subject's hours with what marks say of them."""
    if loaded.step != HOUR:
        return loaded
    for factor in (loaded.subject.factor, ""):  # what holds for all factors is said last
        if factor in marked:
            loaded = replace(loaded, hours=_with(loaded, *marked[factor]))
    return loaded


def _with(loaded: Loaded, place: np.ndarray, start: np.ndarray, letter: np.ndarray) -> Hours:
    hours = loaded.hours
    mine = np.isin(place, np.array(sorted(loaded.places), np.int64))
    place, start, letter = place[mine], start[mine], letter[mine]
    if not len(place):
        return hours
    keys = _keys(place, start)
    theirs = _keys(hours.place, hours.start)
    at = np.searchsorted(keys, theirs).clip(max=len(keys) - 1)
    there = keys[at] == theirs
    letters = np.where(there, letter[at], hours.letters)
    changed = replace(hours, counts=hours.counts & ~there, letters=letters)
    # An hour out of operation of which nothing came is still known: it lacks nothing.
    silent = ~np.isin(keys, theirs) & (letter == STOPPED)
    return _joined(changed, place[silent], start[silent]) if silent.any() else changed


def _keys(place: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return sortable keys of places' hours."""
    return place.astype(np.int64) * 2**36 + start.astype("datetime64[s]").astype(np.int64)


def _joined(hours: Hours, place: np.ndarray, start: np.ndarray) -> Hours:
    number = len(place)
    nothing = np.full(number, np.nan)
    added = Hours(
        place, start, nothing, nothing, nothing, np.zeros(number, bool), np.full(number, STOPPED, hours.letters.dtype),
        np.zeros(number, hours.origin.dtype), np.zeros(number, hours.series.dtype),
        np.full(number, -1, hours.revision.dtype), np.full(number, -1, hours.sequence.dtype),
        np.full(number, b"", hours.chain.dtype),
    )  # fmt: skip
    both = Hours(*(np.concatenate([getattr(hours, name), getattr(added, name)]) for name in Hours.__slots__))
    return both.take(np.lexsort((both.start, both.place)))
