"""Words of the checks' world, for models, verbs and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from luming.science.qc.model import Check, Mark, Parameter, Severity
from luming.telemetry.store import Origin, Quality

SEVERITIES: dict[str, Any] = {
    Severity.INVALID.value: _("Makes invalid"),
    Severity.SUSPECT.value: _("Makes suspect"),
    Severity.INFORM.value: _("Informs"),
    Severity.SIGNAL.value: _("Raises a suspicion"),
}
MARKS: dict[str, Any] = {
    Mark.VERIFIED.value: _("compared with the text"),
    Mark.SECONDARY.value: _("from another text that quotes it"),
    Mark.MEMORY.value: _("not compared with the text"),
    Mark.METHOD.value: _("a method, prescribed by no standard"),
}
FAMILIES: dict[str, Any] = {
    "GEN": _("Any series"),
    "AIR": _("Ambient air"),
    "WQ": _("Surface water"),
    "GAS": _("Waste gas"),
    "WW": _("Waste water"),
    "NOISE": _("Noise"),
    "DEV": _("Devices"),
    "FRAUD": _("Fabrication"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """What a state is called and how its mark looks."""

    label: Any
    tag: str = ""


QUALITIES = {
    Quality.VALID: Word(_("Valid value"), "is-good"),
    Quality.SUSPECT: Word(_("Suspect value"), "is-warn"),
    Quality.INVALID: Word(_("Invalid value"), "is-bad"),
    Quality.MISSING: Word(_("Missing value"), ""),
}
ORIGINS = {
    Origin.MEASURED: _("Measured value"),
    Origin.ESTIMATED: _("Estimated by the device"),
    Origin.SUBSTITUTED: _("Substituted"),
    Origin.MANUAL: _("Entered by hand"),
    Origin.CORRECTED: _("Corrected"),
}
RESULTS = {3: _("Doubtful"), 4: _("Faulty")}


def chinese() -> bool:
    """Tell whether the reader's language is Chinese."""
    return (get_language() or "zh").startswith("zh")


def title(check: Check) -> str:
    """Return the title of a check in the reader's language."""
    return check.zh if chinese() else check.en


def explanation(check: Check) -> str:
    """Return what a check finds and what to look at, in the reader's language."""
    return check.explain_zh if chinese() else check.explain_en


def parameter(one: Parameter) -> str:
    """Return what a parameter is, in the reader's language."""
    return one.zh if chinese() else one.en
