"""A byte stream to frames."""

from __future__ import annotations

from .model import Frame

__all__ = ["Framer"]


class Framer:
    """Cut a stream into frames; `feed` whatever was read, `flush` at close. Memory is bounded by `max_buffer`."""

    def __init__(self, max_segment: int = 8192, max_buffer: int = 65536) -> None:
        self.max_segment = max_segment
        self.max_buffer = max_buffer

    @property
    def pending(self) -> int:
        """Bytes held back because their frame is not complete."""
        raise NotImplementedError

    def feed(self, data: bytes) -> list[Frame]:
        raise NotImplementedError

    def flush(self) -> list[Frame]:
        raise NotImplementedError
