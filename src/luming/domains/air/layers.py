"""Air: stations on the one map, coloured by the level of their hourly AQI."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.domains.air import evaluate
from luming.standards.air import LEVELS
from luming.telemetry.judging import NO_DATA
from luming.telemetry.mapping import ENVIRONMENT, FeatureCollection, place_page, state_features

# HJ 633-2026 table 1; 2012 has the same names and colours.
_LEVELS = LEVELS["2026"]
_NAMES = {1: _("Excellent"), 2: _("Good"), 3: _("Lightly polluted"), 4: _("Moderately polluted"),
          5: _("Heavily polluted"), 6: _("Severely polluted")}  # fmt: skip
LEGEND = [(f"level-{level}", _NAMES[level], _LEVELS[level].hex) for level in sorted(_LEVELS)]
LEGEND += [("level-0", _("No index (data missing)"), "#adb5bd"), (NO_DATA, _("No data"), "#868e96")]
COLOURS = {state: colour for state, _label, colour in LEGEND}


def stations(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the air stations the user may see, now or at an instant."""
    return state_features(user, "station", frozenset({"air"}), COLOURS, evaluate.KIND, at)


LAYERS = [
    Layer(
        "air-stations",
        _("Air stations (AQI)"),
        stations,
        LEGEND,
        order=10,
        group=ENVIRONMENT,
        timed=True,
        page=place_page,
    )
]
