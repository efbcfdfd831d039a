"""What the pages of this room add to the manifest of the web."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from luming.core.manifest import NavigationItem
from luming.web.sampling.home import CONCERNS
from luming.web.sampling.place import PANELS, TIMELINES

NAVIGATION = [NavigationItem(_("Sampling"), "sampling", "droplet", "data.view", "monitoring", 60)]

__all__ = ["CONCERNS", "NAVIGATION", "PANELS", "TIMELINES"]
