"""Words and looks of samples: states, controls, outcomes, and how figures are written."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from luming.hj212 import find_factor
from luming.telemetry.sampling.models import Comparison, Sample, SampleResult

TAGS = {
    "planned": "is-info", "taken": "is-warn", "handed": "is-warn", "received": "is-warn", "stored": "is-warn",
    "analysed": "is-good", "rejected": "is-bad", "disposed": "", "not-taken": "",
    "passed": "is-good", "failed": "is-bad", "unknown": "",
    "accepted": "is-good", "returned": "is-bad", "waiting": "is-warn", "withdrawn": "is-bad",
}  # fmt: skip
ICONS = {
    "taken": "droplet", "not-taken": "ban", "handed": "send", "received": "building-factory-2", "rejected": "square-x",
    "stored": "stack-2", "analysed": "list-check", "disposed": "trash",
}  # fmt: skip
# What a button of the next step says.
STEPS: dict[str, Any] = {
    "taken": gettext_lazy("Take the sample"),
    "not-taken": gettext_lazy("Could not be taken"),
    "handed": gettext_lazy("Hand over"),
    "received": gettext_lazy("Receive"),
    "rejected": gettext_lazy("Reject"),
    "stored": gettext_lazy("Store"),
    "analysed": gettext_lazy("Analysis done"),
    "disposed": gettext_lazy("Dispose of"),
}
WHY: dict[str, Any] = {
    "units": gettext_lazy("The units cannot be converted."),
    "no-automatic": gettext_lazy("There are no automatic values that count in this time."),
    "below-detection": gettext_lazy("The result is below detection."),
    "pairs": gettext_lazy("The standard asks for the relative accuracy of more pairs in one round."),
    "no-rule": gettext_lazy("No allowed error is known for this factor."),
}


def factor_name(code: str) -> str:
    """Return the name of a factor in the reader's language; an unknown code stays a code."""
    found = find_factor(code)
    if found is None:
        return code
    return (found.name_zh if (get_language() or "").startswith("zh") else found.name_en) or code


def factor_names(codes: Any) -> str:
    """Return the names of factors in one line."""
    return (
        "、".join(map(factor_name, codes))
        if (get_language() or "").startswith("zh")
        else ", ".join(map(factor_name, codes))
    )


def tag(key: str, label: Any) -> SafeString:
    """Write a state as a coloured word."""
    return format_html('<span class="lm-tag {}">{}</span>', TAGS.get(key, ""), label)


def state(sample: Sample) -> SafeString:
    """Write the state of a sample."""
    return tag(sample.state, sample.get_state_display())


def standing(result: SampleResult) -> str:
    """Return ``waiting``, ``accepted`` or ``returned``."""
    review = getattr(result, "review", None)
    return "waiting" if review is None else review.decision


STANDINGS: dict[str, Any] = {
    "waiting": gettext_lazy("To be reviewed"),
    "accepted": gettext_lazy("Review passed"),
    "returned": gettext_lazy("Returned"),
}


def figure(result: SampleResult) -> str:
    """Write a result: 40, <0.025 or withdrawn."""
    if result.withdrawn:
        return _("withdrawn")
    if result.below_detection:
        return f"<{result.detection_limit:g}"
    return f"{result.value:.6g}"


def error(comparison: Comparison) -> str:
    """Write an error with its sign: +4.2 % or −0.12."""
    return _signed(comparison.error, comparison.relative)


def allowed(comparison: Comparison) -> str:
    """Write the allowed error: ±15 % or ±0.3."""
    if comparison.allowed is None:
        return "—"
    return f"±{comparison.allowed:g} %" if comparison.relative else f"±{comparison.allowed:g}"


def _signed(value: float | None, relative: bool) -> str:
    if value is None:
        return "—"
    sign = "−" if value < 0 else "+"
    return f"{sign}{abs(value):.1f} %" if relative else f"{sign}{abs(value):.3g}"


CLAUSES: dict[str, Any] = {
    "table 1": gettext_lazy("table 1"),
    "table of comparison": gettext_lazy("table of comparison"),
}


def clause(text: str) -> str:
    """Return a clause of the table of allowed errors in the reader's language; another one stays as it is written."""
    return str(CLAUSES.get(text, text))
