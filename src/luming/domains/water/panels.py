"""Water: the classes of a section in the last 30 days against its target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from luming.core.manifest import Moment, Panel, Timeline
from luming.core.models import User
from luming.domains.water import evaluate
from luming.domains.water.layers import COLOURS, LEGEND
from luming.registry.models import Station
from luming.standards.edition import CITY_ZONE
from luming.telemetry.models import Judgement

DAYS = 30
LABELS = {state: label for state, label, _colour in LEGEND}


def classes(user: User, section: Station) -> Mapping[str, Any]:
    """Show the class of every sample of 30 days, and how many kept the target."""
    target = section.target_class or evaluate.TARGET
    today = timezone.now().astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Judgement.objects.filter(
        place=section.pk, kind=evaluate.KIND, start__gte=today - timedelta(days=DAYS - 1)
    ).order_by("start", "revision")
    samples = {row["start"]: row for row in rows.values("pk", "start", "state", "value")}  # the last revision stays
    days: dict[Any, list[dict[str, Any] | None]] = {}
    for start, row in samples.items():
        local = start.astimezone(CITY_ZONE)
        days.setdefault(local.date(), [None] * 24)[local.hour] = {
            "at": local,
            "label": LABELS.get(row["state"], row["state"]),
            "colour": COLOURS.get(row["state"], ""),
            "worse": row["value"] > target,
        }
    counts = Counter(row["state"] for row in samples.values())
    kept = sum(row["value"] <= target for row in samples.values())
    return {
        "days": sorted(days.items(), reverse=True),
        "hours": range(24),
        "counts": [(label, colour, counts[state]) for state, label, colour in LEGEND if counts[state]],
        "target": LABELS[f"class-{target}"],
        "own_target": section.target_class is not None,
        "kept": kept,
        "total": len(samples),
        "share": 100 * kept / len(samples) if samples else None,
    }


_STEP = 600  # samples read at once: 100 days of six


def changes(user: User, section: Station, before: datetime, limit: int) -> Iterator[Moment]:
    """Tell when the class changed, reading back by index until enough changes are found or 6,000 samples were read."""
    told, newer = 0, None
    upper = before
    for _step in range(10):
        rows = Judgement.objects.filter(place=section.pk, kind=evaluate.KIND, start__lt=upper)
        found = list(rows.order_by("-start", "-revision").values("pk", "start", "state", "value")[:_STEP])
        for row in found:
            if newer is not None and row["start"] == newer["start"]:
                continue  # an earlier revision of the same sample
            if newer is not None and row["state"] != newer["state"]:
                yield _change(section, row, newer)
                told += 1
                if told >= limit:
                    return
            newer = row
        if len(found) < _STEP:
            return
        upper = found[-1]["start"]


def _change(section: Station, older: Mapping[str, Any], newer: Mapping[str, Any]) -> Moment:
    names = {"before": LABELS.get(older["state"], older["state"]), "to": LABELS.get(newer["state"], newer["state"])}
    target = section.target_class or evaluate.TARGET
    worse = newer["value"] > older["value"]
    tone = "danger" if newer["value"] > target else "warning" if worse else "good"
    url = reverse("judgement", args=[section.pk, newer["pk"]])
    return Moment(newer["start"], _("From %(before)s to %(to)s") % names, "", url, tone, "droplet")


PANELS = [
    Panel(
        "classes",
        gettext_lazy("Classes of the last 30 days"),
        frozenset({"section"}),
        "water/classes.html",
        classes,
        36,
    ),
]
TIMELINES = [Timeline("classes", gettext_lazy("Classes"), frozenset({"section"}), changes)]
