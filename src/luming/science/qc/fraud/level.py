"""A suspicion that the calendar raises: the level changes when an inspector comes or the maintainer changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luming.science.qc.fraud.readings import readings, regular
from luming.science.qc.fraud.saying import city_time, mark, moments, numbers, picture, thin
from luming.science.qc.fraud.statistics import spread, strength, student_tail
from luming.science.qc.model import Floats, Span, Suspicion, Window

SEED = 2026
PLACEBOS = 999  # times at which nothing happened, to compare with


def level(
    window: Window,
    factor: str,
    *,
    alpha: float = 1e-3,
    ratio: float = 1.4,
    days: float = 14,
    minimum_days: float = 60,
) -> list[Suspicion]:
    """Tell whether the level changes at inspections, or from one maintainer (运维单位) to the next.

    An inspection is compared with three days around it (values change while someone looks), a change of maintainer with
    the ``days`` before and after (values change for good). The statistic is the difference of means of clipped
    logarithms, averaged over the events of a kind. How much it varies without any event is learnt by moving all events
    together to 999 other times of the same series (randomisation by shifts, Fisher 1935; fixed seed), which keeps
    autocorrelation and season; as near times say the same, the p value is Student's with as many degrees of freedom as
    separate stretches fit the series. The ratio must be at least ``ratio``. ``lag`` in the numbers: where
    within two days of the event the difference is largest.
    """
    found = readings(window, factor)
    events = {kind: _starts(window.spans, kind, found.time) for kind in ("inspection", "maintainer")}
    if len(found) < 200 or not any(events.values()):
        return []
    grid, start = regular(found, window.interval)
    hourly = _hours(grid, window.interval)
    if len(hourly) < minimum_days * 24:
        return []
    positive = np.nanmedian(hourly) > 0
    floor = max(found.step, float(np.nanmedian(hourly)) * 0.01 if positive else 1e-9)
    logs = np.log(np.maximum(hourly, floor))
    return [
        suspicion
        for kind, spans in events.items()
        if spans
        for suspicion in _judge(logs, start, factor, kind, spans, alpha, ratio, int(days * 24))
    ]


def _starts(spans: Sequence[Span], kind: str, time: NDArray[np.datetime64]) -> list[Span]:
    """Return the events of a kind within the data; the first maintainer is no change."""
    events = sorted((span for span in spans if span.kind == kind), key=lambda span: span.start)
    if kind == "maintainer":
        events = [
            later
            for earlier, later in pairwise(events)
            if not later.detail.get("name") or later.detail.get("name") != earlier.detail.get("name")
        ]
    return [span for span in events if len(time) and time[0] < span.start < time[-1]]


def _hours(grid: Floats, interval: float) -> Floats:
    """Return hourly means of a regular grid (the grid itself when it is coarser)."""
    merged = int(3600 // interval)
    if merged <= 1:
        return grid
    whole = len(grid) // merged
    table = grid[: whole * merged].reshape(whole, merged)
    counts = np.isfinite(table).sum(axis=1)
    means: Floats = np.where(counts > 0, np.nansum(table, axis=1) / np.maximum(counts, 1), np.nan)
    return means


def _judge(
    logs: Floats,
    start: np.datetime64,
    factor: str,
    kind: str,
    spans: list[Span],
    alpha: float,
    ratio: float,
    width: int,
) -> list[Suspicion]:
    hour = np.timedelta64(3600, "s")
    begins = np.array([int((span.start - start) // hour) for span in spans])
    lengths = np.array([max(3, int(np.ceil((span.end - span.start) / hour))) for span in spans])
    persistent = kind == "maintainer"
    lengths = np.full(len(spans), width) if persistent else np.minimum(lengths, 7 * 24)
    around = width if persistent else 3 * 24
    sums = _Sums(logs)
    single = sums.contrasts(begins, lengths, around, both=not persistent)
    if not np.isfinite(single).any():
        return []
    observed = float(np.nanmean(single))
    null = _placebos(sums, begins, lengths, around, both=not persistent)
    if len(null) < 50:
        return []
    # Times close to each other say the same: only so many of the placebos are independent.
    independent = max(3.0, len(logs) / (2 * around) - 1)
    p = min(1.0, 2 * student_tail(abs(observed - float(np.mean(null))) / max(float(np.std(null)), 1e-9), independent))
    if p > alpha or abs(observed) < np.log(ratio):
        return []
    strongest = int(np.nanargmax(np.abs(single)))
    b, n = int(begins[strongest]), int(lengths[strongest])
    left, right = max(0, b - around), min(len(logs), b + n + (around if kind == "inspection" else 0))
    shifts = np.arange(-48, 49)
    near = sums.contrasts(b + shifts, np.full(len(shifts), n), around, both=not persistent)
    lag = int(shifts[np.nanargmax(near * np.sign(single[strongest]))])
    shown = np.arange(left, right)[thin(right - left)]
    outside = logs[left:b] if persistent else np.r_[logs[left:b], logs[b + n : right]]
    before = float(np.exp(np.nanmedian(outside)))
    after = float(np.exp(np.nanmedian(logs[b : b + n])))
    said = (
        ("检查期间", "during inspections")
        if kind == "inspection"
        else ("更换运维单位后", "after the change of maintainer")
    )
    direction = ("下降", "falls") if observed < 0 else ("上升", "rises")
    size = abs(np.expm1(observed))
    moment = spans[strongest].start
    title = ("检查开始", "inspection begins") if kind == "inspection" else ("更换运维单位", "change of maintainer")
    marks = [mark(moments([moment])[0], *title)]
    if kind == "inspection":
        marks.append(mark(moments([spans[strongest].end])[0], "检查结束", "inspection ends"))
    return [
        Suspicion(
            "FRAUD-LEVEL",
            factor,
            moment,
            start + (b + n) * hour,
            strength(p, alpha),
            numbers(
                p=p,
                statistic=observed,
                effect=size,
                n=int(np.isfinite(logs).sum()),
                events=int(np.isfinite(single).sum()),
                before=before,
                after=after,
                lag=lag,
            ),
            picture(
                "line",
                moments(start + shown * hour),
                np.exp(logs[shown]),
                expected=np.where(shown < b, before, np.where(shown < b + n, after, before)),
                marks=marks,
                zh=("时间", "浓度", "小时值", "前后中位值"),
                en=("time", "concentration", "hourly values", "medians"),
            ),
            f"{said[0]}水平{direction[0]} {size:.0%}（共 {len(spans)} 次；最明显的一次在 {city_time(moment)}，"
            f"由 {before:.3g} 到 {after:.3g}）。",
            f"The level {direction[1]} by {size:.0%} {said[1]} ({len(spans)} events; at the strongest, "
            f"{city_time(moment)}, from {before:.3g} to {after:.3g}).",
        )
    ]


class _Sums:
    """Running sums of clipped logarithms: the mean of any stretch at once."""

    def __init__(self, logs: Floats) -> None:
        middle = float(np.nanmedian(logs))
        reach = 3 * max(spread(logs[np.isfinite(logs)]), 0.05)
        present = np.isfinite(logs)
        self.total = np.r_[0.0, np.cumsum(np.where(present, np.clip(logs, middle - reach, middle + reach), 0.0))]
        self.count = np.r_[0, np.cumsum(present)]

    def _of(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        last = len(self.total) - 1
        begin, end = np.clip(begin, 0, last), np.clip(end, 0, last)
        return self.total[end] - self.total[begin], self.count[end] - self.count[begin]

    def contrasts(self, begins: NDArray[np.int64], lengths: NDArray[np.int64], around: int, *, both: bool) -> Floats:
        """Return mean at each event less mean before it (``both``: before and after it), NaN where data are few."""
        inside, size = self._of(begins, begins + lengths)
        outside, others = self._of(begins - around, begins)
        if both:
            later, more = self._of(begins + lengths, begins + lengths + around)
            outside, others = outside + later, others + more
        enough = (size >= np.maximum(2, lengths // 3)) & (others >= around // 3)
        found: Floats = np.where(enough, inside / np.maximum(size, 1) - outside / np.maximum(others, 1), np.nan)
        return found


def _placebos(sums: _Sums, begins: NDArray[np.int64], lengths: NDArray[np.int64], around: int, *, both: bool) -> Floats:
    """Return the mean contrast after moving all events together, round the series, away from where they are."""
    rng = np.random.default_rng(SEED)
    hours = len(sums.total) - 1
    margin = int(lengths.max())
    away = np.arange(margin, hours - margin)
    if not len(away):
        return np.empty(0)
    shifts = away if len(away) <= PLACEBOS else rng.choice(away, PLACEBOS, replace=False)
    moved = (begins[None, :] + shifts[:, None]) % hours
    # the event itself must not be in what it is compared with
    touched = (np.abs(moved[:, :, None] - begins[None, None, :]) < margin).any(axis=(1, 2))
    found = sums.contrasts(moved, np.broadcast_to(lengths, moved.shape), around, both=both)
    present = np.isfinite(found)
    enough = (present.sum(axis=1) >= max(1, len(begins) // 2)) & ~touched
    means: Floats = np.nanmean(found[enough], axis=1)
    return means
