"""Unified social credit code (统一社会信用代码, GB 32100-2015)."""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015, table 1: no I, O, S, V, Z
_WEIGHTS = [pow(3, i, 31) for i in range(17)]  # GB 32100-2015, 4.5: W_i = 3^(i-1) mod 31


def check_character(body: str) -> str:
    """Return the 18th character for the first 17 (GB 32100-2015, 4.5).

    Raises
    ------
    ValueError
        The body is not 17 characters of the code's alphabet.
    """
    if len(body) != 17 or any(character not in _ALPHABET for character in body):
        raise ValueError(
            "17 characters of 0-9 and A-Y without I, O, S, V, Z are needed / "
            "应为17位数字或大写字母（不含I、O、S、V、Z）"
        )
    total = sum(_ALPHABET.index(character) * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return _ALPHABET[(31 - total % 31) % 31]


def is_valid(code: str) -> bool:
    """Tell whether a code has 18 characters of the alphabet and the right check character.

    >>> is_valid("91350100M000100Y43")
    True
    """
    try:
        return len(code) == 18 and check_character(code[:17]) == code[17]
    except ValueError:
        return False
