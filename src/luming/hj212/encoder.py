"""Packets to bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from .model import Edition, Reading

__all__ = ["encode", "encode_packets", "encode_parameters", "encode_readings", "make_flag"]


def make_flag(edition: Edition, *, reply: bool = False, split: bool = False) -> int:
    """Flag: version in the upper six bits, bit 1 for PNUM/PNO, bit 0 for a wanted reply."""
    return int(edition) << 2 | int(split) << 1 | int(reply)


def encode(
    *,
    cn: int,
    st: str,
    mn: str,
    pw: str = "123456",
    qn: str | None = None,
    flag: int | None = None,
    cp: str = "",
    pnum: int | None = None,
    pno: int | None = None,
    rf: bool = False,
    edition: Edition = Edition.V2017,
    key: bytes | None = None,
) -> bytes:
    """One frame with CR LF. `flag` None: made from `edition` and `pnum`, no reply wanted (2005: Flag left out)."""
    raise NotImplementedError


def encode_packets(
    *,
    cn: int,
    st: str,
    mn: str,
    pw: str = "123456",
    qn: str | None = None,
    reply: bool = False,
    cp: str = "",
    rf: bool = False,
    edition: Edition = Edition.V2017,
    key: bytes | None = None,
) -> list[bytes]:
    """As many frames as needed: CP text of more than 950 characters is split at `;` into PNUM/PNO packets."""
    raise NotImplementedError


def encode_readings(
    data_time: datetime,
    readings: Iterable[Reading],
    parameters: Mapping[str, str] | None = None,
    *,
    decimals: Mapping[str, int] | None = None,
) -> str:
    """CP text: `DataTime=…;code-Min=…,code-Avg=…`. `decimals`: code -> digits after the point (else shortest)."""
    raise NotImplementedError


def encode_parameters(parameters: Mapping[str, str | int | float]) -> str:
    """CP text of plain pairs: `BeginTime=…;EndTime=…`."""
    return ";".join(f"{name}={value}" for name, value in parameters.items())
