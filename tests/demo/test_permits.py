"""The invented permits: of the fleet's enterprises, through the verbs, once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from luming.core.models import AuditEntry
from luming.demo import fleet, permits
from luming.domains.permitting.models import Allowance, Permit
from luming.domains.permitting.numbers import read
from luming.registry.models import Facility

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
