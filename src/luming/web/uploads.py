"""Files that were checked and wait to be imported: each belongs to its user and goes after a day."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from django.utils.translation import gettext as _

from luming.core import installation
from luming.core.models import User

MAX_BYTES = 20 * 2**20
SUFFIXES = (".xlsx", ".xls", ".csv")
KEPT_SECONDS = 24 * 3600


def refusal(filename: str, size: int) -> str:
    """Return why a file is not even looked at; nothing when it is."""
    if not filename.lower().endswith(SUFFIXES):
        return _("Only Excel workbooks (.xlsx, .xls) and CSV files can be imported.")
    if size > MAX_BYTES:
        return _("The file is larger than 20 MB: split it.")
    return ""


def _folder() -> Path:
    path = installation.data_dir() / "uploads"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def keep(user: User, filename: str, content: bytes) -> str:
    """Keep a checked file for its user and return its token; files that nobody came back for go."""
    for old in _folder().iterdir():
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    suffix = Path(filename).suffix.lower()
    token = hashlib.sha256(content).hexdigest() + suffix
    (_folder() / f"{user.pk}-{token}").write_bytes(content)
    return f"{token}/{filename}"


def kept(user: User, token: str) -> tuple[Path, str] | None:
    """Return the user's checked file and its name; None when it is not there (any more)."""
    name, _slash, filename = token.partition("/")
    digest, _dot, suffix = name.partition(".")
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef") or f".{suffix}" not in SUFFIXES:
        return None
    path = _folder() / f"{user.pk}-{name}"
    return (path, filename) if path.exists() else None
