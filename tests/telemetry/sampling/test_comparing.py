"""A manual result beside the automatic values of the same time."""

from datetime import timedelta

import pytest
from django.db import connection

from luming.standards import comparison
from luming.telemetry.sampling import actions, comparing
from luming.telemetry.sampling.models import Comparison, SampleResult

pytestmark = pytest.mark.usefixtures("empty_store")
HOUR = timedelta(hours=1)


@pytest.fixture
def taken(sample, people, make):
    return make.taken(people, sample, length=3 * HOUR)  # five to two hours ago


def accept(people, entry):
    [result] = actions.enter_results(people.reviewer, [entry])
    seen = actions.seen_hash(result, result.sample)
    actions.review(people.second, result, "accepted", seen=seen)
    return Comparison.objects.filter(sample=entry.sample, factor=entry.factor).order_by("-number").first()


@pytest.mark.parametrize(
    ("manual", "automatic", "error", "allowed", "relative", "outcome"),
    [  # HJ 355-2019 table 1 (from memory): COD < 30 mg/L ±5 mg/L; 30–60 ±30 %; 60–100 ±20 %; ≥ 100 ±15 %
        (25.0, 29.0, 4.0, 5.0, False, "passed"),
        (25.0, 31.0, 6.0, 5.0, False, "failed"),
        (50.0, 64.0, 28.0, 30.0, True, "passed"),
        (80.0, 63.0, -21.25, 20.0, True, "failed"),
        (200.0, 229.0, 14.5, 15.0, True, "passed"),
    ],
)
def test_waste_water_is_judged_pair_by_pair(taken, people, make, manual, automatic, error, allowed, relative, outcome):
    make.observe(taken.place, "w01018", [automatic] * 8)
    row = accept(people, make.entry(taken, value=manual))
    assert (row.manual, row.automatic, row.error, row.allowed) == (manual, automatic, error, allowed)
    assert (row.relative, row.outcome, row.count, row.expected) == (relative, outcome, 3, 3)
    assert row.edition == "HJ 355-2019" and row.clause and row.verified is False


def test_the_mean_is_of_what_counts_in_the_sampling_period(taken, people, make):
    # the last value is of the present hour; the sample was taken from five to two hours ago
    make.observe(taken.place, "w01018", [1000, 1000, 40, 50, 60, 1000, 1000, 1000][:8])
    row = accept(people, make.entry(taken, value=50.0))
    assert (row.automatic, row.count, row.outcome) == (50.0, 3, "passed")


def test_what_the_device_marks_does_not_count(taken, people, make):
    make.observe(taken.place, "w01018", [50.0] * 8, flag="D")
    row = accept(people, make.entry(taken, value=50.0))
    assert (row.outcome, row.why, row.automatic) == ("unknown", "no-automatic", None)


def test_a_grab_sample_is_compared_with_the_period_that_holds_it(sample, people, make):
    make.taken(people, sample, ago=4 * HOUR - timedelta(minutes=20), length=timedelta())
    make.observe(sample.place, "w01018", [1, 2, 3, 4, 5, 6])
    found = comparing.automatic(sample.place_id, "w01018", sample.taken_from, sample.taken_to)
    assert (found.value, found.count, found.expected) == (2.0, 1, 1)


def test_units_are_converted_and_below_detection_is_not_compared(taken, people, make):
    make.observe(taken.place, "w21003", [2500.0] * 8, unit="µg/L")
    row = accept(people, make.entry(taken, "w21003", 2.6))
    assert (row.unit, row.automatic, row.outcome) == ("mg/L", 2.5, "passed")
    below = make.entry(taken, "w21003", None, below_detection=True, detection_limit=0.025, reason="更正")
    row = accept(people, below)
    assert (row.number, row.outcome, row.why) == (1, "unknown", "below-detection")


def test_a_factor_without_a_rule_or_a_series_is_not_judged(taken, people, make):
    taken.factors = ["w01018", "w01012"]
    taken.save()
    make.observe(taken.place, "w01012", [10.0] * 8)
    row = accept(people, make.entry(taken, "w01012", 11.0))
    assert (row.outcome, row.why) == ("unknown", "no-rule")
    assert accept(people, make.entry(taken)) is None  # nothing automatic is registered


def test_acceptance_marks_the_hours_for_the_statistics(taken, people, make):
    accept(people, make.entry(taken))
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT count(*) FROM telemetry_dirty WHERE place_id = %s AND "interval" = %s', [taken.place_id, "hour"]
        )
        assert cursor.fetchone()[0] == 4  # three whole hours and the one that begins at the end


def test_gas_of_high_concentration_asks_for_several_pairs(people, make, outlet):
    stack = make.outlet("G1", number="DA001", medium="gas")
    make.observe(stack, "a21026", [800.0] * 30, unit="mg/m³")
    plan = actions.create_plan(
        people.duty, places=[stack], name="比对", medium="gas", factors=["a21026"], purpose="comparison",
        frequency="once", starts_on=make.hour.date(), parallels=0,
    )  # fmt: skip
    rows = []
    enough = comparison.PAIRS_OF_ACCURACY
    for number in range(enough):
        sample = actions.add_sample(people.duty, place=stack, due_on=plan.starts_on, factors=["a21026"], plan=plan)
        make.taken(people, sample, ago=(20 - number) * HOUR)
        value = 800.0 + (number % 3 - 1) * 10
        rows.append(accept(people, make.entry(sample, "a21026", value, unit="mg/m³", method="HJ 57-2017")))
    assert [(row.outcome, row.why) for row in rows[:-1]] == [("unknown", "pairs")] * (enough - 1)
    assert (rows[-1].outcome, rows[-1].pairs, rows[-1].allowed) == ("passed", enough, 15.0)
    assert 0 < rows[-1].error < 3
    assert SampleResult.objects.count() == enough
