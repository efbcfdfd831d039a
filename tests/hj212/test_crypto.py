"""SM4 of CP, against the standard's own examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from luming.hj212 import Edition, Framer, decode, decrypt_cp, encode, encrypt_cp

from .builders import MN

DATA = Path(__file__).parent / "data"
FRAMES = json.loads((DATA / "frames.json").read_text(encoding="utf-8"))
EXAMPLES = json.loads((DATA / "encrypted.json").read_text(encoding="utf-8"))
KEY = bytes.fromhex(EXAMPLES[0]["key"])


def test_the_cipher_itself() -> None:
    """GB/T 32907-2016 annex A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
    assert encryptor.update(key).hex().upper() == "681EDF34D206965E86B3E94F536E4246"
    assert encrypt_cp("", key) == b""


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["source"] for example in EXAMPLES])
def test_official_examples(example: dict[str, str]) -> None:
    """HJ 212-2025 A.2 with the key of sixteen 0x30."""
    plain = FRAMES[int(example["plain_index"])]["frame"].encode()
    frame = example["frame"].encode()
    cp = plain.partition(b"CP=&&")[2][:-6].decode()
    assert encrypt_cp(cp, KEY, printed=False)[: len(cp) // 16 * 16].hex().upper() == example["cipher"]
    (framed,) = Framer().feed(frame + b"\r\n")
    assert framed.data == frame
    decoded, expected = decode(frame, key=KEY, strict=True), decode(plain)
    assert decoded.accepted and decoded.packet is not None and expected.packet is not None
    assert [note.code for note in decoded.diagnostics] == ["sm4.decrypted"]
    assert decoded.packet._replace(raw=plain) == expected.packet
    packet = decoded.packet
    fields = {"cn": packet.cn, "st": packet.st, "mn": packet.mn, "qn": packet.qn, "flag": packet.flag, "cp": packet.cp}
    assert encode(**fields, key=KEY) == frame + b"\r\n"  # type: ignore[arg-type]


@given(st.text(max_size=200), st.binary(min_size=16, max_size=16), st.booleans())
def test_round_trip(text: str, key: bytes, printed: bool) -> None:
    text = "D" + text  # CP begins with a name
    assert decrypt_cp(encrypt_cp(text, key, printed=printed), key).decode() == text


@pytest.mark.parametrize("printed", [True, False])
def test_a_wrong_or_missing_key(printed: bool) -> None:
    cp = "DataTime=20240601080000;a21026-Avg=1.5,a21026-Flag=N"
    frame = encode(cn=2061, st="31", mn=MN, cp=cp, edition=Edition.V2025, key=KEY, printed=printed)
    (framed,) = Framer().feed(frame)
    good = decode(framed.data, key=KEY)
    assert good.accepted and good.packet is not None and good.packet.cp == cp
    assert decode(framed.data).reason == ("sm4.no_key" if printed else "crc.mismatch")
    assert decode(framed.data, key=b"1" * 16).reason == ("sm4.failed" if printed else "crc.mismatch")
    assert decode(framed.data, key=b"short").reason == "sm4.failed"


def test_packets_in_clear_are_read_with_a_key_too() -> None:
    frame = FRAMES[2]["frame"].encode()
    assert decode(frame, key=KEY) == decode(frame)
