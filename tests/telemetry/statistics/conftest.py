"""Places with series, and quick ways to store observations and verdicts of them and to look at statistics."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from django.db import transaction

from luming.registry.models import Facility, Outlet, Region, Series, Station
from luming.standards.edition import CITY_ZONE
from luming.telemetry import store
from luming.telemetry.identity import id_floor
from luming.telemetry.statistics import queue, recomputing
from luming.telemetry.statistics.models import Statistic
from luming.telemetry.store import Quality, VerdictRow, connecting

NOW = datetime(2026, 7, 20, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 7, 19, tzinfo=UTC)
_sequence = count(1)


@pytest.fixture
def empty_store(transactional_db):
    """Empty the tables that writers of their own connections commit to."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute(
            "TRUNCATE telemetry_packet, telemetry_packet_release, telemetry_observation, telemetry_verdict,"
            " telemetry_dirty, statistics_dirty, statistics_closed, statistics_statistic"
        )


def midnight(day):
    """Return the instant at which a day of the city begins."""
    return datetime.fromisoformat(day).replace(tzinfo=CITY_ZONE)


class Bench:
    """A place and what one does to it in a test."""

    def __init__(self, place):
        self.place = place
        self.series = {(row.factor, row.interval): row for row in Series.objects.filter(place=place)}

    def send(
        self, factor, start, values, *, interval="hour", flag="N", received=RECEIVED, amounts=None, converted=None
    ):
        """Store values of periods that follow each other; None is no observation at all."""
        row = self.series[factor, interval]
        packet = store.PacketRow(
            id_floor(received) + next(_sequence), received, "I", None, None, "T", None, "22", 2061, None, b"##", "A"
        )
        flags = flag if isinstance(flag, (list, tuple)) else [flag] * len(values)
        rows = [
            store.ObservationRow(
                row.pk, self.place.pk, interval, start + i * timedelta(seconds=row.seconds), value, None, None,
                converted[i] if converted else None, amounts[i] if amounts else None, flags[i], packet.id,
            )
            for i, value in enumerate(values)
            if value is not None
        ]  # fmt: skip
        with store.Writer() as writer:
            writer.write([packet], rows)
        queue.mark([(self.place.pk, interval, [item.start for item in rows])])

    def rule(self, factor, start, quality=Quality.INVALID, *, revision=0, interval="hour", person_id=None, **more):
        """Store a verdict and queue its day."""
        origin = more.pop("origin", store.Origin.MEASURED)
        row = VerdictRow(self.series[factor, interval].pk, start, revision, origin, quality, "test", "1", **more)
        with transaction.atomic():
            store.write_verdicts([row], person_id=person_id)
            queue.mark([(self.place.pk, interval, [start])])

    def run(self, now=NOW):
        """Compute what is queued."""
        return recomputing.recompute_pending(now=now)

    def figures(self, factor, measure="mean", kind="day"):
        """Return the latest revision of each period, by start."""
        rows = Statistic.objects.filter(place=self.place, factor=factor, measure=measure, kind=kind)
        return {row.start: row for row in rows.order_by("start", "revision")}

    def figure(self, factor, day, measure="mean", kind="day"):
        """Return the latest revision of one period."""
        return self.figures(factor, measure, kind)[midnight(day)]


@pytest.fixture
def region(empty_store):
    return Region.objects.get_or_create(code="150203", defaults={"name": "R", "level": "district"})[0]


def _series(place, factors, minutes):
    for factor, unit in factors.items():
        Series.objects.create(place=place, factor=factor, interval="hour", seconds=3600, unit=unit)
        if minutes:
            Series.objects.create(place=place, factor=factor, interval="minute", seconds=600, unit=unit)


@pytest.fixture
def station(region):
    def make(factors=None, *, medium="air", code="S1", minutes=False):
        place = Station.objects.create(
            code=code, name=code, medium=medium, region=region, longitude=109.8, latitude=40.6
        )
        _series(place, factors or {"a34004": "µg/m³"}, minutes)
        return Bench(place)

    return make


@pytest.fixture
def outlet(region):
    def make(factors, *, medium="gas", code="F1", minutes=False):
        facility = Facility.objects.create(name=code, code=code, region=region, longitude=109.8, latitude=40.6)
        number = "DA001" if medium == "gas" else "DW001"
        place = Outlet.objects.create(
            code=f"{code}-{number}", number=number, name=code, medium=medium, facility=facility, region=region,
            longitude=109.8, latitude=40.6,
        )  # fmt: skip
        _series(place, factors, minutes)
        return Bench(place)

    return make
