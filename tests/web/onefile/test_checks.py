"""Identity checks: each finding can be good and can be otherwise."""

import pytest
from django.utils import translation

from luming.registry.models import Device, Facility, Limit, Outlet, Region, Series, Station
from luming.web.onefile import checks


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def found(run, subject):
    return {finding.label: (finding.state, finding.detail) for finding in run(subject)}


def states(run, subject):
    return [finding.state for finding in run(subject)]


def test_the_credit_code(world):
    facility = world.facility
    assert states(checks.identity, facility) == ["warning"]  # none
    facility.uscc = "91350100M000100Y43"
    assert states(checks.identity, facility) == ["good"]
    facility.uscc = "91350100M000100Y44"
    assert states(checks.identity, facility) == ["bad"]
    facility.uscc = "91350100M000100Y43"
    Facility.objects.filter(pk=world.elsewhere.facility_id).update(uscc=facility.uscc)
    assert states(checks.identity, facility) == ["good", "warning"]
    text = str(found(checks.identity, facility))
    assert world.elsewhere.facility.name not in text  # it may be outside one's scope


def test_empty_fields(world):
    assert "Industry、Address" in found(checks.completeness, world.facility)["Data is missing in the register"][1]
    world.facility.industry, world.facility.address = "steel", "1 Spruce Avenue"
    assert states(checks.completeness, world.facility) == ["good"]


def test_the_position(world):
    assert states(checks.position, world.facility) == ["good"]
    world.facility.longitude = 110.505  # 0.4 km outside of a sketch
    assert states(checks.position, world.facility) == ["warning"]
    world.facility.region.boundary_official = True
    assert states(checks.position, world.facility) == ["bad"]
    world.facility.region.boundary_official = False
    world.facility.longitude = 111
    assert states(checks.position, world.facility) == ["bad"]
    assert "42.2 km" in str(found(checks.position, world.facility))  # half a degree of longitude at 40.6° N
    world.facility.longitude = 110.52  # 1.7 km, though 0.02° would be 2.2 km to the north
    assert states(checks.position, world.facility) == ["warning"]
    assert states(checks.position, world.elsewhere.facility) == ["warning"]  # no boundary


def test_outlets(world):
    good = {"Every outlet has limits in force", "Every outlet has a device", "Limits are not verified"}
    assert set(found(checks.outlets, world.facility)) == good
    Limit.objects.update(verified=True)
    Outlet.objects.create(
        code="F1-DA002", name="x", medium="gas", region=world.outlet.region, longitude=110, latitude=40.6,
        facility=world.facility, number="DA002",
    )  # fmt: skip
    assert found(checks.outlets, world.facility) == {
        "Outlets without limits in force": ("bad", "DA002"),
        "Outlets without a device": ("warning", "DA002"),
        "Outlets far from their facility": ("warning", "More than 5 km away: DA002"),
    }
    Limit.objects.update(effective_to="2015-01-01")
    assert found(checks.outlets, world.facility)["Outlets without limits in force"] == ("bad", "DA001、DA002")
    Outlet.objects.update(is_active=False)
    assert states(checks.outlets, world.facility) == ["bad"]


def test_the_equipment_and_limits_of_a_place(world):
    outlet = world.outlet
    assert states(checks.equipment, outlet) == ["good"]
    Device.objects.filter(place=outlet).update(is_active=False)
    Series.objects.filter(place=outlet).delete()
    Outlet.objects.update(commissioned_at=None)
    assert states(checks.equipment, Outlet.objects.get(pk=outlet.pk)) == ["warning"] * 3
    assert states(checks.limits, outlet) == ["warning"]
    Limit.objects.update(verified=True)
    assert states(checks.limits, outlet) == ["good"]
    Limit.objects.all().delete()
    assert states(checks.limits, outlet) == ["bad"]


@pytest.mark.parametrize(
    ("medium", "field", "value", "missing"),
    [("water", "target_class", 3, "warning"), ("noise", "zone_class", "2", "bad")],
)
def test_what_a_station_is_judged_by(world, medium, field, value, missing):
    station = Station(medium=medium)
    assert states(checks.judged_by, station) == [missing]
    setattr(station, field, value)
    assert states(checks.judged_by, station) == ["good"]
    assert states(checks.judged_by, Station(medium="air")) == []


def test_the_boundary_of_a_region(world):
    region = Region.objects.get(pk="150203")
    assert states(checks.boundary, region) == ["warning", "good"]
    region.boundary_official = True
    Station.objects.update(longitude=100)
    assert states(checks.boundary, region) == ["good", "warning"]
    assert states(checks.boundary, Region.objects.get(pk="150207")) == ["warning"]
