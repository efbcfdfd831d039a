"""A packet annotated for a human."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Annotation", "explain"]


class Annotation(NamedTuple):
    """One piece of a frame: bytes [start, end), its text, and what it is."""

    start: int
    end: int
    text: str
    label_zh: str
    label_en: str


def explain(frame: bytes) -> list[Annotation]:
    raise NotImplementedError
