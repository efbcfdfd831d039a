"""Verbs of review: drafts mean nothing, a signature makes verdicts, four eyes are two people, nothing unseen."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from luming.core.models import AuditEntry
from luming.registry.models import Place, Series
from luming.telemetry import store
from luming.telemetry.review import actions, queue, seen
from luming.telemetry.review.models import Countersignature, Decision, Draft, Question, Review, ReviewDay, ReviewRule
from luming.telemetry.store import Origin, Quality

HOUR = timedelta(hours=1)


@pytest.fixture
def day(scene):
    scene.send_day()
    return actions.open_day(scene.anna, scene.station, scene.day)


def draft(scene, day, hour, action="invalid", code="instrument-fault", *, user=None, hours=1, **more):
    series = more.pop("series", [scene.of().pk])
    return actions.save_draft(
        user or scene.anna, day, series, scene.at(hour), scene.at(hour + hours), action, scene.code(code), **more
    )


def sign(scene, day, user=None):
    day.refresh_from_db()
    return actions.submit(user or scene.anna, day, seen.look_at_day(day).fingerprint())


def counted(scene, day):
    sight = seen.look_at_day(day)
    return {
        start: value.used
        for (pk, start), value in sight.values.items()
        if pk == scene.of().pk and value.quality == Quality.VALID
    }


def test_a_draft_changes_nothing_official(scene, day):
    before = seen.look_at_day(day).fingerprint()
    draft(scene, day, 3)
    assert seen.look_at_day(day).fingerprint() == before
    assert scene.held(3) is None
    day.refresh_from_db()
    assert (day.state, day.assigned_to) == ("working", scene.anna)


def test_what_is_signed_becomes_verdicts_and_is_judged_again(scene, day):
    scene.doubt(5)
    draft(scene, day, 3, hours=2, reason="lamp broke")
    draft(scene, day, 5, "accept", "plausible")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE telemetry_dirty")
    review = sign(scene, day)
    for hour in (3, 4):
        verdict = scene.held(hour)
        assert (verdict.quality, verdict.source, verdict.person_id) == (2, f"review:{review.pk}", scene.anna.pk)
        assert verdict.reason == "instrument-fault: lamp broke"
    accepted = scene.held(5)
    assert (accepted.quality, accepted.checks) == (0, ("GEN-SPIKE:3",))
    assert scene.held(6) is None, "what stands as it was needs no row"
    day.refresh_from_db()
    assert (day.state, day.awaits_second) == ("submitted", False)
    assert not Draft.objects.exists()
    with transaction.atomic():
        ((place, interval, starts),) = store.take_dirty(100)
    assert (place, interval, len(starts)) == (scene.station.pk, "hour", 3)


def test_the_document_can_be_told_again_from_the_store(scene, day):
    draft(scene, day, 3)
    review = sign(scene, day)
    scene.send([99.0], first=4, received=review.at + HOUR)  # later, it changes nothing that was seen
    found = seen.check(review)
    assert found.holds and found.hash == review.hash
    text = seen.text_of(review)
    assert text.startswith("luming-review 1\n") and f"by\t{scene.anna.pk}\tanna" in text
    assert sum(line.startswith("value\t") for line in text.splitlines()) == 48
    assert sum(line.startswith("decision\t") for line in text.splitlines()) == 1


def test_a_document_that_does_not_fit_is_noticed(scene, day):
    review = sign(scene, day)
    text = seen.text_of(review).replace("\t20.0\t", "\t21.0\t", 1)
    review.document = seen.packed(text)
    found = seen.check(review)
    assert not found.whole and {side for side, _line in found.differing} == {"signed", "stored"}


def test_the_second_review_names_the_first(scene, day):
    first = sign(scene, day)
    actions.reopen(scene.bert, day, "new knowledge")
    second = sign(scene, day, scene.bert)
    assert (second.number, second.previous) == (2, first.hash)
    assert seen.check(first).holds and seen.check(second).holds


def test_changed_data_cannot_be_signed_unseen(scene, day):
    fingerprint = seen.look_at_day(day).fingerprint()
    scene.send([77.0], first=4)
    with pytest.raises(actions.ChangedError):
        actions.submit(scene.anna, day, fingerprint)
    scene.doubt(7)
    with pytest.raises(actions.ChangedError):
        actions.submit(scene.anna, day, fingerprint)
    assert not Review.objects.exists()


def test_suspect_values_must_be_decided(scene, day):
    scene.doubt(7, 8)
    with pytest.raises(ValidationError, match="2"):
        sign(scene, day)
    draft(scene, day, 7, "accept", "plausible")
    draft(scene, day, 8, "ask", "device-unclear")
    sign(scene, day)
    assert scene.held(7).quality == Quality.VALID
    assert scene.held(8).quality == Quality.SUSPECT, "a question decides nothing"
    question = Question.objects.get()
    assert (question.place_id, question.start, question.is_open) == (scene.station.pk, scene.at(8), True)
    assert question.deadline - question.asked_at == timedelta(days=3)


def test_the_later_of_two_drafts_holds_and_undo_brings_the_earlier_back(scene, day):
    draft(scene, day, 3, hours=3)
    draft(scene, day, 4, "replace", "instrument-memory", method="value", value=44.5)
    assert actions.discard(scene.anna, day) == 1
    draft(scene, day, 4, "replace", "instrument-memory", method="value", value=45.5)
    sign(scene, day)
    assert [scene.held(hour).quality for hour in (3, 4, 5)] == [2, 0, 2]
    assert counted(scene, day)[scene.at(4)] == 45.5
    corrected = scene.held(4)
    assert (corrected.origin, corrected.value) == (Origin.CORRECTED, 45.5)


def test_a_missing_hour_can_be_entered_by_hand_but_not_accepted(scene):
    scene.send([20.0] * 20)
    day = actions.open_day(scene.anna, scene.station, scene.day)
    draft(scene, day, 22, "replace", "instrument-memory", method="value", value=31.0)
    draft(scene, day, 23, "accept", "plausible")
    review = sign(scene, day)
    entered = scene.held(22)
    assert (entered.revision, entered.origin, entered.value) == (-1, Origin.MANUAL, 31.0)
    assert scene.held(23) is None
    assert [decision.periods for decision in review.decisions.all()] == [1, 1]


def test_the_same_factor_of_another_device_can_stand_in(scene, day):
    scene.send([50.0 + hour for hour in range(24)], place=scene.outlet)
    other = scene.of(scene.outlet)
    draft(scene, day, 6, "replace", "backup-device", hours=2, method="other", other=other)
    sign(scene, day)
    assert [scene.held(hour).value for hour in (6, 7)] == [56.0, 57.0]
    actions.reopen(scene.anna, day, "again")
    with pytest.raises(ValidationError, match="same factor"):
        draft(scene, day, 6, "replace", "backup-device", method="other", other=scene.of(scene.outlet, "a21026"))


@pytest.mark.parametrize(
    ("action", "code", "more"),
    [
        ("accept", "instrument-fault", {}),  # a reason of another decision
        ("invalid", "other-invalid", {}),  # wants words
        ("replace", "unit-corrected", {"method": "value"}),
        ("replace", "unit-corrected", {"method": "value", "value": float("nan")}),
        ("replace", "unit-corrected", {}),
        ("invalid", "power", {"value": 3.0}),
        ("guess", "power", {}),
        ("invalid", "power", {"hours": 30}),
        ("invalid", "power", {"hours": 0}),
        ("invalid", "power", {"reason": "x" * 501}),
    ],
)
def test_unsound_decisions_are_refused(scene, day, action, code, more):
    with pytest.raises(ValidationError):
        draft(scene, day, 3, action, code, **more)
    assert not Draft.objects.exists()


def test_nobody_without_the_role_or_outside_the_scope_decides(scene, day):
    with pytest.raises(PermissionDenied):
        draft(scene, day, 3, user=scene.duty)
    scene.bert.region_codes = ["150207"]
    scene.bert.save()
    with pytest.raises(Place.DoesNotExist):
        draft(scene, day, 3, user=scene.bert)
    with pytest.raises(Place.DoesNotExist):
        actions.reopen(scene.bert, day, "why not")
    other = Series.objects.create(place=scene.outlet, factor="a34002", interval="hour", seconds=3600)
    with pytest.raises(ValidationError, match="Choose a period"):
        draft(scene, day, 3, series=[other.pk])


def test_a_submitted_day_is_closed_until_it_is_reopened_with_a_reason(scene, day):
    sign(scene, day)
    with pytest.raises(ValidationError, match="submitted this day"):
        draft(scene, day, 3)
    with pytest.raises(ValidationError):
        actions.reopen(scene.anna, day, "  ")
    actions.reopen(scene.anna, day, "the maintainer called")
    draft(scene, day, 3)
    assert AuditEntry.objects.get(verb="review.reopen").reason == "the maintainer called"


@pytest.fixture
def four_eyes(scene):
    ReviewRule.objects.create(control="national", four_eyes=True, effective_from="2021-01-01")


@pytest.mark.usefixtures("four_eyes")
def test_nothing_is_official_before_the_second_signature(scene, day):
    draft(scene, day, 3)
    review = sign(scene, day)
    day.refresh_from_db()
    assert (day.state, day.awaits_second, scene.held(3)) == ("submitted", True, None)
    with pytest.raises(ValidationError, match="somebody else"):
        actions.countersign(scene.anna, review)
    actions.countersign(scene.bert, review)
    day.refresh_from_db()
    assert (day.state, day.awaits_second) == ("countersigned", False)
    assert scene.held(3).person_id == scene.anna.pk
    with pytest.raises(ValidationError, match="any more"):
        actions.countersign(scene.bert, review)


@pytest.mark.usefixtures("four_eyes")
def test_the_second_signer_may_send_back_and_the_first_keeps_the_work(scene, day):
    draft(scene, day, 3, reason="mine")
    review = sign(scene, day)
    with pytest.raises(ValidationError):
        actions.send_back(scene.bert, review, "")
    actions.send_back(scene.bert, review, "look at hour 4 too")
    day.refresh_from_db()
    assert (day.state, scene.held(3)) == ("reopened", None)
    assert [row.reason for row in Draft.objects.filter(user=scene.anna)] == ["mine"]
    assert [row[0] for row in day.grounds] == ["sent-back"]
    again = sign(scene, day)
    actions.countersign(scene.bert, again)
    assert scene.held(3).source == f"review:{again.pk}"
    assert Countersignature.objects.filter(accepted=False).count() == 1


@pytest.mark.usefixtures("four_eyes")
def test_the_second_signer_does_not_sign_what_changed(scene, day):
    review = sign(scene, day)
    scene.send([5.0], first=4)
    with pytest.raises(actions.ChangedError):
        actions.countersign(scene.bert, review)


def test_many_quiet_days_are_signed_at_once_each_for_itself(scene, day):
    scene.send_day(scene.outlet)
    queue.fill(scene.day)
    days = list(ReviewDay.objects.filter(is_quiet=True).order_by("pk"))
    assert len(days) == 2
    prints = seen.fingerprints_of(days)
    assert prints[day.pk] == seen.look_at_day(day).fingerprint()
    scene.send([500.0], place=scene.outlet, first=2)
    signed, refused = actions.submit_quiet(scene.anna, prints)
    assert [review.day_id for review in signed] == [day.pk]
    assert len(refused) == 1 and "changed" in refused[0]
    assert signed[0].batch and seen.check(signed[0]).holds
    assert not Decision.objects.exists()


def test_what_is_signed_cannot_be_changed_in_the_database(scene, day):
    draft(scene, day, 3)
    sign(scene, day)
    for table in ("review_review", "review_decision"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            with pytest.raises(DatabaseError, match="append"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_the_serving_role_may_not_change_what_is_signed(db):
    with connection.cursor() as cursor:
        for table in ("review_review", "review_decision", "review_countersignature"):
            for right in ("UPDATE", "DELETE"):
                cursor.execute("SELECT has_table_privilege('luming_app', %s, %s)", (table, right))
                assert cursor.fetchone() == (False,)
