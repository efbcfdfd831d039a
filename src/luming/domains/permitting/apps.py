"""Manifest of the permitting domain."""

from luming.core.manifest import DomainConfig, Judge


class PermittingConfig(DomainConfig):
    """What the permitting domain adds to the product."""

    name = "luming.domains.permitting"
    label = "permitting"

    def ready(self) -> None:
        """Name the hooks; their modules need the loaded models."""
        from luming.domains.permitting import evaluate, file, home, layers, panels, registers

        # Not a judgement: the hook that hears of new hours sums them up by day.
        self.judges = [
            Judge("emission-days", "outlet", evaluate.MEDIA, frozenset({"hour"}), evaluate.judge_hours),
        ]
        self.registers = registers.REGISTERS
        self.layers = layers.LAYERS
        self.panels, self.portal_sections = panels.PANELS, panels.PORTAL_SECTIONS
        self.timelines, self.traits, self.checks = file.TIMELINES, file.TRAITS, file.CHECKS
        self.concerns, self.tiles = home.CONCERNS, home.TILES
