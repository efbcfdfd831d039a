"""Marks: what dischargers state of their own periods (自动监测设备标记).

``spans``, ``effects``, ``letters`` and ``stopped_hours`` are what checks, judgements and statistics read; they are
found on first use, because models cannot be loaded while the applications are.
"""

from __future__ import annotations

from typing import Any

__all__ = ["effects", "letters", "spans", "stopped_hours"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from luming.telemetry.marks import reading

        return getattr(reading, name)
    raise AttributeError(name)
