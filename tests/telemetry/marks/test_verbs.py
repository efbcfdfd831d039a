"""Making, withdrawing, confirming, refusing: who may, when, and what is kept; what speaks against a mark."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from luming.core.models import Attachment, AuditEntry
from luming.telemetry.marks import actions, configuring, examining, words
from luming.telemetry.marks.models import Mark, MarkCode

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)  # 12 o'clock on the day after


def kinds(mark):
    return [finding["kind"] for finding in mark.contradictions]


def make(scene, *wanted, at=None, user=None):
    return actions.make(user or scene.clerk, scene.outlet, list(wanted), at=at)


def test_all_problems_of_all_rows_are_told_and_nothing_is_made(scene):
    soon = datetime.now(UTC) - scene.start
    hours = int(soon / timedelta(hours=1))
    wanted = [
        scene.wanted("maintenance", 0, 1),
        scene.wanted("maintenance", 3, 2, explanation=" "),
        scene.wanted("stopped", hours, hours + 3),
        scene.wanted("maintenance", 0.5, 0.51),
        scene.wanted("drying-out", 5, 6),  # not for thermal power
        scene.wanted("over-range", 7, 8),  # by the device only
        scene.wanted("maintenance", 9, 10, factors=["w01018"]),
    ]
    with pytest.raises(actions.RowProblemsError) as caught:
        make(scene, *wanted)
    rows = dict(caught.value.rows)
    assert sorted(rows) == [1, 2, 3, 4, 5, 6]
    assert len(rows[1]) == 2 and "not over" in rows[2][0]
    assert len(rows[3]) == 2  # no whole minutes, and the first row has this state at the time already
    assert "cannot be stated" in rows[4][0] and "cannot be stated" in rows[5][0] and "w01018" in rows[6][0]
    assert not Mark.objects.exists()


def test_marks_are_made_with_deadline_lateness_and_audit(scene):
    first, second = make(scene, scene.wanted("stopped", 0, 2), scene.wanted("fault-or-accident", 4, 5), at=NOON)
    assert (first.deadline, first.late) == (NOON, False)
    [late] = make(scene, scene.wanted("maintenance", 6, 7), at=NOON + timedelta(seconds=1))
    assert late.late and late.edition == "maintenance@2019-11-26"
    audit = AuditEntry.objects.filter(verb="mark.make").order_by("pk")
    assert [row.object_id for row in audit] == [str(row.pk) for row in (first, second, late)]
    assert audit[2].detail["late"] is True and audit[0].actor == scene.clerk
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM marks_markevent WHERE pgh_obj_id = %s", [first.pk])
        assert cursor.fetchall() == [("submitted",)]


def test_only_those_who_may_and_only_their_own(scene):
    mark = scene.mark("stopped", 0, 1)
    with pytest.raises(PermissionDenied):
        scene.mark("stopped", 2, 3, user=scene.duty)
    with pytest.raises(scene.outlet.DoesNotExist):
        scene.mark("stopped", 2, 3, user=scene.stranger)
    for user, error in ((scene.clerk, PermissionDenied), (scene.duty, PermissionDenied)):
        for verb in (actions.confirm, lambda who, what: actions.refuse(who, what, "no")):
            with pytest.raises(error):
                verb(user, mark)
    with pytest.raises(Mark.DoesNotExist):
        actions.withdraw(scene.stranger, mark)
    assert not Mark.objects.visible_to(scene.stranger).exists()


def test_a_decision_is_made_once_with_a_reason_and_can_be_taken_back(scene):
    mark = scene.mark("stopped", 0, 1)
    with pytest.raises(ValidationError, match="why the mark is refused"):
        actions.refuse(scene.anna, mark, "  ")
    actions.refuse(scene.anna, mark, "the furnace ran")
    for again in (lambda: actions.confirm(scene.anna, mark), lambda: actions.withdraw(scene.clerk, mark)):
        with pytest.raises(ValidationError):
            again()
    row = scene.stored(mark)
    assert (row.state, row.reason, row.decided_by) == ("refused", "the furnace ran", scene.anna)
    with pytest.raises(ValidationError, match="taken back"):
        actions.reopen(scene.anna, mark, "")
    actions.reopen(scene.anna, mark, "a photo came")
    row = scene.stored(mark)
    assert (row.state, row.reason, row.decided_by, row.decided_at) == ("submitted", "", None, None)
    with pytest.raises(ValidationError, match="no decision"):
        actions.reopen(scene.anna, mark, "again")
    actions.withdraw(scene.clerk, mark)
    verbs = list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["mark.make", "mark.refuse", "mark.reopen", "mark.withdraw"]


def test_many_are_confirmed_at_once_unless_something_speaks_against_them(scene):
    good, decided = make(scene, scene.wanted("stopped", 0, 1), scene.wanted("stopped", 2, 3), at=NOON)
    late = scene.mark("stopped", 4, 5)
    actions.refuse(scene.anna, decided, "no")
    confirmed, left = actions.confirm_many(scene.anna, [good, decided, late], "seen")
    assert [row.pk for row in confirmed] == [good.pk] and len(left) == 2
    assert scene.stored(good).reason == "seen"


def test_a_file_is_kept_with_each_mark(scene):
    file = SimpleUploadedFile("log.txt", "停炉记录".encode())
    wanted = [scene.wanted("stopped", 0, 1), scene.wanted("stopped", 2, 3)]
    made = actions.make(scene.clerk, scene.outlet, wanted, file=file)
    kept = Attachment.objects.filter(object_type="marks.mark")
    assert sorted(row.object_id for row in kept) == sorted(str(row.pk) for row in made)


# ---- what speaks against a mark --------------------------------------------------------------------------------------


def test_a_plant_that_runs_while_stated_to_stand_still(scene):
    for hour in range(-5, 0):
        scene.send(hour, {"a00000": 100.0})
    scene.send(0, {"a00000": 95.0, "a19001": 8.0})
    scene.send(1, {"a00000": 2.0, "a19001": 20.5})
    scene.send(2, {"a00000": 60.0}, flag="F")
    [running, normal] = scene.mark("stopped", 0, 3).contradictions
    assert (running["kind"], running["verdict"], running["hours"], running["of"]) == ("running", "contradiction", 2, 3)
    assert [(row["factor"], row["value"], row["bound"]) for row in running["rows"]] == [
        ("a00000", 95.0, 10.0), ("a00000", 60.0, 10.0), ("a19001", 8.0, 19.0),
    ]  # fmt: skip
    assert (normal["kind"], normal["hours"], normal["of"]) == ("device-normal", 2, 3)


def test_an_hour_that_a_mark_touches_in_part_proves_nothing(scene):
    for hour in range(-3, 1):
        scene.send(hour, {"a00000": 100.0})
    assert kinds(scene.mark("stopped", 0.5, 1.5)) == []


def test_a_device_that_sent_maintenance_agrees_and_one_that_sent_normal_does_not(scene):
    scene.send(0, {"a34013": 5.0}, flag="M")
    scene.send(5, {"a34013": 5.0})
    assert kinds(scene.mark("maintenance", 0, 1)) == []
    assert kinds(scene.mark("maintenance", 5, 6)) == ["device-normal"]
    assert kinds(scene.mark("low-load", 5, 6)) == []


def test_other_marks_on_the_same_time(scene):
    scene.mark("stopped", 0, 4)
    [finding] = scene.mark("banked", 2, 6).contradictions
    assert (finding["kind"], finding["hours"], finding["code"]) == ("overlap", 2, "stopped")
    assert kinds(scene.mark("maintenance", 0, 4)) == []  # the plant stands still and the device is maintained
    first, second = make(scene, scene.wanted("running", 10, 12), scene.wanted("device-stopped", 11, 12))
    assert kinds(first) == kinds(second) == ["overlap"]
    assert examining.against(MarkCode(code="own", side="device"), scene.code("stopped")) == ""


def test_a_mark_made_after_the_exceedance_was_known_and_one_that_fits_every_time(scene):
    for hour in (0, 1, 10, 20):
        scene.send(hour, {"a34013": 30.0})
    assert kinds(scene.mark("banked", 20, 21)) == []  # nothing is judged yet
    scene.judge()
    first = scene.mark("banked", 0, 2)
    assert kinds(first) == ["after-exceedance"] and first.contradictions[0]["hours"] == 2
    assert kinds(scene.mark("banked", 10, 11)) == ["after-exceedance", "repeated"]
    assert kinds(scene.mark("low-load", 10, 11)) == ["overlap"]  # keeps nothing out of a decision


def test_what_is_longer_than_it_may_be(scene):
    MarkCode.objects.filter(code="banked").update(longest_hours=4, yearly_hours=10, yearly_group="banked starting")
    assert kinds(scene.mark("banked", 0, 4)) == []
    assert kinds(scene.mark("banked", 10, 15)) == ["too-long"]
    [finding] = scene.mark("banked", 20, 22).contradictions
    assert (finding["kind"], finding["hours"], finding["allowed"]) == ("yearly", 11, 10)


def test_every_finding_has_words(scene):
    figures = {"hours": 1, "of": 2, "known": "2026-11-01T04:00:00+00:00", "marks": 3, "days": 90, "allowed": 4,
               "name_zh": "停运", "name_en": "Out of operation"}  # fmt: skip
    for kind in words.FINDINGS:
        finding = {"kind": kind, "verdict": "check", **figures}
        assert words.finding_text(finding) and words.finding_title(finding) != kind
    for code in MarkCode.objects.all():
        assert words.consequence(code)


# ---- configuration ---------------------------------------------------------------------------------------------------


def test_what_a_code_does_is_not_changed_once_it_was_used(scene):
    admin = scene.person("chief", "reviewer")
    code = scene.code("banked")
    configuring.change_code(admin, code, reason="settled", needs_confirmation=False)
    scene.mark("banked", 0, 1)
    with pytest.raises(ValidationError, match="end it on a day"):
        configuring.change_code(admin, code, excluded=False)
    configuring.change_code(admin, code, reason="new rule", effective_to="2026-12-31")
    values = {name: getattr(code, name) for name in ("code", "side", "name_zh", "name_en", "sectors", "media")}
    with pytest.raises(ValidationError, match="same time"):
        configuring.create_code(admin, effective_from="2026-12-31", **values)
    row = configuring.create_code(admin, effective_from="2027-01-01", excluded=False, **values)
    assert row.deadline(NOON) == NOON + timedelta(days=1)
    with pytest.raises(ValidationError, match="emits nothing"):
        configuring.change_code(admin, row, shutdown=True)
    with pytest.raises(PermissionDenied):
        configuring.change_code(scene.clerk, row, note_en="x")


def test_a_period_until_midnight_belongs_to_the_day_that_ends(scene):
    code = scene.code("maintenance")
    assert code.deadline(datetime(2026, 11, 1, 16, tzinfo=UTC)) == NOON
    assert code.deadline(datetime(2026, 11, 1, 16, 1, tzinfo=UTC)) == NOON + timedelta(days=1)
