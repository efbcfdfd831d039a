"""Windows for the checks from a table and a configuration file, for ``luming qc run``."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from luming.registry.geodesy import inverse
from luming.science.qc import catalogue as qc
from luming.science.qc import factors as known
from luming.science.qc.model import Neighbour, Span, Window
from luming.standards._cells import concentration, water_value
from luming.standards._files import FileError, Table

SUFFIXES = ("min", "max", "flag", "converted", "amount")
_CITY = np.timedelta64(8, "h")  # file times are the city's, windows are UTC
_KEYS = {
    "medium",
    "interval",
    "reference_oxygen",
    "checks",
    "skip",
    "range",
    "limit",
    "columns",
    "stations",
    "spans",
    "about",
}
_MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "--", "/"}


@dataclass
class Configuration:
    """What a TOML file says of the data and of the checks."""

    medium: str = ""
    interval: float = math.nan
    reference_oxygen: float = math.nan
    checks: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    range: dict[str, tuple[float, float]] = field(default_factory=dict)
    limit: dict[str, float] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    stations: dict[str, dict[str, float]] = field(default_factory=dict)
    spans: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)  # remarks, which nobody reads
    settings: dict[str, Any] = field(default_factory=dict)

    def codes(self) -> list[str] | None:
        """Return the codes to run, None for all."""
        if not (self.checks or self.skip):
            return None
        return [code for code in self.checks or qc.catalogue() if code not in self.skip]


@dataclass(frozen=True)
class Station:
    """The rows of one station: its window, where its rows stand in the file, and their times as the file wrote them."""

    name: str
    window: Window
    rows: np.ndarray
    labels: pl.Series


def read_configuration(path: str | None) -> Configuration:
    """Read a TOML file; every unknown key, code, parameter and number out of bounds is reported together."""
    if path is None:
        return Configuration()
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileError(f"读不了配置 {path} / cannot read {path}: {error}") from None
    settings = {key: value for key, value in content.items() if key not in _KEYS}
    faults = [f"{key} 应是表 / must be a table" for key, value in settings.items() if not isinstance(value, dict)]
    faults += _faults(content)
    try:
        qc.refuse_bad_settings({key: value for key, value in settings.items() if isinstance(value, dict)})
    except qc.SettingsError as error:
        faults += str(error).splitlines()
    if faults:
        raise FileError(f"配置 {path} 有误 / faults in {path}:\n" + "\n".join(faults))
    plain = {key: value for key, value in content.items() if key in _KEYS}
    plain["range"] = {factor: (float(low), float(high)) for factor, (low, high) in content.get("range", {}).items()}
    return Configuration(**plain, settings=settings)


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    if content.get("medium", "air") not in known.MEDIA:
        yield f"medium = {content['medium']!r}：应为 / must be one of {', '.join(known.MEDIA)}"
    for key in ("interval", "reference_oxygen"):
        if not _is_number(content.get(key, 1)):
            yield f"{key} = {content[key]!r} 不是数 / is not a number"
    if _is_number(content.get("interval", 1)) and content.get("interval", 1) <= 0:
        yield "interval 必须大于 0 / must be above 0"
    for key in ("range", "limit", "columns", "stations"):
        if not isinstance(content.get(key, {}), dict):
            yield f"{key} 应是表 / must be a table"
            return
    for factor, bounds in content.get("range", {}).items():
        if not (
            isinstance(bounds, list) and len(bounds) == 2 and all(map(_is_number, bounds)) and bounds[0] < bounds[1]
        ):
            yield f"range.{factor} = {bounds!r}：应为 [下限, 上限] / must be [low, high]"
    for factor, limit in content.get("limit", {}).items():
        if not _is_number(limit):
            yield f"limit.{factor} = {limit!r} 不是数 / is not a number"
    for name, place in content.get("stations", {}).items():
        if not (isinstance(place, dict) and all(_is_number(place.get(key)) for key in ("longitude", "latitude"))):
            yield f"stations.{name}：应有 longitude、latitude / needs longitude and latitude"
    for code in [*content.get("checks", []), *content.get("skip", [])]:
        if code not in qc.catalogue():
            yield f"没有检查 {code} / there is no check {code}"
    for number, span in enumerate(content.get("spans", []), 1):
        if not (isinstance(span, dict) and {"kind", "start", "end"} <= span.keys()):
            yield f"spans 第 {number} 项应有 kind、start、end / needs kind, start and end"
        elif not all(isinstance(span[key], date) for key in ("start", "end")):
            yield f"spans 第 {number} 项的 start、end 应是时间 / start and end must be times"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_stations(
    table: Table, configuration: Configuration, medium: str | None, only: Sequence[str] | None
) -> list[Station]:
    """Return the stations of a table; bad cells go to ``table.problems``.

    Raises
    ------
    FileError
        There is no column ``time``, no factor, or a wanted factor is absent.
    """
    columns = _columns(table, configuration)
    if "time" not in columns:
        raise FileError(f"缺少列 time；文件里有 / missing column time; the file has: {', '.join(table.frame.columns)}")
    factors = _factor_columns(table, columns, only)
    medium = medium or configuration.medium or guess_medium(factors)
    read = water_value if medium in ("water", "sewage") else concentration
    times = _times(table, columns["time"])
    figures = _figures(table, columns, factors, read)
    names = _texts(table, columns.get("station"))
    received = _optional_times(table, columns.get("received"))
    stopped = _stopped(table, columns.get("stopped"))
    whole = ~np.isnat(times)  # a row without a time belongs nowhere; with --skip-bad it is left out
    stations = []
    for name in dict.fromkeys(names.tolist()):
        rows = np.nonzero((names == name) & whole)[0]
        if not len(rows):
            continue
        window = Window(
            time=times[rows],
            values={factor: values[rows] for factor, values in figures["values"].items()},
            interval=configuration.interval if configuration.interval > 0 else usual_step(times[rows]),
            medium=medium,
            station=name,
            minimum=_cut(figures["min"], rows),
            maximum=_cut(figures["max"], rows),
            converted=_cut(figures["converted"], rows),
            amount=_cut(figures["amount"], rows),
            flags={factor: _texts(table, columns[f"{factor}_flag"])[rows] for factor in figures["flag"]},
            received=None if received is None else received[rows],
            range=configuration.range,
            limit=configuration.limit,
            reference_oxygen=configuration.reference_oxygen,
            stopped=None if stopped is None else stopped[rows],
            spans=_spans(configuration, name),
            now=np.datetime64("now", "s"),
        )
        stations.append(Station(name, window, rows, table.frame[columns["time"]].gather(rows)))
    return _with_neighbours(stations, configuration)


def guess_medium(factors: Sequence[str]) -> str:
    """Return the medium whose table knows most of the factors, the first of them where several know as many."""
    scores = {
        medium: sum((medium, factor) in known.table() for factor in factors)
        for medium in ("air", "water", "gas", "sewage", "noise")
    }
    return max(scores, key=lambda medium: scores[medium])


def usual_step(times: np.ndarray) -> float:
    """Return the most frequent positive step between the times, s; an hour where there is none."""
    step = np.diff(np.unique(times)).astype("timedelta64[s]").astype(np.int64)
    if not len(step):
        return 3600.0
    lengths, counts = np.unique(step, return_counts=True)
    return float(lengths[np.argmax(counts)])


def _columns(table: Table, configuration: Configuration) -> dict[str, str]:
    """Return short name → column of the file, after the renaming of the configuration and the usual spellings."""
    renamed = {old.strip().lower(): new for old, new in configuration.columns.items()}
    found: dict[str, str] = {}
    for column in table.frame.columns:
        name = column.strip().lower()
        base, _, suffix = name.rpartition("_")
        name = renamed.get(name) or known.ALIASES.get(name) or name
        if suffix in SUFFIXES and base:
            name = f"{renamed.get(base) or known.ALIASES.get(base) or base}_{suffix}"
        if name in found:
            raise FileError(f"两列都是 {name} / two columns mean {name}: {found[name]}, {column}")
        found[name] = column
    return found


def _factor_columns(table: Table, columns: Mapping[str, str], only: Sequence[str] | None) -> list[str]:
    """Return the names of the factors; a column of other text is left out and told of."""
    if only is not None:
        if absent := [name for name in only if name not in columns]:
            raise FileError(f"文件里没有列 / the file has no column {', '.join(absent)}")
        return list(only)
    names = [name for name in columns if name not in ("time", "station", "received", "stopped")]
    names = [
        name
        for name in names
        if not (name.rpartition("_")[2] in SUFFIXES and name.rpartition("_")[0] in columns)
        and _holds_numbers(table.frame[columns[name]])
    ]
    if not names:
        raise FileError("文件里没有因子列 / the file has no column of a factor")
    return names


def _holds_numbers(series: pl.Series) -> bool:
    if series.dtype != pl.String:
        return series.dtype.is_numeric() or series.dtype == pl.Null
    filled = series.drop_nulls().str.strip_chars()
    filled = filled.filter(~filled.str.to_lowercase().is_in(list(_MISSING)))
    return not len(filled) or filled.cast(pl.Float64, strict=False).is_not_null().any()


def _figures(
    table: Table, columns: Mapping[str, str], factors: Sequence[str], read: Any
) -> dict[str, dict[str, np.ndarray]]:
    """Return the numbers by kind of figure (values, min, max …) and factor; of flags only the names."""
    found: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in ("values", *SUFFIXES)}
    found["flag"] = {factor: np.empty(0) for factor in factors if f"{factor}_flag" in columns}
    for factor in factors:
        found["values"][factor] = _numbers(table, columns[factor], read)
        for suffix in ("min", "max", "converted", "amount"):
            if f"{factor}_{suffix}" in columns:
                found[suffix][factor] = _numbers(table, columns[f"{factor}_{suffix}"], read)
    return found


def _numbers(table: Table, column: str, read: Any) -> np.ndarray:
    name = next(short for short, other in table._by_short_name.items() if other == column)
    return table.numbers([name], read, lowest=-math.inf)[name]


def _times(table: Table, column: str) -> np.ndarray:
    name = next(short for short, other in table._by_short_name.items() if other == column)
    return table.times(name).astype("datetime64[s]") - _CITY


def _optional_times(table: Table, column: str | None) -> np.ndarray | None:
    if column is None:
        return None
    before = len(table.problems)
    times = _times(table, column)
    table.problems[before:] = [problem for problem in table.problems[before:] if problem.cell != ""]
    return times


def _texts(table: Table, column: str | None) -> np.ndarray:
    if column is None:
        return np.full(table.frame.height, "", dtype=np.str_)
    return np.array(table.frame[column].cast(pl.String).fill_null("").str.strip_chars().to_list(), dtype=np.str_)


def _stopped(table: Table, column: str | None) -> np.ndarray | None:
    return None if column is None else np.isin(np.char.lower(_texts(table, column)), ("1", "true", "yes", "是", "停产"))


def _cut(columns: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    return {factor: values[rows] for factor, values in columns.items()}


def _spans(configuration: Configuration, station: str) -> list[Span]:
    return [
        Span(
            span["kind"],
            _instant(span["start"]),
            _instant(span["end"]),
            {key: value for key, value in span.items() if key not in ("kind", "start", "end", "station")},
        )
        for span in configuration.spans
        if span.get("station", station) == station
    ]


def _instant(moment: date) -> np.datetime64:
    """Return the UTC instant of a TOML date or time; without a zone it is the city's."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return np.datetime64(round(moment.timestamp()), "s")
    return np.datetime64(moment.isoformat(), "s") - _CITY


def _with_neighbours(stations: list[Station], configuration: Configuration) -> list[Station]:
    """Give each station of ambient air the others as neighbours, on its own times."""
    if len(stations) < 2 or stations[0].window.medium != "air":
        return stations
    return [
        Station(
            station.name,
            _joined(station, [other for other in stations if other is not station], configuration),
            station.rows,
            station.labels,
        )
        for station in stations
    ]


def _joined(station: Station, others: Sequence[Station], configuration: Configuration) -> Window:
    neighbours: dict[str, list[Neighbour]] = {factor: [] for factor in station.window.values}
    here = configuration.stations.get(station.name)
    for other in others:
        times, first = np.unique(other.window.time, return_index=True)
        place = np.minimum(np.searchsorted(times, station.window.time), len(times) - 1)
        same = times[place] == station.window.time
        there = configuration.stations.get(other.name)
        apart, direction = math.nan, math.nan
        if here and there:
            metres, direction = inverse(_point(here), _point(there))
            apart = metres / 1000
        for factor in neighbours:
            values = np.where(same, other.window.values[factor][first][place], np.nan)
            neighbours[factor].append(Neighbour(other.name, values, apart, direction))
    return replace(station.window, neighbours=neighbours)


def _point(place: Mapping[str, float]) -> tuple[float, float]:
    return place["longitude"], place["latitude"]
