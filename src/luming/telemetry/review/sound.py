"""What a decision must hold to be kept: a known action, a reason in force, a period of the day, what replaces."""

from __future__ import annotations

import math

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from luming.registry.models import Series
from luming.telemetry.review.models import Action, Method, ReviewDay, Scope

FREE = "other"  # codes that begin with it want a reason in words
LONGEST = 500


def require(scope: Scope, day: ReviewDay, *, typed: bool) -> None:
    """Raise what is wrong with a decision; ``typed`` tells whether its reason is in the person's own words."""
    if scope.action not in Action.values:
        raise ValidationError(_("There is no such decision."))
    if scope.code.action != scope.action or not _in_force(scope, day):
        raise ValidationError(_("Choose a reason that belongs to this decision and is in force on the day."))
    if scope.code.code.startswith(FREE) and not typed:
        raise ValidationError(_("“%(code)s” wants a reason in your own words.") % {"code": scope.code})
    if len(scope.reason) > LONGEST:
        raise ValidationError(_("The reason is longer than %(count)d characters.") % {"count": LONGEST})
    if not day.start <= scope.start < scope.end <= day.end:
        raise ValidationError(_("The period must lie within the day."))
    if scope.action == Action.REPLACE:
        _require_replacement(scope)
    elif scope.method or scope.value is not None or scope.other is not None:
        raise ValidationError(_("Only a replacement names a value or a device."))


def _in_force(scope: Scope, day: ReviewDay) -> bool:
    code = scope.code
    return code.effective_from <= day.day and (code.effective_to is None or day.day <= code.effective_to)


def _require_replacement(scope: Scope) -> None:
    if scope.method == Method.VALUE:
        if scope.value is None or not math.isfinite(scope.value) or scope.other is not None:
            raise ValidationError(_("Enter the number that replaces the value."))
    elif scope.method == Method.OTHER:
        if scope.other is None or scope.value is not None or not can_replace(scope.other, scope.series):
            raise ValidationError(
                _("Choose another device that measures the same factor in the same unit and interval.")
            )
    else:
        raise ValidationError(_("Say how the value is replaced: by a number, or by another device."))


def can_replace(other: Series, series: Series) -> bool:
    """Tell whether one series can stand in for another."""
    return other.pk != series.pk and (other.factor, other.interval, other.seconds, other.unit) == (
        series.factor, series.interval, series.seconds, series.unit,
    )  # fmt: skip
