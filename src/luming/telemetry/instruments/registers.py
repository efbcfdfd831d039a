"""The registers of instruments: what stands where, what was done to it, what it needs, how it fares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.core.registers import Action, Column, Filter, Group, Register, Related
from luming.telemetry.instruments import actions, words
from luming.telemetry.instruments.models import (
    Calibration,
    Certificate,
    DeviceFact,
    HealthDay,
    Instrument,
    Maintenance,
    MaintenancePlan,
    Supply,
    factor_name,
)

VIEW = "device.view"
HELP = "how-to/keep-devices"


def _factor(record: Any) -> SafeString | str:
    """Write a factor by its name, with its code."""
    if not record.factor:
        return ""
    return format_html('{} <span class="text-secondary">{}</span>', factor_name(record.factor), record.factor)


def _factors(record: Instrument) -> str:
    """Write what an instrument measures by names."""
    return "、".join(factor_name(code) for code in record.codes)


def _range(record: Instrument) -> str:
    if record.upper is None:
        return ""
    return f"{record.lower:g}–{record.upper:g} {record.unit}"


def _present(model: Any) -> Callable[[User], Sequence[tuple[str, Any]]]:
    """Return the choices of a filter: the factors that the user's records have."""

    def choices(user: User) -> Sequence[tuple[str, Any]]:
        rows = model.objects.visible_to(user).order_by("factor").values_list("factor", flat=True).distinct()
        return sorted(((code, factor_name(code)) for code in rows if code), key=lambda item: item[1])

    return choices


def _health(record: Any) -> str:
    """Return the address of the page of a device's health."""
    return reverse("device-health", args=[record.device_id])


REGISTERS = [
    Register(
        key="instruments",
        model=Instrument,
        icon="gauge",
        order=60,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "name",
            Column("factors", render=_factors),
            "device",
            Column("device__place", label=_("Place")),
            "manufacturer",
            "model",
            Column("serial", kind="code"),
            "principle",
            Column("upper", label=_("Range"), kind="text", render=_range),
            "installed_on",
            Column("self_calibrating", shown=False),
            Column("retired_on", shown=False),
            Column("device__maintainer", label=_("Maintainer"), shown=False),
            Column("note", shown=False),
        ],
        filters=["device", "device__place", Filter("factors", kind="text"), "manufacturer", "installed_on", "is_demo"],
        search=["name", "serial", "model", "manufacturer", "device__mn"],
        form=[
            Group(_("Identity"), ["device", "serial", "factors", "name", "manufacturer", "model", "principle"]),
            Group(_("Range"), ["lower", "upper", "unit", "self_calibrating"]),
            Group(_("Where and since when"), ["installed_on", "retired_on", "note"]),
        ],
        natural_key=["device", "serial", "factors"],
        bulk=["manufacturer", "model", "principle", "retired_on"],
        related=[
            Related("calibrations", "instrument"),
            Related("maintenance", "instrument"),
            Related("certificates", "instrument"),
            Related("supplies", "instrument"),
        ],
        select=["device", "device__place", "device__maintainer"],
        create=actions.create_instrument,
        change=actions.change_instrument,
        help=HELP,
        description=_("Analysers and sensors with their ranges, read by the loggers."),
        cycle=_("when an instrument is put up, changed or taken away"),
    ),
    Register(
        key="calibrations",
        model=Calibration,
        icon="ruler-measure",
        order=61,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "performed_at",
            "device",
            Column("factor", render=_factor),
            "kind",
            "standard",
            "response",
            "unit",
            Column("drift", render=words.drift_text, export=False),
            Column("result", render=words.result_tag),
            "source",
            "performed_by",
            Column("drift_unit", shown=False),
            Column("adjusted", shown=False),
            Column("full_scale", shown=False),
            Column("instrument", shown=False),
            Column("supply", shown=False),
            Column("limit_adjust", shown=False),
            Column("limit_control", shown=False),
            Column("edition", shown=False),
            Column("mark", shown=False),
            Column("reported", shown=False),
            Column("until", shown=False),
            Column("note", shown=False),
        ],
        filters=[
            "device",
            Filter("factor", choices=_present(Calibration)),
            "kind",
            "result",
            "source",
            "performed_at",
            "is_demo",
        ],
        search=["performed_by", "note", "device__mn", "device__name"],
        form=[
            Group(_("What was calibrated"), ["device", "instrument", "factor", "kind", "performed_at", "until"]),
            Group(
                _("What it showed"),
                ["standard", "response", "adjusted", "unit", "full_scale", "supply"],
                _("Drift and result follow from these figures and the limits of the day."),
            ),
            Group(_("By whom"), ["performed_by", "note"]),
        ],
        natural_key=["device", "factor", "kind", "performed_at"],
        explained=True,
        delete=True,
        select=["device", "instrument", "supply"],
        create=actions.create_calibration,
        change=actions.change_calibration,
        remove=actions.delete_calibration,
        help=HELP,
        description=_("Calibrations and checks of instruments, sent by devices or entered by hand."),
        cycle=_("with every calibration"),
    ),
    Register(
        key="maintenance",
        model=Maintenance,
        icon="tool",
        order=62,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "start",
            "end",
            "device",
            "kind",
            "what",
            "performed_by",
            Column("instrument", shown=False),
            Column("plan", shown=False),
        ],
        filters=["device", "kind", "start", "is_demo"],
        search=["what", "performed_by", "device__mn", "device__name"],
        form=[
            Group(_("Work"), ["device", "instrument", "kind", "start", "end", "what"]),
            Group(_("By whom"), ["performed_by", "plan"]),
        ],
        natural_key=["device", "kind", "start"],
        delete=True,
        select=["device", "instrument", "plan"],
        create=actions.create_maintenance,
        change=actions.change_maintenance,
        remove=actions.delete_maintenance,
        help=HELP,
        description=_("What was done to devices, when and by whom."),
        cycle=_("with every visit"),
    ),
    Register(
        key="maintenance-plans",
        model=MaintenancePlan,
        icon="calendar-stats",
        order=63,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "next_due_on",
            "device",
            "title",
            "work",
            "interval_days",
            "last_done_on",
            "is_active",
            Column("instrument", shown=False),
        ],
        filters=["device", "work", "next_due_on", "is_active", "is_demo"],
        search=["title", "device__mn", "device__name"],
        form=[
            Group(_("Work"), ["device", "title", "instrument", "work"]),
            Group(_("When"), ["interval_days", "last_done_on", "next_due_on", "is_active"]),
        ],
        natural_key=["device", "title"],
        bulk=["interval_days", "is_active"],
        related=[Related("maintenance", "plan")],
        select=["device", "instrument"],
        create=actions.create_plan,
        change=actions.change_plan,
        help=HELP,
        description=_("Work on devices that comes again, with its next day."),
        cycle=_("when a plan is made or its work was done"),
    ),
    Register(
        key="supplies",
        model=Supply,
        icon="flask",
        order=64,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "name",
            "kind",
            "device",
            Column("batch", kind="code"),
            "quantity",
            "unit",
            "minimum",
            "expires_on",
            "is_finished",
            Column("value", shown=False),
            Column("value_unit", shown=False),
            Column("factor", render=_factor, shown=False),
            Column("opened_on", shown=False),
            Column("instrument", shown=False),
        ],
        filters=["device", "kind", "expires_on", "is_finished", "is_demo"],
        search=["name", "batch", "device__mn", "device__name"],
        form=[
            Group(_("What it is"), ["device", "name", "batch", "kind", "instrument"]),
            Group(_("Certified value of a standard"), ["factor", "value", "value_unit"]),
            Group(_("Stock and expiry"), ["quantity", "unit", "minimum", "opened_on", "expires_on", "is_finished"]),
        ],
        natural_key=["device", "name", "batch"],
        bulk=["expires_on", "minimum"],
        related=[Related("certificates", "supply"), Related("calibrations", "supply")],
        actions=[
            Action(
                key="finish",
                label=_("Used up"),
                icon="ban",
                permission=actions.PERMISSION,
                run=actions.finish_supplies,
                question=_("The supply is used up or discarded: nothing of it is left."),
                applies=lambda supply: not supply.is_finished,
            )
        ],
        select=["device", "instrument"],
        create=actions.create_supply,
        change=actions.change_supply,
        help=HELP,
        description=_("Consumables, reagents, standard gases and spare parts with their expiry."),
        cycle=_("when something is brought, opened or used up"),
    ),
    Register(
        key="certificates",
        model=Certificate,
        icon="certificate",
        order=65,
        view=VIEW,
        edit=actions.PERMISSION,
        columns=[
            "number",
            "kind",
            "device",
            "instrument",
            "issued_by",
            "issued_on",
            "expires_on",
            "replaced",
            Column("supply", shown=False),
        ],
        filters=["device", "kind", "expires_on", "replaced", "is_demo"],
        search=["number", "issued_by", "device__mn", "device__name"],
        form=[
            Group(_("What it certifies"), ["device", "kind", "number", "instrument", "supply"]),
            Group(_("Issue and validity"), ["issued_by", "issued_on", "expires_on", "replaced"]),
        ],
        natural_key=["device", "kind", "number"],
        bulk=["replaced"],
        select=["device", "instrument", "supply"],
        create=actions.create_certificate,
        change=actions.change_certificate,
        help=HELP,
        description=_("Type approvals, verifications and gas certificates with their expiry; the files hang on them."),
        cycle=_("when a certificate is issued"),
    ),
    Register(
        key="device-information",
        model=DeviceFact,
        icon="info-circle",
        order=66,
        view=VIEW,
        edit=actions.PERMISSION,
        add=False,
        columns=[
            "at",
            "device",
            Column("subject", render=lambda row: words.subject_name(row.subject)),
            Column("code", render=lambda row: f"{words.code_name(row.code)} {row.code}"),
            Column("value", render=lambda row: str(words.state(row.code, row.value).label)),
            Column("packet_id", kind="code", shown=False),
        ],
        filters=["device", Filter("code", kind="text")],
        search=["code", "value", "device__mn"],
        select=["device"],
        page=_health,
        help=HELP,
        menu=False,
        description=_("States, ranges and other information that loggers sent of their instruments."),
        cycle=_("when it changes"),
    ),
    Register(
        key="health-days",
        model=HealthDay,
        icon="heartbeat",
        order=67,
        view=VIEW,
        edit=actions.PERMISSION,
        add=False,
        columns=[
            "day",
            "device",
            "maintainer",
            Column("factor", render=_factor),
            Column("expected", total="sum"),
            Column("held", total="sum"),
            Column("valid", total="sum"),
            Column("stopped", total="sum"),
            Column("computed_at", shown=False),
        ],
        filters=["device", "maintainer", Filter("factor", choices=_present(HealthDay)), "day"],
        search=["device__mn", "device__name"],
        select=["device", "maintainer"],
        page=_health,
        help=HELP,
        menu=False,
        description=_("How many hourly values were expected, held and valid on each day."),
        cycle=_("with every hour of data"),
    ),
]
