"""What devices tell of themselves: calibrations of 2062, states and information, read once and after a restart."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from luming.telemetry import store
from luming.telemetry.instruments import wire
from luming.telemetry.instruments.models import Calibration, DeviceFact, MaintenancePlan, Progress, Work
from luming.telemetry.models import Command

NOW = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)
CHECK = (
    "DataTime=20261120120000;a21026-SampleTime=20261120115500,a21026-SampleRd=83.0,a21026-StandardValue=80.0,"
    "a21026-ResultType=1;a21002-SampleRd=19,a21002-StandardValue=20"
)


def test_a_standard_check_becomes_calibrations(site, send):
    packet = send(2062, CHECK)
    assert wire.read(NOW) == 2
    so2, nox = Calibration.objects.order_by("-factor")
    assert (so2.factor, so2.kind, so2.standard, so2.response, so2.reported) == ("a21026", Work.CHECK, 80.0, 83.0, "1")
    assert (so2.source, so2.packet_id, so2.instrument) == ("packet", packet, site.instrument)
    assert so2.performed_at == datetime(2026, 11, 20, 3, 55, tzinfo=UTC)  # the time of the sample
    assert nox.performed_at == datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
    assert (nox.instrument, nox.full_scale, nox.unit) == (None, 200.0, "mg/m³")
    assert (round(so2.drift, 6), so2.drift_unit, so2.result) == (3.75, "%", "unjudged")  # no limits for gas


def test_reading_twice_and_after_a_restart_makes_nothing_twice(site, send):
    send(2062, CHECK, NOW - timedelta(days=3))
    assert wire.read(NOW) == 2 and wire.read(NOW) == 0
    Progress.objects.all().delete()  # as if nothing had ever been read
    assert wire.read(NOW) == 0 and Calibration.objects.count() == 2


def test_a_packet_that_was_committed_late_is_read_all_the_same(site, send):
    late = site.ids.next(NOW - timedelta(minutes=5))
    send(2062, CHECK, NOW - timedelta(minutes=2))
    assert wire.read(NOW) == 2
    body = store.packets(device_ids=[site.device.pk])[0].body
    row = store.PacketRow(
        late, NOW - timedelta(minutes=5), "I", None, site.device.pk, site.device.mn, "", "31", 2062, None, body, "A"
    )
    with store.Writer() as writer:
        writer.write([row], [])
    assert wire.read(NOW + timedelta(minutes=1)) == 2


def test_what_cannot_be_entered_stops_nothing(site, send):
    send(2062, "DataTime=20261120120000;a21026-SampleRd=abc,a21026-StandardValue=1e30")
    send(2062, "DataTime=20261120120000;zz9999-SampleRd=1,zz9999-StandardValue=1")
    send(2062, "DataTime=20361120120000;a21026-SampleRd=1,a21026-StandardValue=1")  # a clock ten years ahead
    assert wire.read(NOW) == 1
    assert Calibration.objects.get().performed_at == NOW


def test_a_plan_for_checks_moves_on(site, send):
    plan = MaintenancePlan.objects.create(
        device=site.device, title="check", work=Work.CHECK, interval_days=1, next_due_on="2026-11-01"
    )
    send(2062, CHECK)
    wire.read(NOW)
    plan.refresh_from_db()
    assert f"{plan.next_due_on}" == "2026-11-21"


def test_states_and_information_are_kept_when_they_change(site, send):
    first = send(3020, "DataTime=20261120100000;PolId=a21026,i12001-Info=0", NOW - timedelta(hours=2))
    send(3020, "DataTime=20261120110000;PolId=a21026,i12001-Info=0", NOW - timedelta(hours=1))
    third = send(3020, "DataTime=20261120120000;PolId=a21026,i12001-Info=2", NOW)
    send(2021, "DataTime=20261120120000;SB1-RS=1;SB2-RS=4", NOW)
    send(2081, "DataTime=20261120120000;RestartTime=20261120080000", NOW)
    send(3019, "PolId=a21026,a21026-SN=001102030405060708090A0B", NOW)
    assert wire.read(NOW) == 6
    told = {(row.subject, row.code, row.value): row.packet_id for row in DeviceFact.objects.all()}
    assert told["a21026", "i12001", "0"] == first and told["a21026", "i12001", "2"] == third
    assert {("SB1", "RS", "1"), ("SB2", "RS", "4"), ("", "RestartTime", "20261120080000")} <= set(told)
    assert ("a21026", "SN", "001102030405060708090A0B") in told
    assert wire.read(NOW) == 0


def test_facts_are_append_only(site, send):
    send(2021, "DataTime=20261120120000;SB1-RS=1", NOW)
    wire.read(NOW)
    for change in (lambda rows: rows.update(value="9"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(DeviceFact.objects.all())


def test_a_released_packet_is_read(site, send):
    packet = send(2062, CHECK, NOW - timedelta(days=20), verdict="H")
    wire.read(NOW)
    assert not Calibration.objects.exists()
    from luming.telemetry.store import connecting

    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute(
            "INSERT INTO telemetry_packet_release (packet_id, released_at, verb, reason, new, repeated, revised)"
            " VALUES (%s, %s, 'packet.release', 'r', 0, 0, 0)",
            (packet, NOW),
        )
    assert wire.read(NOW + timedelta(minutes=1)) == 2


@pytest.mark.parametrize(
    ("parameters", "kinds"),
    [({"PolId": "a21026"}, {"zero", "span"}), ({"PolId": "a21026", "CalibrationType": "1"}, {"span"}), ({}, None)],
)
def test_a_calibration_that_was_ordered_is_entered_without_figures(site, parameters, kinds):
    command = Command.objects.create(
        device=site.device, cn=3011, parameters=parameters, state="done", execute_result=1, finished_at=NOW,
        expires_at=NOW, requested_by=site.users["duty"],
    )  # fmt: skip
    Command.objects.create(device=site.device, cn=3011, state="failed", finished_at=NOW, expires_at=NOW)
    wire.read(NOW)
    rows = Calibration.objects.filter(command=command)
    assert {row.kind for row in rows} == (kinds or {"zero", "span"})
    assert {(row.source, row.result, row.factor) for row in rows} == {("command", "unjudged", "a21026")}
    assert wire.read(NOW) == 0
