"""System, command, mark and result codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .model import Edition

__all__ = ["COMMANDS", "DEVICE_STATES", "EXE_RESULTS", "FLAGS", "QN_RESULTS", "SYSTEMS", "Command", "Mark", "System"]


class System(NamedTuple):
    code: str
    name_zh: str
    name_en: str
    editions: tuple[Edition, ...]
    source: str
    verified: bool


class Command(NamedTuple):
    code: int
    name_zh: str
    name_en: str
    direction: str  # 'down' (host to device), 'up', 'both'
    type: str  # 'request', 'upload', 'notice', 'reply'
    editions: tuple[Edition, ...]
    source: str
    verified: bool


class Mark(NamedTuple):
    code: str
    name_zh: str
    name_en: str
    source: str
    verified: bool


SYSTEMS: Mapping[str, System] = {}
COMMANDS: Mapping[int, Command] = {}
FLAGS: Mapping[str, Mark] = {}
DEVICE_STATES: Mapping[int, tuple[str, str]] = {}
QN_RESULTS: Mapping[int, tuple[str, str]] = {}
EXE_RESULTS: Mapping[int, tuple[str, str]] = {}
