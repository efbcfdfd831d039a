"""Cells that are not plain numbers or plain times: missing marks, results below detection, habits of writing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TypeAlias

from luming.standards.edition import CITY_ZONE

Reading: TypeAlias = float | str | None
"""A cell read: a number, ``None`` for missing, or a sentence saying what is wrong."""
LocalTime: TypeAlias = datetime | str
"""A time cell read: city-local time without zone, or a sentence saying what is wrong."""

MISSING_MARKS = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "--", "—", "——", "/", "缺测", "无"})

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SEPARATED_TIME = re.compile(
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?"
    r"(?:[T ]*(?P<hour>\d{1,2})(?:[:时](?P<minute>\d{1,2})?分?(?::(?P<second>\d{1,2})(?:\.\d+)?)?)?)?"
    r"\s*(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_COMPACT_TIME = re.compile(
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?P<hour>\d{2})?(?P<minute>\d{2})?(?P<second>\d{2})?(?P<zone>(?!))?"
)
_BAD_TIME = "不是时间，应如 2026-03-01 08:00 / not a time, write it like 2026-03-01 08:00"
_BAD_NUMBER = "不是数字 / not a number"


def concentration(text: str) -> Reading:
    """Read a cell: a number with spaces around it, a missing mark, or wrong.

    >>> concentration(" 12 "), concentration("NA"), concentration("12a")
    (12.0, None, '不是数字 / not a number')
    """
    cell = text.strip()
    if cell.lower() in MISSING_MARKS:
        return None
    return float(cell) if _NUMBER.fullmatch(cell) else _BAD_NUMBER


def water_value(text: str) -> Reading:
    """Read a cell of a water sample: also ``0.01L`` and ``<0.01``, below the detection limit, which give half of it.

    >>> water_value("0.01L"), water_value("< 0.01"), water_value("未检出"), water_value("/"), water_value("NULL")
    (0.005, 0.005, 0.0, None, None)
    """
    cell = text.strip()
    if cell.lower() in MISSING_MARKS:  # before the L of NULL is taken for "below detection"
        return None
    if cell in ("未检出", "ND", "nd"):
        return 0.0
    bounded = re.fullmatch(r"[<＜]\s*(.+)|(.+?)\s*[Ll]", cell)
    if bounded:
        detection = concentration(bounded[1] or bounded[2])
        return detection / 2 if isinstance(detection, float) and detection >= 0 else _BAD_NUMBER
    return concentration(text)


def local_time(text: str) -> LocalTime:
    """Read a time as city-local; a zone is converted, ``24:00`` is midnight of the next day.

    >>> local_time("2026-02-28 24:00").isoformat(), local_time("2026-02-28T16:00Z").isoformat()
    ('2026-03-01T00:00:00', '2026-03-01T00:00:00')
    """
    cell = text.strip()
    match = _SEPARATED_TIME.fullmatch(cell) or _COMPACT_TIME.fullmatch(cell)
    if match is None:
        return _BAD_TIME
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    next_day = hour == 24 and minute == second == 0
    try:
        moment = datetime(
            int(match["year"]), int(match["month"]), int(match["day"]), 0 if next_day else hour, minute, second
        )
    except ValueError:
        return _BAD_TIME
    moment += timedelta(days=next_day)
    if match["zone"]:
        moment = (
            datetime.fromisoformat(f"{moment.isoformat()}{match['zone']}").astimezone(CITY_ZONE).replace(tzinfo=None)
        )
    return moment
