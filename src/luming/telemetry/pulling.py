"""Asking loggers for the data of gaps: when, how often, and when to give up."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from luming.registry.models import Interval
from luming.telemetry import commanding
from luming.telemetry.models import Command, Event, Gap

# History requests of HJ 212-2017 (table 9); real-time data has none that the editions share.
HISTORY: dict[str, int] = {Interval.MINUTE: 2051, Interval.HOUR: 2061, Interval.DAY: 2031}

# No gap is longer than what one request may ask for; what goes on longer becomes the next gap.
LONGEST: dict[str, timedelta] = {
    Interval.REALTIME: timedelta(days=7),
    **{interval: timedelta(days=commanding.OFFERS[cn].max_days) for interval, cn in HISTORY.items()},
}

_OPEN = (Gap.State.OPEN, Gap.State.REQUESTED)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=24)
_RETRY = timedelta(minutes=10)  # after a command that could not even be queued


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: 10 min, 30 min, 90 min … a day at most."""
    return min(_FIRST_PAUSE * 3 ** max(0, attempts - 1), _LONGEST_PAUSE)


def schedule(now: datetime) -> int:
    """Queue a history request for gaps that are due, one at a time for each device; returns how many.

    Only a connected device is asked, and not before it had the grace time to send what it kept by itself.
    """
    due = (
        Gap.objects.filter(
            state__in=_OPEN,
            interval__in=HISTORY,
            attempts__lt=settings.GAP_MAX_ATTEMPTS,
            next_attempt_at__lte=now,
            device__is_active=True,
            device__state__connected=True,
            device__state__connected_at__lte=now - timedelta(seconds=settings.GAP_GRACE_SECONDS),
        )
        .exclude(device__commands__in=_open_pulls())
        .order_by("device_id", "attempts", "start")
        .distinct("device_id")
        .values_list("pk", flat=True)
    )
    return sum(_pull(pk, now) for pk in list(due))


def _open_pulls():
    return Command.objects.filter(state__in=commanding.OPEN, gap__isnull=False)


def _pull(gap_id: int, now: datetime) -> bool:
    """Queue one history request for the whole gap; none is longer than the command allows."""
    with transaction.atomic():
        gap = Gap.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=gap_id, state__in=_OPEN).first()
        if gap is None or _open_pulls().filter(device=gap.device_id).exists():
            return False
        cn = HISTORY[gap.interval]
        try:
            with transaction.atomic():
                commanding.request_command(
                    None,
                    gap.device,
                    cn,
                    {"BeginTime": gap.start, "EndTime": gap.end},
                    reason="补拉缺失数据 / pull of missing data",
                    gap=gap,
                )
        except ValidationError as error:
            gap.next_attempt_at, gap.outcome = now + _RETRY, " ".join(error.messages)[:200]
            gap.save(update_fields=["next_attempt_at", "outcome"])
            return False
        gap.attempts += 1
        gap.state, gap.next_attempt_at = Gap.State.REQUESTED, now + pause_after(gap.attempts)
        gap.save(update_fields=["attempts", "state", "next_attempt_at"])
        return True


def give_up_if_hopeless(gap: Gap, now: datetime) -> bool:
    """Give a gap up when all attempts were made and the last one's time is over; its outcome says how that ended."""
    over = gap.attempts >= settings.GAP_MAX_ATTEMPTS and gap.next_attempt_at is not None and gap.next_attempt_at <= now
    if not over or gap.commands.filter(state__in=commanding.OPEN).exists():
        return False
    last = gap.commands.order_by("-pk").first()
    ended = _ending(last)
    with transaction.atomic():
        done = Gap.objects.filter(pk=gap.pk, state__in=_OPEN).update(
            state=Gap.State.GIVEN_UP, closed_at=now, next_attempt_at=None, outcome=ended[:200]
        )
        if done and gap.interval in (Interval.HOUR, Interval.DAY):
            Event.objects.create(
                at=now, kind="gap-given-up", device_id=gap.device_id, place_id=gap.device.place_id, severity=1,
                detail={"gap": gap.pk, "interval": gap.interval, "outcome": ended},
            )  # fmt: skip
    return bool(done)


def _ending(command: Command | None) -> str:
    if command is None:
        return "未能请求 / never asked"
    if command.state == Command.State.DONE:
        return f"设备应答完成但无数据（{command.data_packets} 包） / answered, but the device has no data"
    results = f"QnRtn={command.request_result} ExeRtn={command.execute_result}"
    return f"{command.problem or command.get_state_display()}（{results}）"
