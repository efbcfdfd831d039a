"""A stack with a logger, its instruments and packets, for the tests of this room."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from luming.core.models import Organisation, User
from luming.hj212 import CHINA, encode
from luming.registry.models import Device, Region, Series, Station
from luming.telemetry import store
from luming.telemetry.identity import PacketIds
from luming.telemetry.instruments import actions
from luming.telemetry.store import connecting

NOW = datetime(2026, 11, 20, 4, 30, tzinfo=UTC)  # 12:30 in the city
MN = "010000A8900016F000169DC0"


@pytest.fixture
def empty_store(db):
    """Empty the store's tables before the test: writers commit over their own connections."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute(
            "TRUNCATE telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_dirty,"
            " telemetry_verdict"
        )


@pytest.fixture
def site(empty_store):
    """Build a gas outlet's place with a device, two series and an instrument."""
    region = Region.objects.create(code="150203", name="甲区", level="district")
    keeper = Organisation.objects.create(name="运维甲", kind="maintainer")
    place = Station.objects.create(
        code="S1", name="一号站", medium="gas", region=region, longitude=109.8, latitude=40.6,
        commissioned_at=NOW - timedelta(days=100),
    )  # fmt: skip
    device = Device.objects.create(mn=MN, place=place, system="31", edition=2, maintainer=keeper)
    series = {
        factor: Series.objects.create(
            place=place, factor=factor, interval="hour", seconds=3600, unit="mg/m³", upper=200
        )
        for factor in ("a21026", "a21002")
    }
    instrument = actions.create_instrument(
        None, device=device, name="SO2", factors="a21026", serial="001", upper=100.0, unit="mg/m³",
        installed_on=(NOW - timedelta(days=400)).date(),
    )  # fmt: skip
    users = {
        role: User.objects.create_user(role, "Luming-2026!", name=role, role=role, organisation=organisation)
        for role, organisation in (("duty", None), ("reviewer", None), ("maintainer", keeper), ("leader", None))
    }
    return SimpleNamespace(
        region=region, keeper=keeper, place=place, device=device, series=series, instrument=instrument, users=users,
        ids=PacketIds(9),
    )  # fmt: skip


@pytest.fixture
def send(site):
    """Store a packet of the device as if the gateway had received it; returns its id."""

    def sent(cn, cp, at=NOW, *, mn=MN, device=None, verdict="A"):
        moment = f"{at.astimezone(CHINA):%Y%m%d%H%M%S}000"
        body = encode(cn=cn, st="31", mn=mn, pw="123456", qn=moment, flag=9, cp=cp).rstrip(b"\r\n")
        owner = device or site.device
        row = store.PacketRow(
            site.ids.next(at), at, "I", None, owner.pk, mn, "127.0.0.1:4000", "31", cn, moment, body, verdict, None, ()
        )
        with store.Writer() as writer:
            writer.write([row], [])
        return row.id

    return sent


@pytest.fixture
def hours(site):
    """Store hourly values of a factor: ``values`` are (start, value, mark)."""

    def stored(factor, values):
        rows = [
            store.ObservationRow(
                site.series[factor].pk, site.place.pk, "hour", start, value, None, None, None, None, mark,
                site.ids.next(start + timedelta(hours=1)),
            )
            for start, value, mark in values
        ]  # fmt: skip
        with store.Writer() as writer:
            writer.write([], rows)

    return stored
