"""The registers of review: signed reviews, questions, and the bureau's reasons and rules."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from luming.core.registers import Column, Group, Register
from luming.telemetry.review import configuring
from luming.telemetry.review.models import Question, ReasonCode, Review, ReviewRule

HELP = "help/review"
VIEW = "cockpit.view"  # the people of the bureau


def _refuse(*_arguments: Any, **_values: Any) -> Any:
    raise ValidationError(_("What is signed is not changed."))


def _signature(review: Review) -> str:
    return reverse("review-signature", args=[review.pk])


def _hash(review: Review) -> Any:
    return format_html("<code>{}</code>", review.hash[:12])


def _answer(question: Question) -> Any:
    if question.is_open:
        return format_html('<span class="lm-tag is-warn">{}</span>', _("not answered"))
    return question.answer[:80]


def _code_name(code: ReasonCode) -> str:
    return str(code)


REGISTERS = [
    Register(
        key="reviews",
        model=Review,
        icon="shield-check",
        order=84,
        view=VIEW,
        edit=configuring.SIGNED,
        add=False,
        columns=[
            Column("day__place", label=_("Place"), kind="record"),
            Column("day__day", label=_("Day")),
            "number",
            Column("user__name", label=_("Signed by")),
            "at",
            Column("hash", render=_hash),
            "needs_second",
            Column("countersignature__accepted", label=_("Second signature"), kind="boolean"),
            Column("countersignature__user__name", label=_("Second signer"), shown=False),
            Column("note", shown=False),
            Column("previous", shown=False),
        ],
        filters=["day__place", "day__day", "needs_second"],
        search=["day__place__name", "hash"],
        select=["day__place", "user", "countersignature__user"],
        page=_signature,
        create=_refuse,
        change=_refuse,
        help=HELP,
        description=_("What reviewers signed: who, when, and the hash of what was seen and decided."),
        cycle=_("with every submission"),
    ),
    Register(
        key="questions",
        model=Question,
        icon="help",
        order=85,
        view="data.view",
        edit=configuring.SIGNED,
        add=False,
        columns=[
            "place",
            "text",
            "start",
            Column("end", shown=False),
            "asked_at",
            "deadline",
            Column("answer", render=_answer),
            "answered_at",
            Column("asked_by", shown=False),
        ],
        filters=["place", "asked_at", "answered_at"],
        search=["text", "place__name"],
        select=["place", "asked_by"],
        create=_refuse,
        change=_refuse,
        help=HELP,
        description=_("Questions to enterprises and maintainers about their data, with the answers."),
        cycle=_("as needed"),
    ),
    Register(
        key="review-reasons",
        model=ReasonCode,
        icon="list-check",
        order=86,
        view=VIEW,
        edit=configuring.PERMISSION,
        explained=True,
        columns=["action", "key", "name_zh", "name_en", "code", "verified", "effective_from", "effective_to",
                 Column("source", shown=False)],
        filters=["action", "verified"],
        search=["name_zh", "name_en", "code"],
        form=[
            Group(_("Reason"), ["action", "key", "name_zh", "name_en", "code"]),
            Group(_("In force"), ["effective_from", "effective_to", "source", "verified"]),
        ],
        natural_key=["code", "effective_from"],
        fixed=["action"],
        create=configuring.create_reason,
        change=configuring.change_reason,
        menu=False,
        help=HELP,
        description=_("Reasons that reviewers give by number keys."),
        cycle=_("when the bureau changes them"),
    ),
    Register(
        key="review-rules",
        model=ReviewRule,
        icon="adjustments",
        order=87,
        view=VIEW,
        edit=configuring.PERMISSION,
        explained=True,
        columns=["medium", "control", "days", "by", "four_eyes", "answer_days", "verified", "effective_from",
                 "effective_to", Column("source", shown=False)],
        filters=["medium", "control", "four_eyes", "verified"],
        search=["source"],
        form=[
            Group(
                _("Which places"), ["medium", "control"], _("Empty means all. Control levels go before media.")
            ),
            Group(_("What is asked"), ["days", "by", "four_eyes", "answer_days"]),
            Group(_("In force"), ["effective_from", "effective_to", "source", "verified"]),
        ],
        natural_key=["medium", "control", "effective_from"],
        create=configuring.create_rule,
        change=configuring.change_rule,
        menu=False,
        help=HELP,
        description=_("By when days must be reviewed, and where a second person must sign."),
        cycle=_("when the bureau changes them"),
    ),
]  # fmt: skip
