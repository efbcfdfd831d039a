"""Verbs of review: each checks permission and scope, locks the day, changes it and writes the audit row.

All raise ``PermissionDenied`` without the permission, ``ValidationError`` with sentences for what is wrong, and
``Model.DoesNotExist`` for what lies outside the user's scope. :class:`ChangedError` says that the data is not what the
person saw. The enterprises' side is in :mod:`luming.telemetry.review.asking`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.models import Place, Series
from luming.telemetry import store
from luming.telemetry.review import asking, deciding, rules, seen, sound
from luming.telemetry.review.models import (
    Action,
    Countersignature,
    Decision,
    Draft,
    ReasonCode,
    Review,
    ReviewDay,
    Scope,
)

PERMISSION = "review.decide"
State = ReviewDay.State
_COPIED = ("series", "start", "end", "action", "code", "reason", "method", "value", "other")


class ChangedError(ValidationError):
    """The data changed between looking and signing."""


# ---- opening and drafts ----------------------------------------------------------------------------------------------


def open_day(user: User | None, place: Place, day: date) -> ReviewDay:
    """Put a day into the queue that it does not hold yet, as when somebody looks at an older one."""
    audit.require(user, PERMISSION)
    if user is not None:
        Place.objects.visible_to(user).get(pk=place.pk)
    if day > timezone.localdate():
        raise ValidationError(_("This day has not begun yet."))
    with transaction.atomic():
        deadline = rules.of_place(rules.rules(day), place).deadline(day)
        row, is_new = ReviewDay.objects.get_or_create(place=place, day=day, defaults={"deadline": deadline})
        if is_new:
            audit.record(user, "review.open", row)
    return row


def save_draft(
    user: User,
    day: ReviewDay,
    series: Iterable[int],
    start: datetime,
    end: datetime,
    action: str,
    code: ReasonCode,
    *,
    reason: str = "",
    method: str = "",
    value: float | None = None,
    other: Series | None = None,
) -> list[Draft]:
    """Keep a decision on a period of one or several series in the user's workspace; returns its rows.

    Nothing is official before it is submitted. A later draft holds against an earlier one where they overlap. Without
    words of one's own the reason is that of the code.
    """
    audit.require(user, PERMISSION)
    with transaction.atomic():
        row = _locked(user, day)
        _require_waiting(row)
        chosen = list(Series.objects.filter(pk__in=set(series), place=row.place_id).exclude(interval="day"))
        if not chosen:
            raise ValidationError(_("Choose a period of a factor first."))
        if other is not None and user is not None:
            Series.objects.visible_to(user).get(pk=other.pk)
        step = (Draft.objects.filter(day=row, user=user).aggregate(last=Max("step"))["last"] or 0) + 1
        words = reason.strip() or code.name_zh
        drafts = [
            Draft(
                day=row, user=user, step=step, series=one, start=start, end=end, action=action, code=code, reason=words,
                method=method, value=value, other=other,
            )
            for one in chosen
        ]  # fmt: skip
        for draft in drafts:
            sound.require(draft, row, typed=bool(reason.strip()))
        _take(user, row)
        drafts = Draft.objects.bulk_create(drafts)
        audit.record(user, "review.draft", row, action=action, code=code.code, series=[one.pk for one in chosen])
    return drafts


def discard(user: User, day: ReviewDay, *, step: int | None = None, everything: bool = False) -> int:
    """Take back the last step of the user's drafts, a given one, or all of them; returns how many rows went."""
    audit.require(user, PERMISSION)
    with transaction.atomic():
        row = _locked(user, day)
        mine = Draft.objects.filter(day=row, user=user)
        if not everything:
            mine = mine.filter(step=step if step is not None else mine.aggregate(last=Max("step"))["last"])
        gone, _models = mine.delete()
        if gone:
            audit.record(user, "review.discard", row, rows=gone)
    return gone


# ---- signing ---------------------------------------------------------------------------------------------------------


def submit(user: User, day: ReviewDay, fingerprint: str, *, note: str = "", batch: uuid.UUID | None = None) -> Review:
    """Sign the day: the drafts become decisions, and verdicts where no second signature is needed.

    Parameters
    ----------
    fingerprint : of the values that the page showed (``Sight.fingerprint``).

    Raises
    ------
    ChangedError
        The values, marks or verdicts are not those that the page showed.
    """
    audit.require(user, PERMISSION)
    with transaction.atomic():
        row = _locked(user, day)
        _require_waiting(row)
        drafts = list(Draft.objects.filter(day=row, user=user).select_related("series", "code", "other"))
        at, sights = _look(row, drafts)
        if sights[0].fingerprint() != fingerprint:
            raise ChangedError(
                _("The data of this day has changed since you opened it. Look at what is marked as new.")
            )
        _require_decided(drafts, sights)
        review = _sign(user, row, drafts, sights, at, note, batch)
        Draft.objects.filter(day=row, user=user).delete()
        row.state, row.finished_at = State.SUBMITTED, row.finished_at or at
        row.assigned_to, row.awaits_second = user, review.needs_second
        row.grounds = []
        if not review.needs_second:
            _apply(review, row, sights)
        row.save()
        audit.record(
            user, "review.submit", row, review=review.pk, number=review.number, hash=review.hash,
            decisions=len(drafts), needs_second=review.needs_second,
        )  # fmt: skip
    return review


def submit_quiet(user: User, fingerprints: Mapping[int, str], *, note: str = "") -> tuple[list[Review], list[str]]:
    """Sign many days on which nothing spoke, each with its own document and hash; returns reviews and refusals.

    ``fingerprints`` are day id -> what the list showed. A day that is not quiet any more is left for a person's eye.
    """
    audit.require(user, PERMISSION)
    batch, signed, refused = uuid.uuid4(), [], []
    days = ReviewDay.objects.visible_to(user).filter(pk__in=fingerprints).select_related("place").order_by("pk")
    with transaction.atomic():
        # All locks at once, in one order: two people who sign overlapping lists wait for each other, and go on.
        store.hold_verdicts(_hourly(day.place_id for day in days))
        for day in days:
            if not day.is_quiet or Draft.objects.filter(day=day).exists():
                refused.append(_("%(day)s: something spoke there, or somebody works on it.") % {"day": day})
                continue
            try:
                with transaction.atomic():
                    signed.append(submit(user, day, fingerprints[day.pk], note=note, batch=batch))
            except ValidationError as error:
                refused.append(f"{day}: {' '.join(error.messages)}")
    return signed, refused


def countersign(user: User, review: Review) -> Countersignature:
    """Sign a review as the second person: its decisions become verdicts.

    Raises
    ------
    ChangedError
        The values are not those that the first person saw: send it back.
    """
    audit.require(user, PERMISSION)
    with transaction.atomic():
        row = _locked(user, review.day)
        newest = _require_awaiting(user, row, review)
        scopes = list(newest.decisions.select_related("series", "code", "other"))
        _at, sights = _look(row, scopes)
        signed = {line for line in seen.text_of(newest).splitlines() if line.startswith("value\t")}
        if signed != {line for sight in sights for line in sight.lines()}:
            raise ChangedError(_("The data has changed since the first signature: send the day back with this reason."))
        made = Countersignature.objects.create(review=newest, user=user, accepted=True)
        row.state, row.awaits_second = State.COUNTERSIGNED, False
        _apply(newest, row, sights)
        row.save()
        audit.record(user, "review.countersign", row, review=newest.pk, hash=newest.hash)
    return made


def send_back(user: User, review: Review, reason: str) -> Countersignature:
    """Refuse the second signature with a reason: the day is reopened, and the decisions are drafts again."""
    audit.require(user, PERMISSION)
    _require_reason(reason)
    with transaction.atomic():
        row = _locked(user, review.day)
        newest = _require_awaiting(user, row, review)
        made = Countersignature.objects.create(review=newest, user=user, accepted=False, reason=reason.strip())
        if newest.user is not None:
            _drafts_again(newest, row, newest.user)
        _reopen(row, "sent-back")
        audit.record(user, "review.send-back", row, reason=reason.strip(), review=newest.pk, hash=newest.hash)
    return made


def reopen(user: User | None, day: ReviewDay, reason: str, *, ground: str = "") -> ReviewDay:
    """Take a submitted day up again; what was signed stands until something else is signed."""
    audit.require(user, PERMISSION)
    _require_reason(reason)
    with transaction.atomic():
        row = _locked(user, day)
        if row.is_waiting:
            raise ValidationError(_("This day is open already."))
        _reopen(row, ground)
        audit.record(user, "review.reopen", row, reason=reason.strip())
    return row


# ---- how -------------------------------------------------------------------------------------------------------------


def _locked(user: User | None, day: ReviewDay) -> ReviewDay:
    """Return the day, locked until the transaction ends; outside the user's scope there is none."""
    if user is not None:
        Place.objects.visible_to(user).get(pk=day.place_id)
    return ReviewDay.objects.select_for_update(of=("self",)).select_related("place__station").get(pk=day.pk)


def _hourly(place_ids: Iterable[int]) -> list[int]:
    rows = Series.objects.filter(place__in=set(place_ids), interval="hour")
    return list(rows.values_list("pk", flat=True))


def _require_waiting(day: ReviewDay) -> None:
    if not day.is_waiting:
        name = day.assigned_to.name if day.assigned_to else "—"
        raise ValidationError(
            _("%(name)s has submitted this day already. Reopen it with a reason to decide again.") % {"name": name}
        )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ValidationError(_("Say why."))


def _require_awaiting(user: User, day: ReviewDay, review: Review) -> Review:
    """Return the newest review of a day that awaits a second signature by somebody else than its signer."""
    newest = Review.objects.filter(day=day).order_by("-number").first()
    if not day.awaits_second or newest is None or newest.pk != review.pk:
        raise ValidationError(_("This review does not wait for a second signature any more."))
    if newest.user_id == user.pk:
        raise ValidationError(_("Four eyes: somebody else than the first signer must sign."))
    return newest


def _take(user: User, day: ReviewDay) -> None:
    """Note that a person has begun to work on a day."""
    if day.state == State.WORKING and day.assigned_to_id == user.pk:
        return
    if day.state != State.WORKING:
        audit.record(user, "review.open", day, state=day.state)
    day.state, day.assigned_to = State.WORKING, user
    day.save(update_fields=["state", "assigned_to"])


def _look(day: ReviewDay, scopes: Sequence[Scope]) -> tuple[datetime, list[seen.Sight]]:
    """Return the instant and what stands then: the hours of the day, then finer periods that are decided on.

    Verdicts of these series wait until the transaction ends, so that what is stored later bears a later time.
    """
    series = seen.series_of_day(day.place_id)
    at = store.hold_verdicts([*(one.pk for one in series), *(scope.series_id for scope in scopes)])
    return at, [seen.look(series, day.start, day.end, as_of=at), *seen.look_finer(scopes, as_of=at)]


def _require_decided(drafts: Sequence[Draft], sights: Sequence[seen.Sight]) -> None:
    holds = deciding.holding(drafts, sights)
    left = [value for key, value in sights[0].values.items() if seen.spoke(value) and key not in holds]
    if left:
        raise ValidationError(
            _("Suspect values without a decision: %(count)d. Accept them, refuse them, or ask about them.")
            % {"count": len(left)}
        )


def _sign(
    user: User, day: ReviewDay, drafts: Sequence[Draft], sights: Sequence[seen.Sight], at: datetime, note: str,
    batch: uuid.UUID | None,
) -> Review:  # fmt: skip
    before = Review.objects.filter(day=day).order_by("-number").first()
    previous = before.hash if before else ""
    lines = [line for sight in sights for line in sight.lines()]
    text = seen.document(day.place, day.day, at, user, previous, lines, drafts)
    rule = rules.of_place(rules.rules(day.day), day.place)
    review = Review.objects.create(
        day=day, number=before.number + 1 if before else 1, user=user, at=at, hash=seen.digest(text), previous=previous,
        document=seen.packed(text), needs_second=rule.four_eyes, batch=batch, note=note.strip(),
    )  # fmt: skip
    holds = deciding.holding(drafts, sights)
    counts: dict[int, int] = {}
    for scope in holds.values():
        counts[scope.pk] = counts.get(scope.pk, 0) + 1
    Decision.objects.bulk_create(
        Decision(review=review, periods=counts.get(draft.pk, 0), **{name: getattr(draft, name) for name in _COPIED})
        for draft in drafts
    )
    return review


def _apply(review: Review, day: ReviewDay, sights: Sequence[seen.Sight]) -> None:
    """Make the decisions of a signed review official: verdicts, questions, marks for what must be computed again."""
    scopes = list(review.decisions.select_related("series", "code", "other"))
    holds = deciding.holding(scopes, sights)
    rows = deciding.verdict_rows(holds, sights, f"review:{review.pk}", deciding.other_values(scopes))
    store.write_verdicts(rows, person_id=review.user_id)
    deciding.dirty(rows, scopes)
    for scope in scopes:
        if scope.action == Action.ASK:
            asking.ask(review.user, day, scope.series, scope.start, scope.end, scope.reason)
    after = sights[0] if not rows else seen.look_at_day(day)
    day.standing = after.standing()


def _reopen(day: ReviewDay, ground: str) -> None:
    from luming.telemetry.review.importance import POINTS

    day.state, day.awaits_second = State.REOPENED, False
    if ground:
        day.grounds = [row for row in day.grounds if row[0] != ground] + [[ground, 1, POINTS[ground][0]]]
        day.importance = sum(row[2] for row in day.grounds)
    day.save(update_fields=["state", "awaits_second", "grounds", "importance"])


def _drafts_again(review: Review, day: ReviewDay, user: User) -> None:
    """Give the first signer the decisions back as drafts, so that nothing must be entered again."""
    rows = review.decisions.select_related("series", "code", "other")
    Draft.objects.filter(day=day, user=user).delete()
    Draft.objects.bulk_create(
        Draft(day=day, user=user, step=step, **{name: getattr(row, name) for name in _COPIED})
        for step, row in enumerate(rows, 1)
    )
