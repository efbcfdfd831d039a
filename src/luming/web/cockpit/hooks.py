"""What home and cockpit add to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import Concern, NavigationItem, Search, Tile

NAVIGATION: list[NavigationItem] = []
CONCERNS: list[Concern] = []
TILES: list[Tile] = []
SEARCHES: list[Search] = []
