"""What home and cockpit add to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import Concern, Search, Tile

CONCERNS: list[Concern] = []
TILES: list[Tile] = []
SEARCHES: list[Search] = []
