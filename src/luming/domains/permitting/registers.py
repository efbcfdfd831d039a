"""The registers of permitting: permits, allowances, and the daily emissions that the platform computes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from luming.core.registers import Action, Column, Group, Register, Related
from luming.domains.permitting import actions, links, words
from luming.domains.permitting.models import Allowance, EmissionDay, Permit


def _standing(permit: Permit) -> Any:
    word = words.PERMITS[permit.standing()]
    return format_html('<span class="lm-tag {}">{}</span>', word.tag, word.label)


def _is_valid(permit: Permit) -> bool:
    return permit.status == Permit.Status.VALID


ENDINGS = [choice for choice in Permit.Status.choices if choice[0] != Permit.Status.VALID]

REGISTERS = [
    Register(
        key="permits",
        model=Permit,
        icon="certificate",
        order=80,
        edit=actions.PERMISSION,
        columns=[
            "facility",
            "number",
            "category",
            Column("status", render=_standing),
            "valid_from",
            "valid_to",
            "issued_by",
            Column("issued_on", shown=False),
            Column("note", shown=False),
        ],
        filters=["facility", "facility__region", "category", "status", "valid_to", "is_demo"],
        search=["number", "facility__name", "issued_by"],
        form=[
            Group(_("Identity"), ["facility", "number", "category"]),
            Group(_("Issue and validity"), ["issued_by", "issued_on", "valid_from", "valid_to", "status", "note"]),
        ],
        natural_key=["number", "valid_from"],
        fixed=["facility", "status"],  # a permit ends by the action, which asks why
        bulk=["category", "issued_by"],
        related=[Related("allowances", "permit")],
        actions=[
            Action(
                key="end",
                label=_("End the permit"),
                icon="ban",
                permission=actions.PERMISSION,
                run=actions.end_permits,
                question=_("The permit is no longer in force from now on. Its allowances no longer count."),
                fields={"status": forms.ChoiceField(label=_("What happened"), choices=ENDINGS)},
                applies=_is_valid,
            )
        ],
        select=["facility"],
        sort=["valid_to"],
        create=actions.create_permit,
        change=actions.change_permit,
        help="how-to/enter-permits",
        description=_("Discharge permits of facilities with their validity."),
        cycle=_("when a permit is issued, changed or ended"),
    ),
    Register(
        key="allowances",
        model=Allowance,
        icon="scale",
        order=81,
        edit=actions.PERMISSION,
        columns=[
            "permit",
            Column("permit__facility", label=_("Facility"), shown=False),
            "outlet",
            "factor",
            Column("year", kind="text"),
            "tonnes",
            "verified",
            Column("source", shown=False),
            Column("reported_tonnes", shown=False),
            Column("reported_until", shown=False),
        ],
        filters=["permit", "factor", "year", "outlet", "verified"],
        search=["permit__number", "permit__facility__name", "factor"],
        form=[
            Group(_("What is allowed"), ["permit", "outlet", "factor", "year", "tonnes"]),
            Group(_("Where it is written"), ["source", "verified"]),
            Group(
                _("Emitted before the platform had data"),
                ["reported_tonnes", "reported_until"],
                _("From the enterprise's execution reports; completes the first year."),
            ),
        ],
        natural_key=["permit", "outlet", "factor", "year"],
        bulk=["source", "verified"],
        delete=True,
        select=["permit", "permit__facility", "outlet"],
        create=actions.create_allowance,
        change=actions.change_allowance,
        remove=actions.delete_allowance,
        help="how-to/enter-permits",
        description=_("How much of each pollutant permits allow in a year."),
        cycle=_("when a permit is issued or changed"),
    ),
    Register(
        key=links.DAYS,
        model=EmissionDay,
        icon="calendar-stats",
        order=82,
        edit=actions.PERMISSION,
        add=False,
        columns=[
            "day",
            "outlet",
            Column("outlet__facility", label=_("Facility"), shown=False),
            "factor",
            Column("amount_kg", total="sum", decimals=3, unit="kg"),
            Column("hours_present", total="sum"),
            Column("hours_expected", total="sum"),
            Column("left_out_kg", total="sum", decimals=3, unit="kg"),
            Column("computed_at", shown=False),
            Column("software", shown=False),
        ],
        filters=["outlet", "outlet__facility", "factor", "day"],
        search=["outlet__name"],
        select=["outlet", "outlet__facility"],
        page=links.values,
        help="reference/permitting",
        description=_("What outlets emitted on each day, as monitored; missing hours are not substituted."),
        cycle=_("with every hour of data"),
    ),
]
