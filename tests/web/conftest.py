"""A small city for the tests of pages: one of everything, with packets and observations in the store."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import emptying
import pytest
from django.core.cache import cache
from django.test import Client

from luming.core.models import Organisation, User
from luming.core.roles import ROLES
from luming.hj212 import CHINA, encode
from luming.registry.models import Device, Facility, Limit, Outlet, Region, Series, Station
from luming.telemetry import store
from luming.telemetry.identity import PacketIds
from luming.telemetry.models import (
    Command,
    Connection,
    DeviceStatus,
    Event,
    Gap,
    Judgement,
    PlaceState,
    UnregisteredDevice,
)

NOW = datetime.now(UTC)
HOUR = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
STRANGER = "010000A8900016F0001699FF"
FACTORS = {"a34013": "mg/m³", "a21026": "mg/m³"}


@dataclass
class World:
    """What the tests name; ``ids`` are keyword arguments of the urls."""

    users: dict[str, User]
    outlet: Outlet
    station: Station
    elsewhere: Outlet  # in another district, of another enterprise
    facility: Facility
    device: Device
    other_device: Device
    series: Series
    packet: int
    held: int
    stray: int  # of an unregistered device
    foreign: int  # of the other device
    judgement: Judgement
    command: Command
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        """Return a client signed in as the user of a role; ``anonymous`` is nobody."""
        if role not in self.clients:
            client = Client()
            if role != "anonymous":
                client.force_login(self.users[role], backend="luming.web.auth.Backend")
            self.clients[role] = client
        return self.clients[role]


def hour_packet(mn, start, value, *, pw="123456", st="31"):
    """Return the bytes of an hour packet of the two factors."""
    readings = ";".join(
        f"{code}-Avg={value + i:.1f},{code}-Min={value - 1:.1f},{code}-Max={value + 2:.1f},"
        f"{code}-ZsAvg={value + i:.1f},{code}-Flag=N"
        for i, code in enumerate(FACTORS)
    )
    cp = f"DataTime={start.astimezone(CHINA):%Y%m%d%H%M%S};{readings}"
    qn = f"{(start + timedelta(hours=1)).astimezone(CHINA):%Y%m%d%H%M%S}000"
    return encode(cn=2061, st=st, mn=mn, pw=pw, qn=qn, flag=5, cp=cp).rstrip(b"\r\n")


@pytest.fixture
def empty_store(db):
    """Empty the store: its writer commits over a connection of its own."""
    cache.clear()
    emptying.empty_store()


@pytest.fixture
def world(empty_store):
    """Build the city."""
    return build_world()


def build_world() -> World:
    """Register two districts with an outlet each, a station, users of every role, packets and what came of them."""
    city = Region.objects.create(code="150200", name="包头市", name_en="Baotou", level="city")
    square = {
        "type": "Polygon",
        "coordinates": [[[109.5, 40.4], [110.5, 40.4], [110.5, 41], [109.5, 41], [109.5, 40.4]]],
    }
    here = Region.objects.create(
        code="150203", name="昆都仑区", name_en="Kundulun", level="district", parent=city, boundary=square,
        boundary_source="sketch",
    )  # fmt: skip
    there = Region.objects.create(code="150207", name="九原区", name_en="Jiuyuan", level="district", parent=city)
    mine = Organisation.objects.create(name="甲厂", kind="enterprise")
    keeper = Organisation.objects.create(name="运维甲", kind="maintainer")
    scopes = {
        "district": {"region_codes": ["150203"]},
        "enterprise": {"organisation": mine},
        "maintainer": {"organisation": keeper},
    }
    users = {
        role: User.objects.create_user(
            f"u-{role}", "Luming-2026!", name=role, role=role, language="en", **scopes.get(role, {})
        )
        for role in ROLES
    }
    outlet, facility = _outlet("F1", here, mine, 109.8)
    elsewhere, _ = _outlet("F2", there, None, 109.9)
    station = Station.objects.create(
        code="S1", name="空气站一", medium="air", region=here, longitude=109.85, latitude=40.65,
        commissioned_at=NOW - timedelta(days=900),
    )  # fmt: skip
    device = Device.objects.create(
        mn="010000A8900016F000169DC0",
        name="数采仪一",
        place=outlet,
        system="31",
        edition=1,
        maintainer=keeper,
        is_demo=True,
    )
    other = Device.objects.create(mn="010000A8900016F000169DC1", place=elsewhere, system="31", edition=1)
    series = {
        factor: Series.objects.create(place=outlet, factor=factor, interval="hour", seconds=3600, unit=unit)
        for factor, unit in FACTORS.items()
    }
    Series.objects.create(place=outlet, factor="a34013", interval="realtime", seconds=60, unit="mg/m³")
    Limit.objects.create(
        outlet=outlet,
        factor="a34013",
        upper=10,
        unit="mg/m³",
        converted=True,
        source="GB 13223-2011",
        effective_from="2014-07-01",
    )
    packets = _packets(outlet, device, other, series)
    status = {
        "connected": True,
        "connected_at": NOW - timedelta(hours=5),
        "last_packet_at": NOW,
        "last_packet_id": packets["packet"],
    }
    DeviceStatus.objects.create(
        device=device, clock_offset=70.0, unmapped=["B99"], last_reason="crc.mismatch", last_rejected_at=NOW, **status
    )
    Connection.objects.create(
        id=packets["packet"] - 1,
        device=device,
        mn=device.mn,
        peer="127.0.0.1:4000",
        opened_at=NOW,
        packets=3,
        bytes=900,
    )
    UnregisteredDevice.objects.create(
        mn=STRANGER,
        system="31",
        peer="127.0.0.1:5000",
        first_seen_at=NOW,
        last_seen_at=NOW,
        packets=1,
        last_packet_id=packets["stray"],
    )
    Gap.objects.create(
        device=device,
        interval="hour",
        start=HOUR - timedelta(hours=5),
        end=HOUR - timedelta(hours=4),
        cause="silent",
        found_at=NOW,
    )
    Event.objects.create(at=NOW, kind="state", place=outlet, severity=2, detail={"from": "normal", "to": "exceeding"})
    Event.objects.create(at=NOW, kind="gap-found", device=device, severity=1, detail={})
    detail = {
        "exceeding": ["a34013"],
        "factors": {"a34013": {"lower": None, "upper": 10.0, "value": 12.0, "multiple": 0.2, "state": "exceeding"}},
    }
    judgement = Judgement.objects.create(
        place=outlet, kind="limit-hour", start=HOUR, state="exceeding", value=0.2, detail=detail,
        edition="GB 13223-2011", inputs=[[series["a34013"].pk, HOUR.isoformat(), 0, 12.0, "mg/m³", "N"]], software="0",
    )  # fmt: skip
    Judgement.objects.create(
        place=station, kind="aqi-hour", start=HOUR, state="level-3", value=120, edition="HJ 633-2012", software="0",
        detail={"primary": "pm25", "iaqi": {"pm25": 120}},
    )  # fmt: skip
    PlaceState.objects.create(place=outlet, state="exceeding", since=HOUR, value=0.2, detail=detail, period=HOUR)
    PlaceState.objects.create(
        place=station, state="level-3", since=HOUR, value=120, detail={"primary": "pm25"}, period=HOUR
    )
    command = Command.objects.create(
        device=device, cn=1011, reason="check", requested_by=users["duty"], expires_at=NOW + timedelta(minutes=30)
    )
    places = (outlet, station, elsewhere, facility, device, other, series["a34013"])
    return World(users, *places, judgement=judgement, command=command, **packets)


def _outlet(code, region, organisation, longitude):
    facility = Facility.objects.create(
        name=f"工厂{code}",
        code=code,
        organisation=organisation,
        region=region,
        longitude=longitude,
        latitude=40.6,
        is_demo=True,
    )
    outlet = Outlet.objects.create(
        code=f"{code}-DA001", name=f"工厂{code}·烟囱", medium="gas", region=region, longitude=longitude, latitude=40.6,
        facility=facility, number="DA001", commissioned_at=NOW - timedelta(days=900), is_demo=True,
    )  # fmt: skip
    return outlet, facility


def _packets(outlet, device, other, series):
    """Store a packet with its values (one of them revised), a held, a rejected, a stray and a foreign one."""
    ids = PacketIds(9)
    rows, observations, named = [], [], {}

    def add(name, body, owner, mn, verdict="A", reason=None, codes=(), at=NOW):
        row = store.PacketRow(
            ids.next(at),
            at,
            "I",
            None,
            owner.pk if owner else None,
            mn,
            "127.0.0.1:4000",
            "31",
            2061,
            None,
            body,
            verdict,
            reason,
            codes,
        )
        rows.append(row)
        named[name] = row.id
        return row.id

    for age in range(30, 0, -1):
        start = HOUR - timedelta(hours=age - 1)
        if age == 6:
            continue  # a gap
        value = 12.0 if age == 1 else 5.0 + age % 3
        packet = add(
            "packet", hour_packet(device.mn, start, value), device, device.mn, at=start + timedelta(hours=1, seconds=5)
        )
        for i, (_factor, one) in enumerate(series.items()):
            flag = "D" if age == 9 else "N"
            observations.append(
                store.ObservationRow(
                    one.pk, outlet.pk, "hour", start, value + i, value - 1, value + 2, value + i, 100.0, flag, packet
                )
            )
    revised = add("revised", hour_packet(device.mn, HOUR, 12.5), device, device.mn)
    observations.append(
        store.ObservationRow(series["a34013"].pk, outlet.pk, "hour", HOUR, 12.5, 11.5, 14.5, 12.5, 100.0, "N", revised)
    )
    wrong = hour_packet(device.mn, HOUR - timedelta(hours=5), 4.0, pw="654321")
    add("held", wrong, device, device.mn, "H", "password-wrong")
    add("rejected", b"##0012nonsense\x00\xff0000", device, None, "R", "crc.mismatch", ["crc.mismatch"])
    add("stray", hour_packet(STRANGER, HOUR, 3.0), None, STRANGER, "H", "mn-unknown")
    add("foreign", hour_packet(other.mn, HOUR, 3.0), other, other.mn)
    with store.Writer() as writer:
        writer.write(rows, observations)
    return {name: named[name] for name in ("packet", "held", "stray", "foreign")}
