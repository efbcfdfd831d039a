"""The check code of HJ 212 (annex A of 2017, A.1 of 2025) and CRC-16/MODBUS, which some loggers send instead.

HJ 212 throws the low byte of the register away at each step: `register' = T[(register >> 8) ^ byte]`. What survives is
one byte of state, and the step on it, `H(s) = T[s] >> 8`, is linear over GF(2). `H` applied eight times is the
identity, so that bytes at a distance of eight act alike: the whole segment may be folded by XOR into its last eight
bytes before the table is looked up eight times. `tests/hj212/test_crc.py` proves both facts and compares with the loop
of the standard.
"""

from __future__ import annotations

__all__ = ["crc16", "crc16_modbus"]


def _shift8(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_STEP = [_shift8(value) for value in range(256)]


def _positions() -> list[list[int]]:
    """Table i: what a byte with i bytes after it (modulo 8) adds to the final register."""
    tables = [_STEP]
    for _ in range(7):
        tables.append([tables[-1][step >> 8] for step in _STEP])
    return tables


_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7 = _TABLES = _positions()
# The start value 0xFFFF acts like 0xFF XORed into the first byte, which stands (length - 1) bytes before the last.
_START = [_TABLES[(length - 1) % 8][0xFF] for length in range(8)]


def crc16(data: bytes) -> int:
    """Return the check code of a data segment (`QN=…` up to and including the last `&&`)."""
    length = len(data)
    if not length:
        return 0xFFFF
    folded = int.from_bytes(data, "big")
    shift = 64
    while shift < length * 4:
        shift *= 2
    while shift >= 64:
        folded ^= folded >> shift
        shift >>= 1
    low = folded & 0xFFFFFFFFFFFFFFFF
    return (
        _START[length & 7]
        ^ _T0[low & 255]
        ^ _T1[low >> 8 & 255]
        ^ _T2[low >> 16 & 255]
        ^ _T3[low >> 24 & 255]
        ^ _T4[low >> 32 & 255]
        ^ _T5[low >> 40 & 255]
        ^ _T6[low >> 48 & 255]
        ^ _T7[low >> 56]
    )


def crc16_modbus(data: bytes) -> int:
    """Return CRC-16/MODBUS; loggers that use it write the low byte first."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ _STEP[(register ^ byte) & 255]
    return register
