"""Manifest of the dummy domain."""

from luming.core.manifest import DomainConfig


class DummyConfig(DomainConfig):
    """One of everything that a domain may add."""

    name = "luming_dummy"
    label = "dummy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming_dummy import cockpit, layers, onefile, outside, registers

        self.registers = registers.REGISTERS
        self.layers = layers.LAYERS
        self.panels, self.timelines = onefile.PANELS, onefile.TIMELINES
        self.traits, self.checks = onefile.TRAITS, onefile.CHECKS
        self.concerns, self.tiles, self.searches = cockpit.CONCERNS, cockpit.TILES, cockpit.SEARCHES
        self.public_sections, self.portal_sections = outside.PUBLIC_SECTIONS, outside.PORTAL_SECTIONS
