"""Manifest of the water domain."""

from luming.core.manifest import DomainConfig, Judge


class WaterConfig(DomainConfig):
    """What the water domain adds to the product."""

    name = "luming.domains.water"
    label = "water"

    def ready(self) -> None:
        """Name the judges and layers; their modules need the loaded models."""
        from luming.domains.water import evaluate, layers, panels, tiles

        self.judges = [
            Judge(evaluate.KIND, "station", frozenset({"water"}), frozenset({"hour"}), evaluate.judge_samples)
        ]
        self.layers = layers.LAYERS
        self.tiles = tiles.TILES
        self.panels, self.timelines = panels.PANELS, panels.TIMELINES
