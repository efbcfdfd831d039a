"""Settings of checks: dated, with scope; and the verbs that make and end them."""

from datetime import date, timedelta

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from sent_series import HOUR, START, lively

from luming.core.models import AuditEntry, User
from luming.registry.models import Series
from luming.telemetry import store
from luming.telemetry.quality import actions, closing, running, tasks
from luming.telemetry.quality.models import CheckRun, CheckSetting, CheckShare, CheckTally, PlaceDay
from luming.telemetry.store import Quality

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 2)  # START is its midnight


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """Keep the checks that verbs queue, instead of queueing them."""
    jobs = []
    monkeypatch.setattr(tasks.recheck, "defer", lambda **job: jobs.append(job))
    return jobs


@pytest.fixture
def noisy(make, send):
    """Six days of a series with a value far out at noon of each."""
    station = make.station()
    (series,) = make.series(station, "a34002")
    values = lively(144)
    values[12::24] = 460.0
    send(series, values)
    return series


def flagged(series):
    with transaction.atomic():
        running.check_period([series.place_id], "hour", START, START + 144 * HOUR)
    records = store.verdicts([series.pk], START, START + 144 * HOUR)
    return {round((one.start - START) / HOUR): one for one in records if one.quality != Quality.VALID}


def set_spike(series=None, **more):
    values = {"reason": "a crossing beside the station", "effective_from": DAY, "parameters": {"suspect": 5000.0}}
    if series is None:
        values |= {"medium": "air", "factor": "a34002"}
    return actions.set_check(None, "GEN-OUTLIER", series=series, **(values | more))


def test_a_setting_holds_from_its_day_to_its_last_day(noisy):
    before = flagged(noisy)
    assert {hour for hour in before if hour % 24 == 12} == {12, 36, 60, 84, 108, 132}
    for code in ("GEN-OUTLIER", "GEN-SPIKE", "GEN-RATE"):
        setting = actions.set_check(
            None, code, series=noisy, enabled=False, reason="road works", effective_from=DAY + timedelta(days=2)
        )
        actions.end_setting(None, setting, DAY + timedelta(days=3), "road works over")
    after = flagged(noisy)
    assert sorted(hour for hour in after if hour % 24 == 12) == [12, 36, 108, 132]
    history = store.verdict_history(noisy.pk, START + 60 * HOUR)
    assert [record.quality for record in history] == [Quality.SUSPECT, Quality.VALID]
    assert history[-1].edition.endswith("+1,2,3") or "+" in history[-1].edition
    assert "+" not in after[12].edition


def test_parameters_and_severity_replace_those_of_the_catalogue(noisy):
    for code in ("GEN-SPIKE", "GEN-RATE"):
        actions.set_check(None, code, series=noisy, enabled=False, reason="r", effective_from=DAY)
    set_spike(noisy, parameters={"suspect": 100.0, "fail": 200.0}, severity="invalid")
    assert {one.quality for hour, one in flagged(noisy).items() if hour % 24 == 12} == {Quality.INVALID}


def test_a_setting_of_a_series_comes_before_one_of_its_factor(noisy):
    for code in ("GEN-SPIKE", "GEN-RATE", "GEN-OUTLIER"):
        actions.set_check(None, code, medium="air", factor="a34002", enabled=False, reason="r", effective_from=DAY)
    assert flagged(noisy) == {}
    set_spike(noisy, parameters={"suspect": 100.0})
    assert 12 in flagged(noisy)


def test_a_new_setting_ends_the_one_before_and_leaves_room_for_a_later_one(noisy):
    first = set_spike(noisy)
    later = set_spike(noisy, effective_from=DAY + timedelta(days=20))
    middle = set_spike(noisy, effective_from=DAY + timedelta(days=10))
    first.refresh_from_db()
    assert first.effective_to == DAY + timedelta(days=9)
    assert middle.effective_to == DAY + timedelta(days=19)
    assert later.effective_to is None
    with pytest.raises(ValidationError):
        set_spike(noisy)
    assert CheckSetting.objects.count() == 3
    assert AuditEntry.objects.filter(verb="quality.set").count() == 3


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("GEN-NOTHING", {"parameters": {"x": 1.0}}),
        ("GEN-SPIKE", {"parameters": {"suspects": 1.0}}),
        ("GEN-SPIKE", {"parameters": {"around": 0.0}}),
        ("GEN-SPIKE", {"parameters": {"suspect": float("nan")}}),
        ("GEN-SPIKE", {"parameters": {"suspect": True}}),
        ("GEN-SPIKE", {}),
        ("GEN-SPIKE", {"parameters": {"suspect": 1.0}, "reason": "  "}),
        ("GEN-SPIKE", {"severity": "signal"}),
        ("GAS-CONVERTED", {"parameters": {"guard": 18.0}}),
        ("GEN-SPIKE", {"medium": "milk", "parameters": {"suspect": 1.0}}),
    ],
)
def test_what_the_catalogue_does_not_know_is_refused(code, values):
    with pytest.raises(ValidationError):
        actions.set_check(
            None, code, **({"medium": "air", "factor": "a34002", "reason": "r", "effective_from": DAY} | values)
        )
    assert not CheckSetting.objects.exists()


def test_permission_and_scope(noisy):
    duty = User.objects.create_user("duty", "Luming-2026!", name="duty", role="duty")
    elsewhere = User.objects.create_user(
        "reviewer", "Luming-2026!", name="reviewer", role="reviewer", region_codes=["150207"]
    )
    with pytest.raises(PermissionDenied):
        actions.set_check(duty, "GEN-SPIKE", series=noisy, enabled=False, reason="r", effective_from=DAY)
    with pytest.raises(Series.DoesNotExist):
        actions.set_check(elsewhere, "GEN-SPIKE", series=noisy, enabled=False, reason="r", effective_from=DAY)


def test_a_made_setting_is_applied_to_the_values_of_its_time(noisy, queued, monkeypatch):
    flagged(noisy)
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *some: DAY + timedelta(days=5))
    setting = set_spike(noisy, enabled=False)
    for code in ("GEN-SPIKE", "GEN-RATE"):
        actions.set_check(None, code, series=noisy, enabled=False, reason="r", effective_from=DAY)
    tasks.recheck.func(setting_id=setting.pk, first=DAY.isoformat())
    assert store.effective([noisy.pk], START, START + 144 * HOUR).counts.all()
    assert queued == []


# ---- days ------------------------------------------------------------------------------------------------------------


def test_a_closed_day_has_its_rates_once_and_is_closed_again_when_data_comes(noisy, send):
    flagged(noisy)
    for _twice in range(2):
        closing.close(DAY)
    (row,) = CheckTally.objects.filter(code="GEN-OUTLIER")
    assert (row.day, row.series, row.checked, row.suspect + row.fail) == (DAY, noisy, 24, 1)
    share = CheckShare.objects.get(code="GEN-OUTLIER")
    assert (share.medium, share.factor, share.checked) == ("air", "a34002", 24)
    day = PlaceDay.objects.get()
    assert (day.valid, day.suspect + day.invalid) == (23, 1)
    assert DAY not in closing.due(DAY + timedelta(days=1), 3)
    send(noisy, np.array([41.0]), start=START + 12 * HOUR)
    with transaction.atomic():
        running.check({noisy.place_id: [START + 12 * HOUR]}, "hour")
    assert DAY in closing.due(DAY + timedelta(days=1), 3)
    closing.close(DAY)
    assert PlaceDay.objects.get().valid == 24
    assert not CheckTally.objects.filter(code="GEN-OUTLIER").exists()


def test_applying_goes_on_where_it_was(noisy):
    days = (DAY, DAY + timedelta(days=5))
    steps = list(closing.apply(*days, step=2))
    assert [step.values for step in steps] == [48, 48, 48] or sum(step.values for step in steps) >= 144
    assert all(step.done_before for step in closing.apply(*days, step=2))
    assert not any(step.done_before for step in closing.apply(*days, step=2, again=True))
    set_spike(noisy)
    assert not any(step.done_before for step in closing.apply(*days, step=2))
    assert sum(step.written for step in closing.apply(*days, noisy.place, step=2, again=True)) == 0


def test_a_bulk_load_is_not_checked_twice_but_new_values_are(noisy, send, monkeypatch):
    closing.loaded(START, START + 144 * HOUR)
    asked = []
    whole = running._judge
    monkeypatch.setattr(running, "_judge", lambda part, *some, **more: asked.append(part) or whole(part, *some, **more))
    starts = [START + i * HOUR for i in range(144)]
    with transaction.atomic():
        assert running.check({noisy.place_id: starts}, "hour") == 0
    assert asked == []
    assert CheckRun.objects.filter(kind=CheckRun.Kind.LOAD).count() == 3
    send.now(noisy, -70.0, START + 50 * HOUR)
    with transaction.atomic():
        running.check({noisy.place_id: starts}, "hour")
    assert [sorted(part[noisy.place_id]) for part in asked] == [[START + 50 * HOUR]]
    assert not store.effective([noisy.pk], START, START + 144 * HOUR).counts[50]
