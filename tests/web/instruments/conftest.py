"""Instruments, calibrations, a log and days of health for the devices of the small city."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from luming.telemetry.instruments import actions
from luming.telemetry.instruments.models import DeviceFact, HealthDay, Work


def furnish(world):
    """Enter all of it for the device that the tests name, a little for the other one."""
    now, today = timezone.now(), timezone.localdate()
    device = world.device
    instrument = actions.create_instrument(
        None, device=device, name="SO2 analyser", model="X-1", serial="001", factors="a21026", upper=100.0,
        unit="mg/m³",
        installed_on=today - timedelta(days=400),
    )  # fmt: skip
    gas = actions.create_supply(
        None, device=device, name="SO2 in N2", batch="C-17", kind="gas", value=80.0, value_unit="mg/m³",
        expires_on=today - timedelta(days=2),
    )  # fmt: skip
    for i, response in enumerate((80.1, 82.0, 85.0, 88.1, 91.5)):
        calibration = actions.create_calibration(
            None, device=device, instrument=instrument, factor="a21026", kind=Work.SPAN, supply=gas,
            performed_at=now - timedelta(days=35 - 7 * i), standard=80.0, response=response, unit="mg/m³",
            performed_by="甲",
        )  # fmt: skip
    plan = actions.create_plan(
        None, device=device, title="Clean the probe", work=Work.CLEANING, interval_days=30, next_due_on=today
    )
    actions.create_maintenance(
        None, device=device, kind=Work.REPAIR, start=now - timedelta(days=3), end=now - timedelta(days=3, hours=-2),
        what="Pump exchanged", performed_by="甲",
    )  # fmt: skip
    actions.create_certificate(None, device=device, number="CERT-1", expires_on=today + timedelta(days=3))
    DeviceFact.objects.create(
        device=device, subject="a21026", code="i12001", value="0", at=now, packet_id=world.packet
    )  # fmt: skip
    for back in range(1, 31):
        for one, held in ((device, 24), (world.other_device, 12)):
            HealthDay.objects.create(
                device=one, maintainer=one.maintainer, factor="a21026", day=today - timedelta(days=back), expected=24,
                held=held, valid=held - 2, stopped=1, marks={"D": 1, "F": 1}, computed_at=now,
            )  # fmt: skip
    return SimpleNamespace(device=device, instrument=instrument, gas=gas, calibration=calibration, plan=plan)


@pytest.fixture
def kept(world):
    """Furnish the city."""
    return furnish(world)
