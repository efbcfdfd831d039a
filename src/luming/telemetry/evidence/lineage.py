"""What a figure came from: the very records it was made of, as they were known then.

Upward only; what a record went into is in :mod:`influence`. Everything is bounded: a year names its days, a day its
hours, and only hours and minutes name packets. Whoever calls has made sure that the person may see the subject.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.utils.dateparse import parse_datetime

from luming import hj212
from luming.registry.models import Device, Interval, Place, Series
from luming.science.qc.catalogue import catalogue
from luming.science.qc.model import Check, Mark, Result
from luming.standards.edition import city_day
from luming.telemetry import intake, store, units
from luming.telemetry.evidence.models import DayHash
from luming.telemetry.models import Judgement
from luming.telemetry.review.models import Review
from luming.telemetry.sampling.models import SampleResult
from luming.telemetry.statistics import inputs as statistic_inputs
from luming.telemetry.statistics import words
from luming.telemetry.statistics.inputs import Engine, Recomputed
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import ObservationRecord, PacketRecord, VerdictRecord
from luming.telemetry.store.lookup import PacketHash, observations_at, packet_hashes, verdicts_at

JUDGEMENT, STATISTIC, VALUE, PACKET = KINDS = ("judgement", "statistic", "value", "packet")
OBSERVATION, RULE, SAMPLE, COUNTS = "observation", "rule", "sample", "counts"
_REVIEW = "review:"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A check that spoke of a value: what it said (3 suspect, 4 fail) and, where the catalogue has it, its clause."""

    code: str
    result: int
    check: Check | None

    @property
    def is_verified(self) -> bool:
        """Tell whether the clause was read in the official text."""
        return self.check is not None and self.check.mark == Mark.VERIFIED

    @property
    def failed(self) -> bool:
        """Tell whether it failed (else it is a suspicion)."""
        return self.result == Result.FAIL


@dataclass(slots=True)
class Input:
    """One thing that a figure was made of.

    ``kind`` is observation, statistic, sample, rule (a rule stood in for a missing hour) or counts (a rate of a day).
    ``value`` is what was used, in ``unit``; ``letter`` is N for what counted. ``agrees`` tells whether the stored
    records still say so: None where that cannot be told of the input alone.
    """

    kind: str
    start: datetime
    value: float | None
    unit: str
    series: Series | None = None
    revision: int = -1
    sequence: int = -1
    flag: str = ""
    letter: str = "N"
    name: str = ""
    observation: ObservationRecord | None = None
    verdict: VerdictRecord | None = None
    review: Review | None = None
    packet_id: int = 0
    packet: PacketHash | None = None
    statistic: Statistic | None = None
    sample: SampleResult | None = None
    agrees: bool | None = None

    @property
    def counts(self) -> bool:
        """Tell whether it entered the figure."""
        return self.letter == "N"

    @property
    def ms(self) -> int:
        """Return the start as addresses write it."""
        return milliseconds(self.start)

    @property
    def checks(self) -> list[Spoken]:
        """Return the checks that spoke in the verdict that held."""
        return [] if self.verdict is None else spoken(self.verdict)


@dataclass(slots=True)
class Lineage:
    """A subject with everything it came from.

    ``days`` are the days of the city in which the records that it rests on were stored, with their digests (None: not
    closed yet). ``recomputed`` is of statistics: the digest and value that come out again.
    """

    kind: str
    key: str
    subject: Any
    place: Place | None
    series: Series | None = None
    inputs: list[Input] = field(default_factory=list)
    days: dict[date, DayHash | None] = field(default_factory=dict)
    recomputed: Recomputed | None = None
    truncated: int = 0

    @property
    def is_sound(self) -> bool:
        """Tell whether what is stored gives the figure still."""
        if self.recomputed is not None and not self.recomputed.is_equal(self.subject):
            return False
        return all(item.agrees is not False for item in self.inputs)

    @property
    def packets(self) -> list[PacketHash]:
        """Return the packets it came from, oldest first, each once."""
        found = {item.packet.id: item.packet for item in self.inputs if item.packet is not None}
        return [found[key] for key in sorted(found)]

    @property
    def reviews(self) -> list[Review]:
        """Return the signed reviews behind its inputs."""
        found = {item.review.pk: item.review for item in self.inputs if item.review is not None}
        return [found[key] for key in sorted(found)]


def milliseconds(moment: datetime) -> int:
    """Return an instant as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def spoken(verdict: VerdictRecord) -> list[Spoken]:
    """Return the checks of a verdict ("CODE:result") with what the catalogue says of them."""
    known = catalogue()
    parts = (text.partition(":") for text in verdict.checks)
    return [Spoken(code, int(result) if result.isdigit() else 0, known.get(code)) for code, _colon, result in parts]


# ---- judgements ------------------------------------------------------------------------------------------------------


def of_judgement(judgement: Judgement) -> Lineage:
    """Return what a judgement used: observations with the verdicts that held, or statistics of days."""
    place = Place.objects.get(pk=judgement.place_id)
    found = Lineage(JUDGEMENT, str(judgement.pk), judgement, place)
    series = Series.objects.in_bulk({item[0] for item in judgement.inputs if item[0]})
    statistics = Statistic.objects.in_bulk((judgement.detail.get("statistics") or {}).values())
    by_name = {name: statistics.get(pk) for name, pk in (judgement.detail.get("statistics") or {}).items()}
    found.inputs = [_kept(item, series, by_name) for item in judgement.inputs]
    _fill(found.inputs)
    for item in found.inputs:
        item.agrees = _agrees_with_statistic(item) if item.kind == STATISTIC else _agrees(item)
    found.days = days_of(moments(found.inputs) | {judgement.judged_at})
    return found


def _kept(item: Sequence[Any], series: Mapping[int, Series], statistics: Mapping[str, Statistic | None]) -> Input:
    """Read one row of :attr:`Judgement.inputs`."""
    start = parse_datetime(str(item[1])) or datetime.fromtimestamp(0, UTC)
    start = start.astimezone(UTC)
    if not item[0]:
        row = statistics.get(str(item[5]))
        return Input(STATISTIC, start, item[3], item[4] or "", revision=item[2], name=str(item[5]), statistic=row)
    flag = str(item[5] or "") if len(item) > 5 else ""
    sequence, letter = (int(item[6]), str(item[7])) if len(item) > 7 else (-1, flag or "N")
    return Input(
        OBSERVATION, start, item[3], item[4] or "", series.get(item[0]), int(item[2]), sequence, flag, letter
    )  # fmt: skip


def _agrees_with_statistic(item: Input) -> bool:
    row = item.statistic
    return row is not None and (row.start, row.revision) == (item.start, item.revision) and row.value == item.value


def _agrees(item: Input) -> bool:
    """Tell whether the stored observation and verdict give the value that was used."""
    if item.revision >= 0 and item.observation is None:
        return False
    if item.sequence >= 0 and item.verdict is None:
        return False
    stored = item.observation.value if item.observation is not None else None
    used = item.verdict.value if item.verdict is not None and item.verdict.value is not None else stored
    candidates = [used]
    if item.observation is not None and item.observation.converted is not None:
        share = used / stored if used is not None and stored and used != stored else 1.0
        candidates.append(item.observation.converted * share)
    try:
        scale = units.scale(item.series.unit, item.unit) if item.series is not None else 1.0
    except ValueError:
        return False
    if item.value is None:
        return any(one is None for one in candidates) or item.observation is None
    return any(one is not None and math.isclose(one * scale, item.value, rel_tol=1e-9) for one in candidates)


# ---- statistics ------------------------------------------------------------------------------------------------------


def of_statistic(row: Statistic, engine: Engine | None = None) -> Lineage:
    """Return what a statistic was made of, computed again as of its moment."""
    place = Place.objects.get(pk=row.place_id)
    found = Lineage(STATISTIC, str(row.pk), row, place)
    found.recomputed = (engine or Engine()).of(row)
    rows = found.recomputed.rows
    if row.kind in words.LONGER:
        used = statistic_inputs.days_used(row, rows)
        found.inputs = [_of_day(one, rows) for one in used]
    elif row.measure in words.RATES:
        found.inputs = [Input(COUNTS, row.start, row.value, row.unit or "", revision=row.count, sequence=row.required)]
    else:
        found.inputs = _of_rows(row, rows)
    _fill(found.inputs)
    # what it rests on was stored before its own moment; the figure itself on the day it was computed
    found.days = days_of(moments(found.inputs) | {row.computed_at})
    return found


def _of_day(one: Statistic, rows: np.ndarray) -> Input:
    """Return a day among the inputs of a longer period; ``agrees``: its digest is the one that was chained in."""
    start = np.datetime64(one.start.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64)
    mine = rows[rows["start"].astype(np.int64) == start]
    chained = len(mine) == 1 and _head(mine["chain"][0]) == one.digest[:16]
    return Input(STATISTIC, one.start, one.value, one.unit or "", revision=one.revision, statistic=one, agrees=chained)


def _head(chain: bytes) -> str:
    """Return the head of a chained digest as hexadecimal text; numpy drops zeros at its end."""
    return bytes(chain).ljust(8, b"\0").hex()


def _of_rows(row: Statistic, rows: np.ndarray) -> list[Input]:
    """Return hours, minutes, samples and hours that a rule stood in for, from the rows behind a digest."""
    starts = statistic_inputs.instants(rows)
    series = Series.objects.in_bulk({int(number) for number in rows["series"] if number > 0})
    chained = [start for start, chain in zip(starts, rows["chain"].tolist(), strict=True) if chain]
    own = _own_hours(row, chained)
    numbers = {-int(number) for number in rows["series"] if number < 0}
    results = {
        (one.sample_id, one.revision): one
        for one in SampleResult.objects.filter(sample__in=numbers, factor=row.factor).select_related("sample")
    }
    found = []
    for start, one in zip(starts, rows.tolist(), strict=True):
        number, _start, revision, sequence, value, chain = one
        kept = None if math.isnan(value) else float(value)
        unit = row.unit or ""
        if number < 0:
            result = results.get((-number, revision))
            found.append(Input(SAMPLE, start, kept, unit, revision=revision, sample=result, agrees=result is not None))
        elif revision == statistic_inputs.SUBSTITUTED and row.measure == words.SUBSTITUTED:
            found.append(Input(RULE, start, kept, unit, series.get(number), sequence=sequence))
        elif chain:
            hour = own.get(start)
            agrees = hour is not None and hour.digest[:16] == _head(chain)
            found.append(Input(STATISTIC, start, kept, unit, series.get(number), statistic=hour, agrees=agrees))
        else:
            mine = series.get(number)
            other = mine is not None and mine.factor != row.factor  # the flow that weighed
            found.append(
                Input(
                    OBSERVATION, start, kept, "m³" if other else unit, mine, revision, sequence,
                    name="weight" if other else "",
                )
            )  # fmt: skip
    return found


def _own_hours(row: Statistic, starts: Sequence[datetime]) -> dict[datetime, Statistic]:
    """Return the platform's own hours that stood in for received ones, as held when the figure was computed."""
    if not starts:
        return {}
    rows = Statistic.objects.filter(
        place=row.place_id, factor=row.factor, measure=words.MEAN, kind=words.HOUR, start__in=starts,
        computed_at__lte=row.computed_at,
    ).order_by("start", "-revision").distinct("start")  # fmt: skip
    return {one.start: one for one in rows}


# ---- values and packets ----------------------------------------------------------------------------------------------


def of_value(series: Series, start: datetime, as_of: datetime | None = None) -> Lineage:
    """Return all revisions of one period, each with the verdicts on it, newest first; known at ``as_of``."""
    place = Place.objects.get(pk=series.place_id)
    found = Lineage(VALUE, f"{series.pk}/{milliseconds(start)}", start, place, series)
    history = [one for one in store.history(series.pk, start) if as_of is None or one.recorded_at <= as_of]
    verdicts = [one for one in store.verdict_history(series.pk, start) if as_of is None or one.at <= as_of]
    for observation in history:
        item = Input(
            OBSERVATION, start, observation.value, series.unit, series, observation.revision,
            flag=(observation.flag or "").strip(), observation=observation,
        )  # fmt: skip
        said = [one for one in verdicts if one.revision == observation.revision]
        _origin, quality = store.of_letter(item.flag)
        item.letter = "N" if quality == store.Quality.VALID else item.flag
        found.inputs += [_with(item, one) for one in said] or [item]
    found.inputs += [
        _with(Input(OBSERVATION, start, None, series.unit, series), one) for one in verdicts if one.revision < 0
    ]
    _fill(found.inputs)
    found.inputs.sort(key=lambda item: (-item.revision, -item.sequence))
    found.days = days_of(moments(found.inputs))
    return found


def _with(item: Input, verdict: VerdictRecord) -> Input:
    """Return an observation as a verdict made it count."""
    value = item.value if verdict.value is None else verdict.value
    spoke = item.flag if item.flag not in ("", "N") else "I"
    return Input(
        item.kind, item.start, value, item.unit, item.series, item.revision, verdict.sequence, item.flag,
        "N" if verdict.quality == store.Quality.VALID else spoke, observation=item.observation, verdict=verdict,
    )  # fmt: skip


def of_packet(record: PacketRecord, as_of: datetime | None = None) -> Lineage:
    """Return a packet with the observations it became (known at ``as_of``)."""
    device = Device.objects.filter(pk=record.device_id).first() if record.device_id else None
    place = Place.objects.filter(pk=device.place_id).first() if device is not None else None
    found = Lineage(PACKET, str(record.id), record, place)
    if place is not None:
        found.inputs = [
            Input(
                OBSERVATION, one.start, one.value, mine.unit, mine, one.revision, flag=(one.flag or "").strip(),
                observation=one, packet_id=record.id,
            )
            for mine, one in _became(record, place)
            if as_of is None or one.recorded_at <= as_of
        ]  # fmt: skip
    _fill(found.inputs)
    found.days = days_of({record.received_at} | moments(found.inputs))
    return found


def _became(record: PacketRecord, place: Place) -> Iterable[tuple[Series, ObservationRecord]]:
    """Yield the observations that came out of a packet, with their series."""
    packet = hj212.decode(record.body).packet
    if packet is None or packet.data_time is None or packet.cn not in intake.INTERVALS:
        return
    interval = intake.INTERVALS[packet.cn]
    series = Series.objects.filter(place=place, interval=interval).in_bulk()
    margin = {Interval.DAY: timedelta(days=1), Interval.HOUR: timedelta(hours=1)}.get(interval, timedelta(minutes=1))
    moment = packet.data_time.astimezone(UTC)
    rows = store.of_packet(record.id, list(series), moment - margin, moment + margin)
    for one in sorted(rows, key=lambda one: (series[one.series_id].factor, one.start)):
        yield series[one.series_id], one


# ---- shared ----------------------------------------------------------------------------------------------------------


def _fill(found: Sequence[Input]) -> None:
    """Find the observations, verdicts, reviews and packets of inputs, each in one query."""
    mine = [item for item in found if item.kind == OBSERVATION and item.series is not None]
    observations = observations_at(
        (item.series.pk, item.start, item.revision)
        for item in mine
        if item.series is not None and item.observation is None and item.revision >= 0
    )
    verdicts = verdicts_at(
        (item.series.pk, item.start, item.sequence)
        for item in mine
        if item.series is not None and item.verdict is None and item.sequence >= 0
    )
    for item in mine:
        assert item.series is not None
        item.observation = item.observation or observations.get((item.series.pk, item.start, item.revision))
        item.verdict = item.verdict or verdicts.get((item.series.pk, item.start, item.sequence))
        if item.observation is not None:
            item.packet_id = item.observation.packet_id
            item.flag = item.flag or (item.observation.flag or "").strip()
    packets = packet_hashes(item.packet_id for item in mine if item.packet_id)
    numbers = [_review_number(item.verdict) for item in mine]
    reviews = Review.objects.select_related("user", "day", "countersignature__user").in_bulk(
        {number for number in numbers if number}
    )
    for i, item in enumerate(mine):
        item.packet = packets.get(item.packet_id)
        item.review = reviews.get(numbers[i]) if numbers[i] else None


def _review_number(verdict: VerdictRecord | None) -> int:
    if verdict is None or not verdict.source.startswith(_REVIEW):
        return 0
    number = verdict.source.removeprefix(_REVIEW)
    return int(number) if number.isdigit() else 0


def moments(found: Iterable[Input]) -> set[datetime]:
    """Return when the records that inputs name were stored."""
    times: set[datetime] = set()
    for item in found:
        if item.observation is not None:
            times.add(item.observation.recorded_at)
        if item.packet is not None:
            times.add(item.packet.received_at)
        if item.verdict is not None:
            times.add(item.verdict.at)
        if item.review is not None:
            times.add(item.review.at)
        if item.statistic is not None:
            times.add(item.statistic.computed_at)
        if item.sample is not None:
            times.add(item.sample.entered_at)
    return times


def days_of(times: Iterable[datetime]) -> dict[date, DayHash | None]:
    """Return the days of the city that instants lie in, oldest first, with their digests where they are closed."""
    wanted = sorted({city_day(moment) for moment in times})
    closed = DayHash.objects.in_bulk(wanted)
    return {day: closed.get(day) for day in wanted}
