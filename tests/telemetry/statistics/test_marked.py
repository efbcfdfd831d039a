"""Marks of enterprises in statistics: what stood still, what is missing as its code says, and as of a past moment."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from luming.registry.models import Place
from luming.telemetry.marks import actions, seeding
from luming.telemetry.marks.models import MarkCode
from luming.telemetry.statistics import loading

from .conftest import midnight

DAY = "2026-07-01"
HOUR = timedelta(hours=1)


@pytest.fixture
def bench(outlet):
    seeding.seed()
    found = outlet({"a21026": "mg/m³", "a34013": "mg/m³"})
    for factor in ("a21026", "a34013"):
        found.send(factor, midnight(DAY), [10.0] * 24, amounts=[1.0] * 24)
    return found


def mark(bench, code, first, last, factors=()):
    wanted = actions.Wanted(
        MarkCode.objects.get(code=code), midnight(DAY) + first * HOUR, midnight(DAY) + last * HOUR, "t", factors
    )
    [made] = actions.make(None, bench.place, [wanted])
    return made


def test_hours_out_of_operation_emit_nothing_and_are_not_asked_for(bench):
    bench.run()
    assert bench.figure("a21026", DAY, "amount").value == pytest.approx(24)
    made = mark(bench, "stopped", 0, 6)
    bench.run()
    assert bench.figure("a21026", DAY, "amount").value == pytest.approx(24)  # not confirmed
    actions.confirm(None, made)
    bench.run()
    assert bench.figure("a21026", DAY, "amount").value == pytest.approx(18)
    capture = bench.figure("a21026", DAY, "capture")
    assert (capture.count, capture.required, capture.value) == (18, 18, 100.0)
    actions.reopen(None, made, "t")
    bench.run()
    assert bench.figure("a21026", DAY, "amount").value == pytest.approx(24)


def test_silent_hours_that_stood_still_lack_nothing(bench):
    day = "2026-07-02"
    bench.send("a21026", midnight(day), [10.0] * 18, amounts=[1.0] * 18)
    bench.run()
    before = bench.figure("a21026", day, "capture")
    assert (before.count, before.required) == (18, 24)
    actions.confirm(None, mark(bench, "stopped", 42, 48))
    bench.run()
    after = bench.figure("a21026", day, "capture")
    assert (after.count, after.required) == (18, 18)


def test_hours_of_a_device_in_maintenance_are_missing_for_their_factor(bench):
    actions.confirm(None, mark(bench, "maintenance", 0, 2, ("a21026",)))
    actions.confirm(None, mark(bench, "banked", 4, 6))  # real emissions, whatever is decided about limits
    bench.run()
    assert bench.figure("a21026", DAY, "amount").value == pytest.approx(22)
    assert bench.figure("a34013", DAY, "amount").value == pytest.approx(24)
    assert bench.figure("a21026", DAY, "capture").count == 22


def test_what_was_in_force_at_a_past_moment(bench):
    made = mark(bench, "stopped", 0, 6)
    waiting = timezone.now()
    actions.confirm(None, made)
    confirmed = timezone.now()
    actions.reopen(None, made, "t")
    places = {bench.place.pk: Place.objects.get(pk=bench.place.pk)}

    def stopped(as_of):
        found = loading.load(places, midnight(DAY), midnight("2026-07-02"), as_of=as_of)
        return [int(np.sum(one.hours.letters == "F")) for one in found]

    assert (stopped(waiting), stopped(confirmed), stopped(None)) == ([0, 0], [6, 6], [0, 0])
