"""The pollutants whose amounts are counted: those for which HJ 212-2017 Annex B gives the hourly amount as a mass."""

from __future__ import annotations

import functools
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language

from luming.hj212 import FACTORS, find_factor

# The unit of Cou is that of Annex B: a packet does not name it, and it does not follow the series' unit.
KILOGRAMS = {"kg": 1.0, "g": 1e-3, "mg": 1e-6}
# What permits usually allow amounts of; the other factors follow by code.
FIRST = ("a21026", "a21002", "a34013", "w01018", "w21003", "w21001", "w21011")


def rank(code: str) -> tuple[int, str]:
    """Return where a factor stands in a list."""
    return (FIRST.index(code) if code in FIRST else len(FIRST), code)


def amount_factors() -> list[str]:
    """Return the codes of the factors whose hourly amounts are masses, the usual ones first."""
    return sorted((code for code, factor in FACTORS.items() if factor.amount_unit in KILOGRAMS), key=rank)


def kilograms(code: str) -> float:
    """Return how many kilograms one unit of a factor's amount is; KeyError for what is no mass."""
    factor = find_factor(code)
    if factor is None:
        raise KeyError(code)
    return KILOGRAMS[factor.amount_unit]


def name(code: str) -> str:
    """Return the name of a factor in the reader's language; an unknown code stays a code."""
    factor = find_factor(code)
    if factor is None:
        return code
    return (factor.name_zh if (get_language() or "").startswith("zh") else factor.name_en) or code


_lazy_name = lazy(name, str)


@functools.cache
def choices() -> tuple[tuple[str, Any], ...]:
    """Return the factors to choose from; their names are in the language of the moment they are shown."""
    return tuple((code, _lazy_name(code)) for code in amount_factors())
