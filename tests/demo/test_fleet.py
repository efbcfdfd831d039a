"""The demonstration fleet: its size, its invented names, and its entry in the register."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from luming.core.models import AuditEntry, User
from luming.core.roles import ROLES
from luming.demo import fleet, loading
from luming.registry import city, rules, units, uscc
from luming.registry.models import Device, Facility, FactorAlias, Limit, Outlet, Place, Series, Station

FLEET = fleet.describe()


def test_counts():
    media = Counter(row["medium"] for row in FLEET.stations)
    assert media == {"air": 12, "water": 6, "noise": 4}
    assert len(FLEET.facilities) == 20
    assert len(FLEET.outlets) == 45
    assert len(FLEET.unknown) == 3
    assert sum(logger.site.story in fleet.MISBEHAVING for logger in FLEET.registered) == 3
    assert len(FLEET.registered) == 12 + 6 + 4 + 45


def test_every_story_is_told_once():
    stories = Counter(logger.site.story for logger in FLEET.loggers if logger.site.story)
    assert stories == dict.fromkeys(fleet.STORIES, 1)


def test_identities_are_valid_and_unique():
    mns = [logger.mn for logger in FLEET.loggers]
    assert len(set(mns)) == len(mns)
    assert all(rules.MN_PATTERN.fullmatch(mn) for mn in mns)
    assert {logger.edition for logger in FLEET.registered} == {0, 1, 2}
    assert all(re.fullmatch(r"\d{6}", logger.password) for logger in FLEET.loggers)
    codes = [facility.uscc for facility in FLEET.facilities]
    assert len(set(codes)) == 20
    assert all(uscc.is_valid(code) for code in codes)


def test_names_are_invented():
    real = {row["name"] for row in city.rows(city.find("baotou") / "stations.csv")}
    assert len(real) == 6
    names = [row["name"] for row in FLEET.stations] + [facility.name for facility in FLEET.facilities]
    for name in names:
        assert name.startswith("演示")
        assert not any(known in name for known in real)


def test_the_seed_decides():
    again, other = fleet.describe(fleet.SEED), fleet.describe(7)
    assert [logger.mn for logger in again.loggers] == [logger.mn for logger in FLEET.loggers]
    assert not {logger.mn for logger in other.loggers} & {logger.mn for logger in FLEET.loggers}


def test_units_are_spelled_as_the_register_spells_them():
    for logger in FLEET.loggers:
        assert all(units.known(factor.unit) == factor.unit for factor in logger.site.factors)


def test_limits_come_with_source_and_date():
    for process in fleet.processes():
        limits = fleet.limits_of(process)
        assert limits
        assert all(limit.source and limit.effective_from.year >= 1998 for limit in limits)
    kiln = {limit.factor: limit for limit in fleet.limits_of("kiln-tail")}  # GB 4915-2013, table 1
    assert [kiln[code].upper for code in ("a34013", "a21026", "a21002")] == [30, 200, 400]
    assert kiln["a21026"].verified
    assert not fleet.limits_of("aluminium")[0].verified


def test_load_without_regions_says_what_to_do(db):
    with pytest.raises(LookupError, match="luming city load baotou"):
        fleet.load()


@pytest.fixture
def loaded(committed_fleet, db):
    return committed_fleet


def test_load_registers_everything(loaded):
    assert Station.objects.filter(is_demo=True).count() == 22
    assert Facility.objects.filter(is_demo=True).count() == 20
    assert Outlet.objects.filter(is_demo=True).count() == 45
    assert Device.objects.filter(is_demo=True).count() == 67
    assert not Device.objects.filter(mn__in=[logger.mn for logger in FLEET.unknown]).exists()
    assert Limit.objects.filter(factor="a21002", converted=True).exists()
    assert set(Series.objects.filter(place__code="DEMO-N01", interval="day").values_list("factor", flat=True)) == {
        "Leq", "L10", "L50", "L90", "Ld", "Ln",
    }  # fmt: skip
    old = FLEET.logger("DEMO-F03-DA001")
    assert dict(FactorAlias.objects.filter(place__code=old.site.code).values_list("sent", "factor"))["02"] == "a21026"
    assert AuditEntry.objects.filter(verb="device.create").count() == 67


def test_load_makes_one_user_per_role(loaded):
    assert set(loaded) == set(loading.PEOPLE) == {key for key, role in ROLES.items() if role.permissions}
    assert all(user.must_change_password for user in User.objects.filter(username__in=loaded))
    enterprise, district = User.objects.get(username="enterprise"), User.objects.get(username="district")
    maintainer = User.objects.get(username="maintainer")
    assert {place.code[:8] for place in Place.objects.visible_to(enterprise)} == {"DEMO-F01"}
    assert {place.region_id for place in Place.objects.visible_to(district)} == {"150203"}
    assert 0 < Device.objects.visible_to(maintainer).count() < 45
    assert User.objects.get(username="duty").check_password(loaded["duty"])


def test_load_twice_changes_nothing(loaded):
    counts = [model.objects.count() for model in (Place, Device, Series, Limit, User, AuditEntry)]
    assert fleet.load() == {}
    assert [model.objects.count() for model in (Place, Device, Series, Limit, User, AuditEntry)] == counts


def test_places_lie_in_their_districts(loaded):
    from shapely.geometry import Point, shape

    for place in Place.objects.filter(is_demo=True).select_related("region"):
        assert shape(place.region.boundary).contains(Point(place.longitude, place.latitude)), place.code
