"""Packet ids grow, carry their time, and belong to one process."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.telemetry.identity import EPOCH, NODES, PacketIds, claim_node, id_floor, received_at
from luming.telemetry.store import connecting

NOW = datetime(2025, 6, 1, 4, 0, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2089, 9, 1), timezones=st.just(UTC))


def test_ids_grow_even_when_the_clock_steps_back_or_a_millisecond_is_full():
    ids = PacketIds(3)
    made = [ids.next(NOW - timedelta(milliseconds=i % 3)) for i in range(40_000)]
    assert made == sorted(set(made))
    assert received_at(made[0]) == NOW
    assert received_at(made[-1]) == NOW + timedelta(milliseconds=2)
    assert {packet_id >> 14 & 0xFF for packet_id in made} == {3}


@given(instants, st.integers(0, NODES - 1))
def test_an_id_carries_its_time_and_lies_between_floors(instant, node):
    packet_id = PacketIds(node).next(instant)
    assert received_at(packet_id) == instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert id_floor(received_at(packet_id)) <= packet_id < id_floor(instant + timedelta(milliseconds=1))
    assert 0 <= packet_id < 2**63


def test_floors_round_up_and_stay_positive():
    assert received_at(id_floor(NOW + timedelta(microseconds=1))) == NOW + timedelta(milliseconds=1)
    assert id_floor(EPOCH - timedelta(days=1)) == 0


def test_what_cannot_be_an_id_is_refused():
    with pytest.raises(ValueError, match="clock"):
        PacketIds(0).next(EPOCH - timedelta(milliseconds=1))
    with pytest.raises(ValueError, match="node"):
        PacketIds(256)


def test_a_node_belongs_to_one_connection(db):
    with connecting.connect() as first, connecting.connect() as second:
        assert claim_node(first, preferred=200) == 200
        assert claim_node(second, preferred=200) != 200
        first.close()
        deadline = time.monotonic() + 10  # the server notices a closed connection a moment later
        while (node := claim_node(second, preferred=200)) != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert node == 200
