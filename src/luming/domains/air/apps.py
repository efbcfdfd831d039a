"""Manifest of the air domain."""

from luming.core.manifest import DomainConfig, Judge


class AirConfig(DomainConfig):
    """What the air domain adds to the product."""

    name = "luming.domains.air"
    label = "air"

    def ready(self) -> None:
        """Name the judges and layers; their modules need the loaded models."""
        from luming.domains.air import evaluate, layers, panels, tiles

        air = frozenset({"air"})
        self.judges = [
            Judge(evaluate.KIND, "station", air, frozenset({"hour"}), evaluate.judge_hours),
            Judge(evaluate.KIND_DAY, "station", air, frozenset({"day-statistic"}), evaluate.judge_days),
        ]
        self.layers = layers.LAYERS
        self.tiles = tiles.TILES
        self.panels = panels.PANELS
