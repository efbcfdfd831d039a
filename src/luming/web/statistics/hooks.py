"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import Concern, Layer, NavigationItem, Panel, Search, Section, Tile, Timeline, Trait, Work

NAVIGATION: list[NavigationItem] = []
PANELS: list[Panel] = []
TIMELINES: list[Timeline] = []
TRAITS: list[Trait] = []
CONCERNS: list[Concern] = []
TILES: list[Tile] = []
LAYERS: list[Layer] = []
SEARCHES: list[Search] = []
PORTAL_SECTIONS: list[Section] = []
PUBLIC_SECTIONS: list[Section] = []
WORKS: list[Work] = []
