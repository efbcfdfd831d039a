"""By which limits a calibration is judged, and how often one is due: from the dated table of the standards.

The one door of this room to :mod:`luming.standards.drift`; everything else of the room asks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from luming import hj212
from luming.registry.models import Medium
from luming.standards import drift
from luming.standards.drift import DriftLimit, DriftState
from luming.telemetry.instruments.models import Calibration, Work

FULL_SCALE, STANDARD, ABSOLUTE = "full-scale", "standard", "absolute"  # what a drift is stated in

# Kinds of devices of the table that measure at places of a medium; a factor belongs to one of them.
KINDS: dict[str, tuple[str, ...]] = {
    Medium.GAS: ("cems-gas", "cems-particles", "cems-flow"),
    Medium.SEWAGE: ("sewage",),
    Medium.AIR: ("air-gas", "air-particles"),
}
CHECKS: dict[str, str] = {
    Work.ZERO: "zero",
    Work.SPAN: "span",
    Work.SYSTEM: "full-system",
    Work.CHECK: "standard-check",
    Work.FLOW: "flow",
    Work.FILM: "standard-film",
}
# Short names of the table that the glossary's factors do not have.
SHORTS = {"a34013": "pm", "a19001": "o2", "a01011": "velocity"}
RESULTS: dict[int, str] = {
    DriftState.UNKNOWN: Calibration.Result.UNJUDGED,
    DriftState.OK: Calibration.Result.OK,
    DriftState.ADJUST: Calibration.Result.ADJUST,
    DriftState.OUT_OF_CONTROL: Calibration.Result.OUT,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a drift may go: adjusting is due beyond ``adjust``, the instrument is out of control beyond ``control``.

    ``basis`` says what the figures are per cent of (full scale or the standard's value), or that they are absolute in
    ``unit``. ``mark`` says how well the clause is known: verified, secondary or memory.
    """

    adjust: float | None
    control: float | None
    basis: str
    unit: str
    edition: str
    mark: str
    row: DriftLimit | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """How often a calibration is due, in days, and by which clause."""

    days: float
    edition: str
    mark: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the figures of a calibration say."""

    drift: float | None
    unit: str
    result: str
    limits: Limits | None


def find(medium: str, factor: str, work: str, day: date) -> DriftLimit | None:
    """Return the row of the table for a kind of calibration of a factor at places of a medium, in force on a day."""
    known = hj212.FACTORS.get(factor)
    short = SHORTS.get(factor) or (known.short if known else None)
    check = CHECKS.get(work)
    if not short or check is None:
        return None
    for kind in KINDS.get(medium, ()):
        if (row := drift.limit(kind, short, check, when=day)) is not None:
            return row
    return None


def drift_limits(medium: str, factor: str, work: str, day: date) -> Limits | None:
    """Return the limits in force on a day; None where the table gives none."""
    row = find(medium, factor, work, day)
    if row is None or row.adjust is None:
        return None
    basis = {"% FS": FULL_SCALE, "%": STANDARD}.get(row.unit, ABSOLUTE)
    return Limits(row.adjust, row.out_of_control, basis, row.unit, row.edition, _mark(row), row)


def due(medium: str, factor: str, work: str, day: date, *, automatic: bool = False) -> Due | None:
    """Return how often a calibration is due, by itself or by a person; None where the table does not say it."""
    row = find(medium, factor, work, day)
    days = None if row is None else row.days_automatic if automatic else row.days_manual
    return None if row is None or days is None else Due(days, row.edition, _mark(row))


def _mark(row: DriftLimit) -> str:
    return "verified" if row.verified else "memory" if row.source.startswith("memory") else "secondary"


def judge(
    medium: str,
    factor: str,
    work: str,
    day: date,
    *,
    standard: float | None,
    response: float | None,
    full_scale: float | None,
    unit: str = "",
) -> Judged:
    """Return the drift of a calibration and how it stands.

    The drift is (response - standard) / basis × 100 %, or the difference itself where the limits are absolute; then it
    is judged only in the limits' own unit. Without limits it is stated in per cent of full scale for zero and span,
    where that is known, else of the standard's value; it is not judged then.
    """
    limits = drift_limits(medium, factor, work, day)
    if standard is None or response is None:
        return Judged(None, "", Calibration.Result.UNJUDGED, limits)
    if limits is not None:
        basis = limits.basis
    elif full_scale and work in (Work.ZERO, Work.SPAN, Work.SYSTEM, Work.LINEARITY):
        basis = FULL_SCALE
    else:
        basis = STANDARD
    found, stated = _stated(response, standard, basis, full_scale, unit)
    foreign = basis == ABSOLUTE and limits is not None and unit != limits.unit
    if found is None or limits is None or limits.row is None or foreign:
        return Judged(found, stated, Calibration.Result.UNJUDGED, limits)
    return Judged(found, stated, RESULTS[int(drift.states_of(found, limits.row))], limits)


def _stated(
    response: float, standard: float, basis: str, full_scale: float | None, unit: str
) -> tuple[float | None, str]:
    """Return a drift in the unit of its basis; None when the basis is unknown or zero."""
    if basis == ABSOLUTE:
        return response - standard, unit
    if basis == FULL_SCALE:
        return (float(drift.drift(response, standard, full_scale)), "%FS") if full_scale else (None, "")
    return ((response - standard) / abs(standard) * 100, "%") if standard else (None, "")
