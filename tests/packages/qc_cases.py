"""Windows for tests of quality checks, from the few lines of a golden case."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from luming.science.qc.model import Neighbour, Span, Window

START = np.datetime64("2026-03-01T00:00:00", "s")


def moment(minutes: float) -> np.datetime64:
    """Return the instant so many minutes after the start of every case; NaN is no instant."""
    return np.datetime64("NaT", "s") if np.isnan(minutes) else START + np.timedelta64(round(minutes * 60), "s")


def moments(minutes: list[float]) -> np.ndarray:
    """Return instants, datetime64[s]."""
    return np.array([moment(minute) for minute in minutes], dtype="datetime64[s]")


def window(case: dict[str, Any]) -> Window:
    """Return the window of a case; times and interval are in minutes."""
    factor, interval = case["factor"], case.get("interval", 60)
    values = {factor: floats(case["values"])} | {name: floats(row) for name, row in case.get("others", {}).items()}
    n = len(values[factor])
    columns = {
        name: {factor: floats(case[name])} for name in ("minimum", "maximum", "converted", "amount") if name in case
    }
    return Window(
        time=moments(case.get("times", [interval * row for row in range(n)])),
        values=values,
        interval=interval * 60.0,
        medium=case.get("medium", "air"),
        station=case.get("station", ""),
        flags={factor: np.array(case["flags"])} if "flags" in case else {},
        received=moments(case["received"]) if "received" in case else None,
        range={name: tuple(bounds) for name, bounds in case.get("range", {}).items()},
        reference_oxygen=case.get("reference_oxygen", np.nan),
        stopped=np.array(case["stopped"], dtype=bool) if "stopped" in case else None,
        spans=[
            Span(span["kind"], moment(span["start"]), moment(span["end"]), span.get("detail", {}))
            for span in case.get("spans", [])
        ],
        neighbours={
            factor: [
                Neighbour(f"n{i}", floats(other["values"]), other.get("km", 5.0), other.get("bearing", np.nan))
                for i, other in enumerate(case.get("neighbours", []))
            ]
        },
        now=moment(case["now"]) if "now" in case else None,
        **columns,
    )


def floats(row: list[float] | str) -> np.ndarray:
    """Return a row of numbers; text is numbers divided by spaces, ``-`` for none, ``5*12`` for twelve fives."""
    if isinstance(row, list):
        return np.array(row, dtype=float)
    found: list[float] = []
    for word in row.split():
        number, _, times = word.partition("*")
        found += [np.nan if number == "-" else float(number)] * int(times or 1)
    return np.array(found)


def results(text: str) -> list[int]:
    """Return expected results; ``1*12 4`` are twelve passes and one fail."""
    return [int(number) for number in floats(text)]


def cases(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the cases of every golden file of a folder."""
    for path in sorted(folder.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield case | {"file": path.stem}
