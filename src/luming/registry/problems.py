"""What is wrong in a file, said so that a person can mend it; and what a load or an import did."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or, as a warning, looks wrong) in one cell, row or file."""

    sheet: str  # or the file's name
    row: int | None  # as the spreadsheet numbers it; None for the sheet as a whole
    column: str
    value: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        place = self.sheet
        if self.row is not None:
            place += " " + _("row %(row)d") % {"row": self.row}
        if self.column:
            place += f" [{self.column}]"
        if self.value:
            place += f" “{self.value}”"
        return f"{place}: {self.what}" + (f" {self.remedy}" if self.remedy else "")


class FileError(ValueError):
    """A file cannot be used; nothing was changed. ``problems`` has all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Counts:
    """What became of the rows of one table."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class Report:
    """What a load or an import did, or would do."""

    tables: dict[str, Counts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    applied: bool = False

    @property
    def is_change(self) -> bool:
        """Tell whether anything is new or different."""
        return any(counts.new or counts.changed for counts in self.tables.values())

    def print(self, labels: dict[str, str], file: TextIO | None = None) -> None:
        """Print one line per table."""
        for name, counts in self.tables.items():
            numbers = _("%(new)d new, %(changed)d changed, %(unchanged)d unchanged") % {
                "new": counts.new,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
            }
            print(f"{labels.get(name, name)}: {numbers}", file=file)


def write_csv(problems: Iterable[Problem], path: Path) -> None:
    """Write problems as CSV that Excel opens with its Chinese intact (UTF-8 with BOM)."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_("Sheet"), _("Row"), _("Column"), _("Value"), _("What is wrong"), _("What to do")])
        for problem in problems:
            writer.writerow(
                [problem.sheet, problem.row or "", problem.column, problem.value, problem.what, problem.remedy]
            )
