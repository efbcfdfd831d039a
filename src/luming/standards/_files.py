"""Tables of measurements from and to files, for the commands of this room: CSV and Parquet, text kept as it was.

CSV cells stay text; only the columns a command judges are read as numbers, so every other column is written back
unchanged. All bad cells are collected and reported together.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luming.standards._cells import LocalTime, Reading, local_time
from luming.standards.rounding import as_float

FAST_TIME_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%Y/%m/%d %H:%M")


class FileError(Exception):
    """The file as a whole cannot be used; the message says what to do."""


@dataclass(frozen=True, order=True)
class Problem:
    """One bad cell: row counted from 0, column as named in the file, and what is wrong (Chinese / English)."""

    row: int
    column: str
    cell: str = field(compare=False)
    what: str = field(compare=False)


@dataclass
class Table:
    """A file read: the frame with its original cells, and the problems found so far."""

    frame: pl.DataFrame
    raw: bytes | None = None  # the CSV as UTF-8, for line numbers; None for Parquet
    problems: list[Problem] = field(default_factory=list)

    def find(self, name: str) -> str | None:
        """Return the column meant by a short name; case, spaces and the dot of ``PM2.5`` do not matter."""
        return self._by_short_name.get(name)

    @cached_property
    def _by_short_name(self) -> dict[str, str]:
        return {_short(column): column for column in reversed(self.frame.columns)}

    def require(self, names: Iterable[str], hint: str = "") -> None:
        """Raise :class:`FileError` naming every missing column."""
        missing = [name for name in names if self.find(name) is None]
        if missing:
            raise FileError(
                f"缺少列 {', '.join(missing)}；文件里有：{', '.join(self.frame.columns)}。{hint}\n"
                f"missing column(s) {', '.join(missing)}; the file has: {', '.join(self.frame.columns)}"
            )

    def numbers(
        self,
        names: Iterable[str],
        read: Callable[[str], Reading],
        highest: Mapping[str, float] | None = None,
        lowest: float = 0.0,
    ) -> dict[str, NDArray[np.float64]]:
        """Return columns as float64 by short name, NaN where missing or bad; bad cells are added to ``problems``.

        ``read`` interprets a cell that is not a plain number. Numbers below ``lowest`` (by default negative ones),
        infinite ones, and numbers above ``highest`` of their column, are bad.
        """
        columns = {name: self._by_short_name[name] for name in names}
        self._refuse_other_types(columns.values())
        # One select lets polars cast the columns side by side.
        cast = self.frame.select(pl.col(column).cast(pl.Float64, strict=False) for column in columns.values())
        found = {}
        for name, column in columns.items():
            series = self.frame[column]
            if series.dtype == pl.String:
                values = self._text_numbers(column, series, cast[column], read)
            else:
                values = as_float((series if series.dtype == pl.Float32 else cast[column]).to_numpy())
            found[name] = self._in_range(column, values, (highest or {}).get(name, np.inf), lowest)
        return found

    def _refuse_other_types(self, columns: Iterable[str]) -> None:
        for column in columns:
            dtype = self.frame.schema[column]
            if not (dtype.is_numeric() or dtype in (pl.String, pl.Null)):
                raise FileError(f"列 {column} 的类型是 {dtype}，不是数字 / column {column} is {dtype}, not a number")

    def _text_numbers(
        self, column: str, series: pl.Series, values: pl.Series, read: Callable[[str], Reading]
    ) -> NDArray[np.float64]:
        if values.null_count() > series.null_count():
            unread = series.filter(values.is_null() & series.is_not_null()).unique()
            readings = {text: read(text) for text in unread.to_list()}
            numbers = {text: r for text, r in readings.items() if isinstance(r, float)}
            if numbers:
                values = values.fill_null(_replaced(series, numbers, pl.Float64()))
            self._complain_about(column, series, {text: r for text, r in readings.items() if isinstance(r, str)})
        return values.fill_null(np.nan).to_numpy()

    def _in_range(self, column: str, values: NDArray[np.float64], highest: float, lowest: float) -> NDArray[np.float64]:
        top = np.fmax.reduce(values, initial=0.0)
        bottom = np.fmin.reduce(values, initial=0.0)
        if bottom >= lowest and top <= highest and top < np.inf and bottom > -np.inf:
            return values
        bad = (values < lowest) | np.isinf(values) | (values > highest)
        for row in np.nonzero(bad)[0].tolist():
            self._complain(row, column, self.frame[column][row], _range_message(float(values[row]), highest))
        return np.where(bad, np.nan, values)

    def times(self, name: str) -> NDArray[np.datetime64]:
        """Return a column as city-local datetime64[us], NaT where missing or bad (added to ``problems``)."""
        column = self.find(name)
        assert column is not None
        series = self.frame[column]
        if series.dtype == pl.String:
            values = self._text_times(column, series)
        elif isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
            values = series.dt.convert_time_zone("Asia/Shanghai").dt.replace_time_zone(None)
        elif series.dtype in (pl.Date, pl.Datetime):
            values = series
        else:
            raise FileError(
                f"列 {column} 的类型是 {series.dtype}，不是时间 / column {column} is {series.dtype}, no time"
            )
        self._complain_about_missing(column, series)
        return values.cast(pl.Datetime("us")).to_numpy().copy()

    def _text_times(self, column: str, series: pl.Series) -> pl.Series:
        values = series.str.to_datetime(_fast_format(series), strict=False, time_unit="us")
        unread = series.filter(values.is_null() & series.is_not_null()).unique()
        readings: dict[str, LocalTime] = {text: local_time(text) for text in unread.to_list()}
        good = {text: r for text, r in readings.items() if not isinstance(r, str)}
        if good:
            values = values.fill_null(_replaced(series, good, pl.Datetime("us")))
        self._complain_about(column, series, {text: r for text, r in readings.items() if isinstance(r, str)})
        return values

    def _complain_about_missing(self, column: str, series: pl.Series) -> None:
        for row in series.is_null().arg_true().to_list():
            self._complain(row, column, "", "时间为空 / the time is empty")

    def _complain_about(self, column: str, series: pl.Series, bad: dict[str, str]) -> None:
        if bad:
            rows = series.is_in(list(bad)).arg_true()
            for row, text in zip(rows.to_list(), series.gather(rows).to_list(), strict=True):
                self._complain(row, column, text, bad[text])

    def _complain(self, row: int, column: str, cell: Any, what: str) -> None:
        self.problems.append(Problem(row, column, str(cell), what))

    def report(self) -> Iterator[str]:
        """Yield one line per bad cell, in the order of the file, with its line (Parquet: row) number."""
        lines = _record_lines(self.raw) if self.raw is not None and self.problems else None
        for problem in sorted(self.problems):
            if lines is None:
                place = f"第 {problem.row + 1} 行 / row {problem.row + 1}"
            else:
                place = f"第 {lines[problem.row]} 行 / line {lines[problem.row]}"
            yield f"{place}，列 {problem.column}：{problem.what}（{problem.cell!r}）"


def add_file_arguments(parser: argparse.ArgumentParser, *, adds_columns: bool = True) -> None:
    """Add the input, ``-o``, ``--skip-bad`` and ``--bom`` arguments, and ``--suffix`` for commands that add columns."""
    parser.add_argument("input", metavar="IN", help="CSV (UTF-8 or GBK) or .parquet file, '-' for standard input")
    parser.add_argument(
        "-o", "--output", metavar="OUT", default="-", help="CSV or .parquet file, default standard output"
    )
    parser.add_argument(
        "--skip-bad", action="store_true", help="treat bad cells as missing instead of stopping / 坏值按缺测"
    )
    if adds_columns:
        parser.add_argument("--suffix", default="", help="appended to the names of the added columns / 新增列名后缀")
    parser.add_argument(
        "--bom", action="store_true", help="begin the CSV with a byte order mark, for Excel / 供 Excel 打开"
    )


def run_on_file(args: argparse.Namespace, judge: Callable[[Table], dict[str, pl.Series]]) -> int:
    """Read the input, add the columns that ``judge`` returns, write the output; returns the exit code."""
    return run_to_frame(args, lambda table: _with_columns(table, judge(table), args.suffix))


def run_to_frame(args: argparse.Namespace, build: Callable[[Table], pl.DataFrame]) -> int:
    """Read the input, write the frame that ``build`` returns; returns the exit code."""
    try:
        table = read_table(args.input)
        frame = build(table)
        if table.problems and not _go_on(table, args.skip_bad):
            return 1
        write_table(frame, args.output, args.bom)
    except FileError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _with_columns(table: Table, added: dict[str, pl.Series], suffix: str) -> pl.DataFrame:
    named = {name + suffix: column for name, column in added.items()}
    clash = [name for name in named if name in table.frame.columns]
    if clash:
        raise FileError(
            f"输入已有列 {', '.join(clash)}，请用 --suffix 另起列名\n"
            f"the input already has {', '.join(clash)}: give --suffix to name the new columns otherwise"
        )
    return table.frame.with_columns(column.alias(name) for name, column in named.items())


def read_table(path: str) -> Table:
    """Read a CSV (UTF-8, UTF-8 with BOM, GBK; gzip too) or Parquet file; ``-`` is CSV from standard input."""
    if path.lower().endswith(".parquet"):
        try:
            return Table(pl.read_parquet(path))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise FileError(f"读不了 {path} / cannot read {path}: {error}") from None
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError) as error:
        raise FileError(f"读不了 {path} / cannot read {path}: {error}") from None
    return _read_csv(data, path)


def write_table(frame: pl.DataFrame, path: str, bom: bool = False) -> None:
    """Write CSV (UTF-8) or Parquet by the extension; a regular file is replaced only when it is complete."""
    write: Callable[[Any], Any]
    if path.lower().endswith(".parquet"):
        write = frame.write_parquet
    else:
        write = lambda target: frame.write_csv(target, include_bom=bom)  # noqa: E731
    try:
        if path == "-":
            write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif Path(path).exists() and not Path(path).is_file():  # a pipe or a device
            with Path(path).open("wb") as stream:
                write(stream)
        else:
            _replace(Path(path), write)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"写不了 {path} / cannot write {path}: {error}") from None


def _go_on(table: Table, skip_bad: bool) -> bool:
    for line in table.report():
        print(line, file=sys.stderr)
    count = len(table.problems)
    if skip_bad:
        print(f"共 {count} 处坏值，按缺测处理 / {count} bad cell(s), treated as missing", file=sys.stderr)
    else:
        print(
            f"共 {count} 处坏值，未写输出；改正后重试，或用 --skip-bad 按缺测处理\n"
            f"{count} bad cell(s), nothing was written; mend them, or use --skip-bad to treat them as missing",
            file=sys.stderr,
        )
    return skip_bad


def _read_csv(data: bytes, path: str) -> Table:
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return _read_utf8(data, path)
    except UnicodeDecodeError:
        pass
    try:
        return _read_utf8(data.decode("gb18030").encode(), path)
    except UnicodeDecodeError:
        raise FileError(
            "文件既不是 UTF-8 也不是 GBK 编码，请另存为 UTF-8 / neither UTF-8 nor GBK: save it as UTF-8"
        ) from None


def _read_utf8(data: bytes, path: str) -> Table:
    header = next(csv.reader(io.StringIO(data.partition(b"\n")[0].decode("utf-8"))), [])
    if not header:
        raise FileError(f"{path} 是空的 / {path} is empty")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise FileError(f"列名重复：{', '.join(repeated)} / column name(s) repeated: {', '.join(repeated)}")
    try:
        frame = pl.read_csv(io.BytesIO(data), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        data.decode("utf-8")  # the usual reason; raises UnicodeDecodeError
        _refuse_ragged(data, len(header))
        raise FileError(f"{path} 不是完好的 CSV / {path} is not a sound CSV: {error}") from None
    if _may_have_short_rows(data, frame):
        _refuse_ragged(data, len(header))
    return Table(_without_blank_rows(frame), raw=data)


def _may_have_short_rows(data: bytes, frame: pl.DataFrame) -> bool:
    """Say whether a row may lack cells: polars fills them with nulls without a word."""
    if frame.width == 1 or frame.height == 0 or frame[frame.columns[-1]].null_count() == 0:
        return False
    return b'"' in data or data.count(b",") != (frame.width - 1) * (frame.height + 1)


def _refuse_ragged(data: bytes, width: int) -> None:
    wrong = [(line, len(cells)) for line, cells in _records(data) if len(cells) not in (0, width)]
    if wrong:
        places = "\n".join(f"第 {line} 行 / line {line}: {count} 个单元格 / cells" for line, count in wrong)
        raise FileError(
            f"表头有 {width} 列，这些行不是 / the header has {width} columns, these lines do not:\n{places}"
        )


def _without_blank_rows(frame: pl.DataFrame) -> pl.DataFrame:
    first = frame[frame.columns[0]]
    if not (first.null_count() or (first == "").any()):
        return frame
    return frame.filter(~pl.all_horizontal(pl.all().is_null() | (pl.all() == "")))


def _records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line on which it begins; a quoted cell may hold line breaks."""
    reader = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    begin = 1
    for cells in reader:
        yield begin, cells
        begin = reader.line_num + 1


def _record_lines(data: bytes) -> list[int]:
    return [line for line, cells in _records(data) if any(cells)][1:]


def _fast_format(series: pl.Series) -> str:
    sample = series.drop_nulls().head(1)
    for text_format in FAST_TIME_FORMATS:
        if sample.str.to_datetime(text_format, strict=False).null_count() == 0:
            return text_format
    return FAST_TIME_FORMATS[0]


def _replaced(series: pl.Series, mapping: dict[str, Any], dtype: pl.DataType) -> pl.Series:
    return series.replace_strict(list(mapping), list(mapping.values()), default=None, return_dtype=dtype)


def _range_message(value: float, highest: float) -> str:
    if np.isinf(value):
        return "不是有限的数 / not a finite number"
    if value < 0:
        return "负值无效 / negative"
    return f"大于 {highest:g} / above {highest:g}"


def _replace(path: Path, write: Callable[[Any], Any]) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        temporary = Path(stream.name)
        try:
            write(stream)
            stream.flush()
            temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _short(column: str) -> str:
    return column.strip().lower().replace("pm2.5", "pm25").replace("pm2_5", "pm25")
