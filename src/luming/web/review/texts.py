"""The words of the workbench's script."""

from __future__ import annotations

from django.utils.translation import gettext as _

from luming.telemetry.review import words
from luming.telemetry.review.models import Action
from luming.telemetry.store import Quality


def workbench() -> dict[str, object]:
    """Return every sentence that the script says, in the page's language."""
    return {
        "qualities": {int(key): str(words.QUALITIES[key].label) for key in Quality},
        "actions": {key: str(words.ACTIONS[key].label) for key in Action.values},
        "hour": _("Hour"),
        "minute": _("Time"),
        "all_day": _("Choose the whole day of this factor"),
        "missing": _("missing"),
        "observed": _("observed"),
        "counts": _("counts"),
        "converted": _("converted"),
        "person": _("decided by a person"),
        "revised": _("revised"),
        "limit": _("Limit"),
        "failed": _("The server did not answer. Your drafts are kept; try again."),
        "left_session": _("You are signed out: load the page again to sign in."),
        "selected": _("Chosen: %(factors)s, %(from)s–%(to)s"),
        "nothing": _("Nothing is chosen"),
        "undecided": _("Suspect values without a decision: %(n)s"),
        "all_decided": _("Every suspect value is decided"),
        "nothing_spoke": _("No check doubted anything"),
        "saved": _("Draft kept: %(what)s"),
        "undone": _("The last draft was taken back"),
        "no_draft": _("There is no draft to take back"),
        "submitted": _("Signed: %(what)s. Still waiting: %(n)s"),
        "queue_empty": _("Nothing waits any more: the queue is empty."),
        "changed": _("Changed since you opened it: %(what)s"),
        "write_reason": _("Write the reason in your own words, then press Enter."),
        "write_value": _("Enter the number that counts instead."),
        "choose_reason": _("Choose a reason by its number."),
        "no_next": _("No other suspect value on this day"),
        "minutes_none": _("No finer values are held for this hour."),
        "hours": _("Hours"),
        "minutes": _("Minutes"),
        "packet": _("From the value to its packet"),
        "back": _("Back to the hours"),
        "take_back": _("Take back"),
        "cannot": _("You may look at this day, but not decide: it is signed, or your role does not review."),
        "not_answered": _("not answered yet"),
        "refused": _("sent back"),
        "neighbours_none": _("No neighbour measures this medium in your scope."),
    }
