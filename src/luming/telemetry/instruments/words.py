"""What results, states and sent information are called and how they are coloured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from luming.hj212 import DEVICE_STATES
from luming.telemetry.instruments.models import Calibration, factor_name


@dataclass(frozen=True, slots=True)
class Word:
    """A label with the class of its tag (``is-good``, ``is-warn``, ``is-bad`` or none)."""

    label: Any
    tag: str = ""


RESULTS: dict[str, Word] = {
    Calibration.Result.OK: Word(_("Within limits"), "is-good"),
    Calibration.Result.ADJUST: Word(_("Must be adjusted"), "is-warn"),
    Calibration.Result.OUT: Word(_("Out of control"), "is-bad"),
    Calibration.Result.UNJUDGED: Word(_("Unjudged")),
}

# HJ 212-2017 B.8, i12001: state of an instrument.
INSTRUMENT_STATES: dict[str, Word] = {
    "0": Word(_("Working"), "is-good"),
    "1": Word(_("Maintenance"), "is-warn"),
    "2": Word(_("Fault"), "is-bad"),
    "3": Word(_("Calibrating"), "is-warn"),
    "5": Word(_("Blow-back"), "is-warn"),
    "6": Word(_("Power failure"), "is-bad"),
    "7": Word(_("Measuring"), "is-good"),
    "8": Word(_("Calibrating"), "is-warn"),
    "9": Word(_("Standby")),
    "10": Word(_("Operation and maintenance"), "is-warn"),
}
# HJ 212-2017 B.9, i22001: state of the logger.
LOGGER_STATES: dict[str, Word] = {
    "0": Word(_("Working"), "is-good"),
    "1": Word(_("Stopped"), "is-warn"),
    "2": Word(_("Fault"), "is-bad"),
    "3": Word(_("Maintenance"), "is-warn"),
}
# HJ 212-2017 table 4, SBxxx-RS: state of a part of the plant or of its treatment.
PART_STATES: dict[str, Word] = {
    "0": Word(_("Off")),
    "1": Word(_("Working"), "is-good"),
    "2": Word(_("Calibrating"), "is-warn"),
    "3": Word(_("Maintenance"), "is-warn"),
    "4": Word(_("Alarm"), "is-bad"),
    "5": Word(_("Blow-back"), "is-warn"),
}
assert {int(key) for key in PART_STATES} == set(DEVICE_STATES)
STATES = {"i12001": INSTRUMENT_STATES, "i22001": LOGGER_STATES, "RS": PART_STATES}

# HJ 212-2017 table 8, in a word.
MARKS: dict[str, Any] = {
    "F": _("Stopped"),
    "M": _("Maintenance"),
    "S": _("Set by hand"),
    "D": _("Fault"),
    "C": _("Calibrating"),
    "T": _("Above the range"),
    "B": _("No connection"),
}

# Names of what is sent beside factors; other codes stay codes.
CODES: dict[str, Any] = {
    "i12001": _("State of the instrument"),
    "i12002": _("Connection of the instrument"),
    "i13001": _("Range"),
    "i13002": _("Precision"),
    "i13003": _("Interval of measuring"),
    "i13004": _("Digestion temperature"),
    "i13005": _("Digestion time"),
    "i13006": _("Time of calibration"),
    "i13007": _("Intercept"),
    "i13008": _("Slope"),
    "i13009": _("Detection limit"),
    "i22001": _("State of the logger"),
    "i22002": _("User signed in at the logger"),
    "i22003": _("Connection of the logger"),
    "i31002": _("Door"),
    "i33101": _("Shelter temperature"),
    "i33102": _("Shelter humidity"),
    "i33103": _("Shelter voltage"),
    "RS": _("State"),
    "SN": _("Identity of the device"),
    "RestartTime": _("Start of the logger"),
}


def state(code: str, value: str) -> Word:
    """Return the word of a sent state; a value that the standard does not know stays as it was sent."""
    return STATES.get(code, {}).get(value) or Word(value)


def mark(letter: str) -> str:
    """Return a device's mark with its word; an unknown mark stays a letter."""
    known = MARKS.get(letter[:1])
    return f"{letter} {known}" if known else letter


def code_name(code: str) -> str:
    """Return what a code of sent information means."""
    return str(CODES.get(code, code))


def subject_name(subject: str) -> str:
    """Return what sent information is about."""
    return factor_name(subject)


def tag(word: Word) -> SafeString:
    """Write a word as a tag."""
    return format_html('<span class="lm-tag {}">{}</span>', word.tag, word.label)


def result_tag(row: Calibration) -> SafeString:
    """Write the result of a calibration as a tag."""
    return tag(RESULTS[row.result])


def drift_text(row: Calibration) -> str:
    """Write the drift with its sign and unit; nothing where it is not known."""
    return "" if row.drift is None else f"{row.drift:+.2f} {row.drift_unit}".replace("-", "−")
