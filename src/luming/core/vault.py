"""Secrets at rest: small values sealed with a key derived from the installation's own secret.

A copy of the database alone gives nothing away; whoever moves an installation moves ``secrets.json`` (or sets
``LUMING_VAULT``) with it.
"""

from __future__ import annotations

import base64
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from luming.core import installation


class VaultError(ValueError):
    """A sealed value cannot be opened with this installation's key."""


@cache
def _fernet(master: str) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"luming vault 1").derive(master.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def seal(value: bytes) -> str:
    """Return ``value`` encrypted and authenticated, as text for a database column (16 bytes become 100 characters)."""
    return _fernet(installation.secret("vault")).encrypt(value).decode()


def unseal(sealed: str) -> bytes:
    """Return what :func:`seal` was given.

    Raises
    ------
    VaultError
        The value was sealed by another installation, or was altered.
    """
    try:
        return _fernet(installation.secret("vault")).decrypt(sealed.encode())
    except InvalidToken as error:
        raise VaultError(
            "this value was sealed with another key: bring secrets.json of the installation that wrote it, or enter "
            "the value again / 密钥不符：请恢复原 secrets.json 或重新录入"
        ) from error
