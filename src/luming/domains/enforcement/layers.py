"""Enforcement: outlets on the one map, by their live state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Layer
from luming.core.models import User
from luming.domains.enforcement import evaluate
from luming.telemetry.judging import NO_DATA
from luming.telemetry.mapping import SOURCES, FeatureCollection, place_page, state_features

LEGEND = [
    ("normal", _("Normal"), "#37b24d"),
    ("exceeding", _("Exceeding"), "#e03131"),
    ("stopped", _("Stopped"), "#4263eb"),
    (evaluate.MARKED, _("Marked"), "#7048e8"),
    (NO_DATA, _("No data"), "#868e96"),
]
COLOURS = {state: colour for state, _label, colour in LEGEND}


def gas_outlets(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the waste-gas outlets the user may see, now or at an instant."""
    return state_features(user, "outlet", frozenset({"gas"}), COLOURS, evaluate.KIND_HOUR, at)


def sewage_outlets(user: User, at: datetime | None = None) -> FeatureCollection:
    """Return the waste-water outlets the user may see, now or at an instant."""
    return state_features(user, "outlet", frozenset({"sewage"}), COLOURS, evaluate.KIND_HOUR, at)


_SHARED: dict[str, Any] = {"group": SOURCES, "timed": True, "page": place_page}
LAYERS = [
    Layer("gas-outlets", _("Waste-gas outlets"), gas_outlets, LEGEND, order=30, **_SHARED),
    Layer("sewage-outlets", _("Waste-water outlets"), sewage_outlets, LEGEND, order=31, **_SHARED),
]
