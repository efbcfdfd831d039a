"""The store of packets and observations: the only place with SQL on their tables.

Writing: :class:`Writer` and :func:`bulk_load`. Reading: :func:`packet`, :func:`packets`, :func:`observations`,
:func:`chart` and their neighbours. Both tables are insert-only; see docs/explanation/storage.md for the why.
"""

from luming.telemetry.store.charts import Chart, chart
from luming.telemetry.store.connecting import StoreUnavailable
from luming.telemetry.store.reading import (
    held_starts,
    history,
    kept_packets,
    latest,
    observations,
    of_packet,
    packet,
    packet_count,
    packets,
    packets_by_hour,
    reason_counts,
    take_dirty,
)
from luming.telemetry.store.rows import (
    INTERVALS,
    Columns,
    ObservationColumns,
    ObservationRecord,
    ObservationRow,
    PacketRecord,
    PacketRow,
    Release,
    WriteResult,
)
from luming.telemetry.store.upkeep import (
    TableSize,
    drop_packets_before,
    ensure_partitions,
    pack_indexes,
    packet_days,
    sizes,
)
from luming.telemetry.store.writing import IdentityClashError, Reread, Writer, bulk_load, store_reread

__all__ = [
    "INTERVALS",
    "Chart",
    "Columns",
    "IdentityClashError",
    "ObservationColumns",
    "ObservationRecord",
    "ObservationRow",
    "PacketRecord",
    "PacketRow",
    "Release",
    "Reread",
    "StoreUnavailable",
    "TableSize",
    "WriteResult",
    "Writer",
    "bulk_load",
    "chart",
    "drop_packets_before",
    "ensure_partitions",
    "held_starts",
    "history",
    "kept_packets",
    "latest",
    "observations",
    "of_packet",
    "pack_indexes",
    "packet",
    "packet_count",
    "packet_days",
    "packets",
    "packets_by_hour",
    "reason_counts",
    "sizes",
    "store_reread",
    "take_dirty",
]
