"""A station and an outlet with a day of hourly values, two reviewers, and ways to send and to doubt values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import translation

from luming.core.models import Organisation, User
from luming.registry.models import Facility, Limit, Outlet, Region, Series, Station
from luming.telemetry import store
from luming.telemetry.identity import id_floor
from luming.telemetry.review import seeding
from luming.telemetry.review.models import ReasonCode, midnight
from luming.telemetry.store import Origin, Quality, VerdictRow, connecting

DAY = date(2026, 6, 1)
HOUR = timedelta(hours=1)
FACTORS = ("a34004", "a21026")
_sequence = count(1)


@pytest.fixture(autouse=True)
def english():
    """Say refusals in English."""
    with translation.override("en"):
        yield


@pytest.fixture
def empty_store(db):
    """Empty the store's tables before the test: writers commit over their own connections, so no rollback does it."""
    empty()


def empty():
    """Empty the store's tables."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        tables = "telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_verdict, telemetry_dirty"
        owner.execute(f"TRUNCATE {tables}")


class Scene:
    """What the tests name, and what they do to it."""

    day = DAY
    start = midnight(DAY)

    def __init__(self):
        """Register the places, their series and the people."""
        seeding.seed()
        region, _new = Region.objects.get_or_create(code="150203", defaults={"name": "昆都仑区", "level": "district"})
        self.region = region
        begun = datetime(2024, 12, 31, 16, tzinfo=UTC)
        spot = {"region": region, "longitude": 109.8, "latitude": 40.6, "commissioned_at": begun}
        self.station = Station.objects.create(code="S1", name="空气站一", medium="air", control="national", **spot)
        self.enterprise = Organisation.objects.create(name="甲厂", kind="enterprise")
        self.facility = Facility.objects.create(
            name="工厂", code="F1", organisation=self.enterprise, region=region, longitude=109.8, latitude=40.6
        )
        self.outlet = Outlet.objects.create(
            code="F1-DA001", name="烟囱", medium="gas", facility=self.facility, number="DA001", **spot
        )
        Limit.objects.create(
            outlet=self.outlet, factor="a21026", upper=100, unit="µg/m³", source="t", effective_from="2020-01-01"
        )
        self.series = {
            (place.pk, factor): Series.objects.create(
                place=place, factor=factor, interval="hour", seconds=3600, unit="µg/m³"
            )
            for place in (self.station, self.outlet)
            for factor in FACTORS
        }
        self.anna, self.bert = (
            User.objects.create_user(name, "Luming-2026!", name=name, role="reviewer", language="en")
            for name in ("anna", "bert")
        )
        self.clerk = User.objects.create_user(
            "clerk", "Luming-2026!", name="clerk", role="enterprise", organisation=self.enterprise
        )
        self.duty = User.objects.create_user("duty", "Luming-2026!", name="duty", role="duty")

    def of(self, place=None, factor="a34004"):
        """Return a series."""
        return self.series[(place or self.station).pk, factor]

    def at(self, hour):
        """Return the beginning of an hour of the day."""
        return self.start + hour * HOUR

    def send(self, values, *, place=None, factor="a34004", first=0, flag="N", received=None):
        """Store hourly values, as a packet received then brings them."""
        series = self.of(place, factor)
        received = received or self.start + 25 * HOUR
        packet = store.PacketRow(
            id_floor(received) + next(_sequence), received, "I", None, 11, "MN1", None, "22", 2061, None, b"##", "A"
        )
        rows = [
            store.ObservationRow(
                series.pk, series.place_id, "hour", self.at(first + i), value, None, None, None, None, flag, packet.id
            )
            for i, value in enumerate(values)
        ]
        with store.Writer() as writer:
            writer.write([packet], rows)

    def send_day(self, place=None):
        """Store a whole sound day of a place."""
        for factor in FACTORS:
            self.send([20.0 + hour for hour in range(24)], place=place, factor=factor)

    def doubt(self, *hours, place=None, factor="a34004", revision=0):
        """Let a check doubt values."""
        rows = [
            VerdictRow(
                self.of(place, factor).pk, self.at(hour), revision, Origin.MEASURED, Quality.SUSPECT, "checks", "1",
                "N", ("GEN-SPIKE:3",),
            )
            for hour in hours
        ]  # fmt: skip
        with transaction.atomic():
            store.write_verdicts(rows)

    def code(self, name):
        """Return a reason code."""
        return ReasonCode.objects.get(code=name)

    def held(self, hour, place=None, factor="a34004"):
        """Return the newest verdict of an hour, None without any."""
        found = store.verdict_history(self.of(place, factor).pk, self.at(hour))
        return found[-1] if found else None


@pytest.fixture
def scene(empty_store):
    """Build the scene."""
    return Scene()


@pytest.fixture
def bare():
    """Give the parts for tests that build the scene themselves."""
    return SimpleNamespace(Scene=Scene, empty=empty)
