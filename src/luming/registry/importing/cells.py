"""From a cell to a value. A cell is what a spreadsheet or CSV holds: text, number, date, truth or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

Cell = Any  # str | float | int | bool | date | datetime | time | None
Parser = Callable[[Cell], Any]

_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_DATE_TIME = re.compile(_DATE.pattern + r"[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?")
_TRUTHS = {
    "是": True, "有": True, "√": True, "yes": True, "y": True, "true": True, "1": True,
    "否": False, "无": False, "×": False, "no": False, "n": False, "false": False, "0": False,
}  # fmt: skip


class CellError(ValueError):
    """A cell cannot be understood; says what is wrong and what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


def shown(cell: Cell) -> str:
    """Return a cell as a person sees it in the spreadsheet."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def text(cell: Cell) -> str:
    """Return the text of a cell; a number that a spreadsheet has rounded is refused, since a code was meant."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= 1e15:
        raise CellError(
            _("The spreadsheet has turned this code into a number and rounded it."),
            _("Format the column as text and type the code again."),
        )
    return shown(cell)


def code(cell: Cell) -> str:
    """Return a code: text without spaces inside."""
    found = text(cell)
    if re.search(r"\s", found):
        raise CellError(_("A code has no spaces."), _("Remove the spaces."))
    return found


def number(cell: Cell) -> float:
    """Return a finite number; full-width digits and thousands separators of text are understood."""
    if isinstance(cell, bool | date | time):
        raise CellError(_("This is not a number."), _("Type a number."))
    try:
        value = float(cell if isinstance(cell, int | float) else shown(cell).replace(",", "").replace("，", ""))
    except ValueError:
        raise CellError(_("This is not a number."), _("Type digits only, without a unit.")) from None
    if not math.isfinite(value):
        raise CellError(_("This is not a number."), _("Type digits only, without a unit."))
    return value


def whole(cell: Cell) -> int:
    """Return a whole number."""
    value = number(cell)
    if not value.is_integer():
        raise CellError(_("This is not a whole number."), _("Type a whole number."))
    return int(value)


def day(cell: Cell) -> date:
    """Return a calendar day: a date of the spreadsheet, or text such as 2026-03-01, 2026/3/1, 2026年3月1日."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date(*map(int, _matched(_DATE, cell)))
    except ValueError:
        raise CellError(_("This is not a date."), _("Write it like 2026-03-01.")) from None


def instant(cell: Cell) -> datetime:
    """Return an instant; what is written is the city's local time."""
    if isinstance(cell, datetime):
        local = cell
    elif isinstance(cell, date):
        local = datetime.combine(cell, time())
    else:
        try:
            found = _DATE_TIME.fullmatch(shown(cell))
            parts = found.groups(default="0") if found else _matched(_DATE, cell)
            local = datetime(*map(int, parts))
        except ValueError:
            raise CellError(_("This is not a time."), _("Write it like 2026-03-01 08:00.")) from None
    return local if timezone.is_aware(local) else timezone.make_aware(local)


def _matched(pattern: re.Pattern[str], cell: Cell) -> tuple[str, ...]:
    found = pattern.fullmatch(shown(cell))
    if not found:
        raise ValueError
    return found.groups()


def truth(cell: Cell) -> bool:
    """Return whether a cell says yes."""
    found = _TRUTHS.get(shown(cell).lower())
    if found is None:
        raise CellError(_("This is neither yes nor no."), _("Write 是 or 否 (yes or no)."))
    return found


def words(cell: Cell) -> list[str]:
    """Return the parts of a list that commas, semicolons or spaces separate."""
    return [part for part in re.split(r"[\s,;，；、]+", text(cell)) if part]


def choice(options: Mapping[Any, tuple[str, ...]]) -> Parser:
    """Return the parser of a column with few permitted values: stored value -> the ways to write it."""
    spelled = {spelling.lower(): value for value, spellings in options.items() for spelling in spellings}
    spelled |= {str(value).lower(): value for value in options}

    def parse(cell: Cell) -> Any:
        try:
            return spelled[shown(cell).lower()]
        except KeyError:
            permitted = ", ".join(spellings[0] for spellings in options.values())
            raise CellError(
                _("This is none of the permitted values."), _("Use one of: %(values)s.") % {"values": permitted}
            ) from None

    return parse
