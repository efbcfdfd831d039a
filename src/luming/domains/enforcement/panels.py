"""Enforcement: what exceeded at an outlet in the last 90 days, by factor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Panel
from luming.core.models import User
from luming.domains.enforcement import evaluate
from luming.registry.models import Outlet
from luming.telemetry.models import Judgement

DAYS = 90


def by_factor(user: User, outlet: Outlet) -> Mapping[str, Any]:
    """Show for each factor in how many hours and days it exceeded, how far at worst, and when last.

    Read from the judgements that exceeded, by index; a judgement made anew since does not count.
    """
    later = Judgement.objects.filter(
        place=OuterRef("place"), kind=OuterRef("kind"), start=OuterRef("start"), revision__gt=OuterRef("revision")
    )
    rows = Judgement.objects.filter(
        ~Exists(later),
        place=outlet.pk,
        state="exceeding",
        kind__in=(evaluate.KIND_HOUR, evaluate.KIND_DAY),
        start__gte=timezone.now() - timedelta(days=DAYS),
    ).order_by("start")
    found: dict[str, dict[str, Any]] = {}
    for pk, kind, start, detail in rows.values_list("pk", "kind", "start", "detail"):
        for factor in detail.get("exceeding", ()):
            figures = detail.get("factors", {}).get(factor, {})
            row = found.setdefault(factor, {"factor": factor, "hours": 0, "days": 0, "worst": None, "worst_pk": pk})
            row["days" if kind == evaluate.KIND_DAY else "hours"] += 1
            row["last"], row["last_pk"] = start, pk
            multiple = figures.get("multiple")
            if multiple is not None and (row["worst"] is None or multiple > row["worst"]):
                row["worst"], row["worst_pk"], row["worst_at"] = multiple, pk, start
    ordered = sorted(found.values(), key=lambda row: -(row["hours"] + row["days"]))
    return {"rows": ordered, "span": DAYS}


PANELS = [
    Panel(
        "exceedances", _("Exceedances by factor"), frozenset({"outlet"}), "enforcement/exceedances.html", by_factor, 37
    ),
]
