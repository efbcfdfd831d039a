"""Manifest of the enforcement domain."""

from luming.core.manifest import DomainConfig, Judge


class EnforcementConfig(DomainConfig):
    """What the enforcement domain adds to the product."""

    name = "luming.domains.enforcement"
    label = "enforcement"

    def ready(self) -> None:
        """Name the judges and layers; their modules need the loaded models."""
        from luming.domains.enforcement import evaluate, layers, panels, tiles

        self.judges = [
            Judge("limit", "outlet", frozenset({"gas", "sewage"}), frozenset({"hour", "day"}), evaluate.judge_periods)
        ]
        self.layers = layers.LAYERS
        self.tiles = tiles.TILES
        self.panels = panels.PANELS
