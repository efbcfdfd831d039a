"""Verbs on marks: enterprises make and withdraw them, the bureau confirms, refuses or takes a decision back.

Each checks permission and scope, locks, changes, queues what depends on the hours concerned, and writes the audit row
in one transaction. ``PermissionDenied`` without the permission, ``DoesNotExist`` outside the scope, ``ValidationError``
for what is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit, files
from luming.core.models import Attachment, User
from luming.registry.models import Outlet, Series
from luming.standards import marks as table
from luming.standards.edition import city_day
from luming.telemetry import store
from luming.telemetry.marks import examining
from luming.telemetry.marks.models import Mark, MarkCode, said
from luming.telemetry.marks.reading import days_of, hours_of
from luming.telemetry.statistics import queue

MAKE = "mark.make"
DECIDE = "mark.decide"
LONGEST = timedelta(days=366)
MOST = 200  # periods in one submission


@dataclass(frozen=True, slots=True)
class Wanted:
    """A period that a person wants to mark; ``factors`` none for all of the outlet's."""

    code: MarkCode
    start: datetime
    end: datetime
    explanation: str
    factors: tuple[str, ...] = ()


class RowProblemsError(ValidationError):
    """What is wrong with the periods of a submission: ``rows`` are (position, sentences); nothing was made."""

    def __init__(self, rows: Sequence[tuple[int, list[str]]]) -> None:
        self.rows = list(rows)
        super().__init__([sentence for _position, sentences in rows for sentence in sentences])


def make(
    user: User | None, outlet: Outlet, wanted: Sequence[Wanted], *, file: UploadedFile | None = None,
    at: datetime | None = None, is_demo: bool = False,
) -> list[Mark]:  # fmt: skip
    """Mark periods of an outlet: all of them, or none and every problem of every row is told.

    Lateness follows from the code's time limit, contradictions from what is held; neither keeps a mark from being made.

    Parameters
    ----------
    file : evidence, kept with each of the marks.
    at : when it was made, for demonstration data; else now.
    """
    audit.require(user, MAKE)
    with transaction.atomic():
        rows = Outlet.objects if user is None else Outlet.objects.visible_to(user)
        outlet = rows.select_for_update(of=("self",)).select_related("facility").get(pk=outlet.pk)
        now = at or timezone.now()
        made = [_unsaved(user, outlet, row, now, is_demo) for row in wanted]
        _refuse(outlet, made, now)
        for mark in made:
            mark.contradictions = examining.examine(mark, made)
            mark.contradicted = bool(mark.contradictions)
        Mark.objects.bulk_create(made)
        for position, mark in enumerate(made):
            kept = _keep(user, mark, file) if file is not None else None
            audit.record(
                user, "mark.make", mark, place=outlet.pk, code=mark.code.code, start=mark.start.isoformat(),
                end=mark.end.isoformat(), factors=mark.factors, late=mark.late, row=position,
                contradictions=[finding["kind"] for finding in mark.contradictions],
                attachment=kept.pk if kept else None,
            )  # fmt: skip
        _again(mark for mark in made if mark.has_effect)
    return made


def withdraw(user: User | None, mark: Mark) -> Mark:
    """Take back a mark that the bureau has not decided about."""
    audit.require(user, MAKE)
    with transaction.atomic():
        row = _locked(user, mark)
        if not row.is_waiting:
            raise ValidationError(_("The bureau has decided about this mark: ask it to take the decision back."))
        had_effect = row.has_effect
        row.state = Mark.State.WITHDRAWN
        row.save(update_fields=["state"])
        audit.record(user, "mark.withdraw", row, place=row.outlet_id)
        _again([row] if had_effect else ())
    return row


def confirm(user: User | None, mark: Mark, note: str = "", *, at: datetime | None = None) -> Mark:
    """Confirm a mark: from now on it does what its code says."""
    return _decide(user, mark, Mark.State.CONFIRMED, note, at)


def refuse(user: User | None, mark: Mark, reason: str, *, at: datetime | None = None) -> Mark:
    """Refuse a mark with a reason that the enterprise reads: it has no effect."""
    if not reason.strip():
        raise ValidationError({"reason": _("Write why the mark is refused: the enterprise reads it.")})
    return _decide(user, mark, Mark.State.REFUSED, reason, at)


def reopen(user: User | None, mark: Mark, reason: str) -> Mark:
    """Take a decision back, with a reason: the mark waits again."""
    audit.require(user, DECIDE)
    if not reason.strip():
        raise ValidationError({"reason": _("Write why the decision is taken back.")})
    with transaction.atomic():
        row = _locked(user, mark)
        if row.state not in (Mark.State.CONFIRMED, Mark.State.REFUSED):
            raise ValidationError(_("There is no decision about this mark that could be taken back."))
        before, row.state = row.state, Mark.State.SUBMITTED
        row.decided_by, row.decided_at, row.reason = None, None, ""
        row.save(update_fields=["state", "decided_by", "decided_at", "reason"])
        audit.record(user, "mark.reopen", row, reason=reason.strip(), place=row.outlet_id, before=before)
        _again([row])
    return row


def confirm_many(user: User, marks: Iterable[Mark], note: str = "") -> tuple[list[Mark], list[str]]:
    """Confirm several marks that nothing speaks against; return what was confirmed and a sentence for each other."""
    audit.require(user, DECIDE)
    confirmed, left = [], []
    with transaction.atomic():
        for mark in sorted(marks, key=lambda row: row.pk):
            row = _locked(user, mark)
            name = f"{row.outlet} {said(row)}"
            if not row.is_waiting:
                left.append(_("%(mark)s: it was decided meanwhile.") % {"mark": name})
            elif row.contradicted or row.late:
                left.append(_("%(mark)s: late or contradictory, look at it first.") % {"mark": name})
            else:
                confirmed.append(_decide(user, row, Mark.State.CONFIRMED, note, None))
    return confirmed, left


# ---- parts -----------------------------------------------------------------------------------------------------------


def _unsaved(user: User | None, outlet: Outlet, row: Wanted, now: datetime, is_demo: bool) -> Mark:
    deadline = row.code.deadline(row.end)
    return Mark(
        outlet=outlet, code=row.code, factors=" ".join(sorted(set(row.factors))), start=row.start, end=row.end,
        explanation=row.explanation.strip(), deadline=deadline, late=now > deadline, edition=row.code.edition,
        made_by=user, made_at=now, is_demo=is_demo,
    )  # fmt: skip


def _refuse(outlet: Outlet, made: Sequence[Mark], now: datetime) -> None:
    """Raise all problems of all rows."""
    if not made:
        raise ValidationError(_("Choose at least one period."))
    if len(made) > MOST:
        raise ValidationError(_("At most %(count)d periods can be marked at once.") % {"count": MOST})
    measured = set(Series.objects.filter(place=outlet.pk).values_list("factor", flat=True))
    held = list(
        Mark.objects.filter(outlet=outlet.pk, state__in=(Mark.State.SUBMITTED, Mark.State.CONFIRMED)).touching(
            min(row.start for row in made), max(row.end for row in made)
        )
    )
    problems = []
    for position, mark in enumerate(made):
        found = _problems(outlet, mark, now, measured)
        same = [other for other in [*held, *made[:position]] if _same(mark, other)]
        if same:
            found.append(_("It is marked with this state already: %(period)s.") % {"period": said(same[0])})
        if found:
            problems.append((position, found))
    if problems:
        raise RowProblemsError(problems)


def _problems(outlet: Outlet, mark: Mark, now: datetime, measured: set[str]) -> list[str]:
    """Return what is wrong with one period."""
    found = []
    step = table.reach().step(outlet.medium)
    if mark.end <= mark.start:
        found.append(_("The period ends before it begins."))
    elif mark.end - mark.start > LONGEST:
        found.append(_("A mark is at most a year long."))
    if mark.end > now:
        found.append(_("The period is not over yet: mark it when it has ended."))
    if any(moment.timestamp() % step.total_seconds() for moment in (mark.start, mark.end)):
        whole = _("whole hours") if step >= timedelta(hours=1) else _("whole minutes")
        found.append(_("Periods of this outlet are marked by %(step)s.") % {"step": whole})
    if not mark.explanation:
        found.append(_("Write what happened."))
    elif len(mark.explanation) > 1000:
        found.append(_("The explanation is longer than %(count)d characters.") % {"count": 1000})
    day = city_day(mark.start)
    sector = table.sector_of(outlet.facility.industry)
    in_force = mark.code.effective_from <= day and (mark.code.effective_to is None or day <= mark.code.effective_to)
    if not mark.code.manual or not in_force or not mark.code.suits(sector, outlet.medium):
        found.append(_("“%(code)s” cannot be stated for this outlet on that day.") % {"code": mark.code})
    if strange := sorted(mark.codes - measured):
        found.append(_("The outlet does not measure %(factors)s.") % {"factors": ", ".join(strange)})
    return found


def _same(one: Mark, other: Mark) -> bool:
    """Tell whether two marks state the same of the same time and factors."""
    shared = not one.factors or not other.factors or one.codes & other.codes
    return bool(shared) and one.code.code == other.code.code and one.start < other.end and one.end > other.start


def _locked(user: User | None, mark: Mark) -> Mark:
    """Return a mark in the user's scope, locked until the transaction ends."""
    rows = Mark.objects if user is None else Mark.objects.visible_to(user)
    return rows.select_for_update(of=("self",)).select_related("code", "outlet").get(pk=mark.pk)


def _decide(user: User | None, mark: Mark, state: str, reason: str, at: datetime | None) -> Mark:
    audit.require(user, DECIDE)
    reason = reason.strip()
    if len(reason) > 500:
        raise ValidationError({"reason": _("The reason is longer than %(count)d characters.") % {"count": 500}})
    with transaction.atomic():
        row = _locked(user, mark)
        if not row.is_waiting:
            raise ValidationError(_("This mark waits for no decision: somebody decided, or it was withdrawn."))
        had_effect = row.has_effect
        row.state, row.reason = state, reason
        row.decided_by, row.decided_at = user, at or timezone.now()
        row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        verb = "mark.confirm" if state == Mark.State.CONFIRMED else "mark.refuse"
        audit.record(
            user, verb, row, reason=reason, place=row.outlet_id, code=row.code.code, late=row.late,
            contradictions=[finding["kind"] for finding in row.contradictions],
        )  # fmt: skip
        _again([row] if had_effect != row.has_effect else ())
    return row


def _again(marks: Iterable[Mark]) -> None:
    """Have hours, days and statistics that marks reach computed again."""
    for mark in marks:
        pending = [(mark.outlet_id, "hour", hour) for hour in hours_of(mark.start, mark.end)]
        pending += [(mark.outlet_id, "day", day) for day in days_of(mark.start, mark.end)]
        store.mark_dirty(pending)
        queue.mark_span([mark.outlet_id], mark.start, mark.end)


def _keep(user: User | None, mark: Mark, file: UploadedFile) -> Attachment:
    """Keep a file with a mark; its kind is recognised by its content."""
    name = files.clean_name(file.name or "")
    if (file.size or 0) > settings.UPLOAD_BYTES:
        limit = settings.UPLOAD_BYTES // 2**20
        raise ValidationError(
            _("“%(name)s” is larger than %(limit)s MB: make it smaller or split it.") % {"name": name, "limit": limit}
        )
    file.seek(0)
    media_type = files.recognise(file, name)
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    row = Attachment(
        name=name, media_type=media_type, size=file.size, sha256=digest.hexdigest(), uploaded_by=user,
        object_type=Mark._meta.label_lower, object_id=str(mark.pk),
    )  # fmt: skip
    row.file.save(name, file, save=False)
    try:
        row.save()
    except BaseException:
        row.file.storage.delete(row.file.name)  # no row, no file
        raise
    return row
