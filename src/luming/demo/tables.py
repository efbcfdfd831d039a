"""Measured values in CSV files: the short factor names of the glossary, and the layout of the Beijing PRSA data set.

A file has a column ``time`` and any of the short names, in the units of the glossary: air µg/m³ except CO mg/m³,
water mg/L, flue gas mg/m³, weather m/s, degrees, ℃, %, hPa and mm. An empty cell and ``NA`` mean missing.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

from luming.hj212 import CHINA, FACTORS, by_short

MISSING = frozenset({"", "na", "nan", "null", "none", "-", "--"})
PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
UNITS = {  # of the glossary; everything else has the unit of its medium
    "co": "mg/m³", "ph": "", "temp": "℃", "ec": "µS/cm", "turb": "NTU", "ws": "m/s", "wd": "°", "rh": "%",
    "pres": "hPa", "rain": "mm", "fecal": "个/L",
}  # fmt: skip
MEDIUM_UNITS = {"air": "µg/m³", "weather": "µg/m³", "water": "mg/L", "sewage": "mg/L", "gas": "mg/m³", "noise": "dB"}
# PRSA column -> (short name, factor to the glossary's unit); it gives CO in µg/m³.
PRSA = {
    "PM2.5": ("pm25", "1"), "PM10": ("pm10", "1"), "SO2": ("so2", "1"), "NO2": ("no2", "1"), "CO": ("co", "0.001"),
    "O3": ("o3", "1"), "TEMP": ("temp", "1"), "PRES": ("pres", "1"), "wd": ("wd", "1"), "WSPM": ("ws", "1"),
}  # fmt: skip
_SECTORS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]
DEGREES = {sector: Decimal("22.5") * number for number, sector in enumerate(_SECTORS)}


class TableError(ValueError):
    """The file cannot be replayed; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is sent: its header, the HJ 212 code, the unit in the file, what brings the cell to that unit."""

    header: str
    code: str
    unit: str
    factor: Decimal = Decimal(1)


@dataclass(slots=True)
class Table:
    """The periods of a file: starts (aware) with the values that are there, by code; the columns, sent and not."""

    columns: list[Column]
    ignored: list[str]
    rows: list[tuple[datetime, dict[str, Decimal]]] = field(default_factory=list)

    @property
    def values(self) -> int:
        """Return how many values the file holds."""
        return sum(len(values) for _start, values in self.rows)


def read(
    path: Path,
    medium: str,
    *,
    interval: str = "hour",
    label: str = "start",
    names: Mapping[str, str] | None = None,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Table:
    """Read a file.

    Parameters
    ----------
    medium : of the station: air, water, noise, gas or sewage; ``temp`` means another thing in air and in water.
    label : whether ``time`` is the start or the end of a period; PRSA hours are starts.
    names : header → short name or HJ 212 code, for headers that are neither.
    first, last : only periods that start in [first, last].

    Raises
    ------
    TableError
        With all bad rows: unreadable times or numbers, times that are no start of a period, times given twice.
    OSError
    """
    with _open(path) as file:
        reader = csv.DictReader(file)
        headers = [header.strip() for header in reader.fieldnames or []]
        reader.fieldnames = headers
        is_prsa = {"year", "month", "day", "hour"} <= set(headers)
        if not is_prsa and "time" not in headers:
            found = ", ".join(headers) or "nothing"
            raise TableError([f"{path}: no column “time” among {found} / 缺少 time 列"])
        columns, ignored = _columns(headers, medium, is_prsa, names or {})
        if not columns:
            raise TableError([f"{path}: no column is a factor; name them with --map / 没有可识别的因子列"])
        table = Table(columns, ignored)
        problems: list[str] = []
        seen: set[datetime] = set()
        for line, row in enumerate(reader, 2):
            start = _start(row, is_prsa, interval, label, line, problems)
            if start is not None and ((first and start < first) or (last and start > last)):
                continue
            values = _values(row, columns, line, problems)
            if start is None:
                continue
            if start in seen:
                problems.append(f"line {line}: {start:%F %T} is given twice / 时间重复")
            seen.add(start)
            table.rows.append((start, values))
    if problems:
        raise TableError(problems)
    table.rows.sort(key=lambda row: row[0])
    return table


@contextmanager
def _open(path: Path) -> Iterator[TextIO]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield file  # type: ignore[misc]


def _columns(
    headers: list[str], medium: str, is_prsa: bool, names: Mapping[str, str]
) -> tuple[list[Column], list[str]]:
    columns, ignored = [], []
    for header in headers:
        if header in {"time", "station", "No", "year", "month", "day", "hour"}:
            continue
        short, factor = PRSA.get(header, (header, "1")) if is_prsa else (header, "1")
        short = names.get(header, short)
        code = code_of(short, medium)
        if code is None:
            ignored.append(header)
            continue
        unit = FACTORS[short].unit if short in FACTORS else UNITS.get(short.lower(), MEDIUM_UNITS[medium])
        columns.append(Column(header, code, unit, Decimal(factor)))
    return columns, ignored


def code_of(name: str, medium: str) -> str | None:
    """Return the HJ 212 code of a short name (or of a code itself) at a place of a medium."""
    if name in FACTORS:
        return name
    media = {"air": ("air", "weather"), "sewage": ("water",), "gas": ("gas", "air")}.get(medium, (medium,))
    for one in media:
        try:
            return by_short(name.lower(), one).code
        except KeyError:
            continue
    return None


def _start(
    row: dict[str, str | None], is_prsa: bool, interval: str, label: str, line: int, problems: list[str]
) -> datetime | None:
    """Return the start of a row's period; times without a zone are China Standard Time."""
    try:
        if is_prsa:
            year, month, day, hour = (int(row[name] or "") for name in ("year", "month", "day", "hour"))
            moment = datetime(year, month, day, hour, tzinfo=CHINA)
        else:
            moment = datetime.fromisoformat((row["time"] or "").strip())
            moment = moment.replace(tzinfo=CHINA) if moment.tzinfo is None else moment.astimezone(CHINA)
    except ValueError:
        shown = "-".join(str(row.get(name)) for name in ("year", "month", "day", "hour")) if is_prsa else row["time"]
        problems.append(f"line {line}: “{shown}” is no time; write 2026-11-24 08:00 / 时间无法识别")
        return None
    start = moment - PERIODS[interval] if label == "end" else moment
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if (start - midnight) % PERIODS[interval]:
        problems.append(f"line {line}: {moment:%F %T} is no full {interval} / 时间不是整{interval}")
        return None
    return start


def _values(row: dict[str, str | None], columns: list[Column], line: int, problems: list[str]) -> dict[str, Decimal]:
    values = {}
    for column in columns:
        text = (row[column.header] or "").strip()
        if text.lower() in MISSING:
            continue
        try:
            value = DEGREES.get(text) if column.code == "a01008" else None
            value = Decimal(text) if value is None else value
            if not value.is_finite():
                raise InvalidOperation
        except InvalidOperation:
            problems.append(
                f"line {line}, {column.header}: “{text}” is no number; leave missing cells empty / 不是数字"
            )
            continue
        values[column.code] = value * column.factor
    return values
