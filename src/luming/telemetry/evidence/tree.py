"""Hash trees over lines of text: the construction of RFC 6962 (2.1), with SHA-256 or SM3. Pure.

A leaf is H(0x00 ‖ source ‖ 0x00 ‖ line), a node H(0x01 ‖ left ‖ right). Leaves are kept in blocks of 256, which are
subtrees of the whole tree, each with the first eight bytes of its leaves: enough to say which line is not what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

ALGORITHMS = ("sha256", "sm3")  # SM3: GB/T 32905-2016
BLOCK = 256
KEPT = 8  # bytes of a leaf that a block keeps
_LEAF, _NODE, _DAY = b"\0", b"\1", b"\2"

Hash = Callable[[bytes], bytes]


def function(algorithm: str) -> Hash:
    """Return the hash function of a name.

    Raises
    ------
    ValueError
        The name is none of :data:`ALGORITHMS`.
    """
    if algorithm == "sha256":
        return lambda data: hashlib.sha256(data).digest()
    if algorithm == "sm3":
        return _sm3
    raise ValueError(f"unknown hash {algorithm!r}; known: {', '.join(ALGORITHMS)} / 未知的杂凑算法")


def _sm3(data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes

    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@dataclass(frozen=True, slots=True)
class Block:
    """Up to 256 lines that follow each other: the keys of its ends, its subtree's root, the heads of its leaves."""

    count: int
    first: str
    last: str
    root: bytes
    leaves: bytes

    def leaf(self, position: int) -> bytes:
        """Return the head of a leaf; empty behind the end."""
        return self.leaves[position * KEPT : (position + 1) * KEPT]


def blocks(source: str, lines: Iterable[bytes], keys: int, algorithm: str) -> Iterator[Block]:
    """Yield the blocks of lines in order; ``keys`` says how many fields at the front of a line name it."""
    hash_of = function(algorithm)
    prefix = _LEAF + source.encode() + b"\0"
    leaves: list[bytes] = []
    first = last = b""
    for line in lines:
        if not leaves:
            first = line
        last = line
        leaves.append(hash_of(prefix + line))
        if len(leaves) == BLOCK:
            yield _block(leaves, first, last, keys, hash_of)
            leaves = []
    if leaves:
        yield _block(leaves, first, last, keys, hash_of)


def _block(leaves: list[bytes], first: bytes, last: bytes, keys: int, hash_of: Hash) -> Block:
    heads = b"".join(leaf[:KEPT] for leaf in leaves)
    return Block(len(leaves), key(first, keys), key(last, keys), root(leaves, hash_of), heads)


def key(line: bytes, keys: int) -> str:
    """Return the fields that name a line, with blanks between."""
    return " ".join(part.decode("utf-8", "replace") for part in line.rstrip(b"\n").split(b"\t")[:keys])


def root(nodes: Sequence[bytes], hash_of: Hash) -> bytes:
    """Return the root over hashes of leaves or of subtrees of equal size (RFC 6962, 2.1); of none, the hash of nothing.

    The left subtree holds the largest power of two smaller than their number, which is what joining neighbours level
    by level gives when an odd one is carried up.
    """
    if not nodes:
        return hash_of(b"")
    level = list(nodes)
    while len(level) > 1:
        paired = [hash_of(_NODE + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) & ~1 :]
    return level[0]


def day_digest(previous: bytes, text: bytes, hash_of: Hash) -> bytes:
    """Return the digest of a day: chained to the day before, over the day's name and the roots of its sources."""
    return hash_of(_DAY + previous + text)
