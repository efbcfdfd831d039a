"""What a new installation begins with: the states of the dated table, as the installation's own configuration."""

from __future__ import annotations

from datetime import time
from typing import Any

from luming.standards import marks as table
from luming.telemetry.marks.models import MarkCode

BEGINNING = table.mark_rules()[0].effective_from


def seed(**_signal: Any) -> None:
    """Enter the states of the table where there are none; called after each migration."""
    if MarkCode.objects.exists():
        return
    MarkCode.objects.bulk_create(_row(mark) for mark in table.marks())


def _row(mark: table.Mark) -> MarkCode:
    days, hour = table.time_limit(mark.time_limit)
    return MarkCode(
        code=mark.code,
        side=mark.kind,
        name_zh=mark.name_zh,
        name_en=mark.name_en,
        letter=mark.letter,
        excluded=mark.excluded,
        shutdown=mark.shutdown,
        amounts=_amounts(mark),
        needs_confirmation=mark.excluded,
        hour_minutes=table.reach().hour_minutes,
        day_hours=table.reach().day_hours,
        days_after=days,
        due_at=time(hour) if hour < 24 else time(23, 59),
        yearly_hours=mark.yearly_hours,
        yearly_group=" ".join(mark.yearly_group),
        manual=mark.manual,
        sectors=" ".join(mark.sectors),
        note_zh=mark.note_zh,
        note_en=mark.note_en,
        effective_from=mark.effective_from or BEGINNING,
        effective_to=mark.effective_to,
        source=mark.source[:240],
        verified=False,  # the letters of the table are, what a mark does is not
    )


def _amounts(mark: table.Mark) -> str:
    """Return what marked hours are for amounts: what a device in maintenance shows is not what the stack emits."""
    if mark.shutdown:
        return MarkCode.Amounts.STOPPED
    broken = mark.kind == "device" and mark.excluded
    return MarkCode.Amounts.MISSING if broken else MarkCode.Amounts.MEASURED
