"""Web: the shell and the pages."""

from typing import Any

from luming.core.manifest import DomainConfig


class WebConfig(DomainConfig):
    """The room of pages: what it shows of the register and of telemetry hooks in like a domain's."""

    name = "luming.web"
    label = "web"

    def ready(self) -> None:
        """Name what the pages add; the modules need the loaded models."""
        from luming.web.cockpit import hooks as cockpit
        from luming.web.evidence import hooks as evidence
        from luming.web.instruments import hooks as instruments
        from luming.web.marks import hooks as marks
        from luming.web.onefile import hooks as onefile
        from luming.web.onemap import hooks as onemap
        from luming.web.outside import hooks as outside
        from luming.web.quality import hooks as quality
        from luming.web.registers import hooks as registers
        from luming.web.review import hooks as review
        from luming.web.sampling import hooks as sampling
        from luming.web.statistics import hooks as statistics

        record = (quality, marks, review, statistics, instruments, sampling, evidence)
        rooms = (registers, onefile, onemap, cockpit, outside, *record)

        def every(name: str) -> list[Any]:
            return [entry for room in rooms for entry in getattr(room, name, ())]

        self.navigation, self.layers = every("NAVIGATION"), every("LAYERS")
        self.panels, self.timelines = every("PANELS"), every("TIMELINES")
        self.traits, self.checks = every("TRAITS"), every("CHECKS")
        self.concerns, self.tiles, self.searches = every("CONCERNS"), every("TILES"), every("SEARCHES")
        self.public_sections, self.portal_sections = every("PUBLIC_SECTIONS"), every("PORTAL_SECTIONS")
        self.works = every("WORKS")
