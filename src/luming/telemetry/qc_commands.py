"""``luming qc``: the checks of the catalogue on files, and the catalogue itself.

It lives here because reading tables belongs to the law's room and checking to the methods', which do not know each
other.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from luming.science.qc import catalogue as qc
from luming.science.qc import listing
from luming.science.qc.model import Result, Suspicion
from luming.science.qc.timing import absent_periods
from luming.standards._files import FileError, read_table, write_table
from luming.telemetry.qc_files import Station, read_configuration, read_stations
from luming.telemetry.quality import commands as stored

_RUN = """\
对文件中的监测数据逐项检查。输入列 time、可选 station，其余每列一个因子（so2 pm25 cod …，单位见词汇表）；
可另有 <因子>_min、_max、_flag、_converted、_amount 列和 received、stopped 列。
输出长表 time,station,factor,check,result，只列未通过的；缺测只列在 GEN-MISSING 下。摘要写到标准错误。
Judge the values of a file by the catalogue of checks. The output is long: time,station,factor,check,result with what
is not pass (--all adds "unknown"); a missing value is listed once, under GEN-MISSING. The summary goes to standard
error. Docs: docs/how-to/check-a-file.md."""

_WORDS = {Result.UNKNOWN: "unknown", Result.SUSPECT: "suspect", Result.FAIL: "fail", Result.MISSING: "missing"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``luming qc run`` and ``luming qc catalogue``."""
    commands = parser.add_subparsers(dest="qc_command", metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run",
        help="check the values of a file / 检查文件中的数据",
        description=_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("input", metavar="IN", help="CSV (UTF-8 or GBK) or .parquet file, '-' for standard input")
    run.add_argument("-o", "--output", metavar="OUT", default="-", help="CSV or .parquet, default standard output")
    run.add_argument("--config", metavar="FILE", help="TOML: medium, ranges, spans, parameters … / 配置文件")
    run.add_argument("--medium", choices=listing.MEDIA, help="what is measured; otherwise told by the factors / 介质")
    run.add_argument("--factors", metavar="NAMES", help="only these columns, comma separated / 只查这些列")
    run.add_argument("--checks", metavar="CODES", help="only these checks, comma separated / 只做这些检查")
    run.add_argument("--all", action="store_true", help="also write what could not be told (unknown) / 也输出“未知”")
    run.add_argument("--skip-bad", action="store_true", help="treat bad cells as missing / 坏值按缺测")
    run.add_argument("--suspicions", metavar="OUT", help="write suspicions of fabrication as JSON / 造假线索输出")
    run.add_argument("--bom", action="store_true", help="begin the CSV with a byte order mark, for Excel")
    run.set_defaults(run=run_checks)
    listed = commands.add_parser("catalogue", help="list the checks with clause and mark / 列出检查目录")
    listed.add_argument("--format", choices=("csv", "md"), default="csv")
    listed.set_defaults(run=run_catalogue)
    stored.configure(commands)


def run_catalogue(args: argparse.Namespace) -> int:
    """Print the catalogue as CSV or Markdown."""
    if args.format == "md":
        sys.stdout.write(listing.markdown())
        return 0
    rows = listing.rows()
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0


def run_checks(args: argparse.Namespace) -> int:
    """Run ``luming qc run``; 0 when written, 1 when the input or the configuration has errors."""
    try:
        configuration = read_configuration(args.config)
        table = read_table(args.input)
        stations = read_stations(table, configuration, args.medium, _names(args.factors))
        if table.problems and not _go_on(list(table.report()), args.skip_bad):
            return 1
        codes = _names(args.checks) or configuration.codes()
        results = [(station, qc.run(station.window, None, codes, configuration.settings)) for station in stations]
        write_table(_long_table(results, args.all), args.output, args.bom)
        _summarise(results)
        if args.suspicions:
            _write_suspicions(stations, codes, configuration.settings, args.suspicions)
    except (FileError, qc.SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _go_on(lines: list[str], skip_bad: bool) -> bool:
    for line in lines:
        print(line, file=sys.stderr)
    what = "按缺测处理 / treated as missing" if skip_bad else "未写输出，可用 --skip-bad / nothing was written"
    print(f"共 {len(lines)} 处坏值，{what}", file=sys.stderr)
    return skip_bad


Found = list[tuple[Station, dict[str, dict[str, np.ndarray]]]]


def _long_table(found: Found, everything: bool) -> pl.DataFrame:
    """Return one row per station, row, factor and check that is not pass, in the order of the file."""
    pieces = []
    checks = list(qc.catalogue())
    for station, results in found:
        for place, (factor, by_code) in enumerate(results.items()):
            for code, column in by_code.items():
                told = (column != Result.PASS) & (everything | (column != Result.UNKNOWN))
                if code != "GEN-MISSING":
                    told &= column != Result.MISSING
                rows = np.nonzero(told)[0]
                if len(rows):
                    pieces.append(
                        pl.DataFrame(
                            {
                                "row": station.rows[rows],
                                "time": station.labels.gather(rows),
                                "station": pl.repeat(station.name or None, len(rows), dtype=pl.String, eager=True),
                                "factor": pl.repeat(factor, len(rows), dtype=pl.String, eager=True),
                                "check": pl.repeat(code, len(rows), dtype=pl.String, eager=True),
                                "result": pl.Series(column[rows]).replace_strict(_WORDS, return_dtype=pl.String),
                                "place": pl.repeat(place * len(checks) + checks.index(code), len(rows), eager=True),
                            }
                        )
                    )
    if not pieces:
        dtype = found[0][0].labels.dtype if found else pl.String
        schema = {"time": dtype} | dict.fromkeys(("station", "factor", "check", "result"), pl.String)
        return pl.DataFrame(schema=schema)
    return pl.concat(pieces).sort("row", "place").drop("row", "place")


def _summarise(found: Found) -> None:
    """Print how many values each check spoke of, and the quality per factor."""
    rows = sum(len(station.window) for station, _ in found)
    absent = sum(absent_periods(station.window) for station, _ in found)
    media = " ".join(sorted({f"{station.window.medium}" for station, _ in found}))
    steps = " ".join(sorted({f"{station.window.interval:g} s" for station, _ in found}))
    print(
        f"{rows} 行 / rows，{len(found)} 个站点 / station(s)，{media}，{steps}，"
        f"缺 {absent} 行 / rows absent，目录版本 / catalogue {qc.edition()}",
        file=sys.stderr,
    )
    print(f"{'factor':10} {'check':20} {'suspect':>8} {'fail':>8} {'missing':>8}  检查", file=sys.stderr)
    factors = {factor: None for _, results in found for factor in results}
    for factor in factors:
        columns = [results[factor] for _, results in found if factor in results]
        for code in dict.fromkeys(code for by_code in columns for code in by_code):
            together = np.concatenate([by_code[code] for by_code in columns if code in by_code])
            counts = [int(np.count_nonzero(together == r)) for r in (Result.SUSPECT, Result.FAIL, Result.MISSING)]
            if counts[0] or counts[1] or (counts[2] and code == "GEN-MISSING"):
                missing = counts[2] if code == "GEN-MISSING" else ""
                title = qc.catalogue()[code].zh
                print(f"{factor:10} {code:20} {counts[0]:8} {counts[1]:8} {missing:>8}  {title}", file=sys.stderr)
    for factor in factors:
        quality = np.concatenate([qc.quality(results[factor]) for _, results in found if results.get(factor)] or [[]])
        shares = ", ".join(
            f"{kind.name.lower()} {np.count_nonzero(quality == kind)} ({np.mean(quality == kind):.2%})"
            for kind in qc.Quality
            if len(quality)
        )
        print(f"{factor}: {shares}", file=sys.stderr)


def _write_suspicions(stations: list[Station], codes: list[str] | None, settings: qc.Settings, path: str) -> None:
    found = [
        {"station": station.name} | _plain(suspicion)
        for station in stations
        for suspicion in qc.suspicions(station.window, None, codes, settings)
    ]
    text = json.dumps(found, ensure_ascii=False, indent=1, default=_plain_number)
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise FileError(f"写不了 {path} / cannot write {path}: {error}") from None
    print(f"线索 / suspicions: {len(found)} → {path}", file=sys.stderr)


def _plain(suspicion: Suspicion) -> dict[str, object]:
    return {
        "code": suspicion.code,
        "factor": suspicion.factor,
        "start": str(suspicion.start),
        "end": str(suspicion.end),
        "strength": float(suspicion.strength),
        "numbers": dict(suspicion.numbers),
        "zh": suspicion.zh,
        "en": suspicion.en,
        "picture": dict(suspicion.picture),
    }


def _plain_number(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else str(value)
