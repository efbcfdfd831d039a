"""Closed days: chained, in order, once; and whatever is changed afterwards is found and named."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from django.db import IntegrityError, transaction

from luming.core import audit
from luming.telemetry import store
from luming.telemetry.evidence import closing, verifying
from luming.telemetry.evidence.models import DayBlock, DayHash, Verification
from luming.telemetry.identity import id_floor
from luming.telemetry.store import connecting

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
_sequence = count(1)

pytestmark = pytest.mark.usefixtures("empty_store")


def send(at=NOON, values=(1.0, 2.0, 3.0), series_id=1):
    packet = store.PacketRow(
        id_floor(at) + next(_sequence), at, "I", None, 11, "MN1", None, "31", 2061, None, b"##data", "A"
    )
    rows = [
        store.ObservationRow(series_id, 21, "hour", at + i * HOUR, value, None, None, None, None, "N", packet.id)
        for i, value in enumerate(values)
    ]
    with store.Writer() as writer:
        writer.write([packet], rows)
    return packet.id


def close(now=NOON + 3 * DAY):
    return list(closing.close_days(now))


@contextmanager
def tampering():
    """The owner of the database with the triggers off: whom nothing but the hashes can find."""
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("SET session_replication_role = replica")
        yield owner


def differences(**days):
    return [item for result in verifying.verify_days(**days) for item in result.differences]


def test_days_are_closed_in_order_and_once():
    send(), send(NOON + DAY)
    closed = close()
    assert [day.day for day in closed] == [date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)]
    assert [day.of("observations")["count"] for day in closed] == [3, 3, 0]
    assert [day.previous for day in closed] == ["", closed[0].digest, closed[1].digest]
    assert close() == [] and DayHash.objects.count() == 3
    assert differences() == []


def test_a_day_is_closed_some_hours_after_it_is_over():
    send()
    midnight = datetime(2026, 6, 1, 16, tzinfo=UTC)  # in the city
    assert close(midnight + HOUR) == []
    assert [day.day for day in close(midnight + 2 * HOUR)] == [date(2026, 6, 1)]


def test_an_installation_without_packets_begins_with_yesterday():
    [day] = close(NOON)
    assert (day.day, day.of("packets")["count"]) == (date(2026, 5, 31), 0)


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
@pytest.mark.parametrize(
    ("change", "source", "kind", "key"),
    [
        ("UPDATE telemetry_observation SET value = 2.1 WHERE value = 2", "observations", "changed", "05:00:00+00 0"),
        ("UPDATE telemetry_observation SET flag = 'D' WHERE value = 3", "observations", "changed", "06:00:00+00 0"),
        ("DELETE FROM telemetry_observation WHERE value = 2", "observations", "missing", ""),
        ("DELETE FROM telemetry_observation WHERE value = 3", "observations", "missing", ""),
        ("DELETE FROM telemetry_observation", "observations", "missing", ""),
        (
            "INSERT INTO telemetry_observation (series_id, revision, start, value, packet_id)"
            " SELECT 1, 0, '2026-06-01 04:30Z', 9, id FROM telemetry_packet",
            "observations", "added", "04:30:00+00 0",
        ),
        ("UPDATE telemetry_packet SET body = '##datb'", "packets", "changed", ""),
        ("UPDATE telemetry_packet SET verdict = 'H'", "packets", "changed", ""),
        ("DELETE FROM telemetry_packet", "packets", "missing", ""),
    ],
)  # fmt: skip
def test_the_first_record_that_differs_is_named(settings, algorithm, change, source, kind, key):
    settings.EVIDENCE_HASH = algorithm
    send()
    close()
    with tampering() as owner:
        owner.execute(change)
    [found] = differences()
    assert (found.day, found.source, found.kind) == (date(2026, 6, 1), source, kind)
    assert found.key.endswith(key) and found.text


def test_only_the_first_of_a_block_is_named_and_others_of_other_sources():
    for hour in range(20):
        send(NOON + hour * timedelta(minutes=1), [float(i) for i in range(30)], series_id=hour + 1)
    close()
    with tampering() as owner:
        owner.execute("UPDATE telemetry_observation SET value = value + 1 WHERE series_id IN (12, 17)")
        owner.execute("UPDATE telemetry_packet SET mn = 'MN2' WHERE id = (SELECT max(id) FROM telemetry_packet)")
    found = {item.source: item for item in differences()}
    assert set(found) == {"observations", "packets"}
    assert found["observations"].key.startswith("12 ")
    assert "331" in found["observations"].text  # 11 series of 30 stand before it


def test_verdicts_and_the_audit_trail_are_covered(world_user):
    send()
    now = datetime.now(UTC)
    with transaction.atomic():
        row = store.VerdictRow(1, NOON, 0, store.Origin.MEASURED, store.Quality.INVALID, "test", "1", reason="why")
        store.write_verdicts([row], person_id=world_user.pk)
        audit.record(world_user, "test.verb", world_user)
    today = next(day for day in close(now + 2 * DAY) if day.of("verdicts")["count"])
    assert today.of("audit")["count"] == 1
    with connecting.reading() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE core_auditentry SET reason = 'another'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert [item.source for item in differences()] == ["audit"]


def test_changing_the_closed_days_themselves_is_found():
    send(), send(NOON + DAY)
    close()
    with connecting.reading() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE evidence_dayhash SET sources = '[]' WHERE day = '2026-06-02'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert [(item.kind, item.day) for item in differences()] == [("chain", date(2026, 6, 2))]


def test_putting_a_day_of_ones_own_making_in_place_breaks_the_chain():
    send(), send(NOON + DAY)
    closed = close()
    forged = closing.digest(closed[0].day, "sha256", "", [])
    with connecting.reading() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE evidence_dayhash SET sources = '[]', digest = %s WHERE day = '2026-06-01'", [forged])
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert [(item.kind, item.day) for item in differences()] == [("chain", date(2026, 6, 2))]


@pytest.mark.parametrize("table", ["evidence_dayhash", "evidence_dayblock"])
def test_closed_days_are_append_only(table):
    send()
    close()
    with pytest.raises(IntegrityError, match="append"), transaction.atomic(), connecting.reading() as cursor:
        cursor.execute(f"DELETE FROM {table}")


def test_packets_that_the_retention_removed_are_no_difference(monkeypatch):
    send()
    close()
    with tampering() as owner:
        owner.execute("DELETE FROM telemetry_packet")
    monkeypatch.setattr(store, "packet_days", list)  # their partition is gone
    results = {result.day: result for result in verifying.verify_days()}
    assert results[date(2026, 6, 1)].dropped == ("packets",)
    assert not any(result.differences for result in results.values())


def test_a_run_is_kept(world_user):
    send()
    close()
    seen = []
    run = verifying.run(world_user, date(2026, 6, 1), date(2026, 6, 30), lambda *step: seen.append(step))
    assert (run.state, run.days, run.records) == (Verification.State.INTACT, 3, 4)
    assert seen[-1] == (3, 3)
    with tampering() as owner:
        owner.execute("DELETE FROM telemetry_packet")
    run = verifying.run(None, date(2026, 6, 1), date(2026, 6, 30))
    assert run.state == Verification.State.DIFFERENT
    assert [item["source"] for item in run.differences] == ["packets"]
    assert DayBlock.objects.count() == 2
