"""The factor registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["FACTORS", "Factor", "by_short", "legacy_candidates"]

Medium = Literal["air", "gas", "water", "noise", "weather", "process", "state", "power"]


class Factor(NamedTuple):
    """One code of annex B (2017) or of the codes that came later."""

    code: str
    short: str | None  # glossary name, e.g. pm25
    name_zh: str
    name_en: str
    unit: str  # of the concentration or state, as the standard prints it, in SI symbols
    amount_unit: str  # of Cou; empty if the standard gives none
    medium: str
    kind: str  # pollutant, parameter, flow, noise, state, log, process
    format: str  # N5.2 of the standard
    legacy: str | None  # code of HJ/T 212-2005
    source: str
    verified: bool

    @property
    def decimals(self) -> int:
        return int(self.format.partition(".")[2] or 0) if self.format.startswith("N") else 0


FACTORS: Mapping[str, Factor] = {}


def by_short(short: str, medium: str) -> Factor:
    """The factor of a glossary name in a medium ('air', 'water', 'gas', 'noise', 'weather'); KeyError if unknown."""
    raise NotImplementedError


def legacy_candidates(code: str) -> tuple[str, ...]:
    """Present codes that a code of HJ/T 212-2005 may mean; the caller chooses per place, never globally."""
    raise NotImplementedError
