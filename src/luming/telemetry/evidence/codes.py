"""Codes of evidence sheets: 100 random bits in Crockford's base32, which has no I, L, O and U to be mistaken."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
_MISREAD = str.maketrans("OIL", "011")


def make() -> str:
    """Return a new code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def read(text: str) -> str:
    """Return a code as it is stored from what a person typed; empty when it cannot be one.

    >>> read("o0l1i-abcde 23456-fghjk")
    '00111ABCDE23456FGHJK'
    """
    code = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
    return code if len(code) == LENGTH and all(letter in ALPHABET for letter in code) else ""
