"""The invented instruments: once, marked, judged as entered ones are, with the stories that they should tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from luming.demo import fleet, instruments, telling
from luming.registry.models import Device
from luming.telemetry.instruments import drift, upkeep, wire
from luming.telemetry.instruments.models import (
    Calibration,
    DeviceFact,
    Instrument,
    Maintenance,
    MaintenancePlan,
    Supply,
)

NOW = datetime.now(UTC)


@pytest.fixture
def loaded(committed_fleet, db):
    return instruments.load(fleet.describe(), NOW)


def test_everything_is_marked_and_loaded_once(loaded):
    for model in (Instrument, Calibration, Maintenance, MaintenancePlan, Supply):
        assert model.objects.exists() and not model.objects.filter(is_demo=False).exists(), model
    assert loaded > 2000
    assert not Device.objects.filter(is_demo=True, instruments__isnull=True).exists()
    assert instruments.load(fleet.describe(), NOW) == 0


def test_nothing_lies_in_the_future_and_every_row_is_sound(loaded):
    assert not Calibration.objects.filter(until__gt=NOW + timedelta(minutes=10)).exists()
    assert not Calibration.objects.filter(performed_at__gt=NOW).exists()
    assert not Maintenance.objects.filter(end__gt=NOW).exists()
    for model in (Instrument, Calibration, Maintenance, MaintenancePlan, Supply):
        for row in model.objects.order_by("?")[:15]:
            row.full_clean()


def test_most_are_well_kept_and_a_few_are_not(loaded):
    results = list(Calibration.objects.values_list("result", flat=True))
    assert results.count("ok") > 0.85 * len([result for result in results if result != "unjudged"])
    courses = {
        one.course.kind for device in Device.objects.filter(is_demo=True) for one in drift.of_device(device, NOW)
    }
    assert {"steady", "creeping", "jumped"} <= courses
    needs = upkeep.of_devices(Device.objects.all(), timezone.localdate())
    assert {"out", "adjust", "calibration", "plan", "expiry", "stock", "certificate"} <= {due.key for due in needs}
    assert len({due.device_id for due in needs if due.is_late}) < Device.objects.count() * 0.7


def test_what_loggers_tell_is_read_from_their_packets(committed_fleet, db):
    described = fleet.describe()
    instruments.load(described, NOW)
    stored = telling.send(described, NOW)
    assert stored > 80
    made = wire.read(NOW)
    checks = Calibration.objects.filter(source="packet")
    assert checks.count() > 100 and made > checks.count()
    assert not checks.filter(drift=None).exists()
    assert DeviceFact.objects.filter(code="i12001", value="0").count() > 100
    assert telling.send(described, NOW) == 0
    assert wire.read(NOW) == 0
