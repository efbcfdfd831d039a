"""What the store promises: nothing twice, nothing lost, nothing changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from luming.telemetry import store
from luming.telemetry.identity import PacketIds

NOW = datetime(2025, 6, 1, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ids = PacketIds(7)

pytestmark = pytest.mark.usefixtures("empty_store")


@pytest.fixture
def writer(empty_store):
    with store.Writer() as writer:
        yield writer


def make_packet(received_at=NOW, **changes):
    row = store.PacketRow(
        id=ids.next(received_at), received_at=received_at, direction="I", connection_id=1, device_id=11, mn="MN1",
        peer="10.0.0.1:5000", st="31", cn=2061, qn="20250601120000000", body=b"##0001\xff\x00", verdict="A",
    )  # fmt: skip
    return replace(row, **changes)


def make_observation(packet, series_id=1, start=NOW, value=1.5, **changes):
    row = store.ObservationRow(series_id, 21, "hour", start, value, None, None, None, None, "N", packet.id)
    return row._replace(**changes)


def revisions(series_id=1, start=NOW):
    return [(record.revision, record.value) for record in store.history(series_id, start)]


def test_a_new_period_a_repeat_and_a_revision(writer):
    first, again, other, back = (make_packet() for _ in range(4))
    assert writer.write([first], [make_observation(first)]) == store.WriteResult(1, new=1)
    assert writer.write([again], [make_observation(again)]) == store.WriteResult(1, repeated=1)
    assert writer.write([other], [make_observation(other, value=2.0)]) == store.WriteResult(1, revised=1)
    assert writer.write([back], [make_observation(back)]) == store.WriteResult(1, revised=1)
    assert revisions() == [(0, 1.5), (1, 2.0), (2, 1.5)]
    counts = [(p.new, p.repeated, p.revised) for p in reversed(store.packets())]
    assert counts == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1)]
