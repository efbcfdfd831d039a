"""Packet ids: snowflakes that carry the time of receipt and are unique without asking the database.

An id is ``(milliseconds since 2020-01-01T00:00Z) << 22 | node << 14 | sequence``. The node (0–255) belongs to one
writing process at a time, by an advisory lock of PostgreSQL; the sequence counts inside a millisecond. Ids of one
process grow, and a day's packets are a range of ids, which is how the packet table is partitioned.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
NODES = 256
_SEQUENCES = 1 << 14
_NODE_LOCK = 7_212  # class of the advisory locks; the node is the object
_MILLISECOND = timedelta(milliseconds=1)


class PacketIds:
    """Makes the ids of one process; not for use by several threads at once.

    Parameters
    ----------
    node : 0 to 255, from :func:`claim_node`.
    """

    def __init__(self, node: int) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node must be 0 to {NODES - 1}, not {node}")
        self.node = node
        self._millisecond = -1
        self._sequence = 0

    def next(self, now: datetime | None = None) -> int:
        """Return the id of a packet received now.

        A clock that steps back, and more than 16,384 packets in a millisecond, borrow from the future: ids still grow.

        Raises
        ------
        ValueError
            The clock stands before 2020.
        """
        millisecond = ((now or datetime.now(UTC)) - EPOCH) // _MILLISECOND
        if millisecond < 0:
            raise ValueError(f"the clock of this machine says {now:%F %T}: set it, then start again / 本机时钟错误")
        if millisecond > self._millisecond:
            self._millisecond, self._sequence = millisecond, 0
        else:
            self._sequence += 1
            if self._sequence == _SEQUENCES:
                self._millisecond, self._sequence = self._millisecond + 1, 0
        return self._millisecond << 22 | self.node << 14 | self._sequence


def received_at(packet_id: int) -> datetime:
    """Return when the packet was received (UTC, to the millisecond)."""
    return EPOCH + timedelta(milliseconds=packet_id >> 22)


def id_floor(moment: datetime) -> int:
    """Return the smallest id of packets received at or after the instant; never below 0."""
    return max(0, -((EPOCH - moment) // _MILLISECOND)) << 22


def claim_node(connection: psycopg.Connection, preferred: int | None = None) -> int:
    """Take a free node for as long as the connection lives.

    Parameters
    ----------
    preferred : tried first, so that a process that reconnects keeps its node.

    Raises
    ------
    RuntimeError
        All 256 nodes are taken.
    """
    candidates = list(range(NODES))
    if preferred is not None:
        candidates.insert(0, candidates.pop(preferred))
    for node in candidates:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_NODE_LOCK, node)).fetchone()
        if row is not None and row[0]:
            return node
    raise RuntimeError(f"all {NODES} nodes are taken: too many gateways write at once / 写入进程过多")
