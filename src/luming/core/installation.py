"""Where this installation keeps its data and secrets, and how it reaches its database.

Everything an installation owns lives in one folder (``LUMING_DATA``; in a checkout ``.data``). Secrets are made once,
at random, and stay in ``secrets.json`` readable by the owner only; environment variables win over the file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

CHECKOUT = Path(__file__).resolve().parents[3]


def data_dir() -> Path:
    """Return the data folder of this installation; it is created when missing."""
    if configured := os.environ.get("LUMING_DATA"):
        path = Path(configured).expanduser().resolve()
    elif (CHECKOUT / "pyproject.toml").exists():
        path = CHECKOUT / ".data"
    else:
        path = Path.home() / ".local" / "share" / "luming"
    path.mkdir(parents=True, exist_ok=True)
    return path


def secret(name: str, length: int = 32) -> str:
    """Return the named secret, made at random on first use.

    ``LUMING_<NAME>`` in the environment wins over the file.
    """
    if value := os.environ.get(f"LUMING_{name.upper()}"):
        return value
    path = data_dir() / "secrets.json"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # two processes of a first start must not make two keys
        text = file.read()
        values: dict[str, str] = json.loads(text) if text else {}
        if name not in values:
            values[name] = secrets.token_urlsafe(length)
            file.seek(0)
            file.truncate()
            json.dump(values, file, indent=1)
        return values[name]


# Variables that the environment got from settings.json, not from the one who started the process.
_from_file: set[str] = set()


def configured() -> dict[str, str]:
    """Return the settings that pages have written (``settings.json``): variable -> value."""
    try:
        values = json.loads((data_dir() / "settings.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(name): str(value) for name, value in values.items()}


def configure(**values: str) -> None:
    """Write settings into ``settings.json``; the environment still wins over it."""
    path = data_dir() / "settings.json"
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        found: dict[str, str] = json.loads(text) if text else {}
        found.update(values)
        file.seek(0)
        file.truncate()
        json.dump(found, file, indent=1, ensure_ascii=False)


def use_configuration() -> None:
    """Give this process the settings of ``settings.json`` where the environment says nothing."""
    for name, value in configured().items():
        if name not in os.environ:
            os.environ[name] = value
            _from_file.add(name)


def setting(name: str) -> str:
    """Return a setting as it is now: the environment's, else that of ``settings.json``, maybe written since."""
    if name in os.environ and name not in _from_file:
        return os.environ[name]
    return configured().get(name, "")


def socket_dir() -> Path:
    """Return the folder of the embedded database's socket (a socket's path may have at most 107 bytes)."""
    path = data_dir() / "run"
    if len(os.fsencode(path)) > 80:
        path = (
            Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp"))
            / f"luming-{hashlib.sha256(str(data_dir()).encode()).hexdigest()[:12]}"
        )
    return path


def has_own_database() -> bool:
    """Tell whether this installation runs its embedded PostgreSQL (no ``DATABASE_URL`` is given)."""
    return not os.environ.get("DATABASE_URL")


def database_url() -> str:
    """Return the database address of the owner role (migrations); serving processes switch to a lesser role."""
    if url := os.environ.get("DATABASE_URL"):
        return url
    password = quote(secret("database_password"), safe="")
    return f"postgresql://luming:{password}@/luming?host={quote(str(socket_dir()), safe='/')}"


def database_parameters(url: str) -> dict[str, Any]:
    """Split a ``postgresql://`` address into Django's parameters.

    Raises
    ------
    ValueError
        The address is not a PostgreSQL one; Luming runs on nothing else.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            f"DATABASE_URL must start with postgresql://, not {parts.scheme}:// / 数据库地址必须是 PostgreSQL"
        )
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    return {
        "NAME": unquote(parts.path.lstrip("/")) or "luming",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": query.pop("port", "") or (str(parts.port) if parts.port else ""),
        "OPTIONS": query,
    }
