"""SM4 of CP (HJ 212-2025 6.4.2 and A.2): ECB, no padding.

Only whole blocks of 16 bytes are encrypted; the tail of less than 16 bytes stays readable. Length and check code of the
packet are those of the readable text. The examples of the standard print the cipher text as `{0xE4,0x3E,…}`; whether
the wire carries that text or the raw bytes is not certain, so both are read and written.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["decrypt_cp", "encrypt_cp", "looks_printed"]

_BLOCK = 16
_PRINTED = re.compile(rb"\{[ ]*(0[xX][0-9A-Fa-f]{2}(?:[ ]*,[ ]*0[xX][0-9A-Fa-f]{2})*)[ ]*\}")


@lru_cache(maxsize=1024)
def _cipher(key: bytes) -> Cipher[modes.ECB]:
    if len(key) != _BLOCK:
        raise ValueError(f"密钥应为16字节，实为{len(key)}字节 / an SM4 key has 16 bytes, not {len(key)}")
    return Cipher(algorithms.SM4(key), modes.ECB())  # ECB is what the standard prescribes


def looks_printed(data: bytes) -> bool:
    """True if CP begins with cipher text in the printed form."""
    return _PRINTED.match(data) is not None


def encrypt_cp(cp: str, key: bytes, *, printed: bool = True) -> bytes:
    """Encrypt CP text; `printed` writes `{0xE4,…}`, otherwise raw bytes. ValueError if the key has not 16 bytes."""
    plain = cp.encode("utf-8")
    cut = len(plain) // _BLOCK * _BLOCK
    encryptor = _cipher(key).encryptor()
    secret = encryptor.update(plain[:cut]) + encryptor.finalize()
    if printed and secret:
        secret = b"{" + ",".join(f"0x{byte:02X}" for byte in secret).encode() + b"}"
    return secret + plain[cut:]


def decrypt_cp(data: bytes, key: bytes) -> bytes:
    """Decrypt either form to the bytes of the text. ValueError if the key or the printed form is wrong."""
    printed = _PRINTED.match(data)
    if printed:
        secret = bytes(int(item, 16) for item in printed[1].split(b","))
        tail = data[printed.end() :]
        if len(secret) % _BLOCK:
            raise ValueError(f"密文{len(secret)}字节，不是16的倍数 / {len(secret)} bytes are no whole blocks")
    else:
        cut = len(data) // _BLOCK * _BLOCK
        secret, tail = data[:cut], data[cut:]
    decryptor = _cipher(key).decryptor()
    return decryptor.update(secret) + decryptor.finalize() + tail
