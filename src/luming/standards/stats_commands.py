"""``luming stats``: hours, days, months, quarters and years from the rows of a file, by the dated validity rules."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luming.standards import noise_levels, water
from luming.standards._cells import concentration, water_value
from luming.standards._files import FileError, Table, add_file_arguments, run_to_frame
from luming.standards.averages import cascade
from luming.standards.edition import editions
from luming.standards.emission import JUDGED_FLAGS
from luming.standards.periods import CITY_OFFSET, Instants, IntArray
from luming.standards.results import REASON_NAMES, REASON_NAMES_ZH, BoolArray, FloatArray, Statistics
from luming.standards.validity import MEDIA, rules

INTERVALS = ("hour", "day", "month", "quarter", "year")
FACTORS = {
    "air": ("so2", "no2", "nox", "no", "co", "o3", "pm10", "pm25", "tsp", "pb", "bap", "voc", "nmhc", "nh3", "h2s"),
    "gas": ("pm", "so2", "nox", "no", "no2", "co", "nh3", "hcl", "hg", "f", "nmhc", "h2s", "o2", "temp", "moisture",
            "pressure", "velocity", "flow", "amount"),
    "sewage": ("ph", "temp", "cod", "bod5", "nh3n", "tp", "tn", "codmn", "cu", "zn", "as", "hg", "cd", "cr6", "pb",
               "oil", "flow", "volume", "amount"),
    "water": (*water.ITEMS, "temp", "ec", "turb", "chla"),
    "noise": ("leq", "lmax", "l10", "l50", "l90"),
}  # fmt: skip
"""Columns that are taken without being asked for, by medium (short names of the glossary)."""

MAY_BE_NEGATIVE = ("temp", "pressure")
"""Temperatures in °C and the static pressure of flue gas; all other negative numbers are bad cells."""

_DESCRIPTION = """\
按标准的数据有效性规定统计{zh}值。输入列 time、station（可无）和因子短名；行的时段由 time 的间隔得出（分钟、小时或日）。
<因子>_flag 列为数据标记（HJ 212：只有 N 或空参加统计）；废水用 flow 或 volume 列加权；噪声同时给出 ld、ln、ldn。
输出长表：time,station,factor,value,rounded,valid,count,expected,required,reason,rule,verified。
verified 为 false 表示规定未与官方文本核对；value 未修约，无效时也给出；rounded 只在有效时给出。
Statistics of the {en}s that the rows of a file lie in, from valid values only, by the rules in force on their day."""

_NAMES = {"hour": "小时", "day": "日", "month": "月", "quarter": "季", "year": "年"}


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file that have a time: UTC starts, number of the station, and the values by factor."""

    start: Instants
    station: IntArray
    names: list[str]
    values: dict[str, FloatArray]
    counts: dict[str, BoolArray]
    weight: FloatArray | None
    step: np.timedelta64


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``luming stats hour``, ``day``, ``month``, ``quarter`` and ``year``."""
    commands = parser.add_subparsers(dest="stats_command", metavar="INTERVAL", required=True)
    known = sorted({one.edition for one in rules()} | {one.key for one in editions("GB 3095")})
    for interval in INTERVALS:
        command = commands.add_parser(
            interval,
            help=f"statistics of {interval}s / {_NAMES[interval]}值",
            description=_DESCRIPTION.format(zh=_NAMES[interval], en=interval),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_file_arguments(command, adds_columns=False)
        command.add_argument("--medium", choices=MEDIA, required=True, help="what is measured / 介质")
        command.add_argument(
            "--factors", metavar="NAMES", type=_names, default=(), help="columns to take, comma separated / 因子列"
        )
        command.add_argument(
            "--edition", choices=known, help="judge by the rules of this edition whatever the dates / 指定标准版本"
        )
        command.add_argument(
            "--label",
            choices=("start", "end"),
            default="start",
            help="whether time names the start (default) or the end of a row's period / 时间标签是起点还是终点",
        )
        command.add_argument(
            "--wide",
            action="store_true",
            help="one row per station and period with the valid rounded values only / 宽表，只含有效的修约值",
        )
        command.set_defaults(run=run_stats, interval=interval)


def run_stats(args: argparse.Namespace) -> int:
    """Run ``luming stats``; 0 when written, 1 when the input has errors."""
    return run_to_frame(args, lambda table: compute(table, args))


def compute(table: Table, args: argparse.Namespace) -> pl.DataFrame:
    """Return the statistics of a table as the frame to write; bad cells go to ``table.problems``."""
    rows = read_rows(table, args)
    found = statistics_of(rows, args)
    frame = wide(found, rows.names, args.interval) if args.wide else long(found, rows.names, args.interval)
    return frame if table.find("station") else frame.drop("station")


def read_rows(table: Table, args: argparse.Namespace) -> Rows:
    """Read the columns that are asked for; bad cells go to ``table.problems``."""
    table.require(["time"])
    factors = _factors_of(table, args)
    extra = [] if args.medium != "sewage" else [name for name in ("volume", "flow") if table.find(name)][:1]
    read = water_value if args.medium in ("water", "sewage") else concentration
    names_of = list(dict.fromkeys([*factors, *extra]))
    numbers = table.numbers([name for name in names_of if name not in MAY_BE_NEGATIVE], read, {"ph": 14.0})
    numbers |= table.numbers([name for name in names_of if name in MAY_BE_NEGATIVE], read, lowest=-np.inf)
    times = table.times("time")
    known = ~np.isnat(times)
    station, names = _stations(table)
    step = step_of(times[known], station[known])
    start = times[known] - CITY_OFFSET - (step if args.label == "end" else np.timedelta64(0, "us"))
    _refuse_repeats(start, station[known], names)
    counts = {factor: _counts(table, factor)[known] for factor in factors}
    weight = numbers[extra[0]][known] if extra else None
    values = {factor: numbers[factor][known] for factor in factors}
    return Rows(start, station[known], names, values, counts, weight, step)


def statistics_of(rows: Rows, args: argparse.Namespace) -> dict[str, Statistics]:
    """Return the statistics of the interval per factor; of noise also ld, ln and ldn of days."""
    source = _source(rows.step)
    if source == args.interval or (source == "day" and args.interval == "hour"):
        raise FileError(
            f"输入已是{_NAMES[source]}数据，统计不出{_NAMES[args.interval]}值\n"
            f"the rows are of {source}s: no statistics of {args.interval}s can come from them"
        )
    found: dict[str, Statistics] = {}
    for factor, values in rows.values.items():
        weight = rows.weight if factor not in ("ph", "temp", "flow", "volume", "amount") else None
        options: dict[str, Any] = {"series": rows.station, "counts": rows.counts[factor], "weight": weight}
        try:
            levels = cascade(
                rows.start, values, medium=args.medium, factor=factor, source=source, to=args.interval,
                step=rows.step, edition=args.edition, **options,
            )  # fmt: skip
        except LookupError as error:
            raise FileError(f"{error.args[0]}") from None
        found[factor] = levels[args.interval]
        if factor == "leq" and args.interval == "day" and source in ("minute", "hour"):
            hours = levels.get("hour")
            found |= noise_levels.day_levels(
                rows.start if hours is None else hours.start,
                values if hours is None else hours.value,
                series=rows.station if hours is None else hours.series,
                counts=rows.counts[factor] if hours is None else hours.valid,
            )
    return found


def long(found: dict[str, Statistics], names: list[str], interval: str) -> pl.DataFrame:
    """Return one row per station, period and factor, with everything the statistic says of itself."""
    parts = [_long(factor, statistics, names, interval) for factor, statistics in found.items()]
    return pl.concat(parts).sort("station", "time", maintain_order=True)


def wide(found: dict[str, Statistics], names: list[str], interval: str) -> pl.DataFrame:
    """Return one row per station and period: the rounded values that are valid."""
    frame: pl.DataFrame | None = None
    for factor, statistics in found.items():
        shown = np.where(statistics.valid, statistics.rounded, np.nan)
        part = pl.DataFrame(
            {
                "time": label(statistics.start, interval),
                "station": [names[key] for key in statistics.series.tolist()],
                factor: pl.Series(shown).fill_nan(None),
            }
        )
        frame = part if frame is None else frame.join(part, on=["time", "station"], how="full", coalesce=True)
    assert frame is not None
    return frame.sort("station", "time", maintain_order=True)


def label(start: Instants, interval: str) -> list[str]:
    """Return how the field names periods: 2026-07-01 08:00, 2026-07-01, 2026-07, 2026Q3, 2026."""
    local = start + CITY_OFFSET
    if interval == "quarter":
        months = local.astype("datetime64[M]").astype(np.int64)
        return [f"{1970 + month // 12}Q{month % 12 // 3 + 1}" for month in months.tolist()]
    unit: Any = {"hour": "m", "day": "D", "month": "M", "year": "Y"}[interval]
    return [text.replace("T", " ") for text in np.datetime_as_string(local, unit=unit).tolist()]


def step_of(times: NDArray[np.datetime64], station: IntArray) -> np.timedelta64:
    """Return how long a row's period is: the most frequent distance of neighbours in time, at one station."""
    order = np.lexsort((times, station))
    distance = np.diff(times[order]).astype("timedelta64[us]").astype(np.int64)
    distance = distance[(np.diff(station[order]) == 0) & (distance > 0)]
    if not len(distance):
        raise FileError(
            "每个点位只有一个时刻，看不出数据的时间间隔 / one time per station: the interval of the rows cannot be told"
        )
    lengths, often = np.unique(distance, return_counts=True)
    return np.timedelta64(int(lengths[np.argmax(often)]), "us")


def _long(factor: str, statistics: Statistics, names: list[str], interval: str) -> pl.DataFrame:
    reasons = [
        "" if code == 0 else f"{REASON_NAMES_ZH[code]} / {REASON_NAMES[code]}" for code in statistics.reason.tolist()
    ]
    keys = [statistics.rules[rule].key if rule >= 0 else None for rule in statistics.rule.tolist()]
    verified = [statistics.rules[rule].verified if rule >= 0 else None for rule in statistics.rule.tolist()]
    shown = np.where(statistics.valid, statistics.rounded, np.nan)
    return pl.DataFrame(
        {
            "time": label(statistics.start, interval),
            "station": [names[key] for key in statistics.series.tolist()],
            "factor": [factor] * len(statistics),
            "value": pl.Series(statistics.value).fill_nan(None),
            "rounded": pl.Series(shown).fill_nan(None),
            "valid": statistics.valid,
            "count": statistics.count,
            "expected": statistics.expected,
            "required": statistics.required,
            "reason": pl.Series([text or None for text in reasons], dtype=pl.String),
            "rule": pl.Series(keys, dtype=pl.String),
            "verified": pl.Series(verified, dtype=pl.Boolean),
        }
    )


def _factors_of(table: Table, args: argparse.Namespace) -> list[str]:
    if args.factors:
        table.require(args.factors)
        return list(args.factors)
    found = [name for name in FACTORS[args.medium] if table.find(name) is not None]
    if not found:
        raise FileError(
            f"没有可统计的列；{args.medium} 可用：{' '.join(FACTORS[args.medium])}，或用 --factors 指定；"
            f"文件里有：{', '.join(table.frame.columns)}\n"
            "no column is a factor of the medium: name columns with --factors"
        )
    return found


def _counts(table: Table, factor: str) -> BoolArray:
    column = table.find(f"{factor}_flag")
    if column is None:
        return np.ones(table.frame.height, dtype=np.bool_)
    flags = table.frame[column].cast(pl.String).fill_null("").str.strip_chars().to_numpy()
    return np.isin(flags.astype(np.str_), sorted(JUDGED_FLAGS))


def _stations(table: Table) -> tuple[IntArray, list[str]]:
    column = table.find("station")
    if column is None:
        return np.zeros(table.frame.height, dtype=np.int64), [""]
    names, number = np.unique(
        table.frame[column].cast(pl.String).fill_null("").to_numpy().astype(np.str_), return_inverse=True
    )
    return number.astype(np.int64), [str(name) for name in names]


def _refuse_repeats(start: Instants, station: IntArray, names: list[str]) -> None:
    order = np.lexsort((start, station))
    same = np.nonzero((np.diff(start[order]) == np.timedelta64(0, "us")) & (np.diff(station[order]) == 0))[0]
    if len(same):
        row = order[same[0]]
        place = f"{names[station[row]]} {label(start[row : row + 1], 'hour')[0]}".strip()
        raise FileError(
            f"{len(same)} 个时刻重复，如 {place}；每个点位每个时刻只能有一行\n"
            f"{len(same)} time(s) come twice, such as {place}: give one row for each time of a station"
        )


def _source(step: np.timedelta64) -> Any:
    if step < np.timedelta64(1, "h"):
        return "minute"
    return "hour" if step < np.timedelta64(1, "D") else "day"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())
