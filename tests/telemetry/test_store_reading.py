"""What the store gives back: pages of packets, observations, charts, marks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from luming.telemetry import store
from luming.telemetry.identity import id_floor
from luming.telemetry.store import connecting

NOW = datetime(2025, 6, 1, 4, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.usefixtures("empty_store")


_sequence = count(1)


def new_id(at):
    """An id of the given time; unlike a gateway's these may go back in time."""
    return id_floor(at) + next(_sequence)


def make_packet(received_at=NOW, **changes):
    row = store.PacketRow(
        new_id(received_at), received_at, "I", None, 11, "MN1", None, "31", 2061, None, b"##", "A"
    )  # fmt: skip
    return replace(row, **changes)


def write(packets, rows=()):
    with store.Writer() as writer:
        return writer.write(packets, list(rows))


def row(packet, series_id=1, start=NOW, value=1.0, interval="hour", place_id=21, **changes):
    made = store.ObservationRow(series_id, place_id, interval, start, value, None, None, None, None, "N", packet.id)
    return made._replace(**changes)


# ---- packets -------------------------------------------------------------------------------------------------------


def test_pages_of_packets_are_complete_without_overlap():
    packets = [make_packet(NOW + i * 7 * HOUR, device_id=11 + i % 2) for i in range(60)]  # over 18 days
    write(packets)
    found, before = [], None
    while page := store.packets(before=before, limit=9, device_ids=[11]):
        found += [packet.id for packet in page]
        before = found[-1]
    assert found == [packet.id for packet in reversed(packets) if packet.device_id == 11]
    assert [packet.id for packet in store.packets(limit=100)] == [packet.id for packet in reversed(packets)]


def test_packets_by_condition():
    write(
        [
            make_packet(NOW, verdict="A"),
            make_packet(NOW + HOUR, verdict="H", reason="password-wrong"),
            make_packet(NOW + 2 * HOUR, verdict="R", reason="crc.wrong", device_id=12, mn="MN2"),
            make_packet(NOW + 3 * HOUR, verdict="H", reason="mn-unknown", device_id=None, mn="MN3"),
        ]
    )
    assert [p.reason for p in store.packets(verdicts=["H"])] == ["mn-unknown", "password-wrong"]
    assert [p.reason for p in store.packets(verdicts=["A", "R"])] == ["crc.wrong", None]
    assert [p.mn for p in store.packets(reasons=["crc.wrong"])] == ["MN2"]
    assert [p.mn for p in store.packets(mn="MN3")] == ["MN3"]
    assert [p.mn for p in store.packets(device_ids=[])] == []
    assert len(store.packets(since=NOW + HOUR, until=NOW + 3 * HOUR)) == 2
    assert store.packets(since=NOW + 9 * DAY) == store.packets(until=NOW) == []


def test_packets_of_an_mn_before_and_after_it_was_registered(make):
    device = make.device(make.station(), mn="MN9")
    write([make_packet(mn="MN9", device_id=None), make_packet(mn="MN9", device_id=device.pk), make_packet(mn="MN8")])
    assert [packet.device_id for packet in store.packets(mn="MN9")] == [device.pk, None]


def test_reasons_are_counted_without_what_was_released():
    held = [make_packet(verdict="H", reason="password-wrong") for _ in range(3)]
    bad = make_packet(verdict="R", reason="crc.wrong", device_id=12)
    write([*held, bad, make_packet()])
    assert store.reason_counts(NOW) == [("H", "password-wrong", 3, held[2].id), ("R", "crc.wrong", 1, bad.id)]
    assert store.reason_counts(NOW, [12]) == [("R", "crc.wrong", 1, bad.id)]
    assert store.reason_counts(NOW + HOUR) == []
    with transaction.atomic():
        store.store_reread([], store.Reread([held[0].id], NOW, None, "release", "ok"))
    assert store.reason_counts(NOW)[0] == ("H", "password-wrong", 2, held[2].id)
    assert [packet.id for packet in store.packets(released=True)] == [held[0].id]
    assert held[0].id not in {packet.id for packet in store.packets(released=False)}


def test_a_release_is_shown_beside_the_unchanged_packet():
    held = make_packet(verdict="H", reason="password-wrong")
    write([held])
    later = NOW + DAY
    with transaction.atomic():
        result = store.store_reread(
            [row(held), row(held, 2)], store.Reread([held.id], later, None, "release", "checked by phone")
        )
    assert result == store.WriteResult(0, new=2)
    found = store.packet(held.id)
    assert (found.verdict, found.new, found.is_released) == ("H", 0, True)
    [release] = found.releases
    assert (release.released_at, release.new, release.verb, release.reason) == (later, 2, "release", "checked by phone")
    assert [record.recorded_at for record in store.history(1, NOW)] == [later]


def test_kept_packets_come_oldest_first_and_once():
    packets = [make_packet(NOW + i * DAY, verdict="H", reason="mn-unknown", device_id=None) for i in range(5)]
    write([*packets, make_packet(), make_packet(verdict="H", reason="mn-unknown", device_id=None, direction="O")])
    first = store.kept_packets(mn="MN1", verdict="H", reasons=["mn-unknown"], limit=3)
    rest = store.kept_packets(mn="MN1", verdict="H", reasons=["mn-unknown"], after=first[-1].id, limit=3)
    assert [packet.id for packet in first + rest] == [packet.id for packet in packets]


# ---- observations --------------------------------------------------------------------------------------------------


def test_observations_give_the_latest_revision_in_order():
    one, two = make_packet(), make_packet()
    write([one], [row(one, 2, NOW + HOUR, 5.0), row(one, 1, NOW + HOUR, 3.0), row(one, 1, NOW, None, flag=None)])
    write([two], [row(two, 1, NOW + HOUR, 4.0, minimum=1.0, amount=7.0, flag="D")])
    found = store.observations([2, 1, 9], NOW, NOW + 2 * HOUR)
    assert found.series_id.tolist() == [1, 1, 2]
    assert found.start.tolist() == [datetime(2025, 6, 1, 4), datetime(2025, 6, 1, 5), datetime(2025, 6, 1, 5)]
    assert found.revision.tolist() == [0, 1, 0]
    np.testing.assert_array_equal(found.value, [np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(found.minimum, [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(found.amount, [np.nan, 7.0, np.nan])
    assert found.flag.tolist() == ["", "D", "N"]
    assert found.packet_id.tolist() == [one.id, two.id, one.id]
    assert found.of(2).value.tolist() == [5.0] and len(found.of(7)) == 0
    assert len(store.observations([1], NOW + 5 * HOUR, NOW + 9 * HOUR)) == len(store.observations([], NOW, NOW)) == 0


def test_latest_is_the_newest_period_in_its_latest_revision():
    one, two = make_packet(), make_packet()
    write([one], [row(one, 1, NOW - 40 * DAY), row(one, 1, NOW), row(one, 2, NOW - 40 * DAY)])
    write([two], [row(two, 1, NOW, 8.0)])
    found = store.latest([1, 2, 3])
    assert {series: (record.start, record.revision, record.value) for series, record in found.items()} == {
        1: (NOW, 1, 8.0),
        2: (NOW - 40 * DAY, 0, 1.0),
    }
    assert set(store.latest([1, 2], since=NOW - DAY)) == {1}


def test_what_a_packet_became():
    one, two = make_packet(), make_packet()
    write([one, two], [row(one, 1), row(one, 2), row(two, 3)])
    assert [record.series_id for record in store.of_packet(one.id, [1, 2, 3], NOW, NOW + HOUR)] == [1, 2]
    assert store.of_packet(one.id, [1], NOW, NOW + HOUR)[0].recorded_at == NOW


def test_held_starts():
    one, two = make_packet(), make_packet()
    write([one], [row(one, 1, NOW + 2 * HOUR), row(one, 1, NOW)])
    write([two], [row(two, 1, NOW, 9.0)])
    found = store.held_starts([1, 2], NOW, NOW + DAY)
    assert found[1].tolist() == [datetime(2025, 6, 1, 4), datetime(2025, 6, 1, 6)]
    assert found[2].tolist() == []


# ---- charts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def series(make):
    return make.series(make.station(), "a34004", "a21026")


def test_a_short_chart_has_every_point(series):
    packet = make_packet()
    pk = series[0].pk
    write([packet], [row(packet, pk, NOW + i * HOUR, float(i), minimum=0.0, maximum=9.0) for i in (0, 1, 3)])
    charts = store.chart([row.pk for row in series], NOW, NOW + DAY)
    chart = charts[pk]
    assert chart.bucket is None
    assert chart.value.tolist() == [0.0, 1.0, 3.0] and chart.maximum.tolist() == [9.0] * 3
    assert chart.packet_id.tolist() == [packet.id] * 3 and chart.count.tolist() == [1, 1, 1]
    assert len(charts[series[1].pk]) == 0


def test_a_long_chart_sums_up_in_buckets(series):
    packet, later = make_packet(), make_packet()
    pk = series[0].pk
    values = {0: 1.0, 1: 5.0, 2: None, 3: 3.0, 8: 2.0, 9: None}
    write(
        [packet], [row(packet, pk, NOW + i * HOUR, value, flag="D" if i == 2 else "N") for i, value in values.items()]
    )
    write([later], [row(later, pk, NOW + HOUR, 7.0, converted=4.0)])
    chart = store.chart([pk], NOW, NOW + 40 * HOUR, max_points=10)[pk]
    assert chart.bucket == 4 * HOUR
    assert chart.start.tolist() == [datetime(2025, 6, 1, 4), datetime(2025, 6, 1, 12)]
    np.testing.assert_allclose(chart.value, [(1 + 7 + 3) / 3, 2.0])
    assert (chart.minimum.tolist(), chart.maximum.tolist()) == ([1.0, 2.0], [7.0, 2.0])
    np.testing.assert_array_equal(chart.converted, [4.0, np.nan])
    assert (chart.flag.tolist(), chart.count.tolist()) == (["D", "N"], [4, 2])
    assert chart.peak.tolist() == [datetime(2025, 6, 1, 5), datetime(2025, 6, 1, 12)]


def test_a_bucket_sums_up_what_counts(series):
    packet, pk = make_packet(), series[0].pk
    write([packet], [row(packet, pk, NOW + i * HOUR, value) for i, value in enumerate((1.0, 900.0, 3.0, 5.0))])
    write([packet_with_flag := make_packet()], [row(packet_with_flag, pk, NOW + 4 * HOUR, 7.0, flag="C")])
    rulings = [
        store.VerdictRow(pk, NOW + HOUR, 0, store.Origin.MEASURED, store.Quality.INVALID, "checks", "1"),
        store.VerdictRow(
            pk, NOW + 3 * HOUR, 0, store.Origin.CORRECTED, store.Quality.VALID, "review:1", "1", value=8.0
        ),
    ]
    with transaction.atomic():
        store.write_verdicts(rulings)
    chart = store.chart([pk], NOW, NOW + 40 * HOUR, max_points=10)[pk]
    np.testing.assert_array_equal(chart.value, [(1 + 3 + 8) / 3, np.nan])
    assert (chart.flag.tolist(), chart.count.tolist()) == (["I", "C"], [4, 1])
    assert chart.maximum[0] == 8.0 and chart.peak.tolist()[0] == datetime(2025, 6, 1, 7)


def test_a_bucket_of_nothing_but_nothing(series):
    packet = make_packet()
    pk = series[0].pk
    write([packet], [row(packet, pk, NOW + i * HOUR, None) for i in range(4)])
    chart = store.chart([pk], NOW, NOW + 40 * HOUR, max_points=10)[pk]
    assert np.isnan(chart.value).tolist() == np.isnan(chart.maximum).tolist() == [True]
    assert len(store.chart([pk], NOW + 50 * HOUR, NOW + 90 * HOUR, max_points=10)[pk]) == 0


def test_a_year_of_an_outlet_takes_two_queries(series):
    with CaptureQueriesContext(connection) as queries:
        store.chart([row.pk for row in series], NOW, NOW + 365 * DAY)
    assert len(queries) <= 1  # the register; the store's own is not Django's


# ---- marks for the judges ------------------------------------------------------------------------------------------


def test_marks_are_taken_exactly_once():
    one, two = make_packet(), make_packet()
    write(
        [one], [row(one, 1), row(one, 2), row(one, 3, NOW, interval="minute"), row(one, 4, NOW - DAY, interval="day")]
    )
    write([two], [row(two, 1, NOW, 2.0), row(two, 2), row(two, 5, NOW, place_id=22)])
    with transaction.atomic():
        taken = store.take_dirty(100)
    assert taken == [(21, "day", [NOW - DAY]), (21, "hour", [NOW]), (21, "minute", [NOW]), (22, "hour", [NOW])]
    assert store.take_dirty(100) == []
    write([repeat := make_packet()], [row(repeat, 1, NOW, 2.0)])
    assert store.take_dirty(100) == []  # a repeat is nothing new


def test_marks_come_back_when_judging_fails_and_newest_first():
    packet = make_packet()
    write([packet], [row(packet, 1, NOW + i * HOUR) for i in range(5)])
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert store.take_dirty(2) == [(21, "hour", [NOW + 3 * HOUR, NOW + 4 * HOUR])]
        raise ZeroDivisionError
    assert sum(len(starts) for _place, _interval, starts in store.take_dirty(100)) == 5


def test_marks_held_by_another_worker_are_passed_over_and_hold_up_no_writer():
    first, second = make_packet(), make_packet()
    write([first], [row(first, 1), row(first, 1, NOW + HOUR)])
    with connecting.connect() as other:
        other.execute("SET lock_timeout = '1s'")
        with other.transaction():
            other.execute("SELECT FROM telemetry_dirty WHERE start = %s FOR UPDATE", (NOW + HOUR,))
            assert store.take_dirty(100) == [(21, "hour", [NOW])]
            assert write([second], [row(second, 1, NOW + HOUR, 2.0)]).revised == 1
        assert other.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


# ---- sizes ---------------------------------------------------------------------------------------------------------


def test_sizes_count_all_partitions():
    packet = make_packet()
    write([packet], [row(packet, 1), row(packet, 1, NOW - 90 * DAY)])
    found = {size.table: size for size in store.sizes()}
    assert set(found) == {
        "telemetry_packet", "telemetry_observation", "telemetry_packet_release", "telemetry_dirty",
        "telemetry_verdict",
    }  # fmt: skip
    assert found["telemetry_observation"].table_bytes > 0 and found["telemetry_observation"].index_bytes > 0
    assert found["telemetry_observation"].partitions >= 3 and found["telemetry_dirty"].partitions == 1
