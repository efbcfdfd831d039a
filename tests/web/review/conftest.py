"""The city of the page tests with yesterday's values of its outlet, in the queue, one hour of them doubted."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from luming.telemetry import store
from luming.telemetry.identity import id_floor
from luming.telemetry.review import queue, seeding
from luming.telemetry.review.models import ReasonCode, ReviewDay, midnight
from luming.telemetry.store import Origin, Quality, VerdictRow

_sequence = count(1)


def send(series, values, day, *, first=0, interval_seconds=3600):
    """Store values of a day as a packet received in the evening brings them."""
    begin = midnight(day)
    packet = store.PacketRow(
        id_floor(begin + timedelta(hours=25)) + next(_sequence), begin + timedelta(hours=25), "I", None, None, "MN1",
        None, "31", 2061, None, b"##", "A",
    )  # fmt: skip
    rows = [
        store.ObservationRow(
            series.pk, series.place_id, series.interval, begin + timedelta(seconds=interval_seconds * (first + i)),
            value, None, None, value, None, "N", packet.id,
        )
        for i, value in enumerate(values)
    ]  # fmt: skip
    with store.Writer() as writer:
        writer.write([packet], rows)


def prepare(world):
    """Fill yesterday, doubt its hour 5, put it into the queue; return what tests name."""
    seeding.seed()
    day = timezone.localdate() - timedelta(days=2)
    series = list(world.outlet.series.filter(interval="hour").order_by("pk"))
    for one in series:
        send(one, [5.0 + hour / 10 for hour in range(24)], day)
    row = VerdictRow(
        world.series.pk, midnight(day) + timedelta(hours=5), 0, Origin.MEASURED, Quality.SUSPECT, "checks", "1", "N",
        ("GEN-SPIKE:3",),
    )  # fmt: skip
    with transaction.atomic():
        store.write_verdicts([row])
    queue.fill(day)
    found = ReviewDay.objects.select_related("place__station", "place__outlet__facility").get(
        place=world.outlet, day=day
    )
    return SimpleNamespace(
        world=world,
        day=found,
        date=day,
        series=world.series,
        at=lambda hour: midnight(day) + timedelta(hours=hour),
        ms=lambda hour: int((midnight(day) + timedelta(hours=hour)).timestamp() * 1000),
        code=lambda name: ReasonCode.objects.get(code=name),
        send=send,
    )


@pytest.fixture
def review(world):
    """Prepare the city for reviewing."""
    return prepare(world)
