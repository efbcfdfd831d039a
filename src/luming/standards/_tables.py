"""Read the packaged tables of the law (``tables/*.csv`` and ``tables/*.toml``)."""

from __future__ import annotations

import csv
import io
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def _text(name: str) -> str:
    return (files("luming.standards") / "tables" / name).read_text(encoding="utf-8")


@cache
def read_csv(name: str) -> tuple[dict[str, str], ...]:
    """Rows of ``tables/<name>`` as text, keyed by the header. Every table has ``edition``, ``source``, ``verified``."""
    return tuple(csv.DictReader(io.StringIO(_text(name))))


@cache
def read_toml(name: str) -> dict[str, Any]:
    """``tables/<name>`` as nested dictionaries."""
    return tomllib.loads(_text(name))


def is_true(cell: str) -> bool:
    """Read a ``verified`` cell; anything but ``true``/``false`` is a mistake in the table."""
    return {"true": True, "false": False}[cell]
