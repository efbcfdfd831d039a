"""Plans, numbers and the chain of custody."""

import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from luming.core.models import AuditEntry
from luming.registry.models import Place
from luming.telemetry.sampling import actions, chain, numbering, rounds
from luming.telemetry.sampling.models import CustodyEvent, Sample, SamplingPlan


def test_a_round_numbers_every_place_and_its_controls_once(plan, people):
    made = actions.issue(people.duty, plan, plan.starts_on)
    day = plan.starts_on
    assert [sample.number for sample in made] == [f"F1-DW001-{day:%Y%m%d}-{serial:02}" for serial in (1, 2, 3)]
    assert [sample.control for sample in made] == ["none", "blank", "parallel"]
    assert made[1].control_of == made[2].control_of == made[0]
    assert actions.issue(people.duty, plan, day) == []
    assert AuditEntry.objects.filter(verb="sample.issue").count() == 3


def test_a_day_without_a_round_and_an_ended_plan_are_refused(plan, people):
    with pytest.raises(ValidationError, match="no round"):
        actions.issue(people.duty, plan, plan.starts_on + timedelta(days=1))
    actions.change_plan(people.duty, plan, is_active=False, reason="搬迁")
    with pytest.raises(ValidationError, match="no round"):
        actions.issue(people.duty, plan, plan.starts_on)


@pytest.mark.parametrize(
    ("frequency", "days"),
    [
        ("once", []),
        ("week", ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30"]),
        ("month", ["2026-03-31"]),
        ("quarter", []),
        ("year", []),
    ],
)
def test_when_rounds_are_due(frequency, days):
    first = date(2026, 1, 31) if frequency != "week" else date(2026, 1, 5)
    plan = SamplingPlan(starts_on=first, frequency=frequency)
    found = rounds.due_dates(plan, date(2026, 3, 1), date(2026, 3, 31))
    assert found == [date.fromisoformat(day) for day in days]


def test_a_shorter_month_ends_earlier_and_the_next_keeps_the_day():
    plan = SamplingPlan(starts_on=date(2026, 1, 31), frequency="month", ends_on=date(2026, 4, 15))
    assert rounds.due_dates(plan, date(2026, 1, 1), date(2026, 12, 31)) == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_two_who_number_at_once_get_different_numbers(outlet):
    day, found, gate = date(2026, 11, 28), [], threading.Barrier(4)

    def number():
        try:
            gate.wait(10)
            for _round in range(5):
                with transaction.atomic():
                    found.extend(numbering.numbers(outlet, day, 2))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=number) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 40
    assert sorted(int(number.rpartition("-")[2]) for number in found) == list(range(1, 41))


def test_from_taking_to_disposal(sample, people, make):
    make.taken(people, sample)
    for kind, values in (
        ("handed", {"to_whom": "司机", "temperature_c": 4}),
        ("received", {"from_whom": "司机", "temperature_c": 5.5}),
        ("stored", {"preservation": "4 ℃"}),
        ("analysed", {}),
        ("disposed", {}),
    ):
        actions.record_custody(people.reviewer, sample, kind, **values)
    sample.refresh_from_db()
    assert sample.state == "disposed"
    events = list(sample.custody.all())
    assert [event.kind for event in events] == ["taken", "handed", "received", "stored", "analysed", "disposed"]
    assert chain.verify(sample, events) == chain.Verification(6)
    assert events[1].previous_hash == events[0].hash and events[0].signed_name == "采样员"
    assert set(AuditEntry.objects.filter(object_type="sampling.sample").values_list("verb", flat=True)) == {
        "sample.issue", "sample.taken", "sample.handed", "sample.received", "sample.stored", "sample.analysed",
        "sample.disposed",
    }  # fmt: skip


def test_a_changed_step_breaks_the_chain_and_the_database_refuses_it(sample, people, make):
    make.taken(people, sample)
    actions.record_custody(people.duty, sample, "handed", to_whom="实验室", temperature_c=4)
    events = list(sample.custody.all())
    events[0].at += timedelta(minutes=1)
    assert chain.verify(sample, events).broken == 1
    assert chain.verify(sample, events[1:]).broken == 1
    for statement in ("UPDATE sampling_custodyevent SET reason = 'x'", "DELETE FROM sampling_custodyevent"):
        with pytest.raises(DatabaseError, match="append"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_role_that_serves_pages_cannot_change_what_was_signed(db):
    with connection.cursor() as cursor:
        for table in ("custodyevent", "sampleresult", "resultreview", "comparison"):
            for right in ("UPDATE", "DELETE"):
                cursor.execute("SELECT has_table_privilege('luming_app', %s, %s)", (f"sampling_{table}", right))
                assert cursor.fetchone()[0] is False, (table, right)


@pytest.mark.parametrize(
    ("kind", "values", "field"),
    [
        ("stored", {}, "kind"),
        ("handed", {}, "to_whom"),
        ("rejected", {}, "reason"),
        ("handed", {"to_whom": "x", "at": timezone.now() + timedelta(hours=1)}, "at"),
        ("handed", {"to_whom": "x", "at": timezone.now() - timedelta(days=2)}, "at"),
        ("handed", {"to_whom": "x", "temperature_c": 900}, "temperature_c"),
        ("taken", {}, "kind"),
        ("stolen", {}, "kind"),
    ],
)
def test_wrong_steps_are_refused_in_words(sample, people, make, kind, values, field):
    make.taken(people, sample)
    with pytest.raises(ValidationError) as caught:
        actions.record_custody(people.duty, sample, kind, **values)
    assert field in caught.value.message_dict
    assert CustodyEvent.objects.count() == 1


def test_taking_says_when_and_who(sample, people):
    now = timezone.now()
    with pytest.raises(ValidationError) as caught:
        actions.take(people.duty, sample, taken_from=now, taken_to=now - timedelta(hours=1))
    assert {"samplers", "taken_to"} <= set(caught.value.message_dict)
    actions.take(
        people.duty, sample, taken_from=now, taken_to=now, samplers="甲", longitude=109.8, latitude=40.6, accuracy_m=8
    )
    event = sample.custody.get()
    sample.refresh_from_db()
    assert event.facts["longitude"] == sample.longitude == 109.8
    assert chain.verify(sample, [event]).is_whole


def test_what_was_not_taken_says_why(sample, people):
    actions.record_custody(people.duty, sample, "not-taken", reason="未排水")
    sample.refresh_from_db()
    assert (sample.state, sample.taken_from) == ("not-taken", None)


def test_a_control_outside_a_plan_belongs_to_a_sample_of_the_same_place(sample, outlet, people, make):
    day = sample.due_on
    values = {"place": outlet, "due_on": day, "factors": ["w01018"], "control": "parallel"}
    with pytest.raises(ValidationError) as caught:
        actions.add_sample(people.duty, **values)
    assert "control_of" in caught.value.message_dict
    other = make.outlet("F2")
    with pytest.raises(ValidationError):
        actions.add_sample(people.duty, **(values | {"place": other, "control_of": sample}))
    made = actions.add_sample(people.duty, control_of=sample, **values)
    assert made.number.endswith("-04")
    with pytest.raises(ValidationError) as caught:
        actions.add_sample(people.duty, place=outlet, due_on=day, factors=["zz"])
    assert "factors" in caught.value.message_dict


def test_a_plan_has_places_of_one_medium_in_scope(outlet, people, plan):
    with pytest.raises(ValidationError) as caught:
        actions.create_plan(people.duty, places=[], name="x", medium="sewage", factors=[], starts_on=plan.starts_on)
    assert {"places", "factors"} <= set(caught.value.message_dict)
    with pytest.raises(ValidationError) as caught:
        actions.change_plan(people.duty, plan, medium="gas", reason="x")
    assert "places" in caught.value.message_dict
    with pytest.raises(Place.DoesNotExist):
        actions.create_plan(
            people.district, places=[outlet], name="x", medium="sewage", factors=["w01018"], starts_on=plan.starts_on
        )
    with pytest.raises(SamplingPlan.DoesNotExist):
        actions.change_plan(people.district, plan, name="y")
    with pytest.raises(Sample.DoesNotExist):
        actions.record_custody(people.district, actions.issue(people.duty, plan, plan.starts_on)[0], "not-taken")


def test_the_permission_is_asked_for(sample, plan, people):
    for verb in (
        lambda: actions.issue(people.leader, plan, plan.starts_on),
        lambda: actions.change_plan(people.leader, plan, name="y"),
        lambda: actions.record_custody(people.leader, sample, "not-taken", reason="x"),
        lambda: actions.take(people.leader, sample, taken_from=timezone.now(), taken_to=timezone.now()),
        lambda: actions.add_sample(people.enterprise, place=sample.place, due_on=sample.due_on, factors=["w01018"]),
    ):
        with pytest.raises(PermissionDenied):
            verb()


def test_outsiders_learn_of_a_sample_when_it_is_taken(sample, people, make):
    assert not Sample.objects.visible_to(people.enterprise).exists()
    assert not SamplingPlan.objects.visible_to(people.enterprise).exists()
    make.taken(people, sample)
    assert list(Sample.objects.visible_to(people.enterprise)) == [sample]
    assert not Sample.objects.visible_to(people.district).exists()
    assert not SamplingPlan.objects.visible_to(people.district).exists()
