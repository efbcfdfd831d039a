"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import NavigationItem
from luming.web.review import home, portal

NAVIGATION = [NavigationItem(_("Data review"), "review-queue", "list-check", "record.annotate", "monitoring", 30)]
CONCERNS = home.CONCERNS
TILES = home.TILES
PANELS = home.PANELS
TIMELINES = home.TIMELINES
PORTAL_SECTIONS = portal.SECTIONS
