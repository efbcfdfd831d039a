"""The number of a discharge permit (HJ 608-2017): which unit, which of its sites, which kind of document.

HJ 608-2017, annex A: characters 1–18 are the unified social credit code, 19–21 the number of the site among the unit's
own, 22 identifies the document (P for a permit). For units without such a code the first edition of the rules put H9,
the division of the issuing office, nine characters and a lower-case letter into the first 18. Not verified: known from
memory and from numbers in use, the text of HJ 608-2017 is not at hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from luming.registry import uscc

LENGTH = 22
PERMIT_MARK = "P"
_FORM = re.compile(r"(?P<unit>[0-9A-Za-z]{18})(?P<site>[0-9]{3})(?P<mark>[0-9A-Z])")
_WITHOUT_CODE = re.compile(r"H9[0-9]{6}[0-9A-Z]{9}[a-hj-np-z]")


@dataclass(frozen=True, slots=True)
class Number:
    """A permit number in its parts."""

    unit: str
    site: str
    mark: str

    @property
    def is_sound(self) -> bool:
        """Tell whether the unit's part is a credit code with the right check character, or stands for having none."""
        return uscc.is_valid(self.unit) or _WITHOUT_CODE.fullmatch(self.unit) is not None


def read(text: str) -> Number | None:
    """Return the parts of a number; None when it does not have the form.

    >>> read("91130200699229617X001P").site
    '001'
    """
    found = _FORM.fullmatch(text)
    return Number(found["unit"], found["site"], found["mark"]) if found else None
