"""Many places' data in one window: what makes checking a city's minute as quick as checking one station's month.

Checks are vectorised over rows and look at other rows only within so many seconds. So the rows of many places stand one
after the other in one window, each place's times shifted far behind those of the place before it: nothing that looks
back or ahead in time meets another place's rows. What looks at periods, neighbours or the plant (``context``) is run
over each place's own window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from luming.science.qc.model import Neighbour, Span, Window
from luming.telemetry import store
from luming.telemetry.identity import EPOCH
from luming.telemetry.quality.facts import Near, PlaceFacts, SeriesFacts
from luming.telemetry.quality.periods import STOPPED, instant

APART = 400 * 86400  # s between the last row of a place and the first of the next; more than any check looks
_WEEK = 7 * 86400  # shifts are whole weeks, so that the time of day stays
_EPOCH_MS = int(EPOCH.timestamp() * 1000)


@dataclass(slots=True)
class Column:
    """The observations of one factor in the rows of a batch; ``held`` tells which rows have one."""

    factor: str
    held: np.ndarray
    revision: np.ndarray
    sequence: np.ndarray  # of the verdict that holds, -1 none
    quality: np.ndarray  # that holds: of the verdict, else of the device's mark
    flags: np.ndarray  # the device's own marks
    normal: np.ndarray  # rows that the device marks as measured, and those without a value
    series: np.ndarray  # id of each row's series, 0 none


@dataclass
class Batch:
    """Rows of several places of one medium, interval and rhythm.

    ``shift`` are the seconds that the times of each place are moved by; ``place`` is each row's index into ``places``.
    """

    places: list[PlaceFacts]
    window: Window
    place: np.ndarray
    shift: np.ndarray
    columns: dict[str, Column]
    series: dict[tuple[int, str], SeriesFacts]  # (place id, factor)
    now: np.datetime64
    _cut: dict[bytes, Window] = field(default_factory=dict)
    _own: dict[int, Window] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.place)

    @property
    def starts(self) -> np.ndarray:
        """Return the true start of each row, datetime64[s]."""
        return self.window.time - self.shift[self.place].astype("timedelta64[s]")

    def rows_of(self, index: int) -> slice:
        """Return the rows of the place with an index."""
        first, last = np.searchsorted(self.place, [index, index + 1])
        return slice(int(first), int(last))

    def only(self, rows: np.ndarray) -> Window:
        """Return the window of some rows; the same question twice costs once."""
        if rows.all():
            return self.window
        key = np.packbits(rows).tobytes()
        if key not in self._cut:
            self._cut[key] = self.window.only(rows)
        return self._cut[key]

    def own(self, index: int, spans: Sequence[Span] = (), near: Sequence[Near] = ()) -> Window:
        """Return the window of one place in its own time, with its periods and its neighbours of the same batch.

        A place has the same periods and neighbours throughout a run: it is made once.
        """
        if index not in self._own:
            window = self.window.only(self.rows_of(index))
            apart = self.shift[index].astype("timedelta64[s]")
            starts = window.time - apart
            self._own[index] = replace(
                window,
                time=starts,
                received=None if window.received is None else window.received - apart,
                station=self.places[index].code,
                spans=tuple(spans),
                stopped=stopped(starts, window.interval, spans),
                neighbours=self._neighbours(starts, near),
                now=self.now,
            )
        return self._own[index]

    def _neighbours(self, starts: np.ndarray, near: Sequence[Near]) -> dict[str, list[Neighbour]]:
        found: dict[str, list[Neighbour]] = {}
        index_of = {place.pk: index for index, place in enumerate(self.places)}
        for other in near:
            index = index_of.get(other.pk)
            if index is None:
                continue
            rows = self.rows_of(index)
            theirs = self.window.time[rows] - self.shift[index].astype("timedelta64[s]")
            if not len(theirs):
                continue
            at = np.searchsorted(theirs, starts).clip(max=len(theirs) - 1)
            same = theirs[at] == starts
            for factor, values in self.window.values.items():
                if self.columns[factor].held[rows].any():
                    theirs_measured = np.where(self.columns[factor].normal[rows], values[rows], np.nan)
                    aligned = np.where(same, theirs_measured[at], np.nan)
                    found.setdefault(factor, []).append(Neighbour(other.name, aligned, other.kilometres, other.bearing))
        return found


def measured(values: np.ndarray, column: Column) -> np.ndarray:
    """Return values with NaN for those that the device itself marks as not measured; the same array where none is."""
    return values if column.normal.all() else np.where(column.normal, values, np.nan)


def stopped(starts: np.ndarray, interval: float, spans: Sequence[Span]) -> np.ndarray | None:
    """Return which periods lie in a declared stop of the plant as a whole; None where none was declared."""
    stops = [span for span in spans if span.kind in STOPPED and not span.detail.get("factor")]
    if not stops:
        return None
    rows = np.zeros(len(starts), bool)
    length = np.timedelta64(round(interval), "s")
    for span in stops:
        rows |= (starts >= span.start) & (starts + length <= span.end)
    return rows


def gather(places: Iterable[PlaceFacts], start: datetime, end: datetime, now: datetime) -> list[Batch]:
    """Read what begins in [start, end) at places of one medium: one batch per rhythm (a place may have several)."""
    rhythms: dict[int, list[SeriesFacts]] = {}
    known = {place.pk: place for place in places}
    for place in known.values():
        for series in place.series:
            rhythms.setdefault(series.seconds, []).append(series)
    return [
        batch
        for seconds, series in sorted(rhythms.items())
        if (batch := _gather(known, series, seconds, start, end, now)) is not None
    ]


def _gather(
    known: Mapping[int, PlaceFacts], wanted: Sequence[SeriesFacts], seconds: int, start: datetime, end: datetime,
    now: datetime,
) -> Batch | None:  # fmt: skip
    series = sorted(wanted, key=lambda one: one.pk)
    found = store.effective([one.pk for one in series], start, end)
    found = found.take(found.revision >= 0)
    if not len(found):
        return None
    places = [known[pk] for pk in sorted({one.place_id for one in series})]
    index_of = {place.pk: index for index, place in enumerate(places)}
    names = sorted({one.factor for one in series})
    at = np.searchsorted(np.array([one.pk for one in series]), found.series_id)
    place = np.array([index_of[one.place_id] for one in series])[at]
    factor = np.array([names.index(one.factor) for one in series])[at]
    first = int(start.timestamp())
    stride = -(-(int(end.timestamp()) - first + APART) // _WEEK) * _WEEK
    shift = np.arange(len(places), dtype=np.int64) * stride
    moments = found.start.astype("datetime64[s]").astype(np.int64) + shift[place]
    times = np.unique(moments)
    rows = np.searchsorted(times, moments)
    row_place = (times - first) // stride
    scale = np.array([one.scale for one in series])[at]
    normal = (found.flag == "N") | (found.flag == "")
    columns, figures = _columns(names, factor, rows, len(times), found, scale, normal)
    values = figures.pop("values")
    window = Window(
        times.astype("datetime64[s]"),
        values,
        float(seconds),
        places[0].medium,
        flags={name: column.flags for name, column in columns.items()},
        received=_received(found.packet_id, rows, shift[row_place]),
        **figures,  # type: ignore[arg-type]
    )
    by_name = {(one.place_id, one.factor): one for one in series}
    return Batch(places, window, row_place, shift, columns, by_name, instant(now))


_FIGURES = {"values": "value", "minimum": "minimum", "maximum": "maximum", "converted": "converted", "amount": "amount"}


def _columns(
    names: Sequence[str],
    factor: np.ndarray,
    rows: np.ndarray,
    count: int,
    found: store.Effective,
    scale: np.ndarray,
    normal: np.ndarray,
) -> tuple[dict[str, Column], dict[str, dict[str, np.ndarray]]]:
    columns: dict[str, Column] = {}
    figures: dict[str, dict[str, np.ndarray]] = {name: {} for name in _FIGURES}
    order = np.argsort(factor, kind="stable")
    borders = np.searchsorted(factor[order], np.arange(len(names) + 1))
    for number, name in enumerate(names):
        own = order[borders[number] : borders[number + 1]]
        if not len(own):
            continue
        at = rows[own]
        for figure, attribute in _FIGURES.items():
            column = getattr(found, attribute)[own]
            if figure == "values" or not np.isnan(column).all():
                full = np.full(count, np.nan)
                full[at] = column * scale[own] if figure != "amount" else column
                figures[figure][name] = full
        held, revision, sequence = np.zeros(count, bool), np.zeros(count, np.int16), np.full(count, -1, np.int16)
        quality, series = np.zeros(count, np.int8), np.zeros(count, np.int64)
        flags = np.full(count, "", found.flag.dtype)
        held[at], revision[at], sequence[at] = True, found.revision[own], found.sequence[own]
        quality[at], series[at] = found.quality[own], found.series_id[own]
        flags[at] = found.flag[own]
        measured_rows = np.ones(count, bool)
        measured_rows[at] = normal[own]
        columns[name] = Column(name, held, revision, sequence, quality, flags, measured_rows, series)
    return columns, figures


def _received(packet_id: np.ndarray, rows: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return when the first packet of each row came, in shifted time; NaT for rows without one."""
    earliest = np.full(len(shift), np.iinfo(np.int64).max)
    known = packet_id > 0
    np.minimum.at(earliest, rows[known], packet_id[known])
    milliseconds = (earliest >> 22) + _EPOCH_MS
    received = (milliseconds // 1000 + shift).astype("datetime64[s]")
    received[earliest == np.iinfo(np.int64).max] = np.datetime64("NaT")
    return received


def utc(start: np.datetime64) -> datetime:
    """Return a row's start as an aware instant."""
    return start.astype("datetime64[us]").astype(object).replace(tzinfo=UTC)
