"""Facilities on the one map, coloured by the worst of their allowances."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.domains.permitting import accounts, links, words
from luming.registry.models import Facility
from luming.telemetry.mapping import SOURCES

PREFIX = "allowance-"
LEGEND = [(PREFIX + key, words.STANDINGS[key].label, words.STANDINGS[key].colour) for key in accounts.STANDINGS]


def facilities(user: User) -> dict[str, Any]:
    """Return the visible facilities; ``value`` is the share of the allowance used, in per cent. Four queries."""
    lines = accounts.of_city(user)
    features = []
    for facility in Facility.objects.visible_to(user).exclude(status=Facility.Status.CLOSED).order_by("pk"):
        worst = accounts.worst(lines.get(facility.pk, []))
        standing = worst.account.standing if worst is not None else "none"
        features.append({
            "type": "Feature",
            "id": facility.pk,
            "geometry": {"type": "Point", "coordinates": [facility.longitude, facility.latitude]},
            "properties": {
                "name": facility.name,
                "code": facility.code,
                "state": PREFIX + standing,
                "colour": words.STANDINGS[standing].colour,
                "value": round(100 * worst.account.share, 1) if worst and worst.account.share is not None else None,
                "period": worst.account.now.isoformat() if worst else None,
            },
        })  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


LAYERS = [
    Layer(
        "allowances",
        _("Facilities by allowance used"),
        facilities,
        LEGEND,
        order=60,
        group=SOURCES,
        page=links.facility,
        shown=False,
    )
]
