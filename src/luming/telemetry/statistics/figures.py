"""From the statistics of the standards to the figures that are stored: with counts, rule, source and digest."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np

from luming.standards import methods
from luming.standards.periods import city_days
from luming.standards.results import Statistics
from luming.telemetry.statistics import digests
from luming.telemetry.statistics.loading import Subject
from luming.telemetry.statistics.storage import Figures
from luming.telemetry.store import Origin


def figures_of(
    statistics: Statistics,
    subject: Subject,
    measure: str,
    kind: str,
    inputs: np.ndarray,
    *,
    source: np.ndarray | bytes,
    origin: np.ndarray | None = None,
    more: tuple[np.ndarray, np.ndarray] | None = None,
    unit: str | None = None,
) -> Figures:
    """Return what is stored of statistics whose series are places.

    Parameters
    ----------
    inputs : of the rows that the statistics were computed from, as :data:`digests.INPUT`.
    source : of each statistic, or of all.
    origin : of the rows: substituted ones are counted.
    more : positions and inputs of what else was used, such as the flow that weighed.
    """
    groups = len(statistics)
    position = np.where(statistics.used, statistics.position, -1)
    digest_position, digest_rows = position, inputs
    if more is not None:
        digest_position, digest_rows = np.concatenate([position, more[0]]), np.concatenate([inputs, more[1]])
    substituted = np.zeros(groups, np.int64)
    if origin is not None:
        chosen = (position >= 0) & (origin == Origin.SUBSTITUTED)
        substituted = np.bincount(position[chosen], minlength=groups)
    editions, keys, verified = _rules(statistics, subject, kind)
    return Figures(
        subject.factor, measure, kind, subject.unit if unit is None else unit,
        statistics.series.astype(np.int64), statistics.start, statistics.value, statistics.rounded, statistics.valid,
        statistics.reason.astype(np.int64), statistics.count, statistics.expected, statistics.required, substituted,
        statistics.weight if statistics.method == "weighted" else np.full(groups, np.nan),
        np.full(groups, statistics.method.encode()), np.full(groups, statistics.decimals, np.int64),
        source if isinstance(source, np.ndarray) else np.full(groups, source),
        editions, keys, verified,
        digests.of_groups(digest_position, digest_rows, groups), np.full(groups, np.nan),
    )  # fmt: skip


def source_of(statistics: Statistics, from_minutes: np.ndarray) -> np.ndarray:
    """Return of each statistic whether it was made of hours as received, of own ones from minutes, or of both."""
    taken = statistics.used & (statistics.position >= 0)
    own = np.bincount(statistics.position[taken & from_minutes], minlength=len(statistics))
    return np.where(own == 0, b"hours", np.where(own == statistics.count, b"minutes", b"mixed"))


def _rules(statistics: Statistics, subject: Subject, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return edition, key and mark of each statistic: of its validity rule and, where it is another, of its method."""
    editions = np.full(len(statistics), "-", dtype=object)
    verified = np.zeros(len(statistics), bool)
    keys = np.array([*(rule.key for rule in statistics.rules), ""])[statistics.rule]
    days = city_days(statistics.end - np.timedelta64(1, "us"))
    for day in np.unique(days):
        method, known = method_source(subject.medium, subject.short, kind, statistics.method, day.item())
        for number in np.unique(statistics.rule[days == day]).tolist():
            mine = (days == day) & (statistics.rule == number)
            rule = statistics.rules[number] if number >= 0 else None
            own = "" if rule is None else " ".join(filter(None, (rule.edition, rule.clause)))
            other = "" if rule is not None and method.startswith(rule.edition) else method
            editions[mine] = "; ".join(filter(None, (own, other))) or "-"
            verified[mine] = known and rule is not None and rule.verified
    return (
        np.array([text.encode()[:120] for text in editions.tolist()] or [], "S120"),
        np.array([text.encode() for text in keys.tolist()] or [], "S80"),
        verified,
    )


@cache
def method_source(medium: str, short: str, kind: str, method: str, when: date) -> tuple[str, bool]:
    """Return the edition and clause that a method of computing comes from, and whether it is verified."""
    row = methods.method_row(medium, short, kind, when=when)
    if row is None or row.what != method:
        return OWN_METHODS.get(method, ("", False))
    return " ".join(filter(None, (row.edition, row.clause))), row.verified


OWN_METHODS: dict[str, tuple[str, bool]] = {
    "mean": ("GB 3095-2026 3", True),
    "mda8": ("HJ 663-2013", False),
    "maximum": ("HJ 633-2012", False),
    "sum": ("HJ 212-2017 Annex D", True),
    "day-night": ("GB 3096-2008", False),
    "percentile-95": ("HJ 663-2013", False),
    "percentile-98": ("HJ 663-2013", False),
}
