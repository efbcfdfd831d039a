"""``luming air``: air quality index of the rows of a file."""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl

from luming.standards import air
from luming.standards._cells import concentration
from luming.standards._files import Table, add_file_arguments, run_on_file

_DESCRIPTION = """\
环境空气质量指数 AQI（HJ 633-2012、HJ 633-2026）。输入列 time,station,so2,no2,co,o3,pm10,pm25；
CO 单位 mg/m³，其余 µg/m³；--period day 时 o3 为日最大 8 小时平均。输出增加 aqi,level,primary。
Air quality index. Without --edition each row is judged by the edition in force at its time (2026-03-01, city-local)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``luming air aqi``."""
    commands = parser.add_subparsers(dest="air_command", metavar="COMMAND", required=True)
    aqi = commands.add_parser(
        "aqi",
        help="add aqi, level and primary to a file / 计算 AQI",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file_arguments(aqi)
    aqi.add_argument("--edition", choices=air.EDITIONS, help="judge every row by this edition of HJ 633")
    aqi.add_argument("--period", choices=("hour", "day"), default="hour", help="hourly or daily values (default: hour)")
    aqi.add_argument(
        "--label",
        choices=("start", "end"),
        default="start",
        help="whether time names the start (default) or the end of the period / 时间标签是时段的起点还是终点",
    )
    aqi.add_argument(
        "--not-monitored",
        metavar="NAMES",
        type=_factors,
        default=(),
        help="pollutants outside the monitoring programme, comma separated: not missing in 2026 / 未纳入监测方案的项目",
    )
    aqi.add_argument(
        "--all-indicators",
        action="store_true",
        help="for rows of 2012 also use columns so2_24h, o3_8h, pm10_24h, pm25_24h (hour) or o3_1h (day) if present",
    )
    aqi.add_argument("--iaqi", action="store_true", help="also add iaqi_so2 … iaqi_pm25 / 同时输出各项 IAQI")
    aqi.set_defaults(run=run_aqi)


def run_aqi(args: argparse.Namespace) -> int:
    """Run ``luming air aqi``; 0 when written, 1 when the input has errors."""
    return run_on_file(args, lambda table: judge(table, args))


def judge(table: Table, args: argparse.Namespace) -> dict[str, pl.Series]:
    """Return the columns to add to a table (HJ 633); bad cells go to ``table.problems``."""
    needed = [factor for factor in air.FACTORS if factor not in args.not_monitored]
    table.require(needed if args.edition else ["time", *needed], "项目未纳入监测方案时用 --not-monitored")
    names = [name for name in _wanted(args) if table.find(name) is not None]
    values = table.numbers(names, concentration)
    known = np.ones(table.frame.height, dtype=np.bool_)
    if args.edition:
        result = air.aqi(values, period=args.period, edition=args.edition, not_monitored=args.not_monitored)
    else:
        starts = table.times("time")
        if args.label == "end":
            starts = starts - np.timedelta64(1, "h" if args.period == "hour" else "D")
        known = ~np.isnat(starts)  # a row without a time has no edition, so no index
        times = np.where(known, starts, air.CHANGE)
        result = air.aqi(values, period=args.period, times=times, not_monitored=args.not_monitored)
    return _columns(result, known, args.iaqi)


def _wanted(args: argparse.Namespace) -> list[str]:
    extra = air.extra_indicators(args.period) if args.all_indicators else ()
    return [*air.FACTORS, *extra]


def _columns(
    result: air.AqiResult, known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], iaqi: bool
) -> dict[str, pl.Series]:
    index = np.where(known, result.index, np.int16(-1))
    code = np.where(known, result.primary_code, np.uint8(0))
    names = pl.Series([name or None for name in air.PRIMARY_NAMES], dtype=pl.String)
    columns = {
        "aqi": _or_null(index),
        "level": _or_null(np.where(index > 0, result.level, np.int8(-1))),
        "primary": names.gather(pl.Series(code, dtype=pl.UInt32)),
    }
    if iaqi:
        columns |= {
            f"iaqi_{f}": _or_null(np.where(known, values, np.int16(-1))) for f, values in result.indices.items()
        }
    return columns


def _or_null(values: np.ndarray[tuple[int, ...], np.dtype[np.signedinteger]]) -> pl.Series:
    series = pl.Series(values)
    return series.set(series < 0, None)


def _factors(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in air.FACTORS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; use {', '.join(air.FACTORS)}")
    return names
