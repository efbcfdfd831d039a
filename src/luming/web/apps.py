"""Web: the shell and the pages."""

from luming.core.manifest import DomainConfig


class WebConfig(DomainConfig):
    """The room of pages: what it shows of the register and of telemetry hooks in like a domain's."""

    name = "luming.web"
    label = "web"

    def ready(self) -> None:
        """Name what the pages add; the modules need the loaded models."""
        from luming.web.cockpit import hooks as cockpit
        from luming.web.onefile import hooks as onefile
        from luming.web.onemap import hooks as onemap
        from luming.web.outside import hooks as outside
        from luming.web.registers import hooks as registers

        rooms = (registers, onefile, onemap, cockpit, outside)
        self.navigation = [entry for room in rooms for entry in room.NAVIGATION]
        self.layers = onemap.LAYERS
        self.panels, self.timelines = onefile.PANELS, onefile.TIMELINES
        self.traits, self.checks = onefile.TRAITS, onefile.CHECKS
        self.concerns, self.tiles, self.searches = cockpit.CONCERNS, cockpit.TILES, cockpit.SEARCHES
        self.public_sections, self.portal_sections = outside.PUBLIC_SECTIONS, outside.PORTAL_SECTIONS
        self.works = [*registers.WORKS, *onefile.WORKS]
