"""Manifest of the noise domain."""

from luming.core.manifest import DomainConfig, Judge


class NoiseConfig(DomainConfig):
    """What the noise domain adds to the product."""

    name = "luming.domains.noise"
    label = "noise"

    def ready(self) -> None:
        """Name the judges and layers; their modules need the loaded models."""
        from luming.domains.noise import evaluate, layers, tiles

        self.judges = [Judge(evaluate.KIND, "station", frozenset({"noise"}), frozenset({"hour"}), evaluate.judge_hours)]
        self.layers = layers.LAYERS
        self.tiles = tiles.TILES
