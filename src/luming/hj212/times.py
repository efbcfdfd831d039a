"""Times of HJ 212: `YYYYMMDDhhmmss` and, in QN, three more digits for milliseconds; China Standard Time."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from .model import CHINA

__all__ = ["format_qn", "format_time", "parse_time"]

_DIGITS = re.compile(r"[0-9]{14}(?:[0-9]{3})?\Z")


@lru_cache(maxsize=4096)
def parse_time(text: str) -> tuple[datetime | None, bool]:
    """Read a time of 14 or 17 digits.

    Returns the aware instant (None if the text is no time) and whether it has the 14 digits of the standard.
    """
    if not _DIGITS.match(text):
        return None, False
    try:
        whole = datetime.fromisoformat(f"{text[:8]}T{text[8:14]}")
    except ValueError:
        return None, False
    microsecond = int(text[14:]) * 1000 if len(text) == 17 else 0
    return whole.replace(microsecond=microsecond, tzinfo=CHINA), len(text) == 14


def format_time(moment: datetime) -> str:
    """Write an aware instant as 14 digits in China Standard Time."""
    return moment.astimezone(CHINA).strftime("%Y%m%d%H%M%S")


def format_qn(moment: datetime) -> str:
    """Write an aware instant as the 17 digits of a QN."""
    local = moment.astimezone(CHINA)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
