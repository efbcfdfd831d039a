"""Surface water class by GB 3838-2002 (地表水环境质量标准), table 1, one sample per row.

Single-factor assessment (环办〔2011〕22号): the class of a sample is the worst class of its items. Water temperature,
total nitrogen and faecal coliform are reference items: they have their own class but do not count. Where two classes
share a limit the better class is given. Each value is rounded (GB/T 8170) to the places it is displayed with before it
is judged; these places are in ``tables/surface_water.csv`` (``decimals``, unverified) and can be overridden.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luming.standards._tables import is_true, read_csv, read_toml
from luming.standards.rounding import as_float, round_half_even, scaled_half_even

Body = Literal["river", "lake"]
ClassArray = NDArray[np.int8]

WORSE_THAN_V = 6
_CLASSES = ("I", "II", "III", "IV", "V")


@dataclass(frozen=True)
class Item:
    """One item of GB 3838-2002 table 1. ``limits`` are the five class limits as printed (pH: lower and upper)."""

    factor: str
    name_zh: str
    name_en: str
    unit: str
    rule: Literal["at_most", "at_least", "range"]
    reference_only: bool
    limits: Mapping[str, tuple[str, ...]]
    decimals: Mapping[str, int]
    decimals_verified: bool
    edition: str
    clause: str
    verified: bool

    def scaled_limits(self, body: Body, decimals: int) -> list[int]:
        """Limits × 10^decimals; ``ValueError`` when so few places cannot show a limit."""
        scaled = [Decimal(limit).scaleb(decimals) for limit in self.limits[body]]
        if any(limit != int(limit) for limit in scaled):
            raise ValueError(f"{self.factor}: {decimals} decimals cannot show the limits {self.limits[body]}")
        return [int(limit) for limit in scaled]


@dataclass(frozen=True)
class ClassInfo:
    """Name of a class and the state and colour of a section in it (环办〔2011〕22号)."""

    number: int
    name_zh: str
    name_en: str
    state_zh: str
    state_en: str
    colour_zh: str
    rgb: tuple[int, int, int]
    verified: bool

    @property
    def hex(self) -> str:
        """Colour as ``#rrggbb``."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)


@dataclass(frozen=True)
class WaterResult:
    """Classes of n samples.

    ``klass``: int8, 1..5, 6 = worse than V, 0 = nothing to judge. ``classes``: the same per factor, reference items
    included. ``multiples``: per counted factor, (C - S) / S over the class III limit, NaN where the factor is not worse
    than class III; pH and DO have none. ``judged``: how many counted items each sample has.
    """

    klass: ClassArray
    classes: Mapping[str, ClassArray] = field(repr=False)
    multiples: Mapping[str, NDArray[np.float64]] = field(repr=False)
    judged: ClassArray = field(repr=False)
    counted: tuple[str, ...] = ()

    @cached_property
    def exceeding(self) -> list[list[tuple[str, float | None]]]:
        """Per sample the counted factors worse than class III with their multiples, largest first.

        pH and DO have no multiple (``None``) and come last.
        """
        found: list[list[tuple[str, float | None]]] = [[] for _ in range(len(self.klass))]
        for factor in self.counted:
            rows = np.nonzero(self.classes[factor] > 3)[0].tolist()
            multiples = self.multiples.get(factor)
            for row in rows:
                found[row].append((factor, None if multiples is None else float(multiples[row])))
        for entries in found:
            if len(entries) > 1:
                entries.sort(key=lambda entry: -1.0 if entry[1] is None else entry[1], reverse=True)
        return found

    def exceeding_text(self) -> list[str]:
        """``exceeding`` as text per sample: ``tp(0.35);codmn(0.10);do``, multiples with two places (GB/T 8170)."""
        return [";".join(_entry_text(*entry) for entry in entries) for entries in self.exceeding]


def _load_items() -> dict[str, Item]:
    return {row["factor"]: _item(row) for row in read_csv("surface_water.csv")}


def _item(row: dict[str, str]) -> Item:
    if row["rule"] == "range":
        river = tuple(row["I"].split("-"))
    else:
        river = tuple(row[name] for name in _CLASSES)
    lake = tuple(row[f"{name}_lake"] for name in _CLASSES) if row["I_lake"] else river
    return Item(
        factor=row["factor"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        unit=row["unit"],
        rule=row["rule"],  # type: ignore[arg-type]
        reference_only=is_true(row["reference_only"]),
        limits={"river": river, "lake": lake},
        decimals={"river": int(row["decimals"]), "lake": int(row["decimals_lake"] or row["decimals"])},
        decimals_verified=is_true(row["decimals_verified"]),
        edition=row["edition"],
        clause=row["clause"],
        verified=is_true(row["verified"]),
    )


def _load_classes() -> dict[int, ClassInfo]:
    table = read_toml("water_classes.toml")
    return {
        row["class"]: ClassInfo(
            row["class"],
            row["name_zh"],
            row["name_en"],
            row["state_zh"],
            row["state_en"],
            row["colour_zh"],
            (row["rgb"][0], row["rgb"][1], row["rgb"][2]),
            table["verified"],
        )
        for row in table["classes"]
    }


ITEMS: dict[str, Item] = _load_items()
"""Items of GB 3838-2002 table 1 by short name, without water temperature (a rise and drop, not a concentration)."""

CLASSES: dict[int, ClassInfo] = _load_classes()
"""``CLASSES[1..6]``: names, state and colour."""


def classify(
    values: Mapping[str, ArrayLike],
    *,
    body: Body = "river",
    decimals: Mapping[str, int] | None = None,
    count: Collection[str] = (),
    do_saturation: ArrayLike | None = None,
) -> WaterResult:
    """Class of each sample (GB 3838-2002 table 1; single-factor rule of 环办〔2011〕22号).

    Parameters
    ----------
    values : short name → n values in mg/L (pH without unit, ``fecal`` per litre); NaN, negative, infinite values and pH
        above 14 are missing. Names outside table 1 (``temp ec turb chla``) raise ``ValueError``.
    body : ``river``, or ``lake`` for lakes and reservoirs (total phosphorus has other limits).
    decimals : overrides the displayed places per factor.
    count : reference items (``tn``, ``fecal``) that shall count towards the class here.
    do_saturation : DO in percent of saturation; at 90 % or more DO is class I (table 1, item 3).

    Examples
    --------
    >>> result = classify({"codmn": [6.04, 6.6], "do": [7.5, 4.9], "tn": [9.0, 9.0]})
    >>> result.klass.tolist(), result.exceeding_text()
    ([3, 4], ['', 'codmn(0.10);do'])
    """
    places = decimals or {}
    arrays = _checked(values, count)
    shape = next((array.shape for array in arrays.values()), (0,))
    classes: dict[str, ClassArray] = {}
    multiples: dict[str, NDArray[np.float64]] = {}
    for factor, array in arrays.items():
        item = ITEMS[factor]
        scaled, limits = _scaled(item, array, body, places.get(factor))
        classes[factor] = _class_of(item, scaled, limits)
        if factor == "do" and do_saturation is not None:
            saturated = np.broadcast_to(as_float(do_saturation), shape) >= 90
            classes[factor] = np.where(saturated & (classes[factor] > 0), 1, classes[factor]).astype(np.int8)
        if item.rule == "at_most":
            multiples[factor] = np.where(classes[factor] > 3, (scaled - limits[2]) / limits[2], np.nan)
    counted = tuple(f for f in ITEMS if f in arrays and (not ITEMS[f].reference_only or f in count))
    klass = np.zeros(shape, dtype=np.int8)
    judged = np.zeros(shape, dtype=np.int8)
    for factor in counted:
        np.maximum(klass, classes[factor], out=klass)
        judged += classes[factor] > 0
    return WaterResult(klass, classes, {f: multiples[f] for f in counted if f in multiples}, judged, counted)


def factor_class(factor: str, value: ArrayLike, body: Body = "river", *, decimals: int | None = None) -> ClassArray:
    """Class of one factor alone, reference items included (GB 3838-2002 table 1): int8, 0 where missing.

    >>> factor_class("nh3n", [0.15, 1.004, 1.01, 2.01]).tolist()
    [1, 3, 4, 6]
    """
    array = _checked({factor: value}, ())[factor]
    return _class_of(ITEMS[factor], *_scaled(ITEMS[factor], array, body, decimals))


def limit(factor: str, klass: int, body: Body = "river") -> float:
    """Limit of a factor for class 1..5 in its unit; pH raises ``ValueError`` because it has a range."""
    item = ITEMS[factor]
    if item.rule == "range":
        raise ValueError(f"{factor} has the range {' to '.join(item.limits[body])} in every class, not one limit")
    return float(item.limits[body][klass - 1])


def _scaled(
    item: Item, array: NDArray[np.float64], body: Body, decimals: int | None
) -> tuple[NDArray[np.float64], list[int]]:
    if body not in item.limits:
        raise ValueError(f"body must be 'river' or 'lake', not {body!r}")
    places = item.decimals[body] if decimals is None else decimals
    limits = item.scaled_limits(body, places)
    highest = 14.0 if item.factor == "ph" else np.finfo(np.float64).max
    valid = (array >= 0) & (array <= highest)
    return scaled_half_even(np.where(valid, array, np.nan), places), limits


def _class_of(item: Item, scaled: NDArray[np.float64], limits: list[int]) -> ClassArray:
    if item.rule == "range":
        worse = np.where((scaled < limits[0]) | (scaled > limits[1]), len(_CLASSES), 0).astype(np.int8)
    else:
        worse = np.zeros(scaled.shape, dtype=np.int8)
        for bound in limits:
            worse += (scaled < bound) if item.rule == "at_least" else (scaled > bound)
    return np.where(np.isnan(scaled), 0, worse + 1).astype(np.int8)


def _checked(values: Mapping[str, ArrayLike], count: Collection[str]) -> dict[str, NDArray[np.float64]]:
    unknown = [name for name in (*values, *count) if name not in ITEMS]
    if unknown:
        raise ValueError(f"not in GB 3838-2002 table 1: {', '.join(unknown)}; known: {', '.join(ITEMS)}")
    arrays = {name: np.atleast_1d(as_float(column)) for name, column in values.items()}
    try:
        broadcast = np.broadcast_arrays(*arrays.values())
    except ValueError:
        lengths = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"the values differ in shape: {lengths}") from None
    return dict(zip(arrays, broadcast, strict=True))


@lru_cache(maxsize=65536)  # the same few multiples return in every file
def _entry_text(factor: str, multiple: float | None) -> str:
    return factor if multiple is None else f"{factor}({round_half_even(multiple, 2):.2f})"
