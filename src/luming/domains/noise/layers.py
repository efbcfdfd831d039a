"""Noise: stations on the one map, by whether the hour keeps the zone's limit."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.domains.noise import evaluate
from luming.telemetry.judging import NO_DATA
from luming.telemetry.mapping import ENVIRONMENT, FeatureCollection, place_page, state_features

LEGEND = [
    ("normal", _("Within the limit"), "#37b24d"),
    ("exceeding", _("Above the limit"), "#e03131"),
    (NO_DATA, _("No data"), "#868e96"),
]
COLOURS = {state: colour for state, _label, colour in LEGEND}


def stations(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the noise stations the user may see, now or at an instant."""
    return state_features(user, "station", frozenset({"noise"}), COLOURS, evaluate.KIND, at)


LAYERS = [
    Layer(
        "noise-stations",
        _("Noise stations"),
        stations,
        LEGEND,
        order=40,
        group=ENVIRONMENT,
        timed=True,
        page=place_page,
    )
]
