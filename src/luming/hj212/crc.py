"""The check code of HJ 212 (annex A of 2017, A.1 of 2025) and CRC-16/MODBUS, which some loggers send instead.

HJ 212 throws the low byte of the register away at each step: `register' = T[(register >> 8) ^ byte]`. What survives is
one byte of state, and the step on it, `H(s) = T[s] >> 8`, is linear over GF(2). `H` applied eight times is the
identity, so bytes at a distance of eight act alike: the whole segment may be folded by XOR to eight bytes before the
table is looked up eight times. `tests/hj212/test_crc.py` proves this and compares with the loop of the standard.

For the same reason only 256 check codes exist: about one corrupted frame in 256 passes.
Never use the code as an identity.
"""

from __future__ import annotations

__all__ = ["CODES", "crc16", "crc16_modbus"]

_BITS_64, _BITS_512, _BITS_1024, _BITS_2048 = (1 << 64) - 1, (1 << 512) - 1, (1 << 1024) - 1, (1 << 2048) - 1


def _shift8(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_STEP = [_shift8(value) for value in range(256)]
CODES = {register: b"%04X" % register for register in _STEP}  # as sent; there are no other values than these 256


def _by_distance() -> list[list[int]]:
    """Table d: what a byte with d bytes after it (modulo 8) adds to the final register."""
    tables = [_STEP]
    for _ in range(7):
        tables.append([tables[-1][step >> 8] for step in _STEP])
    return tables


_TABLES = _by_distance()
# For each length modulo 8: the tables of the folded bytes 0 to 7, and what the start value adds (0xFFFF acts like 0xFF
# in front of the first byte).
_PLANS: list[tuple[list[list[int]], int]] = [
    ([_TABLES[(length - 1 - index) % 8] for index in range(8)], _TABLES[(length - 1) % 8][0xFF]) for length in range(8)
]


def crc16(data: bytes) -> int:
    """Return the check code of a data segment (`QN=…` up to and including the last `&&`)."""
    length = len(data)
    if not length:
        return 0xFFFF
    folded = int.from_bytes(data, "little")
    while length > 512:  # over 512 bytes: rare, and never more than a few rounds
        half = 4096 << max(0, (length - 1).bit_length() - 10)  # bits: 512 bytes, 1024 bytes…
        folded = (folded >> half) ^ (folded & ((1 << half) - 1))
        length = half >> 3
    folded = (folded >> 2048) ^ (folded & _BITS_2048)
    folded = (folded >> 1024) ^ (folded & _BITS_1024)
    folded = (folded >> 512) ^ (folded & _BITS_512)
    folded ^= folded >> 256  # so short by now that leaving the upper half in place is quicker
    folded ^= folded >> 128
    folded = (folded ^ (folded >> 64)) & _BITS_64
    (t0, t1, t2, t3, t4, t5, t6, t7), start = _PLANS[len(data) & 7]
    b0, b1, b2, b3, b4, b5, b6, b7 = folded.to_bytes(8, "little")
    return start ^ t0[b0] ^ t1[b1] ^ t2[b2] ^ t3[b3] ^ t4[b4] ^ t5[b5] ^ t6[b6] ^ t7[b7]


def crc16_modbus(data: bytes) -> int:
    """Return CRC-16/MODBUS; loggers that use it write the low byte first."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ _STEP[(register ^ byte) & 255]
    return register
