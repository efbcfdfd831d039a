"""What the web adds to the public site and the portal."""

from __future__ import annotations

from luming.core.manifest import NavigationItem, Section

NAVIGATION: list[NavigationItem] = []
PUBLIC_SECTIONS: list[Section] = []
PORTAL_SECTIONS: list[Section] = []
