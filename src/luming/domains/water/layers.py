"""Water: sections on the one map, coloured by class."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.domains.water import evaluate
from luming.telemetry.judging import NO_DATA
from luming.telemetry.mapping import ENVIRONMENT, FeatureCollection, place_page, state_features

# 地表水环境质量评价办法（试行）, 环办〔2011〕22号: I–II blue, III green, IV yellow, V orange, worse than V red.
LEGEND = [
    ("class-1", _("Class I"), "#4dabf7"),
    ("class-2", _("Class II"), "#1c7ed6"),
    ("class-3", _("Class III"), "#37b24d"),
    ("class-4", _("Class IV"), "#fcc419"),
    ("class-5", _("Class V"), "#f76707"),
    ("class-6", _("Worse than class V"), "#e03131"),
    (NO_DATA, _("No data"), "#868e96"),
]
COLOURS = {state: colour for state, _label, colour in LEGEND}


def stations(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the water stations the user may see, now or at an instant."""
    return state_features(user, "station", frozenset({"water"}), COLOURS, evaluate.KIND, at)


LAYERS = [
    Layer(
        "water-stations",
        _("Water sections (class)"),
        stations,
        LEGEND,
        order=20,
        group=ENVIRONMENT,
        timed=True,
        page=place_page,
    )
]
