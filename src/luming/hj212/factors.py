"""The factor registry: what a code means, in which unit, and what it was called in 2005.

The rows are in `data/factors.csv`, each with its source and whether it was read in the standard itself. Units are those
that the standard prints; real sites differ (particles in µg/m³ instead of ng/m³), so the unit of a series is a setting
of its place.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["FACTORS", "Factor", "by_short", "canonical_code", "find_factor", "is_legacy", "legacy_candidates"]


class Factor(NamedTuple):
    """One code of annex B (2017) or of the codes that came later."""

    code: str  # `xx` or `x` at the end stands for the number of the plant's unit: e101xx, i3331x
    short: str | None  # glossary name, e.g. pm25
    name_zh: str
    name_en: str
    unit: str  # of the concentration or state, as the standard prints it, in symbols; empty if it has none
    amount_unit: str  # of Cou; empty if the standard gives none
    medium: str  # air, gas (flue gas only), water, noise, weather, process, state, power
    kind: str  # pollutant, parameter, flow, noise, state, log, process
    format: str  # N5.2 of the standard: digits before and after the point
    legacy: str | None  # code of HJ/T 212-2005
    source: str
    verified: bool

    @property
    def decimals(self) -> int:
        """Digits after the point that the standard foresees."""
        return int(self.format.partition(".")[2] or 0) if self.format.startswith("N") else 0


def _load() -> dict[str, Factor]:
    text = resources.files(__package__).joinpath("data/factors.csv").read_text(encoding="utf-8")
    factors = {}
    for row in csv.DictReader(text.splitlines()):
        factors[row["code"]] = Factor(
            code=row["code"],
            short=row["short"] or None,
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            unit=row["unit"],
            amount_unit=row["amount_unit"],
            medium=row["medium"],
            kind=row["kind"],
            format=row["format"],
            legacy=row["legacy"] or None,
            source=row["source"],
            verified=row["verified"] == "yes",
        )
    return factors


FACTORS: Mapping[str, Factor] = MappingProxyType(_load())

_BY_LOWER = {code.lower(): code for code in FACTORS}
_NUMBERED = re.compile(r"([eg][0-9]{3})[0-9]{2}\Z|(i333[1-4])[0-9]\Z")
# Air and weather names serve flue gas too: the codes are the same.
_SHORTS = {(factor.medium, factor.short): factor for factor in FACTORS.values() if factor.short}
_SHORTS |= {("gas", short): factor for (medium, short), factor in _SHORTS.items() if medium == "air"}
_SHORTS |= {("air", short): factor for (medium, short), factor in _SHORTS.items() if medium == "weather"}


def _legacy() -> dict[str, tuple[str, ...]]:
    codes: dict[str, tuple[str, ...]] = {}
    for factor in FACTORS.values():
        if factor.legacy:
            codes[factor.legacy] = (*codes.get(factor.legacy, ()), factor.code)
    return codes


_LEGACY = _legacy()
_CODES_OF_SHORT = {
    short: tuple(factor.code for factor in FACTORS.values() if factor.short == short) for _, short in _SHORTS
}


def find_factor(code: str) -> Factor | None:
    """The factor of a code as it comes on the wire (numbered process codes included), or None."""
    factor = FACTORS.get(code)
    if factor is None and (numbered := _NUMBERED.match(code)):
        factor = FACTORS.get(f"{numbered[1]}xx" if numbered[1] else f"{numbered[2]}x")
    return factor


def canonical_code(code: str) -> str | None:
    """The registered writing of a code that differs in case only, or None."""
    return _BY_LOWER.get(code.lower())


def is_legacy(code: str) -> bool:
    """True if HJ/T 212-2005 has the code (and later editions do not)."""
    return code in _LEGACY


def by_short(short: str, medium: str) -> Factor:
    """The factor of a glossary name in a medium ('air', 'gas', 'water', 'noise', 'weather'); KeyError if unknown."""
    try:
        return _SHORTS[medium, short]
    except KeyError:
        raise KeyError(f"no factor is called {short!r} in {medium!r}") from None


def legacy_candidates(code: str) -> tuple[str, ...]:
    """Present codes that an old or home-made code may mean, likeliest first; empty if none is known.

    Only a proposal for a person: the same old code means different things at different places, so the mapping belongs
    to the place, never to the whole platform.
    """
    return _LEGACY.get(code, ()) + _CODES_OF_SHORT.get(code.lower(), ())
