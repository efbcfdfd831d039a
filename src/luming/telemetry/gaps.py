"""Gaps: which expected periods nobody holds, why, and what became of them.

The worker runs :func:`find_gaps` every minute. It walks along the expected timeline of each device's series, up to the
periods that are due by now, and remembers how far it came. Missing periods next to each other make one gap; a gap that
goes on grows. Later data closes it; what the logger may still have is asked for (:mod:`luming.telemetry.pulling`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from luming.registry.models import Device, Interval, Series
from luming.telemetry import pulling, store
from luming.telemetry.models import Connection, Event, Gap, GapScan

OPEN = (Gap.State.OPEN, Gap.State.REQUESTED)

# How far back the first look at a series goes; also how long a given-up gap may still be closed by late data.
LOOK_BACK = {
    Interval.REALTIME: timedelta(hours=2),
    Interval.MINUTE: timedelta(days=2),
    Interval.HOUR: timedelta(days=30),
    Interval.DAY: timedelta(days=60),
}
_MIDNIGHT = 8 * 3600  # periods are counted from midnight of China Standard Time
_LOCK = 7_213  # advisory lock: one finder at a time
# Data commands of each interval, sent by themselves or as history (HJ 212-2017 table 9).
_DATA = {Interval.REALTIME: 2011, Interval.MINUTE: 2051, Interval.HOUR: 2061, Interval.DAY: 2031}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    found: int = 0
    grown: int = 0
    filled: int = 0
    given_up: int = 0
    pulled: int = 0


@dataclass(slots=True)
class Line:
    """The expected timeline of one device at one interval and length of period."""

    device: Device
    interval: str
    seconds: int
    series: tuple[int, ...]
    since: datetime  # nothing is expected before
    lower: datetime  # first period to check now
    upper: datetime  # end of the last period that is due


@dataclass(slots=True)
class Run:
    """Missing periods next to each other that the same series miss."""

    start: datetime
    end: datetime
    series: tuple[int, ...]
    partial: bool


def find_gaps(now: datetime | None = None) -> Report:
    """Find new gaps, let old ones grow or close, and ask the loggers for what is missing.

    A period is missing when it ended more than the grace time (``GAP_GRACE_SECONDS``) ago and nothing of it is held.
    """
    now = now or datetime.now(UTC)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return Report()
        filled = sum(close_if_filled(gap, now) for gap in _closable(now))
        found = grown = 0
        lines = _lines(now)
        held = _held(lines)
        for line in lines:
            for run in missing_runs(line, held):
                if _enter(line, run, now):
                    found += 1
                else:
                    grown += 1
        _remember(lines)
    given_up = sum(pulling.give_up_if_hopeless(gap, now) for gap in Gap.objects.filter(state__in=OPEN))
    return Report(found, grown, filled, given_up, pulling.schedule(now))


# ---- the expected timeline -------------------------------------------------------------------------------------------


def _lines(now: datetime) -> list[Line]:
    """Return the timelines that have periods to check, those of a place with its busiest device."""
    devices = _device_of_place()
    groups: dict[tuple[int, str, int], list[Series]] = defaultdict(list)
    rows = Series.objects.filter(expected=True, place__in=devices).select_related("place").order_by("pk")
    for series in rows:
        groups[series.place_id, series.interval, series.seconds].append(series)
    checked = {(scan.device_id, scan.interval): scan.checked_to for scan in GapScan.objects.all()}
    lines = []
    for (place_id, interval, seconds), members in groups.items():
        device = devices[place_id]
        since = max(members[0].place.commissioned_at or min(series.created_at for series in members), _never(now))
        lower = checked.get((device.pk, interval), now - LOOK_BACK[Interval(interval)])
        upper = period_floor(now - timedelta(seconds=settings.GAP_GRACE_SECONDS), seconds)
        lower = period_ceiling(max(lower, since), seconds)
        if lower < upper:
            series_ids = tuple(series.pk for series in members)
            lines.append(Line(device, interval, seconds, series_ids, since, lower, upper))
    return lines


def _never(now: datetime) -> datetime:
    return now - timedelta(days=3650)


def _device_of_place() -> dict[int, Device]:
    """Return the device that answers for a place's series: of several, the one that spoke last."""
    devices = Device.objects.filter(is_active=True, place__is_active=True).select_related("state", "place")
    chosen: dict[int, tuple[datetime, Device]] = {}
    for device in devices.order_by("pk"):
        state = getattr(device, "state", None)
        spoke = state.last_packet_at if state and state.last_packet_at else datetime.min.replace(tzinfo=UTC)
        if device.place_id not in chosen or spoke > chosen[device.place_id][0]:
            chosen[device.place_id] = (spoke, device)
    return {place_id: device for place_id, (_spoke, device) in chosen.items()}


def period_floor(moment: datetime, seconds: int) -> datetime:
    """Return the start of the period that holds the instant."""
    whole = int(moment.timestamp()) + _MIDNIGHT
    return datetime.fromtimestamp(whole - whole % seconds - _MIDNIGHT, UTC)


def period_ceiling(moment: datetime, seconds: int) -> datetime:
    """Return the start of the first period that begins at or after the instant."""
    floor = period_floor(moment, seconds)
    return floor if floor == moment else floor + timedelta(seconds=seconds)


def _held(lines: Sequence[Line]) -> dict[int, np.ndarray]:
    """Read which periods are held; lines that look at the same stretch of time share a query."""
    together: dict[tuple[datetime, datetime, int], list[int]] = defaultdict(list)
    for line in lines:
        together[line.lower, line.upper, line.seconds].extend(line.series)
    held: dict[int, np.ndarray] = {}
    for (lower, upper, seconds), series in together.items():
        margin = timedelta(seconds=seconds)
        held |= store.held_starts(series, lower - margin, upper + margin)
    return held


def missing_runs(line: Line, held: dict[int, np.ndarray]) -> list[Run]:
    """Return the runs of missing periods of a line, in order of time."""
    first, step = _micros(line.lower), line.seconds * 1_000_000
    starts = np.arange(first, _micros(line.upper), step)
    missing = np.array([~_is_held(held[series_id], starts, step, line.interval) for series_id in line.series])
    runs: list[Run] = []
    for i, start in enumerate(starts.tolist()):
        lacking = tuple(series_id for series_id, gone in zip(line.series, missing[:, i].tolist(), strict=True) if gone)
        if not lacking:
            continue
        begin, end = _moment(start), _moment(start + step)
        last = runs[-1] if runs else None
        if last and last.end == begin and last.series == lacking and end - last.start <= pulling.LONGEST[line.interval]:
            last.end = end
        else:
            runs.append(Run(begin, end, lacking, len(lacking) < len(line.series)))
    return runs


def _is_held(found: np.ndarray, starts: np.ndarray, step: int, interval: str) -> np.ndarray:
    """Tell of each period whether an observation begins in it.

    Real-time values are instants that drift against the clock: one within half a step beside the period will do.
    """
    slack = step // 2 if interval == Interval.REALTIME else 0
    instants = found.astype("datetime64[us]").astype(np.int64)
    return np.searchsorted(instants, starts - slack) < np.searchsorted(instants, starts + step + slack)


def _micros(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)


def _remember(lines: Iterable[Line]) -> None:
    """Move the marks on; of several lengths of period at one interval the one that is behind counts."""
    reached: dict[tuple[int, str], datetime] = {}
    for line in lines:
        key = (line.device.pk, line.interval)
        reached[key] = min(reached.get(key, line.upper), line.upper)
    GapScan.objects.bulk_create(
        [
            GapScan(device_id=device_id, interval=interval, checked_to=to)
            for (device_id, interval), to in reached.items()
        ],
        update_conflicts=True,
        unique_fields=["device", "interval"],
        update_fields=["checked_to"],
    )


# ---- the life of a gap -----------------------------------------------------------------------------------------------


def _enter(line: Line, run: Run, now: datetime) -> bool:
    """Enter a run as a gap, or as the continuation of an open one; returns whether it is new."""
    series = list(run.series)
    known = Gap.objects.filter(device=line.device, interval=line.interval, series=series, state__in=OPEN)
    if known.filter(start__lte=run.start, end__gte=run.end).exists():
        return False  # a second length of period at this interval holds the mark back
    gap = known.select_for_update().filter(end=run.start, start__gte=run.end - pulling.LONGEST[line.interval]).first()
    if gap is not None:
        gap.end = run.end
        gap.cause = cause_of(line.device, line.interval, line.seconds, gap.start, gap.end, run.partial)
        gap.save(update_fields=["end", "cause"])
        return False
    gap = Gap.objects.create(
        device=line.device,
        interval=line.interval,
        start=run.start,
        end=run.end,
        series=series,
        cause=cause_of(line.device, line.interval, line.seconds, run.start, run.end, run.partial),
        found_at=now,
        next_attempt_at=now if line.interval in pulling.HISTORY else None,
    )
    _tell("gap-found", gap, now, severity=1)
    return True


def cause_of(device: Device, interval: str, seconds: int, start: datetime, end: datetime, partial: bool) -> Gap.Cause:
    """Say why nothing is held of [start, end), from what arrived and from the device's connections meanwhile."""
    if partial:
        return Gap.Cause.PARTIAL
    until = end + timedelta(seconds=seconds + settings.GAP_GRACE_SECONDS)
    refused = store.packets(
        device_ids=[device.pk], verdicts=["R", "H"], released=False, since=start, until=until, limit=20
    )
    if any(packet.cn in (None, _DATA[Interval(interval)]) for packet in refused):
        return Gap.Cause.REJECTED
    return Gap.Cause.SILENT if _connected_share(device, start, end, seconds) >= 0.5 else Gap.Cause.DISCONNECTED


def _connected_share(device: Device, start: datetime, end: datetime, seconds: int) -> float:
    """Return at which share of the moments when a period's data should have come the device was connected."""
    grace = timedelta(seconds=settings.GAP_GRACE_SECONDS)
    times = [
        (opened, closed or datetime.max.replace(tzinfo=UTC))
        for opened, closed in Connection.objects.filter(device=device, opened_at__lt=end + grace)
        .filter(Q(closed_at__isnull=True) | Q(closed_at__gt=start))
        .values_list("opened_at", "closed_at")
    ]
    ends = list(_steps(start + timedelta(seconds=seconds), end, seconds))
    covered = sum(any(opened < moment + grace and closed > moment for opened, closed in times) for moment in ends)
    return covered / len(ends)


def _steps(first: datetime, last: datetime, seconds: int) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += timedelta(seconds=seconds)


def _closable(now: datetime) -> Iterator[Gap]:
    """Return the gaps that late data may close: the open ones, and every ten minutes those given up not long ago."""
    wanted = Q(state__in=OPEN)
    if now.minute % 10 == 0:
        wanted |= Q(state=Gap.State.GIVEN_UP, closed_at__gt=now - LOOK_BACK[Interval.HOUR])
    yield from Gap.objects.select_for_update(of=("self",)).filter(wanted).select_related("device")


def close_if_filled(gap: Gap, now: datetime) -> bool:
    """Close a gap whose periods are all held by now; note how far it is filled otherwise."""
    left, total = still_missing(gap)
    if left == total and total:
        return False
    was_given_up = gap.state == Gap.State.GIVEN_UP
    if left:
        outcome = f"已补 {total - left}/{total} / {total - left} of {total} filled"
        if outcome != gap.outcome and not was_given_up:
            gap.outcome = outcome
            gap.save(update_fields=["outcome"])
        return False
    gap.state, gap.closed_at, gap.next_attempt_at = Gap.State.FILLED, now, None
    if gap.commands.filter(data_packets__gt=0).exists():
        gap.outcome = f"补拉成功，{total} 个时段 / {total} filled after {gap.attempts} request(s)"
    elif total:
        gap.outcome = f"设备自行补传，{total} 个时段 / {total} sent late by the device itself"
        if gap.cause == Gap.Cause.SILENT:
            gap.cause = Gap.Cause.LATE
    else:
        gap.outcome = "相关时序已不再要求 / its series are no longer expected"
    gap.save(update_fields=["state", "closed_at", "next_attempt_at", "outcome", "cause"])
    if total:
        _tell("gap-filled", gap, now)
    return True


def still_missing(gap: Gap) -> tuple[int, int]:
    """Return how many values (periods of series) of a gap are missing still, and of how many; (0, 0) without series."""
    rows = Series.objects.filter(pk__in=gap.series, expected=True).values_list("pk", "seconds")
    if not rows:
        return 0, 0
    margin = timedelta(seconds=max(seconds for _pk, seconds in rows))
    held = store.held_starts([pk for pk, _seconds in rows], gap.start - margin, gap.end + margin)
    left = total = 0
    for pk, seconds in rows:
        step = seconds * 1_000_000
        starts = np.arange(_micros(gap.start), _micros(gap.end), step)
        total += len(starts)
        left += int((~_is_held(held[pk], starts, step, gap.interval)).sum())
    return left, total


def _tell(kind: str, gap: Gap, now: datetime, severity: int = 0) -> None:
    """Put a line on the home page; gaps of minutes and moments are too many for it."""
    if gap.interval in (Interval.HOUR, Interval.DAY):
        Event.objects.create(
            at=now,
            kind=kind,
            device_id=gap.device_id,
            place_id=gap.device.place_id,
            severity=severity,
            detail={
                "gap": gap.pk,
                "interval": gap.interval,
                "start": gap.start.isoformat(),
                "end": gap.end.isoformat(),
                "cause": gap.cause,
            },
        )
