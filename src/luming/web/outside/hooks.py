"""What the web adds to the public site and the portal."""

from __future__ import annotations

from luming.core.manifest import NavigationItem, Section
from luming.web.outside import portal_sections, sections

NAVIGATION: list[NavigationItem] = []
PUBLIC_SECTIONS: list[Section] = sections.SECTIONS
PORTAL_SECTIONS: list[Section] = portal_sections.SECTIONS
