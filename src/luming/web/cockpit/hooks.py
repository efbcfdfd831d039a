"""What home and cockpit add to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import Concern, NavigationItem, Search, Tile
from luming.web.cockpit import concerns, tiles

NAVIGATION: list[NavigationItem] = [
    NavigationItem(_("Cockpit"), "cockpit", "chart-line", "cockpit.view", "overview", 12),
]
CONCERNS: list[Concern] = concerns.CONCERNS
TILES: list[Tile] = tiles.TILES
SEARCHES: list[Search] = []
