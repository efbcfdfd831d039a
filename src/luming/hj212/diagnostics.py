"""Every deviation that the library can report: one table of codes, and the record that points into a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

__all__ = ["REASONS", "Diagnostic", "ReasonInfo", "Severity", "diagnose"]

Severity = Literal["info", "warning", "error"]


class ReasonInfo(NamedTuple):
    """One row of the table. `zh` and `en` are sentences with `{0}`, `{1}` for the parameters."""

    severity: Severity
    zh: str
    en: str
    meaning: str  # what to do next, for the reference page


def _table() -> dict[str, ReasonInfo]:
    rows: list[tuple[str, Severity, str, str, str]] = []
    return {code: ReasonInfo(severity, zh, en, meaning) for code, severity, zh, en, meaning in rows}


REASONS: Mapping[str, ReasonInfo] = _table()


class Diagnostic(NamedTuple):
    """One deviation: its code in `REASONS`, how grave it is, and where in the frame it stands (byte offset)."""

    code: str
    severity: Severity
    position: int | None = None
    parameters: tuple[str, ...] = ()

    @property
    def message_zh(self) -> str:
        return REASONS[self.code].zh.format(*self.parameters)

    @property
    def message_en(self) -> str:
        return REASONS[self.code].en.format(*self.parameters)


def diagnose(code: str, position: int | None = None, *parameters: object) -> Diagnostic:
    """Make a diagnostic with the severity of the table."""
    return Diagnostic(code, REASONS[code].severity, position, tuple(str(value) for value in parameters))
