"""Bytes to packets."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Decoded

__all__ = ["decode", "decode_batch"]


def decode(frame: bytes, *, strict: bool = False, key: bytes | None = None) -> Decoded:
    """Decode one frame (`##` … CRC, with or without CR LF). Never raises, whatever the bytes are."""
    raise NotImplementedError


def decode_batch(frames: Sequence[bytes], *, strict: bool = False, key: bytes | None = None) -> list[Decoded]:
    """Decode many frames."""
    return [decode(frame, strict=strict, key=key) for frame in frames]
