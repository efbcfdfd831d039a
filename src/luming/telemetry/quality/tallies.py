"""Hit rates and the quality of days: counted when a day is closed, by replacing what was counted of it before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from luming.science.qc.model import Result
from luming.telemetry.quality.batches import Batch
from luming.telemetry.quality.judgement import Said
from luming.telemetry.quality.models import CheckShare, CheckTally, PlaceDay
from luming.telemetry.store import Quality

_OFFSET = np.timedelta64(8, "h")  # the city's days: Asia/Shanghai has no summer time


@dataclass(slots=True)
class Tally:
    """Counts of a run by day: of checks and series, of checks and factors, of the quality of places' hours."""

    hits: dict[tuple[date, int, str], list[int]] = field(default_factory=dict)
    shares: dict[tuple[date, str, str, str], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    places: dict[tuple[date, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))

    def add(self, batch: Batch, said: Mapping[str, Said], rows: np.ndarray, *, hourly: bool) -> None:
        """Count what was said of some rows of a batch."""
        if not rows.any():
            return
        days = (batch.starts + _OFFSET).astype("datetime64[D]").astype(np.int64)
        first = int(days[rows].min())
        width = int(days[rows].max()) - first + 1
        slot = batch.place.astype(np.int64) * width + (days - first)
        size = len(batch.places) * width
        for name, own in said.items():
            column = batch.columns[name]
            held = rows & column.held
            if hourly:
                self._qualities(batch, name, own, held, slot, size, first, width)
            for code, judged in own.checked.items():
                self._check(batch, name, code, held & judged, own.hits.get(code), slot, size, first, width)

    def _check(
        self, batch: Batch, name: str, code: str, judged: np.ndarray, hits: np.ndarray | None, slot: np.ndarray,
        size: int, first: int, width: int,
    ) -> None:  # fmt: skip
        checked = np.bincount(slot[judged], minlength=size)
        suspect = fail = np.zeros(size, np.int64)
        if hits is not None:
            suspect = np.bincount(slot[judged & (hits == Result.SUSPECT)], minlength=size)
            fail = np.bincount(slot[judged & (hits == Result.FAIL)], minlength=size)
        for at in np.flatnonzero(suspect + fail).tolist():
            place = batch.places[at // width]
            key = (_day(first + at % width), batch.series[place.pk, name].pk, code)
            self.hits[key] = [int(checked[at]), int(suspect[at]), int(fail[at])]
        by_day = [column.reshape(-1, width).sum(axis=0) for column in (checked, suspect, fail)]
        code_of = next(series.code for (_place, factor), series in batch.series.items() if factor == name)
        for at in np.flatnonzero(by_day[0]).tolist():
            total = self.shares[_day(first + at), batch.window.medium, code_of, code]
            for k in range(3):
                total[k] += int(by_day[k][at])

    def _qualities(
        self, batch: Batch, name: str, said: Said, held: np.ndarray, slot: np.ndarray, size: int, first: int, width: int
    ) -> None:
        column = batch.columns[name]
        quality = _resulting(column.flags, said.quality, np.isnan(batch.window.values[name]))
        # what a person or a rule has decided counts as it stands
        ruled = column.sequence >= 0
        quality = np.where(ruled & (column.quality != quality), column.quality, quality)
        for which in Quality:
            counted = np.bincount(slot[held & (quality == which)], minlength=size)
            for at in np.flatnonzero(counted).tolist():
                self.places[_day(first + at % width), batch.places[at // width].pk][which] += int(counted[at])

    def save(self, days: Iterable[date], place_ids: Iterable[int] | None = None) -> None:
        """Replace what was counted of whole days; of all places, because shares are sums over them."""
        wanted = list(days)
        for model in (CheckTally, CheckShare, PlaceDay):
            model._default_manager.filter(day__in=wanted).delete()
        CheckTally.objects.bulk_create(
            [CheckTally(day=day, series_id=pk, code=code, checked=c, suspect=s, fail=f)
             for (day, pk, code), (c, s, f) in sorted(self.hits.items()) if day in wanted],
            batch_size=5000,
        )  # fmt: skip
        CheckShare.objects.bulk_create(
            [CheckShare(day=day, medium=medium, factor=factor, code=code, checked=c, suspect=s, fail=f)
             for (day, medium, factor, code), (c, s, f) in sorted(self.shares.items()) if day in wanted],
            batch_size=5000,
        )  # fmt: skip
        PlaceDay.objects.bulk_create(
            [PlaceDay(day=day, place_id=pk, valid=v, suspect=s, invalid=i, missing=m)
             for (day, pk), (v, s, i, m) in sorted(self.places.items()) if day in wanted],
            batch_size=5000,
        )  # fmt: skip


def _resulting(flags: np.ndarray, quality: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return the quality that device's mark and checks give together."""
    normal = np.isin(flags, ("", "N"))
    found = np.where(normal, quality, np.int8(Quality.INVALID))
    return np.where(missing & normal, np.int8(Quality.MISSING), found)


def _day(number: int) -> date:
    """Return the day of a number of days since 1970."""
    return np.datetime64(number, "D").astype(object)


def city_days(start: date, end: date) -> list[date]:
    """Return the days from one to another, both included."""
    return [_day(number) for number in range((start - date(1970, 1, 1)).days, (end - date(1970, 1, 1)).days + 1)]
