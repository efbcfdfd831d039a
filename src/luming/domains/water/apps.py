"""Manifest of the water domain."""

from luming.core.manifest import DomainConfig


class WaterConfig(DomainConfig):
    """What the water domain adds to the product."""

    name = "luming.domains.water"
    label = "water"
