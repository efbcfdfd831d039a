"""The one-time token of the first-run wizard.

While no administrator exists, whoever holds the token may set the installation up. It lies in the data folder and is
printed on the console, never on a page; it is void as soon as the administrators are made.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from luming.core import installation
from luming.core.models import User
from luming.core.roles import ADMINISTRATORS


def is_open() -> bool:
    """Tell whether no administrator exists yet."""
    return not User.objects.filter(role__in=ADMINISTRATORS).exists()


def path() -> Path:
    """Return the file of the token."""
    return installation.data_dir() / "setup-token"


def current() -> str:
    """Return the token; it is made at random when there is none."""
    try:
        file = os.fdopen(os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except FileExistsError:
        return path().read_text(encoding="utf-8").strip()
    with file:
        token = "-".join(secrets.token_hex(2) for _ in range(6))  # 96 bits
        file.write(token + "\n")
    return token


def is_right(given: str) -> bool:
    """Compare what somebody typed with the token, in constant time."""
    return path().exists() and hmac.compare_digest(given.strip().lower().encode(), current().encode())


def mark() -> str:
    """Return what a session keeps of the token: it no longer fits once the token is another one."""
    return hashlib.sha256(current().encode()).hexdigest() if path().exists() else ""


def remove() -> None:
    """Make the token void."""
    path().unlink(missing_ok=True)
