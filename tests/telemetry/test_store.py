"""What the store promises of writing: nothing twice, nothing lost, nothing changed."""

import threading
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import numpy as np
import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luming.telemetry import store
from luming.telemetry.identity import id_floor, received_at
from luming.telemetry.store import connecting, upkeep, writing

NOW = datetime(2025, 6, 1, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.usefixtures("empty_store")


@pytest.fixture
def writer(empty_store):
    with store.Writer() as writer:
        yield writer


_sequence = count(1)


def new_id(at):
    """An id of the given time; unlike a gateway's these may go back in time."""
    return id_floor(at) + next(_sequence)


def make_packet(received_at=NOW, **changes):
    row = store.PacketRow(
        id=new_id(received_at), received_at=received_at, direction="I", connection_id=1, device_id=11, mn="MN1",
        peer="10.0.0.1:5000", st="31", cn=2061, qn="20250601120000000", body=b"##0001\xff\x00", verdict="A",
    )  # fmt: skip
    return replace(row, **changes)


def make_observation(packet, series_id=1, start=NOW, value=1.5, **changes):
    row = store.ObservationRow(series_id, 21, "hour", start, value, None, None, None, None, "N", packet.id)
    return row._replace(**changes)


def revisions(series_id=1, start=NOW):
    return [(record.revision, record.value) for record in store.history(series_id, start)]


def rows_in(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


# ---- new, repeat, revision ----------------------------------------------------------------------------------------


def test_a_new_period_a_repeat_and_a_revision(writer):
    first, again, other, back = (make_packet() for _ in range(4))
    assert writer.write([first], [make_observation(first)]) == store.WriteResult(1, new=1)
    assert writer.write([again], [make_observation(again)]) == store.WriteResult(1, repeated=1)
    assert writer.write([other], [make_observation(other, value=2.0)]) == store.WriteResult(1, revised=1)
    assert writer.write([back], [make_observation(back)]) == store.WriteResult(1, revised=1)
    assert revisions() == [(0, 1.5), (1, 2.0), (2, 1.5)]
    counts = [(packet.new, packet.repeated, packet.revised) for packet in reversed(store.packets())]
    assert counts == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1)]


def test_the_same_inside_one_batch(writer):
    packets = [make_packet() for _ in range(4)]
    rows = [make_observation(packet, value=value) for packet, value in zip(packets, (1.0, 1.0, 2.0, 1.0), strict=True)]
    rows.append(make_observation(packets[3], series_id=2))
    assert writer.write(packets, rows) == store.WriteResult(4, new=2, repeated=1, revised=2)
    assert revisions() == [(0, 1.0), (1, 2.0), (2, 1.0)]
    assert [(p.new, p.repeated, p.revised) for p in store.packets()] == [(1, 0, 1), (0, 0, 1), (0, 1, 0), (1, 0, 0)]


@pytest.mark.parametrize("name", ["value", "minimum", "maximum", "converted", "amount", "flag"])
def test_each_field_makes_a_revision_and_nothing_is_told_from_something(writer, name):
    packet = make_packet()
    full = make_observation(packet, value=1.0, minimum=0.5, maximum=2.0, converted=1.1, amount=0.0, flag="N")
    writer.write([packet], [full])
    for change, expected in (({name: None}, "revised"), ({name: None}, "repeated"), ({}, "revised")):
        packet = make_packet()
        result = writer.write([packet], [full._replace(packet_id=packet.id, **change)])
        assert getattr(result, expected) == 1, change
    stored = [getattr(record, name) for record in store.history(1, NOW)]
    assert stored == [getattr(full, name), None, getattr(full, name)]


def test_nan_is_nothing_and_values_come_back_exactly(writer):
    packet = make_packet()
    values = [0.1 + 0.2, -0.0, 1e-300, 1.7976931348623157e308, float("nan")]
    writer.write([packet], [make_observation(packet, i, value=value) for i, value in enumerate(values)])
    found = [store.history(i, NOW)[0].value for i in range(5)]
    assert found == [*values[:4], None]


def test_packets_come_back_byte_for_byte(writer):
    odd = make_packet(
        connection_id=None, device_id=None, mn="A\0B", peer=None, st=None, cn=10**12, qn=None,
        body=bytes(range(256)) * 9, verdict="R", reason="crc.wrong", codes=["crc.wrong", "x,y", 'q"'], direction="O",
    )  # fmt: skip
    writer.write([odd], [])
    found = store.packet(odd.id)
    assert found.body == odd.body
    assert (found.direction, found.verdict, found.reason, found.codes) == ("O", "R", "crc.wrong", odd.codes)
    assert (found.mn, found.cn, found.peer, found.device_id) == ("A\ufffdB", None, None, None)
    assert found.received_at == NOW and received_at(found.id) == NOW
    assert store.packet(1) is None


def test_packets_without_observations_and_the_other_way_round(writer):
    packet = make_packet()
    assert writer.write([packet], []) == store.WriteResult(1)
    assert writer.write([], [make_observation(packet)]) == store.WriteResult(0, new=1)
    assert writer.write([], []) == store.WriteResult()


# ---- against a naive model ----------------------------------------------------------------------------------------

one_value = st.sampled_from([None, 0.0, 1.0, 2.0])
one_row = st.tuples(st.integers(1, 3), st.integers(0, 2), one_value, one_value, st.sampled_from([None, "N", "D"]))
batches = st.lists(st.lists(st.lists(one_row, max_size=4), max_size=4), max_size=5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches, fresh=st.booleans())
def test_any_batches_end_as_in_a_naive_model(writer, batches, fresh):
    """Whatever is written in whatever batches, the store holds what one dictionary would."""
    base = next(_sequence) * 8  # series of its own for each example
    model = defaultdict(list)
    for batch in batches:
        packets, rows, expected = [], [], []
        for content in batch:
            packet = make_packet()
            counts = {"new": 0, "repeated": 0, "revised": 0}
            for series, hour, value, maximum, flag in content:
                row = make_observation(packet, base + series, NOW + hour * HOUR, value, maximum=maximum, flag=flag)
                rows.append(row)
                known = model[row.series_id, row.start]
                what = "new" if not known else "repeated" if known[-1] == (value, maximum, flag) else "revised"
                if what != "repeated":
                    known.append((value, maximum, flag))
                counts[what] += 1
            packets.append(packet)
            expected.append(tuple(counts.values()))
        if fresh:
            with store.Writer() as other:
                other.write(packets, rows)
        else:
            writer.write(packets, rows)
        stored = [store.packet(packet.id) for packet in packets]
        assert [(packet.new, packet.repeated, packet.revised) for packet in stored] == expected
    for (series_id, start), versions in model.items():
        found = store.history(series_id, start)
        assert [(record.value, record.maximum, record.flag) for record in found] == versions
        assert [record.revision for record in found] == list(range(len(versions)))


# ---- several writers, lost connections -----------------------------------------------------------------------------


def test_two_writers_at_once_agree_on_revisions():
    """Each writes 40 periods of 3 series with its own values, in opposite orders: every period gets both."""
    failures = []

    def work(value, backwards):
        try:
            with store.Writer() as writer:
                for batch in range(10):
                    hours = range(batch * 4, batch * 4 + 4)
                    packet = make_packet(id=(value << 40) + batch + 1)
                    rows = [
                        make_observation(packet, series, NOW + hour * HOUR, float(value))
                        for hour in hours
                        for series in (1, 2, 3)
                    ]
                    writer.write([packet], rows[::-1] if backwards else rows)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(value, value % 2)) for value in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for series in (1, 2, 3):
        for hour in range(40):
            found = revisions(series, NOW + hour * HOUR)
            assert [revision for revision, _value in found] == [0, 1, 2]
            assert {value for _revision, value in found} == {1.0, 2.0, 3.0}
    packets = store.packets(limit=100)
    assert sum(packet.new for packet in packets) == 120 and sum(packet.revised for packet in packets) == 240


def test_a_batch_written_again_after_a_lost_connection_is_there_once(writer, monkeypatch):
    """The commit arrived but its answer did not: writing again must change nothing, revisions in the batch included."""
    packets = [make_packet() for _ in range(2)]
    rows = [make_observation(packet, value=value) for packet, value in zip(packets, (1.0, 2.0), strict=True)]
    real = writing.Merger.write

    def lose(self, connection, *arguments, **keywords):
        real(self, connection, *arguments, **keywords)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(writing.Merger, "write", lose)
    with pytest.raises(store.StoreUnavailable, match="server closed"):
        writer.write(packets, rows)
    monkeypatch.undo()
    late = make_packet()
    result = writer.write([*packets, late], [*rows, make_observation(late, value=3.0)])
    assert result == store.WriteResult(1, revised=1)
    assert revisions() == [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert rows_in("telemetry_packet") == 3
    with store.Writer() as other:
        assert other.write(packets, rows) == store.WriteResult()


def test_a_killed_connection_is_reported_and_opened_again(writer):
    pid = writer.connect().info.backend_pid
    packet = make_packet()
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(store.StoreUnavailable):
        writer.write([packet], [make_observation(packet)])
    assert writer.write([packet], [make_observation(packet)]) == store.WriteResult(1, new=1)


def test_an_unreachable_database_is_reported():
    with pytest.raises(store.StoreUnavailable, match="cannot reach"):
        store.Writer("postgresql://nobody@/none?host=/nonexistent").connect()


def test_two_packets_with_one_id_are_never_mixed_up(writer):
    packet = make_packet()
    writer.write([packet], [])
    with pytest.raises(store.IdentityClashError, match=str(packet.id)):
        writer.write([replace(packet, body=b"other")], [])
    with pytest.raises(ValueError, match="one id"):
        twin = make_packet()
        writer.write([twin, twin], [])
    assert rows_in("telemetry_packet") == 1


def test_extra_runs_inside_the_transaction(writer):
    def extra(connection):
        connection.execute("INSERT INTO telemetry_dirty VALUES (now(), 99, 'day')")
        raise ZeroDivisionError

    packet = make_packet()
    with pytest.raises(ZeroDivisionError):
        writer.write([packet], [make_observation(packet)], extra)
    assert rows_in("telemetry_packet") == rows_in("telemetry_observation") == rows_in("telemetry_dirty") == 0
    seen = []
    writer.write(
        [packet], [make_observation(packet)], lambda connection: seen.append(connection.info.transaction_status)
    )
    assert seen == [psycopg.pq.TransactionStatus.INTRANS]


def test_durable(writer):
    assert writer.connect().execute("SHOW synchronous_commit").fetchone() == ("on",)


# ---- insert-only, roles, partitions --------------------------------------------------------------------------------

CHANGES = [
    *(f"UPDATE {table} SET {column} = 0" for table, column in (
        ("telemetry_packet", "id"), ("telemetry_observation", "value"), ("telemetry_packet_release", "packet_id")
    )),
    *(f"DELETE FROM {table}" for table in ("telemetry_packet", "telemetry_observation", "telemetry_packet_release")),
]  # fmt: skip


@pytest.fixture
def stored(writer):
    packet = make_packet(verdict="H", reason="password-wrong")
    writer.write([packet], [make_observation(packet)])
    reread = store.Reread([packet.id], NOW, None, "release", "because")
    with transaction.atomic():
        store.store_reread([make_observation(packet, series_id=2)], reread)
        yield packet


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("role", "message"), [(None, "append-only"), ("luming_app", "permission denied")])
def test_nobody_changes_what_arrived(stored, change, role, message):
    with pytest.raises(Exception, match=message), transaction.atomic(), connection.cursor() as cursor:
        if role:
            cursor.execute(f"SET LOCAL ROLE {role}")
        cursor.execute(change)


def test_the_serving_role_cannot_touch_partitions_or_the_audit_trail(stored):
    for statement in (
        "DELETE FROM telemetry_observation_202506",
        "INSERT INTO telemetry_packet_20250601 SELECT * FROM telemetry_packet",
        "TRUNCATE telemetry_packet", "DROP TABLE telemetry_packet_20250601", "UPDATE core_auditentry SET reason = ''",
        "SELECT * FROM telemetry_packet_20250601",
    ):  # fmt: skip
        with (
            pytest.raises(Exception, match=r"permission denied|must be owner"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("SET LOCAL ROLE luming_app")
            cursor.execute(statement)


def test_the_serving_role_writes_reads_and_makes_partitions(empty_store):
    with connecting.connect() as one, store.Writer() as writer:
        one.execute("DROP TABLE IF EXISTS telemetry_packet_20310215, telemetry_observation_203102")
        writer.connect().execute("SET ROLE luming_app")
        at = datetime(2031, 2, 15, 4, tzinfo=UTC)
        packet = make_packet(at)
        assert writer.write([packet], [make_observation(packet, start=at)]).new == 1
        writer.connect().execute("UPDATE telemetry_devicestatus SET connected = false")
        writer.connect().execute("DELETE FROM telemetry_dirty")
    assert revisions(1, at) == [(0, 1.5)]


def test_partitions_are_made_at_local_midnight_and_month(writer):
    midnight = datetime(2027, 3, 31, 16, tzinfo=UTC)  # 2027-04-01 00:00 in the city
    moments = [midnight - timedelta(milliseconds=1), midnight]
    packets = [make_packet(moment) for moment in moments]
    writer.write(
        packets, [make_observation(packet, start=moment) for packet, moment in zip(packets, moments, strict=True)]
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM telemetry_packet ORDER BY id")
        assert cursor.fetchall() == [("telemetry_packet_20270331",), ("telemetry_packet_20270401",)]
        cursor.execute("SELECT tableoid::regclass::text FROM telemetry_observation ORDER BY start")
        assert cursor.fetchall() == [("telemetry_observation_202703",), ("telemetry_observation_202704",)]


def test_times_far_off_have_a_place_too(writer):
    packet = make_packet()
    starts = [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 15, tzinfo=UTC),
        datetime(2150, 1, 1, tzinfo=UTC),
    ]
    assert writer.write([packet], [make_observation(packet, start=start) for start in starts]).new == 3
    assert [revisions(1, start) for start in starts] == [[(0, 1.5)]] * 3


def test_partitions_are_made_ahead_and_old_packets_dropped(writer, django_db_blocker):
    assert store.ensure_partitions(date(2026, 2, 27), date(2026, 3, 1)) in (0, 7)  # a test before may have made them
    assert store.ensure_partitions(datetime(2026, 2, 27, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)) == 0
    assert date(2026, 2, 28) in store.packet_days()


@pytest.mark.django_db(transaction=True)
def test_retention_drops_whole_days_of_packets_and_keeps_observations(writer):
    old, young = make_packet(datetime(2026, 2, 10, 4, tzinfo=UTC)), make_packet(datetime(2026, 2, 11, 4, tzinfo=UTC))
    writer.write([old, young], [make_observation(old)])
    writer.close()
    dropped = store.drop_packets_before(date(2026, 2, 11))
    assert date(2026, 2, 10) in dropped and date(2026, 2, 11) not in dropped
    assert [packet.id for packet in store.packets()] == [young.id]
    assert revisions() == [(0, 1.5)]
    assert store.drop_packets_before(date(2026, 2, 11)) == []


@pytest.mark.django_db(transaction=True)
def test_indexes_of_finished_months_are_packed_once(writer, monkeypatch):
    monkeypatch.setattr(upkeep, "_WORTH_PACKING", 100)
    packet = make_packet()
    for hour in range(300):  # series that grow side by side
        writer.write([], [make_observation(packet, series, NOW + hour * HOUR) for series in range(100)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE telemetry_observation")
    assert store.pack_indexes(date(2025, 6, 30)) == []  # the month still grows
    assert store.pack_indexes(date(2025, 7, 1)) == ["telemetry_observation_202506"]
    assert store.pack_indexes(date(2025, 7, 1)) == []
    assert len(revisions(50, NOW + 299 * HOUR)) == 1


def test_writers_making_one_partition_at_once():
    """Both find it missing; one makes it, the other waits and goes on."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("DROP TABLE IF EXISTS telemetry_observation_203301, telemetry_packet_20330105")
    at = datetime(2033, 1, 5, tzinfo=UTC)
    results, barrier = [], threading.Barrier(4)

    def work(series):
        with store.Writer() as writer:
            writer.connect()
            barrier.wait()
            packet = make_packet(at, id=(id_floor(at)) + series + 1)
            results.append(writer.write([packet], [make_observation(packet, series, at)]).new)

    threads = [threading.Thread(target=work, args=(series,)) for series in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 4


# ---- bulk ----------------------------------------------------------------------------------------------------------


def test_bulk_load_is_the_same_in_large(empty_store, monkeypatch):
    monkeypatch.setattr(writing, "_BULK_PACKETS", 7)
    packets = [make_packet(NOW + i * HOUR) for i in range(30)]
    columns = store.ObservationColumns.make(
        series_id=np.tile(np.arange(1, 5), 30),
        place_id=np.tile([21, 21, 22, 22], 30),
        interval="hour",
        start=np.repeat(np.datetime64("2025-06-01T04:00", "us") + np.arange(30) * np.timedelta64(1, "h"), 4),
        packet_id=np.repeat([packet.id for packet in packets], 4),
        value=np.where(np.arange(120) % 5, np.arange(120) / 8, np.nan),
        flag=np.where(np.arange(120) % 3, "N", ""),
    )
    shuffled = columns.take(np.random.default_rng(1).permutation(120))
    assert store.bulk_load(reversed(packets), shuffled) == store.WriteResult(30, new=120)
    assert store.bulk_load(packets, columns) == store.WriteResult()
    stored = store.observations([1, 2, 3, 4], NOW, NOW + 30 * HOUR)
    order = np.lexsort((columns.start, columns.series_id))
    np.testing.assert_array_equal(stored.value, columns.value[order])
    np.testing.assert_array_equal(stored.packet_id, columns.packet_id[order])
    assert stored.flag.tolist() == [flag.decode() for flag in columns.flag[order].tolist()]
    assert all((packet.new, packet.repeated) == (4, 0) for packet in store.packets(limit=100))
    again = [make_packet() for _ in range(30)]
    repeated = replace(columns, packet_id=np.repeat([packet.id for packet in again], 4))
    assert store.bulk_load(again, repeated) == store.WriteResult(30, repeated=120)


def test_bulk_load_of_nothing(empty_store):
    assert store.bulk_load([], []) == store.WriteResult()
