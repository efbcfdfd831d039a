"""Verbs on instruments: permission, scope, rules, drift and result, plans that move on, and the audit trail."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from luming.core.models import AuditEntry
from luming.registry.models import Device
from luming.telemetry.instruments import actions
from luming.telemetry.instruments.models import Calibration, Instrument, MaintenancePlan, Work

AT = timezone.now() - timedelta(days=2)


def calibrated(site, user=None, **values):
    given = {
        "device": site.device,
        "factor": "a21026",
        "kind": Work.SPAN,
        "performed_at": AT,
        "standard": 80.0,
        "response": 81.0,
    }
    return actions.create_calibration(user, **(given | values))


def test_a_calibration_states_its_drift_of_full_scale(site):
    row = calibrated(site, instrument=site.instrument, performed_by="甲")
    assert (row.full_scale, row.drift, row.drift_unit) == (100.0, 1.0, "%FS")
    entry = AuditEntry.objects.get(verb="calibration.create")
    assert entry.detail["values"]["response"] == 81.0


def test_a_check_without_a_range_is_stated_of_the_standard(site):
    row = calibrated(site, kind=Work.CHECK, standard=50.0, response=49.0)
    assert (round(row.drift, 6), row.drift_unit) == (-2.0, "%")


def test_zero_without_a_range_has_no_drift(site):
    row = calibrated(site, kind=Work.ZERO, standard=0.0, response=0.4)
    assert (row.drift, row.result) == (None, Calibration.Result.UNJUDGED)


@pytest.mark.parametrize(
    ("response", "result"), [(82.5, "ok"), (82.6, "adjust"), (90.0, "adjust"), (90.1, "out"), (69.9, "out")]
)
def test_limits_decide_the_result(site, response, result):
    row = calibrated(site, instrument=site.instrument, response=response)  # HJ 75-2017: 2.5 %, 10 % of full scale
    assert (row.result, row.limit_adjust, row.limit_control) == (result, 2.5, 10.0)
    assert (row.edition, row.mark) == ("HJ 75-2017", "memory")


def test_limits_of_before_their_edition_judge_nothing(site):
    row = calibrated(site, instrument=site.instrument, performed_at=datetime(2018, 2, 1, tzinfo=UTC))
    assert (row.result, row.edition) == ("unjudged", "")


def test_absolute_limits_judge_in_their_own_unit(site):
    site.place.medium = "air"
    site.place.save()
    values = {"kind": Work.ZERO, "standard": 0.0, "response": 6.0}
    assert calibrated(site, unit="ppb", **values).result == "adjust"  # HJ 818-2018: 5 ppb
    row = calibrated(site, unit="µg/m³", performed_at=AT - timedelta(days=1), **values)
    assert (row.result, row.drift, row.drift_unit) == ("unjudged", 6.0, "µg/m³")


def test_the_certified_value_stands_in_for_the_standard(site):
    gas = actions.create_supply(
        None, device=site.device, name="SO2 gas", batch="B1", kind="gas", value=80.0, value_unit="mg/m³"
    )
    row = calibrated(site, standard=None, supply=gas, instrument=site.instrument)
    assert (row.standard, row.unit) == (80.0, "mg/m³")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"standard": None}, "standard"),
        ({"response": None}, "response"),
        ({"performed_at": timezone.now() + timedelta(days=1)}, "performed_at"),
        ({"until": AT - timedelta(hours=1)}, "until"),
        ({"factor": "nothing"}, "factor"),
    ],
)
def test_what_cannot_be_is_refused(site, values, field):
    with pytest.raises(ValidationError) as caught:
        calibrated(site, **values)
    assert field in caught.value.message_dict


def test_an_instrument_of_another_factor_or_device_is_refused(site):
    with pytest.raises(ValidationError) as caught:
        calibrated(site, instrument=site.instrument, factor="a21002")
    assert list(caught.value.message_dict) == ["factor"]
    other = Device.objects.create(mn="X", place=site.place, system="31")
    with pytest.raises(ValidationError) as caught:
        calibrated(site, device=other, instrument=site.instrument)
    assert list(caught.value.message_dict) == ["instrument"]


def test_permission_and_scope(site):
    calibrated(site, site.users["maintainer"])
    with pytest.raises(PermissionDenied):
        calibrated(site, site.users["leader"], performed_at=AT - timedelta(days=1))
    foreign = Device.objects.create(mn="X", place=site.place, system="31")
    with pytest.raises(Device.DoesNotExist):
        actions.create_instrument(site.users["maintainer"], device=foreign, name="n", factors="a21026", serial="9")
    Instrument.objects.create(device=foreign, name="n", factors="a21026", serial="9")
    assert list(Instrument.objects.visible_to(site.users["maintainer"])) == [site.instrument]
    assert Instrument.objects.visible_to(site.users["duty"]).count() == 2


def test_a_calibration_is_corrected_and_judged_again(site):
    row = calibrated(site, instrument=site.instrument)
    row = actions.change_calibration(site.users["duty"], row, reason="mistyped", response=90.0)
    assert row.drift == 10.0
    with pytest.raises(ValidationError) as caught:
        actions.change_calibration(None, row, performed_at=AT)
    assert "performed_at" in caught.value.message_dict
    actions.delete_calibration(site.users["duty"], row, reason="wrong device")
    assert not Calibration.objects.exists() and AuditEntry.objects.filter(verb="calibration.delete").exists()


def test_what_a_device_sent_is_neither_changed_nor_deleted(site):
    row = calibrated(site)
    Calibration.objects.filter(pk=row.pk).update(source="packet", packet_id=1)
    row.refresh_from_db()
    with pytest.raises(ValidationError):
        actions.change_calibration(None, row, response=1.0)
    with pytest.raises(ValidationError):
        actions.delete_calibration(None, row)


def test_plans_move_on_with_the_work(site):
    plan = actions.create_plan(
        None, device=site.device, title="clean the probe", work=Work.CLEANING, interval_days=30,
        next_due_on=date(2026, 1, 1),
    )  # fmt: skip
    log = actions.create_maintenance(
        None, device=site.device, kind=Work.CLEANING, start=AT, what="probe", performed_by="甲", plan=plan
    )
    plan.refresh_from_db()
    assert plan.last_done_on is None  # still going on
    actions.change_maintenance(None, log, end=AT + timedelta(hours=1))
    plan.refresh_from_db()
    day = timezone.localtime(AT + timedelta(hours=1)).date()
    assert (plan.last_done_on, plan.next_due_on) == (day, day + timedelta(days=30))
    calibration = actions.create_plan(
        None, device=site.device, title="span", work=Work.SPAN, interval_days=7, next_due_on=date(2026, 1, 1)
    )
    calibrated(site)
    calibration.refresh_from_db()
    assert calibration.next_due_on == timezone.localtime(AT).date() + timedelta(days=7)
    calibrated(site, performed_at=AT - timedelta(days=50))  # entered late: moves nothing back
    assert MaintenancePlan.objects.get(pk=calibration.pk).next_due_on == calibration.next_due_on


def test_supplies_are_used_up_together(site):
    one = actions.create_supply(None, device=site.device, name="filter", batch="1", quantity=3)
    two = actions.create_supply(None, device=site.device, name="filter", batch="2")
    assert "2" in actions.finish_supplies(site.users["duty"], [one, two], reason="done")
    one.refresh_from_db()
    assert one.is_finished and one.quantity == 0


def test_dates_in_order(site):
    with pytest.raises(ValidationError) as caught:
        actions.create_certificate(
            None, device=site.device, number="1", issued_on=date(2026, 2, 1), expires_on=date(2026, 1, 1)
        )
    assert "expires_on" in caught.value.message_dict
    with pytest.raises(ValidationError):
        actions.create_plan(
            None, device=site.device, title="x", interval_days=5, last_done_on=date(2026, 2, 1),
            next_due_on=date(2026, 2, 1),
        )  # fmt: skip
    with pytest.raises(ValidationError):
        actions.create_maintenance(
            None, device=site.device, start=timezone.now() + timedelta(days=1), what="x", performed_by="y"
        )
    with pytest.raises(ValidationError):
        actions.create_maintenance(
            None, device=site.device, start=AT, end=AT - timedelta(hours=1), what="x", performed_by="y"
        )
