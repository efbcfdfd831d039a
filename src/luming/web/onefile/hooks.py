"""What the pages of the file add to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import NavigationItem, Work
from luming.web.onefile.checks import CHECKS
from luming.web.onefile.events import TIMELINES
from luming.web.onefile.panels import PANELS
from luming.web.onefile.portrait import TRAITS

NAVIGATION = [NavigationItem(_("Regions"), "regions", "map", "data.view", "monitoring", 22)]
WORKS: list[Work] = []

__all__ = ["CHECKS", "NAVIGATION", "PANELS", "TIMELINES", "TRAITS", "WORKS"]
