"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import (
    Concern,
    Item,
    Layer,
    Moment,
    NavigationItem,
    Panel,
    Search,
    Section,
    Tile,
    Timeline,
    Trait,
    Work,
)
from luming.core.models import User
from luming.registry.models import Device
from luming.telemetry.instruments import health, upkeep, words
from luming.telemetry.instruments.models import Calibration, Maintenance, factor_name
from luming.telemetry.instruments.upkeep import Due
from luming.web.instruments import overview
from luming.web.onefile import subjects
from luming.web.templatetags.luming import span

ROWS = 12
_SUBJECTS = frozenset({"outlet", "station", "section", "facility"})
ICONS = {"out": "gauge", "adjust": "gauge", "calibration": "ruler-measure", "plan": "tool", "expiry": "flask",
         "stock": "flask", "certificate": "certificate"}  # fmt: skip


# ---- the file --------------------------------------------------------------------------------------------------------


def upkeep_of(user: User, subject: Any) -> Mapping[str, Any] | None:
    """Show the devices of a place or facility with what they delivered in 30 days, and what they need."""
    devices = subjects.devices_of(user, subject)
    return _devices(devices) if devices else None


def _devices(devices: Sequence[Any]) -> Mapping[str, Any]:
    period = overview.usual_period()
    keys = [device.pk for device in devices]
    rates = health.rates_of_devices(keys, period.first, period.last)
    dues = upkeep.of_devices(Device.objects.filter(pk__in=keys), timezone.localdate())
    rows = [
        overview.Row(device, rates.get(device.pk, health.Rates()), [due for due in dues if due.device_id == device.pk])
        for device in devices
    ]
    rows.sort(key=lambda row: (-row.worry, row.device.mn))
    return {"rows": rows[:ROWS], "dues": [due for due in dues if due.tone != "info"][:ROWS]}


def of_portal(user: User) -> Mapping[str, Any] | None:
    """Show the enterprise's or the maintainer's own devices: those that need attention most."""
    rows = overview.rows(user, overview.usual_period())
    if not rows:
        return None
    return {"rows": rows[:ROWS], "dues": [due for due in overview.dues(user) if due.tone != "info"][:ROWS]}


def work(user: User, subject: Any, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell calibrations and maintenance."""
    if not user.may("device.view"):
        return
    devices = subjects.device_ids(user, subject)
    found = [*_calibrations(devices, before, limit), *_log(devices, before, limit)]
    yield from sorted(found, key=lambda moment: moment.at, reverse=True)[:limit]


def _calibrations(devices: Any, before: datetime, limit: int) -> Iterator[Moment]:
    calibrations = Calibration.objects.filter(device__in=devices, performed_at__lt=before).select_related("device")
    for row in calibrations.order_by("-performed_at", "-id")[:limit]:
        word = words.RESULTS[row.result]
        detail = [words.drift_text(row), str(word.label), str(row.device)]
        tone = {"is-bad": "danger", "is-warn": "warning", "is-good": "good"}.get(word.tag, "info")
        label = f"{row.get_kind_display()} · {factor_name(row.factor)}"
        url = upkeep.record_url("calibrations", row.pk)
        yield Moment(
            row.performed_at, label, " · ".join(filter(None, detail)), url, tone, "ruler-measure", row.performed_by
        )


def _log(devices: Any, before: datetime, limit: int) -> Iterator[Moment]:
    log = Maintenance.objects.filter(device__in=devices, start__lt=before).select_related("device")
    for entry in log.order_by("-start", "-id")[:limit]:
        length = span((entry.end - entry.start).total_seconds()) if entry.end else _("still going on")
        detail = [entry.what[:120], length, str(entry.device)]
        url = upkeep.record_url("maintenance", entry.pk)
        yield Moment(
            entry.start, str(entry.get_kind_display()), " · ".join(detail), url, "info", "tool", entry.performed_by
        )


# ---- home ------------------------------------------------------------------------------------------------------------


def _items(wanted: Sequence[Due]) -> Sequence[Item]:
    """Return one line for each device: what is most urgent, and how much there is."""
    by_device: dict[int, list[Due]] = {}
    for due in wanted:
        by_device.setdefault(due.device_id, []).append(due)
    names = dict(Device.objects.filter(pk__in=by_device).values_list("pk", "place__name")) if by_device else {}
    found = []
    for device_id, dues in by_device.items():
        first = dues[0]
        detail = " · ".join(filter(None, [first.label, first.detail]))
        if len(dues) > 1:
            detail = _("%(first)s and %(n)d more") % {"first": first.label, "n": len(dues) - 1}
        value = first.day.isoformat() if first.day else _("at once")
        url = reverse("device-health", args=[device_id]) + "#due"
        found.append(Item(names[device_id], url, detail, tone=first.tone, icon=ICONS[first.key], value=value))
    return found


def out_of_control(user: User, since: datetime) -> Sequence[Item]:
    """Return instruments whose last calibration was out of control and that nobody adjusted."""
    return _items([due for due in overview.dues(user) if due.key == "out"])


def overdue(user: User, since: datetime) -> Sequence[Item]:
    """Return devices with calibrations, planned work, supplies or certificates that are late.

    Those who do the work see also what is due within a week, and everyone the certificates and supplies that expire.
    """
    wanted = [due for due in overview.dues(user) if due.key != "out" and due.tone != "info"]
    if user.is_internal:
        wanted = [due for due in wanted if due.is_late or due.key in ("certificate", "expiry")]
    return _items(wanted)


def _list_of(need: str) -> Any:
    return lambda: f"{reverse('device-health-list')}?need={need}"


NAVIGATION: list[NavigationItem] = [
    NavigationItem(gettext_lazy("Device health"), "device-health-list", "heartbeat", "device.view", "transport", 32),
    NavigationItem(gettext_lazy("Maintainers"), "maintainers", "users", "device.view", "transport", 34),
]
PANELS: list[Panel] = [
    Panel(
        "upkeep", gettext_lazy("Devices and their upkeep"), _SUBJECTS, "web/instruments/panel.html", upkeep_of,
        order=126, wide=False, permission="device.view",
    )
]  # fmt: skip
TIMELINES: list[Timeline] = [
    Timeline("upkeep", gettext_lazy("Calibration and maintenance"), _SUBJECTS, work, "device.view")
]
TRAITS: list[Trait] = []
CONCERNS: list[Concern] = [
    Concern(
        "instruments-out", gettext_lazy("Instruments out of control"), "wrong", out_of_control, "device.view", 60,
        _list_of("out"),
    ),
    Concern(
        "instruments-due", gettext_lazy("Upkeep of devices that is late or due"), "todo", overdue, "instrument.keep",
        60, _list_of("late"),
    ),
]  # fmt: skip
TILES: list[Tile] = []
LAYERS: list[Layer] = []
SEARCHES: list[Search] = []
PORTAL_SECTIONS: list[Section] = [
    Section(
        "upkeep", gettext_lazy("Device health"), "web/instruments/portal.html", of_portal, 40,
        url_name="device-health-list", icon="heartbeat",
    )
]  # fmt: skip
PUBLIC_SECTIONS: list[Section] = []
WORKS: list[Work] = []
