"""Invented manual sampling of the fleet's places (演示数据): plans, samples in every state, results, comparisons.

Everything goes through the verbs of sampling. The results lie near the automatic values of the same time, so that most
comparisons pass; one differs too much. Load it after the history, whose values it stands beside.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from luming.core.models import User
from luming.registry import units as registry_units
from luming.registry.models import Outlet, Place, Station
from luming.standards import sampling as tables
from luming.telemetry import units
from luming.telemetry.sampling import actions, comparing, rounds
from luming.telemetry.sampling.models import Sample, SampleResult, SamplingPlan

SEED = 355
REASON = "演示数据"
ANALYST, SAMPLERS = "演示·检测员", "演示·采样员甲、乙"
NEAR, FAR = 1.03, 1.9  # manual over automatic: passes, fails
# Where the history has nothing beside a sample.
USUAL = {"w01018": 32.0, "w21003": 1.8, "w21011": 0.21, "w01019": 4.1, "a34013": 4.2, "a21026": 14.0, "a21002": 31.0}


@transaction.atomic
def load(today: date | None = None) -> int:
    """Make the demonstration's plans and samples once; return how many samples were numbered."""
    if SamplingPlan.objects.filter(is_demo=True).exists():
        return 0
    today = today or timezone.localdate()
    chance = random.Random(SEED)
    sewage = list(Outlet.objects.filter(is_demo=True, medium="sewage", is_active=True).order_by("code")[:2])
    gas = list(Outlet.objects.filter(is_demo=True, medium="gas", is_active=True).order_by("code")[:1])
    sections = list(Station.objects.filter(is_demo=True, medium="water", is_active=True).order_by("code")[:1])
    if not (sewage and gas and sections):
        return 0
    month_ago = rounds.months_later(today, -1)
    water = _plan("演示·废水自动监测月度比对", sewage, ("w01018", "w21003", "w21011"), month_ago, "month", parallels=1)
    stack = _plan("演示·废气手工比对", gas, ("a34013", "a21026", "a21002"), today - timedelta(days=12), "once")
    river = _plan("演示·断面例行监测", sections, ("w01019", "w21003", "w21011"), today - timedelta(days=9), "month",
                  purpose="routine")  # fmt: skip
    _plan("演示·季度执法监测", sewage, ("w01018",), today + timedelta(days=3), "quarter", purpose="enforcement")
    for plan, day, far in ((water, month_ago, ""), (stack, stack.starts_on, "a21002"), (river, river.starts_on, "")):
        for sample in actions.issue(None, plan, day):
            _through(sample, _noon(day), chance, far)
    _today(actions.issue(None, water, today), chance)
    return Sample.objects.filter(is_demo=True).count()


def _plan(
    name: str, places: Iterable[Place], factors: tuple[str, ...], first: date, frequency: str, **values: Any
) -> SamplingPlan:
    chosen = [Place.objects.get(pk=place.pk) for place in places]
    return actions.create_plan(
        None, places=chosen, reason=REASON, name=name, medium=chosen[0].medium, factors=list(factors),
        frequency=frequency, starts_on=first, note=REASON, is_demo=True, **({"purpose": "comparison"} | values),
    )  # fmt: skip


def _noon(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(10)))


def _today(samples: list[Sample], chance: random.Random) -> None:
    """Leave the samples of today where work waits: one to be reviewed, one to be taken, one on its way."""
    now = timezone.now().replace(second=0, microsecond=0)
    first, *others = samples
    _through(first, now - timedelta(hours=5), chance, review=False)
    for sample in others:
        if sample.control == Sample.Control.PARALLEL:
            _take(sample, now - timedelta(hours=5))
            _step(sample, "handed", now - timedelta(hours=3), to_whom="演示·收样室")


def _through(sample: Sample, start: datetime, chance: random.Random, far: str = "", *, review: bool = True) -> None:
    """Take a sample through custody and analysis; ``far`` is the factor that differs too much."""
    _take(sample, start)
    _step(sample, "handed", start + timedelta(hours=2), to_whom="演示·收样室")
    _step(sample, "received", start + timedelta(hours=3), from_whom=SAMPLERS)
    sample = Sample.objects.select_related("place").get(pk=sample.pk)
    entries = [_entry(sample, factor, chance, FAR if factor == far else NEAR) for factor in sample.factors]
    results = actions.enter_results(None, entries)
    reviewer = User.objects.filter(role="reviewer", is_active=True).order_by("pk").first()
    if review and reviewer is not None:
        for result in results:
            _accept(reviewer, result)


def _take(sample: Sample, start: datetime) -> None:
    place = Place.objects.get(pk=sample.place_id)
    actions.take(
        None, sample, taken_from=start, taken_to=start + timedelta(hours=1), samplers=SAMPLERS, weather="晴",
        flow="工况正常", longitude=place.longitude, latitude=place.latitude, accuracy_m=8.0, note=REASON,
    )  # fmt: skip


def _step(sample: Sample, kind: str, at: datetime, **values: Any) -> None:
    actions.record_custody(None, sample, kind, at=at, temperature_c=4.0, **values)


def _entry(sample: Sample, factor: str, chance: random.Random, ratio: float) -> actions.Entry:
    assert sample.taken_from is not None and sample.taken_to is not None
    medium = sample.place.medium
    unit = registry_units.default(factor, medium)
    beside = comparing.automatic(sample.place_id, factor, sample.taken_from, sample.taken_to)
    value = USUAL[factor]
    if beside is not None and beside.count:
        value = beside.value * units.scale(beside.series.unit, unit)
    method = next(iter(tables.methods(medium, factor, sample.due_on)))
    limit = method.detection_limit or 0.0
    value = max(float(f"{value * ratio * chance.uniform(0.99, 1.01):.3g}"), limit)
    return actions.Entry(
        sample, factor, value, unit, sample.taken_to + timedelta(hours=2, minutes=30), detection_limit=limit or None,
        method=method.edition, analyst=ANALYST, instrument=REASON,
    )  # fmt: skip


def _accept(reviewer: User, result: SampleResult) -> None:
    sample = Sample.objects.get(pk=result.sample_id)
    fresh = SampleResult.objects.get(pk=result.pk)
    actions.review(reviewer, fresh, "accepted", seen=actions.seen_hash(fresh, sample), reason=REASON)
