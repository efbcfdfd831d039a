"""What the one map adds to the manifest of the web."""

from __future__ import annotations

from luming.core.manifest import NavigationItem

NAVIGATION: list[NavigationItem] = []
