"""What devices need: calibrations, planned work, supplies and certificates that are due, by their dates and limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from luming.registry.models import Device
from luming.standards.edition import city_day
from luming.telemetry.instruments import limits
from luming.telemetry.instruments.models import (
    CALIBRATION_WORK,
    Calibration,
    Certificate,
    Instrument,
    MaintenancePlan,
    Supply,
    factor_name,
)

MONTH, WEEK = timedelta(days=30), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """Something that a device needs.

    ``key`` is out (of control), adjust, calibration, plan, expiry, stock or certificate; ``day`` is when it is or was
    due, None for what is due now. ``tone`` is danger (late), warning (within a week, or at once) or info (a month).
    """

    key: str
    device_id: int
    label: str
    detail: str
    day: date | None
    tone: str
    url: str
    mark: str = ""  # how well the clause behind it is known

    @property
    def is_late(self) -> bool:
        """Tell whether it should have been done already."""
        return self.tone == "danger"


def of_devices(devices: QuerySet[Device], day: date, ahead: timedelta = MONTH) -> list[Due]:
    """Return what devices need until ``ahead`` of a day, the most urgent first; five queries whatever their number."""
    wanted = devices.order_by().values("pk")
    latest = latest_calibrations(wanted)
    found = [
        *_drifting(latest.values()),
        *_calibrations(wanted, latest, day, ahead),
        *_plans(wanted, day, ahead),
        *_supplies(wanted, day, ahead),
        *_certificates(wanted, day, ahead),
    ]
    order = {"danger": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda due: (order[due.tone], due.day or day, due.device_id, due.label))


Key = tuple[int, str, str]  # device, factor, kind


def latest_calibrations(devices: Any) -> dict[Key, Calibration]:
    """Return the newest calibration of each device, factor and kind; one query."""
    rows = Calibration.objects.filter(device__in=devices).order_by(
        "device_id", "factor", "kind", "-performed_at", "-id"
    )
    return {(row.device_id, row.factor, row.kind): row for row in rows.distinct("device_id", "factor", "kind")}


def needs_adjusting(row: Calibration) -> bool:
    """Tell whether a calibration found a drift beyond its limits that nobody has adjusted since."""
    return row.adjusted is None and row.result in (Calibration.Result.ADJUST, Calibration.Result.OUT)


def tone_of(due: date, day: date, every: float | None = None) -> str:
    """Return how urgent a day is; what comes every few days is urgent in the last fifth of its interval only."""
    soon = WEEK if every is None else min(WEEK, _notice(every))
    return "danger" if due < day else "warning" if due - day <= soon else "info"


def _notice(every: float) -> timedelta:
    """Return how long before its day work that comes again is worth a line: a fifth of its interval, a day at least."""
    return timedelta(days=max(1, int(every / 5)))


def record_url(key: str, pk: Any) -> str:
    """Return the address of a record; empty in an installation without the pages of registers."""
    try:
        return reverse("record", args=[key, pk])
    except NoReverseMatch:
        return ""


def _drifting(latest: Iterable[Calibration]) -> Iterator[Due]:
    for row in latest:
        if needs_adjusting(row):
            is_out = row.result == Calibration.Result.OUT
            name = _("Out of control") if is_out else _("Must be adjusted")
            detail = f"{row.get_kind_display()} · {row.drift:+.2f} {row.drift_unit}" if row.drift is not None else ""
            yield Due(
                "out" if is_out else "adjust", row.device_id, f"{factor_name(row.factor)}: {name}", detail,
                city_day(row.performed_at), "danger" if is_out else "warning", record_url("calibrations", row.pk),
                row.mark,
            )  # fmt: skip


def _calibrations(devices: Any, latest: dict[Key, Calibration], day: date, ahead: timedelta) -> Iterator[Due]:
    """Yield the calibrations that the standards' intervals make due, of instruments in use."""
    rows = Instrument.objects.filter(device__in=devices).filter(Q(retired_on=None) | Q(retired_on__gt=day))
    seen: set[Key] = set()
    for instrument in rows.select_related("device__place"):
        medium = instrument.device.place.medium
        for factor in instrument.codes:
            for kind in CALIBRATION_WORK:
                key = (instrument.device_id, factor, kind.value)
                rule = limits.due(medium, factor, kind.value, day, automatic=instrument.self_calibrating)
                if rule is None or key in seen:
                    continue
                seen.add(key)
                done = latest.get(key)
                last = city_day(done.performed_at) if done else instrument.installed_on
                by = (last or day) + timedelta(days=rule.days)
                if by <= day + min(ahead, _notice(rule.days)) and (done or instrument.installed_on):
                    since = _("last on %(day)s") % {"day": last} if done else _("never done here")
                    yield Due(
                        "calibration", instrument.device_id, f"{factor_name(factor)}: {kind.label}",
                        f"{since} · {rule.edition}", by, tone_of(by, day, rule.days),
                        _health(instrument.device_id), rule.mark,
                    )  # fmt: skip


def _plans(devices: Any, day: date, ahead: timedelta) -> Iterator[Due]:
    rows = MaintenancePlan.objects.filter(device__in=devices, is_active=True, next_due_on__lte=day + ahead)
    for row in rows:
        if row.next_due_on > day + _notice(row.interval_days):
            continue
        since = _("last on %(day)s") % {"day": row.last_done_on} if row.last_done_on else _("never done here")
        yield Due(
            "plan", row.device_id, row.title, since, row.next_due_on,
            tone_of(row.next_due_on, day, row.interval_days), record_url("maintenance-plans", row.pk),
        )  # fmt: skip


def _supplies(devices: Any, day: date, ahead: timedelta) -> Iterator[Due]:
    rows = Supply.objects.filter(device__in=devices, is_finished=False)
    for row in rows.filter(Q(expires_on__lte=day + ahead) | Q(minimum__gt=0, quantity__lt=F("minimum"))):
        url = record_url("supplies", row.pk)
        if row.expires_on is not None and row.expires_on <= day + ahead:
            yield Due(
                "expiry", row.device_id, str(row), str(row.get_kind_display()), row.expires_on,
                tone_of(row.expires_on, day), url,
            )  # fmt: skip
        if row.quantity < row.minimum:
            left = _("%(left)s left, order below %(least)s") % {
                "left": f"{row.quantity:g}",
                "least": f"{row.minimum:g}",
            }
            yield Due("stock", row.device_id, str(row), left, None, "warning", url)


def _certificates(devices: Any, day: date, ahead: timedelta) -> Iterator[Due]:
    rows = Certificate.objects.filter(device__in=devices, replaced=False, expires_on__lte=day + ahead)
    for row in rows.filter(Q(instrument=None) | Q(instrument__retired_on=None)):
        yield Due(
            "certificate", row.device_id, str(row.get_kind_display()), row.number, row.expires_on,
            tone_of(row.expires_on, day), record_url("certificates", row.pk),
        )  # fmt: skip


def _health(device_id: int) -> str:
    return reverse("device-health", args=[device_id])
