"""When a logger of the fleet cannot reach the platform, and what becomes of what it measured meanwhile.

Deterministic like the values, so that the history, the live simulator and its answers to history requests tell one
story: of half of the outages the logger sends what it kept as soon as it is back, of a quarter it waits to be asked,
and of a quarter nothing is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from luming.demo.chance import Floats, Ints, episodes, key_of
from luming.demo.environment import DAY, HOUR, STEP
from luming.demo.fleet import Logger

ONLINE, BACKFILLED, KEPT, LOST = range(4)


class Outages(NamedTuple):
    """For each instant: the kind of outage it lies in, and when that ends (seconds since 1970; 0 when online)."""

    kind: np.ndarray
    end: Ints


def outages(logger: Logger, moments: Floats | Ints) -> Outages:
    """Return the outages at instants (seconds since 1970)."""
    index = np.floor_divide(np.asarray(moments), STEP).astype(np.int64)
    key = key_of(logger.site.seed, logger.site.code, "outage")
    found = episodes(key, index, 8 * DAY, 0.2, HOUR // 2, 12 * HOUR)
    kind = np.where(found.dice < 0.5, BACKFILLED, np.where(found.dice < 0.75, KEPT, LOST))
    return Outages(
        np.where(found.active, kind, ONLINE).astype(np.int8), np.where(found.active, (index - found.after) * STEP, 0)
    )
