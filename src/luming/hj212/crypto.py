"""SM4 of CP (HJ 212-2025 6.4)."""

from __future__ import annotations

__all__ = ["decrypt_cp", "encrypt_cp"]


def encrypt_cp(cp: str, key: bytes, *, printed: bool = True) -> bytes:
    """Encrypt CP text; `printed` writes `{0xE4,…}`, otherwise raw bytes. ValueError if the key has not 16 bytes."""
    raise NotImplementedError


def decrypt_cp(data: bytes, key: bytes) -> str:
    """Decrypt either form. ValueError with the reason if it cannot be."""
    raise NotImplementedError
