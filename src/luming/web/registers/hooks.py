"""What the engine of registers adds to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import NavigationItem, Work

NAVIGATION: list[NavigationItem] = []
WORKS: list[Work] = []
