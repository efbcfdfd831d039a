"""The registers of sampling: plans, samples, custody, results, comparisons, and the rules of preservation."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from luming.core.models import User
from luming.core.registers import Column, Group, Register, Related
from luming.telemetry.sampling import actions, words
from luming.telemetry.sampling.models import (
    Comparison,
    CustodyEvent,
    PreservationRule,
    Sample,
    SampleResult,
    SamplingPlan,
)


def page(name: str, key: Any, register: str, pk: Any) -> str:
    """Return the address of a page; that of the register in an installation without the room of sampling."""
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return reverse("record", args=[register, pk])


def _factor(record: Any) -> SafeString:
    return format_html('{} <span class="text-secondary">{}</span>', words.factor_name(record.factor), record.factor)


def _factors(record: Any) -> str:
    return words.factor_names(record.factors)


def _with_reviews(results: QuerySet[SampleResult], user: User) -> QuerySet[SampleResult]:
    return results.select_related("review", "review__reviewed_by")


REGISTERS = [
    Register(
        key="sampling-plans",
        model=SamplingPlan,
        icon="calendar-stats",
        order=84,
        edit=actions.PLAN,
        add=False,  # its own page makes plans: they have places
        menu=False,
        columns=[
            "name",
            "purpose",
            "medium",
            Column("factors", render=_factors, sortable=False),
            "frequency",
            "starts_on",
            "ends_on",
            "responsible",
            "is_active",
            Column("standards", shown=False),
            Column("blanks", shown=False),
            Column("parallels", shown=False),
            Column("note", shown=False),
        ],
        filters=["purpose", "medium", "frequency", "starts_on", "is_active", "is_demo"],
        search=["name", "standards"],
        form=[
            Group(_("Plan"), ["name", "purpose", "standards", "responsible", "note"]),
            Group(_("Rounds"), ["frequency", "starts_on", "ends_on", "blanks", "parallels", "is_active"]),
        ],
        fixed=["medium", "is_demo"],
        related=[Related("manual-samples", "plan")],
        select=["responsible"],
        change=actions.change_plan,
        page=lambda record: page("sampling-plan", record.pk, "sampling-plans", record.pk),
        help="how-to/take-samples",
        description=_("What is sampled by hand where, how often and by whom."),
        cycle=_("as needed"),
        classification="sensitive",  # what is planned is unannounced
    ),
    Register(
        key="manual-samples",
        model=Sample,
        icon="droplet",
        order=85,
        edit=actions.PLAN,
        add=False,
        menu=False,
        columns=[
            "number",
            "place",
            "due_on",
            Column("factors", render=_factors, sortable=False),
            Column("state", render=words.state),
            "taken_from",
            "taken_to",
            "samplers",
            Column("kind", shown=False),
            Column("control", shown=False),
            Column("plan", shown=False),
            Column("weather", shown=False),
            Column("flow", shown=False),
            Column("preservation", shown=False),
            Column("longitude", shown=False),
            Column("latitude", shown=False),
        ],
        filters=["place", "state", "control", "due_on", "taken_from", "plan", "is_demo"],
        search=["number", "place__name"],
        form=[Group(_("Remark"), ["note"])],
        related=[
            Related("custody", "sample"),
            Related("sample-results", "sample"),
            Related("sample-comparisons", "sample"),
        ],
        select=["place", "plan"],
        page=lambda record: page("sample", record.pk, "manual-samples", record.pk),
        help="how-to/take-samples",
        description=_("Samples taken by hand, each with its number and state."),
        cycle=_("with every step of custody"),
        classification="sensitive",
    ),
    Register(
        key="custody",
        model=CustodyEvent,
        icon="shield-check",
        order=86,
        edit=actions.PLAN,
        add=False,
        menu=False,
        columns=[
            "sample",
            "sequence",
            "kind",
            "at",
            "signed_name",
            "signed_at",
            "from_whom",
            "to_whom",
            "temperature_c",
            Column("preservation", shown=False),
            "reason",
            Column("previous_hash", kind="code", shown=False),
            Column("hash", kind="code", shown=False),
        ],
        filters=["kind", "signed_at", "sample__place"],
        search=["sample__number", "signed_name"],
        select=["sample"],
        page=lambda record: page("sample", record.sample_id, "custody", record.pk),
        help="how-to/take-samples",
        description=_("Every signed step of the custody of samples, chained by hashes."),
        cycle=_("with every step of custody"),
    ),
    Register(
        key="sample-results",
        model=SampleResult,
        icon="list-check",
        order=87,
        edit=actions.RESULT,
        add=False,
        menu=False,
        columns=[
            "sample",
            Column("sample__place", label=_("Place")),
            Column("factor", render=_factor),
            Column("value", render=words.figure),
            "unit",
            Column("below_detection", shown=False),
            Column("detection_limit", shown=False),
            "method",
            "analysed_at",
            "analyst",
            Column("review__decision", label=_("Review"), kind="choice"),
            "revision",
            Column("instrument", shown=False),
            Column("holding_hours", shown=False, decimals=1),
            Column("holding_allowed", shown=False, decimals=1),
            Column("withdrawn", shown=False),
            Column("reason", shown=False),
            Column("entered_by", shown=False),
            Column("entered_at", shown=False),
        ],
        filters=["sample__place", "factor", "analysed_at", "review__decision", "below_detection", "withdrawn"],
        search=["sample__number", "factor", "analyst"],
        select=["sample", "sample__place", "entered_by"],
        annotate=_with_reviews,
        page=lambda record: page("sample", record.sample_id, "sample-results", record.pk),
        help="how-to/take-samples",
        description=_("What analyses of samples found, in all revisions."),
        cycle=_("with every analysis"),
    ),
    Register(
        key="sample-comparisons",
        model=Comparison,
        icon="scale",
        order=88,
        edit=actions.RESULT,
        add=False,
        menu=False,
        columns=[
            "place",
            Column("factor", render=_factor),
            "start",
            "end",
            "manual",
            "automatic",
            "unit",
            Column("error", render=words.error),
            Column("allowed", render=words.allowed),
            Column("outcome", render=lambda row: words.tag(row.outcome, row.get_outcome_display())),
            "edition",
            "verified",
            Column("sample", shown=False),
            Column("count", shown=False),
            Column("expected", shown=False),
            Column("clause", shown=False),
            Column("computed_at", shown=False),
            Column("software", shown=False),
        ],
        filters=["place", "factor", "outcome", "start"],
        search=["sample__number", "place__name"],
        select=["place", "sample"],
        page=lambda record: page("sample", record.sample_id, "sample-comparisons", record.pk),
        help="how-to/take-samples",
        description=_("Manual results beside the automatic values of the same time, with the allowed error."),
        cycle=_("with every accepted result"),
    ),
    Register(
        key="preservation-rules",
        model=PreservationRule,
        icon="clock",
        order=89,
        edit="quality.configure",
        delete=True,
        explained=True,
        menu=False,
        columns=[
            "medium",
            Column("factor", render=_factor),
            "container",
            "preservation",
            "hours",
            "source",
            "verified",
            "effective_from",
            "effective_to",
        ],
        filters=["medium", "factor", "verified"],
        search=["factor", "source", "preservation"],
        natural_key=["medium", "factor", "effective_from"],
        help="how-to/take-samples",
        description=_("How samples are kept and how long they may wait; goes before the packaged table (HJ 493-2009)."),
        cycle=_("when a standard changes"),
    ),
]
