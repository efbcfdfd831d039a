"""Marks that the demonstration's enterprises have made (演示数据): of hours that devices flagged, and one odd one.

All goes through the verbs, with invented explanations that say so. Most are confirmed, one is refused, some wait; one
was made after the time limit, and one states that a plant stood still while its values run on.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

from django.db import transaction
from django.utils import timezone

from luming.core.models import User
from luming.registry.models import Outlet
from luming.telemetry.marks import actions, wanting
from luming.telemetry.marks.models import Mark, MarkCode
from luming.telemetry.marks.wanting import Cell

DAYS = timedelta(days=4)  # looked at, until this morning
OUTLETS = 16
MADE = 14
CODES = {"F": "stopped", "M": "maintenance", "D": "device-fault", "C": "calibration", "B": "communication"}
EXPLANATIONS = {
    "stopped": "演示：按计划停炉检修，已登记生产台账（虚构）。",
    "maintenance": "演示：运维人员例行维护，运维记录已归档（虚构）。",
    "device-fault": "演示：分析仪报警，已报修并更换部件（虚构）。",
    "calibration": "演示：按周期校准（虚构）。",
    "communication": "演示：数采仪网络中断（虚构）。",
}
NOTE = "演示：与运维记录一致（虚构）。"
REFUSED = "演示：该时段设备状态正常，运维记录与标记不符，不予认可（虚构）。"


@transaction.atomic
def load(today: date) -> int:
    """Mark flagged hours of some outlets, decide about most; return how many marks were made, once."""
    reviewer = User.objects.filter(username="reviewer", role="reviewer").first()
    if reviewer is None or Mark.objects.exists():
        return 0
    end = timezone.make_aware(datetime(today.year, today.month, today.day))
    rows = Outlet.objects.filter(is_demo=True, is_active=True, medium__in=("gas", "sewage"), devices__isnull=False)
    outlets = list(rows.select_related("facility").distinct().order_by("code")[:OUTLETS])
    own = set(_clerk_outlets())
    outlets.sort(key=lambda outlet: (outlet.pk not in own, outlet.code))
    made: list[Mark] = []
    cells = wanting.cells(outlets, end - DAYS, end, end)
    for outlet in outlets:
        for start, until, letter in _flagged(cells[outlet.pk])[: 3 if outlet.pk in own else 2]:
            if len(made) < MADE and letter in CODES:
                made += _mark(outlet, CODES[letter], start, until, late=len(made) == 1)
    if outlets:
        made += _odd(outlets[0], cells[outlets[0].pk])
    _decide(reviewer, made)
    return len(made)


def _clerk_outlets() -> list[int]:
    """Return the outlets of the demonstration's enterprise account."""
    clerk = User.objects.filter(username="enterprise", role="enterprise").first()
    return [] if clerk is None else list(Outlet.objects.visible_to(clerk).values_list("pk", flat=True))


def _flagged(cells: list[Cell]) -> list[tuple[datetime, datetime, str]]:
    """Return runs of hours that bear the same flag."""
    runs: list[list[Cell]] = []
    for cell in cells:
        if not cell.letters:
            continue
        if runs and runs[-1][-1].end == cell.start and runs[-1][-1].letters == cell.letters:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return [(run[0].start, run[-1].end, run[0].letters[0]) for run in runs]


def _mark(outlet: Outlet, name: str, start: datetime, end: datetime, *, late: bool = False) -> list[Mark]:
    """Mark a period soon after it ended, or a few hours after the time limit."""
    code = MarkCode.objects.filter(code=name).first()
    if code is None:  # the installation has ended or renamed it
        return []
    at = min(code.deadline(end) + timedelta(hours=3) if late else end + timedelta(hours=1), timezone.now())
    wanted = actions.Wanted(code, start, end, EXPLANATIONS[name])
    return actions.make(None, outlet, [wanted], at=at, is_demo=True)


def _odd(outlet: Outlet, cells: list[Cell]) -> list[Mark]:
    """State that an outlet stood still in two hours of which it sent sound values."""
    for first, second in pairwise(cells):
        if first.held and second.held and not first.letters and not second.letters:
            return _mark(outlet, "stopped", first.start, second.end)
    return []


def _decide(reviewer: User, made: list[Mark]) -> None:
    """Confirm what nothing speaks against, refuse the odd one; the rest and the two last ones wait."""
    sound = [mark for mark in made if not mark.contradicted and not mark.late]
    actions.confirm_many(reviewer, sound[:-2], NOTE)
    contradicted = [mark for mark in made if mark.contradicted]
    if len(contradicted) > 1:
        actions.refuse(reviewer, contradicted[0], REFUSED)
