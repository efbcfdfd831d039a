"""A waste-water outlet with an hourly series, people of the bureau, and a plan."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import translation

from luming.core.models import Organisation, User
from luming.registry.models import Facility, Outlet, Region, Series
from luming.telemetry import store
from luming.telemetry.identity import PacketIds
from luming.telemetry.sampling import actions

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = NOW.replace(minute=0, second=0)


@pytest.fixture(autouse=True)
def english():
    """Refusals are read in English; the platform's own language is Chinese."""
    with translation.override("en"):
        yield


def make_outlet(code="F1", region="150203", organisation=None, number="DW001", medium="sewage"):
    region, _made = Region.objects.get_or_create(code=region, defaults={"name": region, "level": "district"})
    facility = Facility.objects.create(
        name=f"工厂{code}", code=code, region=region, longitude=109.8, latitude=40.6, organisation=organisation
    )
    return Outlet.objects.create(
        code=f"{code}-{number}", name=f"工厂{code}·总排口", medium=medium, region=region, facility=facility,
        longitude=109.8, latitude=40.6, number=number,
    )  # fmt: skip


def make_user(name, role, **fields):
    return User.objects.create_user(name, "Luming-2026!", name=name, role=role, language="en", **fields)


@pytest.fixture
def people(db):
    mine = Organisation.objects.create(name="甲厂", kind="enterprise")
    return SimpleNamespace(
        duty=make_user("采样员", "duty"),
        reviewer=make_user("分析员", "reviewer"),
        second=make_user("审核员", "reviewer"),
        leader=make_user("领导", "leader"),
        district=make_user("九原", "enforcement", region_codes=["150207"]),
        enterprise=make_user("企业", "enterprise", organisation=mine),
    )


@pytest.fixture
def outlet(people):
    return make_outlet(organisation=people.enterprise.organisation)


@pytest.fixture
def plan(outlet, people):
    return actions.create_plan(
        people.duty, places=[outlet], name="废水月度监测", medium="sewage", factors=["w01018", "w21003"],
        frequency="month", starts_on=HOUR.date(), standards="HJ 91.1-2019", parallels=1, blanks=1,
    )  # fmt: skip


@pytest.fixture
def sample(plan, people):
    return actions.issue(people.duty, plan, plan.starts_on)[0]


@pytest.fixture
def make():
    """Make outlets and people; take samples; enter results; store observations."""
    return SimpleNamespace(outlet=make_outlet, user=make_user, taken=taken, entry=entry, observe=observe, hour=HOUR)


def taken(people, sample, *, ago=timedelta(hours=5), length=timedelta(hours=1)):
    start = HOUR - ago
    actions.take(people.duty, sample, taken_from=start, taken_to=start + length, samplers="采样员、陪同员")
    sample.refresh_from_db()
    return sample


def entry(sample, factor="w01018", value=40.0, **fields):
    values = {
        "unit": "mg/L", "analysed_at": sample.taken_to + timedelta(hours=1), "method": "HJ 828-2017",
        "analyst": "检测员", "instrument": "滴定管",
    }  # fmt: skip
    return actions.Entry(sample, factor, value, **(values | fields))


def observe(place, factor, values, *, unit="mg/L", flag="N", first=None):
    """Store hourly values of a series, the last one at the present hour."""
    series = Series.objects.create(place=place, factor=factor, interval="hour", seconds=3600, unit=unit)
    ids, rows, observations = PacketIds(7), [], []
    begin = first or HOUR - timedelta(hours=len(values) - 1)
    packet = store.PacketRow(ids.next(NOW), NOW, "I", None, None, "x", "-", "32", 2061, None, b"##0000", "A", None, ())
    rows.append(packet)
    for number, value in enumerate(values):
        start = begin + timedelta(hours=number)
        observations.append(
            store.ObservationRow(series.pk, place.pk, "hour", start, value, value, value, None, 1.0, flag, packet.id)
        )
    with store.Writer() as writer:
        writer.write(rows, observations)
    return series
