"""The life of a day under any order of steps of two reviewers, and two connections at the same moment."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import translation
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from luming.telemetry import store
from luming.telemetry.review import actions, queue, seen
from luming.telemetry.review.models import Countersignature, Draft, Review, ReviewDay, ReviewRule

HOURS = st.integers(0, 23)
WHO = st.sampled_from(["anna", "bert"])
DECISIONS = st.sampled_from([("invalid", "power"), ("accept", "plausible"), ("ask", "mark-missing")])


def machine_of(bare):
    class Life(RuleBasedStateMachine):
        @initialize()
        def build(self):
            self.before = transaction.savepoint()
            self.scene = bare.Scene()
            ReviewRule.objects.create(control="national", four_eyes=True, effective_from="2021-01-01")
            bare.send(self.scene, [20.0 + hour for hour in range(24)])
            self.day = actions.open_day(self.scene.anna, self.scene.station, self.scene.day)
            self.shown = {name: self.look() for name in ("anna", "bert")}

        def look(self):
            return seen.look_at_day(self.day).fingerprint()

        def person(self, name):
            return getattr(self.scene, name)

        def attempt(self, verb, *arguments, **more):
            """Run a verb; what it refuses must change nothing."""
            before = self.facts()
            try:
                return verb(*arguments, **more)
            except ValidationError:
                assert self.facts() == before
                return None

        def facts(self):
            self.day.refresh_from_db()
            rows = store.verdicts([self.scene.of().pk], self.day.start, self.day.end, latest=False)
            return self.day.state, self.day.awaits_second, len(rows), Draft.objects.count(), Review.objects.count()

        @rule(who=WHO)
        def open_page(self, who):
            self.shown[who] = self.look()

        @rule(who=WHO, hour=HOURS, decision=DECISIONS)
        def draft(self, who, hour, decision):
            action, code = decision
            scene = self.scene
            self.attempt(
                actions.save_draft, self.person(who), self.day, [scene.of().pk], scene.at(hour), scene.at(hour + 1),
                action, scene.code(code),
            )  # fmt: skip

        @rule(who=WHO)
        def undo(self, who):
            self.attempt(actions.discard, self.person(who), self.day)

        @rule(who=WHO)
        def submit(self, who):
            current = self.look()
            review = self.attempt(actions.submit, self.person(who), self.day, self.shown[who])
            assert review is None or self.shown[who] == current, "nobody signs what they did not see"

        @rule(who=WHO)
        def countersign(self, who):
            review = Review.objects.order_by("-number").first()
            if review:
                self.attempt(actions.countersign, self.person(who), review)

        @rule(who=WHO)
        def send_back(self, who):
            review = Review.objects.order_by("-number").first()
            if review:
                self.attempt(actions.send_back, self.person(who), review, "look again")

        @rule(who=WHO)
        def reopen(self, who):
            self.attempt(actions.reopen, self.person(who), self.day, "new knowledge")

        @rule(hour=HOURS)
        def doubt(self, hour):
            self.scene.doubt(hour)

        @rule()
        def job(self):
            queue.refresh(self.scene.day)

        @invariant()
        def only_signatures_make_verdicts(self):
            rows = store.verdicts([self.scene.of().pk], self.day.start, self.day.end, latest=False)
            signed = set(Countersignature.objects.filter(accepted=True).values_list("review_id", flat=True))
            for row in rows:
                if row.source.startswith("review:"):
                    assert int(row.source.removeprefix("review:")) in signed
                    assert row.person_id is not None
                else:
                    assert row.person_id is None

        @invariant()
        def four_eyes_are_two_people(self):
            for row in Countersignature.objects.select_related("review"):
                assert row.user_id != row.review.user_id

        @invariant()
        def states_fit(self):
            day = ReviewDay.objects.get(pk=self.day.pk)
            newest = Review.objects.order_by("-number").first()
            if day.awaits_second:
                assert day.state == "submitted" and not hasattr(newest, "countersignature")
            if day.state == "countersigned":
                assert newest.countersignature.accepted
            numbers = list(Review.objects.order_by("number").values_list("number", flat=True))
            assert numbers == list(range(1, len(numbers) + 1))

        def teardown(self):
            try:
                for review in Review.objects.all():
                    assert seen.check(review).holds
            finally:
                transaction.savepoint_rollback(self.before)

    return Life


def test_any_order_of_steps(db, bare_rows):
    run_state_machine_as_test(
        machine_of(bare_rows),
        settings=settings(
            max_examples=8, stateful_step_count=25, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.fixture
def bare_rows(bare, empty_store):
    """Store values over Django's own connection, so that one rollback takes them away."""

    def send(scene, values):
        from datetime import timedelta

        from luming.telemetry.identity import id_floor
        from luming.telemetry.store import connecting

        series = scene.of()
        store.ensure_partitions(scene.day, scene.day)
        with connecting.reading() as cursor:
            for hour, value in enumerate(values):
                cursor.execute(
                    "INSERT INTO telemetry_observation (series_id, revision, flag, start, value, packet_id)"
                    " VALUES (%s, 0, 'N', %s, %s, %s)",
                    (series.pk, scene.at(hour), value, id_floor(scene.start + timedelta(hours=30)) + hour),
                )

    bare.send = send
    return bare


@pytest.mark.django_db(transaction=True)
def test_of_two_who_sign_at_the_same_moment_one_is_refused_in_words(bare):
    bare.empty()
    scene = bare.Scene()
    scene.send_day()
    day = actions.open_day(scene.anna, scene.station, scene.day)
    fingerprint = seen.look_at_day(day).fingerprint()
    start, results = threading.Barrier(2), {}

    def sign(user):
        start.wait()
        try:
            with translation.override("en"):
                results[user.name] = actions.submit(user, day, fingerprint).number
        except ValidationError as error:
            results[user.name] = error.messages[0]
        finally:
            connection.close()

    threads = [threading.Thread(target=sign, args=(user,)) for user in (scene.anna, scene.bert)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(type, results.values()), key=str) == [int, str]
    assert "has submitted this day already" in next(text for text in results.values() if isinstance(text, str))


@pytest.mark.django_db(transaction=True)
def test_a_check_that_speaks_while_a_day_is_signed_waits_and_bears_a_later_time(bare):
    bare.empty()
    scene = bare.Scene()
    scene.send_day()
    day = actions.open_day(scene.anna, scene.station, scene.day)
    fingerprint = seen.look_at_day(day).fingerprint()
    spoken = threading.Event()

    def speak():
        try:
            scene.doubt(5)
            spoken.set()
        finally:
            connection.close()

    with transaction.atomic():
        review = actions.submit(scene.anna, day, fingerprint)
        thread = threading.Thread(target=speak)
        thread.start()
        assert not spoken.wait(0.3), "the writer waits for the signature"
    thread.join()
    assert scene.held(5).at > review.at
    assert seen.check(review).holds
    assert queue.refresh(scene.day) == 1, "and the day is taken up again"
