"""What the pages of the file add to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import Check, Panel, Timeline, Trait, Work

PANELS: list[Panel] = []
TIMELINES: list[Timeline] = []
TRAITS: list[Trait] = []
CHECKS: list[Check] = []
WORKS: list[Work] = []
