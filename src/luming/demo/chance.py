"""Chance that can be asked anywhere: hashes of (key, index) instead of a generator with a state.

The value at an index does not depend on what was asked before, so that a history of 60 days, one live minute and a
request for last Tuesday agree to the last digit. Hashing is SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable
pseudorandom number generators"), vectorised.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(bits) for bits in (30, 27, 31, 11))


@lru_cache(maxsize=65536)
def key_of(*parts: object) -> np.uint64:
    """Return a 64-bit key of any parts."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "big"))


def alphabet_text(*parts: object, length: int, letters: str = "0123456789ABCDEFGHJKLMNPQRTUWXY") -> str:
    """Return a text of letters that looks random and is always the same for the same parts."""
    number = int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=32).digest(), "big")
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(letters))
        text += letters[digit]
    return text


def uniform(key: np.uint64, index: Ints) -> Floats:
    """Return numbers in [0, 1) for (key, index); shape of ``index``, which must be an array."""
    x = (index.astype(np.uint64) + key) * _GOLDEN
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return ((x ^ (x >> _S31)) >> _S11).astype(np.float64) * 2.0**-53


def smooth(key: np.uint64, index: Ints, period: int) -> Floats:
    """Return noise in [-1, 1] that changes over ``period`` steps of the index (value noise, smoothstep)."""
    if period == 1:
        return 2.0 * uniform(key, index) - 1.0
    cell, rest = np.divmod(index, period)
    left, right = _lattice(key, cell), _lattice(key, cell + 1)
    fraction = rest / period
    weight = fraction * fraction * (3.0 - 2.0 * fraction)
    return left + (right - left) * weight


def _lattice(key: np.uint64, cell: Ints) -> Floats:
    cells, which = _each_once(cell)
    return (2.0 * uniform(key, cells) - 1.0)[which]


def fractal(key: np.uint64, index: Ints, *octaves: tuple[int, float]) -> Floats:
    """Return a weighted sum of :func:`smooth` noises: ``(period, weight), …``."""
    total = np.zeros(len(index))
    for number, (period, weight) in enumerate(octaves):
        total += weight * smooth(key + np.uint64(number * 7919), index, period)
    return total


class Episodes(NamedTuple):
    """Which steps lie in an episode, how far in, and how many steps since its start and its end."""

    active: NDArray[np.bool_]
    progress: Floats  # 0 … 1, 0 outside
    age: Ints  # steps since the start; negative before it
    after: Ints  # steps since the end; negative before it
    dice: Floats  # [0, 1), one number for the whole block


def episodes(key: np.uint64, index: Ints, block: int, chance: float, shortest: int, longest: int) -> Episodes:
    """Return episodes: in each block of ``block`` steps one with probability ``chance``, wholly inside the block."""
    number, offset = np.divmod(index, block)
    blocks, which = _each_once(number)
    length = shortest + np.floor(uniform(key + np.uint64(1), blocks) * (longest - shortest + 1)).astype(np.int64)
    start = np.floor(uniform(key + np.uint64(2), blocks) * (block - length + 1)).astype(np.int64)
    happens = uniform(key, blocks) < chance
    start = np.where(happens, start, block)[which]  # what does not happen never begins
    length = length[which]
    age = offset - start
    after = np.where(age < 0, -1, age - length)
    active = (age >= 0) & (after < 0)
    return Episodes(active, np.where(active, age / length, 0.0), age, after, uniform(key + np.uint64(3), blocks)[which])


def _each_once(number: Ints) -> tuple[Ints, Ints]:
    """Return block numbers that hold all of ``number``, and where each stands among them: a long run has few."""
    if not len(number):
        return number, number
    first, last = int(number.min()), int(number.max())
    if last - first < len(number):
        return np.arange(first, last + 1), number - first
    return number, np.arange(len(number))
