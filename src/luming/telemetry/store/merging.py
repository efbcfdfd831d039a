"""What becomes of each observation of a batch: new, a repeat of what is stored, or a revision of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from luming.telemetry.store.rows import ObservationColumns

NEW, REPEATED, REVISED = 0, 1, 2

Key = tuple[int, int]  # series id, start in microseconds
# (revision, value, minimum, maximum, converted, amount, flag) of the latest stored revision
Known = tuple[int, float | None, float | None, float | None, float | None, float | None, str | None]


@dataclass(slots=True)
class Plan:
    """For each observation what it is (``outcome``) and, unless it is a repeat, its ``revision``."""

    outcome: np.ndarray
    revision: np.ndarray


def suspects(columns: ObservationColumns, frontier: np.ndarray) -> np.ndarray:
    """Return the mask of observations that may be stored already or come twice in the batch.

    ``frontier[series]`` is the start of the latest period known to be stored; what lies after it is new.
    """
    mask = columns.start <= frontier[columns.series_id]
    order = np.lexsort((columns.start, columns.series_id))
    series, start = columns.series_id[order], columns.start[order]
    twins = (series[1:] == series[:-1]) & (start[1:] == start[:-1])
    if twins.any():
        mask[order[1:][twins]] = True
        mask[order[:-1][twins]] = True
    return mask


def decide(columns: ObservationColumns, suspect: np.ndarray, known: Mapping[Key, Known]) -> Plan:
    """Compare each suspect with the latest revision, stored or earlier in the batch; the others are new."""
    outcome = np.zeros(len(columns), np.int8)
    revision = np.zeros(len(columns), np.int16)
    positions = np.flatnonzero(suspect)
    if not len(positions):
        return Plan(outcome, revision)
    chosen = columns.take(positions)
    latest = dict(known)
    keys = zip(chosen.series_id.tolist(), chosen.start.tolist(), strict=True)
    figures = (chosen.value, chosen.minimum, chosen.maximum, chosen.converted, chosen.amount)
    contents = zip(*(_nullable(figure) for figure in figures), _marks(chosen.flag), strict=True)
    for position, key, content in zip(positions.tolist(), keys, contents, strict=True):
        before = latest.get(key)
        if before is None:
            latest[key] = (0, *content)
        elif before[1:] == content:
            outcome[position] = REPEATED
        else:
            outcome[position] = REVISED
            revision[position] = before[0] + 1
            latest[key] = (before[0] + 1, *content)
    return Plan(outcome, revision)


def _nullable(figures: np.ndarray) -> list[float | None]:
    return [None if figure != figure else figure for figure in figures.tolist()]


def _marks(flags: np.ndarray) -> list[str | None]:
    return [mark.decode() or None for mark in flags.tolist()]


def counts_by_packet(packet_ids: np.ndarray, columns: ObservationColumns, plan: Plan) -> np.ndarray:
    """Return how many observations of each packet were new, repeated and revised: int array (packets, 3)."""
    counts = np.zeros((len(packet_ids), 3), np.int64)
    if len(packet_ids) and len(columns):
        order = np.argsort(packet_ids)
        found = np.clip(np.searchsorted(packet_ids, columns.packet_id, sorter=order), 0, len(packet_ids) - 1)
        rows = order[found]
        own = packet_ids[rows] == columns.packet_id
        np.add.at(counts, (rows[own], plan.outcome[own]), 1)
    return counts
