"""The history: every value stands in a packet, a second filling stores nothing, gaps are left on purpose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from luming.demo import fleet, generator, history, packets
from luming.demo.outages import BACKFILLED, KEPT, LOST, ONLINE, outages
from luming.hj212 import CHINA, decode
from luming.registry.models import Device, Series
from luming.telemetry import intake, store
from luming.telemetry.identity import received_at

UNTIL = datetime(2026, 11, 24, 15, 7, 30, tzinfo=CHINA)


@pytest.fixture(scope="module")
def first_filling(committed_fleet):
    assert history.fill(days=1, until=UNTIL - timedelta(days=400), seed=3).packets == 0  # loggers of another fleet
    return history.fill(days=1, until=UNTIL)


@pytest.fixture
def filled(first_filling, db):
    return first_filling


def hours_of(code: str) -> store.Columns:
    series = list(Series.objects.filter(place__code=code, interval="hour").values_list("pk", flat=True))
    return store.observations(series, UNTIL - timedelta(days=3), UNTIL)


def test_a_second_filling_stores_only_what_is_new(filled):
    assert filled.packets > 67 * 20 + 61 * 130
    assert filled.repeated == 0
    again = history.fill(days=1, until=UNTIL)
    assert (again.packets, again.observations) == (0, 0)


def test_values_are_those_of_the_generator_and_stand_in_their_packets(filled):
    logger = fleet.describe().logger("DEMO-F01-DA001")
    columns = hours_of(logger.site.code)
    context = intake.context_of(Device.objects.get(mn=logger.mn))
    series = dict(Series.objects.filter(place__code=logger.site.code, interval="hour").values_list("factor", "pk"))
    row = logger.site.row["a21002"]
    stored = columns.of(series["a21002"])
    seconds = stored.start.astype("datetime64[s]").astype(np.int64)
    block = generator.block(logger.site, "hour", seconds)
    for name in ("value", "minimum", "maximum", "converted", "amount"):
        assert np.array_equal(getattr(stored, name), getattr(block, name)[row]), name
    assert 16 < len(stored) <= 24
    packet = store.packet(int(stored.packet_id[-1]))
    again = intake.interpret(decode(packet.body, strict=True), context, packet.received_at, packet_id=packet.id)
    assert (again.verdict, again.codes) == ("A", packet.codes)
    kept = store.of_packet(packet.id, list(series.values()), UNTIL - timedelta(days=3), UNTIL)
    assert {(one.series_id, one.value, one.minimum, one.amount, one.flag) for one in kept} == {
        (one.series_id, one.value, one.minimum, one.amount, one.flag) for one in again.observations
    }
    assert packet.new == len(again.observations) == len(logger.site.factors)


@pytest.mark.parametrize(
    "code", ["DEMO-A01", "DEMO-W01", "DEMO-N02", "DEMO-F03-DA001", "DEMO-F03-DA002", "DEMO-F08-DA002"]
)
def test_packets_say_what_is_stored_of_every_kind_of_logger(filled, code):
    device = Device.objects.get(place__code=code)
    context = intake.context_of(device)
    found = store.packets(device_ids=[device.pk], limit=400)
    assert {packet.cn for packet in found} >= {2061, 2031}
    for packet in found[::7]:
        again = intake.interpret(decode(packet.body), context, packet.received_at, packet_id=packet.id)
        assert again.verdict == packet.verdict == "A"
        assert not again.unmapped
        assert again.codes == packet.codes
        ids = [one.series_id for one in again.observations]
        kept = store.of_packet(packet.id, ids, UNTIL - timedelta(days=4), UNTIL)
        assert {(one.series_id, one.start, one.value, one.flag) for one in kept} == {
            (one.series_id, one.start, one.value, one.flag) for one in again.observations
        }
        assert packet.received_at == received_at(packet.id) <= UNTIL
        assert packet.qn == again_qn(packet.body)


def again_qn(body: bytes) -> str:
    return decode(body).packet.qn


def test_the_slow_clock_is_seen(filled):
    device = Device.objects.get(place__code="DEMO-F08-DA002")
    packet = store.packets(device_ids=[device.pk], limit=1)[0]
    assert "clock-off" in packet.codes


def test_outages_are_left_as_gaps_or_filled_late():
    logger_of_kind = {}
    moments = np.arange(UNTIL.timestamp() - 60 * 86400, UNTIL.timestamp(), 600)
    share = []
    for logger in fleet.describe().registered:
        found = outages(logger, moments)
        share.append((found.kind != ONLINE).mean())
        for kind in (BACKFILLED, KEPT, LOST):
            if (found.kind == kind).any():
                logger_of_kind.setdefault(kind, (logger, found))
    assert set(logger_of_kind) == {BACKFILLED, KEPT, LOST}
    assert 0.002 < np.mean(share) < 0.05
    logger, found = logger_of_kind[BACKFILLED]
    inside = np.flatnonzero(found.kind == BACKFILLED)
    assert (found.end[inside] > moments[inside]).all()
    received, late = history._received(logger, "hour", (moments[inside] // 3600 * 3600).astype(np.int64))
    assert (received[late] > found.end[inside][late]).all()
    logger, found = logger_of_kind[LOST]
    inside = (found.kind == LOST) & (moments % 3600 == 0)
    received, _late = history._received(logger, "hour", moments[inside].astype(np.int64))
    assert (received[outages(logger, moments[inside] + 40).kind == LOST] == 0).all()


def test_packet_ids_are_unique_over_sixty_days():
    ids = []
    for number, logger in enumerate(fleet.describe().registered[:8]):
        for interval in ("hour", "minute", "day"):
            ends = generator.period_starts(interval, UNTIL.timestamp() - 60 * 86400, UNTIL.timestamp())
            received, _late = history._received(logger, interval, ends)
            milliseconds = np.round(received[received > 0] * 1000).astype(np.int64)
            assert len(np.unique(milliseconds)) == len(milliseconds), (number, logger.site.code, interval)
            ids.append(milliseconds)


def test_nothing_is_stored_ahead_of_time(filled):
    columns = hours_of("DEMO-A01")
    assert columns.start.max() + np.timedelta64(1, "h") < np.datetime64(UNTIL.astimezone(UTC).replace(tzinfo=None))
    assert packets.CN["hour"] == 2061


def test_the_next_hour_is_added(filled):
    """Last of the module: it moves the end of the history."""
    later = history.fill(days=1, until=UNTIL + timedelta(hours=1))
    assert 67 * 3 < later.packets < 67 * 8
    assert later.repeated == 0
