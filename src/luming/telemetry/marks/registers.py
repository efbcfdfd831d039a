"""The registers of marks: what enterprises stated, and the bureau's codes."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from luming.core.registers import Column, Group, Register, Related
from luming.telemetry.marks import configuring, words
from luming.telemetry.marks.actions import DECIDE
from luming.telemetry.marks.models import Mark, MarkCode

HELP = "help/marks"


def _elsewhere(*_arguments: Any, **_values: Any) -> Any:
    raise ValidationError(_("Marks are made in the enterprises' portal and decided on their own page."))


def _page(mark: Mark) -> str:
    return reverse("mark", args=[mark.pk])


REGISTERS = [
    Register(
        key="marks",
        model=Mark,
        icon="tag",
        order=90,
        edit=DECIDE,
        add=False,
        columns=[
            "start",
            "end",
            "outlet",
            Column("outlet__facility", label=_("Facility"), kind="record"),
            Column("code", kind="text"),
            Column("state", render=words.state_tag),
            "late",
            "contradicted",
            "made_at",
            Column("explanation", shown=False),
            Column("factors", shown=False),
            Column("deadline", shown=False),
            Column("reason", shown=False),
            Column("decided_at", shown=False),
            Column("edition", shown=False),
        ],
        filters=["outlet", "state", "late", "contradicted", "start", "made_at", "is_demo"],
        search=["explanation", "outlet__name", "outlet__facility__name"],
        select=["outlet", "outlet__facility", "code"],
        page=_page,
        create=_elsewhere,
        change=_elsewhere,
        menu=False,
        help=HELP,
        description=_("States of plants and devices that enterprises stated of their own periods, with the decisions."),
        cycle=_("daily, by the enterprises"),
    ),
    Register(
        key="mark-codes",
        model=MarkCode,
        icon="list-check",
        order=91,
        edit=configuring.PERMISSION,
        explained=True,
        columns=[
            "side", "name_zh", "name_en", "code", "excluded", "shutdown", "amounts", "needs_confirmation", "days_after",
            "due_at", "yearly_hours", "verified", "effective_from", "effective_to", Column("letter", shown=False),
            Column("sectors", shown=False), Column("media", shown=False), Column("longest_hours", shown=False),
            Column("hour_minutes", shown=False), Column("day_hours", shown=False), Column("manual", shown=False),
            Column("source", shown=False),
        ],
        filters=["side", "excluded", "shutdown", "manual", "verified"],
        search=["name_zh", "name_en", "code"],
        form=[
            Group(_("State"), ["side", "code", "name_zh", "name_en", "letter", "note_zh", "note_en"]),
            Group(
                _("What it does"),
                ["excluded", "shutdown", "amounts", "needs_confirmation", "hour_minutes", "day_hours"],
                _("Not changed once marks use it: end the row and enter another one."),
            ),
            Group(
                _("Who may state it, and until when"),
                ["manual", "sectors", "media", "days_after", "due_at", "longest_hours", "yearly_hours", "yearly_group"],
            ),
            Group(_("In force"), ["effective_from", "effective_to", "source", "verified"]),
        ],
        natural_key=["code", "effective_from"],
        fixed=["side"],
        related=[Related("marks", "code")],
        create=configuring.create_code,
        change=configuring.change_code,
        menu=False,
        help=HELP,
        description=_("States that periods may be marked with, what each does, and until when it may be stated."),
        cycle=_("when the bureau changes them"),
    ),
]  # fmt: skip
