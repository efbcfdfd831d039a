"""What review calls its states, grounds, origins and qualities."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.telemetry.review.models import Action, ReviewDay
from luming.telemetry.store import Origin, Quality


class Word(NamedTuple):
    """A word and the class of its tag."""

    label: Any
    tag: str = ""


STATES: dict[str, Word] = {
    ReviewDay.State.OPEN: Word(gettext_lazy("To be reviewed"), "is-warn"),
    ReviewDay.State.WORKING: Word(gettext_lazy("In work"), "is-info"),
    ReviewDay.State.SUBMITTED: Word(gettext_lazy("Submitted"), "is-good"),
    ReviewDay.State.COUNTERSIGNED: Word(gettext_lazy("Countersigned"), "is-good"),
    ReviewDay.State.REOPENED: Word(gettext_lazy("Reopened"), "is-warn"),
}
AWAITS = Word(gettext_lazy("Awaits a second signature"), "is-info")

QUALITIES: dict[int, Word] = {
    Quality.VALID: Word(gettext_lazy("valid"), "is-good"),
    Quality.SUSPECT: Word(gettext_lazy("suspect"), "is-warn"),
    Quality.INVALID: Word(gettext_lazy("invalid"), "is-bad"),
    Quality.MISSING: Word(gettext_lazy("missing"), ""),
}
ORIGINS: dict[int, Any] = {
    Origin.MEASURED: gettext_lazy("measured"),
    Origin.ESTIMATED: gettext_lazy("estimated by the device"),
    Origin.SUBSTITUTED: gettext_lazy("substituted"),
    Origin.MANUAL: gettext_lazy("entered by hand"),
    Origin.CORRECTED: gettext_lazy("corrected by review"),
}
ACTIONS: dict[str, Word] = {
    Action.ACCEPT: Word(gettext_lazy("Accept"), "is-good"),
    Action.INVALID: Word(gettext_lazy("Invalid"), "is-bad"),
    Action.REPLACE: Word(gettext_lazy("Replace"), "is-info"),
    Action.ASK: Word(gettext_lazy("Ask the enterprise"), "is-warn"),
}
GROUNDS: dict[str, Any] = {
    "suspect": gettext_lazy("suspect values: %(n)s"),
    "invalid": gettext_lazy("invalid values: %(n)s"),
    "missing": gettext_lazy("missing values: %(n)s"),
    "over": gettext_lazy("periods above a limit: %(n)s"),
    "near": gettext_lazy("values near a limit: %(n)s"),
    "national": gettext_lazy("national control"),
    "provincial": gettext_lazy("provincial control"),
    "first": gettext_lazy("factors that were sound for a week: %(n)s"),
    "public": gettext_lazy("published figures depend on it"),
    "answer": gettext_lazy("answers came: %(n)s"),
    "changed": gettext_lazy("data changed since the review"),
    "sent-back": gettext_lazy("sent back by the second signer"),
}


def state(day: ReviewDay) -> Word:
    """Return the word of a day's state."""
    return AWAITS if day.awaits_second else STATES[day.state]


def ground(code: str, count: int) -> str:
    """Return why a day matters, in words."""
    text = GROUNDS.get(code)
    return code if text is None else str(text) % {"n": count}


def grounds(day: ReviewDay) -> list[str]:
    """Return all grounds of a day, the weightiest first."""
    rows = sorted(day.grounds, key=lambda row: -row[2])
    return [ground(code, count) for code, count, _points in rows]


def problem_of(error: Any) -> str:
    """Return the sentences of a refusal."""
    return " ".join(getattr(error, "messages", None) or [str(error) or _("This is not possible.")])
