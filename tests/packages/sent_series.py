"""Series with values in the store, each period in a packet received just after its end."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np

from luming.telemetry import store
from luming.telemetry.identity import id_floor

START = datetime(2026, 6, 1, 16, tzinfo=UTC)  # midnight in the city
HOUR = timedelta(hours=1)
_sequence = count(1)


class Sender:
    """Stores values of the hours from START on."""

    def __init__(self):
        self.writer = store.Writer()

    def __call__(self, series, values, *, start=START, flag="N", every=HOUR, converted=None, low=None, high=None):
        """Store one value per period; NaN sends nothing, so that the period is missing."""
        packets, rows = [], []
        for i, value in enumerate(values):
            if np.isnan(value):
                continue
            moment = start + i * every
            received = moment + every + timedelta(seconds=20)
            packet = store.PacketRow(
                id_floor(received) + next(_sequence), received, "I", None, None, "MN1", None, "22", 2061, None, b"##",
                "A",
            )  # fmt: skip
            packets.append(packet)
            figures = [None if one is None else float(one[i]) for one in (low, high, converted)]
            rows.append(
                store.ObservationRow(
                    series.pk, series.place_id, series.interval, moment, float(value), *figures, None,
                    flag if isinstance(flag, str) else flag[i], packet.id,
                )
            )  # fmt: skip
        self.writer.write(packets, rows)

    def now(self, series, value, start):
        """Store a value of a period in a packet received at this moment."""
        received = datetime.now(UTC)
        packet = store.PacketRow(
            id_floor(received) + next(_sequence), received, "I", None, None, "MN1", None, "22", 2061, None, b"##", "A"
        )
        row = store.ObservationRow(
            series.pk, series.place_id, series.interval, start, value, None, None, None, None, "N", packet.id
        )
        self.writer.write([packet], [row])


def lively(hours, seed=1, level=40.0, noise=4.0):
    """Return hourly values that no check has anything to say of."""
    rng = np.random.default_rng(seed)
    day = 10 * np.sin(2 * np.pi * np.arange(hours) / 24)
    return np.round(level + day + rng.normal(0, noise, hours), 1)
