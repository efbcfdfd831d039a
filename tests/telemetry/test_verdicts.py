"""Verdicts: append-only, one holds, and what counts follows from it."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import psycopg
import pytest
from django.db import IntegrityError, transaction

from luming.telemetry import store
from luming.telemetry.identity import id_floor
from luming.telemetry.store import Origin, Quality, VerdictRow, connecting

START = datetime(2026, 6, 1, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
_sequence = count(1)

pytestmark = pytest.mark.usefixtures("empty_store")


def send(*values, series_id=1, flag="N", received_at=START, start=START):
    """Store values of hours from START on, as a packet received then brings them."""
    packet = store.PacketRow(
        id_floor(received_at) + next(_sequence), received_at, "I", None, 11, "MN1", None, "31", 2061, None, b"##", "A"
    )
    rows = [
        store.ObservationRow(series_id, 21, "hour", start + i * HOUR, value, None, None, None, None, flag, packet.id)
        for i, value in enumerate(values)
    ]
    with store.Writer() as writer:
        writer.write([packet], rows)


def rule(hour=0, quality=Quality.VALID, *, revision=0, origin=Origin.MEASURED, person_id=None, **more):
    row = VerdictRow(1, START + hour * HOUR, revision, origin, quality, "test", "1", **more)
    with transaction.atomic():
        return store.write_verdicts([row], person_id=person_id)


def counted(as_of=None):
    found = store.effective([1], START, START + 24 * HOUR, as_of=as_of)
    return [value if use else None for value, use in zip(found.used.tolist(), found.counts.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("letter", "counts"),
    [("N", True), ("", True), *((letter, False) for letter in "FMSDCTB"), ("X", False)],
)
def test_without_a_verdict_the_mark_of_the_device_decides(letter, counts):
    send(7.0, flag=letter)
    assert counted() == [7.0 if counts else None]


def test_nothing_is_stored_where_nothing_spoke():
    send(1.0)
    assert rule() == 0
    assert rule(quality=Quality.SUSPECT, checks=["GEN-SPIKE:3"]) == 1
    assert rule(quality=Quality.SUSPECT, checks=["GEN-SPIKE:3"]) == 0
    assert counted() == [None]
    assert rule() == 1, "it must replace the one before"
    assert counted() == [1.0]
    assert [verdict.sequence for verdict in store.verdict_history(1, START)] == [0, 1]


def test_what_a_person_decided_stands_until_the_value_is_revised():
    send(1.0)
    rule(quality=Quality.SUSPECT, checks=["GEN-SPIKE:3"])
    assert rule(person_id=5, reason="a real plume") == 1
    assert rule(quality=Quality.SUSPECT, checks=["GEN-SPIKE:3"]) == 0
    assert counted() == [1.0]
    send(9.0, received_at=START + HOUR)
    assert counted() == [9.0], "the verdict on the old value says nothing of the new one"
    assert rule(quality=Quality.INVALID, revision=1, checks=["GEN-RANGE:4"]) == 1
    assert counted() == [None]


def test_a_value_of_a_verdict_counts_in_place_of_the_observed_one():
    send(1.0, 2.0)
    rule(1, person_id=5, origin=Origin.CORRECTED, value=2.5, reason="from the analyser's log")
    found = store.effective([1], START, START + 24 * HOUR)
    assert found.value.tolist() == [1.0, 2.0] and found.used.tolist() == [1.0, 2.5]
    assert found.replaced.tolist() == [False, True]


def test_a_period_without_observation_can_be_substituted():
    send(1.0)
    rule(2, revision=-1, origin=Origin.SUBSTITUTED, value=4.0)
    found = store.effective([1], START, START + 24 * HOUR)
    assert found.used.tolist() == [1.0, 4.0] and found.revision.tolist() == [0, -1]
    send(3.0, start=START + 2 * HOUR)
    assert counted() == [1.0, 3.0], "what arrives late is what was measured"


def test_as_it_was_known(monkeypatch):
    send(1.0, 2.0)
    known = datetime.now(UTC)
    rule(quality=Quality.INVALID, person_id=5, reason="calibration gas")
    send(8.0, received_at=datetime.now(UTC) + timedelta(seconds=1), start=START + HOUR)
    assert counted(known) == [1.0, 2.0]
    assert counted() == [None, 8.0]
    assert counted(START - HOUR) == []


def test_missing_values_are_missing():
    send(None, 2.0)
    found = store.effective([1], START, START + 24 * HOUR)
    assert found.quality.tolist() == [Quality.MISSING, Quality.VALID]
    assert len(store.effective([1, 2], START - 24 * HOUR, START)) == 0


def test_many_series_come_in_order():
    send(1.0, 2.0, series_id=3)
    send(4.0, series_id=2)
    found = store.effective([3, 2], START, START + 24 * HOUR)
    assert found.series_id.tolist() == [2, 3, 3]
    assert found.of(3).used.tolist() == [1.0, 2.0]
    assert np.array_equal(found.take(found.counts).used, [4.0, 1.0, 2.0])


def test_verdicts_are_append_only():
    send(1.0)
    rule(quality=Quality.INVALID, checks=["GEN-RANGE:4"])
    for statement in ("UPDATE telemetry_verdict SET quality = 0", "DELETE FROM telemetry_verdict"):
        with pytest.raises(IntegrityError, match="append"), transaction.atomic(), connecting.reading() as cursor:
            cursor.execute(statement)


def test_the_serving_role_may_only_add(empty_store):
    send(1.0)
    with connecting.connect(**connecting.parameters(as_owner=True)) as owner:
        owner.execute("SET ROLE luming_app")
        for statement in (
            "UPDATE telemetry_verdict SET quality = 0",
            "DELETE FROM telemetry_verdict",
            "TRUNCATE telemetry_verdict",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement)
