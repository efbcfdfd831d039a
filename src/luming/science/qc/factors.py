"""What is usual of a factor in a medium: names, units, bounds and thresholds, from which checks take their defaults.

``data/factors.csv`` holds one row per medium and factor. Bounds are of nature and of the usual kinds of instruments;
no standard prescribes them, so every one is a parameter that a series may have otherwise. Names are those of the
glossary, with ``dust o2 velocity gastemp gaspres gashum flow`` of flue gas and ``flow ss`` of waste water besides.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from math import nan

MEDIA = ("air", "water", "noise", "gas", "sewage")

# What loggers and programs write when they have no value; none of them is ever a measurement.
FILL_VALUES = (-99999.0, -9999.0, -7999.0, -6999.0, -999.0, -9999.99, -999.99, -99.99, 1e20, 1e30, 9.96921e36)

# Other spellings met in files.
ALIASES = {"pm2.5": "pm25", "pm2_5": "pm25", "cond": "ec", "conductivity": "ec", "level": "stage", "datetime": "time"}


@cache
def table() -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of the table by medium and factor; cells are text, empty where nothing is usual."""
    text = files(__package__).joinpath("data/factors.csv").read_text(encoding="utf-8")
    return {(row["medium"], row["factor"]): row for row in csv.DictReader(text.splitlines())}


def column(name: str) -> dict[str, float]:
    """Return a column as the ``by_factor`` of a parameter: ``medium:factor`` → number, without empty cells."""
    return {f"{medium}:{factor}": float(row[name]) for (medium, factor), row in table().items() if row[name]}


def names(medium: str) -> dict[str, str]:
    """Return the codes of HJ 212, HJ 524 and HJ 525 of a medium → short names."""
    return {row["code"]: factor for (of, factor), row in table().items() if of == medium and row["code"]}


def unit(factor: str, medium: str) -> str:
    """Return the unit that checks take for granted; empty where the factor has none or is not known."""
    return table().get((medium, factor), {}).get("unit", "")


def usual(name: str, factor: str, medium: str) -> float:
    """Return one figure of the table, NaN where nothing is usual."""
    cell = table().get((medium, factor), {}).get(name, "")
    return float(cell) if cell else nan
