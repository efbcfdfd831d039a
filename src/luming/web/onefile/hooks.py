"""What the pages of the file add to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import Check, NavigationItem, Panel, Timeline, Trait, Work

NAVIGATION: list[NavigationItem] = []
PANELS: list[Panel] = []
TIMELINES: list[Timeline] = []
TRAITS: list[Trait] = []
CHECKS: list[Check] = []
WORKS: list[Work] = []
