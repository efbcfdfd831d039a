"""Places with hourly series, and a way to store observations of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from luming.registry.models import Facility, Limit, Outlet, Region, Series, Station
from luming.telemetry import store
from luming.telemetry.identity import PacketIds

HOUR = timedelta(hours=1)


@pytest.fixture
def region(db):
    with connection.cursor() as cursor:  # marks that tests before this one committed over connections of their own
        cursor.execute("DELETE FROM telemetry_dirty")
    return Region.objects.create(code="150203", name="昆都仑区", level="district")


@pytest.fixture
def make_station(region):
    def make(code, medium, units, **fields):
        station = Station.objects.create(
            code=code, name=code, medium=medium, region=region, longitude=109.8, latitude=40.6, **fields
        )
        for factor, unit in units.items():
            Series.objects.create(place=station, factor=factor, interval="hour", seconds=3600, unit=unit)
        return station

    return make


@pytest.fixture
def outlet(region):
    facility = Facility.objects.create(name="示例钢铁", code="F1", region=region, longitude=109.8, latitude=40.6)
    outlet = Outlet.objects.create(
        code="F1-DA001",
        number="DA001",
        name="烧结机头",
        medium="gas",
        reference_oxygen=16,
        facility=facility,
        region=region,
        longitude=109.8,
        latitude=40.6,
    )
    for factor in ("a34013", "a21026", "a19001"):
        unit = "%" if factor == "a19001" else "mg/m³"
        Series.objects.create(place=outlet, factor=factor, interval="hour", seconds=3600, unit=unit)
    for factor, upper in (("a34013", 10), ("a21026", 35)):
        text = {"source": "环大气〔2019〕35号", "verified": True, "effective_from": "2020-01-01"}
        Limit.objects.create(outlet=outlet, factor=factor, converted=True, upper=upper, unit="mg/m³", **text)
    return outlet


@pytest.fixture
def make_daily(db):
    def make(place, factor):
        hourly = place.series.get(factor=factor, interval="hour")
        Series.objects.create(place=place, factor=factor, interval="day", seconds=86400, unit=hourly.unit)

    return make


class Recorder:
    """Stores observations the way the gateway does: with a packet, in one transaction."""

    def __init__(self, writer: store.Writer) -> None:
        self.writer = writer
        self.ids = PacketIds(node=7)

    def __call__(self, place, start, values, *, flag="N", converted=None, amounts=None, interval="hour"):
        """``values``: factor → value; ``converted``, ``amounts``: factor → figure; ``flag``: one or per factor."""
        now = datetime.now(UTC)
        packet_id = self.ids.next(now)
        packet = store.PacketRow(
            packet_id, now, "I", None, None, "TEST", "127.0.0.1:1", "31", 2061, None, b"##", "A", None, ()
        )
        series = {row.factor: row.pk for row in Series.objects.filter(place=place, interval=interval)}
        rows = [
            store.ObservationRow(
                series[factor], place.pk, interval, start, value, None, None, (converted or {}).get(factor),
                (amounts or {}).get(factor), flag.get(factor, "N") if isinstance(flag, dict) else flag, packet_id,
            )
            for factor, value in values.items()
        ]  # fmt: skip
        return self.writer.write([packet], rows)


@pytest.fixture
def record(transactional_db):
    with store.Writer() as writer:
        yield Recorder(writer)
