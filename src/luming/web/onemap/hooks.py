"""What the one map adds to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import NavigationItem
from luming.web.onemap import layers

NAVIGATION = [NavigationItem(_("One map"), "map", "map", "data.view", "overview", 15)]
LAYERS = layers.LAYERS
