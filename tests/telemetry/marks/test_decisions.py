"""Marks in exceedance decisions: code × state × time, exactly as configured."""

from luming.telemetry import store
from luming.telemetry.marks import actions, reading
from luming.telemetry.marks.models import MarkCode
from luming.telemetry.models import Judgement

EXCEEDING = {"a34013": 12.0, "a21026": 20.0}

# code, needs confirmation, what happened to the mark, from, to (hours after the first), what the hour is then
GOLDEN = [
    ("stopped", True, "submitted", 0, 1, "exceeding"),
    ("stopped", True, "confirmed", 0, 1, "stopped"),
    ("stopped", True, "refused", 0, 1, "exceeding"),
    ("stopped", True, "reopened", 0, 1, "exceeding"),
    ("stopped", False, "submitted", 0, 1, "stopped"),
    ("stopped", False, "withdrawn", 0, 1, "exceeding"),
    ("stopped", False, "refused", 0, 1, "exceeding"),
    ("maintenance", True, "submitted", 0, 1, "exceeding"),
    ("maintenance", True, "confirmed", 0, 1, "marked"),
    ("maintenance", True, "confirmed", -5, 3, "marked"),
    ("maintenance", True, "confirmed", 1, 2, "exceeding"),
    ("maintenance", True, "confirmed", 0, 0.25, "exceeding"),  # 15 minutes leave 45 that count
    ("maintenance", True, "confirmed", 0, 16 / 60, "marked"),  # 44 minutes do not carry an hour
    ("maintenance", True, "refused", 0, 1, "exceeding"),
    ("running", False, "submitted", 0, 1, "exceeding"),
    ("low-load", False, "confirmed", 0, 1, "exceeding"),
    ("hot-standby", True, "confirmed", 0, 1, "stopped"),
    ("banked", True, "confirmed", 0, 1, "marked"),
]


def bring(scene, mark, state):
    if state == "withdrawn":
        actions.withdraw(scene.clerk, mark)
    elif state == "refused":
        actions.refuse(scene.anna, mark, "the log says otherwise")
    elif state != "submitted":
        actions.confirm(scene.anna, mark)
    if state == "reopened":
        actions.reopen(scene.anna, mark, "new evidence")


def test_the_table_of_code_state_and_time_decides(scene):
    wrong = []
    for number, (code, confirmation, state, first, last, expected) in enumerate(GOLDEN):
        hour = 24 * number
        MarkCode.objects.filter(code=code).update(needs_confirmation=confirmation)
        scene.send(hour, EXCEEDING)
        scene.judge()
        assert scene.judged(hour).state == "exceeding"
        mark = scene.mark(code, hour + first, hour + last)
        bring(scene, mark, state)
        scene.judge()
        found = scene.judged(hour)
        named = [key for own in found.detail.get("marks", ()) for key in own["marks"]]
        if found.state != expected or (expected in ("stopped", "marked") and named != [mark.pk]):
            wrong.append((GOLDEN[number], found.state, named))
    assert not wrong


def test_a_judgement_keeps_the_mark_and_what_it_did(scene):
    scene.send(0, EXCEEDING)
    scene.judge()
    mark = scene.mark("maintenance", 0, 1)
    actions.confirm(scene.anna, mark)
    scene.judge()
    found = scene.judged(0)
    assert (found.state, found.value, found.detail["exceeding"]) == ("marked", None, [])
    assert {figures["state"] for figures in found.detail["factors"].values()} == {"marked"}
    assert found.detail["marks"] == [
        {
            "code": "maintenance", "marks": [mark.pk], "factors": [], "excluded": True, "shutdown": False,
            "edition": mark.edition,
        }
    ]  # fmt: skip
    assert [row.state for row in Judgement.objects.order_by("revision")] == ["exceeding", "marked"]


def test_a_mark_that_excludes_nothing_is_told_and_changes_nothing(scene):
    scene.send(0, EXCEEDING)
    scene.judge()
    scene.mark("low-load", 0, 1)
    scene.judge()
    assert scene.judged(0).state == "exceeding"
    assert [own["code"] for own in scene.judged(0).detail["marks"]] == ["low-load"]


def test_a_mark_of_one_factor_leaves_the_others(scene):
    scene.send(0, {"a34013": 12.0, "a21026": 40.0})
    actions.confirm(scene.anna, scene.mark("maintenance", 0, 1, factors=["a34013"]))
    scene.judge()
    found = scene.judged(0)
    assert (found.state, found.detail["exceeding"]) == ("exceeding", ["a21026"])
    assert found.detail["factors"]["a34013"]["state"] == "marked"


def test_a_device_that_says_stopped_stays_stopped_under_a_mark(scene):
    scene.send(0, EXCEEDING, flag="F")
    actions.confirm(scene.anna, scene.mark("maintenance", 0, 1))
    scene.judge()
    assert scene.judged(0).state == "stopped"


def test_marks_of_one_code_add_up_and_overlaps_count_once(scene):
    scene.send(0, EXCEEDING)
    scene.send(24, EXCEEDING)
    for first, last, factors in ((0, 0.15, ()), (0.5, 0.65, ()), (24, 24.15, ["a34013"]), (24, 24.15, ["a21026"])):
        actions.confirm(scene.anna, scene.mark("maintenance", first, last, factors=factors))
    scene.judge()
    assert (scene.judged(0).state, scene.judged(24).state) == ("marked", "exceeding")


def test_a_day_is_marked_when_too_few_of_its_hours_are_left(scene):
    midnight = scene.at(14)  # 16:00 UTC is midnight in the city
    place = scene.outlet.pk
    actions.confirm(scene.anna, scene.mark("maintenance", 14, 18))
    assert reading.effects({place: [midnight]}, "day") == {}
    actions.confirm(scene.anna, scene.mark("maintenance", 20, 21))
    [effect] = reading.effects({place: [midnight]}, "day")[place, midnight]
    assert (effect.code, len(effect.marks)) == ("maintenance", 2)


def test_what_checks_and_statistics_read(scene):
    place = scene.outlet.pk
    actions.confirm(scene.anna, scene.mark("stopped", 0, 2))
    scene.mark("banked", 5, 6)  # not confirmed: no effect yet
    actions.confirm(scene.anna, scene.mark("maintenance", 8, 9, factors=["a34013"]))
    span = (scene.at(0), scene.at(24))
    assert [(row.kind, row.start) for row in reading.spans([place], *span)[place]] == [
        ("stopped", scene.at(0)), ("maintenance", scene.at(8)),
    ]  # fmt: skip
    assert reading.spans([place], *span)[place][1].detail["factor"] == "dust"
    every = reading.spans([place], *span, every=True)[place]
    assert [row.detail["state"] for row in every] == ["confirmed", "submitted", "confirmed"]
    assert reading.stopped_hours([place], *span) == {place: frozenset({scene.at(0), scene.at(1)})}
    assert [(hour, letter) for hour, letter, _own in reading.letters([place], *span)[place]] == [
        (scene.at(0), "F"), (scene.at(1), "F"), (scene.at(8), "M"),
    ]  # fmt: skip
    assert reading.spans([place], scene.at(2), scene.at(5)) == {}


def test_values_of_a_plant_stated_to_stand_still_are_doubted_by_the_checks(scene):
    scene.send(0, {"a34013": 5.0, "a21026": 20.0, "a19001": 8.0, "a00000": 90.0})
    actions.confirm(scene.anna, scene.mark("stopped", 0, 1))
    scene.judge()
    spoke = {
        check.partition(":")[0]
        for row in store.verdicts([row.pk for row in scene.series.values()], scene.at(0), scene.at(1))
        for check in row.checks
    }
    assert "GAS-STOPPED" in spoke
