"""What marks, decisions and findings are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from luming.telemetry.marks.models import Mark, MarkCode

TAGS = {"submitted": "is-warn", "confirmed": "is-good", "refused": "is-bad", "withdrawn": ""}
FINDINGS: dict[str, Any] = {
    "running": gettext_lazy("Stated to stand still, but values show it running"),
    "device-normal": gettext_lazy("The device itself sent these hours as normal"),
    "overlap": gettext_lazy("Another mark on the same time says something else"),
    "after-exceedance": gettext_lazy("Made after the exceedance was known"),
    "repeated": gettext_lazy("Marks again and again fit exceedances exactly"),
    "too-long": gettext_lazy("Longer than this state may last"),
    "yearly": gettext_lazy("More hours than a year allows"),
}


def state_tag(mark: Mark) -> SafeString:
    """Write how far a mark has come."""
    return format_html('<span class="lm-tag {}">{}</span>', TAGS[mark.state], mark.get_state_display())


def finding_title(finding: Mapping[str, Any]) -> str:
    """Return the title of a finding."""
    return str(FINDINGS.get(finding["kind"], finding["kind"]))


def finding_text(finding: Mapping[str, Any]) -> str:
    """Return what was found, with its numbers."""
    kind = finding["kind"]
    if kind == "overlap":
        chinese = (get_language() or "").startswith("zh")
        values = {"code": finding["name_zh" if chinese else "name_en"], "hours": f"{finding['hours']:g}"}
        return _("“%(code)s” holds for %(hours)s h of this period.") % values
    sentences = {
        "running": _("In %(hours)s of %(of)s whole hours flow or oxygen say that the plant runs."),
        "device-normal": _("%(hours)s of %(of)s hours with values bear the flag N."),
        "after-exceedance": _("%(hours)s hours exceeded a limit; the first was known at %(known)s."),
        "repeated": _("%(marks)s marks of the last %(days)s days begin and end exactly with an exceedance."),
        "too-long": _("%(hours)s h, at most %(allowed)s h."),
        "yearly": _("With this mark %(hours)s h of the year, at most %(allowed)s h."),
    }
    values = dict(finding) | {"known": _clock(finding.get("known", ""))}
    return sentences.get(kind, "") % values if kind in sentences else ""


def _clock(text: str) -> str:
    moment = parse_datetime(text) if text else None
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""


def consequence(code: MarkCode) -> str:
    """Return in a sentence what a mark with a code does."""
    parts = []
    if code.shutdown:
        parts.append(_("Counts as out of operation: no exceedance is decided, nothing is emitted."))
    elif code.excluded:
        parts.append(_("Its values take no part in exceedance decisions."))
    else:
        parts.append(_("Its values are judged like any others."))
    if code.amounts == MarkCode.Amounts.MISSING:
        parts.append(_("For emission amounts the hours are missing and substituted."))
    if code.excluded and code.needs_confirmation:
        parts.append(_("Takes effect when the bureau confirms it."))
    if code.yearly_hours:
        parts.append(_("At most %(hours)s h a year.") % {"hours": code.yearly_hours})
    return " ".join([*parts, code.note] if code.note else parts)
