"""Verbs of sampling: plans, samples, custody, results, reviews; each checks, locks, validates, writes and records.

All raise ``PermissionDenied`` without the permission, ``ValidationError`` (a dictionary of fields) for what is wrong,
and ``Model.DoesNotExist`` for what lies outside the user's scope. ``user=None`` is the platform itself, which plans and
enters, but never reviews: a review is a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.actions import described, differences, facts
from luming.registry.models import Place
from luming.telemetry import store
from luming.telemetry.sampling import chain, comparing, holding, numbering, rounds, rules, steps
from luming.telemetry.sampling.models import (
    CustodyEvent,
    PlanPlace,
    ResultReview,
    Sample,
    SampleResult,
    SamplingPlan,
)
from luming.telemetry.sampling.rules import Entry

PLAN, RESULT, REVIEW = "sample.plan", "sample.result", "sample.review"
Kind = CustodyEvent.Kind


# ---- plans -----------------------------------------------------------------------------------------------------------


def create_plan(user: User | None, *, places: Sequence[Place], reason: str = "", **values: Any) -> SamplingPlan:
    """Make a plan for places of one medium."""
    audit.require(user, PLAN)
    plan = SamplingPlan(**values)
    with transaction.atomic():
        _require_places(user, places)
        _validate(plan, rules.plan(plan.medium, plan.factors, places))
        plan.save(force_insert=True)
        PlanPlace.objects.bulk_create([PlanPlace(plan=plan, place=place) for place in places])
        audit.record(
            user, "samplingplan.create", plan, reason=reason, values=described(plan), places=[p.pk for p in places]
        )
    return plan


def change_plan(
    user: User | None, plan: SamplingPlan, *, places: Sequence[Place] | None = None, reason: str = "", **values: Any
) -> SamplingPlan:
    """Change a plan; samples that have their numbers already stay as they are."""
    audit.require(user, PLAN)
    with transaction.atomic():
        locked = SamplingPlan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
        _require_plan(user, locked)
        before, former = facts(locked), list(locked.places.order_by("pk"))
        for name, value in values.items():
            setattr(locked, name, value)
        wanted = former if places is None else list(places)
        _require_places(user, [place for place in wanted if place not in former])
        changes = differences(before, facts(locked))
        if {place.pk for place in wanted} != {place.pk for place in former}:
            changes["places"] = [[place.pk for place in former], sorted(place.pk for place in wanted)]
        if not changes:
            return locked
        _validate(locked, rules.plan(locked.medium, locked.factors, wanted))
        locked.save()
        PlanPlace.objects.filter(plan=locked).exclude(place__in=wanted).delete()
        PlanPlace.objects.bulk_create([PlanPlace(plan=locked, place=place) for place in wanted if place not in former])
        audit.record(user, "samplingplan.change", locked, reason=reason, changes=changes)
    return locked


def _require_plan(user: User | None, plan: SamplingPlan) -> None:
    if user is not None:
        SamplingPlan.objects.visible_to(user).get(pk=plan.pk)


def _require_places(user: User | None, places: Iterable[Place]) -> None:
    wanted = {place.pk for place in places}
    if user is not None and Place.objects.visible_to(user).filter(pk__in=wanted).count() != len(wanted):
        raise Place.DoesNotExist


def _validate(record: Any, problems: Mapping[str, str]) -> None:
    """Raise everything that is wrong with a record at once."""
    found: dict[str, Any] = {}
    try:
        record.full_clean()
    except ValidationError as error:
        found = error.message_dict
    found |= {name: [text] for name, text in problems.items()}
    if found:
        raise ValidationError(found)


# ---- samples ---------------------------------------------------------------------------------------------------------


def issue(user: User | None, plan: SamplingPlan, day: date) -> list[Sample]:
    """Number the samples of one round of a plan; places that have theirs already are left out.

    Raises
    ------
    ValidationError
        The plan has ended, or has no round on that day.
    """
    audit.require(user, PLAN)
    with transaction.atomic():
        locked = SamplingPlan.objects.select_for_update(of=("self",)).get(pk=plan.pk)
        _require_plan(user, locked)
        if not locked.is_active or day not in rounds.due_dates(locked, day, day):
            raise ValidationError({"day": _("The plan has no round on this day.")})
        issued = set(locked.samples.filter(due_on=day).values_list("place", flat=True))
        places = locked.places.exclude(pk__in=issued).order_by("code")
        if user is not None:
            places = places.filter(pk__in=Place.objects.visible_to(user).values("pk"))
        made = [sample for place in places for sample in _numbered(locked, place, day, 1)]
        if made and not issued:
            made += _controls(locked, made, day)
        for sample in made:
            audit.record(user, "sample.issue", sample, plan=locked.pk, day=day.isoformat())
    return made


def _numbered(plan: SamplingPlan, place: Place, day: date, count: int, **values: Any) -> list[Sample]:
    fields = {"plan": plan, "place": place, "due_on": day, "factors": plan.factors, "is_demo": plan.is_demo} | values
    made = [Sample(number=number, **fields) for number in numbering.numbers(place, day, count)]
    return Sample.objects.bulk_create(made)


def _controls(plan: SamplingPlan, ordinary: Sequence[Sample], day: date) -> list[Sample]:
    """Number the blank and parallel samples of a round: blanks at its first place, parallels at one place each."""
    first, controls = ordinary[0], []
    if plan.blanks:
        controls += _numbered(plan, first.place, day, plan.blanks, control=Sample.Control.BLANK, control_of=first)
    for number in range(plan.parallels):
        of = ordinary[number % len(ordinary)]
        controls += _numbered(plan, of.place, day, 1, control=Sample.Control.PARALLEL, control_of=of)
    return controls


def add_sample(
    user: User | None,
    *,
    place: Place,
    due_on: date,
    factors: Sequence[str],
    control_of: Sample | None = None,
    reason: str = "",
    **values: Any,
) -> Sample:
    """Number a sample outside any plan, such as after a complaint, or a control of another sample."""
    audit.require(user, PLAN)
    with transaction.atomic():
        _require_places(user, [place])
        problems = rules.factor_problems(factors)
        control = values.get("control", Sample.Control.NONE)
        if (control_of is None) != (control in (Sample.Control.NONE, Sample.Control.BLANK)) and control_of is None:
            problems["control_of"] = _("Name the sample that this one belongs to.")
        if control_of is not None and control_of.place_id != place.pk:
            problems["control_of"] = _("That sample is of another place.")
        number = numbering.numbers(place, due_on)[0]
        sample = Sample(number=number, place=place, due_on=due_on, factors=list(factors), control_of=control_of)
        for name, value in values.items():
            setattr(sample, name, value)
        _validate(sample, problems)
        sample.save(force_insert=True)
        audit.record(user, "sample.create", sample, reason=reason, values=described(sample))
    return sample


# ---- custody ---------------------------------------------------------------------------------------------------------

_MINUTE = timedelta(minutes=1)
_TAKING = ("samplers", "weather", "flow", "kind", "preservation", "note", "longitude", "latitude", "accuracy_m")


def take(user: User | None, sample: Sample, *, taken_from: datetime, taken_to: datetime, **values: Any) -> CustodyEvent:
    """Record that a sample was taken: when, by whom, in which weather and flow, and where if the phone may say so.

    ``values``: samplers, weather, flow, kind, preservation, note, longitude, latitude, accuracy_m, temperature_c.
    """
    audit.require(user, PLAN)
    with transaction.atomic():
        locked = _locked(user, sample)
        event = _step(locked, Kind.TAKEN, taken_to, temperature_c=values.pop("temperature_c", None))
        problems = rules.step(locked, event, None) | rules.period(taken_from, taken_to)
        for name in _TAKING:
            if name in values:
                setattr(locked, name, values[name])
        locked.taken_from, locked.taken_to, locked.taken_by = taken_from, taken_to, user
        event.preservation, event.from_whom = locked.preservation, locked.samplers
        event.facts = {
            "from": taken_from.isoformat(), "to": taken_to.isoformat(), "kind": locked.kind, "factors": locked.factors,
            "longitude": locked.longitude, "latitude": locked.latitude,
        }  # fmt: skip
        if not locked.samplers:
            problems["samplers"] = _("Name who took the sample.")
        return _sign(user, locked, event, problems)


def record_custody(
    user: User | None, sample: Sample, kind: str, *, at: datetime | None = None, **values: Any
) -> CustodyEvent:
    """Sign the next step of a sample's custody.

    Parameters
    ----------
    at : when it was done; now when it is left out.
    values : from_whom, to_whom, temperature_c, preservation, reason.
    """
    audit.require(user, PLAN)
    if kind == Kind.TAKEN or kind not in Kind.values:
        raise ValidationError({"kind": _("There is no such step.")})
    with transaction.atomic():
        locked = _locked(user, sample)
        before = locked.custody.order_by("-sequence").first()
        at = at or timezone.now()
        if before is not None and timedelta() < before.at - at < _MINUTE:  # forms know no seconds
            at = before.at
        event = _step(locked, kind, at, **values)
        return _sign(user, locked, event, rules.step(locked, event, before))


def _locked(user: User | None, sample: Sample) -> Sample:
    locked = Sample.objects.select_for_update(of=("self",)).select_related("place").get(pk=sample.pk)
    if user is not None:
        Sample.objects.visible_to(user).get(pk=locked.pk)
    return locked


def _step(sample: Sample, kind: str, at: datetime, **values: Any) -> CustodyEvent:
    if values.get("temperature_c") is not None:
        values["temperature_c"] = float(values["temperature_c"])  # as the database gives it back, for the hash
    return CustodyEvent(sample=sample, kind=kind, at=at, **values)


def _sign(user: User | None, sample: Sample, event: CustodyEvent, problems: Mapping[str, str]) -> CustodyEvent:
    """Sign a step with the hash of the one before, and leave the sample in the state it leads to."""
    before = sample.custody.order_by("-sequence").first()
    event.sequence = 1 if before is None else before.sequence + 1
    event.previous_hash = "" if before is None else before.hash
    event.signed_by, event.signed_name, event.signed_at = user, str(user) if user else "system", timezone.now()
    event.hash = chain.sign(event, sample.number)
    sample.state = event.kind
    _validate(event, problems)
    _validate(sample, {})
    sample.save()
    event.save(force_insert=True)
    audit.record(user, f"sample.{event.kind}", sample, reason=event.reason, step=event.sequence, hash=event.hash)
    return event


# ---- results ---------------------------------------------------------------------------------------------------------


def enter_results(user: User | None, entries: Sequence[Entry]) -> list[SampleResult]:
    """Enter results, all of them or none; what says nothing new is left out. Returns the new revisions.

    Raises
    ------
    ValidationError
        With the keys ``"<position of the entry>.<field>"`` of everything that is wrong.
    """
    audit.require(user, RESULT)
    with transaction.atomic():
        held = _samples_of(user, entries)
        problems: dict[str, str] = {}
        made: list[SampleResult] = []
        for position, entry in enumerate(entries):
            sample, latest = held[entry.sample.pk]
            revised = latest.get(entry.factor)
            if rules.is_same(entry, revised):
                continue
            wrong = rules.result(_replaced(entry, sample), revised)
            if wrong:
                problems |= {f"{position}.{name}": text for name, text in wrong.items()}
                continue
            latest[entry.factor] = _stored(user, sample, entry, revised)
            made.append(latest[entry.factor])
        if problems:
            raise ValidationError(problems)
        for sample, latest in held.values():
            if latest.keys() >= set(sample.factors) and sample.state in steps.WAITING:
                _analysed(user, sample, latest.values())
    return made


def _replaced(entry: Entry, sample: Sample) -> Entry:
    """Return an entry about the locked sample."""
    return Entry(sample, *(getattr(entry, name) for name in Entry.__slots__[1:]))


def _samples_of(user: User | None, entries: Sequence[Entry]) -> dict[int, tuple[Sample, dict[str, SampleResult]]]:
    """Lock the samples of entries, always in one order; return each with the latest revision of its factors."""
    wanted = {entry.sample.pk for entry in entries}
    locked = Sample.objects.select_for_update(of=("self",)).select_related("place").filter(pk__in=wanted)
    held: dict[int, tuple[Sample, dict[str, SampleResult]]] = {row.pk: (row, {}) for row in locked.order_by("pk")}
    if user is not None and Sample.objects.visible_to(user).filter(pk__in=wanted).count() != len(wanted):
        raise Sample.DoesNotExist
    for row in SampleResult.objects.filter(sample__in=wanted).select_related("review").order_by("revision"):
        held[row.sample_id][1][row.factor] = row
    return held


def _stored(user: User | None, sample: Sample, entry: Entry, revised: SampleResult | None) -> SampleResult:
    assert sample.taken_to is not None
    rule = holding.rules(sample.place.medium, [entry.factor], sample.taken_to).get(entry.factor)
    values = {name: getattr(entry, name) for name in Entry.__slots__ if name != "sample"}
    row = SampleResult(
        sample=sample,
        revision=0 if revised is None else revised.revision + 1,
        holding_hours=round(max(0.0, (entry.analysed_at - sample.taken_to).total_seconds()) / 3600, 3),
        holding_allowed=rule.hours if rule else None,
        holding_rule=rule.source if rule else "",
        entered_by=user,
        entered_at=timezone.now(),
        **values,
    )
    _validate(row, {})
    row.save(force_insert=True)
    audit.record(
        user, "sample.result", sample, reason=entry.reason, factor=row.factor, revision=row.revision, value=row.value,
        below_detection=row.below_detection, unit=row.unit, withdrawn=row.withdrawn,
    )  # fmt: skip
    return row


def _analysed(user: User | None, sample: Sample, results: Iterable[SampleResult]) -> None:
    """Sign that a sample is analysed, once all of its factors have results."""
    before = sample.custody.order_by("-sequence").first()
    finished = max(row.analysed_at for row in results)
    event = _step(sample, Kind.ANALYSED, max(finished, before.at) if before else finished)
    event.facts = {"analysed_at": finished.isoformat()}
    _sign(user, sample, event, {})


# ---- review ----------------------------------------------------------------------------------------------------------


def review(user: User, result: SampleResult, decision: str, *, seen: str, reason: str = "") -> ResultReview:
    """Accept or return one revision of a result; never one's own (四眼原则).

    Parameters
    ----------
    seen : hash of what the reviewer had on the page (:func:`luming.telemetry.sampling.chain.seen`); a review of
        something else than what is stored now is refused.

    Raises
    ------
    PermissionDenied
        Without the permission, or for whoever entered or analysed it.
    ValidationError
        It was reviewed before, a later revision exists, something changed since it was looked at, or a reason is
        missing (to return it, or to accept it although the sample waited too long).
    """
    audit.require(user, REVIEW)
    if user is None:
        raise PermissionDenied(_("A result is reviewed by a person."))
    if decision not in ResultReview.Decision.values:
        raise ValidationError({"decision": _("Accept the result or return it.")})
    with transaction.atomic():
        sample = _locked(user, Sample(pk=result.sample_id))
        row = SampleResult.objects.get(pk=result.pk)
        if user.pk == row.entered_by_id or (row.analyst and row.analyst == user.name):
            raise PermissionDenied(_("Another person must review what you entered or analysed yourself."))
        problems = _reviewable(row, sample, seen, decision, reason.strip())
        if problems:
            raise ValidationError(problems)
        made = ResultReview.objects.create(
            result=row, decision=decision, reason=reason.strip(), reviewed_by=user, reviewed_at=timezone.now(),
            seen_hash=seen,
        )  # fmt: skip
        audit.record(
            user, "sample.review", sample, reason=made.reason, factor=row.factor, revision=row.revision,
            decision=decision, seen=seen,
        )  # fmt: skip
        if decision == ResultReview.Decision.ACCEPTED:
            _now_counts(sample, row)
    return made


def _reviewable(row: SampleResult, sample: Sample, seen: str, decision: str, reason: str) -> dict[str, str]:
    problems = {}
    if ResultReview.objects.filter(result=row).exists():
        problems["result"] = _("This result was reviewed already.")
    elif SampleResult.objects.filter(sample=sample, factor=row.factor, revision__gt=row.revision).exists():
        problems["result"] = _("A later revision of this result exists: review that one.")
    elif seen != seen_hash(row, sample):
        problems["seen"] = _("Something changed since you looked at it: look again.")
    if decision == ResultReview.Decision.ACCEPTED and sample.state == Sample.State.REJECTED:
        text = _("The sample is “%(state)s”: it has no results.")
        problems["decision"] = text % {"state": sample.get_state_display()}
    if decision == ResultReview.Decision.RETURNED and not reason:
        problems["reason"] = _("Say why the result is returned.")
    if decision == ResultReview.Decision.ACCEPTED and row.is_late and not reason:
        problems["reason"] = _("The sample waited longer than allowed: say why the result is accepted.")
    return problems


def seen_hash(result: SampleResult, sample: Sample) -> str:
    """Return the hash that a review of a result must name."""
    last = sample.custody.order_by("-sequence").values_list("hash", flat=True).first()
    return chain.seen(result, sample, last or "")


def _now_counts(sample: Sample, row: SampleResult) -> None:
    """Compare with the automatic series, and have statistics of the sampling period computed again."""
    if sample.control != Sample.Control.NONE:
        return
    comparing.compare(row, sample)
    assert sample.taken_from is not None and sample.taken_to is not None
    hour = sample.taken_from.replace(minute=0, second=0, microsecond=0)
    marks = []
    while hour <= sample.taken_to and len(marks) < _MOST_HOURS:
        marks.append((sample.place_id, "hour", hour))
        hour += timedelta(hours=1)
    store.mark_dirty(marks)


_MOST_HOURS = 24 * 31
