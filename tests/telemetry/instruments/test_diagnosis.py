"""Why a device is silent or drifts: each rule from evidence made by hand, and the whole from the database."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from luming.registry.models import Device, Station
from luming.telemetry import store
from luming.telemetry.instruments import actions, diagnosis, evidence
from luming.telemetry.instruments.evidence import Evidence, Refused, Values, gather
from luming.telemetry.instruments.models import DeviceFact, Work
from luming.telemetry.models import Connection, DeviceStatus

NOW = timezone.now()


def seen(standing="online", **values):
    """Return evidence about a device that is in a state."""
    spoke = {"online": NOW, "never": None}.get(standing, NOW - timedelta(hours=3))
    status = DeviceStatus(connected=standing in ("online", "silent"), connected_at=spoke, last_packet_at=spoke)
    for name in ("clock_offset", "unmapped"):
        if name in values:
            setattr(status, name, values.pop(name))
    device = Device(pk=1, mn="M", place_id=1, is_active=standing != "off", realtime_seconds=60)
    return Evidence(device, NOW, status, **values)


def keys(found):
    return [finding.key for finding in diagnosis.findings(found)]


def hourly(factor="a21026", numbers=(1, 2, 3), hours_ago=1, **marks):
    newest = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    return Values(factor, newest, 3600, np.array(numbers, float), marks)


def state(value, code="i12001"):
    return {("a21026", code): DeviceFact(subject="a21026", code=code, value=value, at=NOW, packet_id=7)}


def test_a_sound_device_has_no_findings():
    assert keys(seen(values=[hourly()], states=state("0"))) == []


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (seen("off"), "off"),
        (seen("never"), "never"),
        (seen("offline"), "disconnected"),
        (seen("silent"), "silent"),
        (seen("offline", silent_together=5, others=8), "area"),
        (seen("offline", silent_at_site=1, others_at_site=1, silent_together=1, others=9), "site"),
        (seen("offline", states=state("6")), "power"),
        (seen("offline", connections=[Connection(closed_at=NOW, close_reason="too much garbage")]), "garbage"),
        (seen("offline", connections=[Connection(opened_at=NOW) for _ in range(7)]), "unstable"),
        (seen("offline", refused=[Refused("H", "password-wrong", 9, 1)]), "refused-password-wrong"),
        (seen(clock_offset=-400.0), "clock"),
        (seen(unmapped=["B99"]), "unmapped"),
        (seen(values=[hourly(), hourly("a21002", hours_ago=9)]), "partial"),
        (seen(values=[hourly(), hourly("a21002", hours_ago=None)]), "partial"),
        (seen(values=[hourly(numbers=[4.2] * 14), hourly("a21002", range(14))]), "stuck-a21026"),
        (seen(values=[hourly(D=9)]), "mark-fault"),
        (seen(values=[hourly(B=9)]), "mark-line"),
        (seen(states=state("2")), "fault-a21026"),
    ],
)
def test_each_rule_speaks_first_for_its_own_evidence(found, key):
    first = diagnosis.findings(found)[0]
    assert first.key == key
    assert first.label and first.advice and first.evidence and all(proof.text for proof in first.evidence)


@pytest.mark.parametrize(
    "found",
    [
        seen(clock_offset=30.0),
        seen(values=[hourly(numbers=[4.2] * 14), hourly("a21002", [7.0] * 14)]),  # all stand still: the plant does
        seen(values=[hourly(numbers=[0.0] * 14), hourly("a21002", range(14))]),
        seen(values=[hourly(numbers=range(23), C=1)]),
        seen("online", silent_together=9, others=9),
    ],
)
def test_what_is_no_evidence_says_nothing(found):
    assert keys(found) == []


def test_the_likeliest_stands_first():
    found = seen("offline", silent_together=5, others=8, clock_offset=90.0)
    assert keys(found) == ["area", "disconnected", "clock"]


def test_reasons_are_sentences():
    assert "{" not in diagnosis.reason("crc.mismatch") and diagnosis.reason("crc.mismatch") != "crc.mismatch"
    assert diagnosis.reason("never-heard-of") == "never-heard-of"
    assert diagnosis.refusal_advice("crc.mismatch") != diagnosis.refusal_advice("never-heard-of")


def calibrations(site, responses, **values):
    for i, response in enumerate(responses):
        given = {key: value[i] if isinstance(value, list) else value for key, value in values.items()}
        actions.create_calibration(
            None, device=site.device, instrument=site.instrument, factor="a21026", kind=Work.SPAN,
            performed_at=NOW - timedelta(days=7 * (len(responses) - i)), standard=80.0, response=response, **given,
        )  # fmt: skip


def test_a_creeping_and_a_jumped_drift_are_told_apart(site):
    calibrations(site, [80.0, 83.0, 86.1, 89.0, 92.0])
    found = {one.key: one for one in diagnosis.diagnose(site.device, NOW)}
    assert found["creeping-a21026-span"].weight == 74  # out of control by now
    site.device.calibrations.all().delete()
    calibrations(site, [80.0, 80.1, 80.0, 84.0, 84.1, 84.0])
    assert "jumped-a21026-span" in {one.key for one in diagnosis.diagnose(site.device, NOW)}


def test_a_jump_with_another_standard_points_at_the_standard(site):
    gases = [
        actions.create_supply(None, device=site.device, name="gas", batch=f"{i}", kind="gas", value=80.0)
        for i in range(2)
    ]
    calibrations(site, [80.0, 80.1, 80.0, 84.0, 84.1, 84.0], supply=[gases[0]] * 3 + [gases[1]] * 3)
    assert "standard-a21026-span" in {one.key for one in diagnosis.diagnose(site.device, NOW)}


def test_the_evidence_is_gathered_from_the_register_and_the_store(site, hours):
    for i in range(4):
        place = Station.objects.create(
            code=f"N{i}", name=f"N{i}", medium="gas", region=site.region, longitude=109.8, latitude=40.6
        )
        device = Device.objects.create(mn=f"N{i}", place=place, system="31")
        DeviceStatus.objects.create(device=device, last_packet_at=NOW - timedelta(hours=2, seconds=i))
    DeviceStatus.objects.create(device=site.device, last_packet_at=NOW - timedelta(hours=2))
    hour = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    hours("a21026", [(hour - timedelta(hours=i), 5.0 + i, "N") for i in range(5)])
    actions.create_supply(None, device=site.device, name="reagent", batch="1", kind="reagent", expires_on="2026-01-01")
    row = store.PacketRow(
        site.ids.next(NOW),
        NOW,
        "I",
        None,
        site.device.pk,
        site.device.mn,
        "",
        "31",
        2061,
        None,
        b"x",
        "H",
        "time-future",
    )
    with store.Writer() as writer:
        writer.write([row], [])
    device = Device.objects.select_related("place", "state").get(pk=site.device.pk)
    found = gather(device, NOW)
    assert (found.standing, found.silent_together, found.others, found.others_at_site) == ("offline", 4, 4, 0)
    assert [(one.reason, one.count) for one in found.refused] == [("time-future", 1)]
    assert {one.factor: len(one.numbers) for one in found.values} == {"a21026": 5, "a21002": 0}
    wanted = {"area", "disconnected", "refused-time-future", "partial", "expired"}
    assert wanted <= {one.key for one in diagnosis.findings(found)}
    actions.create_maintenance(
        None, device=device, start=NOW - timedelta(hours=4), what="pump", performed_by="甲", kind="repair"
    )
    assert {one.key for one in diagnosis.diagnose(device, NOW)} > {"work"}


def test_a_device_is_silent_after_three_missed_intervals():
    found = seen("online")
    found.status.last_packet_at = NOW - timedelta(minutes=4)
    assert found.standing == "online"
    found.status.last_packet_at = NOW - timedelta(minutes=6)
    assert found.standing == "silent" and found.is_quiet
    assert evidence.SILENT_INTERVALS == 3
