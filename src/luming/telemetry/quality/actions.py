"""Verbs on checks: set parameters of series with dates and a reason, decide on suspicions.

Each checks permission and scope, locks, changes, and writes its audit row in the same transaction. All raise
``PermissionDenied`` without the permission, ``ValidationError`` for what is wrong, and ``Model.DoesNotExist`` for what
lies outside the user's scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from luming.core import audit
from luming.core.models import User
from luming.registry.models import Medium, Series
from luming.science.qc.catalogue import catalogue
from luming.telemetry.quality import tasks
from luming.telemetry.quality.models import CheckSetting, SuspicionRecord, validate_code
from luming.telemetry.quality.words import SEVERITIES

CONFIGURE, DECIDE = "quality.configure", "review.decide"
State = SuspicionRecord.State


def set_check(
    user: User | None,
    code: str,
    *,
    reason: str,
    effective_from: date,
    series: Series | None = None,
    medium: str = "",
    factor: str = "",
    parameters: Mapping[str, float] | None = None,
    enabled: bool = True,
    severity: str = "",
) -> CheckSetting:
    """Set what a check does otherwise than by default, from a day on; values of that time are checked again.

    The setting of the same scope that holds on that day ends on the day before.
    """
    audit.require(user, CONFIGURE)
    reason = _required(reason)
    with transaction.atomic():
        if series is not None:
            series = _series(user, series)
            medium, factor = series.place.medium, series.factor
        setting = CheckSetting(
            code=code, series=series, medium=medium, factor=factor, parameters=dict(parameters or {}),
            enabled=enabled, severity=severity, effective_from=effective_from, reason=reason, made_by=user,
        )  # fmt: skip
        _validate(setting)
        ended = _make_room(setting)
        setting.full_clean(validate_unique=False)
        setting.save(force_insert=True)
        audit.record(
            user, "quality.set", setting, reason=reason, code=code, series=series.pk if series else None,
            medium=medium, factor=factor, parameters=setting.parameters, enabled=enabled, severity=severity,
            effective_from=effective_from.isoformat(), ended=ended,
        )  # fmt: skip
        transaction.on_commit(lambda: tasks.recheck_from(setting, effective_from))
    return setting


def end_setting(user: User | None, setting: CheckSetting, last_day: date, reason: str) -> CheckSetting:
    """End a setting after a day; from the next day on the more general one or the default holds again."""
    audit.require(user, CONFIGURE)
    reason = _required(reason)
    with transaction.atomic():
        row = CheckSetting.objects.select_for_update(of=("self",)).get(pk=setting.pk)
        if row.series_id:
            _series(user, Series.objects.get(pk=row.series_id))
        if last_day < row.effective_from:
            raise ValidationError({"effective_to": _("A setting cannot end before it begins.")})
        if row.effective_to is not None and row.effective_to <= last_day:
            raise ValidationError({"effective_to": _("This setting has ended already.")})
        before, row.effective_to = row.effective_to, last_day
        row.save(update_fields=["effective_to"])
        audit.record(
            user, "quality.end", row, reason=reason, before=before.isoformat() if before else None,
            effective_to=last_day.isoformat(),
        )  # fmt: skip
        transaction.on_commit(lambda: tasks.recheck_from(row, last_day + timedelta(days=1)))
    return row


def acknowledge(user: User | None, suspicion: SuspicionRecord, reason: str) -> SuspicionRecord:
    """Take a suspicion up: somebody looks into it."""
    return _decide(user, suspicion, State.ACKNOWLEDGED, "suspicion.acknowledge", reason)


def dismiss(user: User | None, suspicion: SuspicionRecord, reason: str) -> SuspicionRecord:
    """Put a suspicion aside, with the honest explanation."""
    return _decide(user, suspicion, State.DISMISSED, "suspicion.dismiss", reason)


def reopen(user: User | None, suspicion: SuspicionRecord, reason: str) -> SuspicionRecord:
    """Open a suspicion again."""
    return _decide(user, suspicion, State.OPEN, "suspicion.reopen", reason)


def _decide(user: User | None, suspicion: SuspicionRecord, state: str, verb: str, reason: str) -> SuspicionRecord:
    audit.require(user, DECIDE)
    reason = _required(reason)
    visible = SuspicionRecord.objects.all() if user is None else SuspicionRecord.objects.visible_to(user)
    with transaction.atomic():
        row = visible.select_for_update(of=("self",)).get(pk=suspicion.pk)
        if row.state == state:
            raise ValidationError(_("This suspicion is in that state already."))
        before, row.state, row.reason = row.state, state, reason
        row.decided_by, row.decided_at = user, timezone.now()
        row.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        audit.record(user, verb, row, reason=reason, before=before, code=row.code, place=row.place_id)
    return row


def _validate(setting: CheckSetting) -> None:
    """Refuse what the catalogue does not know, numbers out of bounds and settings that change nothing."""
    validate_code(setting.code)
    check = catalogue()[setting.code]
    if setting.medium not in Medium.values or setting.medium not in check.media:
        raise ValidationError({"medium": _("This check does not look at this medium.")})
    problems: dict[str, list[str]] = {}
    known = {parameter.name: parameter for parameter in check.parameters}
    for name, value in setting.parameters.items():
        if name not in known:
            problems[name] = [_("This check has no parameter of this name.")]
        elif isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            problems[name] = [_("Enter a number.")]
        elif not known[name].minimum <= value <= known[name].maximum:
            bounds = {"low": f"{known[name].minimum:g}", "high": f"{known[name].maximum:g}"}
            problems[name] = [_("The number must lie between %(low)s and %(high)s.") % bounds]
    signal = check.severity.value == "signal"
    if setting.severity and (setting.severity not in SEVERITIES or (setting.severity == "signal") != signal):
        problems["severity"] = [_("This check cannot have this severity.")]
    if problems:
        raise ValidationError(problems)
    if setting.enabled and not setting.parameters and not setting.severity:
        raise ValidationError(_("Change at least one parameter, the severity, or whether the check is in use."))


def _make_room(setting: CheckSetting) -> int | None:
    """End the setting of the same scope that holds on the first day of a new one; return its id."""
    scope = {"code": setting.code, "series": setting.series, "medium": setting.medium, "factor": setting.factor}
    same = CheckSetting.objects.select_for_update(of=("self",)).filter(**scope)
    if same.filter(effective_from=setting.effective_from).exists():
        raise ValidationError({"effective_from": _("Another setting of the same check begins on this day.")})
    later = same.filter(effective_from__gt=setting.effective_from).order_by("effective_from").first()
    if later is not None:
        setting.effective_to = later.effective_from - timedelta(days=1)
    held = same.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gte=setting.effective_from),
        effective_from__lt=setting.effective_from,
    ).first()
    if held is None:
        return None
    held.effective_to = setting.effective_from - timedelta(days=1)
    held.save(update_fields=["effective_to"])
    return held.pk


def _series(user: User | None, series: Series) -> Series:
    visible = Series.objects.all() if user is None else Series.objects.visible_to(user)
    return visible.select_related("place").get(pk=series.pk)


def _required(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": _("Say why: the reason is kept with the decision.")})
    return reason[:400]
