"""Judgements: what the standards say of new data, kept with the edition and the inputs they used.

The gateway leaves a mark for each place and period that got new data (in the transaction that stores it). The worker
takes the marks, asks the judges of the domains' manifests, and stores judgements, current states and events in one
transaction: a restart loses nothing and judges nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, QuerySet

from luming import __version__
from luming.core import manifest
from luming.registry.models import Place
from luming.telemetry import store
from luming.telemetry.models import Event, Judgement, PlaceState
from luming.telemetry.quality import running as checks
from luming.telemetry.statistics import queue

NO_DATA = "no-data"
_KEPT_STATES_DEPTH = timedelta(days=1)  # older periods change history, not events


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge says of one period at one place; see :class:`luming.telemetry.models.Judgement`."""

    place_id: int
    kind: str
    start: datetime
    state: str
    edition: str
    value: float | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[Sequence[Any]] = ()
    severity: int = 0  # of the event when the place enters this state
    live: bool = True  # False: a daily figure, which is no current state but may be an event of its own


def judge_pending(limit: int = 4000) -> int:
    """Judge up to ``limit`` place-periods that got new data, newest first; return how many were taken."""
    with transaction.atomic():
        pending = store.take_dirty(limit)
        _check(pending)
        outcomes: list[Outcome] = []
        places = Place.objects.in_bulk({place_id for place_id, _interval, _starts in pending})
        for judge in manifest.judges():
            for interval in judge.intervals:
                selection = {
                    place_id: sorted(starts)
                    for place_id, marked, starts in pending
                    if marked == interval and place_id in places and _concerns(judge, places[place_id])
                }
                if selection:
                    outcomes += judge.evaluate(selection, interval)
        save(outcomes)
        queue.mark(pending)
        return sum(len(starts) for _place_id, _interval, starts in pending)


def _check(pending: Iterable[tuple[int, str, Sequence[datetime]]]) -> None:
    """Run the checks over new values before anything uses them."""
    by_interval: dict[str, dict[int, Sequence[datetime]]] = defaultdict(dict)
    for place_id, interval, starts in pending:
        by_interval[interval][place_id] = starts
    for interval, selection in sorted(by_interval.items()):
        checks.check(selection, interval)


def _concerns(judge: manifest.Judge, place: Place) -> bool:
    return place.kind == judge.kind and place.medium in judge.media


def save(outcomes: Sequence[Outcome]) -> int:
    """Store outcomes that say something new; a changed one becomes the next revision. Returns how many were new."""
    known = _latest_judgements(outcomes)
    fresh: list[tuple[Outcome, int]] = []
    now = datetime.now(UTC)
    for outcome in outcomes:
        old = known.get((outcome.place_id, outcome.kind, outcome.start))
        if old is not None and _same(old, outcome):
            continue
        fresh.append((outcome, 0 if old is None else old.revision + 1))
    _insert(fresh)
    _update_states(outcomes)
    daily = [outcome for outcome, _revision in fresh if not outcome.live and outcome.severity]
    Event.objects.bulk_create(
        _state_event(outcome, None, now) for outcome in daily if now - outcome.start < 2 * _KEPT_STATES_DEPTH
    )
    return len(fresh)


def _insert(fresh: Sequence[tuple[Outcome, int]]) -> None:
    """Insert judgements with COPY: a new fleet's history is 100,000 of them, four times the work with bulk_create."""
    now = datetime.now(UTC)
    columns = "place_id, kind, start, revision, state, value, detail, edition, inputs, software, judged_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY telemetry_judgement ({columns}) FROM STDIN") as copy:
        for outcome, revision in fresh:
            detail, inputs = orjson.dumps(dict(outcome.detail)).decode(), orjson.dumps(outcome.inputs).decode()
            copy.write_row((
                outcome.place_id, outcome.kind, outcome.start, revision, outcome.state, outcome.value, detail,
                outcome.edition, inputs, __version__, now,
            ))  # fmt: skip


def _latest_judgements(outcomes: Sequence[Outcome]) -> dict[tuple[int, str, datetime], Judgement]:
    """Return the newest revision of each period the outcomes speak of."""
    known: dict[tuple[int, str, datetime], Judgement] = {}
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    for kind, members in by_kind.items():
        rows = Judgement.objects.filter(
            kind=kind,
            place_id__in={outcome.place_id for outcome in members},
            start__gte=min(outcome.start for outcome in members),
            start__lte=max(outcome.start for outcome in members),
        ).order_by("revision")
        for row in rows:  # later revisions overwrite earlier ones
            known[row.place_id, row.kind, row.start] = row
    return known


def _same(old: Judgement, new: Outcome) -> bool:
    return (old.state, old.value, old.edition, old.inputs, old.detail.get("marks")) == (
        new.state,
        new.value,
        new.edition,
        [list(item) for item in new.inputs],
        new.detail.get("marks"),
    )


def _update_states(outcomes: Iterable[Outcome]) -> None:
    """Bring each place's current state up to its latest judged period, with an event when it changed."""
    latest: dict[int, Outcome] = {}
    for outcome in outcomes:
        if outcome.live and (outcome.place_id not in latest or outcome.start > latest[outcome.place_id].start):
            latest[outcome.place_id] = outcome
    now = datetime.now(UTC)
    locked = PlaceState.objects.select_for_update().filter(place_id__in=latest).order_by("pk")
    current = {row.place_id: row for row in locked}
    events, changed, new = [], [], []
    for place_id, outcome in sorted(latest.items()):
        row = current.get(place_id)
        if row is not None and row.period is not None and row.period > outcome.start:
            continue
        before = row.state if row is not None else None
        if row is None:
            row = PlaceState(place_id=place_id, since=outcome.start)
            new.append(row)
        else:
            changed.append(row)
        if before != outcome.state:
            row.since = outcome.start
            if now - outcome.start < _KEPT_STATES_DEPTH:
                events.append(_state_event(outcome, before, now))
        row.state, row.value, row.detail, row.period = outcome.state, outcome.value, dict(outcome.detail), outcome.start
        row.updated_at = now
    PlaceState.objects.bulk_create(new)
    PlaceState.objects.bulk_update(changed, ["state", "since", "value", "detail", "period", "updated_at"])
    Event.objects.bulk_create(events)


def _state_event(outcome: Outcome, before: str | None, now: datetime) -> Event:
    detail = {"from": before, "to": outcome.state, "kind": outcome.kind, "start": outcome.start.isoformat()}
    return Event(
        at=now, kind="state", place_id=outcome.place_id, severity=outcome.severity, detail=detail | dict(outcome.detail)
    )


def overdue(seconds: int) -> timedelta:
    """Return how long after a period's start the next one should have been judged."""
    return 2.5 * timedelta(seconds=seconds) + timedelta(seconds=settings.GAP_GRACE_SECONDS)


def slowest_seconds(places: QuerySet[Place]) -> dict[int, int]:
    """Return the longest expected interval of each place's hour data in seconds; most have 3600, water 14400."""
    return dict(
        places.filter(series__expected=True, series__interval="hour")
        .order_by()
        .annotate(seconds=Max("series__seconds"))
        .values_list("pk", "seconds")
    )


def mark_silent(now: datetime | None = None) -> int:
    """Set places to ``no-data`` whose newest judged period is overdue; return how many fell silent.

    A period is overdue when another one and a half intervals and the grace time have passed since its end.
    """
    now = now or datetime.now(UTC)
    slowest = slowest_seconds(Place.objects.all())
    with transaction.atomic():
        events = []
        rows = PlaceState.objects.select_for_update().exclude(state=NO_DATA).filter(period__isnull=False).order_by("pk")
        silent = [row for row in rows if row.period + overdue(slowest.get(row.place_id, 3600)) < now]
        for row in silent:
            detail = {"from": row.state, "to": NO_DATA, "last": row.period.isoformat()}
            events.append(Event(at=now, kind="state", place_id=row.place_id, severity=1, detail=detail))
            row.state, row.value, row.detail, row.since = NO_DATA, None, {}, now
        PlaceState.objects.bulk_update(silent, ["state", "value", "detail", "since"])
        Event.objects.bulk_create(events)
    return len(silent)
