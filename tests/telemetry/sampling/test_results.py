"""Results, their review by another person, and what counts of them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from luming.core.models import AuditEntry
from luming.telemetry.sampling import actions, holding, reading
from luming.telemetry.sampling.models import Comparison, PreservationRule, ResultReview, Sample, SampleResult
from luming.telemetry.store.verdicts import Origin

pytestmark = pytest.mark.usefixtures("empty_store")
DAY = timedelta(days=1)


@pytest.fixture
def taken(sample, people, make):
    return make.taken(people, sample)


def accept(user, result, **values):
    fresh = SampleResult.objects.select_related("sample").get(pk=result.pk)
    return actions.review(user, fresh, "accepted", seen=actions.seen_hash(fresh, fresh.sample), **values)


def counted(sample, **values):
    rows = reading.accepted([sample.place_id], None, sample.taken_from - DAY, sample.taken_from + DAY, **values)
    return {row.factor: row for row in rows}


def test_an_accepted_result_counts_as_manual(taken, people, make):
    [result] = actions.enter_results(people.reviewer, [make.entry(taken)])
    assert counted(taken) == {}  # entered is not accepted
    accept(people.second, result)
    row = counted(taken)["w01018"]
    assert (row.value, row.unit, row.sample_number, row.revision) == (40.0, "mg/L", taken.number, 0)
    assert (row.start, row.end) == (taken.taken_from, taken.taken_to)
    assert reading.ORIGIN is Origin.MANUAL
    assert reading.of_sample(taken) == [row]
    assert AuditEntry.objects.filter(verb="sample.review", detail__decision="accepted").count() == 1


def test_nobody_reviews_what_they_entered_or_analysed(taken, people, make):
    [result] = actions.enter_results(people.reviewer, [make.entry(taken)])
    with pytest.raises(PermissionDenied, match="Another person"):
        accept(people.reviewer, result)
    [other] = actions.enter_results(people.reviewer, [make.entry(taken, "w21003", 3.0, analyst=people.second.name)])
    with pytest.raises(PermissionDenied, match="Another person"):
        accept(people.second, other)
    with pytest.raises(PermissionDenied):
        actions.review(None, result, "accepted", seen=actions.seen_hash(result, taken))
    with pytest.raises(PermissionDenied):
        accept(people.duty, result)
    assert not ResultReview.objects.exists()


def test_a_correction_is_a_revision_and_the_old_one_counts_until_it_is_accepted(taken, people, make):
    [first] = actions.enter_results(people.reviewer, [make.entry(taken)])
    accept(people.second, first)
    before = timezone.now()
    with pytest.raises(ValidationError) as caught:
        actions.enter_results(people.reviewer, [make.entry(taken, value=44.0)])
    assert list(caught.value.message_dict) == ["0.reason"]
    [second] = actions.enter_results(people.reviewer, [make.entry(taken, value=44.0, reason="滴定读数抄错")])
    assert (second.revision, counted(taken)["w01018"].value) == (1, 40.0)
    accept(people.second, second)
    assert counted(taken)["w01018"].value == 44.0
    assert counted(taken, as_of=before)["w01018"].value == 40.0
    assert list(SampleResult.objects.order_by("revision").values_list("value", flat=True)) == [40.0, 44.0]
    [gone] = actions.enter_results(people.reviewer, [make.entry(taken, value=None, withdrawn=True, reason="瓶号混淆")])
    accept(people.second, gone)
    assert counted(taken) == {}


def test_a_returned_result_comes_again(taken, people, make):
    [first] = actions.enter_results(people.reviewer, [make.entry(taken)])
    seen = actions.seen_hash(first, taken)
    with pytest.raises(ValidationError) as caught:
        actions.review(people.second, first, "returned", seen=seen)
    assert "reason" in caught.value.message_dict
    actions.review(people.second, first, "returned", seen=seen, reason="缺平行样")
    assert counted(taken) == {} and not SampleResult.objects.waiting().exists()
    with pytest.raises(ValidationError, match="already"):
        accept(people.second, first)
    [second] = actions.enter_results(people.reviewer, [make.entry(taken, value=41.0)])
    assert list(SampleResult.objects.waiting()) == [second]
    with pytest.raises(ValidationError):
        actions.review(people.second, first, "accepted", seen=seen)
    accept(people.second, second)
    assert counted(taken)["w01018"].value == 41.0


def test_what_changed_since_it_was_seen_is_not_accepted(taken, people, make):
    [result] = actions.enter_results(people.reviewer, [make.entry(taken)])
    seen = actions.seen_hash(result, taken)
    actions.record_custody(people.duty, taken, "rejected", reason="瓶破")
    with pytest.raises(ValidationError) as caught:
        actions.review(people.second, result, "accepted", seen=seen)
    assert "seen" in caught.value.message_dict
    taken.refresh_from_db()
    with pytest.raises(ValidationError) as caught:  # looked at again, it is still that of a rejected sample
        accept(people.second, result)
    assert list(caught.value.message_dict) == ["decision"]


def test_the_same_entry_twice_changes_nothing(taken, people, make):
    assert len(actions.enter_results(people.reviewer, [make.entry(taken)])) == 1
    assert actions.enter_results(people.reviewer, [make.entry(taken)]) == []
    assert SampleResult.objects.count() == 1


def test_all_that_is_wrong_is_said_and_nothing_is_stored(taken, plan, people, make):
    planned = Sample.objects.filter(state="planned").first()
    late = timezone.now() + DAY
    wrong = [
        make.entry(taken, value=None),
        make.entry(taken, value=-1.0),
        make.entry(taken, value=2.0, detection_limit=4.0),
        make.entry(taken, value=5.0, below_detection=True, detection_limit=4.0),
        make.entry(taken, value=None, below_detection=True),
        make.entry(taken, unit="kPa"),
        make.entry(taken, "a21026"),
        make.entry(taken, analysed_at=late),
        make.entry(taken, analysed_at=taken.taken_from - DAY),
        make.entry(taken, method="", analyst=""),
        make.entry(taken, value=None, withdrawn=True),
        make.entry(taken, value=float("nan")),
        actions.Entry(planned, "w01018", 1.0, "mg/L", taken.taken_to),
        make.entry(taken, "w21003", 2.0),  # the only right one
    ]
    with pytest.raises(ValidationError) as caught:
        actions.enter_results(people.reviewer, wrong)
    assert {key.partition(".")[0] for key in caught.value.message_dict} == {str(number) for number in range(13)}
    assert not SampleResult.objects.exists()


def test_below_detection_counts_with_half_the_limit(taken, people, make):
    entry = make.entry(taken, value=None, below_detection=True, detection_limit=4.0)
    [result] = actions.enter_results(people.reviewer, [entry])
    accept(people.second, result)
    row = counted(taken)["w01018"]
    assert (row.value, row.below_detection, row.counted) == (4.0, True, 2.0)


def test_controls_are_no_observations(sample, people, make):
    blank = make.taken(people, Sample.objects.get(control="blank"))
    [result] = actions.enter_results(people.reviewer, [make.entry(blank)])
    accept(people.second, result)
    assert counted(blank) == {} and not Comparison.objects.exists()


def test_a_sample_that_waited_too_long_is_accepted_with_a_reason_only(sample, people, make):
    make.taken(people, sample, ago=timedelta(hours=30))
    late = make.entry(sample, "w21003", 3.0, analysed_at=sample.taken_to + timedelta(hours=25))
    [result] = actions.enter_results(people.reviewer, [late])
    assert (result.holding_hours, result.holding_allowed, result.is_late) == (25.0, 24.0, True)
    assert "HJ 493-2009" in result.holding_rule
    with pytest.raises(ValidationError) as caught:
        accept(people.second, result)
    assert "reason" in caught.value.message_dict
    accept(people.second, result, reason="全程冷冻保存")


def test_the_installations_own_rule_goes_before_the_table(sample):
    assert holding.rules("sewage", ["w21003", "a34013"], sample.due_on)["w21003"].hours == 24
    PreservationRule.objects.create(
        medium="sewage", factor="w21003", preservation="酸化", hours=48, source="自定", effective_from=sample.due_on
    )
    found = holding.rules("sewage", ["w21003"], sample.due_on)["w21003"]
    assert (found.hours, found.source, found.verified) == (48, "自定", False)
    assert holding.rules("sewage", ["w21003"], sample.due_on - DAY)["w21003"].hours == 24


def test_all_results_sign_that_the_sample_is_analysed(taken, people, make):
    actions.enter_results(people.reviewer, [make.entry(taken)])
    taken.refresh_from_db()
    assert taken.state == "taken"
    actions.enter_results(people.reviewer, [make.entry(taken, "w21003", 3.0)])
    taken.refresh_from_db()
    assert taken.state == "analysed"
    assert taken.custody.last().signed_by == people.reviewer


def test_scope_permission_and_the_database_guard_results(taken, people, make):
    with pytest.raises(PermissionDenied):
        actions.enter_results(people.duty, [make.entry(taken)])
    [result] = actions.enter_results(people.reviewer, [make.entry(taken)])
    assert not SampleResult.objects.visible_to(people.enterprise).exists()
    assert not SampleResult.objects.visible_to(people.district).exists()
    accept(people.second, result)
    assert list(SampleResult.objects.visible_to(people.enterprise)) == [result]
    people.reviewer.region_codes = ["150207"]
    people.reviewer.save()
    with pytest.raises(Sample.DoesNotExist):
        actions.enter_results(people.reviewer, [make.entry(taken, "w21003", 3.0)])
    for table in ("sampleresult", "resultreview"):
        with pytest.raises(DatabaseError, match="append"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM sampling_{table}")
