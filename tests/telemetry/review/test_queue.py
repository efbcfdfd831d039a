"""The queue: who comes in, why a day matters, what is taken up again, what is overdue, who else is there."""

from datetime import datetime, time, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from luming.core.models import Attachment, User
from luming.registry.models import Place
from luming.telemetry.models import Event, Judgement
from luming.telemetry.review import actions, asking, configuring, presence, queue, rules, seen
from luming.telemetry.review.models import Question, ReasonCode, ReviewDay, ReviewRule, midnight


def day_of(place):
    return ReviewDay.objects.select_related("place__station").get(place=place)


def grounds(place):
    return {code: count for code, count, _points in day_of(place).grounds}


def test_each_candidate_comes_in_once(scene):
    scene.send_day()
    assert (queue.fill(scene.day), queue.fill(scene.day)) == (2, 0)
    scene.outlet.is_active = False
    scene.outlet.save()
    assert queue.fill(scene.day + timedelta(days=1)) == 1


def test_why_a_day_matters(scene):
    for back in (1, 2):
        scene.send([20.0] * 24, first=-24 * back)
    scene.send([20.0] * 22)
    scene.send([20.0] * 24, factor="a21026")
    scene.send([95.0] + [20.0] * 23, place=scene.outlet, factor="a21026")
    scene.send([20.0] * 23, place=scene.outlet, flag="N")
    scene.send([7.0], place=scene.outlet, first=23, flag="D")
    scene.doubt(3, 4)
    Judgement.objects.create(
        place=scene.outlet, kind="limit-hour", start=scene.at(5), state="exceeding", edition="t", software="0"
    )
    Judgement.objects.create(
        place=scene.outlet, kind="limit-hour", start=scene.at(6), state="exceeding", edition="t", software="0"
    )
    Judgement.objects.create(  # judged anew: it does not exceed any more
        place=scene.outlet, kind="limit-hour", start=scene.at(6), revision=1, state="normal", edition="t", software="0"
    )
    queue.fill(scene.day)
    assert grounds(scene.station) == {"suspect": 2, "missing": 2, "national": 1, "first": 1, "public": 1}
    assert grounds(scene.outlet) == {"invalid": 1, "over": 1, "near": 1}
    first, second = queue.ordered(ReviewDay.objects.all(), midnight(scene.day))
    assert (first.place_id, second.place_id) == (scene.station.pk, scene.outlet.pk)
    assert first.importance == sum(row[2] for row in first.grounds) == 2 * 3 + 2 + 20 + 10 + 10


def test_only_a_whole_sound_day_is_quiet(scene):
    scene.send_day()
    scene.send([20.0] * 24, place=scene.outlet)  # one of two factors
    queue.fill(scene.day)
    assert (day_of(scene.station).is_quiet, day_of(scene.outlet).is_quiet) == (True, False)


def test_rules_are_dated_and_the_more_special_holds(scene):
    day = scene.day
    assert rules.of_place(rules.rules(day), scene.station).deadline(day) == timezone.make_aware(
        datetime.combine(day + timedelta(days=1), time(12))
    )
    ReviewRule.objects.create(medium="air", days=2, effective_from="2026-01-01")
    ReviewRule.objects.create(control="national", days=3, four_eyes=True, effective_from="2026-01-01")
    ReviewRule.objects.create(control="outlet", days=5, effective_from="2026-01-01", effective_to="2026-05-31")
    assert rules.of_place(rules.rules(day), scene.station).days == 3
    assert rules.of_place(rules.rules(day), scene.outlet).days == 1
    assert rules.of_place(rules.rules(day - timedelta(days=5)), scene.outlet).days == 5


def test_what_nobody_decided_in_time_is_told_once(scene):
    scene.send_day()
    queue.fill(scene.day)
    late = midnight(scene.day + timedelta(days=1, hours=0)) + timedelta(hours=13)
    assert queue.escalate(late - timedelta(hours=2)) == 0
    actions.submit(scene.anna, day_of(scene.station), seen.look_at_day(day_of(scene.station)).fingerprint())
    assert (queue.escalate(late), queue.escalate(late)) == (1, 0)
    event = Event.objects.get(kind=queue.OVERDUE)
    assert (event.place_id, event.detail["day"]) == (scene.outlet.pk, "2026-06-01")


def test_revised_data_takes_a_reviewed_day_up_again_but_own_decisions_do_not(scene):
    scene.send_day()
    queue.fill(scene.day)
    day = day_of(scene.station)
    actions.save_draft(scene.anna, day, [scene.of().pk], scene.at(3), scene.at(4), "invalid", scene.code("power"))
    actions.submit(scene.anna, day, seen.look_at_day(day).fingerprint())
    assert queue.refresh(scene.day) == 0
    scene.send([44.0], first=10)
    assert queue.refresh(scene.day) == 1
    again = day_of(scene.station)
    assert (again.state, [row[0] for row in again.grounds]) == ("reopened", ["changed"])
    queue.refresh(scene.day)
    assert "changed" in grounds(scene.station), "the ground stays until somebody signs"


def test_questions_and_answers(scene):
    scene.send_day(scene.outlet)
    queue.fill(scene.day)
    day = day_of(scene.outlet)
    actions.save_draft(
        scene.anna, day, [scene.of(scene.outlet).pk], scene.at(3), scene.at(5), "ask", scene.code("other-ask"),
        reason="为何停产？",
    )  # fmt: skip
    assert not Question.objects.exists()
    actions.submit(scene.anna, day, seen.look_at_day(day).fingerprint())
    question = Question.objects.get()
    assert list(Question.objects.visible_to(scene.clerk)) == [question]
    with pytest.raises(PermissionDenied):
        asking.answer(scene.anna, question, "no")
    with pytest.raises(ValidationError):
        asking.answer(scene.clerk, question, " ")
    with pytest.raises(ValidationError):
        asking.answer(scene.clerk, question, "see file", SimpleUploadedFile("run.exe", b"MZ\x90\x00"))
    question.refresh_from_db()
    assert question.is_open, "a refused file refuses the answer"
    asking.answer(scene.clerk, question, "设备检修", SimpleUploadedFile("log.txt", "检修记录".encode()))
    assert Attachment.objects.get().object_id == str(question.pk)
    day.refresh_from_db()
    assert (day.state, day.grounds) == ("reopened", [["answer", 1, 25]])
    with pytest.raises(ValidationError, match="already"):
        asking.answer(scene.clerk, question, "again")
    queue.refresh(scene.day)
    assert grounds(scene.outlet) == {"answer": 1}


def test_a_stranger_does_not_see_the_question(scene):
    scene.send_day(scene.outlet)
    day = actions.open_day(scene.anna, scene.outlet, scene.day)
    question = asking.ask(scene.anna, day, scene.of(scene.outlet), scene.at(1), scene.at(2), "why?")
    stranger = User.objects.create_user("stranger", "Luming-2026!", name="x", role="enterprise")
    with pytest.raises(Question.DoesNotExist):
        asking.answer(stranger, question, "it was me")


def test_colleagues_are_told_of_each_other(scene):
    scene.send_day()
    day = actions.open_day(scene.anna, scene.station, scene.day)
    assert presence.colleagues(scene.anna, day) == []
    presence.touch(scene.bert, day)
    presence.touch(scene.bert, day)
    (bert,) = presence.colleagues(scene.anna, day)
    assert (bert.name, bert.is_here, bert.drafts, bert.clashes) == ("bert", True, 0, 0)
    day.presences.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert presence.colleagues(scene.anna, day) == []
    series = [scene.of().pk]
    actions.save_draft(scene.bert, day, series, scene.at(3), scene.at(6), "invalid", scene.code("power"))
    actions.save_draft(scene.anna, day, series, scene.at(5), scene.at(7), "accept", scene.code("plausible"))
    (bert,) = presence.colleagues(scene.anna, day)
    assert (bert.is_here, bert.drafts, bert.clashes) == (False, 1, 1)


def test_timeliness(scene):
    scene.send_day()
    queue.fill(scene.day)
    day = day_of(scene.station)
    actions.submit(scene.anna, day, seen.look_at_day(day).fingerprint())
    assert queue.timeliness(scene.anna, scene.day, scene.day) == [(scene.day, 0, 2)], "long after the deadline"
    ReviewDay.objects.filter(pk=day.pk).update(finished_at=day.deadline - timedelta(hours=1))
    assert queue.timeliness(scene.anna, scene.day, scene.day) == [(scene.day, 1, 2)]


def test_two_reasons_or_rules_are_not_in_force_at_once(scene):
    values = {"action": "accept", "key": 1, "name_zh": "甲", "name_en": "A", "code": "a", "effective_from": scene.day}
    with pytest.raises(ValidationError) as found:
        configuring.create_reason(scene.anna, **values)
    assert "key" in found.value.message_dict
    old = ReasonCode.objects.get(action="accept", key=1)
    configuring.change_reason(scene.anna, old, reason="r", effective_to=scene.day - timedelta(days=1))
    configuring.create_reason(scene.anna, **values)
    rule = ReviewRule.objects.get()
    with pytest.raises(ValidationError):
        configuring.create_rule(scene.anna, effective_from=scene.day)
    with pytest.raises(ValidationError):
        configuring.change_rule(scene.anna, rule, effective_to=rule.effective_from - timedelta(days=1))
    with pytest.raises(PermissionDenied):
        configuring.create_rule(scene.duty, medium="air", effective_from=scene.day)


def test_a_day_ahead_cannot_be_opened(scene):
    with pytest.raises(ValidationError):
        actions.open_day(scene.anna, scene.station, timezone.localdate() + timedelta(days=1))
    assert Place.objects.count() == 2
