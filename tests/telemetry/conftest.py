"""Empty packet and observation tables, and places to measure at."""

from datetime import UTC, datetime
from types import SimpleNamespace

import emptying
import pytest

from luming.registry.models import Device, Region, Series, Station


@pytest.fixture
def empty_store(db):
    """Empty the store's tables before the test: writers commit over their own connections, so no rollback does it."""
    emptying.empty_store()


def make_station(code="S1", region="150203", **fields):
    region, _created = Region.objects.get_or_create(code=region, defaults={"name": region, "level": "district"})
    values = {
        "name": code, "medium": "air", "longitude": 109.8, "latitude": 40.6,
        "commissioned_at": datetime(2024, 12, 31, 16, tzinfo=UTC),
    }  # fmt: skip
    return Station.objects.create(code=code, region=region, **(values | fields))


def make_device(place, mn="010000A8900016F000169DC0", **fields):
    return Device.objects.create(mn=mn, place=place, system="22", edition=1, **fields)


def make_series(place, *factors, interval="hour", seconds=3600):
    return [
        Series.objects.create(place=place, factor=factor, interval=interval, seconds=seconds, unit="µg/m³")
        for factor in factors
    ]


@pytest.fixture
def make():
    """Make stations, devices and series."""
    return SimpleNamespace(station=make_station, device=make_device, series=make_series)
