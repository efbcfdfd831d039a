"""What is due, how drifts go, and calibrations and maintenance as periods for the checks."""

from datetime import date, timedelta

from django.utils import timezone

from luming.core.models import Organisation
from luming.registry import actions as register
from luming.registry.models import Device
from luming.telemetry.instruments import actions, drift, upkeep
from luming.telemetry.instruments.models import Calibration, Work
from luming.telemetry.instruments.spans import spans

NOW = timezone.now()
TODAY = timezone.localdate()


def dues(site):
    return upkeep.of_devices(Device.objects.all(), TODAY)


def calibrated(site, response, days_ago, **values):
    given = {"device": site.device, "instrument": site.instrument, "factor": "a21026", "kind": Work.SPAN}
    given |= {"performed_at": NOW - timedelta(days=days_ago), "standard": 80.0, "response": response}
    return actions.create_calibration(None, **(given | values))


def test_calibrations_are_due_by_the_intervals_of_the_standard(site):
    found = {due.label.split(": ")[1]: due for due in dues(site)}  # never done since it was installed
    assert len(found) == 3 and {due.tone for due in found.values()} == {"danger"}
    calibrated(site, 80.0, 3)
    assert len(dues(site)) == 2  # of what comes every week nobody speaks four days before
    calibrated(site, 80.0, 6, performed_by="late")
    Calibration.objects.filter(performed_at__gt=NOW - timedelta(days=4)).delete()
    assert [due.day for due in dues(site) if due.tone == "warning"] == [TODAY + timedelta(days=1)]  # 7 days by hand
    assert {due.mark for due in dues(site)} == {"memory"}
    actions.change_instrument(None, site.instrument, self_calibrating=True)
    assert [due.day for due in dues(site) if due.label.endswith(str(Work.SPAN.label))] == [TODAY - timedelta(days=5)]
    actions.change_instrument(None, site.instrument, retired_on=TODAY)
    assert dues(site) == []


def test_out_of_control_until_it_is_adjusted_or_calibrated_again(site):
    def drifting():
        return [(due.key, due.tone) for due in dues(site) if due.key in ("out", "adjust")]

    row = calibrated(site, 91.0, 2)
    assert drifting() == [("out", "danger")]
    actions.change_calibration(None, row, reason="adjusted", adjusted=80.1)
    assert drifting() == []
    calibrated(site, 83.0, 1)
    assert drifting() == [("adjust", "warning")]


def test_expiry_stock_certificates_and_plans(site):
    actions.change_instrument(None, site.instrument, retired_on=TODAY)
    actions.create_supply(
        None, device=site.device, name="gas", batch="1", kind="gas", expires_on=TODAY - timedelta(days=1)
    )
    actions.create_supply(None, device=site.device, name="filter", batch="1", quantity=1, minimum=2)
    actions.create_supply(
        None, device=site.device, name="old", batch="1", is_finished=True, expires_on=date(2020, 1, 1)
    )
    actions.create_certificate(None, device=site.device, number="1", expires_on=TODAY + timedelta(days=5))
    actions.create_certificate(None, device=site.device, number="2", expires_on=TODAY + timedelta(days=31))
    actions.create_plan(
        None, device=site.device, title="inspect", interval_days=90, next_due_on=TODAY + timedelta(days=15)
    )
    assert [(due.key, due.tone) for due in dues(site)] == [
        ("expiry", "danger"), ("stock", "warning"), ("certificate", "warning"), ("plan", "info"),
    ]  # fmt: skip


def test_what_is_due_costs_the_same_for_any_number(site, django_assert_num_queries):
    for i in range(5):
        actions.create_instrument(None, device=site.device, name="n", factors="a21002", serial=f"9{i}")
    with django_assert_num_queries(5):
        dues(site)


def test_drifts_are_charted_by_factor_and_kind(site):
    for days, response in ((50, 80.1), (40, 81.0), (30, 82.0), (20, 83.1), (10, 84.0)):
        calibrated(site, response, days)
    calibrated(site, 0.5, 1, kind=Work.ZERO, standard=0.0)
    span, zero = sorted(drift.of_device(site.device, NOW), key=lambda one: one.kind)
    assert (span.kind, span.course.kind) == ("span", "creeping")
    assert [round(row.drift, 6) for row in span.known] == [0.1, 1.0, 2.0, 3.1, 4.0]
    assert span.last.result == Calibration.Result.ADJUST and len(span.chart.ewma) == 5
    assert (zero.kind, zero.course.kind) == ("zero", "unknown")


def test_spans_tell_calibrations_maintenance_and_maintainers(site, django_assert_num_queries):
    calibrated(site, 81.0, 5, until=NOW - timedelta(days=5) + timedelta(hours=1))
    calibrated(site, 81.0, 90)
    actions.create_maintenance(
        None, device=site.device, kind=Work.REPAIR, start=NOW - timedelta(days=3), what="pump", performed_by="甲"
    )
    other = Organisation.objects.create(name="运维乙", kind="maintainer")
    register.change_device(None, site.device, maintainer=other)
    begin, end = NOW - timedelta(days=30), timezone.now() + timedelta(days=1)
    with django_assert_num_queries(2):
        found = spans([site.place.pk], begin, end)[site.place.pk]
    assert [period.kind for period in found] == ["calibration", "maintenance", "maintainer"]
    calibration, work, keeper = found
    assert calibration.end - calibration.start == timedelta(hours=1)
    assert calibration.detail["work"] == "span" and calibration.detail["drift"] == 1.0
    assert work.end == end and work.detail["open"] is True
    assert (keeper.detail["before"], keeper.detail["after"]) == (site.keeper.pk, other.pk)
    assert spans([], begin, end) == {}
