"""Days as wholes: closed each night with their hit rates, checked again when asked, loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from luming.registry.models import Place, Series
from luming.science.qc.catalogue import edition
from luming.standards.edition import midnight
from luming.telemetry.quality import running
from luming.telemetry.quality.models import CheckRun, CheckSetting
from luming.telemetry.quality.tallies import Tally, city_days

DAY = timedelta(days=1)
STEP = 7  # days checked in one transaction
LOADED_FOR = timedelta(hours=2)  # so long the marks of a bulk load are known to be checked already


@dataclass(frozen=True, slots=True)
class Step:
    """Some days that were checked: first and last one, values judged, verdicts written; or left out as done before."""

    first: date
    last: date
    values: int
    written: int
    done_before: bool = False


def apply(
    first: date, last: date, place: Place | None = None, *, again: bool = False, step: int = STEP
) -> Iterator[Step]:
    """Check stored days again, some at a time, each in a transaction of its own; yields what was done.

    Days that this edition of the catalogue has checked since the last change of settings are left out unless ``again``:
    a run that was stopped goes on where it was.
    """
    begin = first
    while begin <= last:
        end = min(begin + timedelta(days=step - 1), last)
        yield _apply(begin, end, place, again)
        begin = end + DAY


def _apply(first: date, last: date, place: Place | None, again: bool) -> Step:
    start, end = midnight(first), midnight(last + DAY)
    key = {"kind": CheckRun.Kind.APPLY, "place": place, "interval": "", "start": start, "end": end}
    if not again and _settled(CheckRun.objects.filter(edition=edition(), stale=False, **key).first()):
        return Step(first, last, 0, 0, done_before=True)
    with transaction.atomic():
        total = _check(start, end, None if place is None else [place.pk], None if place is not None else Tally())
        CheckRun.objects.update_or_create(
            **key,
            defaults={"edition": edition(), "values": total.values, "found": total.written, "stale": False},
        )
    return Step(first, last, total.values, total.written)


def _settled(run: CheckRun | None) -> bool:
    """Tell whether a run still says what a new one would, as far as settings go."""
    return run is not None and not CheckSetting.objects.filter(made_at__gt=run.at).exists()


def _check(start: datetime, end: datetime, place_ids: Sequence[int] | None, tally: Tally | None) -> running.Outcome:
    """Check all that is stored in whole days, and count it when it is of all places."""
    ids = list(place_ids) if place_ids is not None else list(Place.objects.order_by().values_list("pk", flat=True))
    total = running.Outcome()
    for interval in sorted(running.INTERVALS):
        total += running.check_period(ids, interval, start, end, tally=tally)
    if tally is not None:
        first, last = timezone.localtime(start).date(), timezone.localtime(end - DAY).date()
        tally.save(city_days(first, last))
        for day in city_days(first, last):
            CheckRun.objects.update_or_create(
                kind=CheckRun.Kind.CLOSING, place=None, interval="", start=midnight(day), end=midnight(day + DAY),
                defaults={"edition": edition(), "stale": False},
            )  # fmt: skip
    return total


def close(day: date) -> running.Outcome:
    """Check a day as a whole and replace what was counted of it."""
    with transaction.atomic():
        return _check(midnight(day), midnight(day + DAY), None, Tally())


def due(today: date, days: int = 31) -> list[date]:
    """Return the past days that are not closed or got other data since, newest first."""
    closed = set(
        CheckRun.objects.filter(
            kind=CheckRun.Kind.CLOSING, stale=False, start__gte=midnight(today - timedelta(days=days))
        ).values_list("start", flat=True)
    )
    return [day for day in (today - timedelta(days=back) for back in range(1, days + 1)) if midnight(day) not in closed]


def reopen(days: Iterable[date]) -> int:
    """Note that values of closed days have changed."""
    starts = [midnight(day) for day in days]
    return CheckRun.objects.filter(
        kind__in=(CheckRun.Kind.CLOSING, CheckRun.Kind.APPLY), stale=False, start__in=starts
    ).update(stale=True)


def loaded(start: datetime, end: datetime) -> running.Outcome:
    """Check a history that was loaded in bulk in one go, many times as quick as by its marks.

    The marks that the load has left are known to be checked for a while, as long as nothing new comes (see
    :func:`luming.telemetry.quality.running.check`).
    """
    first, last = timezone.localtime(start).date(), timezone.localtime(end).date()
    with transaction.atomic():
        total = _check(midnight(first), midnight(last + DAY), None, Tally())
        for interval in sorted(running.INTERVALS):
            CheckRun.objects.update_or_create(
                kind=CheckRun.Kind.LOAD, place=None, interval=interval, start=midnight(first), end=midnight(last + DAY),
                defaults={"edition": edition(), "values": total.values, "found": total.written},
            )  # fmt: skip
        # today goes on
        CheckRun.objects.filter(kind=CheckRun.Kind.CLOSING, start__gte=midnight(timezone.localdate())).update(
            stale=True
        )
    return total


def unchecked(selection: Mapping[int, Sequence[datetime]], interval: str) -> Mapping[int, Sequence[datetime]]:
    """Return what of a selection a bulk load has not checked just now."""
    now = datetime.now(UTC)
    runs = CheckRun.objects.filter(
        kind=CheckRun.Kind.LOAD, interval=interval, edition=edition(), at__gt=now - LOADED_FOR
    ).order_by("-at")
    run = runs.first()
    if run is None or not _settled(run):
        return selection
    covered = {
        place_id: some
        for place_id, starts in selection.items()
        if (some := [start for start in starts if run.start <= start < run.end])
    }
    if not covered:
        return selection
    series = dict(
        Series.objects.filter(place_id__in=covered, interval=interval).order_by().values_list("pk", "place_id")
    )
    moments = [start for starts in covered.values() for start in starts]
    changed = running.changed_since(series, min(moments), max(moments), run.at)
    return {
        place_id: rest
        for place_id, starts in selection.items()
        if (rest := [start for start in starts if not (run.start <= start < run.end) or (place_id, start) in changed])
    }
