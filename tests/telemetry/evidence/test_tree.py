"""Hash trees: RFC 6962's own test vectors, SM3's, and what a block says of its lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luming.telemetry.evidence import tree

SHA = tree.function("sha256")


def test_the_hash_functions():
    # GB/T 32905-2016, A.1: the digest of "abc"; FIPS 180-2 B.1 the same of SHA-256
    assert tree.function("sm3")(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert SHA(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(ValueError, match="sha256, sm3"):
        tree.function("md5")


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_roots_of_certificate_transparency(count, expected):
    """The roots that the implementations of RFC 6962 are tested with, over the same eight leaves."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [SHA(b"\0" + bytes.fromhex(leaf)) for leaf in leaves[:count]]
    assert tree.root(hashes, SHA).hex() == expected


def by_definition(leaves):
    """RFC 6962, 2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return SHA(b"\1" + by_definition(leaves[:k]) + by_definition(leaves[k:]))


@given(st.integers(1, 700))
def test_blocks_are_subtrees_of_the_whole(count):
    lines = [f"{i}\tx\n".encode() for i in range(count)]
    blocks = list(tree.blocks("s", lines, 1, "sha256"))
    whole = by_definition([SHA(b"\0s\0" + line) for line in lines])
    assert tree.root([block.root for block in blocks], SHA) == whole
    assert sum(block.count for block in blocks) == count
    assert (blocks[0].first, blocks[-1].last) == ("0", str(count - 1))


def test_a_line_of_one_source_is_none_of_another():
    one, other = (next(tree.blocks(name, [b"1\n"], 1, "sha256")).root for name in ("a", "b"))
    assert one != other
