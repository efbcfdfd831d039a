"""The invented permits: of the fleet's enterprises, through the verbs, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from luming.core.models import AuditEntry
from luming.demo import fleet, generator, history, permits
from luming.domains.permitting.models import Allowance, EmissionDay, Permit
from luming.domains.permitting.numbers import read
from luming.hj212 import CHINA
from luming.registry.models import Facility
from luming.telemetry import judging, store

TODAY = date(2026, 11, 24)


@pytest.fixture
def loaded(committed_fleet, db):
    return permits.load(fleet.describe(), TODAY - timedelta(days=60), TODAY)


def test_permits_are_marked_and_loaded_once(loaded):
    assert loaded == Permit.objects.count() == len(fleet.rows("permits.csv")) == 19
    assert not Permit.objects.filter(is_demo=False).exists()
    assert all(read(number).is_sound for number in Permit.objects.values_list("number", flat=True))
    assert AuditEntry.objects.filter(verb="permit.create").count() == loaded
    assert permits.load(fleet.describe(), TODAY - timedelta(days=60), TODAY + timedelta(days=1)) == 0


def test_every_kind_of_permit_is_there(loaded):
    standings = {permit.standing(TODAY) for permit in Permit.objects.all()}
    assert standings == {"valid", "expiring", "expired"}
    assert Facility.objects.filter(permits__isnull=True).count() == 1
    assert Allowance.objects.filter(verified=False).exists()
    assert Allowance.objects.filter(outlet__isnull=False).exists()


def test_what_was_emitted_before_the_history_is_reported(loaded):
    allowance = Allowance.objects.get(permit__facility__code="DEMO-F01", outlet=None, factor="a21002", year=2026)
    assert allowance.reported_until == date(2026, 9, 30)
    assert allowance.reported_tonnes == pytest.approx(365 * 273 / 365, abs=0.001)


@pytest.mark.parametrize(
    ("first", "today", "until"),
    [
        (date(2026, 9, 25), TODAY, date(2026, 9, 30)),
        (date(2026, 11, 21), TODAY, date(2026, 10, 31)),  # November is not over
        (date(2026, 1, 5), date(2026, 1, 9), None),
        (date(2025, 12, 1), date(2026, 1, 20), date(2025, 12, 31)),
    ],
)
def test_until_when_it_was_reported(first, today, until):
    assert permits.reported_until(first, today) == until


def test_a_year_change_has_allowances_on_both_sides(committed_fleet, db):
    permits.load(fleet.describe(), date(2026, 12, 1), date(2027, 1, 20))
    assert set(Allowance.objects.values_list("year", flat=True)) == {2026, 2027}


def test_the_history_becomes_daily_emissions(committed_fleet, db):
    until = datetime(2026, 11, 24, 0, 20, tzinfo=CHINA)
    history.fill(days=1, until=until)
    while judging.judge_pending():
        pass
    logger = fleet.describe().logger("DEMO-F17-DW001")
    (day,) = EmissionDay.objects.filter(outlet__code=logger.site.code, factor="w01018", day=date(2026, 11, 23))
    starts = np.arange(24) * 3600 + int(datetime(2026, 11, 23, tzinfo=CHINA).timestamp())
    series = day.outlet.series.get(factor="w01018", interval="hour")
    held = store.held_starts([series.pk], until - timedelta(days=3), until)[series.pk].astype("datetime64[s]")
    block = generator.block(logger.site, "hour", starts)
    row = logger.site.row["w01018"]
    counts = (block.flag[row] == generator.NORMAL) & np.isin(starts, held.astype(np.int64))
    assert day.amount_kg == pytest.approx(block.amount[row][counts].sum(), abs=1e-6)
    assert day.hours_present == counts.sum() > 12
    assert EmissionDay.objects.values("outlet").distinct().count() == 45
