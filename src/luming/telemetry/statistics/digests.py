"""Digests over the inputs of statistics: SHA-256 over what was used, in the order of series and time.

An input is 32 bytes, big-endian: series (int32), start (int64, microseconds since 1970), revision of the observation
(int16), sequence of the verdict (int16, -1 for none), value used (float64) and the first 8 bytes of the input's own
digest where it is a statistic itself, else zeros. So the digest of a month changes whenever anything below it does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

INPUT = np.dtype([
    ("series", ">i4"), ("start", ">i8"), ("revision", ">i2"), ("sequence", ">i2"), ("value", ">f8"), ("chain", "S8"),
])  # fmt: skip
EMPTY = hashlib.sha256(b"").hexdigest().encode()

# What stands behind the digests that are made while somebody wants to know (:func:`witnessed`).
_witness: ContextVar[dict[str, bytes] | None] = ContextVar("witness", default=None)


def inputs(
    series: np.ndarray, start: np.ndarray, revision: np.ndarray, sequence: np.ndarray, value: np.ndarray,
    chain: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Return n inputs as one array of :data:`INPUT`; ``chain`` are digests as hexadecimal text (``S64``)."""
    found = np.zeros(len(series), INPUT)
    found["series"], found["revision"], found["sequence"] = series, revision, sequence
    found["start"] = np.asarray(start, "datetime64[us]").astype(np.int64)
    found["value"] = value
    if chain is not None and len(chain):
        found["chain"] = np.frombuffer(
            b"".join(bytes.fromhex(digest[:16].decode() or "00" * 8) for digest in chain.tolist()), "S8"
        )
    return found


def of_groups(position: np.ndarray, rows: np.ndarray, groups: int) -> np.ndarray:
    """Return the digest of each group as hexadecimal text (``S64``).

    Parameters
    ----------
    position : group 0..groups-1 of each row; rows with -1 take no part.
    rows : of :data:`INPUT`.
    """
    taken = position >= 0
    position, rows = position[taken], rows[taken].astype(INPUT, copy=False)  # numpy joins arrays in its own byte order
    order = np.lexsort((rows["start"].astype(np.int64), rows["series"].astype(np.int64), position))
    data = rows[order].tobytes()
    bounds = np.searchsorted(position[order], np.arange(groups + 1)) * INPUT.itemsize
    pieces = [data[first:last] for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
    found = [hashlib.sha256(piece).hexdigest() for piece in pieces]
    seen = _witness.get()
    if seen is not None:
        seen.update(zip(found, pieces, strict=True))
    return np.array([digest.encode() for digest in found] or [], "S64")


@contextmanager
def witnessed() -> Iterator[dict[str, bytes]]:
    """Keep the inputs of each digest that is made inside, by the digest: bytes of :data:`INPUT`."""
    seen: dict[str, bytes] = {}
    token = _witness.set(seen)
    try:
        yield seen
    finally:
        _witness.reset(token)
