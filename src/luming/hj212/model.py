"""The typed, immutable results of the library: what a packet holds and what is said about it.

They are named tuples because a gateway makes tens of thousands of them per second, and a tuple is the lightest
immutable record that Python has.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from types import MappingProxyType
from typing import Literal, NamedTuple

from .diagnostics import Diagnostic

__all__ = ["CHINA", "NO_TEXT", "Decoded", "Edition", "Frame", "Packet", "Reading", "Verdict"]

CHINA = timezone(timedelta(hours=8))
NO_TEXT: Mapping[str, str] = MappingProxyType({})

Verdict = Literal["accepted", "rejected"]


class Edition(IntEnum):
    """The edition of the standard; the number is the version in the upper six bits of Flag (HJ 212-2017 table 3)."""

    V2005 = 0
    V2017 = 1
    V2025 = 2

    @property
    def standard(self) -> str:
        return ("HJ/T 212-2005", "HJ 212-2017", "HJ 212-2025")[self]


class Reading(NamedTuple):
    """All values that one packet carries for one factor, device or state code (HJ 212-2017 table 4).

    Values are as sent, in the unit that the site has configured. `code` is as sent, including its case.
    """

    code: str
    rtd: float | None = None
    minimum: float | None = None
    average: float | None = None
    maximum: float | None = None
    zs_rtd: float | None = None
    zs_minimum: float | None = None
    zs_average: float | None = None
    zs_maximum: float | None = None
    total: float | None = None  # Cou: amount in the period
    data: float | None = None  # noise: Data, DayData, NightData
    day_data: float | None = None
    night_data: float | None = None
    flag: str | None = None
    eflag: str | None = None
    sample_time: datetime | None = None
    info: str | None = None
    sn: str | None = None
    state: int | None = None  # RS
    hours: float | None = None  # RT
    extra: Mapping[str, str] = NO_TEXT  # suffix as sent -> text: ValidNum, StandardValue, and what could not be read


class Packet(NamedTuple):
    """One packet. `raw` is the frame from `##` to the CRC without CR LF."""

    raw: bytes
    qn: str | None
    st: str
    cn: int
    pw: str
    mn: str
    flag: int | None
    edition: Edition
    pnum: int | None
    pno: int | None
    backfilled: bool  # RF=1 (HJ 212-2025)
    cp: str  # the text between the two && (decrypted if a key was given)
    data_time: datetime | None  # aware, China Standard Time
    readings: tuple[Reading, ...]
    parameters: Mapping[str, str]  # all other pairs of CP: SystemTime, QnRtn, RtdInterval, BeginTime…

    @property
    def needs_reply(self) -> bool:
        """Bit 0 of Flag."""
        return self.flag is not None and bool(self.flag & 1)

    @property
    def is_split(self) -> bool:
        """True if this is one of several packets that belong together (PNUM > 1)."""
        return self.pnum is not None and self.pnum > 1

    @property
    def qn_time(self) -> datetime | None:
        """The instant in QN (milliseconds kept), or None if QN is absent or is no time."""
        from .times import parse_time  # here, because times and codes are made of the types of this module

        return parse_time(self.qn)[0] if self.qn else None

    @property
    def system_name(self) -> str:
        """Chinese name of ST, or an empty text."""
        from .codes import SYSTEMS

        system = SYSTEMS.get(self.st)
        return system.name_zh if system else ""

    @property
    def command_name(self) -> str:
        """Chinese name of CN, or an empty text."""
        from .codes import COMMANDS

        command = COMMANDS.get(self.cn)
        return command.name_zh if command else ""


class Decoded(NamedTuple):
    """The verdict on one frame. A rejected frame has a `reason` and may still have a packet (for the log)."""

    packet: Packet | None
    diagnostics: tuple[Diagnostic, ...]
    verdict: Verdict
    reason: str | None

    @property
    def accepted(self) -> bool:
        return self.verdict == "accepted"

    @property
    def deviates(self) -> bool:
        """True if anything departs from the standard (information alone is not a deviation)."""
        return any(diagnostic.severity != "info" for diagnostic in self.diagnostics)


class Frame(NamedTuple):
    """A piece of the byte stream: a packet to decode, or garbage with the reason why it is none."""

    data: bytes
    kind: Literal["packet", "garbage"]
    reason: str | None = None
