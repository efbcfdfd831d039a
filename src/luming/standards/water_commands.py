"""``luming water``: surface water class of the samples of a file."""

from __future__ import annotations

import argparse

import polars as pl

from luming.standards import water
from luming.standards._cells import water_value
from luming.standards._files import FileError, Table, add_file_arguments, run_on_file

_DESCRIPTION = """\
地表水水质类别（GB 3838-2002 表 1，单因子评价）。输入列 time,station 和任意水质项目短名：
{names}
输出增加 class（1–5，6 为劣Ⅴ类）和 exceeding（劣于Ⅲ类的项目及超标倍数，如 tp(0.35);codmn(0.10)）。
tn、fecal 为参考项目，不参加定类（--count 可改）。低于检出限写作 0.01L 或 <0.01，按一半计。
Surface water class; values are rounded to their displayed places before they are judged."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``luming water class``."""
    commands = parser.add_subparsers(dest="water_command", metavar="COMMAND", required=True)
    classify = commands.add_parser(
        "class",
        help="add class and exceeding to a file / 判定水质类别",
        description=_DESCRIPTION.format(names=" ".join(water.ITEMS)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file_arguments(classify)
    classify.add_argument(
        "--body", choices=("river", "lake"), default="river", help="river (default) or lake and reservoir / 河流或湖库"
    )
    classify.add_argument(
        "--count",
        metavar="NAMES",
        type=_names,
        default=(),
        help="reference items that shall count: tn,fecal / 参加定类",
    )
    classify.add_argument(
        "--decimals",
        metavar="NAME=N,…",
        type=_decimals,
        default={},
        help="places a value is rounded to before it is judged, e.g. tp=3,cod=0 / 修约小数位",
    )
    classify.set_defaults(run=run_class)


def run_class(args: argparse.Namespace) -> int:
    """Run ``luming water class``; 0 when written, 1 when the input has errors."""
    return run_on_file(args, lambda table: judge(table, args))


def judge(table: Table, args: argparse.Namespace) -> dict[str, pl.Series]:
    """Return the columns to add to a table (GB 3838-2002); bad cells go to ``table.problems``."""
    names = [name for name in water.ITEMS if table.find(name) is not None]
    if not names:
        raise FileError(
            f"没有水质项目列；可用：{' '.join(water.ITEMS)}；文件里有：{', '.join(table.frame.columns)}\n"
            "no column is a water item of GB 3838-2002"
        )
    values = table.numbers(names, water_value, {"ph": 14.0})
    try:
        result = water.classify(values, body=args.body, decimals=args.decimals, count=args.count)
    except ValueError as error:  # --decimals too small for a limit
        raise FileError(str(error)) from None
    klass = pl.Series(result.klass)
    return {
        "class": klass.set(klass == 0, None),
        "exceeding": pl.Series([text or None for text in result.exceeding_text()], dtype=pl.String),
    }


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    _refuse_unknown(names)
    return names


def _decimals(text: str) -> dict[str, int]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    _refuse_unknown([name.strip() for name, _, _ in pairs])
    if any(not number.strip().isdigit() for _, _, number in pairs):
        raise argparse.ArgumentTypeError("write it like tp=3,cod=0")
    return {name.strip(): int(number) for name, _, number in pairs}


def _refuse_unknown(names: tuple[str, ...] | list[str]) -> None:
    unknown = [name for name in names if name not in water.ITEMS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; use {', '.join(water.ITEMS)}")
